#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "common/bus_error.hpp"
#include "common/open_file.hpp"
#include "common/shutdown.hpp"
#include "common/temporary_folder.hpp"
#include "tests/support/processes.hpp"
#include "tests/unit/common_support.hpp"

// All in child processes: what is installed for signals stays for the life of a process.
using namespace ringpipe;
using namespace ringpipe::common_test;

namespace {

// Without a test framework's own handlers, and without what the test was started with.
void default_signals() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGBUS, SIGPIPE}) {
        std::signal(signal, SIG_DFL);
    }
}

// Exits with 7 if read() of an empty pipe fails with EINTR.
void expect_interrupted_read() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) { ::_exit(1); }
    char c = 0;
    ::_exit(::read(ends[0], &c, 1) < 0 && errno == EINTR ? 7 : 2);
}

bool exited_with(int status, int code) { return WIFEXITED(status) && WEXITSTATUS(status) == code; }

}  // namespace

TEST_CASE("the first signal asks for a stop and is remembered") {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        CAPTURE(signal);
        CHECK(exited_with(status_of_child([&] {
                              default_signals();
                              install_stop_signals();
                              if (stop_requested() || stop_signal() != 0) { ::_exit(1); }
                              std::raise(signal);
                              std::raise(SIGTERM);  // no longer of interest
                              ::_exit(stop_requested() && stop_signal() == signal ? 7 : 2);
                          }),
                          7));
    }
    CHECK(exit_code_for_signal(SIGINT) == 130);
    CHECK(exit_code_for_signal(SIGTERM) == 143);
}

TEST_CASE("a stop signal interrupts a read that blocks") {
    CHECK(exited_with(status_of_child([] {
                          default_signals();
                          install_stop_signals();
                          const auto self = ::getpid();
                          if (::fork() == 0) {
                              (void)test::falls_asleep(self);  // in its read
                              ::kill(self, SIGTERM);
                              ::_exit(0);
                          }
                          expect_interrupted_read();
                      }),
                      7));
}

TEST_CASE("a read that begins just after the stop signal is interrupted, too") {
    CHECK(exited_with(status_of_child([] {
                          default_signals();
                          install_stop_signals();
                          std::raise(SIGTERM);
                          expect_interrupted_read();
                      }),
                      7));
}

TEST_CASE("a second SIGINT kills") {
    for (const int first : {SIGINT, SIGTERM}) {
        const auto status = status_of_child([&] {
            default_signals();
            install_stop_signals();
            std::raise(first);
            // Sooner, it would be the same one once more: see the next test.
            std::this_thread::sleep_for(std::chrono::milliseconds{150});
            std::raise(SIGINT);
            ::_exit(1);
        });
        CHECK(WIFSIGNALED(status));
        CHECK(WTERMSIG(status) == SIGINT);
    }
}

TEST_CASE("the same SIGINT twice at once, as timeout(1) sends it, does not kill") {
    // Not at once, if the machine has something else to do between the two.
    CHECK(test::eventually([] {
        return exited_with(status_of_child([] {
                               default_signals();
                               install_stop_signals();
                               std::raise(SIGINT);
                               std::raise(SIGINT);
                               ::_exit(7);
                           }),
                           7);
    }));
}

TEST_CASE("signals that were ignored from the start stay ignored, except SIGTERM") {
    CHECK(exited_with(status_of_child([] {
                          default_signals();
                          for (const int signal : {SIGINT, SIGHUP, SIGTERM}) {
                              std::signal(signal, SIG_IGN);
                          }
                          install_stop_signals();
                          std::raise(SIGHUP);
                          std::raise(SIGINT);
                          if (stop_requested()) { ::_exit(1); }
                          std::raise(SIGTERM);
                          ::_exit(stop_requested() ? 7 : 2);
                      }),
                      7));
}

TEST_CASE("a broken pipe can be an error rather than the end") {
    CHECK(exited_with(status_of_child([] {
                          default_signals();
                          ignore_broken_pipe();
                          std::array<int, 2> ends{};
                          if (::pipe(ends.data()) != 0) { ::_exit(1); }
                          ::close(ends[0]);
                          ::_exit(::write(ends[1], "x", 1) < 0 && errno == EPIPE ? 7 : 2);
                      }),
                      7));
}

TEST_CASE("opening a FIFO without another end can be stopped") {
    const temporary_folder folder;
    const std::string fifo = folder.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(exited_with(status_of_child([&] {
                          default_signals();
                          install_stop_signals();
                          std::raise(SIGTERM);
                          try {
                              (void)open_input(fifo);
                          } catch (const error& e) {
                              ::_exit(contains(e.what(), "interrupted") ? 7 : 1);
                          }
                      }),
                      7));
}

TEST_CASE("a ring's file cut short under a program ends it with a line that says so") {
    const auto pipe = make_pipe();
    const auto status = status_of_child([&] {
        default_signals();
        ::dup2(pipe.in.get(), STDERR_FILENO);
        install_bus_error_handler("ringpipe-test");
        install_bus_error_handler("ringpipe-test", "orders");
        const auto file = file_with(std::string(4096, 'x'));
        auto* memory = static_cast<volatile char*>(
            ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.get(), 0));
        if (::ftruncate(file.get(), 0) != 0) { ::_exit(1); }
        ::_exit(memory[0]);
    });
    CHECK(exited_with(status, 74));
    std::array<char, 1024> line{};
    const auto size = ::read(pipe.out.get(), line.data(), line.size());
    REQUIRE(size > 0);
    const std::string_view text{line.data(), static_cast<std::size_t>(size)};
    INFO(text);
    CHECK(text.starts_with("ringpipe-test: "));
    CHECK(contains(text, "ring 'orders'"));
    CHECK(contains(text, "`ringpipe rm 'orders'`"));
    CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("a SIGBUS of another origin kills as ever") {
    const auto status = status_of_child([] {
        default_signals();
        install_bus_error_handler("ringpipe-test", std::string(2000, 'x'));
        std::raise(SIGBUS);
        ::_exit(1);
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGBUS);
}
