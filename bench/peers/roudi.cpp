#include "bench/peers/roudi.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <csignal>
#include <cstdlib>
#include <iceoryx_posh/iceoryx_posh_types.hpp>
#include <iceoryx_posh/internal/roudi/roudi.hpp>
#include <iceoryx_posh/roudi/iceoryx_roudi_components.hpp>
#include <stdexcept>
#include <string>

#include "common/unique_fd.hpp"

namespace ringpipe::bench {

namespace {

pid_t roudi = -1;
unique_fd turn;

// Each queue holds up to 256 chunks; a few more are on their way.
iox::RouDiConfig_t memory_pools() {
    iox::mepoo::MePooConfig pools;
    pools.addMemPool({128, 3000});
    pools.addMemPool({256, 600});
    pools.addMemPool({1024, 600});
    pools.addMemPool({64U << 10U, 400});
    pools.addMemPool({1U << 20U, 320});
    iox::RouDiConfig_t config;
    const auto group = iox::posix::PosixGroup::getGroupOfCurrentProcess().getName();
    config.m_sharedMemorySegments.push_back({group, group, pools});
    return config;
}

[[noreturn]] void be_roudi(unique_fd ready, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) { _exit(1); }
    std::signal(SIGINT, SIG_IGN);  // Ctrl-C is for whom we serve
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_SETMASK, &end, nullptr);  // before it starts threads
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
        iox::log::LogLevel::kOff, iox::log::LogLevelOutput::kHideLogLevel);
    const unique_fd nowhere{open("/dev/null", O_WRONLY | O_CLOEXEC)};  // it says what it reserves
    dup2(nowhere.get(), STDOUT_FILENO);
    dup2(nowhere.get(), STDERR_FILENO);
    {
        iox::roudi::IceOryxRouDiComponents components{memory_pools()};
        iox::roudi::RouDi daemon{
            components.rouDiMemoryManager, components.portManager,
            // Monitoring would only send heartbeats; the processes that are measured don't die.
            iox::roudi::RouDi::RoudiStartupParameters{iox::roudi::MonitoringMode::OFF, false}};
        (void)!write(ready.get(), "", 1);
        int signal = 0;
        sigwait(&end, &signal);
    }
    _exit(0);
}

}  // namespace

void start_roudi() {
    // Another benchmark on this machine may just have one: wait for our turn.
    turn.reset(open("/tmp/ringpipe-bench-roudi.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!turn || flock(turn.get(), LOCK_EX) != 0) {
        throw std::runtime_error("cannot lock /tmp/ringpipe-bench-roudi.lock");
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) { throw std::runtime_error("no pipe for RouDi"); }
    unique_fd ready{ends[0]};
    unique_fd tell{ends[1]};
    const auto parent = getpid();
    roudi = fork();
    if (roudi < 0) { throw std::runtime_error("fork for RouDi"); }
    if (roudi == 0) {
        ready.reset();
        be_roudi(std::move(tell), parent);
    }
    tell.reset();
    pollfd until{ready.get(), POLLIN, 0};
    char byte = 0;
    if (poll(&until, 1, 20'000) <= 0 || read(ready.get(), &byte, 1) != 1) {
        stop_roudi();
        throw std::runtime_error("RouDi did not start: is there another one, or no room?");
    }
}

void stop_roudi() {
    if (roudi > 0) {
        kill(roudi, SIGTERM);
        waitpid(roudi, nullptr, 0);
        roudi = -1;
    }
    turn.reset();
}

}  // namespace ringpipe::bench
