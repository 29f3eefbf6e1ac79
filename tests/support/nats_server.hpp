// A nats-server with JetStream of a test's own: free loopback port, own store folder, gone
// afterwards.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "common/temporary_folder.hpp"

namespace ringpipe::test {

class nats_server {
  public:
    // `more` is added to its configuration file.
    explicit nats_server(std::string more = {});
    nats_server(const nats_server&) = delete;
    nats_server& operator=(const nats_server&) = delete;
    ~nats_server();

    // Waits until it answers. With the store and the port it had.
    void start();
    void kill();          // SIGKILL, and waits for its end
    void freeze() const;  // SIGSTOP, and waits until it stands still
    void thaw() const;

    [[nodiscard]] pid_t id() const { return pid_; }
    [[nodiscard]] int port() const { return port_; }
    // "nats://127.0.0.1:PORT"
    [[nodiscard]] std::string url() const;

  private:
    friend class nats_cluster;
    nats_server(int port, std::string more);

    temporary_folder folder_;
    int port_;
    std::string more_;
    pid_t pid_ = -1;
};

// Three servers that are one.
class nats_cluster {
  public:
    nats_cluster();
    [[nodiscard]] nats_server& operator[](std::size_t i) { return *servers_[i]; }
    // All three, for a client.
    [[nodiscard]] std::string url() const;

  private:
    std::vector<std::unique_ptr<nats_server>> servers_;
};

// Free a moment ago, and given to nobody else of this process.
[[nodiscard]] int free_port();

}  // namespace ringpipe::test
