#include "common/units.hpp"

#include <limits>

#include "common/quote.hpp"
#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;
using namespace std::chrono_literals;

TEST_CASE("a size is read with and without its unit") {
    CHECK(parse_size("0") == 0);
    CHECK(parse_size("4096") == 4096);
    CHECK(parse_size("7B") == 7);
    CHECK(parse_size("64k") == 65536);
    CHECK(parse_size("64K") == 65536);
    CHECK(parse_size("64KiB") == 65536);
    CHECK(parse_size("64 KiB") == 65536);
    CHECK(parse_size("1MiB") == 1u << 20);
    CHECK(parse_size("1M") == 1u << 20);
    CHECK(parse_size("2GiB") == std::uint64_t{2} << 30);
    CHECK(parse_size("1TiB") == std::uint64_t{1} << 40);
    CHECK(parse_size("1kB") == 1000);
    CHECK(parse_size("1MB") == 1'000'000);
    CHECK(parse_size("3GB") == 3'000'000'000);
}

TEST_CASE("the largest size is read and one more is refused") {
    CHECK(parse_size("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    CHECK_FAILS(errc::invalid_argument, "too large", (void)parse_size("18446744073709551616"));
    CHECK(parse_size("16777215TiB") == std::uint64_t{16777215} << 40);
    CHECK_FAILS(errc::invalid_argument, "too large", (void)parse_size("16777216TiB"));
}

TEST_CASE("a size with a unit it does not know is refused with the units it does know") {
    CHECK_FAILS(errc::invalid_argument, "no unit 'XiB'", (void)parse_size("64XiB"));
    CHECK_FAILS(errc::invalid_argument, "KiB, M, MiB", (void)parse_size("64XiB"));
}

TEST_CASE("what is no size is refused with the reason") {
    CHECK_FAILS(errc::invalid_argument, "empty", (void)parse_size(""));
    CHECK_FAILS(errc::invalid_argument, "negative", (void)parse_size("-1"));
    CHECK_FAILS(errc::invalid_argument, "begin with a digit", (void)parse_size("+1"));
    CHECK_FAILS(errc::invalid_argument, "begin with a digit", (void)parse_size(" 1"));
    CHECK_FAILS(errc::invalid_argument, "begin with a digit", (void)parse_size("KiB"));
    CHECK_FAILS(errc::invalid_argument, "fraction", (void)parse_size("1.5GiB"));
    CHECK_FAILS(errc::invalid_argument, "no unit", (void)parse_size("1 "));
    CHECK_FAILS(errc::invalid_argument, "no unit", (void)parse_size("1K K"));
    CHECK_FAILS(errc::invalid_argument, "no unit", (void)parse_size("0x10"));
}

TEST_CASE("a line break in what a user wrote does not break the error's line") {
    CHECK_FAILS(errc::invalid_argument, "\\x0a", (void)parse_size("1\nringpipe: all is well"));
    CHECK(in_quotes("a\x1b[2J\x7f") == "'a\\x1b[2J\\x7f'");
    CHECK(in_quotes("é") == "'é'");
}

TEST_CASE("a count has units of thousands") {
    CHECK(parse_count("12") == 12);
    CHECK(parse_count("10k") == 10'000);
    CHECK(parse_count("5M") == 5'000'000);
    CHECK(parse_count("1G") == 1'000'000'000);
    CHECK_FAILS(errc::invalid_argument, "count", (void)parse_count("1KiB"));
}

TEST_CASE("a duration is read in any unit, and a plain number is seconds") {
    CHECK(parse_duration("250ms") == 250ms);
    CHECK(parse_duration("2s") == 2s);
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("3m") == 3min);
    CHECK(parse_duration("3min") == 3min);
    CHECK(parse_duration("1h") == 1h);
    CHECK(parse_duration("0.5h") == 30min);
    CHECK(parse_duration("5") == 5s);
    CHECK(parse_duration("0.25") == 250ms);
    CHECK(parse_duration("10us") == 10us);
    CHECK(parse_duration("7ns") == 7ns);
    CHECK(parse_duration("0") == 0ns);
}

TEST_CASE("a duration is exact to the nanosecond") {
    CHECK(parse_duration("1.000000001s") == 1s + 1ns);
    CHECK(parse_duration("9007199254.740993001s") == 9007199254740993001ns);
    CHECK(parse_duration("0.0000000019s") == 1ns);
    CHECK(parse_duration("0.1234567890123456789012345678901234567890s") == 123456789ns);
    CHECK(parse_duration("1.9ns") == 1ns);
}

TEST_CASE("what is no duration is refused") {
    CHECK_FAILS(errc::invalid_argument, "negative", (void)parse_duration("-1s"));
    CHECK_FAILS(errc::invalid_argument, "no digit", (void)parse_duration("1.s"));
    CHECK_FAILS(errc::invalid_argument, "no unit", (void)parse_duration("1.5.5s"));
    CHECK_FAILS(errc::invalid_argument, "ms, s, m or h", (void)parse_duration("1 fortnight"));
    CHECK_FAILS(errc::invalid_argument, "begin with a digit", (void)parse_duration("inf"));
    CHECK(parse_duration("9223372036.854775807") == std::chrono::nanoseconds::max());
    CHECK_FAILS(errc::invalid_argument, "too large", (void)parse_duration("9223372036.854775808"));
    CHECK_FAILS(errc::invalid_argument, "too large", (void)parse_duration("9999999999999h"));
}

TEST_CASE("bytes are shown with the prefix that fits") {
    CHECK(format_bytes(0) == "0 B");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1024) == "1 KiB");
    CHECK(format_bytes(1025) == "1.0 KiB");
    CHECK(format_bytes(65536) == "64 KiB");
    CHECK(format_bytes(3u << 19) == "1.5 MiB");
    CHECK(format_bytes(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
}

TEST_CASE("rounding never shows a full 1024 of a prefix") {
    CHECK(format_bytes((1u << 20) - 1) == "1.0 MiB");
    CHECK(format_rate(999.96, "msg") == "1.0 k msg/s");
}

TEST_CASE("counts are grouped by thousands") {
    CHECK(format_count(0) == "0");
    CHECK(format_count(999) == "999");
    CHECK(format_count(1000) == "1,000");
    CHECK(format_count(1234567) == "1,234,567");
    CHECK(format_count(123456) == "123,456");
    CHECK(format_count(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
}

TEST_CASE("durations are shown in the unit that fits") {
    CHECK(format_duration(0ns) == "0 s");
    CHECK(format_duration(500ns) == "500 ns");
    CHECK(format_duration(1500ns) == "1.5 us");
    CHECK(format_duration(250ms) == "250 ms");
    CHECK(format_duration(999999us) == "999.9 ms");
    CHECK(format_duration(1500ms) == "1.5 s");
    CHECK(format_duration(59999ms) == "59.9 s");
    CHECK(format_duration(125s) == "2m 05s");
    CHECK(format_duration(2h + 3min + 4s) == "2h 03m");
    CHECK(format_duration(-250ms) == "-250 ms");
    CHECK(format_duration(std::chrono::nanoseconds::min()) == "-2562047h 47m");
}

TEST_CASE("rates are binary for bytes and decimal for all else") {
    CHECK(format_rate(3.2e6, "msg") == "3.2 M msg/s");
    CHECK(format_rate(0, "msg") == "0.0 msg/s");
    CHECK(format_rate(12, "msg") == "12.0 msg/s");
    CHECK(format_rate(1.2 * (1 << 30), "B") == "1.2 GiB/s");
    CHECK(format_rate(1.0 / 0.0, "msg") == "- msg/s");
    CHECK(format_rate(-1, "B") == "- B/s");
}
