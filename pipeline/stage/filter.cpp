#include "pipeline/stage/filter.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "common/failed_exec.hpp"
#include "common/tied_to_parent.hpp"
#include "pipeline/stage/descriptor.hpp"

namespace ringpipe::pipeline::stage {
namespace {

namespace bp = boost::process::v2;

}  // namespace

filter::filter(const std::string& command, std::string label, pipes which)
    : label_{std::move(label)} {
    pipe_pair to;
    pipe_pair from;
    auto errors = make_pipe();
    if (which.in) { to = make_pipe(); }
    if (which.out) { from = make_pipe(); }
    boost::asio::io_context context;
    bp::process started{
        context,
        "/bin/sh",
        std::vector<std::string>{"-c", command},
        bp::process_stdio{which.in ? to.read.get() : STDIN_FILENO,
                          which.out ? from.write.get() : STDOUT_FILENO, errors.write.get()},
        tied_to_parent{::getpid()},
        ends_unless_executed{}};
    pid_ = started.id();
    started.detach();
    in_ = std::move(to.write);
    out_ = std::move(from.read);
    err_ = std::move(errors.read);
    if (in_) { set_nonblocking(in_.get()); }
    set_nonblocking(err_.get());
    errors_ = std::thread{[this] { pass_on_errors(); }};
}

filter::~filter() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        (void)wait();
    }
}

int filter::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    pid_ = -1;
    ended_ = true;
    errors_.join();
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// To its end; once the filter has ended only what is there, as a process that it left behind may
// hold the pipe open for ever.
void filter::pass_on_errors() {
    constexpr std::size_t longest = 4096;  // then a line is passed on in parts
    constexpr int look_for_end = 100;      // ms
    std::string line;
    const auto say = [&] {
        said_something_ = true;
        const std::string text = label_ + ": " + line + "\n";
        // One write, so that lines of several processes do not mix; nobody to tell if it fails.
        [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
        line.clear();
    };
    std::array<char, 4096> part;
    for (;;) {
        const bool last = ended_;
        pollfd ready{err_.get(), POLLIN, 0};
        (void)::poll(&ready, 1, last ? 0 : look_for_end);
        const auto count = ::read(err_.get(), part.data(), part.size());
        if (count < 0 && (errno == EINTR || (errno == EAGAIN && !last))) { continue; }
        if (count <= 0) { break; }
        for (const char c : std::string_view{part.data(), static_cast<std::size_t>(count)}) {
            if (c == '\n' || line.size() >= longest) { say(); }
            if (c != '\n') { line += c; }
        }
    }
    if (!line.empty()) { say(); }
}

}  // namespace ringpipe::pipeline::stage
