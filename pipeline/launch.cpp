#include "pipeline/launch.hpp"

#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/shutdown.hpp"
#include "pipeline/say.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto look_when_starting = 5ms;
constexpr auto look_later = 100ms;
constexpr auto most_for_first_side = 2s;  // then the second one starts anyway
constexpr auto before_stop = 500ms;       // of a side that waits for nobody
constexpr auto before_kill = 5s;          // of one that was asked to stop

bool is_ignored(int signal) {
    struct sigaction action {};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

bool is_stop(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP; }

// This program's environment, with the ring's name, and its own folder first in PATH.
std::vector<std::string> environment_for(const std::string& ring, unsigned number) {
    const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
    std::vector<std::string> all;
    std::string path = "/usr/local/bin:/usr/bin:/bin";
    for (auto** entry = ::environ; *entry != nullptr; ++entry) {
        const std::string_view variable{*entry};
        if (variable.starts_with("PATH=")) {
            path = variable.substr(5);
        } else if (!variable.starts_with("RINGPIPE_RING=") &&
                   !variable.starts_with("RINGPIPE_NUMBER=")) {
            all.emplace_back(variable);
        }
    }
    all.push_back("PATH=" + here + ":" + path);
    all.push_back("RINGPIPE_RING=" + ring);
    all.push_back("RINGPIPE_NUMBER=" + std::to_string(number));
    return all;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
}

}  // namespace

std::string shell_word(std::string_view text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@%+,=";
    if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) {
        return std::string{text};
    }
    std::string inner{text};
    replace_all(inner, "'", R"('\'')");
    return "'" + inner + "'";
}

std::string expand(std::string_view command, std::string_view ring, unsigned number) {
    std::string text{command};
    replace_all(text, "{n}", std::to_string(number));
    replace_all(text, "{ring}", shell_word(ring));
    return text;
}

