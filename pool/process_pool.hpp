// A pool of worker processes.
//
//     int square(int x) { return x * x; }
//     RINGPIPE_TASK(square);
//
//     int main() {
//         ringpipe::pool::run_worker_if_asked();
//         ringpipe::process_pool pool;
//         auto result = pool.submit(square, 7);
//         return result.get() == 49 ? 0 : 1;
//     }
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ringpipe/pool/as_completed.hpp"
#include "ringpipe/pool/call.hpp"
#include "ringpipe/pool/errors.hpp"
#include "ringpipe/pool/future.hpp"
#include "ringpipe/pool/options.hpp"
#include "ringpipe/pool/status.hpp"
#include "ringpipe/pool/task.hpp"
#include "ringpipe/pool/worker.hpp"

namespace ringpipe {
namespace pool {

class pool_core;

enum class shutdown_mode {
    drain,  // what was submitted is done first
    now,    // what waits and what runs fails with error(closed); workers are killed
};

class process_pool {
  public:
    // Throws error(no_space, no_permission, invalid_argument, ...).
    explicit process_pool(const pool_options& options = {});
    process_pool(const process_pool&) = delete;
    process_pool& operator=(const process_pool&) = delete;

    // As shutdown(drain); while an exception unwinds the stack, as shutdown(now).
    ~process_pool();

    // Thread-safe. A registered function and its arguments. The arguments are copied before it
    // returns. Throws error(closed), error(pool_broken), error(message_too_large).
    template <class Result, class... Parameters, class... Arguments>
    auto submit(Result (*function)(Parameters...), Arguments&&... arguments) {
        return submit(call(function, std::forward<Arguments>(arguments)...));
    }
    // submit(call(function, arguments...), {.priority = 1});
    // submit(call<int>("name in another program", arguments...));
    template <class Result>
    future<Result> submit(bound_call<Result> what, const task_options& options = {}) {
        auto state = std::make_shared<result_state<Result>>(options);
        tasks_->submit(state, what.request);
        return {std::move(state), tasks_};
    }

    // For completion handlers of one's own (see async_submit.hpp).
    void submit(const std::shared_ptr<task_state>& state, encoder& request) {
        tasks_->submit(state, request);
    }
    [[nodiscard]] const std::shared_ptr<dispatcher>& tasks() const { return tasks_; }

    // One task for each element; the results in the elements' order. Throws what the first failed
    // one threw, after all are done.
    template <class Result, class Parameter, class Range>
    std::vector<owned<Result>> map(Result (*function)(Parameter), const Range& range) {
        auto futures = submit_each(function, range);
        for (const auto& each : futures) { each.wait(); }
        std::vector<owned<Result>> results;
        results.reserve(futures.size());
        for (auto& each : futures) { results.push_back(each.get()); }
        return results;
    }

    // As they come: `use(index, future)` for each element, as soon as that one is ready; on this
    // thread.
    template <class Result, class Parameter, class Range, class Use>
    void map_as_completed(Result (*function)(Parameter), const Range& range, Use use) {
        using result = owned<Result>;
        const auto queue = std::make_shared<completed_queue>();
        std::vector<future<result>> futures;
        for (const auto& each : range) {
            auto state = std::make_shared<queued_state<result>>(queue, futures.size());
            futures.push_back({state, tasks_});
            auto bound = call(function, each);
            tasks_->submit(state, bound.request);
        }
        for (auto left = futures.size(); left != 0; --left) {
            tasks_->wait([&] { return !queue->empty(); }, never);
            const auto index = queue->take();
            use(index, std::move(futures[index]));
        }
    }

    // No submit from now on; returns when all workers are gone.
    void shutdown(shutdown_mode how = shutdown_mode::drain);

    [[nodiscard]] pool_status status() const { return tasks_->status(); }
    // Its files are /dev/shm/ringpipe-pool.NAME, and the rings NAME.requests and NAME.replies.
    [[nodiscard]] const std::string& name() const;

  private:
    template <class Result, class Parameter, class Range>
    auto submit_each(Result (*function)(Parameter), const Range& range) {
        std::vector<future<owned<Result>>> futures;
        futures.reserve(
            static_cast<std::size_t>(std::distance(std::begin(range), std::end(range))));
        for (const auto& each : range) { futures.push_back(submit(function, each)); }
        return futures;
    }

    std::unique_ptr<pool_core> core_;
    std::shared_ptr<dispatcher> tasks_;
    int exceptions_at_start_;
};

}  // namespace pool

using pool::process_pool;

}  // namespace ringpipe
