#include "bench/team.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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
    alignas(128) std::array<double, 2> probes{};  // written by the first
    std::atomic<long> preemptions{0};
    std::uint32_t members = 2;
    bool has_own_cores = true;
    std::array<double, most_members> cpu_seconds{};
    std::array<team_outcome::report, most_members> reports{};
    std::array<std::array<char, 512>, most_members> errors{};
};

namespace {

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void pin_to(std::span<const int> cores) {
    cpu_set_t these;
    CPU_ZERO(&these);
    for (const auto core : cores) { CPU_SET(static_cast<std::size_t>(core), &these); }
    if (sched_setaffinity(0, sizeof these, &these) != 0) {
        throw_errno("pinning a process to its core");
    }
}

}  // namespace

void side::meet() {
    auto& arrived = control_.arrived;
    const auto members = control_.members;
    const bool sleeps = !control_.has_own_cores;
    const auto mine = arrived.fetch_add(1, std::memory_order_acq_rel);
    const auto whole = mine - mine % members + members;
    for (auto seen = mine; (seen = arrived.load(std::memory_order_acquire)) < whole;) {
        if (sleeps) { syscall(SYS_futex, &arrived, FUTEX_WAIT, seen, nullptr, nullptr, 0); }
    }
    if (sleeps && mine + 1 == whole) {
        syscall(SYS_futex, &arrived, FUTEX_WAKE, members, nullptr, nullptr, 0);
    }
}

void side::take_place() const {
    if (control_.has_own_cores) {
        pin_to({&cores_[index_], 1});
    } else {
        run_on_both();
    }
}

void side::run_on_both() const { pin_to(cores_); }

// No page fault while something is timed. Kernels older than 5.14 refuse; then the warm-up does it.
void side::fault_in() const {
    if (!memory_.empty()) { (void)madvise(memory_.data(), memory_.size(), MADV_POPULATE_WRITE); }
}

// Two probe, each on a core of its own; others sleep.
void side::probe(std::size_t which) {
    meet();
    if (index_ < 2) { pin_to({&cores_[index_], 1}); }
    if (index_ == 0) {
        const auto probed = control_.probe.call(probe_plan);
        // Preempted for most of its time, it has seen nothing: 0 makes the measurement mixed.
        control_.probes[which] = probed.trips < 1000 ? 0 : probed.p50;
    } else if (index_ == 1) {
        control_.probe.answer();
    }
    take_place();
    meet();
}

side::use side::used_so_far() {
    use all;
    for (const auto whose : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage now{};
        getrusage(whose, &now);
        all.preemptions += now.ru_nivcsw;
        for (const auto& time : {now.ru_utime, now.ru_stime}) {
            all.cpu_seconds +=
                static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        }
    }
    return all;
}

void side::add_use(const use& before, const use& after) {
    control_.preemptions.fetch_add(after.preemptions - before.preemptions);
    control_.cpu_seconds[index_] = after.cpu_seconds - before.cpu_seconds;
}

void side::store_report(const void* what, std::size_t size) {
    auto& mine = control_.reports[static_cast<std::size_t>(index_)];
    if (size > mine.size()) { throw std::logic_error("a report is too large"); }
    std::memcpy(mine.data(), what, size);
}

namespace {

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

[[noreturn]] void be_child(const team::work& work, side& me, std::array<char, 512>& error,
                           const sigset_t& signals, pid_t parent) {
    int code = 0;
    try {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) { _exit(1); }
        sigprocmask(SIG_SETMASK, &signals, nullptr);
        me.take_place();
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

team_outcome run(const team& of, std::array<int, 2> cores) {
    const auto members = of.size();
    if (members > most_members) { throw std::invalid_argument("too many processes in a team"); }
    const shared_memory control_memory{sizeof(shared_control)};
    const shared_memory memory{of.shared_bytes};
    auto& control = *new (control_memory.at()) shared_control;
    control.members = static_cast<std::uint32_t>(members);
    control.has_own_cores = of.has_own_cores();

    const held_signals signals;
    const auto parent = getpid();
    std::vector<child> children(members);
    for (std::size_t i = 0; i < members; ++i) {
        children[i].pid = fork();
        if (children[i].pid < 0) { throw_errno("fork"); }
        if (children[i].pid == 0) {
            side me{control, {memory.at(), of.shared_bytes}, i, cores};
            be_child(of.member(i), me, control.errors[i], signals.before, parent);
        }
    }

    const auto give_up = std::chrono::steady_clock::now() + of.limit;
    for (;;) {
        // All are asked each time: a failure of one must not wait for the others.
        std::size_t ended = 0;
        for (std::size_t i = 0; i < members; ++i) {
            ended += children[i].ended(control.errors[i]) ? 1 : 0;
        }
        if (ended == members) { break; }
        if (std::chrono::steady_clock::now() >= give_up) {
            throw std::runtime_error("stuck: not done after " + std::to_string(of.limit.count()) +
                                     " ms");
        }
        const timespec patience{1, 0};  // we sleep until a child ends: the two cores are theirs
        const int signal = sigtimedwait(&signals.set, nullptr, &patience);
        if (signal > 0 && signal != SIGCHLD) { throw interrupted{signal}; }
    }
    return {control.probes[0],
            control.probes[1],
            control.preemptions,
            {control.cpu_seconds.begin(), control.cpu_seconds.begin() + static_cast<long>(members)},
            {control.reports.begin(), control.reports.begin() + static_cast<long>(members)}};
}

}  // namespace ringpipe::bench
