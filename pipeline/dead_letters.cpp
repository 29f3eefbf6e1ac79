#include "pipeline/dead_letters.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "shm/consumer.hpp"
#include "shm/dead_letter.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto group = "default";

// Whoever is sending a letter, or has the lock, is done by then; who died doing so is repaired.
constexpr auto patience = 500ms;

consumer_options member_of(std::string of) {
    consumer_options options;
    options.group = std::move(of);
    options.name = "ringpipe dead";
    options.max_attempts = 0;  // there is no ring behind this one
    return options;
}

const group_status* find(const ring_status& status) {
    const auto found = std::find_if(status.groups.begin(), status.groups.end(),
                                    [](const group_status& g) { return g.name == group; });
    return found == status.groups.end() ? nullptr : &*found;
}

}  // namespace

std::optional<dead_letters> dead_letters::of(const std::string& ring_name) {
    try {
        return dead_letters{ring::open(dead_letter_ring_of(ring_name), after(1s))};
    } catch (const error& e) {
        // The other: a name so long that its ring can have no letters.
        if (e.which() != errc::ring_not_found && e.which() != errc::invalid_name) { throw; }
    }
    return std::nullopt;
}

// The group keeps the letters while a look at them comes and goes.
dead_letters::dead_letters(ring where) : where_{std::move(where)} { where_.add_group(group); }

std::uint64_t dead_letters::count() const {
    std::uint64_t waiting = 0;
    look([&](const message&) { ++waiting; });
    return waiting;
}

// As a group of its own, so that nobody's lease and no order is touched. Such a group may begin
// before what `group` has acknowledged: where the room was not needed yet.
void dead_letters::look(const std::function<void(const message&)>& visit) const {
    const auto now = where_.status();
    const auto* real = find(now);
    if (real == nullptr || real->lag_bytes == 0) { return; }
    const auto first = now.bytes - real->lag_bytes;
    auto options = member_of(fmt::format("ringpipe dead {}", ::getpid()));
    options.kind = group_kind::ephemeral;
    consumer in{where_, options};
    for (;;) {
        const auto letter = in.receive_for(patience);
        if (!letter || letter.position() >= now.bytes) { return; }
        if (letter.position() >= first) { visit(letter); }
        in.acknowledge(letter);
        if (letter.end() >= now.bytes) { return; }
    }
}

void dead_letters::take(const std::function<bool(const message&)>& visit) const {
    const auto now = where_.status();
    const auto* real = find(now);
    if (real == nullptr || real->lag_bytes == 0) { return; }
    auto options = member_of(group);
    // One at a time, so that two who take at once share them, and a death gives back one.
    options.prefetch = 1;
    consumer in{where_, options};
    for (;;) {
        const auto letter = in.receive_for(patience);
        // Not those that come meanwhile: a replayed one may come back at once, again and again.
        if (!letter || letter.position() >= now.bytes || !visit(letter)) { return; }
        in.acknowledge(letter);
        if (letter.end() >= now.bytes) { return; }
    }
}

}  // namespace ringpipe::pipeline
