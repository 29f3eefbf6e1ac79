// What the stream says about a message, read from its JSON.
#ifdef RINGPIPE_HAS_BRIDGE

#include "bridge/publisher.hpp"

#include <doctest/doctest.h>

using ringpipe::bridge::read_answer;

TEST_CASE("an answer of the stream tells whether a message is stored, or was before") {
    const auto stored = read_answer(R"({"stream":"jobs", "seq":7})");
    CHECK(stored.stored);
    CHECK_FALSE(stored.duplicate);
    const auto again = read_answer(R"({"stream":"jobs", "seq":7,"duplicate": true})");
    CHECK(again.stored);
    CHECK(again.duplicate);
}

TEST_CASE("a duplicate of no message is not stored") {
    const auto sut = read_answer(R"({"stream":"jobs", "seq":0,"duplicate": true})");
    CHECK_FALSE(sut.stored);
}

TEST_CASE("an answer that refuses a message says why") {
    const auto sut = read_answer(
        R"({"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"seq":0})");
    CHECK_FALSE(sut.stored);
    CHECK(sut.why == "maximum bytes exceeded [JetStream error 10077]");
}

TEST_CASE("bytes that are no answer store nothing") {
    for (const auto* const text :
         {"", "x", "[]", "7", "{}", R"({"seq":"many"})", R"({"seq":-1,"error":7})",
          R"({"error":{"description":7}})", R"({"seq":3,"duplicate":"yes"})"}) {
        CAPTURE(text);
        const auto sut = read_answer(text);
        CHECK_FALSE(sut.stored);
        CHECK_FALSE(sut.why.empty());
    }
}

#endif
