#include "async/ends_of_context.hpp"

#include <vector>

#include "async/end_state.hpp"

namespace ringpipe {
namespace {

class service final : public boost::asio::execution_context::service {
  public:
    using key_type = service;
    static inline boost::asio::execution_context::id id;

    explicit service(boost::asio::execution_context& context)
        : boost::asio::execution_context::service{context} {}

    std::shared_ptr<ends_of_context> ends = std::make_shared<ends_of_context>();

  private:
    void shutdown() override { ends->shut_down(); }
};

}  // namespace

std::shared_ptr<ends_of_context> ends_of_context::of(boost::asio::execution_context& context) {
    return boost::asio::use_service<service>(context).ends;
}

void ends_of_context::add(end_state& end) {
    const std::lock_guard hold{guard_};
    ends_.insert(&end);
}

void ends_of_context::remove(end_state& end) {
    const std::lock_guard hold{guard_};
    ends_.erase(&end);
}

void ends_of_context::shut_down() {
    // A handler's destructor may be the end of an end: each is held while it shuts down, and no
    // lock of ours is.
    std::vector<std::shared_ptr<end_state>> all;
    {
        const std::lock_guard hold{guard_};
        for (auto* end : ends_) {
            if (auto alive = end->weak_from_this().lock()) { all.push_back(std::move(alive)); }
        }
    }
    for (const auto& end : all) { end->close(end_state::outstanding::destroyed); }
}

}  // namespace ringpipe
