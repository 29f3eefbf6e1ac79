#include "common/open_file.hpp"

#include <sys/stat.h>

#include <string>

#include "common/temporary_folder.hpp"
#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST_CASE("a file descriptor is closed once, by its last owner") {
    int number = -1;
    {
        unique_fd first{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
        number = first.get();
        unique_fd second{std::move(first)};
        CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move): what it shows
        CHECK(second.get() == number);
        unique_fd third;
        third = std::move(second);
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));
    unique_fd released{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    const unique_fd owner{released.release()};
    released.reset();
    CHECK(is_open(owner.get()));
}

TEST_CASE("a file is written, closed and read back, and does not leak into children") {
    const temporary_folder folder;
    const std::string path = folder.path() / "file";
    for (const auto* content : {"a longer text", "short"}) {
        auto out = open_output(path);
        REQUIRE(::write(out.get(), content, std::string_view{content}.size()) > 0);
        close_output(std::move(out), path);
        const auto in = open_input(path);
        CHECK(content_of(in.get()) == content);
        CHECK((::fcntl(in.get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
}

TEST_CASE("a dash is standard input or output, and closing it leaves those open") {
    CHECK(input_name("-") == "standard input");
    CHECK(output_name("-") == "standard output");
    CHECK(input_name("a\nb") == "'a\\x0ab'");
    if (!is_open(STDOUT_FILENO)) { return; }
    { CHECK(open_output("-").get() != STDOUT_FILENO); }
    CHECK(is_open(STDOUT_FILENO));
}

TEST_CASE("a closed standard input is said to be closed") {
    const auto status = status_of_child([] {
        ::close(STDIN_FILENO);
        try {
            (void)open_input("-");
        } catch (const error& e) {
            ::_exit(e.which() == errc::io && contains(e.what(), "it is closed") ? 7 : 1);
        }
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("an input that is missing is another error than one that may not be read") {
    const temporary_folder folder;
    const std::string path = folder.path() / "file";
    CHECK_FAILS(errc::input_not_found, "No such file", (void)open_input(path));
    CHECK_FAILS(errc::input_not_found, "cannot read '" + path + "'", (void)open_input(path));
    CHECK(exit_code_for(errc::input_not_found) == 66);

    close_output(open_output(path), path);
    CHECK_FAILS(errc::input_not_found, "Not a directory", (void)open_input(path + "/x"));
    REQUIRE(::chmod(path.c_str(), 0) == 0);
    if (::geteuid() == 0) { return; }  // root may read and write anything
    CHECK_FAILS(errc::no_permission, "read permission", (void)open_input(path));
    CHECK_FAILS(errc::no_permission, "write permission", (void)open_output(path));
}

TEST_CASE("a directory is neither input nor output") {
    CHECK_FAILS(errc::io, "it is a directory", (void)open_input("/"));
    CHECK_FAILS(errc::io, "it is a directory", (void)open_output("/tmp"));
}

TEST_CASE("an output in a directory that is missing is refused") {
    const temporary_folder folder;
    CHECK_FAILS(errc::io, "create its directory", (void)open_output(folder.path() / "no/file"));
}

TEST_CASE("an output that fails only when it is closed is reported") {
    CHECK_FAILS(errc::io, "finish writing to 'x': Bad file",
                close_output(unique_fd{1'000'000}, "x"));
}
