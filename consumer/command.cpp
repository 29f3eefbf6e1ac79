#include "consumer/command.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/failed_exec.hpp"
#include "common/quote.hpp"
#include "common/tied_to_parent.hpp"

namespace ringpipe::consumer_program {
namespace {

namespace process = boost::process::v2;

// A file without a name instead of a pipe: a command that does not read all of it, or nothing,
// can neither block us nor break a pipe.
unique_fd as_input(std::span<const std::byte> bytes) {
    const auto fail = [] {
        throw error{errc::io, "cannot pass a message to the command of --exec", errno};
    };
    unique_fd file{::memfd_create("ringpipe message", MFD_CLOEXEC)};
    if (!file) { fail(); }
    while (!bytes.empty()) {
        const auto count = ::write(file.get(), bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) { fail(); }
        if (count > 0) { bytes = bytes.subspan(static_cast<std::size_t>(count)); }
    }
    if (::lseek(file.get(), 0, SEEK_SET) != 0) { fail(); }
    return file;
}

// An initializer of Boost.Process.
struct with_environment {
    std::vector<const char*> variables;

    explicit with_environment(const std::vector<std::string>& from) {
        for (const auto& variable : from) { variables.push_back(variable.c_str()); }
        variables.push_back(nullptr);
    }
    process::error_code on_setup(process::posix::default_launcher& launcher,
                                 const process::filesystem::path& /*executable*/,
                                 const char* const* /*arguments*/) const {
        launcher.env = variables.data();
        return {};
    }
};

std::string with_description(int signal) {
    const char* description = ::sigdescr_np(signal);
    return description == nullptr ? std::to_string(signal)
                                  : fmt::format("{} ({})", signal, description);
}

// Of the status that wait() gives.
std::optional<std::string> failure(int status) {
    if (WIFSIGNALED(status)) { return "killed by signal " + with_description(WTERMSIG(status)); }
    const int code = WEXITSTATUS(status);
    if (code == 0) { return std::nullopt; }
    constexpr int of_a_signal = 128;  // so the shell tells what happened to its last command
    if (code > of_a_signal && ::sigdescr_np(code - of_a_signal) != nullptr) {
        return fmt::format("exit code {}: killed by signal {}", code,
                           with_description(code - of_a_signal));
    }
    return fmt::format("exit code {}", code);
}

}  // namespace

command::command(std::string line, const std::string& ring) : line_{std::move(line)} {
    for (char** variable = environ; *variable != nullptr; ++variable) {
        constexpr std::string_view ours = "RINGPIPE_";
        if (!std::string_view{*variable}.starts_with(ours)) {
            environment_.emplace_back(*variable);
        }
    }
    environment_.push_back("RINGPIPE_RING=" + ring);
}

std::optional<std::string> command::run(const message& about, std::uint32_t attempt) {
    const auto input = as_input(about.payload());
    auto environment = environment_;
    environment.push_back(fmt::format("RINGPIPE_SEQUENCE={}", about.sequence()));
    environment.push_back(fmt::format("RINGPIPE_ATTEMPT={}", attempt));
    environment.push_back(fmt::format("RINGPIPE_REDELIVERED={:d}", about.redelivered()));
    try {
        process::process child{context_,
                               "/bin/sh",
                               std::vector<std::string>{"-c", line_},
                               process::process_stdio{input.get(), {}, {}},
                               with_environment{environment},
                               tied_to_parent{::getpid()},
                               ends_unless_executed{}};
        child.wait();
        return failure(child.native_exit_code());
    } catch (const process::system_error& e) {
        throw error{errc::io, fmt::format("cannot run {}: {}; check the limits of this user "
                                          "(`ulimit -a`)",
                                          in_quotes(line_), e.code().message())};
    }
}

}  // namespace ringpipe::consumer_program
