// An event loop in a test.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <string>

#include "async/async_consumer.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

namespace ringpipe::test {

// Runs until nothing is outstanding; fails instead of hanging.
inline void run(boost::asio::io_context& loop) {
    loop.restart();
    loop.run_for(patience);
    CHECK(loop.stopped());
}

// Waits until the watcher is about to sleep for an end: until a message comes, or until there is
// room.
[[nodiscard]] inline bool waits_for_messages(const unique_name& ring) {
    const segment_view view{ring.path()};
    return eventually([&] { return view.consumer_sleeps(); });
}
[[nodiscard]] inline bool waits_for_room(const unique_name& ring) {
    const segment_view view{ring.path()};
    return eventually([&] { return view.producer_sleeps(); });
}

// Receives one message and acknowledges it. Its text is in `text` when the loop has run.
inline void receive_into(std::string& text, async_consumer& in) {
    in.async_receive([&text](error_code code, async_message message) {
        CHECK_FALSE(code);
        text = message.text();
        message.acknowledge();
    });
}

}  // namespace ringpipe::test
