// ringpipe_bench_bridge: the bridges beside a bare client of NATS JetStream, in one run.
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/machine_json.hpp"
#include "bench/nats/bare_client.hpp"
#include "bench/rounds.hpp"
#include "bench/statistics.hpp"
#include "bridge/in.hpp"
#include "bridge/out.hpp"
#include "common/error.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"
#include "tests/support/nats_server.hpp"

using namespace ringpipe;
using namespace ringpipe::bench;

namespace {

struct plan {
    int rounds = 5;
    std::uint64_t messages = 400'000;
    std::uint64_t size = 256;
    int batch = 1000;  // as `bridge in` fetches by default
    std::string json;
};

// A row of the table.
struct way {
    std::string name;
    std::string peer;  // the row that it is compared with
    std::function<double()> seconds;
    double goal = 0;  // times its peer
    // Of each round:
    std::vector<double> rates = {};   // messages per second
    std::vector<double> ours = {};    // microseconds of processor time per message, here
    std::vector<double> theirs = {};  // and of the server
};

double cpu_seconds_of(pid_t process) {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
        throw std::runtime_error{fmt::format("cannot read the processor time of {}", process)};
    }
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

void measure(way& what, const plan& how, pid_t server) {
    const auto messages = static_cast<double>(how.messages);
    const auto ours = cpu_seconds_of(::getpid());
    const auto theirs = cpu_seconds_of(server);
    what.rates.push_back(messages / what.seconds());
    what.ours.push_back((cpu_seconds_of(::getpid()) - ours) * 1e6 / messages);
    what.theirs.push_back((cpu_seconds_of(server) - theirs) * 1e6 / messages);
}

// Gone with its maker; what is in it lies between the producer and the bridge.
class bench_ring {
  public:
    bench_ring(std::string_view what, const plan& how)
        : name_{fmt::format("bench-bridge-{}-{}", what, ::getpid())},
          ring_{ring::create(name_, {.capacity = how.messages * (how.size + 48) + (1U << 20U)})} {}
    bench_ring(const bench_ring&) = delete;
    bench_ring& operator=(const bench_ring&) = delete;
    ~bench_ring() { ring::remove(name_); }

    [[nodiscard]] const ring& get() const { return ring_; }

  private:
    std::string name_;
    ring ring_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void require(const bridge::transfer& done, const plan& how, std::string_view who) {
    if (stop_requested()) { throw interrupted{stop_signal()}; }
    if (done.why != bridge::ending::clean || done.messages != how.messages) {
        throw std::runtime_error{
            fmt::format("bridge {} moved {} messages of {}", who, done.messages, how.messages)};
    }
}

const bridge::teller to_stderr = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
const bridge::pass_counter nobody_counts = [](std::uint64_t, std::uint64_t) {};

double bridge_out(const bridge::connection& over, const std::string& stream, const plan& how) {
    const bench_ring from{"out", how};
    {
        producer source{from.get()};
        const std::vector<std::byte> payload(how.size, std::byte{'x'});
        for (std::uint64_t i = 0; i < how.messages; ++i) { source.send(payload); }
    }
    bridge::out_options with;
    with.stream = stream;
    const auto start = std::chrono::steady_clock::now();
    const auto done = bridge::run_out(from.get(), over, with, to_stderr, nobody_counts);
    const auto took = seconds_since(start);
    require(done, how, "out");
    return took;
}

double bridge_in(const bridge::connection& over, const std::string& stream, const plan& how) {
    const bench_ring to{"in", how};
    bridge::in_options with;
    with.stream = stream;
    with.consumer = "ours";
    with.batch = how.batch;
    const auto start = std::chrono::steady_clock::now();
    const auto done = bridge::run_in(to.get(), over, with, to_stderr, nobody_counts);
    const auto took = seconds_since(start);
    require(done, how, "in");
    return took;
}

double median_of(const std::vector<way>& all, const std::string& name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const way& w) { return w.name == name; });
    return found == all.end() ? 0 : spread_of(found->rates).median;
}

