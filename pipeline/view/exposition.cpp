#include "pipeline/view/exposition.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {
namespace {

using labels = std::vector<prometheus::ClientMetric::Label>;
using kind = prometheus::MetricType;

// Names and units as prometheus.io/docs/practices/naming has them: base units, counters _total.
class families {
  public:
    void add(std::string_view name, std::string_view help, kind type, const labels& of,
             double value) {
        prometheus::ClientMetric metric;
        metric.label = of;
        if (type == kind::Counter) {
            metric.counter.value = value;
        } else {
            metric.gauge.value = value;
        }
        family(name, help, type).metric.push_back(std::move(metric));
    }

    [[nodiscard]] std::vector<prometheus::MetricFamily> take() { return std::move(all_); }

  private:
    prometheus::MetricFamily& family(std::string_view name, std::string_view help, kind type) {
        for (auto& one : all_) {
            if (one.name == name) { return one; }
        }
        all_.push_back({std::string{name}, std::string{help}, type, {}});
        return all_.back();
    }

    std::vector<prometheus::MetricFamily> all_;
};

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_ring(families& to, const ring_seen& one) {
    const auto& status = one.status;
    const labels of{{"ring", printable(one.name)}};
    const auto gauge = [&](std::string_view name, std::string_view help, double value) {
        to.add(name, help, kind::Gauge, of, value);
    };
    gauge("ringpipe_ring_readable", "1 if the ring could be looked at", 1);
    gauge("ringpipe_ring_capacity_bytes", "Size of the ring's buffer", number(status.capacity));
    gauge("ringpipe_ring_used_bytes", "What some group has not acknowledged, with headers",
          number(status.used_bytes));
    gauge("ringpipe_ring_producers", "Living producers", status.producers);
    gauge("ringpipe_ring_consumers", "Living consumers", status.consumers);
    gauge("ringpipe_ring_ended", "1 if all producers have left", status.ended ? 1 : 0);
    gauge("ringpipe_ring_truncated", "1 if a producer died or gave up before its end",
          status.truncated ? 1 : 0);
    gauge("ringpipe_ring_dead_letters", "Messages that wait in the dead-letter ring",
          number(one.dead_letters));
    to.add("ringpipe_ring_sent_messages_total", "Messages ever sent", kind::Counter, of,
           number(status.messages));
    to.add("ringpipe_ring_sent_bytes_total", "Bytes ever sent, with headers", kind::Counter, of,
           number(status.bytes));
    to.add("ringpipe_ring_dropped_dead_letters_total",
           "Dead letters for which the dead-letter ring had no room", kind::Counter, of,
           number(status.dead_letters_dropped));
}

void add_group(families& to, const ring_seen& one, const group_status& group) {
    const labels of{{"ring", printable(one.name)}, {"group", printable(group.name)}};
    to.add("ringpipe_group_members", "Living consumers of the group", kind::Gauge, of,
           group.members);
    to.add("ringpipe_group_lag_messages", "Messages that nobody has leased yet", kind::Gauge, of,
           number(group.lag_messages));
    to.add("ringpipe_group_lag_bytes", "Bytes that are not acknowledged, with headers", kind::Gauge,
           of, number(group.lag_bytes));
    to.add("ringpipe_group_redeliveries_total", "Leases that went from one consumer to another",
           kind::Counter, of, number(group.redelivered));
}

void add_member(families& to, const ring_seen& one, std::size_t index) {
    const auto& member = one.status.members[index];
    const labels of{
        {"ring", printable(one.name)},         {"role", std::string{role_name(member.role)}},
        {"group", printable(member.group)},    {"name", printable(member.name)},
        {"slot", std::to_string(member.slot)}, {"pid", std::to_string(member.pid)}};
    to.add("ringpipe_member_alive", "0 if it died and nobody has taken its slot", kind::Gauge, of,
           member.alive ? 1 : 0);
    to.add("ringpipe_member_messages_total", "Messages it has sent, or leased, since it attached",
           kind::Counter, of, number(member.messages));
    to.add("ringpipe_member_waiting", "1 if it sleeps until there is room, or a message",
           kind::Gauge, of, member.waits_for == member_wish::nothing ? 0 : 1);
    to.add("ringpipe_member_leased_bytes", "What it has leased and not acknowledged", kind::Gauge,
           of, number(member.leased_bytes));
    if (const auto& process = one.processes[index]) {
        to.add("ringpipe_member_cpu_seconds_total", "User and system time of its process",
               kind::Counter, of, process->cpu_seconds);
        to.add("ringpipe_member_stopped", "1 if its process is stopped (SIGSTOP)", kind::Gauge, of,
               process->stopped ? 1 : 0);
    }
}

void add_bridge(families& to, const ring_seen& one, const bridge_seen& bridge) {
    const auto& state = bridge.state;
    const labels of{{"ring", printable(one.name)},
                    {"direction", printable(state.direction)},
                    {"address", printable(state.address)},
                    {"pid", std::to_string(bridge.pid)}};
    to.add("ringpipe_bridge_connected", "0 while it tries to reach its server again", kind::Gauge,
           of, state.connected ? 1 : 0);
    to.add("ringpipe_bridge_connection_changed_timestamp_seconds",
           "Since when it is connected, or not", kind::Gauge, of,
           std::chrono::duration<double>(state.since.time_since_epoch()).count());
    to.add("ringpipe_bridge_acknowledged_messages_total", "Messages it has brought over",
           kind::Counter, of, number(state.messages));
    to.add("ringpipe_bridge_acknowledged_bytes_total", "Bytes it has brought over", kind::Counter,
           of, number(state.bytes));
    to.add("ringpipe_bridge_waiting_messages", "Taken from the ring, and not yet acknowledged",
           kind::Gauge, of, number(state.waiting));
    to.add("ringpipe_bridge_failures_total", "How often something had to be tried again",
           kind::Counter, of, number(state.failures));
}

}  // namespace

std::vector<prometheus::MetricFamily> exposition::Collect() const {
    const std::lock_guard hold{mutex_};
    families all;
    try {
        const auto now = observer_.look();
        for (const auto& one : now.rings) {
            if (!one.problem.empty()) {
                all.add("ringpipe_ring_readable", "1 if the ring could be looked at", kind::Gauge,
                        {{"ring", printable(one.name)}}, 0);
                continue;
            }
            add_ring(all, one);
            for (const auto& group : one.status.groups) { add_group(all, one, group); }
            for (std::size_t i = 0; i < one.status.members.size(); ++i) { add_member(all, one, i); }
            for (const auto& bridge : one.bridges) { add_bridge(all, one, bridge); }
        }
    } catch (const std::exception&) {
        // The library has no way to say it; the next scrape tries again.
        return {};
    }
    return all.take();
}

}  // namespace ringpipe::pipeline
