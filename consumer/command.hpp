// A shell command that is run once for each message.
#pragma once

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/unique_fd.hpp"
#include "shm/message.hpp"

namespace ringpipe::consumer_program {

class command {
  public:
    command(std::string line, const std::string& ring);

    // With the message on its standard input, and RINGPIPE_SEQUENCE, RINGPIPE_ATTEMPT,
    // RINGPIPE_REDELIVERED and RINGPIPE_RING in its environment. Waits for its end. Returns why it
    // failed ("exit code 3", "killed by signal 9 (Killed)"); nothing if it did not. The command
    // is killed with its consumer, since its message is then another's; what it has started is not.
    // Throws error(io).
    [[nodiscard]] std::optional<std::string> run(const message& about, std::uint32_t attempt);

  private:
    std::string line_;
    std::vector<std::string> environment_;  // ours, with RINGPIPE_RING
    boost::asio::io_context context_;
};

}  // namespace ringpipe::consumer_program
