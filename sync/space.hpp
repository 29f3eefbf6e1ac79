// A space: one named segment of shared memory in which locks and other primitives live by name.
//
//     auto space = ringpipe::sync::space::open_or_create("shop");
//     ringpipe::sync::mutex till{space, "till"};
//     const std::lock_guard hold{till};
//
// A `space` is a handle: cheap to copy, safe to share between threads. It is this process's place
// among the members: what the process holds goes back when it ends, however it ends. What is held
// belongs to the handle's process, not to a thread; a handle of its own is another member. After
// fork() the child opens the space again: what it inherited is its parent's, and says so
// (error(forked)).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringpipe/common/deadline.hpp"

namespace ringpipe::sync {

class space_core;

// What is not given takes its default at creation, and is not compared at opening.
struct space_options {
    std::optional<std::uint32_t> members = {};  // processes attached at once: 128, at most 1024
    std::optional<std::uint32_t> entries = {};  // names: 256, at most 4096
    std::optional<std::uint64_t> size = {};     // bytes for all primitives: 1 MiB, at most 4 GiB
    std::optional<unsigned> mode = {};          // permissions of the file: 0600
    // How long the living wait before they ask whether the one they wait for has died: 100 ms.
    std::optional<std::chrono::milliseconds> liveness_interval = {};
    // Of this handle, not of the space: reports lock orders that can deadlock (lock_order.hpp).
    // Not given: if the environment says RINGPIPE_LOCK_ORDER=1.
    std::optional<bool> lock_order = {};
};

class space {
  public:
    // These throw an error that says which of them it is: ring_exists, ring_not_found,
    // options_differ, members_full, no_space, no_permission, invalid_name, wrong_version,
    // not_a_ring, unfinished, corrupt. A name with a '/' is a path itself.
    static space create(std::string_view name, const space_options& options = {});
    static space open(std::string_view name, deadline until = after(std::chrono::seconds{5}));
    static space open_or_create(std::string_view name, const space_options& options = {},
                                deadline until = after(std::chrono::seconds{5}));

    // Who has it open keeps it. False if there is none. Throws error(not_a_ring | no_permission).
    static bool remove(std::string_view name);

    // Some process has it open, of whatever version. False if there is none. Throws
    // error(no_permission | io).
    [[nodiscard]] static bool in_use(std::string_view name);

    // The names of all files in /dev/shm that are called like spaces, sorted.
    [[nodiscard]] static std::vector<std::string> list();

    [[nodiscard]] const std::string& name() const;

    // For the primitives.
    [[nodiscard]] const std::shared_ptr<space_core>& core() const { return core_; }

  private:
    explicit space(std::shared_ptr<space_core> core) : core_{std::move(core)} {}

    std::shared_ptr<space_core> core_;
};

}  // namespace ringpipe::sync
