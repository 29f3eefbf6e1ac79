// Another process that has a space open, holds there what it was told to take, and can be killed.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string_view>

#include "tests/support/child.hpp"
#include "tests/support/space_fixture.hpp"

namespace ringpipe::test {

class somebody : public child {
  public:
    // Has done `act` when this returns, and stays until it is killed.
    somebody(std::string_view space, const std::function<void(const sync::space&)>& act)
        : child{[&](const in_child& parent) {
              const auto theirs = sync::space::open(space);
              act(theirs);
              parent.tell_and_stay();
              return 0;
          }} {
        REQUIRE(await());
    }
};

}  // namespace ringpipe::test
