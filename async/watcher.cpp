#include "async/watcher.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "async/fork_count.hpp"
#include "async/futex_waitv.hpp"
#include "shm/futex.hpp"

namespace ringpipe {
namespace {

constexpr std::size_t most_ends = most_words_at_once - 1;  // and the doorbell
constexpr std::chrono::milliseconds together{25};

// Of one process. A forked child starts with none: the threads are the parent's, and the mutex may
// have been held by one of them.
struct all_watchers {
    std::mutex guard;
    std::vector<std::weak_ptr<watcher>> each;
    unsigned forks = fork_count();

    static all_watchers& of_this_process() {
        static auto* instance = new all_watchers;  // outlives every end, also a static one
        if (instance->forks != fork_count()) { instance = new all_watchers; }
        return *instance;
    }
};

}  // namespace

// Shared with the thread, which may be the last to let go.
class watcher::thread_state {
  public:
    void ring(std::shared_ptr<watched> end) {
        {
            const std::lock_guard hold{guard_};
            rung_.push_back(std::move(end));
            if (asleep_) {
                doorbell_.fetch_add(1, std::memory_order_relaxed);
            } else {
                return;  // it looks at `rung_` before it sleeps
            }
        }
        futex::wake(doorbell_, 1);
    }

    void stop() {
        {
            const std::lock_guard hold{guard_};
            stopping_ = true;
            doorbell_.fetch_add(1, std::memory_order_relaxed);
        }
        futex::wake(doorbell_, 1);
    }

    void run() {
        for (;;) {
            std::vector<std::shared_ptr<watched>> rung;
            std::uint32_t doorbell = 0;
            {
                const std::lock_guard hold{guard_};
                if (stopping_) { return; }
                rung.swap(rung_);
                asleep_ = rung.empty();
                doorbell = doorbell_.load(std::memory_order_relaxed);
            }
            for (auto& end : rung) { take_in(std::move(end)); }
            if (rung.empty()) { sleep(doorbell); }
            look_at_those_that_changed();
        }
    }

    std::thread thread;

  private:
    struct entry {
        std::shared_ptr<watched> end;
        watched::rest rest;
    };

    void take_in(std::shared_ptr<watched> end) {
        for (auto& known : entries_) {
            if (known.end == end) {
                known.rest.look_again = deadline::min();
                return;
            }
        }
        entries_.push_back({std::move(end), {{}, deadline::min()}});
    }

    void sleep(std::uint32_t doorbell) {
        points_.clear();
        points_.push_back({&doorbell_, doorbell});
        auto until = never;
        for (const auto& [end, rest] : entries_) {
            if (rest.point) { points_.push_back(*rest.point); }
            until = std::min(until, rest.look_again);
        }
        wait_for_any(points_, until);
        const std::lock_guard hold{guard_};
        asleep_ = false;
    }

    void look_at_those_that_changed() {
        const auto now = clock::now();
        const bool somebodys_time =
            std::any_of(entries_.begin(), entries_.end(),
                        [now](const entry& each) { return each.rest.look_again <= now; });
        // Those whose time is near go along: soon all have the same, and 100 rings are one awakening.
        const auto due = somebodys_time ? now + together : now;
        for (std::size_t i = 0; i < entries_.size();) {
            auto& [end, rest] = entries_[i];
            const bool changed = rest.point && rest.point->word->load(std::memory_order_relaxed) !=
                                                   rest.point->expected;
            if (changed || rest.look_again <= due) {
                if (auto next = end->look()) {
                    rest = *next;
                } else {
                    // Its last owner may be us: gone before the next look, outside of all locks.
                    entries_[i] = std::move(entries_.back());
                    entries_.pop_back();
                    continue;
                }
            }
            ++i;
        }
    }

    std::mutex guard_;
    std::vector<std::shared_ptr<watched>> rung_;  // to be looked at
    bool asleep_ = false;                         // or about to be: ring the doorbell
    bool stopping_ = false;
    std::atomic<std::uint32_t> doorbell_{0};

    // Of the thread alone.
    std::vector<entry> entries_;
    std::vector<wait_point> points_;
};

std::shared_ptr<watcher> watcher::for_one_more() {
    auto& all = all_watchers::of_this_process();
    // One that ends just now must not do so while the lock is held: its thread may want it.
    std::vector<std::shared_ptr<watcher>> looked_at;
    const std::lock_guard hold{all.guard};
    std::erase_if(all.each, [](const auto& one) { return one.expired(); });
    for (const auto& one : all.each) {
        const auto& alive = looked_at.emplace_back(one.lock());
        if (alive && alive->places_taken_ < most_ends) {
            ++alive->places_taken_;
            return alive;
        }
    }
    auto made = std::make_shared<watcher>();
    made->places_taken_ = 1;
    all.each.push_back(made);
    return made;
}

void watcher::give_back_place() {
    const std::lock_guard hold{all_watchers::of_this_process().guard};
    --places_taken_;
}

watcher::watcher() : state_{std::make_shared<thread_state>()}, forks_{fork_count()} {
    // The application's signals are for the application's threads.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        state_->thread = std::thread{[state = state_] { state->run(); }};
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_setname_np(state_->thread.native_handle(), "ringpipe-wait");
}

watcher::~watcher() {
    if (forks_ != fork_count()) {
        // The thread is not here, and its lock and its std::thread cannot be undone.
        (void)new std::shared_ptr{std::move(state_)};
        return;
    }
    state_->stop();
    if (state_->thread.get_id() == std::this_thread::get_id()) {
        state_->thread.detach();
    } else {
        state_->thread.join();
    }
}

void watcher::wake_for(const std::shared_ptr<watched>& end) { state_->ring(end); }

}  // namespace ringpipe
