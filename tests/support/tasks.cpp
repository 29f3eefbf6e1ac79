#include "tests/support/tasks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "common/unique_fd.hpp"

namespace ringpipe::test::tasks {

int square(int x) { return x * x; }
void nothing() {}
int my_pid() { return ::getpid(); }
std::string repeat(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) { all += text; }
    return all;
}
order twice(const order& one) {
    order doubled{one.item + one.item, one.amounts};
    for (auto& amount : doubled.amounts) { amount *= 2; }
    return doubled;
}
std::uint64_t sum_of(std::span<const std::byte> bytes) {
    std::uint64_t sum = 0;
    for (const auto each : bytes) { sum += std::to_integer<std::uint64_t>(each); }
    return sum;
}
std::size_t length(std::string_view text) { return text.size(); }
bool is_aligned(std::string_view, std::span<const std::byte> bytes) {
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % pool::bytes_alignment == 0;
}
std::vector<std::byte> bytes_of(std::size_t size) { return std::vector<std::byte>(size); }
int throw_out_of_range(const std::string& text) { throw std::out_of_range{text}; }
int throw_a_number() { throw 42; }
int die_of(int signal) {
    std::signal(signal, SIG_DFL);
    return ::raise(signal);
}
int leave_with(int code) { ::_exit(code); }
int note(const std::string& file, const std::string& text) {
    static int written = 0;
    // One write() of an appended line is whole, whoever else writes.
    const unique_fd out{::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
    const auto line = text + "\n";
    if (::write(out.get(), line.data(), line.size()) < 0) { throw std::runtime_error{"write"}; }
    return ++written;
}
int wait_for(const std::string& file) {
    std::ofstream{file + ".begun"} << "begun\n";
    while (!std::filesystem::exists(file)) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return ::getpid();
}
int die_until_lines(const std::string& file, int lines) {
    note(file, "attempt");
    std::ifstream in{file};
    int found = 0;
    for (std::string line; std::getline(in, line);) { ++found; }
    if (found < lines) { ::raise(SIGKILL); }
    return found;
}

namespace {
int kept = 0;
}
void remember(int what) { kept = what; }
void refuse() { throw std::runtime_error{"no licence"}; }
int remembered() { return kept; }

}  // namespace ringpipe::test::tasks

namespace {
using namespace ringpipe::test;
RINGPIPE_TASK(tasks::square);
RINGPIPE_TASK(tasks::nothing);
RINGPIPE_TASK(tasks::my_pid);
RINGPIPE_TASK(tasks::repeat);
RINGPIPE_TASK(tasks::twice);
RINGPIPE_TASK(tasks::sum_of);
RINGPIPE_TASK(tasks::length);
RINGPIPE_TASK(tasks::is_aligned);
RINGPIPE_TASK(tasks::bytes_of);
RINGPIPE_TASK(tasks::throw_out_of_range);
RINGPIPE_TASK(tasks::throw_a_number);
RINGPIPE_TASK(tasks::die_of);
RINGPIPE_TASK(tasks::leave_with);
RINGPIPE_TASK(tasks::note);
RINGPIPE_TASK(tasks::wait_for);
RINGPIPE_TASK(tasks::die_until_lines);
RINGPIPE_TASK(tasks::remember);
RINGPIPE_TASK(tasks::refuse);
RINGPIPE_TASK(tasks::remembered);
}  // namespace
