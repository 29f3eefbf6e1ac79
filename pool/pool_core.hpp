// All that a pool consists of, in the order in which it has to come and go.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ringpipe/pool/board.hpp"
#include "ringpipe/pool/dispatcher.hpp"
#include "ringpipe/pool/options.hpp"
#include "ringpipe/pool/supervisor.hpp"
#include "ringpipe/shm/ring.hpp"

namespace ringpipe::pool {

class pool_core {
  public:
    explicit pool_core(const pool_options& options);
    pool_core(const pool_core&) = delete;
    pool_core& operator=(const pool_core&) = delete;
    ~pool_core();  // kills what still runs

    [[nodiscard]] const std::shared_ptr<dispatcher>& tasks() const { return tasks_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    // All workers are gone afterwards, and the rings are, too.
    void end(std::chrono::milliseconds grace);

  private:
    std::string name_;
    std::shared_ptr<board> board_;
    std::shared_ptr<dispatcher> tasks_;
    std::unique_ptr<supervisor> workers_;
};

}  // namespace ringpipe::pool
