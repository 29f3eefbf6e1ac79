#include "tests/support/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/process/v2/stdio.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "common/failed_exec.hpp"
#include "tests/support/processes.hpp"

namespace ringpipe::test {
namespace {

namespace process = boost::process::v2;

// ringpipe_program_tests lies beside the programs.
std::filesystem::path folder_of_programs() {
    if (const char* folder = std::getenv("RINGPIPE_BIN_DIR"); folder != nullptr) { return folder; }
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

unique_fd in_memory(std::string_view content = {}) {
    unique_fd file{::memfd_create("test", MFD_CLOEXEC)};
    while (!content.empty()) {
        const auto count = ::write(file.get(), content.data(), content.size());
        if (count <= 0) { throw std::runtime_error{"cannot write to a memfd"}; }
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

// All of it, wherever the program that writes it may be.
std::string content_of(int fd) {
    std::string result;
    char part[65536];
    for (;;) {
        const auto count = ::pread(fd, part, sizeof part, static_cast<off_t>(result.size()));
        if (count <= 0) { return result; }
        result.append(part, static_cast<std::size_t>(count));
    }
}

}  // namespace

std::string path_of_program(std::string_view name) { return folder_of_programs() / name; }

unique_ring::~unique_ring() { ::unlink((name_.path() + ".dead").c_str()); }

bool unique_ring::becomes(const std::function<bool(const ring_status&)>& state) const {
    return eventually([&] {
        try {
            return state(ring::open(str(), deadline::min()).status());
        } catch (const error&) { return false; }  // nobody has made it yet
    });
}

bool unique_ring::has_consumers(std::uint32_t count) const {
    return becomes([=](const ring_status& now) { return now.consumers == count; });
}

bool unique_ring::has_sent(std::uint64_t messages) const {
    return becomes([=](const ring_status& now) { return now.messages >= messages; });
}

program::program(std::string_view name, const std::vector<std::string>& arguments,
                 const program_io& io)
    : in_{io.input ? in_memory(*io.input) : unique_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}},
      out_{in_memory()},
      err_{in_memory()} {
    auto words = io.prefix;
    words.push_back(path_of_program(name));
    words.insert(words.end(), arguments.begin(), arguments.end());
    const std::filesystem::path executable = words.front();
    words.erase(words.begin());
    process_.emplace(context_, executable, words,
                     process::process_stdio{io.in >= 0 ? io.in : in_.get(),
                                            io.out >= 0 ? io.out : out_.get(), err_.get()},
                     ends_unless_executed{});
    id_ = process_->id();
}

program::~program() {
    process::error_code ignored;
    if (process_->running(ignored)) { process_->terminate(ignored); }
}

int program::wait(std::chrono::milliseconds timeout) {
    if (!ends_within(timeout, id_)) { return never_ended; }
    process_->wait();
    const int status = process_->native_exit_code();
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void program::signal(int number) { ::kill(process_->id(), number); }

std::string program::out() const { return content_of(out_.get()); }
std::string program::err() const { return content_of(err_.get()); }

pipe_ends::pipe_ends() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) { throw std::runtime_error{"pipe2 failed"}; }
    read.reset(ends[0]);
    write.reset(ends[1]);
}

unique_file::unique_file(std::string_view content)
    : path_{std::filesystem::temp_directory_path() / "ringpipe.test.XXXXXX"} {
    const unique_fd file{::mkstemp(path_.data())};
    if (!file) { throw std::runtime_error{"cannot make " + path_}; }
    ::fchmod(file.get(), 0644);
    std::ofstream{path_, std::ios::binary} << content;
}

unique_file::~unique_file() { ::unlink(path_.c_str()); }

std::string unique_file::content() const {
    std::ostringstream all;
    all << std::ifstream{path_, std::ios::binary}.rdbuf();
    return all.str();
}

std::string numbers(int from, int to) {
    std::string all;
    for (int i = from; i <= to; ++i) { all += std::to_string(i) + '\n'; }
    return all;
}

std::vector<long> sorted_numbers(const std::vector<std::string>& texts) {
    std::vector<long> all;
    for (const auto& text : texts) {
        std::istringstream in{text};
        for (long number = 0; in >> number;) { all.push_back(number); }
    }
    std::sort(all.begin(), all.end());
    return all;
}

bool is_one_line(std::string_view err, std::string_view program) {
    return err.starts_with(program) && std::count(err.begin(), err.end(), '\n') == 1 &&
           err.ends_with('\n');
}

answer ask(const std::vector<std::string>& arguments) {
    program asked{"ringpipe", arguments};
    const int code = asked.wait();
    return {code, asked.out(), asked.err()};
}

}  // namespace ringpipe::test
