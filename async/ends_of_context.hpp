// The ends that belong to one execution context, so that their waiting operations are destroyed,
// and not called, when the context is (as Asio does with its own).
#pragma once

#include <boost/asio/execution_context.hpp>
#include <memory>
#include <mutex>
#include <set>

namespace ringpipe {

class end_state;

class ends_of_context {
  public:
    // Of that context; lives on if an end outlives it.
    static std::shared_ptr<ends_of_context> of(boost::asio::execution_context& context);

    void add(end_state& end);
    void remove(end_state& end);
    void shut_down();

  private:
    std::mutex guard_;
    std::set<end_state*> ends_;
};

}  // namespace ringpipe
