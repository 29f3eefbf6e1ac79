#include "pipeline/run/run_launch.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include <algorithm>
#include <csignal>
#include <string_view>
#include <utility>

#include "common/program.hpp"
#include "common/shutdown.hpp"
#include "pipeline/run/stage_process.hpp"
#include "pipeline/say.hpp"
#include "pipeline/stage/options.hpp"
#include "pipeline/stage/retirement.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto look = 20ms;
constexpr auto before_kill = 2s;  // of a stage that was asked to stop
constexpr auto long_life = 1s;    // a copy that lived so long is started again at once
constexpr std::chrono::milliseconds first_delay = 10ms;
constexpr std::chrono::milliseconds most_delay = 1000ms;
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

}  // namespace

run_launch::run_launch(run_plan plan) : plan_{std::move(plan)}, links_{plan_} {
    for (const int signal : {SIGINT, SIGHUP, SIGTERM}) {
        // What nohup, or a script's `&`, made ignored stays so.
        if (!is_ignored(signal)) { signals_.add(signal); }
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // see child::gone()
    for (const auto& each : plan_.parts) {
        states_.push_back({std::vector<copy>(each.copies), {}, {}, 0});
    }
    control_.emplace(context_, links_.base(),
                     [this](const auto& order, const auto& reply) { take_order(order, reply); });
    if (plan_.view) { view_.emplace(plan_, links_); }
}

run_launch::~run_launch() { states_.clear(); }

int run_launch::run() {
    await_signal();
    // The last first: who fills a ring finds its readers there.
    for (auto place = states_.size(); place-- > 0;) {
        for (std::size_t number = 0; number < states_[place].copies.size(); ++number) {
            start(place, number);
        }
    }
    tick();
    context_.run();
    view_.reset();
    if (plan_.summary) { summarize(); }
    const int result = exit_code();
    if (result != 0 && !plan_.name.empty() && something_is_left()) {
        links_.keep();
        say("what is not done is kept; go on with --resume, or remove the rings {}-*", plan_.name);
    }
    return result;
}

int run_launch::exit_code() const {
    if (interrupts_ > 0) { return exit_code_for_signal(interrupted_by_); }
    int result = 0;
    for (const auto& each : states_) {
        if (each.exit_code != 0) { result = each.exit_code; }
    }
    return result;
}

bool run_launch::something_is_left() const {
    return std::any_of(plan_.parts.begin(), plan_.parts.end(),
                       [&](const part& each) { return links_.inbox_of(each).bytes_left > 0; });
}

std::string run_launch::name_of(std::size_t place, std::size_t number) const {
    const auto& what = plan_.parts[place];
    const auto name = name_of_copy(what, number);
    return what.text.empty() ? name : name + " (" + what.text + ")";
}

void run_launch::start(std::size_t place, std::size_t number) {
    auto& one = states_[place].copies[number];
    one.started_at = clock::now();
    one.done_at_start = links_.inbox_of(plan_.parts[place]).bytes_done;
    one.lives.push_back(std::make_unique<child>(context_, guard_,
                                                stage_process(plan_.parts[place], number, links_),
                                                [=, this] { ended(place, number); }));
}

void run_launch::ended(std::size_t place, std::size_t number) {
    auto& where = states_[place];
    auto& one = where.copies[number];
    auto& life = *one.lives.back();
    life.signal(SIGKILL);  // what a killed copy left of its filter
    const int code = life.exit_code();
    const bool had_not_begun = one.retires && life.killed_by(stage::retirement_signal);
    if (life.killed_by(stage::nothing_found()) || had_not_begun) {
        one.nothing_found = true;
        return copy_done(place, number);
    }
    if (code != 0 && !where.stopped_at) {
        const bool again = may_start_again(place, number);
        // When it retires, the others do what it has left.
        const bool lossless =
            plan_.parts[place].exact && (again || (one.retires && !is_final(code)));
        if (!lossless && (where.exit_code == 0 || where.exit_code == quiet_end)) {
            where.exit_code = code;
        }
        if (again) { return start_again(place, number); }
        if (!lossless) { say_failed(place, number); }
    }
    copy_done(place, number);
}

void run_launch::say_failed(std::size_t place, std::size_t number) const {
    const auto& life = *states_[place].copies[number].lives.back();
    const int code = life.exit_code();
    const bool as_told = interrupts_ > 0 && code == exit_code_for_signal(interrupted_by_);
    if (code == quiet_end || as_told) { return; }
    say("{} failed: {}{}", name_of(place, number), life.how_it_ended(),
        links_.waiting_for(plan_.parts[place]));
}

bool run_launch::may_start_again(std::size_t place, std::size_t number) const {
    const auto& what = plan_.parts[place];
    const auto& one = states_[place].copies[number];
    const int code = one.lives.back()->exit_code();
    if (one.retires || one.restarts >= what.restarts || is_final(code)) { return false; }
    // Its stream has come to an end, if to a bad one.
    if (!what.bridge.empty() && code == exit_code_truncated) { return false; }
    // Who is interrupted has ended as it was told to, if it is a source.
    if (interrupts_ > (what.from ? 1 : 0)) { return false; }
    const auto inbox = links_.inbox_of(what);
    return !(inbox.ended && inbox.bytes_left == 0);
}

void run_launch::start_again(std::size_t place, std::size_t number) {
    const auto& what = plan_.parts[place];
    auto& one = states_[place].copies[number];
    ++one.restarts;
    say("{} is started again, {} of {}: {}{}", name_of(place, number), one.restarts, what.restarts,
        one.lives.back()->how_it_ended(),
        what.exact ? "" : "; what it had read and not answered is lost, so the run will fail");
    auto wait = std::make_shared<boost::asio::steady_timer>(context_, back_off(place, one));
    wait->async_wait([=, this](boost::system::error_code) {
        (void)wait;
        const bool unwanted =
            interrupts_ > 1 || states_[place].stopped_at || states_[place].copies[number].retires;
        unwanted ? copy_done(place, number) : start(place, number);
    });
}

// A stage that gets on with its work is not made to wait longer each time.
std::chrono::milliseconds run_launch::back_off(std::size_t place, copy& one) const {
    const bool fruitless = clock::now() - one.started_at < long_life &&
                           links_.inbox_of(plan_.parts[place]).bytes_done == one.done_at_start;
    one.fruitless = fruitless ? one.fruitless + 1 : 0;
    return std::min(first_delay * (1 << std::min(one.fruitless, 10U)), most_delay);
}

bool run_launch::all_done(std::size_t place) const {
    const auto& copies = states_[place].copies;
    return std::all_of(copies.begin(), copies.end(), [](const copy& each) { return each.done; });
}

void run_launch::copy_done(std::size_t place, std::size_t number) {
    states_[place].copies[number].done = true;
    tell_who_waits_for(place, number);
    if (!all_done(place)) { return; }
    auto& where = states_[place];
    if (!where.stopped_at && std::all_of(where.copies.begin(), where.copies.end(),
                                         [](const copy& each) { return each.nothing_found; })) {
        where.exit_code = 1;
        const auto& what = plan_.parts[place];
        say("{} ({}) failed: exit code 1{}", what.label, what.text,
            where.copies.size() > 1 ? " of all copies" : links_.waiting_for(what));
    }
    part_ended(place);
}

// Whoever reads its ring sees the end, if nobody else writes to it; whoever writes to the ring that
// it has read is stopped, as a pipe's writer, if nobody else reads it.
void run_launch::part_ended(std::size_t place) {
    const auto& what = plan_.parts[place];
    const auto all_ended = [&](auto has_to_do_with_it) {
        for (std::size_t other = 0; other < plan_.parts.size(); ++other) {
            if (has_to_do_with_it(plan_.parts[other]) && !all_done(other)) { return false; }
        }
        return true;
    };
    if (what.to && all_ended([&](const part& other) { return other.to == what.to; })) {
        links_.end(*what.to);
    }
    if (!what.from) { return; }
    // It would hold back the other readers of a tee. If there are none, it is kept for a resume.
    if (what.questions && !all_ended([&](const part& other) {
            return other.from == what.questions && !other.asks_again;
        })) {
        links_.leave(*what.questions, what.passed);
    }
    if (all_ended([&](const part& other) { return other.from == what.from; })) {
        for (std::size_t writer = 0; writer < plan_.parts.size(); ++writer) {
            if (plan_.parts[writer].to == what.from) { stop(writer); }
        }
    } else if (all_ended([&](const part& other) {
                   return other.from == what.from && other.group == what.group;
               })) {
        links_.leave(*what.from, what.group);
    }
}

void run_launch::stop(std::size_t place) {
    auto& where = states_[place];
    if (where.stopped_at || all_done(place)) { return; }
    where.stopped_at = clock::now();
    signal_all(place, SIGTERM);
}

void run_launch::signal_all(std::size_t place, int signal) {
    for (auto& one : states_[place].copies) {
        if (!one.lives.empty()) { one.lives.back()->signal(signal); }
    }
}

void run_launch::tick() {
    const auto now = clock::now();
    for (std::size_t place = 0; place < states_.size(); ++place) {
        const auto& stopped_at = states_[place].stopped_at;
        if (stopped_at && now - *stopped_at >= before_kill) { signal_all(place, SIGKILL); }
    }
    if (finished()) {
        signals_.cancel();
        control_->close();
        return;
    }
    show_flow();
    timer_.expires_after(look);
    timer_.async_wait([this](boost::system::error_code failed) {
        if (!failed) { tick(); }
    });
}

bool run_launch::finished() {
    bool all = true;
    for (auto& where : states_) {
        for (auto& one : where.copies) {
            all = all && one.done;
            for (auto& life : one.lives) { all = life->gone() && all; }
        }
    }
    return all;
}

void run_launch::await_signal() {
    signals_.async_wait([this](boost::system::error_code failed, int signal) {
        if (failed) { return; }
        interrupt(signal);
        await_signal();
    });
}

// The first stops the sources, and what is in the rings still comes through; the second ends all.
void run_launch::interrupt(int signal) {
    interrupted_by_ = signal;
    const bool first = ++interrupts_ == 1;
    if (first) {
        say("stopping: what is on its way still comes through; once more ends it at once");
    }
    for (std::size_t place = 0; place < states_.size(); ++place) {
        if (!first) {
            states_[place].stopped_at = clock::now();
            signal_all(place, SIGKILL);
        } else if (!plan_.parts[place].from) {
            signal_all(place, signal == SIGHUP ? SIGHUP : SIGINT);
        }
    }
}

void run_launch::show_flow() {
    if (!view_ || !view_->is_due()) { return; }
    std::vector<std::size_t> copies;
    for (std::size_t place = 0; place < states_.size(); ++place) {
        copies.push_back(at_work(place).size());
    }
    view_->draw(copies);
}

void run_launch::summarize() const {
    for (std::size_t place = 0; place < states_.size(); ++place) {
        const auto& what = plan_.parts[place];
        if (what.text.empty()) { continue; }
        unsigned restarts = 0;
        for (const auto& one : states_[place].copies) { restarts += one.restarts; }
        say("{}{}, exit code {}", links_.summary_of(what),
            restarts > 0 ? fmt::format(", {} restarts", restarts) : "", states_[place].exit_code);
    }
}

}  // namespace ringpipe::pipeline