launch::launch(launch_plan plan) : plan_{std::move(plan)} {
    for (const int signal : {SIGINT, SIGHUP, SIGTERM, SIGTSTP, SIGCONT}) {
        // What nohup, or a script's `&`, made ignored stays so.
        if (!is_ignored(signal)) { signals_.add(signal); }
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // see child::gone()
}

int launch::run() {
    await_signal();
    if (plan_.first != first_side::consumers) { start(side::producer); }
    if (plan_.first != first_side::producer) { start(side::consumer); }
    tick();
    context_.run();
    return exit_code_;
}

void launch::start(side which) {
    const unsigned count = which == side::consumer ? plan_.consumers : 1;
    for (unsigned number = 1; number <= count; ++number) {
        shell_command what;
        what.role = which;
        what.label = which == side::producer ? "producer"
                     : count == 1            ? "consumer"
                                             : "consumer " + std::to_string(number);
        what.text =
            expand(which == side::producer ? plan_.producer : plan_.consumer, plan_.ring, number);
        what.environment = environment_for(plan_.ring, number);
        const auto place = children_.size();
        children_.emplace_back(context_, guard_, std::move(what), [this, place] {
            ended(*std::next(children_.begin(), static_cast<std::ptrdiff_t>(place)));
        });
    }
}

void launch::ended(const child& who) {
    const int code = who.exit_code();
    if (code != 0 && stopped_ != who.what().role) {
        const bool as_told = interrupted_ && code == exit_code_for_signal(last_stop_signal_);
        if (!as_told) { say("the {} failed: {}", who.what().label, who.how_it_ended()); }
        fail(code);
    }
    look();
}

void launch::fail(int code) {
    if (exit_code_ == 0) { exit_code_ = code; }
}

void launch::tick() {
    look();
    if (finished()) { return; }
    const bool starting = !started(side::producer) || !started(side::consumer);
    const bool ending = all_ended(side::producer) && all_ended(side::consumer);
    timer_.expires_after(starting || ending ? look_when_starting : look_later);
    timer_.async_wait([this](boost::system::error_code failed) {
        if (!failed) { tick(); }
    });
}

void launch::look() {
    look_at_ring();
    if (!interrupted_ && !stopped_ && second_side_may_start()) {
        start(started(side::producer) ? side::consumer : side::producer);
    }
    stop_who_waits_in_vain();
    if (finished()) {
        // Nothing else is pending then, and context_.run() returns.
        timer_.cancel();
        signals_.cancel();
    }
}

// It may not be there yet, or be no ring: that is for the programs to say.
void launch::look_at_ring() {
    try {
        if (!ring_) { ring_ = ring::open(plan_.ring, deadline::min()); }
        status_ = ring_->status();
        if (plan_.watch) { plan_.watch(*status_); }
    } catch (const error&) { status_.reset(); }
}

bool launch::second_side_may_start() const {
    if (started(side::producer) && started(side::consumer)) { return false; }
    if (clock::now() - started_at_ >= most_for_first_side) { return true; }
    if (started(side::producer)) { return ring_ || all_ended(side::producer); }
    return (status_ && status_->consumers >= plan_.consumers) || all_ended(side::consumer);
}

// A consumer waits for the first producer to come, and a producer for room: for ever, if the
// command that should have brought it is gone.
void launch::stop_who_waits_in_vain() {
    const auto now = clock::now();
    if (stopped_) {
        if (now - stopped_at_ < before_kill) { return; }
        for (auto& one : children_) {
            if (one.what().role == *stopped_) { one.signal(SIGKILL); }
        }
        return;
    }
    const bool attached = status_ && status_->producers > 0;
    const bool no_producer = all_ended(side::producer) && !all_ended(side::consumer) && !attached &&
                             !(status_ && status_->ended);
    const bool no_consumer = all_ended(side::consumer) && !all_ended(side::producer) && attached;
    if (!no_producer && !no_consumer) {
        waits_in_vain_since_.reset();
        return;
    }
    if (!waits_in_vain_since_) { waits_in_vain_since_ = now; }
    if (now - *waits_in_vain_since_ < before_stop) { return; }
    if (no_producer) {
        say("the producer has ended and was never at ring {}, so the consumers are stopped",
            plan_.ring);
        fail(EX_UNAVAILABLE);
        stop(side::consumer);
    } else {
        say("no consumer is left, so the producer is stopped");
        stop(side::producer);
    }
}

void launch::stop(side which) {
    stopped_ = which;
    stopped_at_ = clock::now();
    for (auto& one : children_) {
        if (one.what().role == which) { one.signal(SIGTERM); }
    }
}

void launch::await_signal() {
    signals_.async_wait([this](boost::system::error_code failed, int signal) {
        if (failed) { return; }
        pass_on(signal);
        await_signal();
    });
}

void launch::pass_on(int signal) {
    if (is_stop(signal)) {
        interrupted_ = true;
        last_stop_signal_ = signal;
        // The programs end at the second SIGINT by themselves; whatever ignores it, at the third.
        if (!started(side::consumer) || !started(side::producer)) {
            fail(exit_code_for_signal(signal));
        }
        if (++stop_signals_ >= 3) { signal = SIGKILL; }
    }
    for (auto& one : children_) { one.signal(signal); }
    if (signal == SIGTSTP) { ::raise(SIGSTOP); }
}

bool launch::started(side which) const {
    return std::any_of(children_.begin(), children_.end(),
                       [=](const child& one) { return one.what().role == which; });
}

bool launch::all_ended(side which) const {
    return started(which) && std::all_of(children_.begin(), children_.end(), [=](const child& one) {
               return one.what().role != which || one.ended();
           });
}

bool launch::finished() {
    const bool nothing_to_start =
        interrupted_ || stopped_ || (started(side::producer) && started(side::consumer));
    return nothing_to_start &&
           std::all_of(children_.begin(), children_.end(), [](child& one) { return one.gone(); });
}

}  // namespace ringpipe::pipeline
