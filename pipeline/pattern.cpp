#include "pipeline/pattern.hpp"

#include <array>
#include <limits>

#include "common/error.hpp"
#include "common/quote.hpp"

namespace ringpipe::pipeline {

void pattern::freed::operator()(regex_t* compiled) const {
    ::regfree(compiled);
    delete compiled;
}

pattern::pattern(const std::string& text) {
    auto compiled = std::make_unique<regex_t>();
    if (const int problem = ::regcomp(compiled.get(), text.c_str(), REG_EXTENDED)) {
        std::array<char, 128> why{};
        ::regerror(problem, compiled.get(), why.data(), why.size());
        throw error{
            errc::invalid_argument,
            "cannot read " + in_quotes(text) + " as an extended regular expression: " + why.data()};
    }
    compiled_.reset(compiled.release());
}

bool pattern::matches(std::string_view text) const {
    static_assert(std::numeric_limits<regoff_t>::max() >= (1 << 30));  // the largest message
    regmatch_t where{0, static_cast<regoff_t>(text.size())};
    return ::regexec(compiled_.get(), text.data(), 1, &where, REG_STARTEND) == 0;
}

}  // namespace ringpipe::pipeline
