#include "pipeline/view/exposition.hpp"

#include <algorithm>
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

void add_space(families& to, const sync::space_status& status) {
    const labels of{{"space", printable(status.name)}};
    to.add("ringpipe_space_readable", "1 if the space could be looked at", kind::Gauge, of, 1);
    to.add("ringpipe_space_processes", "Living processes that have it open", kind::Gauge, of,
           number(status.members.size()));
    to.add("ringpipe_space_names", "Locks and other primitives in it", kind::Gauge, of,
           number(status.primitives.size()));
    to.add("ringpipe_space_size_bytes", "Room for primitives", kind::Gauge, of,
           number(status.size));
    to.add("ringpipe_space_used_bytes", "Room that is taken", kind::Gauge, of, number(status.used));
}

// What `value` is depends on the kind.
void add_value(families& to, const sync::primitive_status& one, const labels& of) {
    const auto value = number(one.value);
    if (one.kind == "semaphore") {
        to.add("ringpipe_semaphore_units", "Units it has", kind::Gauge, of, number(one.size));
        to.add("ringpipe_semaphore_free_units", "Units that nobody living holds", kind::Gauge, of,
               value);
    } else if (one.kind == "counting_semaphore") {
        to.add("ringpipe_counting_semaphore_count", "Where it stands", kind::Gauge, of, value);
    } else if (one.kind == "event") {
        to.add("ringpipe_event_set", "1 if it is set", kind::Gauge, of, value);
    } else if (one.kind == "barrier") {
        to.add("ringpipe_barrier_phases_total", "Phases completed", kind::Counter, of, value);
        to.add("ringpipe_barrier_broken", "1 if a party is gone that is waited for", kind::Gauge,
               of, one.broken ? 1 : 0);
    } else if (one.kind == "cell") {
        to.add("ringpipe_cell_writes_total", "Values written", kind::Counter, of, value);
    } else if (one.kind == "mutex" || one.kind == "shared_mutex") {
        to.add("ringpipe_lock_recovered",
               "1 if an owner died, and what it guards was not called consistent since",
               kind::Gauge, of, one.recovered ? 1 : 0);
    }
}

void add_primitive(families& to, const std::string& space, const sync::primitive_status& one) {
    const labels of{{"space", printable(space)}, {"name", printable(one.name)}, {"kind", one.kind}};
    const auto living = std::count_if(one.participants.begin(), one.participants.end(),
                                      [](const sync::participant& who) { return who.alive; });
    const auto all = static_cast<std::ptrdiff_t>(one.participants.size());
    to.add("ringpipe_sync_holders", "Living processes that hold it, read, write, or have a seat",
           kind::Gauge, of, static_cast<double>(living));
    to.add("ringpipe_sync_dead_holders", "Dead ones whose part nobody has taken over yet",
           kind::Gauge, of, static_cast<double>(all - living));
    add_value(to, one, of);
}

void add_pool(families& to, const pool::pool_outline& one) {
    const labels of{{"pool", printable(one.name)}};
    const auto& status = one.status;
    const auto gauge = [&](std::string_view name, std::string_view help, double value) {
        to.add(name, help, kind::Gauge, of, value);
    };
    const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
        to.add(name, help, kind::Counter, of, number(value));
    };
    gauge("ringpipe_pool_readable", "1 if the pool could be looked at", 1);
    gauge("ringpipe_pool_alive", "0 if its owner was killed", one.alive ? 1 : 0);
    gauge("ringpipe_pool_max_workers", "Workers it may have", one.max_workers);
    gauge("ringpipe_pool_workers", "Workers it has", number(status.workers.size()));
    gauge("ringpipe_pool_waiting_tasks", "Tasks that have not begun", number(status.waiting));
    gauge("ringpipe_pool_running_tasks", "Tasks at a worker", number(status.running));
    counter("ringpipe_pool_done_tasks_total", "Tasks that gave a result", status.done);
    counter("ringpipe_pool_failed_tasks_total", "Tasks that threw, timed out, or lost their worker",
            status.failed);
    counter("ringpipe_pool_cancelled_tasks_total", "Tasks that were cancelled", status.cancelled);
    counter("ringpipe_pool_worker_deaths_total", "Workers that died", status.worker_deaths);
    for (const auto& worker : status.workers) {
        const labels who{{"pool", printable(one.name)}, {"pid", std::to_string(worker.pid)}};
        const std::chrono::duration<double> busy = worker.at_it_for;
        to.add("ringpipe_pool_worker_busy_seconds", "How long it is at its task; 0: it is idle",
               kind::Gauge, who, std::max(busy.count(), 0.0));
        to.add("ringpipe_pool_worker_done_tasks_total", "Tasks that gave a result", kind::Counter,
               who, number(worker.done));
        to.add("ringpipe_pool_worker_failed_tasks_total", "Tasks that threw", kind::Counter, who,
               number(worker.failed));
    }
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
        for (const auto& one : now.spaces) {
            if (!one.problem.empty()) {
                all.add("ringpipe_space_readable", "1 if the space could be looked at", kind::Gauge,
                        {{"space", printable(one.name)}}, 0);
                continue;
            }
            add_space(all, one.status);
            for (const auto& each : one.status.primitives) { add_primitive(all, one.name, each); }
        }
        for (const auto& one : now.pools) {
            if (one.problem.empty()) {
                add_pool(all, one.outline);
            } else {
                all.add("ringpipe_pool_readable", "1 if the pool could be looked at", kind::Gauge,
                        {{"pool", printable(one.name)}}, 0);
            }
        }
    } catch (const std::exception&) {
        // The library has no way to say it; the next scrape tries again.
        return {};
    }
    return all.take();
}

}  // namespace ringpipe::pipeline
