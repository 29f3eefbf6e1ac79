// An event loop in a test.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "tests/support/ring_fixture.hpp"

namespace ringpipe::test {

// Runs until nothing is outstanding; fails instead of hanging.
inline void run(boost::asio::io_context& loop) {
    loop.restart();
    loop.run_for(patience);
    CHECK(loop.stopped());
}

}  // namespace ringpipe::test
