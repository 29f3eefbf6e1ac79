#include "tests/support/single_step.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <sys/user.h>
#endif

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>

namespace ringpipe::test {

void marks::begin() const {
    if (rehearsal_) { return; }
    ::raise(SIGSTOP);  // here the parent takes over
    where_.phase = notes::inside;
}

void marks::end() const {
    if (rehearsal_) { return; }
    where_.phase = notes::behind;
    for (;;) { ::raise(SIGSTOP); }
}

stepped_child::stepped_child(const std::function<void(notes&)>& body) {
    void* page =
        ::mmap(nullptr, sizeof(notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) { throw std::bad_alloc{}; }
    notes_ = new (page) notes{};
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) { throw std::runtime_error{"fork failed"}; }
    if (pid_ > 0) { return; }
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) { ::_exit(90); }
    try {
        body(*notes_);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "in a stepped child: %s\n", e.what());
    }
    ::_exit(91);
}

stepped_child::~stepped_child() {
    kill();
    ::munmap(notes_, sizeof(notes));
}

bool stepped_child::to_begin() {
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_ || !WIFSTOPPED(status)) {
        running_ = false;
        return false;
    }
    ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_EXITKILL);
    while (notes_->phase == notes::before) {
        if (!step()) { return false; }
    }
    return true;
}

bool stepped_child::step() {
    if (!running_ || notes_->phase == notes::behind) { return false; }
    if (::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) != 0) { return false; }
    int status = 0;
    while (::waitpid(pid_, &status, 0) != pid_) {
        if (errno != EINTR) { return false; }
    }
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) {
        return notes_->phase != notes::behind;
    }
    running_ = WIFSTOPPED(status);
    return false;
}

void stepped_child::kill() {
    if (pid_ < 0) { return; }
    if (running_) {
        ::kill(pid_, SIGKILL);
        int status = 0;
        // A stop that was under way may be reported first.
        while (::waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status)) {}
    }
    running_ = false;
    pid_ = -1;
}

std::uint64_t stepped_child::next_instruction() const {
#if defined(__x86_64__)
    return static_cast<std::uint64_t>(
        ::ptrace(PTRACE_PEEKUSER, pid_, offsetof(user_regs_struct, rip), nullptr));
#else
    return 0;
#endif
}

const char* why_no_single_steps() {
#if defined(__SANITIZE_THREAD__)
    return "ThreadSanitizer's own thread does not stop with the one that is stepped";
#else
    stepped_child probe{[](notes& n) {
        const marks mark{n, false};
        mark.begin();
        mark.end();
    }};
    if (!probe.to_begin()) {
        return "ptrace is forbidden here (or this kernel cannot single-step)";
    }
    return nullptr;
#endif
}

}  // namespace ringpipe::test
