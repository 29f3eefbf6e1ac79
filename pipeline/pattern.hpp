// What --grep is given: a POSIX extended regular expression (egrep's), matched against bytes.
//
// Not std::regex, whose recursion overflows the stack on a message of some 100 KiB.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>

namespace ringpipe::pipeline {

class pattern {
  public:
    // Throws error(invalid_argument).
    explicit pattern(const std::string& text);

    // Somewhere in `text`, which may contain NUL.
    [[nodiscard]] bool matches(std::string_view text) const;

  private:
    struct freed {
        void operator()(regex_t* compiled) const;
    };
    std::unique_ptr<regex_t, freed> compiled_;
};

}  // namespace ringpipe::pipeline
