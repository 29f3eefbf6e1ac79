// Where `bridge in` puts what it has read: a ring, in batches, as a producer that has a name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bridge/out.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::bridge {

// Each message has the stream's number as its id, which the ring commits with it: so it is known what
// is in there, also after a crash. One thread.
class ring_sink {
  public:
    // `name`: whoever comes with it goes on where the last one was. `count` is called as messages
    // pass, and now and then while there is no room.
    ring_sink(const ring& to, const std::string& name, const pass_counter& count);

    // The ring's stream had ended cleanly when we came, and nothing has come since.
    [[nodiscard]] bool had_ended() const { return had_ended_; }
    [[nodiscard]] std::uint64_t committed() const { return committed_; }  // the last id; 0: none
    [[nodiscard]] const transfer& done() const { return done_; }          // messages and bytes

    // The payload has to stay where it is until flush().
    void add(std::span<const std::byte> payload, std::uint64_t id);
    [[nodiscard]] bool is_full() const { return size_ >= most_; }

    // Waits for room: while it does, JetStream keeps what it has. False: a stop was requested, and what
    // was added since the last time is not in the ring.
    bool flush();

    // That the ring's stream is not whole, also if we are killed and another goes on as us: a name's
    // mark goes when it is taken up again, this one stays.
    void mark_incomplete();

    void end(bool whole);

  private:
    const ring& to_;
    const pass_counter& count_;
    bool had_ended_;
    producer out_;
    std::uint64_t committed_;
    std::uint64_t most_;  // bytes of a batch
    std::vector<std::span<const std::byte>> payloads_;
    std::vector<std::uint64_t> ids_;
    std::uint64_t size_ = 0;
    bool marked_ = false;
    transfer done_;
};

}  // namespace ringpipe::bridge
