// A worker that is kept at work until it may go on.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/ring_fixture.hpp"

namespace ringpipe::test {

// For tasks::wait_for (file()) and tasks::note (log()). Opened, and its files gone, with it.
class gate {
  public:
    gate() : file_{folder() / "gate"} {}
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() {
        open();
        std::error_code ignored;
        std::filesystem::remove_all(file_.parent_path(), ignored);
    }

    [[nodiscard]] std::string file() const { return file_; }
    [[nodiscard]] std::string log() const { return file_.parent_path() / "log"; }
    void open() const { std::ofstream{file_} << "open\n"; }
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
    static std::filesystem::path folder() {
        std::string name = std::filesystem::temp_directory_path() / "ringpipe-test.XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        return name;
    }
    std::filesystem::path file_;
};

}  // namespace ringpipe::test
