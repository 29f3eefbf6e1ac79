// ringpipe_bench_tally: a filter that reads every byte of the lines it is given, and prints how many
// they were and what their hashes add up to.
#include "bench/tally.hpp"

#include <cstdio>
#include <vector>

int main() {
    ringpipe::bench::tally all;
    std::vector<char> buffer(std::size_t{1} << 18U);
    std::size_t kept = 0;
    while (const auto got = std::fread(buffer.data() + kept, 1, buffer.size() - kept, stdin)) {
        const std::string_view text{buffer.data(), kept + got};
        const auto done = all.add(text);
        kept = text.size() - done;
        if (kept == buffer.size()) { return 65; }  // a line too long for this
        std::memmove(buffer.data(), buffer.data() + done, kept);
    }
    std::printf("%llu %llu\n", static_cast<unsigned long long>(all.lines),
                static_cast<unsigned long long>(all.hashes));
    return kept == 0 ? 0 : 65;
}
