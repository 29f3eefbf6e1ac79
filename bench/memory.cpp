#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "bench/at_rest.hpp"
#include "bench/team.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::bench {

namespace {

struct resident {  // KiB, as /proc/self/status says
    long all = 0;
    long anonymous = 0;
    long file = 0;
    long shared = 0;
};

resident resident_now() {
    resident now;
    std::ifstream status{"/proc/self/status"};
    for (std::string key; status >> key;) {
        if (key == "VmRSS:") { status >> now.all; }
        if (key == "RssAnon:") { status >> now.anonymous; }
        if (key == "RssFile:") { status >> now.file; }
        if (key == "RssShmem:") { status >> now.shared; }
    }
    return now;
}

void print_row(std::FILE* to, const char* what, const resident& of, const resident& bare,
               std::uint64_t capacity) {
    const auto above = (of.all - bare.all) - static_cast<long>(capacity / 1024);
    fmt::print(to, "{:<34}{:>10}{:>10}{:>10}{:>10}{:>22}\n", what, of.all, of.anonymous, of.file,
               of.shared, &of == &bare ? "" : fmt::format("{:+}", above));
}

}  // namespace

void print_memory(std::FILE* to, std::uint64_t capacity, std::array<int, 2> cores) {
    const auto name = "bench-" + std::to_string(getpid()) + "-memory";
    const auto open = [&] {
        ring_options options;
        options.capacity = capacity;
        return ring::open_or_create(name, options);
    };
    constexpr std::size_t size = 1000;  // some messages lie across the end of the ring
    const auto count = 3 * capacity / size;

    team idle;
    idle.first = [](side& me) { me.report(resident_now()); };
    idle.second = [](side&) {};
    const auto bare = run(idle, cores).report_of<resident>(0);

    team busy;
    busy.first = [&](side& me) {
        producer out{open()};
        const std::vector<std::byte> message(size);
        for (std::uint64_t i = 0; i < count; ++i) { out.send(message); }
        me.report(resident_now());
        me.meet();
    };
    busy.second = [&](side& me) {
        consumer in{open()};
        std::size_t sum = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto received = in.receive();
            for (const auto byte : received.payload()) { sum += static_cast<std::size_t>(byte); }
            in.acknowledge(received);
        }
        if (sum != 0) { throw std::runtime_error("zeros were sent, and something else came"); }
        me.report(resident_now());
        me.meet();
    };
    struct remover {
        ~remover() { ring::remove(name); }
        const std::string& name;
    } const later{name};
    const auto attached = run(busy, cores);

    fmt::print(to, "{:<34}{:>10}{:>10}{:>10}{:>10}{:>22}\n", "resident memory, KiB", "all",
               "anonymous", "file", "shared", "above bare + capacity");
    print_row(to, "a bare process", bare, bare, capacity);
    print_row(to, "a producer", attached.report_of<resident>(0), bare, capacity);
    print_row(to, "a consumer", attached.report_of<resident>(1), bare, capacity);
}

}  // namespace ringpipe::bench
