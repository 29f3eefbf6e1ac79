#include "producer/new_ring.hpp"

#include <exception>

#include "common/error.hpp"

namespace ringpipe::producer_program {
namespace {

ring open_or_create(std::string_view name, const ring_options& creation, bool& made_here) {
    try {
        auto made = ring::create(name, creation);
        made_here = true;
        return made;
    } catch (const error& e) {
        if (e.which() != errc::ring_exists) { throw; }
    }
    return ring::open_or_create(name, creation);
}

}  // namespace

new_ring::new_ring(std::string_view name, const ring_options& creation)
    : ring_{open_or_create(name, creation, made_here_)} {}

new_ring::~new_ring() {
    if (!made_here_) { return; }
    try {
        // A consumer that comes just now, between the two, is told "truncated" by the producer
        // that gave up: it does not wait in a ring without a name.
        const auto now = ring_.status();
        if (now.producers == 0 && now.consumers == 0) { ring::remove(ring_.name()); }
    } catch (const std::exception&) {
        // Something else is wrong already, and is being reported.
    }
}

}  // namespace ringpipe::producer_program
