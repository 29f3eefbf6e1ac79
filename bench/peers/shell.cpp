// Sharing work at the shell: GNU parallel, xargs -P, and ringpipe's programs.
//
// A text shared by two filters: each filter counts the lines it gets and adds up their hashes
// (ringpipe_bench_tally), so that it is known that every byte came once. And a shell per line, where
// the numbers that come back are added up.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "bench/command.hpp"
#include "bench/peers/peers.hpp"
#include "bench/tally.hpp"
#include "shm/ring.hpp"

namespace ringpipe::bench {

namespace {

constexpr const char* two_filters = "at the shell: lines through two filters";
constexpr const char* shell_per_line = "at the shell: a shell per line";

std::string own_name(const char* what) {
    return "ringpipe-bench-" + std::to_string(getpid()) + '-' + what;
}
std::string text_path() { return "/dev/shm/" + own_name("text"); }
std::string ring_name() { return own_name("shell"); }

// Lines of 64 bytes.
std::string text_of(std::uint64_t lines) {
    std::string text;
    text.reserve(lines * 64);
    for (std::uint64_t number = 1; number <= lines; ++number) {
        auto line = std::to_string(number * 0x9e3779b97f4a7c15U);
        line.resize(63, 'x');
        text += line + '\n';
    }
    return text;
}

tally total_of(const std::string& output) {
    std::istringstream lines{output};
    tally all;
    tally one;
    while (lines >> one.lines >> one.hashes) {
        all.lines += one.lines;
        all.hashes += one.hashes;
    }
    return all;
}

void write_text(const std::string& text) {
    std::ofstream file{text_path(), std::ios::binary};
    file << text;
    if (!file.flush()) { throw std::runtime_error("cannot write " + text_path()); }
    setenv("TEXT", text_path().c_str(), 1);
    setenv("RING", ring_name().c_str(), 1);
}

// A new cell for each: what it makes and expects is made when it runs.
cell filter_cell(const char* subject, std::uint64_t lines, const std::string& script) {
    auto made = command_cell(script, [=](const command_result& ran) {
        tally wanted;
        wanted.add(text_of(lines));
        if (total_of(ran.output) != wanted) {
            throw std::runtime_error("lines were lost, changed or seen twice");
        }
        const auto rate = static_cast<double>(lines) / ran.seconds;
        return measurement{true, rate, rate * 64, lines, {}};
    });
    made.name = std::string{"shell, two filters, "} + subject;
    made.section = two_filters;
    made.subject = subject;
    made.prepare = [=] { write_text(text_of(lines)); };
    made.clean_up = [] {
        unlink(text_path().c_str());
        ring::remove(ring_name());
    };
    return made;
}

cell per_line_cell(const char* subject, std::uint64_t lines, const std::string& script) {
    auto made = command_cell(script, [=](const command_result& ran) {
        std::istringstream numbers{ran.output};
        std::uint64_t count = 0;
        std::uint64_t sum = 0;
        for (std::uint64_t number = 0; numbers >> number; ++count) { sum += number; }
        if (count != lines || sum != lines * (lines + 1) / 2) {
            throw std::runtime_error("of " + std::to_string(lines) + " lines came " +
                                     std::to_string(count));
        }
        return measurement{true, static_cast<double>(lines) / ran.seconds, 0, lines, {}};
    });
    made.name = std::string{"shell, one per line, "} + subject;
    made.section = shell_per_line;
    made.subject = subject;
    made.prepare = [=] {
        setenv("LINES_TO_SEND", std::to_string(lines).c_str(), 1);
        setenv("RING", ring_name().c_str(), 1);
    };
    made.clean_up = [] { ring::remove(ring_name()); };
    return made;
}

}  // namespace

std::vector<cell> shell_cells(const settings& how) {
    using std::chrono::milliseconds;
    const auto time = std::chrono::duration_cast<milliseconds>(how.time).count();
    const auto some = static_cast<std::uint64_t>(std::clamp<long>(time, 5, 500));
    const auto text = 4000 * some;

    std::vector<cell> cells;
    const auto add = [&](cell one, const std::string& needs) {
        one.left_out = needs.starts_with('/') && access(needs.c_str(), X_OK) != 0
                           ? needs + " was not built"
                       : needs.starts_with('/') ? ""
                                                : why_not_installed(needs);
        cells.push_back(std::move(one));
    };
    const auto ours = folder_of_programs() + "/ringpipe-consumer";
    const std::string tally = " $BIN/ringpipe_bench_tally";

    add(filter_cell("one filter alone", text, "cat $TEXT |" + tally), "cat");
    add(filter_cell("ringpipe", text,
                    "$BIN/ringpipe-consumer $RING |" + tally + " & $BIN/ringpipe-consumer $RING |" +
                        tally + " & cat $TEXT | $BIN/ringpipe-producer $RING && wait"),
        ours);
    const std::string parallel = "parallel --will-cite --pipe --block 10M -j2";
    add(filter_cell("parallel --pipe", text, "cat $TEXT | " + parallel + tally), "parallel");
    add(filter_cell("parallel --pipe --round-robin", text,
                    "cat $TEXT | " + parallel + " --round-robin" + tally),
        "parallel");
    add(filter_cell("xargs -P 2 -n 2000", text,
                    R"(cat $TEXT | xargs -d '\n' -P 2 -n 2000 sh -c 'printf "%s\n" "$@" |)" +
                        tally + "' sh"),
        "xargs");

    const std::string numbers = "seq $LINES_TO_SEND | ";
    const std::string consumer = R"($BIN/ringpipe-consumer $RING --exec 'read -r n; echo "$n"')";
    add(per_line_cell(
            "ringpipe", some,
            consumer + " & " + consumer + " & " + numbers + "$BIN/ringpipe-producer $RING && wait"),
        ours);
    add(per_line_cell("parallel -j 2", some, numbers + "parallel --will-cite -j2 echo {}"),
        "parallel");
    add(per_line_cell("xargs -P 2", some, numbers + R"(xargs -P 2 -n 1 sh -c 'echo "$1"' sh)"),
        "xargs");
    return cells;
}

}  // namespace ringpipe::bench
