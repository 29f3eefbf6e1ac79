// The thread that sleeps for all rings of this process, so that no event loop has to.
//
// Started by the first end that has to wait, gone with the last end. It sleeps in futex_waitv on
// one word for each ring and on a doorbell; with more than 127 waiting ends there is one more such
// thread for every 127.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/wait_point.hpp"

namespace ringpipe {

// An end with operations that wait.
class watched {
  public:
    struct rest {
        std::optional<wait_point> point;  // nothing: only time brings something new
        deadline look_again;
    };

    watched() = default;
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;
    virtual ~watched() = default;

    // On the watcher's thread: does what can be done without waiting. Nothing: no operation waits,
    // forget me.
    virtual std::optional<rest> look() = 0;
};

class watcher {
  public:
    // One for every 127 ends; those of a process are shared by all who hold them.
    static std::shared_ptr<watcher> for_one_more();

    watcher();
    watcher(const watcher&) = delete;
    watcher& operator=(const watcher&) = delete;
    // Ends the thread. In a forked child there is none to end.
    ~watcher();

    // Thread-safe. look() is called soon, and as often as needed until it returns nothing.
    void wake_for(const std::shared_ptr<watched>& end);

    // Room for one more end was taken by for_one_more(); this gives it back.
    void give_back_place();

  private:
    class thread_state;
    std::shared_ptr<thread_state> state_;
    unsigned forks_;
    std::size_t places_taken_ = 0;
};

}  // namespace ringpipe
