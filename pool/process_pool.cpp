#include "pool/process_pool.hpp"

#include <exception>

#include "common/error.hpp"
#include "pool/pool_core.hpp"

namespace ringpipe::pool {
namespace {

// Workers with nothing to do leave at once; one that was stopped (SIGSTOP) does not.
constexpr std::chrono::seconds grace{2};

}  // namespace

process_pool::process_pool(const pool_options& options)
    : core_{std::make_unique<pool_core>(options)},
      tasks_{core_->tasks()},
      exceptions_at_start_{std::uncaught_exceptions()} {}

process_pool::~process_pool() {
    const bool unwound = std::uncaught_exceptions() > exceptions_at_start_;
    shutdown(unwound ? shutdown_mode::now : shutdown_mode::drain);
}

void process_pool::shutdown(shutdown_mode how) {
    tasks_->close();
    if (how == shutdown_mode::now) {
        tasks_->fail_all([] {
            return std::make_exception_ptr(
                error{errc::closed, "the pool was shut down before the task was done"});
        });
        core_->end({});
    } else {
        tasks_->drain();
        core_->end(grace);
    }
}

const std::string& process_pool::name() const { return core_->name(); }

}  // namespace ringpipe::pool
