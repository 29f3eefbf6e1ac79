// What the examples of sync share and what is not their point.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "sync/space.hpp"

namespace examples {

// A space that is removed with its maker.
class temporary_space {
  public:
    temporary_space() { (void)ringpipe::sync::space::create(name); }
    temporary_space(const temporary_space&) = delete;
    temporary_space& operator=(const temporary_space&) = delete;
    ~temporary_space() {
        if (::getpid() == maker_) { ringpipe::sync::space::remove(name); }
    }

    const std::string name = "example-" + std::to_string(::getpid());  // NOLINT: read only

  private:
    pid_t maker_ = ::getpid();
};

// Runs `body(0)`, `body(1)`, ... each in a process of its own, and waits for all. False if any
// of them failed.
inline bool in_processes(int count, const std::function<void(int)>& body) {
    std::fflush(nullptr);
    std::vector<pid_t> all;
    for (int i = 0; i < count; ++i) {
        const pid_t id = ::fork();
        if (id != 0) {
            all.push_back(id);
            continue;
        }
        int code = 0;
        try {
            body(i);
        } catch (const std::exception& failed) {
            std::fprintf(stderr, "in process %d: %s\n", i, failed.what());
            code = 1;
        }
        std::fflush(nullptr);
        ::_exit(code);
    }
    bool all_well = true;
    for (const pid_t id : all) {
        int status = 0;
        ::waitpid(id, &status, 0);
        all_well = all_well && status == 0;
    }
    return all_well;
}

}  // namespace examples
