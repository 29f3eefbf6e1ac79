#include "pipeline/run/command_line_plan.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/error.hpp"
#include "common/quote.hpp"

namespace ringpipe::pipeline {
namespace {

constexpr std::string_view blanks = " \t\n";

}  // namespace

stage_plan parse_stage(std::string_view text) {
    stage_plan result;
    const auto begin = text.find_first_not_of(blanks);
    auto rest = begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
    const auto digits = rest.find_first_not_of("0123456789");
    const auto behind = digits == std::string_view::npos ? digits : digits + 1;
    if (digits != 0 && digits != std::string_view::npos && rest[digits] == 'x' &&
        (behind == rest.size() || blanks.find(rest[behind]) != std::string_view::npos)) {
        const auto number = rest.substr(0, digits);
        const auto [end, failed] =
            std::from_chars(number.data(), number.data() + number.size(), result.copies);
        if (failed != std::errc{} || result.copies == 0 || result.copies > most_copies) {
            throw error{errc::invalid_argument,
                        fmt::format("the stage {} asks for {} copies; 1 to {} are possible",
                                    in_quotes(text), number, most_copies)};
        }
        result.counted = true;
        rest.remove_prefix(behind);
    }
    const auto command = rest.find_first_not_of(blanks);
    if (command == std::string_view::npos) {
        throw error{errc::invalid_argument,
                    fmt::format("the stage {} has no command; write it as 'CMD' or '4x CMD'",
                                in_quotes(text))};
    }
    result.command = rest.substr(command);
    return result;
}

run_plan plan_of_line(const std::vector<stage_plan>& stages, const stage_plan& common,
                      const std::string& name) {
    run_plan plan;
    plan.name = name;
    std::optional<std::size_t> before;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        auto each = stages[i];
        each.key = fmt::format("{}", i + 1);
        each.label = "stage " + each.key;
        each.lockstep = common.lockstep && each.counted;
        each.keep_order = common.keep_order && each.counted;
        each.restarts = each.counted ? common.restarts : 0;
        each.frame = common.frame;
        each.block = common.block;
        each.capacity = common.capacity;
        each.from = before;
        if (i + 1 < stages.size()) {
            plan.rings.push_back({each.key, common.capacity});
            each.to = plan.rings.size() - 1;
        }
        before = each.to;
        add_stage(plan, each);
    }
    return plan;
}

}  // namespace ringpipe::pipeline
