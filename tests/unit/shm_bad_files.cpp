// What stands under a ring's name and is none, or none for us.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/temporary_folder.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

constexpr uid_t nobody = 65534;
constexpr int skipped = 77;

void write_file(const std::string& path, std::string_view content) {
    std::ofstream{path, std::ios::binary} << content;
}

std::string content_of(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::optional<errc> open_error(std::string_view name) {
    return error_of([&] { (void)ring::open(name, after(a_moment)); });
}

std::optional<errc> open_or_create_error(std::string_view name) {
    return error_of([&] { (void)ring::open_or_create(name, small(), after(a_moment)); });
}

// What a child says with its exit code: 0 none, else the errc.
int code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const error& e) { return e.code().value(); }
    return 0;
}

// What `action` throws to a user without privileges.
int code_for_nobody(const std::function<void()>& action) {
    child other_user{[&](const in_child&) {
        if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) { return skipped; }
        return code_of(action);
    }};
    return other_user.wait();
}

}  // namespace

TEST_CASE("ring name: what cannot be a name is refused before anything is touched") {
    for (const auto& name :
         {std::string{}, std::string(300, 'x'), std::string(64, 'x'), std::string(59, 'x'),
          std::string(59, 'x') + ".dead", std::string{"a\nb"}, std::string{"a\x1b[31m"},
          std::string{"\x7f"}, std::string{"a\0b", 3}, std::string{"."}, std::string{".."},
          std::string{"/tmp/a\nb"}, "/tmp/" + std::string(5000, 'x')}) {
        CAPTURE(name.substr(0, 40));
        CHECK(error_of([&] { (void)ring::create(name, small()); }) == errc::invalid_name);
        CHECK(error_of([&] { (void)ring::open_or_create(name, small()); }) == errc::invalid_name);
        CHECK(error_of([&] { (void)ring::open(name); }) == errc::invalid_name);
        CHECK(error_of([&] { (void)ring::remove(name); }) == errc::invalid_name);
    }
}

TEST_CASE("ring name: 58 characters and letters of any language are welcome") {
    const auto longest = (std::to_string(::getpid()) + std::string(63, 'x')).substr(0, 58);
    for (const auto& name : {longest, longest + ".dead", std::string{"gr\xc3\xbc\xc3\x9f dich"}}) {
        CAPTURE(name);
        (void)ring::remove(name);
        CHECK_FALSE(error_of([&] { (void)ring::create(name, small()); }));
        CHECK(ring::remove(name));
    }
}

TEST_CASE("bad file: a directory in the ring's place is no ring") {
    const unique_name name;
    REQUIRE(::mkdir(name.path().c_str(), 0700) == 0);
    CHECK(open_error(name) == errc::not_a_ring);
    CHECK(open_or_create_error(name) == errc::not_a_ring);
    CHECK(error_of([&] { (void)ring::remove(name); }) == errc::not_a_ring);
    CHECK(name.exists());
}

