// What the survivors of a death do, and hold against what was promised.
#include <algorithm>
#include <map>
#include <memory>

#include "tests/crash/every_instruction.hpp"
#include "tests/support/ring_copy.hpp"
#include "tests/support/segment_view.hpp"

namespace ringpipe::test {
namespace {

const std::string after_it = "sent after the death";

struct failure {
    std::string what;
};

consumer member_of(const ring& in, const std::string& group) {
    consumer_options options;
    options.group = group;
    options.max_attempts = 0;
    return consumer{in, options};
}

std::string quoted(const std::string& text) { return "'" + text.substr(0, 24) + "'"; }

// What one group has been given, and may yet be.
class account {
  public:
    account(const story& of, const promises& told, bool of_the_dead) : of_{of} {
        for (std::size_t i = 0; i < of.sent.size(); ++i) {
            auto& m = known_[of.sent[i]];
            m.owed = !of_the_dead || i >= told.acknowledging;
            m.settled = of_the_dead && i < told.acknowledged;
            m.delivered = of_the_dead && i < told.received;
            if (m.settled || !m.owed) { continue; }
            ++outstanding_;
        }
        for (std::size_t i = 0; i < of.offered.size(); ++i) {
            for (const auto& text : of.offered[i]) {
                known_[text].owed = i < told.returned;
                outstanding_ += i < told.returned ? 1 : 0;
            }
        }
    }

    void expect(const std::string& text) {
        known_[text].owed = true;
        ++outstanding_;
    }

    [[nodiscard]] bool all_here() const { return outstanding_ == 0; }

    void take(const message& m) {
        const std::string text{m.text()};
        const auto found = known_.find(text);
        if (found == known_.end()) { throw failure{"damaged: " + quoted(text)}; }
        auto& about = found->second;
        if (about.settled) { throw failure{"again, although acknowledged: " + quoted(text)}; }
        if (about.delivered && !m.redelivered()) {
            throw failure{"twice, and not marked: " + quoted(text)};
        }
        if (!about.seen_by_us) {
            about.seen_by_us = true;
            if (about.owed) { --outstanding_; }
            order_.push_back(text);
        }
        about.delivered = true;
    }
    void settle(const message& m) { known_[std::string{m.text()}].settled = true; }

    // Which of the offers came, each whole or not at all.
    [[nodiscard]] std::vector<bool> offers() const {
        std::vector<bool> came;
        for (const auto& offer : of_.offered) {
            const auto seen =
                std::count_if(offer.begin(), offer.end(),
                              [&](const std::string& text) { return known_.at(text).seen_by_us; });
            if (seen != 0 && seen != static_cast<std::ptrdiff_t>(offer.size())) {
                throw failure{"a part of a batch: " + std::to_string(seen)};
            }
            came.push_back(seen != 0);
        }
        return came;
    }

    // Only for a group that saw all: everything there is, in the order it was sent in.
    void check_order() const {
        std::vector<std::string> right = of_.sent;
        const auto came = offers();
        for (std::size_t i = 0; i < came.size(); ++i) {
            if (came[i]) {
                right.insert(right.end(), of_.offered[i].begin(), of_.offered[i].end());
            }
        }
        if (order_.size() < right.size() ||
            !std::equal(right.begin(), right.end(), order_.begin())) {
            throw failure{"not in the order in which it was sent"};
        }
    }

  private:
    struct fate {
        bool owed = false;
        bool delivered = false;  // to anybody, the dead included
        bool settled = false;    // surely acknowledged
        bool seen_by_us = false;
    };
    const story& of_;
    std::map<std::string, fate> known_;
    std::size_t outstanding_ = 0;
    std::vector<std::string> order_;
};

// Keeps the longest time that anything took.
class timer {
  public:
    template <class Action>
    decltype(auto) operator()(Action action) {
        const struct at_end {
            std::chrono::nanoseconds& longest;
            stopwatch watch{};
            ~at_end() { longest = std::max(longest, watch.elapsed()); }
        } measure{longest_};
        return action();
    }
    [[nodiscard]] std::chrono::nanoseconds longest() const { return longest_; }

  private:
    std::chrono::nanoseconds longest_{0};
};

}  // namespace

class crew {
  public:
    crew(const std::string& name, const operation& what)
        : ring_{ring::open_or_create(name, stepping_ring(), after(limit))} {
        time_([&] { out_ = std::make_unique<producer>(ring_); });
        for (const auto& group : what.groups) {
            time_([&] { in_.push_back({group, member_of(ring_, group), nullptr}); });
        }
    }

    // One who takes two messages of the dead one's group, acknowledges the first, and leaves.
    void one_leaves(const operation& what, const story& of, const promises& told) {
        auto leaver = time_([&] { return member_of(ring_, what.groups.front()); });
        auto& kept = account_of(in_.front(), of, told, true);
        for (int i = 0; i < 2; ++i) {
            const auto m = leaver.try_receive();
            if (!m) { break; }
            kept.take(m);
            if (i == 0) {
                leaver.acknowledge(m);
                kept.settle(m);
            }
        }
        time_([&] { leaver.close(); });
    }

