// Any bytes, anywhere in a live ring: an error or normal work; no crash, no wild read, no hang.
//
// The input is a list of steps. An even step overwrites bytes of the segment; an odd one is
// something that members do. Other errors than ringpipe's own are failures; so is a step that takes
// far longer than its deadline.
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "shm/consumer.hpp"
#include "shm/dead_letter.hpp"
#include "shm/name.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"
#include "shm/segment.hpp"
#include "shm/tap.hpp"
#include "tests/fuzz/target.hpp"

namespace ringpipe::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr auto moment = 1ms;
constexpr int most_steps = 64;

std::string name_of_ring() {
    static std::atomic<unsigned> last{0};
    return "fuzz-" + std::to_string(::getpid()) + '-' + std::to_string(++last);
}

// Reads all of it, so that a span beyond the mapping is a crash here.
void look_at(bytes payload) {
    [[maybe_unused]] static volatile std::uint64_t sum = 0;
    sum = std::accumulate(payload.begin(), payload.end(), std::uint64_t{0},
                          [](std::uint64_t so_far, std::byte each) {
                              return so_far + std::to_integer<std::uint64_t>(each);
                          });
}

class victim {
  public:
    victim() : ring_{ring::create(name_, options())} {
        out_.emplace(ring_);
        in_.emplace(ring_);
        for (int i = 0; i < 5; ++i) { out_->send(filling(static_cast<std::size_t>(i) * 20)); }
        last_ = in_->try_receive();
    }
    victim(const victim&) = delete;
    victim& operator=(const victim&) = delete;
    ~victim() {
        // Not ring::remove(), which takes no file that does not look like a ring.
        ::unlink(path_of_ring(name_).c_str());
        ::unlink(path_of_ring(dead_letter_ring_of(name_)).c_str());
    }

    void overwrite(choices& with) {
        const auto& where = *ring_.shared();
        auto* const base = reinterpret_cast<std::byte*>(&where.header());
        const auto size = where.file().shape().file_size();
        const std::size_t at = with.word() % size;
        const auto what = with.take(std::min<std::size_t>(with.byte() % 32 + 1U, size - at));
        if (!what.empty()) { std::memcpy(base + at, what.data(), what.size()); }
    }

    void step(choices& with) {
        try {
            act(with);
        } catch (const error&) {
            // As it should be.
        }
    }

  private:
    static ring_options options() {
        ring_options small;
        small.capacity = 4096;
        small.members = 6;
        small.groups = 3;
        small.liveness_interval = 1ms;
        return small;
    }

    static bytes filling(std::size_t size) {
        static const std::vector<std::byte> all(65536, std::byte{'x'});
        return bytes{all}.first(size);
    }

    producer& out() {
        if (!out_) { out_.emplace(ring_); }
        return *out_;
    }
    consumer& in() {
        if (!in_) {
            in_.emplace(ring_, consumer_options{.max_attempts = 2});
            last_ = {};
        }
        return *in_;
    }

    void receive(deadline until) {
        auto& from = in();
        last_ = from.receive_until(until);
        if (last_) { look_at(last_.payload()); }
    }

    void act(choices& with) {
        switch (with.byte() % 20) {
            case 0: (void)out().try_send(filling(with.byte())); break;
            case 1: (void)out().send_for(filling(with.word()), moment); break;
            case 2: {
                const std::array batch{filling(with.byte()), filling(3), filling(with.byte())};
                (void)out().send_batch_for(batch, moment);
                break;
            }
            case 3: {
                auto space = out().lend_for(with.word() % 5000U, moment);
                if (space && with.byte() % 2 == 0) { space.commit(); }
                break;
            }
            case 4: receive(deadline::min()); break;
            case 5: receive(after(moment)); break;
            case 6: in().acknowledge(last_); break;
            case 7: in().acknowledge(); break;
            case 8: in().reject(last_, std::chrono::microseconds{with.byte()}); break;
            case 9: (void)in().count_attempt(last_); break;
            case 10: (void)in().bury(last_, "because"); break;
            case 11: {
                std::vector<message> several;
                (void)in().receive_batch(several, with.byte() % 8U + 1U, after(moment));
                for (const auto& each : several) { look_at(each.payload()); }
                break;
            }
            case 12:
                last_ = {};
                in_.reset();
                break;
            case 13: out_.reset(); break;
            case 14: {
                producer named{ring_, {.resume = "name"}};
                (void)named.send_until(filling(10), named.last_id().value_or(0) + 1, after(moment));
                break;
            }
            case 15: (void)ring_.status(); break;
            case 16: (void)ring::open(name_, after(moment)).status(); break;
            case 17: {
                tap watch{ring_, with.byte() % 2 == 0 ? start_at::earliest : start_at::latest};
                tapped_message seen;
                for (int i = 0; i < 8; ++i) {
                    if (watch.try_receive(seen) != receive_status::message) { break; }
                    look_at(seen.payload);
                }
                break;
            }
            case 18:
                ring_.add_group("other",
                                with.byte() % 2 == 0 ? start_at::earliest : start_at::latest);
                ring_.remove_group("other");
                break;
            case 19: ring_.clear_truncated(); break;
        }
    }

    std::string name_ = name_of_ring();
    ring ring_;
    std::optional<producer> out_;
    std::optional<consumer> in_;
    message last_;
};

}  // namespace

void segment_bytes(bytes input) {
    victim here;
    choices with{input};
    for (int i = 0; i < most_steps && with.any(); ++i) {
        if (i % 2 == 0) {
            here.overwrite(with);
        } else {
            here.step(with);
        }
    }
}

}  // namespace ringpipe::fuzz
