// How a pool is made, and how one task is treated.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/pool/call.hpp"

namespace ringpipe::pool {

// In which order waiting tasks are handed to the workers.
enum class task_order {
    fifo,
    lifo,
    priority,  // the highest first; equal ones as they came
};

struct pool_options {
    std::string name = {};  // for people, in file names; made up if empty

    // Workers are started as tasks wait for them, up to `max_workers` (0: one per core), and retire
    // down to `min_workers` after `idle_timeout` with nothing to do.
    std::uint32_t min_workers = 1;
    std::uint32_t max_workers = 0;
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{10};

    // A worker is replaced after so many tasks. 0: never.
    std::uint64_t max_tasks_per_worker = 0;

    task_order order = task_order::fifo;

    // Called in each worker before its first task: call(function, arguments...). If it throws, the
    // pool is broken.
    std::optional<bound_call<void>> initializer = {};

    // The worker's program; empty: this one. It has to call run_worker_if_asked().
    std::string executable = {};

    // The rings' sizes: arguments and results larger than these are refused.
    std::uint64_t request_bytes = std::uint64_t{16} << 20U;
    std::uint64_t reply_bytes = std::uint64_t{16} << 20U;

    // How soon a dead worker's task is found.
    std::chrono::milliseconds liveness_interval{50};
};

struct task_options {
    int priority = 0;  // task_order::priority only

    // Tries after which a task whose worker died fails with worker_died. With more than one, a task
    // can run twice: its function must allow that; future::attempts() tells.
    std::uint32_t max_attempts = 1;

    // A task not done by then fails with error(timed_out); if it has begun its worker is killed.
    deadline until = never;
};

}  // namespace ringpipe::pool