TEST_CASE("bad file: a foreign file is no ring and keeps every byte") {
    const unique_name name;
    for (const auto& content : {std::string{"x"}, std::string{"a text"}, std::string(100'000, 'y'),
                                std::string(4096, '\0')}) {
        CAPTURE(content.size());
        write_file(name.path(), content);
        CHECK(open_error(name) == errc::not_a_ring);
        CHECK(open_or_create_error(name) == errc::not_a_ring);
        CHECK(error_of([&] { (void)ring::remove(name); }) == errc::not_a_ring);
        CHECK(content_of(name.path()) == content);
    }
}

TEST_CASE("bad file: a named pipe is no ring and nobody waits at it") {
    const unique_name name;
    REQUIRE(::mkfifo(name.path().c_str(), 0600) == 0);
    const stopwatch watch;
    CHECK(open_error(name) == errc::not_a_ring);
    CHECK(open_or_create_error(name) == errc::not_a_ring);
    CHECK(error_of([&] { (void)ring::remove(name); }) == errc::not_a_ring);
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("bad file: a symbolic link is not followed") {
    const a_ring target;
    const unique_name name;
    REQUIRE(::symlink(target.name.path().c_str(), name.path().c_str()) == 0);
    CHECK(open_error(name).has_value());
    CHECK(open_or_create_error(name).has_value());
}

TEST_CASE("bad file: a ring of another version or ABI says so") {
    const a_ring sut;
    const segment_view view{sut.name.path()};
    SUBCASE("a newer version") { view.control().version = layout::version + 1; }
    SUBCASE("another ABI") { view.control().abi ^= 1U; }
    CHECK(open_error(sut.name) == errc::wrong_version);
    CHECK(open_or_create_error(sut.name) == errc::wrong_version);
    CHECK(error_of([&] { (void)ring::create(sut.name, small()); }) == errc::ring_exists);
    CHECK(ring::remove(sut.name));
}

TEST_CASE("bad file: a header that contradicts itself is corrupt") {
    const a_ring sut;
    const segment_view view{sut.name.path()};
    auto& control = view.control();
    SUBCASE("a capacity that is no power of two") { control.capacity = 4097; }
    SUBCASE("no capacity") { control.capacity = 0; }
    SUBCASE("a capacity beyond all memory") { control.capacity = std::uint64_t{1} << 63U; }
    SUBCASE("a buffer that begins inside of the tables") { control.header_size = 128; }
    SUBCASE("a buffer that begins beyond the file") {
        control.header_size = ~std::uint64_t{0} & ~std::uint64_t{4095};
    }
    SUBCASE("more members than can be") { control.members = 0x7fffffff; }
    SUBCASE("no members") { control.members = 0; }
    SUBCASE("more groups than can be") { control.groups = 65; }
    SUBCASE("no groups") { control.groups = 0; }
    SUBCASE("more members than the header has room for") { control.members = 1000; }
    SUBCASE("a liveness interval of nothing") { control.liveness_interval_ns = 0; }
    SUBCASE("a liveness interval of centuries") {
        control.liveness_interval_ns = ~std::uint64_t{0};
    }
    CHECK(open_error(sut.name) == errc::corrupt);
    CHECK(ring::remove(sut.name));
}

TEST_CASE("bad file: a segment that was cut short is an error wherever it was cut") {
    const a_ring sut;
    const auto whole = std::filesystem::file_size(sut.name.path());
    for (const auto size : {whole - 1, whole / 2, std::uintmax_t{4096}, std::uintmax_t{100}}) {
        CAPTURE(size);
        std::filesystem::resize_file(sut.name.path(), size);
        CHECK(open_error(sut.name) == errc::truncated_segment);
        CHECK(open_or_create_error(sut.name) == errc::truncated_segment);
    }
    for (const auto size : {60U, 12U, 7U, 1U}) {
        CAPTURE(size);
        std::filesystem::resize_file(sut.name.path(), size);
        CHECK(open_error(sut.name).has_value());
    }
    CHECK_FALSE(error_of([&] { (void)ring::create(unique_name{}, small()); }));
}

TEST_CASE("bad file: a header that promises more than the file has is a truncated segment") {
    const a_ring sut;
    segment_view{sut.name.path()}.control().capacity = 1U << 20U;
    CHECK(open_error(sut.name) == errc::truncated_segment);
}

TEST_CASE("bad file: an unfinished ring is waited for until the deadline and not longer") {
    const unique_name name;
    SUBCASE("its creator died before the first byte") { write_file(name.path(), ""); }
    SUBCASE("its creator died after the mark") {
        write_file(name.path(), {reinterpret_cast<const char*>(&layout::magic_creating), 8});
    }
    const stopwatch watch;
    CHECK(open_error(name) == errc::unfinished);
    CHECK(watch.elapsed() >= a_moment);
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("bad file: a folder that does not exist is named and not made") {
    CHECK(open_error("/tmp/ringpipe no such folder/ring") == errc::ring_not_found);
    CHECK(open_or_create_error("/tmp/ringpipe no such folder/ring").has_value());
    CHECK_FALSE(std::filesystem::exists("/tmp/ringpipe no such folder"));
}

TEST_CASE("permission: a ring of somebody else is not opened and not removed without it") {
    const a_ring sut;
    const auto denied = static_cast<int>(errc::no_permission);
    const auto code = code_for_nobody([&] { (void)ring::open(sut.name); });
    if (code == skipped) {
        MESSAGE("skipped: not permitted to become another user");
        return;
    }
    CHECK(code == denied);
    CHECK(code_for_nobody([&] { (void)ring::open_or_create(sut.name); }) == denied);
    CHECK(code_for_nobody([&] { (void)ring::remove(sut.name); }) == denied);
    CHECK(code_for_nobody([&] { (void)ring::create("/proc/1/task/ring"); }) != 0);
    CHECK(sut.name.exists());
}

TEST_CASE("permission: a mode that lets others in lets them in") {
    auto options = small();
    options.mode = 0666;
    const a_ring sut{options};
    consumer in{sut.ring};
    const auto code = code_for_nobody([&] {
        producer out{ring::open_or_create(sut.name)};
        out.send(bytes("from another user"));
    });
    if (code == skipped) {
        MESSAGE("skipped: not permitted to become another user");
        return;
    }
    CHECK(code == 0);
    CHECK(take_texts(in, 1) == std::vector<std::string>{"from another user"});
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("space: a file system too small for the ring is an error that leaves nothing behind") {
    const temporary_folder mount_point;
    child with_a_small_one{[&](const in_child&) {
        const std::string folder = mount_point.path();
        // The mount is this process's own, and goes with it.
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("ringpipe", folder.c_str(), "tmpfs", 0, "size=8m") != 0) {
            return skipped;
        }
        const auto too_large =
            code_of([&] { (void)ring::create(folder + "/ring", small(16U << 20U)); });
        const bool nothing_left = std::filesystem::is_empty(folder);
        const auto fits = code_of([&] {
            producer out{ring::create(folder + "/ring", small(4U << 20U))};
            consumer in{ring::open(folder + "/ring")};
            const auto largest = pattern((4U << 20U) - 32U);
            out.send(bytes(largest));
            if (in.receive_for(patience).text() != largest) {
                throw error{errc::corrupt, "not what was sent"};
            }
        });
        (void)::umount2(folder.c_str(), MNT_DETACH);
        if (!nothing_left) { return 90; }
        if (fits != 0) { return 91; }
        return too_large;
    }};
    const auto code = with_a_small_one.wait();
    if (code == skipped) {
        MESSAGE("skipped: not permitted to mount a tmpfs");
        return;
    }
    CHECK(code == static_cast<int>(errc::no_space));
}
