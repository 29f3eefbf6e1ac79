// Which messages a stream takes, by its subjects.
#ifdef RINGPIPE_HAS_BRIDGE

#include <doctest/doctest.h>

#include "bridge/stream.hpp"

using ringpipe::bridge::takes_subject;

TEST_CASE("a stream takes the subjects that its own ones stand for, and no others") {
    struct sample {
        const char* pattern;
        const char* subject;
        bool takes;
    };
    for (const auto& each : std::initializer_list<sample>{
             {"jobs", "jobs", true},
             {"jobs.*", "jobs.1", true},
             {"*.1", "jobs.1", true},
             {"jobs.>", "jobs.1", true},
             {"jobs.>", "jobs.1.2", true},
             {">", "jobs", true},
             {"jobs", "job", false},
             {"jobs", "jobs.1", false},
             {"jobs.1", "jobs", false},
             {"jobs.*", "jobs", false},
             {"jobs.*", "jobs.1.2", false},
             {"jobs.>", "jobs", false},
             {"", "jobs", false},
         }) {
        CAPTURE(each.pattern);
        CAPTURE(each.subject);
        CHECK(takes_subject(each.pattern, each.subject) == each.takes);
    }
}

#endif
