#include "pool/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/error.hpp"
#include "pool/errors.hpp"

namespace ringpipe::pool {
namespace {

using namespace std::chrono_literals;
using phase = task_state::phase;

// The workers have so much to do by what was handed to them: long enough to hide our way there,
// short enough for the order of the waiting and for cancelling.
constexpr double handed_ahead = 250e-6;  // seconds

// Whoever sleeps in the ring is woken by it after a liveness interval anyhow.
constexpr std::chrono::milliseconds longest_read{50};
constexpr std::chrono::milliseconds stalled_nap{1};
constexpr auto reader_nap = 1ms;
constexpr int naps_before_parking = 16;
constexpr std::uint64_t submits_between_reads = 64;

std::exception_ptr failed(errc code, std::string line) {
    return std::make_exception_ptr(error{code, std::move(line)});
}

std::exception_ptr decode_exception(std::span<const std::byte> body) {
    try {
        decoder from{body};
        auto type = from.get<std::string>();
        return std::make_exception_ptr(task_exception{std::move(type), from.get<std::string>()});
    } catch (const error&) { return std::current_exception(); }
}

}  // namespace

dispatcher::dispatcher(const pool_options& options, std::uint32_t max_workers,
                       std::shared_ptr<board> shared, const ring& requests, const ring& replies)
    : max_workers_{max_workers},
      shared_{std::move(shared)},
      board_{*shared_},
      requests_{requests, {.name = "pool", .resume = {}}},
      largest_request_{requests.max_message_size()},
      keeper_{replies, {.name = "pool", .resume = {}}},
      replies_{replies, {.max_attempts = 0, .name = "pool"}},
      waiting_{options.order} {
    free_slots_.reserve(max_handed);
    for (auto slot = max_handed; slot-- != 0;) { free_slots_.push_back(slot); }
    reader_ = std::thread{[this] { reader(); }};
}

dispatcher::~dispatcher() { stop_reading(); }

void dispatcher::use(crew* workers) {
    const lock held{mutex_};
    crew_ = workers;
}

// ---------------------------------------------------------------- tasks come

void dispatcher::submit(const task_ptr& task, encoder& request) {
    if (request.size() > largest_request_) {
        throw error{errc::message_too_large,
                    fmt::format("cannot submit a task with arguments of {} bytes: the pool's "
                                "request ring takes {}; make the pool with more request_bytes",
                                request.size(), largest_request_)};
    }
    lock held{mutex_};
    refuse_if_over();
    task->number_ = ++last_number_;
    const bool at_once = waiting_.empty() && hand(task, &request);
    if (!at_once) {
        if (task->request_.empty()) {
            task->request_.resize(request.size());
            request.copy_to(task->request_.data());
        }
        waiting_.push(task);
        // What this thread does meanwhile nobody else has to be woken for.
        if (!reading_ && last_number_ % submits_between_reads == 0) {
            read(deadline::min(), held, nullptr);
        }
    }
    if (task->options_.until != never && crew_ != nullptr) { crew_->watch(task); }
    look_after_workers();
    if (parked_) {
        parked_ = false;
        unpark_.notify_one();
    }
    unlock_and_notify(held);
}

void dispatcher::refuse_if_over() const {
    if (!broken_.empty()) { throw error{errc::pool_broken, broken_}; }
    if (closed_) {
        throw error{errc::closed, "cannot submit to this pool: it was shut down; make a new one"};
    }
}

void dispatcher::look_after_workers() {
    const auto pending = pending_now();
    if (pending >= workers_) { last_busy_ = clock::now(); }
    if (pending > workers_ && workers_ < max_workers_ && !growing_ && crew_ != nullptr) {
        growing_ = true;
        crew_->grow();
    }
}

void dispatcher::feed() {
    while (!waiting_.empty() && hand(waiting_.next(), nullptr)) { waiting_.pop(); }
}

// `request`: as it was just encoded; null: as it is kept in the task. False: not now.
bool dispatcher::hand(const task_ptr& task, encoder* request) {
    if (handed_now() >= window_ || free_slots_.empty()) { return false; }
    if (handed_now() == 0) { last_batch_ = clock::now(); }
    const auto slot = free_slots_.back();
    task->slot_ = slot;
    task->dispatch_ = ++last_dispatch_;
    auto* const bytes = request != nullptr ? request->front() : task->request_.data();
    std::memcpy(bytes + offsetof(request_header, dispatch), &task->dispatch_,
                sizeof(std::uint64_t));
    std::memcpy(bytes + offsetof(request_header, slot), &slot, sizeof(std::uint32_t));
    // Before it is sent: pairs with the worker's compare-exchange.
    board_.claim_of(slot).store(claim::make(claim::handed, task->dispatch_),
                                std::memory_order_release);
    if (request != nullptr && task->options_.max_attempts > 1) {
        task->request_.resize(request->size());
        request->copy_to(task->request_.data());
    }
    if (!send(*task, request)) {
        if (!std::exchange(stalled_, true)) { nudge(); }
        return false;
    }
    stalled_ = false;
    free_slots_.pop_back();
    handed_[slot] = task;
    task->phase_ = phase::handed;
    ++task->attempts_;
    if (task->options_.max_attempts <= 1) { std::vector<std::byte>{}.swap(task->request_); }
    return true;
}

// Never waits: a worker that waits for room among the replies may need us.
bool dispatcher::send(task_state& task, encoder* request) {
    if (request == nullptr) { return requests_.try_send(task.request_); }
    if (const auto bytes = request->one_piece(); !bytes.empty()) {
        return requests_.try_send(bytes);
    }
    auto space = requests_.try_lend(request->size());
    if (!space) { return false; }
    request->copy_to(space.payload().data());
    space.commit();
    return true;
}

void dispatcher::adapt_window(std::uint64_t replies) {
    const auto now = clock::now();
    const std::chrono::duration<double> took = now - std::exchange(last_batch_, now);
    const auto each = took.count() / static_cast<double>(replies);
    seconds_per_task_ += (each - seconds_per_task_) / 4;
    const auto ahead = handed_ahead / std::max(seconds_per_task_, 1e-9);
    window_ = std::clamp(static_cast<std::uint64_t>(std::min(ahead, 1e6)),
                         std::max<std::uint64_t>(workers_, 1), std::uint64_t{max_handed});
}

// ---------------------------------------------------------------- replies come

// Becomes the one who reads: until `done`, or, if that is null, once.
void dispatcher::read(deadline until, lock& held, const std::function<bool()>* done) {
    reading_ = true;
    ++reads_;
    do {
        // Not for ever: what the requests had no room for, or no lock, is tried again; and a nudge
        // may have been lost.
        const auto slice = std::min(until, clock::now() + (stalled_ ? stalled_nap : longest_read));
        held.unlock();
        std::uint64_t replies = 0;
        auto one = replies_.receive_until(slice);
        while (one) {
            process(one);
            replies_.acknowledge(one);
            if (++replies == 256 || !replies_.at_hand()) { break; }
            one = replies_.try_receive();
        }
        held.lock();
        if (replies != 0) { adapt_window(replies); }
        feed();
        if (replies == 0) { continue; }
        tell_board();
        if (waiters_ != 0) { changed_.notify_all(); }
    } while (done != nullptr && !(*done)() && clock::now() < until);
    reading_ = false;
    // Whoever still waits: one of them reads on.
    if (waiters_ != 0) { changed_.notify_all(); }
}

void dispatcher::process(const message& one) {
    reply_header header{};
    if (one.payload().size() < sizeof header) { return; }
    std::memcpy(&header, one.payload().data(), sizeof header);
    switch (header.kind) {
        case reply_kind::value:
        case reply_kind::exception: return take_reply(header, one.payload());
        case reply_kind::orphan: return take_orphan(header);
        case reply_kind::nudge: return;
    }
}

void dispatcher::take_reply(const reply_header& header, std::span<const std::byte> body) {
    const bool good = header.kind == reply_kind::value;
    task_ptr task;
    {
        const lock held{mutex_};
        if (header.slot >= max_handed || handed_[header.slot] == nullptr ||
            handed_[header.slot]->dispatch_ != header.dispatch) {
            return;  // settled already: its deadline was over
        }
        task = take_handed(header.slot);
        task->phase_ = phase::settled;
        ++(good ? counts_.done : counts_.failed);
    }
    // Outside of the lock: a type of the user's is decoded here.
    if (good) {
        task->keep_result(body);
    } else {
        task->keep_failure(decode_exception(body.subspan(sizeof header)));
    }
    // Those who wait are told when the lock is taken next.
    task->make_ready();
    task->notify();
}

// The replies have one order: whatever the dead worker sent stands before this. So the task is
// either settled, or will never be answered.
void dispatcher::take_orphan(const reply_header& header) {
    lock held{mutex_};
    if (header.slot >= max_handed || handed_[header.slot] == nullptr ||
        handed_[header.slot]->dispatch_ != header.dispatch) {
        return;
    }
    auto& task = *handed_[header.slot];
    task.orphaned_ = true;
    // How its worker ended is known when the crew has buried it.
    if (task.death_) { judge(header.slot); }
    unlock_and_notify(held);
}

void dispatcher::judge(std::uint32_t slot) {
    const auto task = take_handed(slot);
    if (task->attempts_ < task->options_.max_attempts && broken_.empty()) {
        task->phase_ = phase::waiting;
        task->orphaned_ = false;
        task->death_.reset();
        waiting_.push_again(task);
        feed();
        return;
    }
    ++counts_.failed;
    settle(task, std::make_exception_ptr(worker_died{*task->death_, task->attempts_}));
}

dispatcher::task_ptr dispatcher::take_handed(std::uint32_t slot) {
    free_slots_.push_back(slot);
    return std::move(handed_[slot]);
}

void dispatcher::settle(const task_ptr& task, std::exception_ptr failure) {
    task->phase_ = phase::settled;
    task->keep_failure(std::move(failure));
    task->make_ready();
    to_notify_.push_back(task);
}

// Whoever sleeps in the reply ring may wait for what has just been settled elsewhere.
void dispatcher::nudge() {
    if (!reading_) { return; }
    reply_header header{};
    header.kind = reply_kind::nudge;
    // No room, or another sender at work: then the one who reads has something to wake up for.
    (void)keeper_.try_send(std::as_bytes(std::span{&header, 1}));
}

void dispatcher::unlock_and_notify(lock& held) {
    const auto settled = std::exchange(to_notify_, {});
    tell_board();
    held.unlock();
    if (settled.empty()) { return; }
    for (const auto& task : settled) { task->notify(); }
    held.lock();
    if (waiters_ != 0) { changed_.notify_all(); }
    nudge();
    held.unlock();
}

// Reads where nobody waits for a future: for the tasks that nobody asks for yet. It looks in every
// millisecond as long as others read, and sleeps when nothing is pending.
void dispatcher::reader() {
    lock held{mutex_};
    auto seen = reads_;
    int quiet = 0;
    while (!stopping_) {
        if (pending_now() == 0) {
            if (++quiet < naps_before_parking) {
                unpark_.wait_for(held, reader_nap);
            } else {
                parked_ = true;
                unpark_.wait(held, [this] { return !parked_ || stopping_; });
                quiet = 0;
            }
            continue;
        }
        quiet = 0;
        if (handed_now() == 0) { feed(); }
        if (reading_ || waiters_ != 0 || reads_ != seen) {
            seen = reads_;
            unpark_.wait_for(held, reader_nap);
            continue;
        }
        read(never, held, nullptr);
        seen = reads_;
    }
}

bool dispatcher::wait(const std::function<bool()>& done, deadline until) {
    lock held{mutex_};
    while (!done()) {
        if (!reading_ && !stopping_) {
            read(until, held, &done);
        } else {
            ++waiters_;
            if (until == never) {
                changed_.wait(held);
            } else {
                changed_.wait_until(held, until);
            }
            --waiters_;
        }
        if (clock::now() >= until) { return done(); }
    }
    return true;
}

// ---------------------------------------------------------------- tasks go

bool dispatcher::cancel(task_state& task) {
    lock held{mutex_};
    task_ptr taken;
    if (task.phase_ == phase::handed) {
        auto expected = claim::make(claim::handed, task.dispatch_);
        if (!board_.claim_of(task.slot_)
                 .compare_exchange_strong(expected,
                                          claim::make(claim::cancelled, task.dispatch_))) {
            return false;
        }
        taken = take_handed(task.slot_);
    } else if (task.phase_ == phase::waiting) {
        taken = task.shared_from_this();
        waiting_.forget_one();
    } else {
        return false;
    }
    ++counts_.cancelled;
    settle(taken, failed(errc::task_cancelled, "the task was cancelled before it began"));
    feed();
    unlock_and_notify(held);
    return true;
}

void dispatcher::expire(task_state& task) {
    lock held{mutex_};
    const char* what = "waited";
    task_ptr taken;
    if (task.phase_ == phase::handed) {
        auto& word = board_.claim_of(task.slot_);
        auto now = word.load(std::memory_order_acquire);
        for (;;) {
            if (claim::dispatch_of(now) != task.dispatch_) { return; }
            const bool begun = claim::state_of(now) == claim::begun;
            if (!begun && claim::state_of(now) != claim::handed) { return; }  // the reply is near
            const auto worker = claim::worker_of(now);
            // From here on its worker cannot go on to another task: it finds this, and stays.
            if (word.compare_exchange_weak(
                    now, claim::make(begun ? claim::doomed : claim::cancelled, task.dispatch_,
                                     worker))) {
                if (begun) {
                    what = "ran, and its worker was killed";
                    if (crew_ != nullptr) {
                        crew_->kill(worker, board_.workers()[worker].pid.load());
                    }
                }
                break;
            }
        }
        taken = take_handed(task.slot_);
    } else if (task.phase_ == phase::waiting) {
        taken = task.shared_from_this();
        waiting_.forget_one();
    } else {
        return;
    }
    ++counts_.failed;
    settle(taken,
           failed(errc::timed_out, fmt::format("the task's deadline was over while it {}", what)));
    feed();
    unlock_and_notify(held);
}

void dispatcher::close() {
    const lock held{mutex_};
    closed_ = true;
}

void dispatcher::drain() {
    (void)wait([this] { return pending_now() == 0; }, never);
}

void dispatcher::fail_all(const std::function<std::exception_ptr()>& why) {
    lock held{mutex_};
    fail_everything(why);
    unlock_and_notify(held);
}

void dispatcher::fail_everything(const std::function<std::exception_ptr()>& why) {
    while (!waiting_.empty()) {
        const auto task = waiting_.next();
        waiting_.pop();
        ++counts_.cancelled;
        settle(task, why());
    }
    for (std::uint32_t slot = 0; slot < max_handed; ++slot) {
        if (handed_[slot] == nullptr) { continue; }
        ++counts_.failed;
        settle(take_handed(slot), why());
    }
}

void dispatcher::end_requests() {
    const lock held{mutex_};
    requests_.close();
}

void dispatcher::stop_reading() {
    {
        const lock held{mutex_};
        stopping_ = true;
        unpark_.notify_all();
        nudge();
    }
    if (reader_.joinable()) { reader_.join(); }
}

// ---------------------------------------------------------------- workers

void dispatcher::workers_are(std::uint32_t count) {
    const lock held{mutex_};
    workers_ = count;
    growing_ = false;
    window_ = std::max<std::uint64_t>(window_, workers_);
    feed();
}

void dispatcher::worker_gone(std::uint32_t worker, int status, bool died) {
    lock held{mutex_};
    counts_.worker_deaths += died ? 1 : 0;
    for (std::uint32_t slot = 0; slot < max_handed; ++slot) {
        const auto word = board_.claim_of(slot).load(std::memory_order_acquire);
        const auto state = claim::state_of(word);
        if (handed_[slot] == nullptr || claim::worker_of(word) != worker ||
            claim::dispatch_of(word) != handed_[slot]->dispatch_ ||
            (state != claim::begun && state != claim::done)) {
            continue;
        }
        handed_[slot]->death_ = status;
        if (handed_[slot]->orphaned_) { judge(slot); }
    }
    auto& entry = board_.workers()[worker];
    entry.pid = 0;
    entry.dispatch = 0;
    unlock_and_notify(held);
}

void dispatcher::break_pool(const std::string& why) {
    lock held{mutex_};
    if (broken_.empty()) { broken_ = why; }
    fail_everything([this] { return failed(errc::pool_broken, broken_); });
    unlock_and_notify(held);
}

void dispatcher::retire_one() {
    const lock held{mutex_};
    if (pending_now() != 0) { return; }
    request_header header{};
    header.kind = request_kind::retire;
    (void)requests_.try_send(std::as_bytes(std::span{&header, 1}));
}

std::uint64_t dispatcher::pending() {
    const lock held{mutex_};
    return pending_now();
}

clock::time_point dispatcher::last_busy() {
    const lock held{mutex_};
    return last_busy_;
}

pool_status dispatcher::status() {
    const lock held{mutex_};
    auto now = counts_;
    now.waiting = pending_now();
    for (std::uint32_t slot = 0; slot < max_handed; ++slot) {
        if (handed_[slot] != nullptr && claim::state_of(board_.claim_of(slot).load(
                                            std::memory_order_relaxed)) != claim::handed) {
            ++now.running;
        }
    }
    now.waiting -= now.running;
    for (const auto& entry : board_.workers()) {
        if (entry.pid == 0) { continue; }
        worker_status one{entry.pid, entry.dispatch != 0, {}, entry.done, entry.failed};
        if (one.at_work) {
            one.at_it_for =
                clock::now().time_since_epoch() - std::chrono::nanoseconds{entry.begun_at};
        }
        now.workers.push_back(one);
    }
    return now;
}

void dispatcher::tell_board() {
    auto& header = board_.header();
    header.waiting.store(waiting_.size(), std::memory_order_relaxed);
    header.handed.store(handed_now(), std::memory_order_relaxed);
    header.done.store(counts_.done, std::memory_order_relaxed);
    header.failed.store(counts_.failed, std::memory_order_relaxed);
}

}  // namespace ringpipe::pool
