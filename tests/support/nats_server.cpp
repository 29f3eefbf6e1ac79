#include "tests/support/nats_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "common/unique_fd.hpp"

namespace ringpipe::test {
namespace {

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

// It greets everybody with a line.
bool greets(int port) {
    const unique_fd to{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto address = loopback(port);
    if (::connect(to.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return false;
    }
    pollfd ready{to.get(), POLLIN, 0};
    return ::poll(&ready, 1, 1000) == 1;
}

}  // namespace

int free_port() {
    const unique_fd probe{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error{"no free port"};
    }
    return ntohs(address.sin_port);
}

nats_server::nats_server(std::string more) : nats_server{free_port(), std::move(more)} { start(); }

nats_server::nats_server(int port, std::string more) : port_{port}, more_{std::move(more)} {}

nats_server::~nats_server() { kill(); }

std::string nats_server::url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

void nats_server::start() {
    const auto config = folder_.path() / "server.conf";
    std::ofstream{config} << "listen: \"127.0.0.1:" << port_ << "\"\njetstream { store_dir: \""
                          << folder_.path().string() << "/store\" }\n"
                          << more_;
    const auto log = folder_.path() / "server.log";
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        // Also if the test is killed.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) { ::_exit(1); }
        const int to = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(to, 1);
        ::dup2(to, 2);
        ::execlp("nats-server", "nats-server", "-c", config.c_str(), nullptr);
        ::_exit(127);
    }
    for (int i = 0; i < 2000; ++i) {
        if (greets(port_)) { return; }
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            std::ostringstream said;
            said << "nats-server did not start: " << std::ifstream{log}.rdbuf();
            throw std::runtime_error{said.str()};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    throw std::runtime_error{"nats-server does not answer"};
}

void nats_server::kill() {
    if (pid_ <= 0) { return; }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void nats_server::freeze() const {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
}

void nats_server::thaw() const { ::kill(pid_, SIGCONT); }

nats_cluster::nats_cluster() {
    int routes[3];
    for (auto& port : routes) { port = free_port(); }
    for (int i = 0; i < 3; ++i) {
        std::string more = "server_name: n" + std::to_string(i) +
                           "\ncluster { name: c, listen: \"127.0.0.1:" + std::to_string(routes[i]) +
                           "\", routes: [";
        for (const int port : routes) {
            more += "\"nats://127.0.0.1:" + std::to_string(port) + "\",";
        }
        more.back() = ']';
        more += " }\n";
        servers_.push_back(std::unique_ptr<nats_server>{new nats_server{free_port(), more}});
    }
    for (auto& each : servers_) { each->start(); }
}

std::string nats_cluster::url() const {
    std::string all;
    for (const auto& each : servers_) { all += (all.empty() ? "" : ",") + each->url(); }
    return all;
}

}  // namespace ringpipe::test
