// The real programs, launched as a user would, with what they print and how they end.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/ring_fixture.hpp"

namespace ringpipe::test {

// A ring's name that no other test has; the ring and its dead letters are gone afterwards.
// Declare it before the programs that use it: they are killed first.
class unique_ring {
  public:
    unique_ring() = default;
    unique_ring(const unique_ring&) = delete;
    unique_ring& operator=(const unique_ring&) = delete;
    ~unique_ring();

    [[nodiscard]] const std::string& str() const { return name_.str(); }
    operator const std::string&() const { return str(); }  // NOLINT: a name is a string
    [[nodiscard]] bool exists() const { return name_.exists(); }
    [[nodiscard]] const std::string& path() const { return name_.path(); }

    // Waits until somebody has made it, and so many are attached, or it has had so many messages.
    [[nodiscard]] bool has_consumers(std::uint32_t count) const;
    [[nodiscard]] bool has_sent(std::uint64_t messages) const;

  private:
    [[nodiscard]] bool becomes(const std::function<bool(const ring_status&)>& state) const;

    unique_name name_;
};

// What a program reads and writes; by default nothing, and into the test's memory.
struct program_io {
    std::optional<std::string> input = {};  // all of its standard input
    int in = -1;                            // or this file descriptor
    int out = -1;                           // instead of out()
    std::vector<std::string> prefix = {};   // as {"/usr/bin/setpriv", "--reuid", "65534"}
};

// Where it was built.
[[nodiscard]] std::string path_of_program(std::string_view name);

// Killed when it goes out of scope.
class program {
  public:
    // `name` is one of ours, as in "ringpipe-producer".
    program(std::string_view name, const std::vector<std::string>& arguments,
            const program_io& io = {});
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    ~program();

    // Waits for its end: the exit code; 128 + N after signal N; never_ended after the timeout.
    [[nodiscard]] int wait(std::chrono::milliseconds timeout = patience);
    static constexpr int never_ended = -1;

    void signal(int number);
    [[nodiscard]] pid_t id() const { return id_; }

    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;

  private:
    boost::asio::io_context context_;
    unique_fd in_;
    unique_fd out_;
    unique_fd err_;
    std::optional<boost::process::v2::process> process_;
    pid_t id_ = -1;
};

// What `ringpipe ARGUMENTS` says until it ends by itself.
struct answer {
    int code = 0;
    std::string out;
    std::string err;
};
[[nodiscard]] answer ask(const std::vector<std::string>& arguments);

struct producer_program : program {
    explicit producer_program(const std::vector<std::string>& arguments, const program_io& io = {})
        : program{"ringpipe-producer", arguments, io} {}
};
struct consumer_program : program {
    explicit consumer_program(const std::vector<std::string>& arguments, const program_io& io = {})
        : program{"ringpipe-consumer", arguments, io} {}
};

// A pipe, for a program's input or output.
struct pipe_ends {
    pipe_ends();
    unique_fd read;
    unique_fd write;
};

// A file that is gone afterwards.
class unique_file {
  public:
    explicit unique_file(std::string_view content = {});
    unique_file(const unique_file&) = delete;
    unique_file& operator=(const unique_file&) = delete;
    ~unique_file();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string content() const;

  private:
    std::string path_;
};

// "1\n2\n...\nN\n"
[[nodiscard]] std::string numbers(int from, int to);

// The lines of all, sorted as numbers.
[[nodiscard]] std::vector<long> sorted_numbers(const std::vector<std::string>& texts);

// Whether this is what an error looks like: one line, which begins with the program's name.
[[nodiscard]] bool is_one_line(std::string_view err, std::string_view program);

}  // namespace ringpipe::test
