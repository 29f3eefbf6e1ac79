#include "pipeline/stage_list.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/error.hpp"
#include "common/quote.hpp"

namespace ringpipe::pipeline {
namespace {

constexpr unsigned most_copies = 100;  // a ring has 128 slots for members
constexpr std::string_view blanks = " \t\n";
constexpr std::uint64_t bulk_block = std::uint64_t{64} << 10U;
// Smaller, as all of a message is done again when a copy dies with it.
constexpr std::uint64_t lockstep_block = std::uint64_t{16} << 10U;

}  // namespace

stage_text parse_stage(std::string_view text) {
    stage_text result;
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

std::vector<part> parts_of(const stages_plan& plan) {
    std::vector<part> parts;
    std::size_t rings = 0;
    const auto block =
        fmt::format("{}", plan.block.value_or(plan.lockstep ? lockstep_block : bulk_block));
    const auto frame = to_string(plan.frame);
    const auto add = [&](part next, bool to_ring) {
        if (!parts.empty()) { next.from = parts.back().to; }
        if (to_ring) { next.to = rings++; }
        parts.push_back(std::move(next));
    };
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const auto& each = plan.stages[i];
        const bool lockstep = plan.lockstep && each.counted;
        const bool last = i + 1 == plan.stages.size();
        const bool shared = each.copies > 1 || lockstep;
        if (i == 0 && shared) {
            part input;
            input.label = "the standard input";
            input.words = {"--block", block, "--framing", frame, "--whole-lines"};
            add(input, true);
        }
        part own;
        own.label = fmt::format("stage {}", i + 1);
        own.text = each.counted ? fmt::format("{}x {}", each.copies, each.command) : each.command;
        own.words = {"--block", block, "--framing", frame, "--command=" + each.command};
        if (lockstep) { own.words.emplace_back("--lockstep"); }
        if (shared) { own.words.emplace_back("--whole-lines"); }
        own.copies = each.copies;
        own.restartable = lockstep;
        add(own, !last || shared);
        if (lockstep || (last && shared)) {
            part merge;
            merge.label = own.label + "'s answers";
            merge.words = {"--merge"};
            if (lockstep) { merge.words.emplace_back("--numbered"); }
            if (plan.keep_order) { merge.words.emplace_back("--keep-order"); }
            add(merge, !last);
        }
    }
    return parts;
}

}  // namespace ringpipe::pipeline
