#include "bench/two_processes.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace ringpipe::bench {

struct shared_control {
    raw_atomics probe;
    alignas(128) std::atomic<std::uint32_t> arrived{0};
    alignas(128) std::array<double, 2> probes{};  // written by the first side
    std::atomic<long> preemptions{0};
    std::array<std::array<std::byte, 256>, 2> reports{};
    std::array<std::array<char, 512>, 2> errors{};
};

void side::meet() {
    auto& arrived = control_.arrived;
    const auto mine = arrived.fetch_add(1, std::memory_order_acq_rel);
    while (arrived.load(std::memory_order_acquire) < mine - mine % 2 + 2) {}
}

// No page fault while something is timed. Kernels older than 5.14 refuse; then the warm-up does it.
void side::fault_in() const {
    if (!memory_.empty()) { (void)madvise(memory_.data(), memory_.size(), MADV_POPULATE_WRITE); }
}

void side::probe(std::size_t which) {
    meet();
    if (index_ == 0) {
        const auto probed = control_.probe.call(probe_plan);
        // Preempted for most of its time, it has seen nothing: 0 makes the measurement mixed.
        control_.probes[which] = probed.trips < 1000 ? 0 : probed.p50;
    } else {
        control_.probe.answer();
    }
    meet();
}

long side::preemptions_so_far() {
    rusage now{};
    getrusage(RUSAGE_SELF, &now);
    return now.ru_nivcsw;
}

void side::add_preemptions(long count) { control_.preemptions.fetch_add(count); }

void side::store_report(const void* what, std::size_t size) {
    auto& mine = control_.reports[static_cast<std::size_t>(index_)];
    if (size > mine.size()) { throw std::logic_error("a report is too large"); }
    std::memcpy(mine.data(), what, size);
}

namespace {

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

class shared_memory {
  public:
    explicit shared_memory(std::size_t size) : size_{size} {
        if (size_ == 0) { return; }
        void* at = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) { throw_errno("mmap of shared memory"); }
        at_ = static_cast<std::byte*>(at);
    }
    ~shared_memory() {
        if (at_ != nullptr) { munmap(at_, size_); }
    }
    shared_memory(const shared_memory&) = delete;
    shared_memory& operator=(const shared_memory&) = delete;

    [[nodiscard]] std::byte* at() const { return at_; }

  private:
    std::byte* at_ = nullptr;
    std::size_t size_;
};

// While it lives, signals for this program wait to be asked for, so that no pair outlives us.
class held_signals {
  public:
    held_signals() {
        sigemptyset(&set);
        for (const int one : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) { sigaddset(&set, one); }
        sigprocmask(SIG_BLOCK, &set, &before);
    }
    ~held_signals() { sigprocmask(SIG_SETMASK, &before, nullptr); }
    held_signals(const held_signals&) = delete;
    held_signals& operator=(const held_signals&) = delete;

    sigset_t set{};
    sigset_t before{};
};

// Killed and reaped on every way out.
class child {
  public:
    child() = default;
    ~child() {
        if (pid < 0) { return; }
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
    }
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    // True if it has ended well. Throws if it ended otherwise.
    bool ended(const std::array<char, 512>& error) {
        if (pid < 0) { return true; }
        int status = 0;
        if (waitpid(pid, &status, WNOHANG) == 0) { return false; }
        pid = -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) { return true; }
        if (error[0] != 0) { throw std::runtime_error(error.data()); }
        throw std::runtime_error(WIFSIGNALED(status) ? std::string{"a process was killed by "} +
                                                           strsignal(WTERMSIG(status))
                                                     : std::string{"a process failed"});
    }

    pid_t pid = -1;
};

void pin_to(int core) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(core), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) {
        throw_errno("pinning a process to its core");
    }
}

[[noreturn]] void be_child(const std::function<void(side&)>& work, side& me, int core,
                           std::array<char, 512>& error, const sigset_t& signals, pid_t parent) {
    int code = 0;
    try {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) { _exit(1); }
        sigprocmask(SIG_SETMASK, &signals, nullptr);
        pin_to(core);
        me.fault_in();
        work(me);
    } catch (const std::exception& problem) {
        std::snprintf(error.data(), error.size(), "%s", problem.what());
        code = 1;
    }
    _exit(code);  // not exit(): what the parent has buffered is the parent's
}

}  // namespace

std::array<int, 2> default_cores() {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) { throw_errno("sched_getaffinity"); }
    std::array<int, 2> cores{};
    std::size_t found = 0;
    for (int core = 0; core < CPU_SETSIZE && found < 2; ++core) {
        if (CPU_ISSET(static_cast<std::size_t>(core), &allowed)) { cores[found++] = core; }
    }
    if (found < 2) { throw std::runtime_error("two cores are needed, and this process has one"); }
    return cores;
}

pair_outcome run(const pair_of_processes& pair, std::array<int, 2> cores) {
    const shared_memory control_memory{sizeof(shared_control)};
    const shared_memory memory{pair.shared_bytes};
    auto& control = *new (control_memory.at()) shared_control;

    const held_signals signals;
    const auto parent = getpid();
    std::array<child, 2> children;
    for (std::size_t i = 0; i < 2; ++i) {
        children[i].pid = fork();
        if (children[i].pid < 0) { throw_errno("fork"); }
        if (children[i].pid == 0) {
            side me{control, {memory.at(), pair.shared_bytes}, static_cast<int>(i)};
            be_child(i == 0 ? pair.first : pair.second, me, cores[i], control.errors[i],
                     signals.before, parent);
        }
    }

    const auto give_up = std::chrono::steady_clock::now() + pair.limit;
    for (;;) {
        // Both are asked each time: a failure of one must not wait for the other.
        const bool first_ended = children[0].ended(control.errors[0]);
        const bool second_ended = children[1].ended(control.errors[1]);
        if (first_ended && second_ended) { break; }
        if (std::chrono::steady_clock::now() >= give_up) {
            throw std::runtime_error("stuck: not done after " + std::to_string(pair.limit.count()) +
                                     " ms");
        }
        const timespec patience{1, 0};  // we sleep until a child ends: the two cores are theirs
        const int signal = sigtimedwait(&signals.set, nullptr, &patience);
        if (signal > 0 && signal != SIGCHLD) { throw interrupted{signal}; }
    }
    return {control.probes[0], control.probes[1], control.preemptions, control.reports};
}

}  // namespace ringpipe::bench
