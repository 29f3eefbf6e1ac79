#include <fmt/core.h>
#include <sysexits.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/progress.hpp"
#include "common/shutdown.hpp"
#include "common/temporary_folder.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/demo_text.hpp"
#include "pipeline/fresh_ring.hpp"
#include "pipeline/launch.hpp"
#include "pipeline/say.hpp"

namespace ringpipe::pipeline {
namespace {

namespace fs = std::filesystem;

struct demo_options {
    unsigned consumers = 2;
    std::uint64_t size = 100'000'000;
    std::uint64_t capacity = std::uint64_t{4} << 20U;
};

// What one consumer says of itself, with --stats.
struct share {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
};

struct figures {
    std::vector<share> shares;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::chrono::nanoseconds time{};
};

fs::path output_of(const fs::path& folder, unsigned number) {
    return folder / fmt::format("output.{}", number);
}

fs::path stats_of(const fs::path& folder, unsigned number) {
    return folder / fmt::format("stats.{}", number);
}

// Other lines than the one of --stats are passed on: they are for the user.
share read_share(const fs::path& file) {
    share result;
    bool found = false;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) {
        const auto json = nlohmann::json::parse(line, nullptr, false);
        if (json.is_object() && json.contains("messages") && json.contains("bytes")) {
            result = {json["messages"].get<std::uint64_t>(), json["bytes"].get<std::uint64_t>()};
            found = true;
        } else if (!line.empty()) {
            fmt::print(stderr, "{}\n", line);
        }
    }
    if (!found) {
        throw error{errc::malformed_input, "a consumer of the demo left no figures behind"};
    }
    return result;
}

// The same for each consumer: {n} tells them apart.
std::string consumer_command(const fs::path& folder) {
    return fmt::format("exec ringpipe-consumer {{ring}} --no-progress --stats --to {} 2>{}",
                       shell_word((folder / "output.").string()) + "{n}",
                       shell_word((folder / "stats.").string()) + "{n}");
}

// What the ring counts is drawn as it goes; its bytes are a share of the text's.
std::function<void(const ring_status&)> drawn_by(progress_meter& meter, const demo_text& text) {
    return [&meter, &text](const ring_status& status) {
        const auto part = static_cast<double>(status.messages) / static_cast<double>(text.lines);
        const auto bytes = static_cast<std::uint64_t>(part * static_cast<double>(text.bytes));
        meter.add(status.messages - meter.messages(), bytes - std::min(bytes, meter.bytes()));
        meter.look();
    };
}

void print_summary(const demo_text& text, std::uint64_t capacity, const figures& all) {
    const auto seconds = std::chrono::duration<double>(all.time).count();
    fmt::print("text        {}, each line numbered: {} lines, {}\n", text.origin,
               format_count(text.lines), format_bytes(text.bytes));
    fmt::print("ring        {}, 1 producer, {} consumers of one group\n", format_bytes(capacity),
               all.shares.size());
    fmt::print("passed      {} messages, {} in {:.2f} s: {}, {}\n", format_count(all.messages),
               format_bytes(all.bytes), seconds,
               format_rate(static_cast<double>(all.messages) / seconds, "msg"),
               format_rate(static_cast<double>(all.bytes) / seconds, "B"));
    for (std::size_t i = 0; i < all.shares.size(); ++i) {
        const auto& [messages, bytes] = all.shares[i];
        fmt::print("consumer {}  {} messages, {} ({:.1f} %)\n", i + 1, format_count(messages),
                   format_bytes(bytes),
                   100.0 * static_cast<double>(messages) /
                       static_cast<double>(std::max<std::uint64_t>(all.messages, 1)));
    }
}

int demo(const demo_options& options) {
    install_stop_signals();  // so that a signal leaves nothing behind
    const temporary_folder folder;
    const auto text = write_demo_text(folder.path() / "input", options.size);
    if (stop_requested()) { return exit_code_for_signal(stop_signal()); }

    const fresh_ring fresh{"demo"};
    ring_options made;
    made.capacity = options.capacity;
    const auto ring = ring::create(fresh.name(), made);

    progress_meter meter{"demo"};
    launch_plan plan;
    plan.ring = fresh.name();
    plan.producer = fmt::format("exec ringpipe-producer {{ring}} --no-progress {}",
                                shell_word(text.file.string()));
    plan.consumer = consumer_command(folder.path());
    plan.consumers = options.consumers;
    plan.first = first_side::consumers;
    plan.watch = drawn_by(meter, text);
    const int result = launch{std::move(plan)}.run();
    figures all;
    all.time = meter.elapsed();
    meter.finish();
    if (result != 0) { return result; }
    install_stop_signals();  // again: the launch had them for itself
    ignore_broken_pipe();    // the summary may lose its reader, but not the folder its remover

    std::vector<fs::path> outputs;
    for (unsigned number = 1; number <= options.consumers; ++number) {
        outputs.push_back(output_of(folder.path(), number));
        const auto one = read_share(stats_of(folder.path(), number));
        all.shares.push_back(one);
        all.messages += one.messages;
        all.bytes += one.bytes;
    }
    const auto problem = compare_with(text, outputs);
    if (stop_requested()) { return exit_code_for_signal(stop_signal()); }
    print_summary(text, ring.capacity(), all);
    if (!problem.empty()) {
        fmt::print("verified    NO: {}\n", problem);
        return EX_DATAERR;
    }
    fmt::print("verified    merged by line number, the outputs are the text, byte for byte\n");
    return 0;
}

}  // namespace

command add_demo(CLI::App& app) {
    auto* sub =
        app.add_subcommand("demo", "Sends a real text through a ring, and checks what comes out");
    auto options = std::make_shared<demo_options>();
    const auto size = [](const std::string& text) { return parse_size(text); };
    command_line::add(*sub, "--size", options->size, size, "How much text, at least [100MB]")
        ->type_name("SIZE");
    sub->add_option("--consumers", options->consumers, "How many share it [2]")
        ->check(CLI::Range(1U, 64U))
        ->type_name("N");
    command_line::add(*sub, "--capacity", options->capacity, size, "The ring's size [4MiB]")
        ->type_name("SIZE");
    sub->footer(
        "One producer sends the text line by line, the consumers share the lines, and each writes\n"
        "its share to a file. The files, merged, must be the text. All of it, ring and files, is\n"
        "removed at the end. Exit code: 0, or 65 if what came out is not what went in.");
    return {sub, [options] { return demo(*options); }};
}

}  // namespace ringpipe::pipeline
