#include "pipeline/run/file_plan.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "common/units.hpp"
#include "pipeline/run/bridge_plan.hpp"
#include "pipeline/run/graph.hpp"
#include "pipeline/run/stage_plan.hpp"
#include "pipeline/run/toml_table.hpp"
#include "shm/name.hpp"

namespace ringpipe::pipeline {
namespace {

unsigned parse_mode(const std::string& text) {
    unsigned mode = 0;
    const auto* end = text.data() + text.size();
    const auto [last, failed] = std::from_chars(text.data(), end, mode, 8);
    if (failed != std::errc{} || last != end || mode > 0777) {
        throw error{errc::invalid_argument,
                    in_quotes(text) + " are no permissions; write them as in \"0660\""};
    }
    return mode;
}

std::string own_name(const std::string& text) {
    check_name(text, "stage");
    if (text.find(' ') != std::string::npos) {
        throw error{errc::invalid_name, "a name has no blanks"};
    }
    return text;
}

class file_reader {
  public:
    file_reader(const toml::table& all, const std::string& path)
        : path_{path}, all_{all, "", path} {}

    run_plan read() {
        plan_.name = all_.parsed("name", own_name).value_or("");
        read_rings();
        const auto* stages = all_.tables("stage");
        all_.refuse_unknown();
        if (stages == nullptr) {
            throw error{errc::malformed_input,
                        path_ + ": there is no stage; write [[stage]] and command = \"...\""};
        }
        std::size_t sources = 0;
        for (const auto& each : *stages) { read_stage(*each.as_table()); }
        for (const auto& each : stages_) { sources += each.from ? 0 : 1; }
        for (auto& each : stages_) {
            // Two programs would fight for one standard input.
            each.has_input = sources == 1;
            each.merged = each.to && uses_[*each.to].writers.size() > 1;
            add_stage(plan_, each);
        }
        plan_.parts.insert(plan_.parts.end(), bridges_.begin(), bridges_.end());
        check_graph(plan_.rings, stages_, uses_, path_);
        return std::move(plan_);
    }

  private:
    void read_rings() {
        const auto* rings = all_.table("ring");
        if (rings == nullptr) { return; }
        for (const auto& [key, value] : *rings) {
            const std::string name{key.str()};
            if (!value.is_table()) {
                refuse_toml(path_, key.source(), "ring." + name, "this is not a table");
            }
            toml_table one{*value.as_table(), "ring." + name, path_};
            const auto place = ring_called(name, key.source());
            plan_.rings[place].capacity = one.parsed("capacity", parse_size);
            plan_.rings[place].mode = one.parsed("mode", parse_mode);
            one.refuse_unknown();
        }
    }

    // A ring needs no table of its own.
    std::size_t ring_called(const std::string& name, const toml::source_region& where) {
        const auto [found, is_new] = rings_.try_emplace(name, plan_.rings.size());
        if (is_new) {
            try {
                (void)own_name(name);
            } catch (const error& e) { refuse_toml(path_, where, "ring." + name, e.what()); }
            plan_.rings.push_back({name});
            uses_.push_back({where.begin.line, {}, {}});
        }
        return found->second;
    }

    std::optional<std::size_t> ring_at(toml_table& one, const toml::table& table, const char* key) {
        const auto name = one.text(key);
        if (!name) { return std::nullopt; }
        if (is_stream_address(*name)) { return ring_at_stream(one, table, key); }
        return ring_called(*name, table.get(key)->source());
    }

    // Whoever names the same address has the same ring, and the same bridge.
    std::size_t ring_at_stream(toml_table& one, const toml::table& table, const std::string& key) {
        const bool out = key == "to";
        const auto name =
            *one.parsed(key, [&](const std::string& text) { return ring_for_stream(text, out); });
        const auto address = *one.text(key);
        const auto [found, is_new] = streams_.try_emplace({address, out}, 0);
        if (!is_new) { return found->second; }
        const auto& where = table.get(key)->source();
        if (rings_.count(name) > 0) {
            one.refuse(key, "ring " + name +
                                " is there already: two streams of one name, or one "
                                "that is written and read; put them into two runs");
        }
        const auto place = found->second = ring_called(name, where);
        (out ? uses_[place].readers : uses_[place].writers).push_back(where.begin.line);
        bridges_.push_back(bridge_part(address, out, place));
        return place;
    }

