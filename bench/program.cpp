#include "bench/program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <regex>

#include "common/error.hpp"
#include "common/units.hpp"
#include "shm/ring.hpp"

namespace ringpipe::bench {

namespace {

// A few of the largest messages have to fit.
constexpr std::uint64_t least_capacity = std::uint64_t{1} << 20U;

}  // namespace

void add_common_options(CLI::App& app, common_options& chosen) {
    const auto size = [&](const std::string& text) {
        chosen.how.capacity = std::bit_ceil(std::max(parse_size(text), least_capacity));
    };
    const auto time = [&](const std::string& text) { chosen.how.time = parse_duration(text); };
    app.add_option("--rounds", chosen.rounds.rounds, "how often each cell is measured")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option_function<std::string>("--seconds", time, "of each measurement (0.25)");
    app.add_option_function<std::string>("--capacity", size,
                                         "of the ring: a power of two, at least 1MiB (16MiB)");
    app.add_option("--only", chosen.only, "only cells whose name matches this regular expression");
    app.add_option("--json", chosen.json, "write every measurement to this file");
    app.add_option("--cores", chosen.rounds.cores,
                   "the two cores to run on (the first two allowed)");
    app.add_option("--far-above", chosen.rounds.far_above_ns,
                   "nanoseconds: a slower round trip of two raw atomics is the far regime")
        ->capture_default_str();
    app.add_flag("--list", chosen.list, "print the names of the cells");
}

std::vector<cell> matching(std::vector<cell> cells, const std::string& only) {
    const std::regex pattern{only};
    std::erase_if(cells, [&](const cell& one) { return !std::regex_search(one.name, pattern); });
    return cells;
}

void print_names(const std::vector<cell>& cells) {
    for (const auto& one : cells) { fmt::print("{}\n", one.name); }
}

machine print_machine(const common_options& chosen) {
    const auto where = describe_machine(chosen.rounds.cores);
    fmt::print("{}\nring of {}\n", to_string(where), format_bytes(chosen.how.capacity));
    std::fflush(stdout);
    return where;
}

int run_program(CLI::App& app, int argc, char** argv, common_options& chosen,
                const std::function<int()>& run) {
    const auto say = [&](const char* problem) {
        fmt::print(stderr, "{}: {}\n", app.get_name(), problem);
    };
    chosen.how.capacity = default_capacity;
    chosen.rounds.progress = isatty(STDERR_FILENO) == 1;
    try {
        (void)nanoseconds_per_tick();
        chosen.rounds.cores = default_cores();
        add_common_options(app, chosen);
        app.parse(argc, argv);
        return run();
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem);
    } catch (const interrupted& by) { return 128 + by.signal; } catch (const error& problem) {
        say(problem.what());
        return exit_code_for(problem.which());
    } catch (const std::regex_error& problem) {
        say(fmt::format("--only {}: {}", chosen.only, problem.what()).c_str());
        return 64;
    } catch (const std::exception& problem) {
        say(problem.what());
        return 70;
    }
}

}  // namespace ringpipe::bench
