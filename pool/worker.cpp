#include "pool/worker.hpp"

#include <cxxabi.h>
#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <typeinfo>

#include "common/error.hpp"
#include "common/quote.hpp"
#include "pool/board.hpp"
#include "pool/rings.hpp"
#include "pool/task.hpp"
#include "pool/wire.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::pool {
namespace {

struct exception_text {
    std::string type;
    std::string text;
};

// Of the exception that is being handled.
exception_text describe_current() {
    exception_text said;
    if (const auto* const type = abi::__cxa_current_exception_type(); type != nullptr) {
        int failed = 0;
        const std::unique_ptr<char, void (*)(void*)> readable{
            abi::__cxa_demangle(type->name(), nullptr, nullptr, &failed), std::free};
        said.type = failed == 0 ? readable.get() : type->name();
    }
    try {
        throw;
    } catch (const std::exception& thrown) { said.text = thrown.what(); } catch (...) {
        said.text = "not a std::exception";
    }
    return said;
}

// Decodes, checks, calls.
void run_request(std::span<const std::byte> request, encoder& result) {
    decoder from{request};
    const auto header = [&] {
        request_header raw{};
        std::memcpy(&raw, from.take(sizeof raw).data(), sizeof raw);
        return raw;
    }();
    const auto name_bytes = from.take(header.name_size);
    const std::string_view name{reinterpret_cast<const char*>(name_bytes.data()),
                                name_bytes.size()};
    const auto* const task = find_task(name);
    if (task == nullptr) {
        throw error{errc::invalid_argument,
                    fmt::format("the worker has no task {}: register it with RINGPIPE_TASK in the "
                                "worker's program",
                                in_quotes(name))};
    }
    if (task->signature != header.signature) {
        throw error{errc::invalid_argument,
                    fmt::format("task {} takes or returns other types than it was called with; "
                                "build both programs from one declaration",
                                in_quotes(name))};
    }
    task->run(task->function, from, result);
}

class worker {
  public:
    worker(const std::string& pool, std::uint32_t index)
        : board_{board::open(pool)},
          index_{index},
          mine_{board_.workers()[index]},
          replies_ring_{ring::open(replies_of(pool))},
          requests_{ring::open(requests_of(pool)),
                    // One task in a lease: a death costs one task. The pool counts its attempts.
                    {.prefetch = 1, .max_attempts = 0, .name = fmt::format("worker {}", index)}},
          replies_{replies_ring_, {.name = fmt::format("worker {}", index), .resume = {}}} {}

    int run() {
        if (!board_.initializer().empty() && !initialize()) { return EX_CONFIG; }
        mine_.done = 0;
        mine_.failed = 0;
        mine_.dispatch = 0;
        mine_.pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_release);
        const auto most = board_.header().max_tasks_per_worker;
        for (std::uint64_t tasks = 0; most == 0 || tasks < most;) {
            const auto request = requests_.receive();
            if (!request) { break; }  // the pool is over
            request_header header{};
            if (request.payload().size() < sizeof header) {
                requests_.acknowledge(request);
                continue;
            }
            std::memcpy(&header, request.payload().data(), sizeof header);
            if (header.kind == request_kind::task) { tasks += take(header, request) ? 1 : 0; }
            // A death before this, and behind the reply: another worker gets the request, and asks
            // the owner, who knows that it has been answered.
            requests_.acknowledge(request);
            if (header.kind == request_kind::retire) { break; }
        }
        return EX_OK;
    }

  private:
    bool initialize() {
        try {
            encoder nothing;
            run_request(board_.initializer(), nothing);
            return true;
        } catch (...) {
            auto& header = board_.header();
            std::uint32_t first = 0;
            if (header.broken.compare_exchange_strong(first, 1)) {
                const auto said = describe_current();
                const auto line = "its initializer threw " + said.type + ": " + said.text;
                line.copy(header.broken_why, sizeof header.broken_why - 1);
                header.broken.store(2, std::memory_order_release);
            }
            return false;
        }
    }

