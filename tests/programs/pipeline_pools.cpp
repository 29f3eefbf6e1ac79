// ringpipe's commands and pools of workers: what waits and runs, and what a killed owner left.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/child.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/program.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/said.hpp"
#include "tests/support/tasks.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::test;

nlohmann::json stat_of(const std::string& pool) {
    const auto said = ask({"stat", "--pool", pool, "--json"});
    CAPTURE(said.err);
    REQUIRE(said.code == 0);
    return nlohmann::json::parse(said.out);
}

// Its rings and its board.
bool anything_left_of(const std::string& pool) {
    for (const auto& path :
         {"/dev/shm/ringpipe-pool." + pool, "/dev/shm/ringpipe." + pool + ".requests",
          "/dev/shm/ringpipe." + pool + ".replies"}) {
        if (::access(path.c_str(), F_OK) == 0) { return true; }
    }
    return false;
}

// A pool whose owner was killed, and what that left. Whoever makes a pool clears up behind such ones,
// in other tests too: not while somebody looks at its board, as this does until it is let go.
class abandoned_pool {
  public:
    abandoned_pool() {
        do { make(); } while (!exists());
    }
    void let_go() { board_ = {}; }
    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    void make() {
        static int number = 0;
        name_ = fmt::format("left-{}-{}", ::getpid(), ++number);
        child owner{[&](const in_child& parent) {
            process_pool pool{{.name = name_, .max_workers = 1}};
            (void)pool.submit(tasks::square, 2).get();
            parent.tell_and_stay();
            return 0;
        }};
        REQUIRE(owner.await());
        const auto path = "/dev/shm/ringpipe-pool." + name_;
        board_ = unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
        owner.kill();
        REQUIRE(::flock(board_.get(), LOCK_SH) == 0);
    }
    // False if another test's pool was quicker.
    [[nodiscard]] bool exists() const {
        struct stat now {};
        return ::fstat(board_.get(), &now) == 0 && now.st_nlink != 0;
    }

    std::string name_;
    unique_fd board_;
};

}  // namespace

TEST_CASE("stat of a pool tells what waits and runs and what each worker does") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    CHECK(pool.submit(tasks::square, 3).get() == 9);
    CHECK_THROWS(pool.submit(tasks::throw_a_number).get());
    auto runs = pool.submit(tasks::wait_for, hold.file());
    REQUIRE(hold.begun());
    std::vector<pool::future<int>> wait;
    for (int i = 0; i < 3; ++i) { wait.push_back(pool.submit(tasks::square, i)); }
    REQUIRE(wait.back().cancel());
    const auto seen = stat_of(pool.name());
    CAPTURE(seen.dump());
    CHECK(seen["kind"] == "pool");
    CHECK(seen["state"] == "open");
    CHECK(seen["owner_pid"] == ::getpid());
    CHECK(seen["waiting"] == 2);
    CHECK(seen["running"] == 1);
    CHECK(seen["done"] == 1);
    CHECK(seen["failed"] == 1);
    CHECK(seen["cancelled"] == 1);
    CHECK(seen["max_workers"] == 1);
    REQUIRE(seen["workers"].size() == 1);
    CHECK(seen["workers"][0]["at_work"] == true);
    CHECK(seen["workers"][0]["done"] == 1);
    CHECK(seen["workers"][0]["failed"] == 1);

    const auto text = ask({"stat", pool.name()});  // no ring or space has that name
    CAPTURE(text.out);
    CHECK(has(text.out, "2 waiting, 1 running, 1 done, 1 failed, 1 cancelled"));
    CHECK(has(text.out, "at work for"));
    const auto tables = ask({"ls"}).out;  // the rings come first, and have longer names
    const auto at = tables.find("\n" + pool.name() + " ");
    REQUIRE(at != std::string::npos);
    CHECK(has(line_with(tables.substr(at), pool.name() + " "), " 1/1 "));
    const auto page = ask({"metrics"}).out;
    const auto labels = "{pool=\"" + pool.name() + "\"} ";
    CHECK(has(page, "ringpipe_pool_waiting_tasks" + labels + "2"));
    CHECK(has(page, "ringpipe_pool_running_tasks" + labels + "1"));
    CHECK(has(page, "ringpipe_pool_done_tasks_total" + labels + "1"));
    CHECK(has(page, fmt::format("ringpipe_pool_worker_done_tasks_total{{pool=\"{}\",pid=\"{}\"}} 1",
                                pool.name(), pool.status().workers.at(0).pid)));
    hold.open();
    CHECK(runs.get() != 0);
}

