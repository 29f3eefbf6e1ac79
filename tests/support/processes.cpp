#include "tests/support/processes.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>

#include "common/unique_fd.hpp"
#include "tests/support/ring_fixture.hpp"

namespace ringpipe::test {

bool falls_asleep(pid_t thread) {
    return eventually([thread] {
        std::ifstream file{"/proc/" + std::to_string(thread) + "/stat"};
        std::string stat;
        std::getline(file, stat);
        return stat.find(") S ") != std::string::npos;  // behind its name
    });
}

bool ends_within(std::chrono::milliseconds timeout, pid_t process) {
    const unique_fd end{static_cast<int>(::syscall(SYS_pidfd_open, process, 0))};
    if (!end) {
        if (errno == ESRCH) { return true; }
        throw std::runtime_error{"pidfd_open failed"};
    }
    pollfd ended{end.get(), POLLIN, 0};
    int count = 0;
    do {
        count = ::poll(&ended, 1, static_cast<int>(timeout.count()));
    } while (count < 0 && errno == EINTR);
    return count == 1;
}

}  // namespace ringpipe::test
