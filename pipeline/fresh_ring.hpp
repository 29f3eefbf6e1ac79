// A ring that nobody else has, and that is gone afterwards.
#pragma once

#include <string>
#include <string_view>

namespace ringpipe::pipeline {

// Only the name: whoever comes first makes the ring.
class fresh_ring {
  public:
    explicit fresh_ring(std::string_view prefix);
    fresh_ring(const fresh_ring&) = delete;
    fresh_ring& operator=(const fresh_ring&) = delete;
    ~fresh_ring();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    void keep() noexcept { keep_ = true; }

  private:
    std::string name_;
    bool keep_ = false;
};

}  // namespace ringpipe::pipeline
