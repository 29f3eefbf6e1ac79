#include "pipeline/run/stage_plan.hpp"

#include <fmt/format.h>

#include <utility>

namespace ringpipe::pipeline {
namespace {

constexpr std::uint64_t bulk_block = std::uint64_t{64} << 10U;
// Smaller, as all of a message is done again when a copy dies with it.
constexpr std::uint64_t lockstep_block = std::uint64_t{16} << 10U;

std::size_t own_ring(run_plan& plan, const stage_plan& what, const char* purpose) {
    plan.rings.push_back({what.key + "." + purpose, what.capacity});
    return plan.rings.size() - 1;
}

}  // namespace

void add_stage(run_plan& plan, const stage_plan& what) {
    // With a count of 1 there may be more some day: ringpipe scale.
    const bool shared = what.copies > 1 || what.lockstep || what.counted;
    const auto block =
        fmt::format("{}", what.block.value_or(what.lockstep ? lockstep_block : bulk_block));
    part own;
    own.label = what.label;
    own.text = what.counted ? fmt::format("{}x {}", what.copies, what.command) : what.command;
    own.words = {"--block", block, "--framing", to_string(what.frame), "--command=" + what.command};
    own.copies = what.copies;
    own.restarts = what.restarts;
    // A source sends all of it again: who gives it a restart has said that this is right.
    own.exact = what.lockstep || (!what.from && !shared);
    own.from = what.from;
    own.group = what.group;
    own.to = what.to;
    own.has_input = what.has_input;
    own.environment = what.environment;
    own.directory = what.directory;
    own.whole_lines = shared || what.merged;

    if (shared && !what.from) {
        part input;
        input.label = what.label + "'s input";
        input.words = {"--block", block, "--framing", to_string(what.frame)};
        input.whole_lines = true;
        input.to = own_ring(plan, what, "input");
        input.has_input = what.has_input;
        own.from = input.to;
        own.group = "default";
        plan.parts.push_back(std::move(input));
    }
    if (!what.lockstep && (what.to || !shared)) {
        plan.parts.push_back(std::move(own));
        return;
    }
    part merge;
    merge.label = what.label + "'s answers";
    merge.words = {"--merge"};
    merge.from = own_ring(plan, what, "answers");
    merge.to = what.to;
    own.to = merge.from;
    if (what.lockstep) {
        own.words.emplace_back("--lockstep");
        merge.words.emplace_back("--numbered");
        plan.rings[*merge.from].made_again = true;
        own.asks_again = true;
    }
    // Only in order it is known from a single number what has passed.
    if (what.keep_order || (what.lockstep && !plan.name.empty())) {
        merge.words.emplace_back("--keep-order");
        merge.questions = own.from;
        merge.passed = own.group + ".passed";
    }
    plan.parts.push_back(std::move(own));
    plan.parts.push_back(std::move(merge));
}

}  // namespace ringpipe::pipeline