void print(const std::vector<way>& all) {
    fmt::print("{:<22} {:>10} {:>22} {:>16}   {}\n", "", "messages/s", "least to most",
               "CPU us + server", "times its peer");
    for (const auto& each : all) {
        const auto rate = spread_of(each.rates);
        fmt::print("{:<22} {:>10.0f} {:>10.0f} to {:>8.0f}", each.name, rate.median, rate.least,
                   rate.most);
        fmt::print(" {:>7.2f} + {:>6.2f}", spread_of(each.ours).median,
                   spread_of(each.theirs).median);
        if (!each.peer.empty()) {
            fmt::print("   {:.2f} x {}", rate.median / median_of(all, each.peer), each.peer);
            if (each.goal > 0) { fmt::print(" (goal {})", each.goal); }
        }
        fmt::print("\n");
    }
}

void write_json(const plan& how, const machine& where, const std::vector<way>& all) {
    nlohmann::ordered_json made{{"machine", as_json(where)},
                                {"messages", how.messages},
                                {"bytes", how.size},
                                {"batch", how.batch}};
    for (const auto& each : all) {
        nlohmann::ordered_json row{{"name", each.name},
                                   {"median_messages_per_second", spread_of(each.rates).median},
                                   {"messages_per_second", each.rates},
                                   {"cpu_us_per_message", each.ours},
                                   {"cpu_us_per_message_of_the_server", each.theirs}};
        if (!each.peer.empty()) {
            row["peer"] = each.peer;
            row["times_peer"] = spread_of(each.rates).median / median_of(all, each.peer);
        }
        made["ways"].push_back(std::move(row));
    }
    std::ofstream file{how.json};
    file << made.dump(2) << '\n';
    if (!file.flush()) { throw std::runtime_error{"cannot write " + how.json}; }
}

int measure_all(const plan& how) {
    const auto where = describe_machine(default_cores());
    fmt::print("{}\n{} messages of {}, {} rounds\n", to_string(where), how.messages,
               format_bytes(how.size), how.rounds);
    std::fflush(stdout);
    install_stop_signals();
    const test::nats_server server;
    const bridge::connection over{{.servers = server.url(), .tell = to_stderr}};
    const auto bare = [&](bool ids) {
        const std::string stream = ids ? "ids" : "bare";
        make_stream(over, stream);
        const auto took = publish_bare(over, stream, how.messages, how.size, ids);
        remove_stream(over, stream);
        return took;
    };
    const auto bare_fetch = [&](acknowledging what) {
        return fetch_bare(over, "jobs", how.messages, how.size, how.batch, what);
    };
    // What `bridge out` has stored is what all that fetch read.
    std::vector<way> all{
        {"bare publish", "", [&] { return bare(false); }},
        {"bare publish with ids", "bare publish", [&] { return bare(true); }},
        {"bridge out", "bare publish",
         [&] {
             make_stream(over, "jobs");
             return bridge_out(over, "jobs", how);
         },
         0.9},
        {"bare fetch", "", [&] { return bare_fetch(acknowledging::each_message); }},
        {"bare, one ack a batch", "bare fetch",
         [&] { return bare_fetch(acknowledging::each_batch); }},
        {"bridge in", "bare fetch",
         [&] {
             const auto took = bridge_in(over, "jobs", how);
             remove_stream(over, "jobs");
             return took;
         },
         0.9},
    };
    for (int round = 0; round < how.rounds; ++round) {
        for (auto& each : all) {
            if (::isatty(STDERR_FILENO) == 1) {
                fmt::print(stderr, "round {}: {:<24}\r", round + 1, each.name);
            }
            measure(each, how, server.id());
        }
    }
    print(all);
    if (!how.json.empty()) { write_json(how, where, all); }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    plan how;
    CLI::App app{"ringpipe's bridges beside a bare client of NATS JetStream, in one run."};
    app.add_option("--rounds", how.rounds, "how often all is measured")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--messages", how.messages, "in a measurement")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--size", how.size, "bytes of a message")
        ->capture_default_str()
        ->check(CLI::Range(1, 500'000));
    app.add_option("--batch", how.batch, "messages to fetch at a time")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    app.add_option("--json", how.json, "write every measurement to this file");
    CLI11_PARSE(app, argc, argv);
    try {
        return measure_all(how);
    } catch (const interrupted& by) { return 128 + by.signal; } catch (const error& problem) {
        fmt::print(stderr, "ringpipe_bench_bridge: {}\n", problem.what());
        return exit_code_for(problem.which());
    } catch (const std::exception& problem) {
        fmt::print(stderr, "ringpipe_bench_bridge: {}\n", problem.what());
        return 70;
    }
}
