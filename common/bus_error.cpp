#include "common/bus_error.hpp"

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <string>

#include "common/quote.hpp"

namespace ringpipe {
namespace {

// The line, made beforehand: the handler must not allocate.
std::array<char, 512> line{};
std::atomic<std::size_t> line_size{0};

extern "C" {

static void on_bus_error(int signal, siginfo_t* about, void* /*context*/) {
    if (about->si_code != BUS_ADRERR) {
        std::signal(signal, SIG_DFL);
        std::raise(signal);  // taken when this handler returns
        return;
    }
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line_size.load());
    ::_exit(EX_IOERR);
}

}  // extern "C"

}  // namespace

void install_bus_error_handler(std::string_view program, std::string_view ring) {
    auto text = fmt::format(
        "{}: cannot go on with {}: its file became shorter under us (truncated?) or its file "
        "system is full; remove it with `ringpipe rm {}` and start again",
        program, ring.empty() ? std::string{"the ring"} : "ring " + in_quotes(ring),
        ring.empty() ? std::string{"RING"} : in_quotes(ring));
    text.resize(std::min(text.size(), line.size() - 1));
    text += '\n';

    line_size.store(0);  // a SIGBUS just now has no line rather than half of two
    std::memcpy(line.data(), text.data(), text.size());
    line_size.store(text.size());

    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace ringpipe
