// ringpipe's commands and spaces of locks: what is held by whom, who is in the way, what may go.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sync/barrier.hpp"
#include "sync/cell.hpp"
#include "sync/counting_semaphore.hpp"
#include "sync/event.hpp"
#include "sync/mutex.hpp"
#include "sync/semaphore.hpp"
#include "sync/shared_mutex.hpp"
#include "tests/support/program.hpp"
#include "tests/support/said.hpp"
#include "tests/support/somebody.hpp"
#include "tests/support/space_fixture.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::test;

nlohmann::json stat_of(const unique_space& space) {
    const auto said = ask({"stat", "--space", space.str(), "--json"});
    CHECK(said.code == 0);
    return nlohmann::json::parse(said.out);
}

// One of its names.
nlohmann::json primitive(const nlohmann::json& space, const std::string& name) {
    for (const auto& one : space["primitives"]) {
        if (one["name"] == name) { return one; }
    }
    return {};
}

}  // namespace

TEST_CASE("stat of a space tells who holds what") {
    const a_space made;
    sync::mutex{made.space, "free"};
    sync::semaphore seats{made.space, "seats", 3};
    seats.acquire();
    seats.acquire();
    sync::counting_semaphore{made.space, "stock", 7};
    sync::event{made.space, "open"}.set();
    sync::shared_mutex read{made.space, "read"};
    read.lock_shared();
    sync::cell_writer<int> price{made.space, "price"};
    price.write(5);
    price.write(6);
    sync::barrier start{made.space, "start", 2};
    const somebody holder{made.name, [](const sync::space& s) {
                              sync::mutex{s, "held"}.lock();
                              sync::shared_mutex{s, "written"}.lock();
                          }};

    const auto seen = stat_of(made.name);
    CAPTURE(seen.dump());
    CHECK(seen["kind"] == "space");
    CHECK(seen["members"].size() == 2);
    CHECK(primitive(seen, "free")["participants"].empty());
    const auto held = primitive(seen, "held");
    REQUIRE(held["participants"].size() == 1);
    CHECK(held["participants"][0]["pid"] == holder.pid());
    CHECK(held["participants"][0]["alive"] == true);
    CHECK(held["participants"][0]["what"] == "holds");
    CHECK(primitive(seen, "written")["participants"][0]["what"] == "writes");
    CHECK(primitive(seen, "seats")["free"] == 1);
    CHECK(primitive(seen, "seats")["units"] == 3);
    CHECK(primitive(seen, "seats")["participants"][0]["count"] == 2);
    CHECK(primitive(seen, "seats")["participants"][0]["pid"] == ::getpid());
    CHECK(primitive(seen, "stock")["count"] == 7);
    CHECK(primitive(seen, "open")["set"] == true);
    CHECK(primitive(seen, "read")["participants"][0]["what"] == "reads");
    CHECK(primitive(seen, "price")["writes"] == 2);
    CHECK(primitive(seen, "price")["size_bytes"] == sizeof(int));
    CHECK(primitive(seen, "start")["parties"] == 2);
    CHECK(primitive(seen, "start")["participants"][0]["what"] == "awaited");

    // As text, and found without --space, since there is no ring of that name.
    const auto text = ask({"stat", made.name.str()});
    CAPTURE(text.out);
    CHECK(text.code == 0);
    CHECK(has(text.out, "space       " + made.name.str()));
    CHECK(has(text.out, "1 of 3 free"));
    CHECK(has(text.out, fmt::format("{} writes", holder.pid())));
    read.unlock_shared();
    seats.release();
    seats.release();
}

TEST_CASE("who looks at a space takes no part in it") {
    auto options = small_space();
    options.members = 1;
    const a_space made{options};
    sync::mutex m{made.space, "m"};
    m.lock();
    CHECK(ask({"stat", "--space", made.name.str()}).code == 0);  // the only slot is ours
    CHECK(stat_of(made.name)["members"].size() == 1);
    m.unlock();
}

TEST_CASE("ls lists a space with its processes and what is in use") {
    const a_space made;
    sync::mutex m{made.space, "m"};
    m.lock();
    const auto listed = ask({"ls"});
    CHECK(has(listed.out, "SPACE"));
    CHECK(has(line_with(listed.out, made.name.str()), " open "));
    bool found = false;
    for (const auto& one : nlohmann::json::parse(ask({"ls", "--json"}).out)) {
        if (one["name"] == made.name.str() && one["kind"] == "space") {
            found = true;
            CHECK(one["primitives"].size() == 1);
        }
    }
    CHECK(found);
    m.unlock();
}

TEST_CASE("rm removes a space that nobody has open and no other") {
    const unique_space name;
    {
        const auto space = sync::space::create(name, small_space());
        const auto refused = ask({"rm", "--space", name.str()});
        CHECK(refused.code == 69);
        CHECK(is_one_line(refused.err, "ringpipe"));
        CHECK(has(refused.err, "processes that have it open"));
        CHECK(::access(name.path().c_str(), F_OK) == 0);
    }
    // Not by the name alone: that would be a ring.
    const auto hint = ask({"rm", name.str()});
    CHECK(hint.code == 66);
    CHECK(has(hint.err, "ringpipe rm --space " + name.str()));
    CHECK(::access(name.path().c_str(), F_OK) == 0);
    CHECK(ask({"rm", "--space", name.str()}).code == 0);
    CHECK(::access(name.path().c_str(), F_OK) != 0);
    CHECK(ask({"rm", "--space", name.str()}).code == 66);
}

