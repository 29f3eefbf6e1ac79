// What both ends have in common: the queue of operations that wait, and who may use the ring's end.
//
// Two kinds of threads come here: those of the event loops, which must never wait, and the
// watcher. `guard_` is held for moments only. The ring's end itself is used under it, for what can
// be done at once; or by the watcher while `busy_` is set, for what may take longer (asking who is
// alive, repairs): then a loop's thread only leaves its operation in the queue.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "ringpipe/async/ends_of_context.hpp"
#include "ringpipe/async/operation.hpp"
#include "ringpipe/async/watcher.hpp"

namespace ringpipe {

class end_state : public watched, public std::enable_shared_from_this<end_state> {
  public:
    enum class outstanding { aborted, destroyed };

    explicit end_state(asio::any_io_executor io);
    ~end_state() override;

    // Thread-safe, idempotent. Operations that wait complete with operation_aborted, or are
    // destroyed. Waits, some microseconds, for a watcher that is at work here.
    void close(outstanding how = outstanding::aborted);

    // All operations that wait complete with operation_aborted.
    void cancel();

    [[nodiscard]] const asio::any_io_executor& executor() const { return io_; }

  protected:
    using operations = std::map<std::uint64_t, std::unique_ptr<operation>>;  // in order of arrival

    // Puts it at the end of the queue. `slot`: cancels it.
    void wait(std::unique_ptr<operation> op, asio::cancellation_slot slot, bool needs_a_look);

    // Code to refuse with: closed, or used in a forked child. guard_ held, or forked.
    [[nodiscard]] bool forked() const;
    static error_code refusal(bool forked);

    void complete_all(error_code code);  // guard_ held
    void ask_watcher();                  // guard_ held

    // Called once, when nobody else is here and no operation waits. No lock held.
    virtual void close_end() noexcept = 0;

    std::mutex guard_;
    std::condition_variable not_busy_;
    operations waiting_;
    bool busy_ = false;
    bool closed_ = false;
    bool armed_ = false;  // the watcher sleeps for us, or is about to look

  private:
    void cancel_one(std::uint64_t id);

    asio::any_io_executor io_;
    std::shared_ptr<ends_of_context> siblings_;
    std::shared_ptr<watcher> watcher_;
    unsigned forks_;
    std::uint64_t next_id_ = 0;
};

}  // namespace ringpipe
