// How long a message lies before another consumer has it, when its own was killed: measured with
// the default options and told, since how soon it must be depends on the machine.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

using milliseconds = std::chrono::duration<double, std::milli>;

milliseconds time_of_one_kill() {
    const a_ring sut{{.capacity = 65536}};
    producer out{sut.ring};
    child dies{[&](const in_child& self) -> int {
        consumer in{ring::open(sut.name)};
        if (!in.receive_for(patience)) { return 1; }
        self.tell_and_stay();
    }};
    send_all(out, {"its last"});
    REQUIRE(dies.await());
    consumer in{sut.ring};
    // It waits already, as consumers do, when the other one is killed.
    REQUIRE(in.receive_for(30ms).status() == receive_status::timed_out);
    dies.kill();
    const stopwatch since;
    const auto again = in.receive_for(patience);
    const auto took = since.elapsed();
    REQUIRE(again.text() == "its last");
    CHECK(again.attempt() == 2);
    return took;
}

}  // namespace

TEST_CASE("redelivery: the message of a consumer that was killed is soon another's") {
    const int kills = std::getenv("RINGPIPE_LONG") != nullptr ? 200 : 10;
    std::vector<milliseconds> took;
    for (int i = 0; i < kills; ++i) { took.push_back(time_of_one_kill()); }
    std::sort(took.begin(), took.end());
    MESSAGE("redelivery after " << kills << " kills: median " << took[took.size() / 2].count()
                                << " ms, longest " << took.back().count() << " ms");
}