TEST_CASE("rm and gc leave a pool alone whose owner lives") {
    process_pool pool{{.max_workers = 1}};
    CHECK(pool.submit(tasks::square, 3).get() == 9);
    for (const auto& options : {std::vector<std::string>{"rm", "--pool", pool.name()},
                                {"rm", "--pool", "--force", pool.name()}}) {
        const auto refused = ask(options);
        CHECK(refused.code == 69);
        CHECK(is_one_line(refused.err, "ringpipe"));
        CHECK(has(refused.err, "its owner is alive"));
    }
    const auto kept = ask({"gc", "--dry-run", "--older-than", "0", "--unread"}).out;
    CHECK(has(line_with(kept, " pool " + pool.name()), "lives"));
    CHECK(has(line_with(kept, " " + pool.name() + ".requests"), "kept"));
    CHECK(has(line_with(kept, " " + pool.name() + ".replies"), "kept"));
    CHECK(pool.submit(tasks::square, 4).get() == 16);
}

TEST_CASE("what a killed owner left is shown as abandoned and removed by rm") {
    abandoned_pool left;
    CHECK(stat_of(left.name())["state"] == "abandoned");
    CHECK(has(ask({"doctor", left.name()}).out, "was killed"));
    left.let_go();
    // Another test that clears up may be at it just now, and then has removed it (66).
    CHECK(eventually([&] {
        const auto code = ask({"rm", "--pool", left.name()}).code;
        return code == 0 || code == 66;
    }));
    CHECK_FALSE(anything_left_of(left.name()));
    CHECK(ask({"rm", "--pool", left.name()}).code == 66);
}

TEST_CASE("what a killed owner left is removed by gc however young it is") {
    abandoned_pool left;
    const auto would = ask({"gc", "--dry-run"}).out;
    CHECK(has(would, "would go  pool " + left.name()));
    CHECK_FALSE(has(would, left.name() + ".requests"));  // with it, not besides
    CHECK(anything_left_of(left.name()));
    left.let_go();
    // For pools only: no ring or space is that old.
    CHECK(ask({"gc", "--older-than", std::to_string(24 * 365 * 30) + "h"}).code == 0);
    CHECK(eventually([&] { return !anything_left_of(left.name()); }));
}

TEST_CASE("a file that is called like a pool and is none is never removed") {
    const auto name = fmt::format("diary-{}", ::getpid());
    const auto path = "/dev/shm/ringpipe-pool." + name;
    std::ofstream{path} << "somebody's diary, not a pool\n";
    CHECK(ask({"rm", "--pool", name}).code == 78);
    { const process_pool another; }  // clears up behind killed owners
    CHECK(has(line_with(ask({"ls"}).out, name), " unusable "));
    CHECK(::access(path.c_str(), F_OK) == 0);
    ::unlink(path.c_str());
}

TEST_CASE("doctor tells of a worker that is stopped") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    auto runs = pool.submit(tasks::wait_for, hold.file());
    REQUIRE(hold.begun());
    CHECK(has(ask({"doctor", pool.name()}).out, "sound: 1 workers"));
    const auto pid = static_cast<pid_t>(pool.status().workers.at(0).pid);
    REQUIRE(::kill(pid, SIGSTOP) == 0);
    CHECK(eventually([&] {
        return has(ask({"doctor", pool.name()}).out, fmt::format("worker {} is stopped", pid));
    }));
    ::kill(pid, SIGCONT);
    hold.open();
    CHECK(runs.get() == pid);
}
