// Every input that once broke a target, and some noise, in every build.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace {

using target = void (*)(ringpipe::fuzz::bytes);

void give(target to, const std::string& input) { to(std::as_bytes(std::span{input})); }

std::size_t give_all_known(target to, const std::string& folder) {
    std::size_t given = 0;
    for (const auto& file : std::filesystem::directory_iterator{
             std::filesystem::path{RINGPIPE_FUZZ_INPUTS} / folder}) {
        CAPTURE(file.path().string());
        std::ifstream from{file.path(), std::ios::binary};
        give(to, {std::istreambuf_iterator<char>{from}, {}});
        ++given;
    }
    return given;
}

void give_noise(target to, int times) {
    std::mt19937 random{20260901};
    for (int i = 0; i < times; ++i) {
        std::string noise(random() % 600, '\0');
        std::generate(noise.begin(), noise.end(), [&] { return static_cast<char>(random()); });
        give(to, noise);
    }
}

}  // namespace

TEST_CASE("fuzz: bytes that once broke a live ring do so no longer") {
    CHECK(give_all_known(ringpipe::fuzz::segment_bytes, "segment_bytes") > 0);
    give_noise(ringpipe::fuzz::segment_bytes, 50);
}

TEST_CASE("fuzz: bytes that once broke a framing reader do so no longer") {
    CHECK(give_all_known(ringpipe::fuzz::framing_readers, "framing_readers") > 0);
    give_noise(ringpipe::fuzz::framing_readers, 500);
}
