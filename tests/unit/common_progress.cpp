#include "common/progress.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;
using namespace std::chrono_literals;

TEST_CASE("a meter that is not enabled writes nothing but counts") {
    const auto file = file_with("");
    progress_meter meter{"sending", false, file.get()};
    std::this_thread::sleep_for(210ms);
    meter.add(3, 300);
    meter.look();
    meter.finish();
    CHECK(meter.messages() == 3);
    CHECK(meter.bytes() == 300);
    CHECK(meter.elapsed() >= 210ms);
    CHECK(content_of(file.get()).empty());
}

TEST_CASE("a meter that never had time to draw clears nothing") {
    const auto file = file_with("");
    {
        progress_meter meter{"sending", true, file.get()};
        meter.add(1, 1);
    }
    CHECK(content_of(file.get()).empty());
}

TEST_CASE("a meter draws one line a few times a second and clears it in the end") {
    const auto file = file_with("");
    progress_meter meter{"sending", true, file.get()};
    const auto until = clock::now() + 700ms;
    while (clock::now() < until) { meter.add(1000, 32000); }
    meter.finish();
    meter.finish();
    meter.add(1, 1);
    const auto drawn = content_of(file.get());
    CHECK(drawn.starts_with("\rsending: "));
    CHECK(contains(drawn, " msg, "));
    CHECK(contains(drawn, "iB/s"));
    CHECK(drawn.ends_with("\r\x1b[K"));
    CHECK_FALSE(contains(drawn, "\n"));
    const auto lines = std::count(drawn.begin(), drawn.end(), '\r');
    CHECK(lines >= 2);
    CHECK(lines <= 4);
}

TEST_CASE("a meter draws with the very message for which it is time, however slow they come") {
    const auto file = file_with("");
    progress_meter meter{"sending", true, file.get()};
    for (int i = 0; i < 100; ++i) { meter.add(1, 1); }  // fast at first
    std::this_thread::sleep_for(60ms);
    for (int i = 0; i < 200; ++i) { meter.add(1, 1); }
    std::this_thread::sleep_for(210ms);
    for (int i = 0; i < 200; ++i) { meter.add(1, 1); }
    CHECK_FALSE(content_of(file.get()).empty());
}

TEST_CASE("a meter's line never wraps") {
    const auto file = file_with("");
    progress_meter meter{std::string(300, 'x'), true, file.get()};
    std::this_thread::sleep_for(210ms);
    meter.add(1, 1);
    CHECK(content_of(file.get()).size() < 90);
}
