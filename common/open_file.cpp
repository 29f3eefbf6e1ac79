#include "common/open_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "common/error.hpp"
#include "common/quote.hpp"
#include "common/shutdown.hpp"

namespace ringpipe {
namespace {

[[noreturn]] void fail(errc code, std::string_view verb, const std::string& name,
                       std::string_view why, std::string_view advice) {
    throw error{code, fmt::format("cannot {} {}: {}; {}", verb, name, why, advice)};
}

std::string words(int error_number) { return std::generic_category().message(error_number); }

// A duplicate, so that the caller may close it like any other file.
unique_fd duplicate(int fd, std::string_view verb, const std::string& name) {
    unique_fd copy{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    if (copy) { return copy; }
    const int problem = errno;
    if (problem == EBADF) {
        fail(errc::io, verb, name, "it is closed",
             "start the program with it open, or name a file");
    }
    fail(errc::io, verb, name, words(problem), "close other files or raise `ulimit -n`");
}

unique_fd open_or_stop(const std::string& path, int flags, std::string_view verb,
                       const std::string& name, int& problem) {
    for (;;) {
        unique_fd file{::open(path.c_str(), flags | O_CLOEXEC, 0666)};
        problem = file ? 0 : errno;
        if (problem != EINTR) { return file; }
        if (stop_requested()) {
            fail(errc::io, verb, name, "interrupted before its other end was opened",
                 "start the other end first");
        }
    }
}

bool denied(int problem) noexcept {
    return problem == EACCES || problem == EPERM || problem == EROFS;
}

}  // namespace

std::string input_name(std::string_view path) {
    return path == "-" ? "standard input" : in_quotes(path);
}

std::string output_name(std::string_view path) {
    return path == "-" ? "standard output" : in_quotes(path);
}

unique_fd open_input(const std::string& path) {
    constexpr std::string_view verb = "read";
    const auto name = input_name(path);
    unique_fd file;
    if (path == "-") {
        file = duplicate(STDIN_FILENO, verb, name);
    } else {
        int problem = 0;
        file = open_or_stop(path, O_RDONLY, verb, name, problem);
        if (problem == ENOENT || problem == ENOTDIR) {
            fail(errc::input_not_found, verb, name, words(problem),
                 "check the path, or use - for standard input");
        }
        if (denied(problem)) {
            fail(errc::no_permission, verb, name, words(problem),
                 "get read permission for it, or name another file");
        }
        if (problem != 0) {
            fail(errc::io, verb, name, words(problem), "check the path, or name another file");
        }
    }
    struct stat about {};
    if (::fstat(file.get(), &about) == 0 && S_ISDIR(about.st_mode)) {
        fail(errc::io, verb, name, "it is a directory", "name a file in it");
    }
    return file;
}

unique_fd open_output(const std::string& path) {
    constexpr std::string_view verb = "write to";
    const auto name = output_name(path);
    if (path == "-") { return duplicate(STDOUT_FILENO, verb, name); }

    int problem = 0;
    auto file = open_or_stop(path, O_WRONLY | O_CREAT | O_TRUNC, verb, name, problem);
    if (problem == 0) { return file; }
    if (problem == EISDIR) { fail(errc::io, verb, name, "it is a directory", "name a file in it"); }
    if (denied(problem)) {
        fail(errc::no_permission, verb, name, words(problem),
             "get write permission for it and its directory, or name another file");
    }
    if (problem == ENOENT || problem == ENOTDIR) {
        fail(errc::io, verb, name, words(problem), "create its directory first");
    }
    fail(errc::io, verb, name, words(problem), "check the path, or name another file");
}

void close_output(unique_fd file, const std::string& path) {
    const int fd = file.release();
    if (fd < 0 || ::close(fd) == 0 || errno == EINTR) { return; }
    fail(errc::io, "finish writing to", output_name(path), words(errno),
         "what it holds may be incomplete: make room there and start again");
}

}  // namespace ringpipe
