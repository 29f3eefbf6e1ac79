#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/machine_json.hpp"
#include "bench/report.hpp"

namespace ringpipe::bench {

namespace {

using json = nlohmann::ordered_json;

json as_json(const sample& of, measure what) {
    json made{{"round", of.round},
              {"regime", name_of(of.in)},
              {"probe_before_ns", of.probe_before},
              {"probe_after_ns", of.probe_after},
              {"preemptions", of.preemptions},
              {"verified", of.got.verified},
              {"cpu_seconds_of_senders", of.cpu_of_senders},
              {"cpu_seconds_of_receivers", of.cpu_of_receivers}};
    if (what == measure::throughput) {
        made["messages_per_second"] = of.got.per_second;
        made["bytes_per_second"] = of.got.bytes_per_second;
    } else {
        const auto& trip = of.got.trip;
        made["p50_ns"] = trip.p50;
        made["p99_ns"] = trip.p99;
        made["p99.9_ns"] = trip.p999;
        made["max_ns"] = trip.max;
        made["trips"] = trip.trips;
    }
    return made;
}

}  // namespace

void write_json(const std::string& path, const machine& where, const settings& how,
                const std::vector<row>& rows) {
    json all;
    all["machine"] = as_json(where);
    all["seconds"] = std::chrono::duration<double>(how.time).count();
    all["capacity"] = how.capacity;
    all["cells"] = json::array();
    for (const auto& one : rows) {
        json cell{{"name", one.of.name},
                  {"section", one.of.section},
                  {"subject", one.of.subject},
                  {"floor", one.of.floor},
                  {"peer", one.of.peer}};
        if (!one.of.left_out.empty()) { cell["left_out"] = one.of.left_out; }
        if (!one.failure.empty()) { cell["failure"] = one.failure; }
        cell["samples"] = json::array();
        for (const auto& each : one.samples) {
            cell["samples"].push_back(as_json(each, one.of.what));
        }
        all["cells"].push_back(std::move(cell));
    }
    std::ofstream file{path};
    file << all.dump(2) << '\n';
    if (!file.flush()) { throw std::runtime_error("cannot write " + path); }
}

}  // namespace ringpipe::bench
