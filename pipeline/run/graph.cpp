#include "pipeline/run/graph.hpp"

#include <fmt/format.h>

#include <optional>

#include "common/error.hpp"

namespace ringpipe::pipeline {
namespace {

// Depth first: a stage that is met again while what it leads to is looked at, is in a cycle.
class cycle_search {
  public:
    explicit cycle_search(const std::vector<stage_plan>& stages)
        : stages_{stages}, states_(stages.size(), state::unseen) {}

    // The keys of its stages, "a -> b -> a".
    std::optional<std::string> find() {
        for (std::size_t i = 0; i < stages_.size(); ++i) {
            if (visit(i)) { return way_; }
        }
        return std::nullopt;
    }

  private:
    enum class state { unseen, on_the_way, done };

    bool visit(std::size_t place) {
        if (states_[place] == state::done) { return false; }
        if (states_[place] == state::on_the_way) {
            way_ = stages_[place].key;
            start_ = place;
            return true;
        }
        states_[place] = state::on_the_way;
        for (std::size_t next = 0; stages_[place].to && next < stages_.size(); ++next) {
            if (stages_[next].from != stages_[place].to || !visit(next)) { continue; }
            if (start_) { way_ = stages_[place].key + " -> " + way_; }
            if (start_ == place) { start_.reset(); }  // what leads to the cycle is not in it
            return true;
        }
        states_[place] = state::done;
        return false;
    }

    const std::vector<stage_plan>& stages_;
    std::vector<state> states_;
    std::optional<std::size_t> start_;
    std::string way_;
};

}  // namespace

void check_graph(const std::vector<ring_plan>& rings, const std::vector<stage_plan>& stages,
                 const std::vector<ring_uses>& uses, const std::string& path) {
    const auto refuse = [&](std::uint32_t line, const std::string& why) {
        throw error{errc::malformed_input, fmt::format("{}:{}: {}", path, line, why)};
    };
    for (std::size_t i = 0; i < uses.size(); ++i) {
        const auto& [line, writers, readers] = uses[i];
        const auto name = "ring." + rings[i].name;
        if (writers.empty() && readers.empty()) {
            refuse(line, name + ": no stage uses this ring");
        }
        if (writers.empty()) { refuse(readers.front(), name + ": no stage writes to this ring"); }
        if (readers.empty()) { refuse(writers.front(), name + ": no stage reads this ring"); }
    }
    if (const auto cycle = cycle_search{stages}.find()) {
        throw error{errc::malformed_input,
                    fmt::format("{}: the stages {} wait for each other's end for ever; a pipeline "
                                "has no cycle",
                                path, *cycle)};
    }
}

}  // namespace ringpipe::pipeline
