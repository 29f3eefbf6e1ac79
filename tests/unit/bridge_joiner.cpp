// Messages that were too large for the server are put together from their parts.
#ifdef RINGPIPE_HAS_BRIDGE

#include "bridge/joiner.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace ringpipe::bridge;

namespace {

struct sample {
    joiner sut;

    // What is whole with this part; empty if nothing is.
    std::string add(const std::string& source, std::uint64_t sequence, std::uint32_t part,
                    std::uint64_t place, std::string_view text) {
        envelope about;
        about.source = source;
        about.sequence = sequence;
        about.part = part;
        about.parts = 2;
        const auto whole = sut.add(about, std::as_bytes(std::span{text}), place, true);
        return whole ? std::string{reinterpret_cast<const char*>(whole->data()), whole->size()}
                     : "";
    }
};

}  // namespace

TEST_CASE("bridge joiner: the parts of several sources may be mixed") {
    sample s;
    CHECK(s.add("a", 7, 0, 1, "a0").empty());
    CHECK(s.add("b", 7, 0, 2, "b0").empty());
    CHECK(s.sut.first_held() == 1);
    CHECK(s.add("a", 7, 1, 3, "a1") == "a0a1");
    CHECK(s.sut.first_held() == 2);
    CHECK(s.add("b", 7, 1, 4, "b1") == "b0b1");
    CHECK_FALSE(s.sut.holds(2));
    CHECK(s.sut.left_out() == 0);
}

TEST_CASE("bridge joiner: a part without those before it is left out") {
    sample s;
    CHECK(s.add("a", 7, 1, 1, "a1").empty());
    CHECK(s.sut.left_out() == 1);
    CHECK_FALSE(s.sut.holds(1));
}

TEST_CASE("bridge joiner: what is begun again begins anew") {
    sample s;
    CHECK(s.add("a", 7, 0, 1, "a0").empty());
    CHECK(s.add("a", 7, 0, 2, "a0").empty());
    CHECK_FALSE(s.sut.holds(1));
    CHECK(s.add("a", 7, 1, 3, "a1") == "a0a1");
}

TEST_CASE("bridge joiner: what is given up holds nothing up and is counted") {
    sample s;
    CHECK(s.add("a", 7, 0, 1, "a0").empty());
    CHECK(s.add("b", 7, 0, 5, "b0").empty());
    s.sut.give_up_before(5);
    CHECK_FALSE(s.sut.holds(1));
    CHECK(s.sut.first_held() == 5);
    CHECK(s.sut.left_out() == 1);
    CHECK(s.add("a", 7, 1, 6, "a1").empty());
    CHECK(s.add("b", 7, 1, 7, "b1") == "b0b1");
}

#endif
