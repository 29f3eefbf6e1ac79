// Which messages a stream takes, by its subjects.
#ifdef RINGPIPE_HAS_BRIDGE

#include <doctest/doctest.h>

#include "bridge/stream.hpp"

using ringpipe::bridge::takes_subject;

TEST_CASE("a stream takes the subjects that its own ones stand for") {
    CHECK(takes_subject("jobs", "jobs"));
    CHECK(takes_subject("jobs.*", "jobs.1"));
    CHECK(takes_subject("*.1", "jobs.1"));
    CHECK(takes_subject("jobs.>", "jobs.1"));
    CHECK(takes_subject("jobs.>", "jobs.1.2"));
    CHECK(takes_subject(">", "jobs"));
}

TEST_CASE("a stream takes no other subjects") {
    CHECK_FALSE(takes_subject("jobs", "job"));
    CHECK_FALSE(takes_subject("jobs", "jobs.1"));
    CHECK_FALSE(takes_subject("jobs.1", "jobs"));
    CHECK_FALSE(takes_subject("jobs.*", "jobs"));
    CHECK_FALSE(takes_subject("jobs.*", "jobs.1.2"));
    CHECK_FALSE(takes_subject("jobs.>", "jobs"));
    CHECK_FALSE(takes_subject("", "jobs"));
}

#endif
