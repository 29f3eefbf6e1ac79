#include "pipeline/doctor/machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "common/unique_fd.hpp"
#include "common/units.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {
namespace {

constexpr auto folder = "/dev/shm";
constexpr std::uint64_t docker_default = std::uint64_t{64} << 20U;

std::uint64_t size_of_folder() {
    struct statfs about {};
    if (::statfs(folder, &about) != 0) { return 0; }
    return static_cast<std::uint64_t>(about.f_blocks) * static_cast<std::uint64_t>(about.f_bsize);
}

finding examine_folder() {
    struct statfs about {};
    if (::statfs(folder, &about) != 0) {
        return {severity::bad, folder, fmt::format("cannot be looked at: {}", std::strerror(errno)),
                "mount a tmpfs there, or name rings by paths, as /tmp/jobs"};
    }
    if (about.f_type != TMPFS_MAGIC) {
        return {severity::notice, folder, "is not a tmpfs: rings in it may be written to a disk",
                "mount -t tmpfs tmpfs /dev/shm"};
    }
    const auto unit = static_cast<std::uint64_t>(about.f_bsize);
    const auto size = about.f_blocks * unit;
    const auto free = about.f_bavail * unit;
    const auto text = fmt::format("{} free of {}", format_bytes(free), format_bytes(size));
    const bool container_default = size <= docker_default;
    const std::string larger =
        container_default ? "give the container more: docker run --shm-size=1g, or an emptyDir "
                            "with medium Memory in Kubernetes"
                          : "ringpipe ls shows the rings, ringpipe gc removes old ones";
    if (free < default_capacity + default_capacity / 8) {
        return {severity::bad, folder, text + ": no room for a ring of the default size", larger};
    }
    return {container_default ? severity::notice : severity::good, folder, text,
            container_default ? larger : ""};
}

finding examine_locks() {
    const std::string about = "file locks";
    const unique_fd file{::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    if (!file) {
        return {severity::bad, about,
                fmt::format("no file can be made in {}: {}", folder, std::strerror(errno)),
                "let this user write there: chmod 1777 /dev/shm"};
    }
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_len = 1;
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
        return {severity::bad, about,
                fmt::format("open-file-description locks do not work in {}: {}", folder,
                            std::strerror(errno)),
                "rings need them to see who is alive: Linux 3.15 or newer, and a real kernel below "
                "the sandbox"};
    }
    return {severity::good, about, "work: a dead member is seen at once", ""};
}

// ENOSYS: the kernel does not know it; anything else is about the arguments.
bool kernel_has(long number) {
    return ::syscall(number, -1, nullptr, -1, nullptr, -1) >= 0 || errno != ENOSYS;
}

finding examine_calls() {
    std::string missing;
#ifdef SYS_pidfd_open
    if (!kernel_has(SYS_pidfd_open)) { missing = "pidfd_open (Linux 5.3): ringpipe run, pools"; }
#endif
#ifdef SYS_futex_waitv
    if (!kernel_has(SYS_futex_waitv)) {
        missing += missing.empty() ? "" : "; ";
        missing +=
            "futex_waitv (Linux 5.16): the event loop's watcher looks every few milliseconds";
    }
#endif
    if (missing.empty()) { return {severity::good, "kernel", "has all that is used", ""}; }
    return {severity::notice, "kernel", "lacks " + missing,
            "a newer kernel, or a less strict seccomp"};
}

finding examine_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    const int cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const auto text = fmt::format("{} of {} usable", cores, ::sysconf(_SC_NPROCESSORS_ONLN));
    if (cores == 1) {
        return {severity::notice, "cores", text + ": the two ends of a ring take turns",
                "use --wait block, or give it a second core (taskset, cpuset)"};
    }
    return {severity::good, "cores", text, ""};
}

finding examine_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) { return {}; }
    const auto text = fmt::format("{} per process", limit.rlim_cur);
    constexpr rlim_t few = 256;
    if (limit.rlim_cur < few) {
        return {severity::notice, "open files", text + ": each end of a ring takes two",
                "ulimit -n 1024"};
    }
    return {severity::good, "open files", text, ""};
}

// In a container's own cgroup namespace the limit stands at the root.
finding examine_memory() {
    std::ifstream file{"/sys/fs/cgroup/memory.max"};
    std::uint64_t limit = 0;
    if (!(file >> limit)) { return {severity::good, "memory limit", "none seen", ""}; }
    const auto text = format_bytes(limit);
    if (limit < size_of_folder()) {
        return {severity::notice, "memory limit",
                text + ": less than /dev/shm, whose rings count against it",
                "keep the sum of the rings' capacities well below it"};
    }
    return {severity::good, "memory limit", text, ""};
}

}  // namespace

findings examine_machine() {
    return {examine_folder(), examine_locks(),       examine_calls(),
            examine_cores(),  examine_descriptors(), examine_memory()};
}

}  // namespace ringpipe::pipeline
