#include "bridge/ring_sink.hpp"

#include <algorithm>
#include <chrono>

#include "common/deadline.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::bridge {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 100ms;  // how long a signal may go unnoticed
constexpr std::uint64_t batch_bytes = 256U << 10U;
constexpr std::uint64_t per_message = 32;  // what the ring needs beside the payload, or so

bool ended_cleanly(const ring_status& status) { return status.ended && !status.truncated; }

producer_options called(const std::string& name) {
    producer_options me;
    me.name = "bridge in";
    me.resume = name;
    return me;
}

}  // namespace

ring_sink::ring_sink(const ring& to, const std::string& name, const pass_counter& count)
    : to_{to},
      count_{count},
      had_ended_{ended_cleanly(to.status())},
      out_{to, called(name)},
      committed_{out_.last_id().value_or(0)},
      most_{std::max<std::uint64_t>(1, std::min(batch_bytes, to.capacity() / 8))} {}

void ring_sink::add(std::span<const std::byte> payload, std::uint64_t id) {
    had_ended_ = false;
    // The batch is one piece of the ring: a large message goes alone.
    if (size_ + payload.size() > 2 * most_ && !payloads_.empty()) { (void)flush(); }
    payloads_.push_back(payload);
    ids_.push_back(id);
    size_ += payload.size() + per_message;
}

bool ring_sink::flush() {
    if (payloads_.empty()) { return true; }
    bool sent = false;
    while (!sent && !stop_requested()) {
        sent = out_.send_batch_until(payloads_, ids_, after(tick));
        if (!sent) { count_(0, 0); }
    }
    if (sent) {
        std::uint64_t bytes = 0;
        for (const auto& each : payloads_) { bytes += each.size(); }
        done_.messages += payloads_.size();
        done_.bytes += bytes;
        committed_ = ids_.back();
        count_(payloads_.size(), bytes);
    }
    payloads_.clear();
    ids_.clear();
    size_ = 0;
    return sent;
}

void ring_sink::mark_incomplete() {
    if (marked_) { return; }
    producer_options nobody;
    nobody.name = "bridge in: gap";
    producer{to_, nobody}.abandon();
    marked_ = true;
}

void ring_sink::end(bool whole) {
    if (whole) {
        out_.close();
    } else {
        out_.abandon();
    }
}

}  // namespace ringpipe::bridge
