#include "shm/dead_letter.hpp"

#include <algorithm>
#include <cstring>

#include "common/error.hpp"
#include "shm/consumer.hpp"
#include "shm/name.hpp"
#include "shm/producer.hpp"

namespace ringpipe {
namespace {

struct envelope {
    std::uint32_t magic;
    std::uint32_t version;
    std::uint64_t sequence;
    std::int64_t when_ns;
    std::uint32_t attempts;
    std::uint32_t why_size;
};
static_assert(sizeof(envelope) == 32, "the envelope is as drawn in the header");

constexpr std::uint32_t magic = 0x4c445052;  // "RPDL"
constexpr std::uint64_t least_capacity = std::uint64_t{1} << 20U;

}  // namespace

std::string dead_letter_ring_of(std::string_view ring) {
    return std::string{ring}.append(dead_letter_suffix);
}

std::optional<dead_letter> read_dead_letter(std::span<const std::byte> message) {
    envelope head{};
    if (message.size() < sizeof head) { return {}; }
    std::memcpy(&head, message.data(), sizeof head);
    if (head.magic != magic || head.version != 1 || head.why_size > message.size() - sizeof head) {
        return {};
    }
    const auto why = message.subspan(sizeof head, head.why_size);
    dead_letter letter;
    letter.sequence = head.sequence;
    letter.when = std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::nanoseconds{head.when_ns})};
    letter.attempts = head.attempts;
    letter.why = {reinterpret_cast<const char*>(why.data()), why.size()};
    letter.payload = message.subspan(sizeof head + head.why_size);
    return letter;
}

bool send_dead_letter(const ring& of, const message& dead, std::uint32_t attempts,
                      std::string_view why) {
    const auto size = sizeof(envelope) + why.size() + dead.payload().size();
    const auto name = dead_letter_ring_of(of.name());
    ring_options options;
    // Room for the largest message, and its envelope.
    options.capacity = std::max(least_capacity, of.capacity() * 2);
    options.mode = of.status().mode;
    const auto to = [&] {
        try {
            return ring::open(name, after(std::chrono::seconds{1}));
        } catch (const error& failed) {
            if (failed.which() != errc::ring_not_found) { throw; }
            return ring::open_or_create(name, options, after(std::chrono::seconds{1}));
        }
    }();
    // The ring keeps all from its beginning until somebody reads it: no group is needed.
    producer out{to};
    auto space = out.try_lend(size);
    if (!space) { return false; }
    const envelope head{magic,
                        1,
                        dead.sequence(),
                        std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count(),
                        attempts,
                        static_cast<std::uint32_t>(why.size())};
    auto* at = space.payload().data();
    std::memcpy(at, &head, sizeof head);
    std::memcpy(at + sizeof head, why.data(), why.size());
    if (!dead.payload().empty()) {
        std::memcpy(at + sizeof head + why.size(), dead.payload().data(), dead.payload().size());
    }
    space.commit();
    return true;
}

}  // namespace ringpipe
