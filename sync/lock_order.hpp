// The debug mode of mutex and shared_mutex: lock orders that can deadlock are reported, across
// processes, before they do.
//
//     RINGPIPE_LOCK_ORDER=1 program       (or space_options::lock_order)
//
// The space keeps a graph: whoever waits for one lock while holding another adds an edge. An edge
// that closes a circle is an inversion, although nobody may have been stuck this time. (The idea is
// that of Linux' lockdep.) try_lock() adds nothing, since it waits for nobody; so std::lock and
// std::scoped_lock never report. The graph stays in the space; what processes without this mode do
// is not in it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/sync/layout.hpp"

namespace ringpipe::sync {

class space_core;

struct lock_order_inversion {
    std::string space;
    std::vector<std::string> held;  // by this thread, the oldest first
    std::string wanted;
    // Somebody waited for `wanted` while holding `held`: from the lock wanted now back to one that
    // is held now. Empty: that one is held by this thread itself.
    struct step {
        std::string held;
        std::string wanted;
        std::uint32_t pid;
    };
    std::vector<step> before;

    [[nodiscard]] std::string text() const;  // one line
};

// What is called for each, in the thread that is about to wait; one that throws prevents that. By
// default a line to stderr. Process-wide; thread-safe. Empty: the default again.
void on_lock_order_inversion(std::function<void(const lock_order_inversion&)> handler);

// Of one process and space. Thread-safe.
class lock_order {
  public:
    // Throws error(no_space | names_full) if the graph has no room.
    explicit lock_order(const space_core& where);

    // With a deadline in the past nobody waits, and nothing is added.
    void about_to_lock(std::uint32_t index, deadline until);
    void locked(std::uint32_t index) const;
    void unlocked(std::uint32_t index) const;

  private:
    // False if it was there.
    bool add(std::uint32_t held, std::uint32_t wanted);
    [[nodiscard]] std::vector<std::uint64_t> way(std::uint32_t from, std::uint32_t to) const;
    void report(std::uint32_t wanted, const std::vector<std::uint64_t>& before) const;

    const space_core& where_;
    layout::lock_order_body* body_;
};

}  // namespace ringpipe::sync
