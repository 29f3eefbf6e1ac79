// What the tests of sync share: a space that is gone afterwards.
#pragma once

#include <unistd.h>

#include <string>

#include "sync/space.hpp"
#include "tests/support/ring_fixture.hpp"

namespace ringpipe::test {

// A name no other test has; its file is removed before and after, also when the test fails.
class unique_space {
  public:
    unique_space() { ::unlink(path_.c_str()); }
    unique_space(const unique_space&) = delete;
    unique_space& operator=(const unique_space&) = delete;
    ~unique_space() { ::unlink(path_.c_str()); }

    [[nodiscard]] const std::string& str() const { return name_.str(); }
    operator std::string_view() const { return name_.str(); }  // NOLINT: a name is a string
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    unique_name name_;
    // Spelled here once more, on purpose: the tests hold the library to it.
    std::string path_ = "/dev/shm/ringpipe-space." + name_.str();
};

// Short waits for the dead.
[[nodiscard]] inline sync::space_options small_space() {
    sync::space_options options;
    options.members = 8;
    options.entries = 16;
    options.size = 64U << 10U;
    options.liveness_interval = 20ms;
    return options;
}

struct a_space {
    explicit a_space(const sync::space_options& options = small_space())
        : space{sync::space::create(name, options)} {}

    // As another process would have it: a member of its own.
    [[nodiscard]] sync::space another() const { return sync::space::open(name); }

    unique_space name;
    sync::space space;
};

}  // namespace ringpipe::test