    void read_stage(const toml::table& table) {
        toml_table one{table, "stage", path_};
        stage_plan what;
        const auto command = one.text("command");
        if (!command || command->find_first_not_of(" \t\n") == std::string::npos) {
            one.refuse("command", "it is missing; every stage has one");
        }
        what.command = *command;
        what.key = one.parsed("name", own_name).value_or(fmt::format("{}", stages_.size() + 1));
        what.label = table.contains("name") ? what.key : "stage " + what.key;
        for (const auto& other : stages_) {
            if (other.key == what.key) {
                one.refuse("name", "another stage is called " + in_quotes(what.key) + ", too");
            }
        }
        what.counted = table.contains("copies");
        what.copies = one.number("copies", 1, most_copies).value_or(1);
        what.from = ring_at(one, table, "from");
        what.to = ring_at(one, table, "to");
        what.group = one.parsed("group", own_name).value_or(what.key);
        what.lockstep = one.flag("lockstep").value_or(false);
        what.keep_order = one.flag("keep-order").value_or(false);
        if (what.keep_order && !what.lockstep) {
            one.refuse("keep-order",
                       "it needs lockstep = true; without that nobody knows which "
                       "lines answer which");
        }
        what.frame = one.parsed("framing", parse_framing).value_or(framing{});
        if (what.lockstep && what.frame.type == framing::kind::chunks) {
            one.refuse("framing", "lockstep needs messages with an end, which chunks has not");
        }
        what.block = one.parsed("block", parse_size);
        const bool many = what.counted || what.lockstep;
        what.restarts =
            one.number("restart", 0, 1'000'000).value_or(what.from && many ? default_restarts : 0);
        what.directory = one.text("directory").value_or("");
        read_environment(one, what);
        one.refuse_unknown();
        const auto line = table.source().begin.line;
        if (what.from) { uses_[*what.from].readers.push_back(line); }
        if (what.to) { uses_[*what.to].writers.push_back(line); }
        if (what.from) { what.capacity = plan_.rings[*what.from].capacity; }
        stages_.push_back(std::move(what));
    }

    void read_environment(toml_table& one, stage_plan& what) {
        const auto* all = one.table("environment");
        if (all == nullptr) { return; }
        for (const auto& [key, value] : *all) {
            const auto text = value.value_exact<std::string>();
            const auto name = fmt::format("stage.environment.{}", key.str());
            if (!text) {
                refuse_toml(path_, value.source(), name, "this has to be a text in quotes");
            }
            what.environment.push_back(fmt::format("{}={}", key.str(), *text));
        }
    }

    const std::string& path_;
    toml_table all_;
    run_plan plan_;
    std::map<std::string, std::size_t> rings_;
    std::vector<ring_uses> uses_;
    std::vector<stage_plan> stages_;
    std::map<std::pair<std::string, bool>, std::size_t> streams_;  // address, out: the ring
    std::vector<part> bridges_;
};

}  // namespace

run_plan plan_of_toml(std::string_view text, const std::string& path) {
    try {
        const auto all = toml::parse(text, path);
        return file_reader{all, path}.read();
    } catch (const toml::parse_error& e) {
        throw error{errc::malformed_input,
                    fmt::format("{}:{}: {}", path, e.source().begin.line, e.description())};
    }
}

run_plan plan_of_file(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    if (!in) { throw error{errc::input_not_found, "cannot open " + path, errno}; }
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (in.bad()) { throw error{errc::io, "cannot read " + path, errno}; }
    return plan_of_toml(text, path);
}

}  // namespace ringpipe::pipeline