    void run(const operation& what, const story& of, const promises& told) {
        for (auto& each : in_) { drain(each, account_of(each, of, told, &each == &in_.front())); }
        send(after_it);
        // All that was ever taken is free again: the largest message fits.
        send(std::string(ring_.max_message_size(), 'x'));
        time_([&] { out_->close(); });
        for (auto& each : in_) {
            const auto last = time_([&] { return each.end.receive_for(limit).status(); });
            const bool whole = last == receive_status::end;
            const bool truncated = last == receive_status::truncated;
            const bool right = what.ends == ending::whole       ? whole
                               : what.ends == ending::truncated ? truncated
                               : what.ends == ending::attaching
                                   ? truncated || (whole && told.returned == 0)
                                   : whole || (truncated && told.returned == 0);
            if (!right) {
                throw failure{each.group + " ends with status " +
                              std::to_string(static_cast<int>(last))};
            }
        }
        for (std::size_t i = 1; i < in_.size(); ++i) { in_[i].kept->check_order(); }
    }

    [[nodiscard]] std::vector<bool> offers() const {
        auto came = in_.front().kept->offers();
        for (const auto& each : in_) {
            if (each.kept->offers() != came) {
                throw failure{"one group got what another did not"};
            }
        }
        return came;
    }

    [[nodiscard]] std::chrono::nanoseconds longest() const { return time_.longest(); }

  private:
    struct reader {
        std::string group;
        consumer end;
        std::unique_ptr<account> kept;
    };

    static account& account_of(reader& of_whom, const story& of, const promises& told,
                               bool of_the_dead) {
        if (!of_whom.kept) { of_whom.kept = std::make_unique<account>(of, told, of_the_dead); }
        return *of_whom.kept;
    }

    void drain(reader& each, account& kept) {
        while (!kept.all_here()) {
            const auto m = time_([&] { return each.end.receive_for(limit); });
            if (!m) { throw failure{"lost, or it does not come: " + each.group + " waits"}; }
            kept.take(m);
            each.end.acknowledge(m);
            kept.settle(m);
        }
    }

    void send(const std::string& text) {
        for (auto& each : in_) { each.kept->expect(text); }
        time_([&] {
            const auto until = after(limit);
            while (!out_->send_for(bytes(text), interval)) {
                if (clock::now() > until) {
                    throw failure{"no room for " + std::to_string(text.size()) + " bytes"};
                }
                // What nobody was sure of may lie in the way.
                for (auto& each : in_) { take_what_is_there(each); }
            }
        });
        for (auto& each : in_) { drain(each, *each.kept); }
    }

    static void take_what_is_there(reader& each) {
        while (const auto m = each.end.try_receive()) {
            each.kept->take(m);
            each.end.acknowledge(m);
            each.kept->settle(m);
        }
    }

    ring ring_;
    timer time_;
    std::unique_ptr<producer> out_;
    std::vector<reader> in_;
};

namespace {

outcome guarded(const std::function<void(outcome&)>& action) {
    outcome result;
    try {
        action(result);
        if (result.longest > limit) { result.wrong = "it took longer than promised"; }
    } catch (const failure& f) { result.wrong = f.what; } catch (const std::exception& e) {
        result.wrong = std::string{"threw: "} + e.what();
    }
    return result;
}

}  // namespace

outcome recover(const std::string& name, const operation& what, const story& of,
                const promises& told, seating where) {
    return guarded([&](outcome& result) {
        if (what.instead) {
            result.wrong = what.instead(name, told);
            return;
        }
        std::vector<bool> came;
        {
            const auto path =
                ring::open_or_create(name, stepping_ring(), after(limit)).status().path;
            std::vector<std::uint32_t> busy;
            if (where != seating::beside_it) {
                // Those before the child's only: the survivors are several.
                busy.assign(what.busy_slots.begin(),
                            what.busy_slots.begin() +
                                std::min<std::ptrdiff_t>(4, std::ssize(what.busy_slots)));
            }
            const held_slots held{path, busy};
            crew survivors{name, what};
            if (where == seating::one_leaves) { survivors.one_leaves(what, of, told); }
            survivors.run(what, of, told);
            came = survivors.offers();
            result.longest = survivors.longest();
        }
        if (what.also) { result.wrong = what.also(name, came); }
    });
}

bystanders::bystanders(const std::string& name, const operation& what)
    : crew_{std::make_unique<crew>(name, what)} {}

bystanders::~bystanders() = default;

outcome bystanders::recover(const operation& what, const story& of, const promises& told) {
    return guarded([&](outcome& result) {
        crew_->run(what, of, told);
        (void)crew_->offers();
        result.longest = crew_->longest();
    });
}

}  // namespace ringpipe::test