TEST_CASE("rm leaves a space alone that a killed process had and a living one has") {
    const unique_space name;
    (void)sync::space::create(name, small_space());
    somebody dies{name, [](const sync::space& s) { sync::mutex{s, "m"}.lock(); }};
    somebody lives{name, [](const sync::space&) {}};
    dies.kill();
    CHECK(ask({"rm", "--space", name.str()}).code == 69);
    CHECK(has(ask({"stat", "--space", name.str()}).out, "(dead)"));
    lives.kill();
    CHECK(ask({"rm", "--space", name.str()}).code == 0);
}

TEST_CASE("gc takes spaces that nobody has open or has used for long") {
    const unique_space name;
    const auto fate = [&](const std::string& older_than) {
        const auto said = ask({"gc", "--dry-run", "--older-than", older_than});
        CHECK(said.code == 0);
        return line_with(said.out, " space " + name.str());
    };
    {
        const auto space = sync::space::create(name, small_space());
        CHECK(has(fate("0"), "1 process has it open"));
    }
    CHECK(has(fate("1h"), "used "));
    CHECK(has(fate("0"), "would go"));
    // So old that nothing else on this machine is.
    timespec old{};
    ::clock_gettime(CLOCK_REALTIME, &old);
    old.tv_sec -= 20L * 365 * 24 * 3600;
    const timespec both[] = {old, old};
    REQUIRE(::utimensat(AT_FDCWD, name.path().c_str(), both, 0) == 0);
    const auto years = std::to_string(19 * 365 * 24) + "h";
    {
        const somebody lives{name, [](const sync::space&) {}};
        REQUIRE(::utimensat(AT_FDCWD, name.path().c_str(), both, 0) == 0);
        CHECK(has(ask({"gc", "--older-than", years}).out, "kept     space " + name.str()));
        CHECK(::access(name.path().c_str(), F_OK) == 0);
    }
    REQUIRE(::utimensat(AT_FDCWD, name.path().c_str(), both, 0) == 0);
    CHECK(has(ask({"gc", "--older-than", years}).out, "removed   space " + name.str()));
    CHECK(::access(name.path().c_str(), F_OK) != 0);
}

TEST_CASE("doctor tells of holders that are stopped or dead and of parties that are gone") {
    const a_space made;
    CHECK(has(ask({"doctor", made.name.str()}).out, "sound: 0 names"));
    somebody dies{
        made.name, [](const sync::space& s) {
            sync::mutex{s, "orphaned"}.lock();
            new sync::barrier{s, "start", 2};  // its seat is not left, but lost by its death
        }};
    const sync::barrier waits{made.space, "start", 2};
    somebody stops{made.name, [](const sync::space& s) { sync::mutex{s, "stuck"}.lock(); }};
    dies.kill();
    REQUIRE(::kill(stops.pid(), SIGSTOP) == 0);
    answer found;
    CHECK(eventually([&] {  // until the signal has stopped it
        found = ask({"doctor", made.name.str()});
        return has(found.out, "is stopped");
    }));
    CAPTURE(found.out);
    CHECK(found.code == 1);
    CHECK(has(found.out, fmt::format("process {} is stopped, and holds mutex stuck", stops.pid())));
    CHECK(has(found.out, fmt::format("kill -CONT {}", stops.pid())));
    CHECK(has(found.out, "mutex orphaned is held by process"));
    CHECK(has(found.out, "barrier start waits for a party that is gone"));
    sync::mutex next{made.space, "orphaned"};
    next.lock();
    CHECK(has(ask({"doctor", made.name.str()}).out, "an owner of mutex orphaned died"));
    next.mark_consistent();
    next.unlock();
    CHECK_FALSE(has(ask({"doctor", made.name.str()}).out, "an owner of mutex orphaned died"));
}

TEST_CASE("metrics tell of spaces and what is in them") {
    const a_space made;
    sync::semaphore seats{made.space, "seats", 3};
    seats.acquire();
    const auto page = ask({"metrics"}).out;
    const auto labels = "{space=\"" + made.name.str() + "\",name=\"seats\",kind=\"semaphore\"}";
    CHECK(has(page, "ringpipe_space_processes{space=\"" + made.name.str() + "\"} 1"));
    CHECK(has(page, "ringpipe_semaphore_free_units" + labels + " 2"));
    CHECK(has(page, "ringpipe_sync_holders" + labels + " 1"));
    seats.release();
}

TEST_CASE("a damaged space is unusable to ls and bad to doctor and gc keeps it") {
    const unique_space name;
    (void)sync::space::create(name, small_space());
    REQUIRE(::truncate(name.path().c_str(), 4096) == 0);
    CHECK(has(line_with(ask({"ls"}).out, name.str()), " unusable "));
    const auto found = ask({"doctor", name.str()});
    CHECK(found.code == 1);
    CHECK(has(found.out, "bad     space " + name.str()));
    CHECK(has(ask({"gc", "--dry-run", "--older-than", "0"}).out, "kept     space " + name.str()));
    CHECK(ask({"rm", "--space", name.str()}).code == 0);
}
