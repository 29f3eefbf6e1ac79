#include "common/generate.hpp"

#include <algorithm>
#include <limits>

#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;

namespace {

std::vector<std::byte> generated(std::size_t size, std::uint64_t number) {
    std::vector<std::byte> message(size);
    fill_generated(message, number);
    return message;
}

}  // namespace

TEST_CASE("what to generate is a count with or without a size") {
    CHECK(parse_generate("1000").count == 1000);
    CHECK(parse_generate("1000").size == default_generated_size);
    CHECK(parse_generate("1M:4KiB").count == 1'000'000);
    CHECK(parse_generate("1M:4KiB").size == 4096);
    CHECK(parse_generate("1:16").size == 16);
    CHECK_FAILS(errc::invalid_argument, "at least 16", (void)parse_generate("1:15"));
    CHECK_FAILS(errc::invalid_argument, "at least 1", (void)parse_generate("0"));
    CHECK_FAILS(errc::invalid_argument, "empty", (void)parse_generate(""));
    CHECK_FAILS(errc::invalid_argument, "empty", (void)parse_generate("1:"));
    CHECK_FAILS(errc::invalid_argument, "empty", (void)parse_generate(":64"));
}

TEST_CASE("a generated message is good and says its number") {
    for (std::size_t size = least_generated_size; size < 100; ++size) {
        for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{77},
                                           std::numeric_limits<std::uint64_t>::max()}) {
            const auto result = check_generated(generated(size, number));
            CHECK(result.status == generated_status::good);
            CHECK(result.number == number);
        }
    }
}

TEST_CASE("generated messages are the same on every machine") {
    // Writer and verifier may be different builds.
    CHECK(text(generated(16, 0x0102030405060708)).substr(0, 8) == "\x08\7\6\5\4\3\2\1");
    CHECK(text(generated(16, 1)).substr(14, 2) == "pr");
}

TEST_CASE("the change of any single bit is noticed") {
    for (const std::size_t size : {16u, 17u, 23u, 24u, 61u}) {
        auto message = generated(size, 5);
        for (std::size_t bit = 0; bit < size * 8; ++bit) {
            message[bit / 8] ^= std::byte{1} << (bit % 8);
            CHECK(check_generated(message).status != generated_status::good);
            message[bit / 8] ^= std::byte{1} << (bit % 8);
        }
        CHECK(check_generated(message).status == generated_status::good);
    }
}

TEST_CASE("changes that cancel each other out in a sum are noticed") {
    auto message = generated(64, 5);
    // the upper bits of two words: a plain product would lose them
    for (const auto place : {23u, 31u, 63u}) {
        for (const auto other : {39u, 47u, 55u}) {
            message[place] ^= std::byte{0x80};
            message[other] ^= std::byte{0x80};
            CHECK(check_generated(message).status == generated_status::damaged);
            message[place] ^= std::byte{0x80};
            message[other] ^= std::byte{0x80};
        }
    }
    auto swapped = message;
    std::swap_ranges(swapped.begin() + 16, swapped.begin() + 24, swapped.begin() + 24);
    CHECK(check_generated(swapped).status == generated_status::damaged);
}

TEST_CASE("the change of a message's length is noticed") {
    const auto message = generated(64, 5);
    for (std::size_t size = 16; size < 64; ++size) {
        CHECK(check_generated(std::span{message}.first(size)).status == generated_status::damaged);
    }
    auto longer = message;
    for (int i = 0; i < 20; ++i) {
        longer.push_back(std::byte{0});
        CHECK(check_generated(longer).status == generated_status::damaged);
    }
}

TEST_CASE("the body of another message is noticed") {
    const auto one = generated(64, 1);
    auto two = generated(64, 2);
    CHECK_FALSE(std::equal(one.begin() + 16, one.end(), two.begin() + 16));
    std::copy(one.begin() + 16, one.end(), two.begin() + 16);
    CHECK(check_generated(two).status == generated_status::damaged);
    CHECK(check_generated(two).number == 2);
}

TEST_CASE("foreign messages are told from damaged ones") {
    CHECK(check_generated({}).status == generated_status::not_generated);
    CHECK(check_generated(bytes("short")).status == generated_status::not_generated);
    CHECK(check_generated(bytes("a line that somebody has typed")).status ==
          generated_status::not_generated);
    CHECK(check_generated(bytes(std::string(64, '\0'))).status == generated_status::not_generated);
    const auto message = generated(64, 1);
    CHECK(check_generated(std::span{message}.first(15)).status == generated_status::not_generated);
}

TEST_CASE("a message without room for number and checksum is refused") {
    std::array<std::byte, 15> small{};
    CHECK_FAILS(errc::invalid_argument, "at least 16", fill_generated(small, 0));
}
