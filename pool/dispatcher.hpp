// Hands tasks to the workers and settles them by what comes back. Every promise about a task is
// kept here; the processes are the crew's business.
//
// One thread at a time reads the reply ring. Whoever waits for a future does so, if nobody else
// does: its result then comes without another thread in between. The pool's own reader steps in
// where nobody waits (see reader()).
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/pool/board.hpp"
#include "ringpipe/pool/options.hpp"
#include "ringpipe/pool/status.hpp"
#include "ringpipe/pool/task_state.hpp"
#include "ringpipe/pool/waiting_tasks.hpp"
#include "ringpipe/pool/wire.hpp"
#include "ringpipe/shm/consumer.hpp"
#include "ringpipe/shm/producer.hpp"

namespace ringpipe::pool {

// What the dispatcher asks of those who keep the workers. Called with the dispatcher's lock held:
// they only leave a note.
class crew {
  public:
    crew() = default;
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;
    virtual ~crew() = default;

    virtual void grow() = 0;
    virtual void kill(std::uint32_t worker, std::uint32_t pid) = 0;
    virtual void watch(std::weak_ptr<task_state> task) = 0;  // expire() at its deadline
    virtual void broken() = 0;                               // the pool is: end all workers
};

class dispatcher {
  public:
    dispatcher(const pool_options& options, std::uint32_t max_workers,
               std::shared_ptr<board> shared, const ring& requests, const ring& replies);
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;
    ~dispatcher();

    void use(crew* workers);  // null: there are none any more

    // Throws error(closed), error(pool_broken), error(message_too_large).
    void submit(const std::shared_ptr<task_state>& task, encoder& request);

    // False: not ready at the deadline.
    bool wait(const task_state& task, deadline until) {
        return task.ready() || wait([&task] { return task.ready(); }, until);
    }
    // Asked after every reply or so, with the dispatcher's lock held.
    bool wait(const std::function<bool()>& done, deadline until);
    // False: it has begun, or is settled. `why`: what it then fails with; error(task_cancelled).
    bool cancel(task_state& task, std::exception_ptr why = {});
    // Its deadline is over.
    void expire(task_state& task);

    // No submit from now on.
    void close();
    // Until nothing waits and nothing runs.
    void drain();
    // Fails all that is not settled.
    void fail_all(const std::function<std::exception_ptr()>& why);
    // The workers see the end of the stream.
    void end_requests();
    // All workers are gone, and nothing is pending.
    void stop_reading();

    // ---- from the crew

    // It is gone. Its entry in the board may be used again.
    void worker_gone(std::uint32_t worker, int status, bool died);
    void break_pool(const std::string& why);
    // One idle worker will leave.
    void retire_one();

    [[nodiscard]] std::uint64_t pending();  // waiting or handed
    [[nodiscard]] deadline last_busy();     // when tasks were last as many as workers
    void workers_are(std::uint32_t count);  // running, or about to
    [[nodiscard]] pool_status status();

  private:
    using lock = std::unique_lock<std::mutex>;
    using task_ptr = std::shared_ptr<task_state>;

    void refuse_if_over() const;
    void fail_everything(const std::function<std::exception_ptr()>& why);

    // ---- dispatcher_handing.cpp; all with the lock held
    void feed();
    bool hand(const task_ptr& task, encoder* request);
    bool send(task_state& task, encoder* request);
    void adapt_window(std::uint64_t replies);

    // ---- dispatcher_replies.cpp; from judge() on with the lock held
    void reader();
    void read(deadline until, lock& held, const std::function<bool()>* done);
    void process(const message& one);
    void take_reply(const reply_header& header, std::span<const std::byte> body);
    void take_orphan(const reply_header& header);
    void judge(std::uint32_t slot);
    task_ptr take_handed(std::uint32_t slot);
    void settle(const task_ptr& task, std::exception_ptr failure);
    void unlock_and_notify(lock& held);
    void nudge();

    // ---- dispatcher_workers.cpp; all with the lock held
    void look_after_workers();
    void tell_board();

    [[nodiscard]] std::uint64_t handed_now() const { return max_handed - free_slots_.size(); }
    [[nodiscard]] std::uint64_t pending_now() const { return waiting_.size() + handed_now(); }

    const std::uint32_t max_workers_;
    const std::shared_ptr<board> shared_;
    board& board_;
    std::mutex mutex_;
    std::condition_variable changed_;
    crew* crew_ = nullptr;

    producer requests_;
    std::uint64_t largest_request_;
    producer keeper_;   // of the reply ring: nudges, and keeps its stream from ending
    consumer replies_;  // of whoever has reading_

    waiting_tasks waiting_;
    std::array<task_ptr, max_handed> handed_;
    std::vector<std::uint32_t> free_slots_;
    std::uint64_t last_dispatch_ = 0;
    std::uint64_t last_number_ = 0;
    std::uint32_t workers_ = 0;
    bool growing_ = false;  // the crew has been asked

    std::uint64_t window_ = 1;  // tasks to be handed over at a time
    clock::time_point last_batch_{};
    double seconds_per_task_ = 1;

    bool stalled_ = false;  // a request found no room, or another at the ring's lock
    bool reading_ = false;
    std::uint64_t reads_ = 0;  // times somebody became the one who reads
    std::uint32_t waiters_ = 0;
    bool parked_ = false;
    std::condition_variable unpark_;
    std::vector<task_ptr> to_notify_;

    bool closed_ = false;
    bool stopping_ = false;
    std::string broken_;
    clock::time_point last_busy_ = clock::now();
    pool_status counts_;

    std::thread reader_;
};

}  // namespace ringpipe::pool
