// `ringpipe run` with stages, and what it has running and lying about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/program.hpp"

namespace ringpipe::test {

// All rings of the run are gone afterwards.
class stages_run : public program {
  public:
    explicit stages_run(const std::vector<std::string>& stages,
                        const std::vector<std::string>& more = {}, const program_io& io = {});
    stages_run(const stages_run&) = delete;
    stages_run& operator=(const stages_run&) = delete;
    ~stages_run();

    [[nodiscard]] bool says(std::string_view what) const;

    // Waits until messages have gone into each of its rings.
    [[nodiscard]] bool flows() const;

    // The rings of this run that are there.
    [[nodiscard]] std::vector<std::string> left_over() const;

    // How many processes of it, and of what they have started, run.
    [[nodiscard]] int processes() const;

    // Those with these words, separated by zero bytes, in their command line.
    [[nodiscard]] std::vector<pid_t> running(std::string_view words) const;

    // The `ringpipe stage` processes of the copies of this stage, as "stage 2".
    [[nodiscard]] std::vector<pid_t> copies_of(std::string_view stage) const;

  private:
    stages_run(std::string mark, const std::vector<std::string>& words, const program_io& io,
               std::nullptr_t only_to_tell_it_apart);

    std::string mark_;
};

// `ringpipe run -f` of this text.
struct file_run {
    explicit file_run(const std::string& toml, const std::vector<std::string>& more = {},
                      const program_io& io = {})
        : file{toml}, run{{}, with_file(more), io} {}

    unique_file file;
    stages_run run;

  private:
    [[nodiscard]] std::vector<std::string> with_file(std::vector<std::string> words) const {
        words.insert(words.end(), {"-f", file.path()});
        return words;
    }
};

// What `run` says of a file with this text, without the file's name, the newline, and rings left.
[[nodiscard]] std::string mistake_in(const std::string& toml);

// The lines with this digit of `seq last`.
[[nodiscard]] std::vector<long> numbers_with(int digit, long last);

}  // namespace ringpipe::test
