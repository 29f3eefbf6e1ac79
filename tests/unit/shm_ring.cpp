// Rings by name: created, opened, listed, removed. Files that are no rings: shm_bad_files.cpp.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "common/unique_fd.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("ring: what is created can be opened by its name") {
    const a_ring sut;
    const auto opened = ring::open(sut.name);
    CHECK(opened.name() == sut.name.str());
    CHECK(opened.capacity() == 4096);

    producer out{sut.ring};
    send_all(out, {"through both handles"});
    consumer in{opened};
    CHECK(take_texts(in, 1) == std::vector<std::string>{"through both handles"});
}

TEST_CASE("ring: create refuses a ring that is already there and leaves it alone") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"kept"});
    CHECK(error_of([&] { (void)ring::create(sut.name, small()); }) == errc::ring_exists);
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == std::vector<std::string>{"kept"});
}

TEST_CASE("ring: open says at once that there is no such ring") {
    const unique_name name;
    const stopwatch watch;
    CHECK(error_of([&] { (void)ring::open(name); }) == errc::ring_not_found);
    CHECK(watch.elapsed() < soon);
    CHECK_FALSE(name.exists());
}

TEST_CASE("ring: open_or_create makes what is not there and opens what is") {
    const unique_name name;
    const auto made = ring::open_or_create(name, small());
    producer out{made};
    send_all(out, {"same ring"});
    const auto opened = ring::open_or_create(name, small());
    consumer in{opened};
    CHECK(take_texts(in, 1) == std::vector<std::string>{"same ring"});
}

TEST_CASE("ring: every option that was given and differs is refused at opening") {
    const a_ring sut;
    ring_options other;
    SUBCASE("capacity") { other.capacity = 8192; }
    SUBCASE("members") { other.members = 9; }
    SUBCASE("groups") { other.groups = 5; }
    SUBCASE("mode") { other.mode = 0660; }
    SUBCASE("liveness interval") { other.liveness_interval = 21ms; }
    CHECK(error_of([&] { (void)ring::open_or_create(sut.name, other); }) == errc::options_differ);
}

TEST_CASE("ring: an option that is not given is not compared") {
    const a_ring sut;
    CHECK(ring::open_or_create(sut.name, {}).capacity() == 4096);
    ring_options one;
    one.capacity = 4095;  // rounds up to what it has
    CHECK(ring::open_or_create(sut.name, one).capacity() == 4096);
}

TEST_CASE("ring: the capacity is rounded up to a power of two of at least 4 KiB") {
    for (const auto& row : {std::pair{0U, 4096U}, {1U, 4096U}, {4097U, 8192U}, {65536U, 65536U}}) {
        const auto asked = row.first;  // clang 14: no lambda captures a structured binding
        const auto expected = row.second;
        CAPTURE(asked);
        const a_ring sut{small(asked)};
        CHECK(sut.ring.capacity() == expected);
        CHECK(sut.ring.max_message_size() == expected - 32);
    }
}

