// Lines, in whatever order they come: how many, and what their hashes add up to.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ringpipe::bench {

struct tally {
    std::uint64_t lines = 0;
    std::uint64_t hashes = 0;

    bool operator==(const tally&) const = default;

    // Whole lines only. Returns how much of the text that was.
    std::size_t add(std::string_view text) {
        std::size_t done = 0;
        for (auto end = text.find('\n'); end != std::string_view::npos;
             end = text.find('\n', done)) {
            hashes += hash(text.substr(done, end - done));
            ++lines;
            done = end + 1;
        }
        return done;
    }

    static std::uint64_t hash(std::string_view line) {
        std::uint64_t state = line.size();
        while (!line.empty()) {
            std::uint64_t word = 0;
            const auto size = line.size() < sizeof word ? line.size() : sizeof word;
            std::memcpy(&word, line.data(), size);
            state = (state ^ word) * 0x9e3779b97f4a7c15U;
            state ^= state >> 29U;
            line.remove_prefix(size);
        }
        return state;
    }
};

}  // namespace ringpipe::bench
