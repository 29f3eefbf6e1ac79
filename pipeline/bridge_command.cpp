#include <sysexits.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "bridge/address.hpp"
#include "bridge/in.hpp"
#include "bridge/out.hpp"
#include "common/bus_error.hpp"
#include "common/command_line.hpp"
#include "common/progress.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/say.hpp"
#include "shm/name.hpp"

namespace ringpipe::pipeline {
namespace {

struct bridge_options {
    std::string ring;
    std::string address;
    bridge::connection_options connection;
    bridge::out_options out;
    bridge::in_options in;
    ring_options creation;
    std::uint32_t partitions = 1;
    std::optional<bool> progress;
    bool stats = false;
};

std::string from_environment(const char* name) {
    const char* text = std::getenv(name);
    return text != nullptr ? text : "";
}

// A password on the command line would be seen by everybody who runs ps.
void add_connection_options(CLI::App& sub, bridge_options& o) {
    constexpr auto group = "Connection";
    auto& to = o.connection;
    sub.add_option("--user", to.user, "Log in as; the password is in RINGPIPE_NATS_PASSWORD")
        ->group(group)
        ->type_name("NAME");
    sub.add_option("--creds", to.credentials_file, "Credentials (JWT and seed), as nsc writes them")
        ->group(group)
        ->type_name("FILE");
    sub.add_option("--nkey-seed", to.nkey_seed_file, "Log in with the NKey seed in this file")
        ->group(group)
        ->type_name("FILE");
    sub.add_option("--nkey", to.nkey_public, "The public NKey of that seed (U...)")
        ->group(group)
        ->type_name("KEY");
    sub.add_option("--tls-ca", to.tls_ca_file, "Use TLS; trust this authority")
        ->group(group)
        ->type_name("FILE");
    auto* key = sub.add_option("--tls-key", to.tls_key_file, "The key of --tls-cert")
                    ->group(group)
                    ->type_name("FILE");
    sub.add_option("--tls-cert", to.tls_cert_file, "Show this certificate to the server")
        ->group(group)
        ->type_name("FILE")
        ->needs(key);
}

void add_common_options(CLI::App& sub, bridge_options& o) {
    add_connection_options(sub, o);
    sub.add_flag("--progress,!--no-progress", o.progress,
                 "Show how far it is (by default, on a terminal)");
    sub.add_flag("--stats", o.stats, "One line of JSON on standard error at the end");
    sub.footer(
        "Several servers of a cluster: nats://a:4222,nats://b:4222/STREAM. A token or a password "
        "is\n"
        "given in RINGPIPE_NATS_TOKEN or RINGPIPE_NATS_PASSWORD, or in the address.\n"
        "What is guaranteed from end to end: docs/distributed.md.\n"
        "\n"
        "Exit codes: 0 the stream has ended; 3 it is truncated; others as sysexits.h\n");
}

void add_out_options(CLI::App& sub, bridge_options& o) {
    using command_line::add;
    auto& with = o.out;
    sub.add_option("RING[/GROUP]", o.ring, "The ring, and the group to join (default)")->required();
    sub.add_option("ADDRESS", o.address, "nats://HOST:PORT/STREAM")->required();
    sub.add_option("--window", with.window, "Messages that may wait for their acknowledgement")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    add(
        sub, "--partition-by", with.partition,
        [](const std::string& t) { return bridge::parse_partitioning(t); },
        "To the subjects STREAM.0, STREAM.1, ...: by a hash of the message, of its first bytes, or "
        "of a field of it")
        ->type_name("hash|prefix:BYTES|field:N[:C]");
    sub.add_option("--partitions", o.partitions, "How many of them")
        ->check(CLI::Range(1, 65'536))
        ->needs(sub.get_option("--partition-by"));
    sub.add_flag("--shared", with.shared,
                 "Others publish to this stream, too: order is kept only while no server fails");
    add(
        sub, "--settle", with.settle, [](const std::string& t) { return parse_duration(t); },
        "Keep a message so long after the stream has acknowledged it, to send it again if a server "
        "fails meanwhile (3s with replicas, else 0)")
        ->type_name("TIME");
    sub.add_flag("--follow", with.follow, "Go on when the ring's stream has ended");
    constexpr auto group = "If the stream is not there";
    auto* create = sub.add_flag("--create", with.creation.create, "Make it")->group(group);
    sub.add_option("--replicas", with.creation.replicas, "Servers that have each message (1)")
        ->check(CLI::Range(1, 5))
        ->needs(create)
        ->group(group);
    command_line::add_choice<std::optional<bridge::retention>>(
        sub, "--retention", with.creation.retention,
        {{"limits", bridge::retention::limits}, {"workqueue", bridge::retention::workqueue}},
        "Keep messages up to the limits, or until they are acknowledged")
        ->group(group);
    const auto duration = [](const std::string& t) { return parse_duration(t); };
    add(sub, "--max-age", with.creation.max_age, duration, "Discard what is older")
        ->type_name("TIME")
        ->group(group);
    add(
        sub, "--max-bytes", with.creation.max_bytes,
        [](const std::string& t) { return parse_size(t); }, "When full, the ring has to wait")
        ->type_name("SIZE")
        ->group(group);
    add(sub, "--duplicate-window", with.creation.duplicate_window, duration,
        "How long the server remembers what it has, for an `out` that was killed (2m)")
        ->type_name("TIME")
        ->group(group);
    add_common_options(sub, o);
}

void add_in_options(CLI::App& sub, bridge_options& o) {
    sub.add_option("ADDRESS", o.address, "nats://HOST:PORT/STREAM[/CONSUMER]")->required();
    sub.add_option("RING", o.ring, "The ring; it is made if it is not there")->required();
    sub.add_option("--partition", o.in.partition, "Only the subject STREAM.N")->type_name("N");
    sub.add_option("--batch", o.in.batch, "Messages to fetch at a time")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    sub.add_flag("--follow", o.in.follow, "Go on when the stream tells of its end");
    command_line::add(
        sub, "--capacity", o.creation.capacity, [](const std::string& t) { return parse_size(t); },
        "If the ring is new: how much it holds (16 MiB)")
        ->type_name("SIZE");
    add_common_options(sub, o);
}

int report(const bridge_options& o, const bridge::transfer& done, const progress_meter& meter) {
    using bridge::ending;
    const auto* ended = done.why == ending::clean       ? "clean"
                        : done.why == ending::truncated ? "truncated"
                                                        : "signal";
    if (done.missing > 0) {
        say("{}{} messages were no longer in the stream: its limits (max age, max bytes) or "
            "somebody "
            "removed them before they were read",
            done.missing_at_least ? "at least " : "", done.missing);
    } else if (done.why == ending::truncated) {
        say("the stream is truncated: a producer died or gave up before its end");
    }
    if (o.stats) {
        const nlohmann::ordered_json line{
            {"ring", o.ring},
            {"messages", done.messages},
            {"bytes", done.bytes},
            {"seconds", std::chrono::duration<double>(meter.elapsed()).count()},
            {"duplicates", done.duplicates},
            {"resent", done.resent},
            {"missing", done.missing},
            {"ended", ended},
        };
        fmt::print(stderr, "{}\n",
                   line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (done.why == ending::signal) { return exit_code_for_signal(stop_signal()); }
    return done.why == ending::truncated ? exit_code_truncated : EXIT_SUCCESS;
}

int bridge_between(bridge_options o, bool out) {
    const auto address = bridge::parse_nats_address(o.address);
    if (o.connection.nkey_seed_file.empty() != o.connection.nkey_public.empty()) {
        throw error{errc::invalid_argument, "--nkey and --nkey-seed go together; give both"};
    }
    o.connection.servers = address.servers;
    o.connection.password = from_environment("RINGPIPE_NATS_PASSWORD");
    o.connection.token = from_environment("RINGPIPE_NATS_TOKEN");
    o.connection.direction = out ? "out" : "in";
    o.connection.stream = address.stream;
    o.connection.name = std::string{"ringpipe bridge "} + (out ? "out " : "in ") + o.ring;
    const bridge::teller tell = [](std::string_view line) { say("{}", line); };
    o.connection.tell = tell;

    install_stop_signals();
    ignore_broken_pipe();
    progress_meter meter{out ? "bridge out" : "bridge in",
                         o.progress.value_or(stderr_is_terminal())};
    const bridge::pass_counter count = [&](std::uint64_t messages, std::uint64_t bytes) {
        if (messages == 0) {
            meter.look();
        } else {
            meter.add(messages, bytes);
        }
    };
    bridge::transfer done;
    if (out) {
        // A ring by its path has slashes: of those, no group is cut off.
        if (const auto slash = o.ring.find('/'); slash != std::string::npos && slash != 0) {
            o.out.group = o.ring.substr(slash + 1);
            o.ring.resize(slash);
            check_name(o.out.group, "group");
        }
        o.out.stream = address.stream;
        o.out.partition.partitions = o.partitions;
        install_bus_error_handler(program_name, o.ring);
        const auto from = ring::open(o.ring);
        const bridge::connection over{o.connection};
        done = bridge::run_out(from, over, o.out, tell, count);
    } else {
        o.in.stream = address.stream;
        if (!address.consumer.empty()) { o.in.consumer = address.consumer; }
        o.connection.stream += "/" + o.in.consumer;
        install_bus_error_handler(program_name, o.ring);
        const bridge::connection over{o.connection};
        const auto to = ring::open_or_create(o.ring, o.creation);
        done = bridge::run_in(to, over, o.in, tell, count);
    }
    meter.finish();
    return report(o, done, meter);
}

}  // namespace

command add_bridge(CLI::App& app) {
    auto* sub = app.add_subcommand("bridge", "Joins a ring with a stream of NATS JetStream");
    sub->require_subcommand(1);
    auto to = std::make_shared<bridge_options>();
    auto from = std::make_shared<bridge_options>();
    auto* out = sub->add_subcommand("out", "From a ring to a stream");
    auto* in = sub->add_subcommand("in", "From a stream to a ring");
    add_out_options(*out, *to);
    add_in_options(*in, *from);
    sub->footer(
        "Examples:\n"
        "  ringpipe bridge out jobs nats://hub:4222/jobs --create --replicas 3\n"
        "  ringpipe bridge in nats://hub:4222/jobs jobs        on another machine");
    return {sub, [=] { return *out ? bridge_between(*to, true) : bridge_between(*from, false); }};
}

}  // namespace ringpipe::pipeline
