#include "common/framing.hpp"

#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;
using kind = framing::kind;

TEST_CASE("every framing is read and written alike") {
    for (const auto* name : {"lines", "nul", "length", "fixed:1", "fixed:4096", "chunks:65536"}) {
        CHECK(to_string(parse_framing(name)) == name);
    }
    CHECK(parse_framing("lines") == framing{kind::lines, 0});
    CHECK(parse_framing("fixed:4KiB") == framing{kind::fixed, 4096});
    CHECK(parse_framing("chunks:1M") == framing{kind::chunks, 1u << 20});
    CHECK(framing{} == parse_framing("lines"));
}

TEST_CASE("an unknown framing is refused with those that exist") {
    CHECK_FAILS(errc::invalid_argument, "no framing 'words'", (void)parse_framing("words"));
    CHECK_FAILS(errc::invalid_argument, "lines, nul, length, fixed:N or chunks:N",
                (void)parse_framing("words"));
    CHECK_FAILS(errc::invalid_argument, "no framing ''", (void)parse_framing(""));
    CHECK_FAILS(errc::invalid_argument, "no framing 'Lines'", (void)parse_framing("Lines"));
}

TEST_CASE("a framing's size must be there where it belongs, and only there") {
    CHECK_FAILS(errc::invalid_argument, "missing", (void)parse_framing("fixed"));
    CHECK_FAILS(errc::invalid_argument, "missing", (void)parse_framing("chunks:"));
    CHECK_FAILS(errc::invalid_argument, "no bytes", (void)parse_framing("fixed:0"));
    CHECK_FAILS(errc::invalid_argument, "no bytes", (void)parse_framing("chunks:0"));
    CHECK_FAILS(errc::invalid_argument, "takes no size", (void)parse_framing("lines:3"));
    CHECK_FAILS(errc::invalid_argument, "takes no size", (void)parse_framing("nul:"));
    CHECK_FAILS(errc::invalid_argument, "negative", (void)parse_framing("fixed:-4"));
    CHECK_FAILS(errc::invalid_argument, "no unit", (void)parse_framing("fixed:4:4"));
}