    // False: it was not for us to run.
    bool take(const request_header& header, const message& request) {
        auto& word = board_.claim_of(header.slot);
        auto now = claim::make(claim::handed, header.dispatch);
        const auto begun = claim::make(claim::begun, header.dispatch, index_);
        if (!word.compare_exchange_strong(now, begun, std::memory_order_acq_rel)) {
            const bool others =
                claim::dispatch_of(now) == header.dispatch &&
                (claim::state_of(now) == claim::begun || claim::state_of(now) == claim::done);
            // Begun by one that died. Whether it has been answered, and may be run again, is for
            // the owner to say.
            if (others) { send_header(header, reply_kind::orphan); }
            return false;
        }
        mine_.begun_at.store(static_cast<std::uint64_t>(clock::now().time_since_epoch() /
                                                        std::chrono::nanoseconds{1}),
                             std::memory_order_relaxed);
        mine_.dispatch.store(header.dispatch, std::memory_order_relaxed);
        result_.clear();
        put_header(header, reply_kind::value);
        bool good = true;
        try {
            run_request(request.payload(), result_);
            if (result_.size() > replies_ring_.max_message_size()) {
                throw error{errc::message_too_large,
                            fmt::format("a task's result of {} bytes does not fit the pool's reply "
                                        "ring, which takes {}; make the pool with more reply_bytes",
                                        result_.size(), replies_ring_.max_message_size())};
            }
        } catch (...) {
            good = false;
            const auto said = describe_current();
            result_.clear();
            put_header(header, reply_kind::exception);
            result_.put(said.type);
            result_.put(std::string_view{said.text}.substr(0, longest_text()));
        }
        settle(word, begun, claim::make(claim::done, header.dispatch, index_));
        reply();
        auto& count = good ? mine_.done : mine_.failed;
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        mine_.dispatch.store(0, std::memory_order_relaxed);
        return true;
    }

    // From here on the owner does not kill us for this task's deadline.
    static void settle(std::atomic<std::uint64_t>& word, std::uint64_t begun, std::uint64_t done) {
        if (word.compare_exchange_strong(begun, done, std::memory_order_acq_rel)) { return; }
        // The deadline was first, and the kill is on its way: nothing else may begin here.
        for (;;) { ::pause(); }
    }

    void put_header(const request_header& to, reply_kind kind) {
        const reply_header header{to.dispatch, to.slot, static_cast<std::uint16_t>(index_), kind,
                                  0};
        result_.put_raw(&header, sizeof header);
    }

    void send_header(const request_header& to, reply_kind kind) {
        result_.clear();
        put_header(to, kind);
        reply();
    }

    void reply() {
        if (const auto bytes = result_.one_piece(); !bytes.empty()) { return replies_.send(bytes); }
        auto space = replies_.lend(result_.size());
        result_.copy_to(space.payload().data());
        space.commit();
    }

    [[nodiscard]] std::uint64_t longest_text() const {
        return std::min<std::uint64_t>(replies_ring_.max_message_size() / 2, 64U << 10U);
    }

    board board_;
    std::uint32_t index_;
    board_worker& mine_;
    ring replies_ring_;
    consumer requests_;
    producer replies_;
    encoder result_;
};

int run_worker(std::string_view asked) {
    try {
        const auto space = asked.rfind(' ');
        std::uint32_t index = 0;
        if (space == std::string_view::npos ||
            std::from_chars(asked.data() + space + 1, asked.data() + asked.size(), index).ec !=
                std::errc{}) {
            return EX_USAGE;
        }
        const std::string pool{asked.substr(0, space)};
        return worker{pool, index}.run();
    } catch (const error& failed) {
        std::fprintf(stderr, "ringpipe-worker: %s\n", failed.what());
        return exit_code_for(failed.which());
    }
}

}  // namespace

void run_worker_if_asked() {
    const char* const found = std::getenv(worker_variable);
    if (found == nullptr) { return; }
    const std::string asked{found};
    ::unsetenv(worker_variable);  // what a task starts is no worker
    std::signal(SIGINT, SIG_IGN);
    std::exit(run_worker(asked));
}

}  // namespace ringpipe::pool
