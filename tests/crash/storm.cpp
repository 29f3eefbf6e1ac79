// The storm: real producers and consumers, killed, stopped and restarted at random; and then the
// accounts.
#include <signal.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <thread>

#include "tests/crash/storm_members.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

using milliseconds = std::chrono::milliseconds;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

// A place in the storm: a process, and who follows it when it dies.
class post {
  public:
    using body = std::function<int(std::uint64_t seed)>;

    post(std::string what, body action) : what_{std::move(what)}, action_{std::move(action)} {}

    void start(std::uint64_t seed) {
        const auto& action = action_;
        child_ = std::make_unique<child>([action, seed](const in_child&) { return action(seed); });
    }
    void kill() { child_->kill(); }
    void stop() const { ::kill(child_->pid(), SIGSTOP); }
    void go_on() const { ::kill(child_->pid(), SIGCONT); }
    [[nodiscard]] int wait(milliseconds timeout) { return child_->wait(timeout); }
    [[nodiscard]] const std::string& what() const { return what_; }

  private:
    std::string what_;
    body action_;
    std::unique_ptr<child> child_;
};

// The longest time without any message sent or received.
class stall_watch {
  public:
    explicit stall_watch(const ledger& book) : book_{book} {}

    // In small steps, so as to see.
    void sleep(std::chrono::microseconds how_long) {
        const auto until = clock::now() + how_long;
        do {
            std::this_thread::sleep_for(std::min<std::chrono::microseconds>(how_long, 500us));
            look();
        } while (clock::now() < until);
    }
    void look() {
        const auto now = clock::now();
        const auto progress = book_.count().progress.load();
        if (progress != progress_) {
            progress_ = progress;
            since_ = now;
        }
        longest_ = std::max(longest_, std::chrono::duration_cast<milliseconds>(now - since_));
    }
    [[nodiscard]] milliseconds longest() const { return longest_; }

  private:
    const ledger& book_;
    std::uint64_t progress_ = 0;
    clock::time_point since_ = clock::now();
    milliseconds longest_{0};
};

class storm {
  public:
    storm(const std::string& ring, ledger& book, std::uint64_t seed)
        : random_{seed}, book_{book}, watch_{book} {
        for (int i = 0; i < 3; ++i) {
            add("producer",
                [&book, ring](std::uint64_t s) { return storm_producer(ring, book, s); });
        }
        for (const std::size_t group : {0U, 0U, 0U, 1U, 2U, 2U}) {
            add(std::string{"consumer of "} + storm_groups[group],
                [&book, ring, group](std::uint64_t s) {
                    return storm_consumer(ring, book, group, s);
                });
        }
        add("passer-by", [&book, ring](std::uint64_t s) { return storm_passer_by(ring, book, s); });
        for (auto& each : posts_) { each.start(random_()); }
    }

    // False: somebody ended of itself, or nothing moves.
    bool rage(std::uint64_t kills) {
        while (kills_ < kills) {
            watch_.sleep(std::chrono::microseconds{random_() % 40'000});
            if (watch_.longest() > patience) { return complain("nothing moves any more"); }
            for (auto& each : posts_) {
                if (const int code = each.wait(milliseconds{0}); code != -1000) {
                    return complain(each.what() + " ended of itself with " + std::to_string(code));
                }
            }
            strike();
        }
        return true;
    }

    // Producers leave, consumers come to the end.
    bool end() {
        book_.count().stop = 1;
        for (auto& each : posts_) {
            if (const int code = each.wait(patience); code != 0) {
                return complain(each.what() + " does not come to its end: " + std::to_string(code));
            }
        }
        return true;
    }

    [[nodiscard]] const std::string& complaint() const { return complaint_; }
    [[nodiscard]] std::uint64_t kills() const { return kills_; }
    [[nodiscard]] std::uint64_t stops() const { return stops_; }
    [[nodiscard]] milliseconds longest_stall() const { return watch_.longest(); }

  private:
    void add(std::string what, post::body action) {
        posts_.emplace_back(std::move(what), std::move(action));
    }

    void strike() {
        auto& victim = posts_[random_() % posts_.size()];
        switch (random_() % 8) {
            case 0:  // stopped for a while: alive
                ++stops_;
                victim.stop();
                watch_.sleep(std::chrono::microseconds{random_() % 30'000});
                victim.go_on();
                return;
            case 1: {  // two at once
                auto& other = posts_[random_() % posts_.size()];
                if (&other != &victim) {
                    kill_one(other);
                    kill_one(victim);
                    other.start(random_());
                } else {
                    kill_one(victim);
                }
                break;
            }
            case 2:  // stopped first
                ++stops_;
                victim.stop();
                watch_.sleep(std::chrono::microseconds{random_() % 10'000});
                kill_one(victim);
                break;
            case 3:  // and its place stays empty for a while
                kill_one(victim);
                watch_.sleep(std::chrono::microseconds{random_() % 50'000});
                break;
            default: kill_one(victim);
        }
        victim.start(random_());
    }

    void kill_one(post& which) {
        which.kill();
        ++kills_;
    }

    bool complain(std::string what) {
        complaint_ = std::move(what);
        return false;
    }

    std::mt19937_64 random_;
    ledger& book_;
    stall_watch watch_;
    std::vector<post> posts_;
    std::uint64_t kills_ = 0;
    std::uint64_t stops_ = 0;
    std::string complaint_;
};

}  // namespace

TEST_CASE("storm: whoever is killed or stopped and whenever every message is accounted for") {
    const bool is_long = number_from("RINGPIPE_LONG", 0) != 0;
    const auto kills = number_from("RINGPIPE_KILLS", is_long ? 10'000 : 300);
    const auto seed = number_from("RINGPIPE_SEED", std::random_device{}());
    CAPTURE(seed);

    auto options = small(32768);
    options.members = 24;
    const a_ring sut{options};
    for (const auto* group : storm_groups) { sut.ring.add_group(group); }
    ledger book{is_long ? std::size_t{64} << 20U : std::size_t{8} << 20U};
    const stopwatch watch;
    storm weather{sut.name.str(), book, seed};
    const bool survived = weather.rage(kills) && weather.end();
    INFO(weather.complaint());
    CHECK(survived);

    const auto& count = book.count();
    const auto sum = book.settle();
    MESSAGE("storm: seed " << seed << ", " << weather.kills() << " kills, " << weather.stops()
                           << " stops in "
                           << std::chrono::duration_cast<milliseconds>(watch.elapsed()).count()
                           << " ms: sent " << sum.sent << " (and " << sum.unsure
                           << " unsure), delivered " << count.deliveries.load() << " to "
                           << ledger::groups << " groups, redelivered " << count.redeliveries.load()
                           << ", lost " << sum.lost << ", damaged " << count.damaged + sum.invented
                           << ", unmarked duplicates " << count.unmarked.load()
                           << ", longest stall " << weather.longest_stall().count() << " ms");
    CHECK(sum.sent > kills);
    if (survived) { CHECK(sum.lost == 0); }
    CHECK(sum.torn == 0);
    CHECK(sum.invented == 0);
    CHECK(count.damaged == 0);
    CHECK(count.unmarked == 0);
    CHECK(count.after_acknowledgement == 0);
    CHECK(count.disorder == 0);
    CHECK(weather.longest_stall() < soon);
    if (!survived) { return; }
    CHECK(sum.uneven == 0);
    // Nothing is left, and the stream says that producers died in it.
    for (const auto* group : storm_groups) {
        consumer_options last;
        last.group = group;
        consumer in{sut.ring, last};
        CHECK(in.try_receive().status() == receive_status::truncated);
    }
}
