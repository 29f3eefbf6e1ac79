#include "common/progress.hpp"

#include <algorithm>
#include <chrono>

#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;
using namespace std::chrono_literals;

namespace {

// A meter whose time passes only when it is told to.
struct timed_meter {
    explicit timed_meter(bool enabled = true, std::string label = "sending")
        : meter{std::move(label), enabled, file.get(), [this] { return now; }} {}

    void pass(clock::duration time) { now += time; }
    [[nodiscard]] std::string drawn() const { return content_of(file.get()); }
    [[nodiscard]] auto draws() const { return std::ranges::count(drawn(), '\r'); }

    clock::time_point now = clock::time_point{} + 1h;
    unique_fd file = file_with("");
    progress_meter meter;
};

}  // namespace

TEST_CASE("a meter that is not enabled writes nothing but counts") {
    timed_meter sut{false};
    sut.pass(210ms);
    sut.meter.add(3, 300);
    sut.meter.look();
    sut.meter.finish();
    CHECK(sut.meter.messages() == 3);
    CHECK(sut.meter.bytes() == 300);
    CHECK(sut.meter.elapsed() == 210ms);
    CHECK(sut.drawn().empty());
}

TEST_CASE("a meter that never had time to draw clears nothing") {
    timed_meter sut;
    sut.pass(199ms);
    sut.meter.add(1, 1);
    sut.meter.finish();
    CHECK(sut.drawn().empty());
}

TEST_CASE("a meter draws one line five times a second and clears it in the end") {
    timed_meter sut;
    for (int i = 0; i < 700; ++i) {
        sut.pass(1ms);
        sut.meter.add(1000, 32'000);
    }
    CHECK(sut.draws() == 3);
    CHECK(sut.drawn().ends_with(
        "\rsending: 600,000 msg, 18.3 MiB, 1.0 M msg/s, 30.5 MiB/s, 0 s\x1b[K"));
    sut.meter.finish();
    sut.meter.finish();
    sut.pass(1s);
    sut.meter.add(1, 1);
    CHECK(sut.drawn().ends_with("/s, 0 s\x1b[K\r\x1b[K"));
    CHECK_FALSE(contains(sut.drawn(), "\n"));
}

TEST_CASE("a meter draws with the very message for which it is time, however slow they come") {
    timed_meter sut;
    for (int i = 0; i < 5000; ++i) { sut.meter.add(1, 1); }  // fast at first: looks seldom
    sut.pass(60ms);
    for (int i = 0; i < 1100; ++i) { sut.meter.add(1, 1); }  // sees that it is slow now
    CHECK(sut.draws() == 0);
    sut.pass(140ms);
    sut.meter.look();
    CHECK(sut.draws() == 1);
    for (int i = 2; i < 10; ++i) {
        sut.pass(200ms);
        sut.meter.add(1, 1);
        CHECK(sut.draws() == i);
    }
}

TEST_CASE("a meter's line never wraps") {
    timed_meter sut{true, std::string(300, 'x')};
    sut.pass(210ms);
    sut.meter.add(1, 1);
    CHECK(sut.draws() == 1);
    CHECK(sut.drawn().size() < 90);
}
