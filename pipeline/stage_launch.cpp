#include "pipeline/stage_launch.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/shutdown.hpp"
#include "pipeline/launch.hpp"
#include "pipeline/say.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto look = 20ms;
constexpr auto before_kill = 2s;  // of a stage that was asked to stop
constexpr auto long_life = 1s;    // a copy that lived so long is started again at once
constexpr auto first_delay = 10ms;
constexpr auto most_delay = 1000ms;
constexpr int quiet_end = 128 + SIGPIPE;

// A wrong command will be wrong at the next try, too.
bool is_final(int code) {
    return code == EX_USAGE || code == EX_DATAERR || code == 126 || code == 127 ||
           code == quiet_end;
}

bool is_ignored(int signal) {
    struct sigaction action {};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

std::vector<std::string> environment_for(std::size_t number) {
    std::vector<std::string> all;
    for (auto** entry = ::environ; *entry != nullptr; ++entry) {
        if (!std::string_view{*entry}.starts_with("RINGPIPE_NUMBER=")) { all.emplace_back(*entry); }
    }
    all.push_back(fmt::format("RINGPIPE_NUMBER={}", number + 1));
    return all;
}

}  // namespace

stage_launch::stage_launch(stages_plan plan) : plan_{std::move(plan)} {
    for (const int signal : {SIGINT, SIGHUP, SIGTERM}) {
        // What nohup, or a script's `&`, made ignored stays so.
        if (!is_ignored(signal)) { signals_.add(signal); }
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // see child::gone()
    for (auto& each : parts_of(plan_)) {
        const auto copies = each.copies;
        parts_.push_back({std::move(each), std::vector<copy>(copies), {}, 0});
    }
}

stage_launch::~stage_launch() {
    for (auto& each : parts_) { each.copies.clear(); }
    for (const auto& each : links_) {
        try {
            ring::remove(each.name);
        } catch (const std::exception& e) { say("{}", e.what()); }
    }
}

int stage_launch::run() {
    await_signal();
    make_rings();
    // The last first: who fills a ring finds its readers there.
    for (auto place = parts_.size(); place-- > 0;) {
        for (std::size_t number = 0; number < parts_[place].copies.size(); ++number) {
            start(place, number);
        }
    }
    tick();
    context_.run();
    if (plan_.summary) { summarize(); }
    int result = 0;
    for (const auto& each : parts_) {
        if (each.exit_code != 0) { result = each.exit_code; }
    }
    return interrupts_ > 0 ? exit_code_for_signal(interrupted_by_) : result;
}

void stage_launch::make_rings() {
    const auto base = fmt::format("run-{}-{:08x}", ::getpid(), std::random_device{}());
    ring_options how;
    how.capacity = plan_.capacity;
    for (const auto& each : parts_) {
        if (!each.what.to) { continue; }
        auto name = fmt::format("{}-{}", base, *each.what.to + 1);
        auto made = ring::create(name, how);
        links_.push_back({std::move(name), made, std::nullopt});
        links_.back().holder.emplace(made, producer_options{.name = "run"});
    }
}

std::string stage_launch::name_of(std::size_t place, std::size_t number) const {
    const auto& what = parts_[place].what;
    return what.copies == 1 ? what.label : fmt::format("{}.{}", what.label, number + 1);
}

void stage_launch::start(std::size_t place, std::size_t number) {
    const auto& what = parts_[place].what;
    auto& one = parts_[place].copies[number];
    auto words = what.words;
    words.insert(words.end(), {"--label", name_of(place, number)});
    if (what.from) { words.insert(words.end(), {"--from", links_[*what.from].name}); }
    if (what.to) { words.insert(words.end(), {"--to", links_[*what.to].name}); }
    if (number > 0) { words.emplace_back("--when-needed"); }
    shell_command command;
    command.role = what.from ? side::consumer : side::producer;
    command.label = name_of(place, number);
    command.text =
        "exec " + shell_word(std::filesystem::read_symlink("/proc/self/exe").string()) + " stage";
    for (const auto& word : words) { command.text += " " + shell_word(word); }
    command.environment = environment_for(number);
    one.started_at = clock::now();
    one.done_at_start = done_before(place);
    one.lives.push_back(std::make_unique<child>(context_, guard_, std::move(command),
                                                [=, this] { ended(place, number); }));
}

void stage_launch::ended(std::size_t place, std::size_t number) {
    auto& where = parts_[place];
    auto& one = where.copies[number];
    auto& life = *one.lives.back();
    life.signal(SIGKILL);  // what a killed copy left of its filter
    const int code = life.exit_code();
    if (code != 0 && !where.stopped_at) {
        if (start_again(place, number)) { return; }
        const bool as_told = interrupts_ > 0 && code == exit_code_for_signal(interrupted_by_);
        if (where.exit_code == 0 || where.exit_code == quiet_end) { where.exit_code = code; }
        if (code != quiet_end && !as_told) {
            say("{}{} failed: {}{}", name_of(place, number),
                where.what.text.empty() ? "" : " (" + where.what.text + ")", life.how_it_ended(),
                waiting_before(place));
        }
    }
    copy_done(place, number);
}

bool stage_launch::start_again(std::size_t place, std::size_t number) {
    const auto& what = parts_[place].what;
    auto& one = parts_[place].copies[number];
    const auto& life = *one.lives.back();
    const int code = life.exit_code();
    if (!what.restartable || one.restarts >= plan_.restarts || interrupts_ > 1 || is_final(code) ||
        nothing_left(place)) {
        return false;
    }
    ++one.restarts;
    say("{} ({}) is started again, {} of {}: {}", name_of(place, number), what.text, one.restarts,
        plan_.restarts, life.how_it_ended());
    // A stage that gets on with its work is not made to wait longer each time.
    const bool fruitless =
        clock::now() - one.started_at < long_life && done_before(place) == one.done_at_start;
    one.fruitless = fruitless ? one.fruitless + 1 : 0;
    const auto delay = std::min(first_delay * (1 << std::min(one.fruitless, 10U)), most_delay);
    auto wait = std::make_shared<boost::asio::steady_timer>(context_, delay);
    wait->async_wait([=, this](boost::system::error_code) {
        if (interrupts_ > 1 || parts_[place].stopped_at) {
            copy_done(place, number);
        } else {
            start(place, number);
        }
        (void)wait;
    });
    return true;
}

bool stage_launch::all_done(const state& where) {
    return std::all_of(where.copies.begin(), where.copies.end(),
                       [](const copy& each) { return each.done; });
}

void stage_launch::copy_done(std::size_t place, std::size_t number) {
    auto& where = parts_[place];
    where.copies[number].done = true;
    if (all_done(where)) { part_ended(place); }
}

// Whoever reads its ring sees the end now. That a copy was killed is no matter for them: either it
// was started again and nothing is missing, or the run fails.
void stage_launch::part_ended(std::size_t place) {
    const auto& what = parts_[place].what;
    if (what.to) {
        auto& behind = links_[*what.to];
        behind.it.clear_truncated();
        behind.holder.reset();
    }
    stop_before(place);
}

// As a pipe's writer that nobody reads any more.
void stage_launch::stop_before(std::size_t place) {
    while (place-- > 0) {
        auto& where = parts_[place];
        if (where.stopped_at || all_done(where)) { continue; }
        where.stopped_at = clock::now();
        signal_all(place, SIGTERM);
    }
}

void stage_launch::signal_all(std::size_t place, int signal) {
    for (auto& one : parts_[place].copies) {
        if (!one.lives.empty()) { one.lives.back()->signal(signal); }
    }
}

void stage_launch::tick() {
    const auto now = clock::now();
    for (std::size_t place = 0; place < parts_.size(); ++place) {
        auto& where = parts_[place];
        if (where.stopped_at && now - *where.stopped_at >= before_kill) {
            signal_all(place, SIGKILL);
        }
    }
    if (finished()) {
        signals_.cancel();
        return;
    }
    timer_.expires_after(look);
    timer_.async_wait([this](boost::system::error_code failed) {
        if (!failed) { tick(); }
    });
}

bool stage_launch::finished() {
    bool all = true;
    for (auto& where : parts_) {
        for (auto& one : where.copies) {
            all = all && one.done;
            for (auto& life : one.lives) { all = life->gone() && all; }
        }
    }
    return all;
}

void stage_launch::await_signal() {
    signals_.async_wait([this](boost::system::error_code failed, int signal) {
        if (failed) { return; }
        interrupt(signal);
        await_signal();
    });
}

// The first stops the source, and what is in the rings still comes through; the second ends all.
void stage_launch::interrupt(int signal) {
    interrupted_by_ = signal;
    if (++interrupts_ == 1) {
        say("stopping: what is on its way still comes through; once more ends it at once");
        signal_all(0, signal == SIGHUP ? SIGHUP : SIGINT);
        return;
    }
    for (std::size_t place = 0; place < parts_.size(); ++place) {
        parts_[place].stopped_at = clock::now();
        signal_all(place, SIGKILL);
    }
}

// Bytes that the stage has acknowledged, all copies together.
std::uint64_t stage_launch::done_before(std::size_t place) const {
    const auto& what = parts_[place].what;
    if (!what.from) { return 0; }
    const auto status = links_[*what.from].it.status();
    std::uint64_t left = 0;
    for (const auto& group : status.groups) { left += group.lag_bytes; }
    return status.bytes - std::min(left, status.bytes);
}

bool stage_launch::nothing_left(std::size_t place) const {
    const auto& what = parts_[place].what;
    if (!what.from) { return false; }
    const auto status = links_[*what.from].it.status();
    return status.producers == 0 &&
           std::all_of(status.groups.begin(), status.groups.end(),
                       [](const group_status& each) { return each.lag_bytes == 0; });
}

std::string stage_launch::waiting_before(std::size_t place) const {
    const auto& what = parts_[place].what;
    if (!what.from) { return ""; }
    const auto status = links_[*what.from].it.status();
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    for (const auto& group : status.groups) {
        messages += group.lag_messages;
        bytes += group.lag_bytes;
    }
    return fmt::format("; {} messages were sent to it, {} not begun, {} bytes not done",
                       status.messages, messages, bytes);
}

void stage_launch::summarize() const {
    for (const auto& where : parts_) {
        const auto& what = where.what;
        if (what.text.empty()) { continue; }
        const auto side = [&](std::optional<std::size_t> ring, std::string_view direction) {
            if (!ring) { return std::string{}; }
            const auto status = links_[*ring].it.status();
            return fmt::format(", {} {} messages ({} bytes)", direction, status.messages,
                               status.bytes);
        };
        unsigned restarts = 0;
        for (const auto& one : where.copies) { restarts += one.restarts; }
        say("{} ({}){}{}{}, exit code {}", what.label, what.text, side(what.from, "in"),
            side(what.to, "out"), restarts > 0 ? fmt::format(", {} restarts", restarts) : "",
            where.exit_code);
    }
}

}  // namespace ringpipe::pipeline
