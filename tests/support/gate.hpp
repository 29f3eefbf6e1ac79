// A worker that is kept at work until it may go on.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/temporary_folder.hpp"
#include "tests/support/ring_fixture.hpp"

namespace ringpipe::test {

// For tasks::wait_for (file()) and tasks::note (log()). Opened, and its files gone, with it.
class gate {
  public:
    gate() = default;
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() { open(); }

    [[nodiscard]] std::string file() const { return folder_.path() / "gate"; }
    [[nodiscard]] std::string log() const { return folder_.path() / "log"; }
    void open() const { std::ofstream{file()} << "open\n"; }
    [[nodiscard]] bool begun() const {
        return eventually([&] { return std::filesystem::exists(file() + ".begun"); });
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        std::ifstream in{log()};
        for (std::string line; std::getline(in, line);) { all.push_back(line); }
        return all;
    }

  private:
    temporary_folder folder_;
};

}  // namespace ringpipe::test
