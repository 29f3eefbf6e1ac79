// How long a stage leaves the pipes of its filter alone.
#include <doctest/doctest.h>

#include "pipeline/stage/pacing.hpp"

using ringpipe::pipeline::stage::pacing;

TEST_CASE("pacing: nobody pauses before there was a page at once") {
    pacing pace;
    CHECK(pace.pause() == pacing::duration{0});
    pace.begin();
    CHECK(pace.pause() == pacing::shortest);
}

TEST_CASE("pacing: a pause in which little moves gets longer, but not for ever") {
    pacing pace;
    pace.begin();
    for (auto expected = pacing::shortest; expected < pacing::longest; expected *= 2) {
        CHECK(pace.pause() == expected);
        pace.moved(pacing::page);
    }
    CHECK(pace.pause() == pacing::longest);
    pace.moved(pacing::page);
    CHECK(pace.pause() == pacing::longest);
}

TEST_CASE("pacing: a pause that moves enough stays, one that nearly fills the pipe gets shorter") {
    pacing pace;
    pace.begin();
    pace.moved(pacing::few - 1);
    pace.moved(pacing::few);
    CHECK(pace.pause() == 2 * pacing::shortest);
    pace.moved(pacing::many);
    CHECK(pace.pause() == 2 * pacing::shortest);
    pace.moved(pacing::many + 1);
    CHECK(pace.pause() == pacing::shortest);
    pace.moved(pacing::many + 1);
    CHECK(pace.pause() == pacing::duration{0});
}

TEST_CASE("pacing: what only drips is waited for without pauses") {
    pacing pace;
    pace.begin();
    SUBCASE("nothing came") { pace.moved(0); }
    SUBCASE("a line in the longest pause") {
        while (pace.pause() < pacing::longest) { pace.moved(1); }
        pace.moved(pacing::page - 1);
    }
    CHECK(pace.pause() == pacing::duration{0});
}
