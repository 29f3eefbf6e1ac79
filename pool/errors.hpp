// What a future can throw besides ringpipe::error.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "ringpipe/common/error.hpp"

namespace ringpipe::pool {

// The task threw. `what()` is "TYPE: TEXT".
class task_exception : public std::runtime_error {
  public:
    task_exception(std::string type, std::string text)
        : runtime_error{fmt::format("{}: {}", type, text)},
          type_{std::move(type)},
          text_{std::move(text)} {}

    [[nodiscard]] const std::string& type() const { return type_; }  // "std::out_of_range"
    [[nodiscard]] const std::string& text() const { return text_; }  // its what()

  private:
    std::string type_;
    std::string text_;
};

// The worker died while it was at this task, and the task has no attempt left.
class worker_died : public error {
  public:
    // `status` as waitpid() gives it.
    worker_died(int status, std::uint32_t attempts);

    [[nodiscard]] int signal() const { return signal_; }        // 0: it called exit()
    [[nodiscard]] int exit_code() const { return exit_code_; }  // if signal() is 0

  private:
    int signal_;
    int exit_code_;
};

// error{which, line}, for a future.
[[nodiscard]] std::exception_ptr failure_of(errc which, std::string line);

// "signal 9 (KILL)", "exit code 3".
[[nodiscard]] std::string how_it_ended(int status);

}  // namespace ringpipe::pool