TEST_CASE("ring: without options it has 16 MiB and its owner alone may use it") {
    const a_ring sut{ring_options{}};
    CHECK(sut.ring.capacity() == default_capacity);
    struct stat about {};
    REQUIRE(::stat(sut.name.path().c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0600U);
}

TEST_CASE("ring: the mode that was asked for holds against the umask") {
    const auto before = ::umask(077);
    auto options = small();
    options.mode = 0664;
    const a_ring sut{options};
    ::umask(before);
    struct stat about {};
    REQUIRE(::stat(sut.name.path().c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0664U);
}

TEST_CASE("ring: its memory is allocated at creation so that a write never meets SIGBUS") {
    const a_ring sut{small(1U << 20U)};
    struct stat about {};
    REQUIRE(::stat(sut.name.path().c_str(), &about) == 0);
    CHECK(about.st_blocks * 512 >= about.st_size);
    CHECK(about.st_size > 1 << 20);
}

TEST_CASE("ring: options out of range are refused and leave nothing behind") {
    const unique_name name;
    auto options = small();
    SUBCASE("no members") { options.members = 0; }
    SUBCASE("too many members") { options.members = layout::max_members + 1; }
    SUBCASE("no groups") { options.groups = 0; }
    SUBCASE("too many groups") { options.groups = layout::max_groups + 1; }
    SUBCASE("a capacity beyond the layout") { options.capacity = layout::max_capacity + 1; }
    SUBCASE("a capacity that overflows when rounded") { options.capacity = ~std::uint64_t{0}; }
    SUBCASE("a negative liveness interval") { options.liveness_interval = -1ms; }
    SUBCASE("no liveness interval") { options.liveness_interval = 0ms; }
    SUBCASE("a mode of more than permissions") { options.mode = 04600; }
    CHECK(error_of([&] { (void)ring::create(name, options); }) == errc::invalid_argument);
    CHECK(error_of([&] { (void)ring::open_or_create(name, options); }) == errc::invalid_argument);
    CHECK_FALSE(name.exists());
}

TEST_CASE("ring: the largest tables that are allowed work") {
    auto options = small();
    options.members = layout::max_members;
    options.groups = layout::max_groups;
    const a_ring sut{options};
    for (unsigned g = 0; g < layout::max_groups; ++g) {
        sut.ring.add_group("group " + std::to_string(g));
    }
    producer out{sut.ring};
    send_all(out, {"to all"});
    consumer_options last;
    last.group = "group 63";
    consumer in{sut.ring, last};
    CHECK(take_texts(in, 1) == std::vector<std::string>{"to all"});
}

TEST_CASE("ring: remove takes the name away and says whether there was one") {
    const unique_name name;
    CHECK_FALSE(ring::remove(name));
    (void)ring::create(name, small());
    CHECK(ring::remove(name));
    CHECK_FALSE(name.exists());
    CHECK_FALSE(ring::remove(name));
    CHECK(error_of([&] { (void)ring::open(name); }) == errc::ring_not_found);
}

TEST_CASE("ring: those who are attached keep what they have when it is removed") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    REQUIRE(ring::remove(sut.name));
    send_all(out, {"still there"});
    CHECK(take_texts(in, 1) == std::vector<std::string>{"still there"});
    out.close();
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("ring: nobody new attaches through a handle whose ring was removed and made anew") {
    const a_ring old;
    REQUIRE(ring::remove(old.name));
    CHECK(error_of([&] { producer{old.ring}; }) == errc::ring_not_found);
    const auto made_anew = ring::create(old.name, small());
    CHECK(error_of([&] { producer{old.ring}; }) == errc::ring_not_found);
    CHECK(error_of([&] { consumer{old.ring}; }) == errc::ring_not_found);
    CHECK_FALSE(error_of([&] { producer{made_anew}; }));
}

TEST_CASE("ring: list names what is called like a ring in the machine's shared memory") {
    const a_ring listed;
    const unique_name gone;
    (void)ring::create(gone, small());
    ring::remove(gone);
    const unique_name foreign;
    const unique_fd file{::open(foreign.path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
    REQUIRE(::write(file.get(), "no ring at all", 14) == 14);

    const auto names = ring::list();
    CHECK(std::ranges::count(names, listed.name.str()) == 1);
    CHECK(std::ranges::count(names, gone.str()) == 0);
    // Whether it is one is for open() to say: a list that hid it would leave its user wondering.
    CHECK(std::ranges::count(names, foreign.str()) == 1);
}

TEST_CASE("ring: a name with a slash is a file") {
    const unique_name name{"/tmp"};
    const auto sut = ring::create(name, small());
    CHECK(name.exists());
    producer out{sut};
    send_all(out, {"in a file"});
    consumer in{ring::open(name)};
    CHECK(take_texts(in, 1) == std::vector<std::string>{"in a file"});
    CHECK(ring::remove(name));
    CHECK_FALSE(name.exists());
}

TEST_CASE("ring: a file that was left keeps its messages for who opens it next") {
    const unique_name name{"/tmp"};
    {
        producer out{ring::create(name, small())};
        send_all(out, {"first", "second"});
    }
    consumer in{ring::open(name)};
    CHECK(take_texts(in, 2) == std::vector<std::string>{"first", "second"});
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("ring: no descriptor of an attached process survives exec") {
    const a_ring sut;
    const producer out{sut.ring};
    const consumer in{sut.ring};
    struct stat ring_file {};
    REQUIRE(::stat(sut.name.path().c_str(), &ring_file) == 0);
    int of_the_ring = 0;
    for (int fd = 0; fd < 256; ++fd) {
        struct stat about {};
        if (::fstat(fd, &about) != 0 || about.st_ino != ring_file.st_ino ||
            about.st_dev != ring_file.st_dev) {
            continue;
        }
        ++of_the_ring;
        CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(of_the_ring >= 2);
}
