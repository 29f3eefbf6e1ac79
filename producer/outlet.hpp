// Where a producer program's messages go: into the ring, but not past a limit of the command
// line, and with an eye on signals, since a full ring may stay full for ever.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/progress.hpp"
#include "producer/new_ring.hpp"
#include "producer/options.hpp"
#include "producer/pacer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::producer_program {

class outlet {
  public:
    using message = std::span<const std::byte>;

    // Opens or creates the ring and adds the groups. If nothing gets sent, what was made here
    // goes away again.
    outlet(const options& with, progress_meter& meter);

    // Sends `one` with those that follow, as a batch; it must stay where it is until flush().
    // With --resume, `id` is what last_id() tells once it is sent: it grows.
    // False: no more may be sent, because of a signal or --count.
    [[nodiscard]] bool add(message one, std::uint64_t id = 0) {
        const auto room = one.size() + most_overhead;
        if ((size_ >= limit_.messages || bytes_ + room > limit_.bytes) && !flush()) {
            return false;
        }
        batch_[size_] = one;
        ids_[size_++] = id;
        bytes_ += room;
        return true;
    }

    // Sends what was added.
    [[nodiscard]] bool flush();

    // Of what was sent under the name of --resume, by whoever had it before.
    [[nodiscard]] std::optional<std::uint64_t> last_id() const { return producer_.last_id(); }
    [[nodiscard]] bool resumes() const { return resumes_; }

    // Not with --resume: space for one large message, to be committed by send(); nothing if no more
    // may be sent.
    [[nodiscard]] loan lend(std::size_t size);
    void send(loan& large, std::size_t size);

    // Whether --count is reached: what was sent is then the whole.
    [[nodiscard]] bool count_reached() const { return left_ == 0; }

    [[nodiscard]] std::uint64_t max_message_size() const {
        return ring_->max_message_size() - (resumes_ ? sizeof(std::uint64_t) : 0);
    }

    // The end of the stream: complete, or not.
    void close() noexcept {
        ring_.keep();
        producer_.close();
    }
    void abandon() noexcept { producer_.abandon(); }

  private:
    // A message in the ring has a header of 16 bytes, perhaps an id of 8, and is padded to 16.
    static constexpr std::size_t most_overhead = 40;
    static constexpr std::size_t most_in_batch = 256;

    struct limit {
        std::size_t messages;
        std::size_t bytes;
    };

    [[nodiscard]] limit next_limit() const;
    [[nodiscard]] std::size_t payload_bytes() const;
    template <class Attempt>
    [[nodiscard]] bool until_done(Attempt attempt);
    void wait_until_due();
    void account(std::uint64_t messages, std::uint64_t bytes);

    new_ring ring_;
    producer producer_;
    bool resumes_;
    progress_meter& meter_;
    std::optional<pacer> pacer_;
    std::uint64_t left_;  // of --count

    std::array<message, most_in_batch> batch_;
    std::array<std::uint64_t, most_in_batch> ids_;
    std::size_t size_ = 0;
    std::size_t bytes_ = 0;  // as they lie in the ring, at most
    limit limit_;            // of the batch in the making
};

}  // namespace ringpipe::producer_program
