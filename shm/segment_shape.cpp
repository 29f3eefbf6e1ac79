#include "shm/segment_shape.hpp"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>

#include "common/error.hpp"
#include "shm/layout.hpp"
#include "shm/made_file.hpp"

namespace ringpipe {
namespace {

std::uint64_t up_to(std::uint64_t value, std::uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

// The first bytes of a ring, as far as a decision about the file needs them.
struct first_bytes {
    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t abi = 0;
    std::uint64_t capacity = 0;
    std::uint64_t header_size = 0;
    std::uint32_t members = 0;
    std::uint32_t groups = 0;
    std::uint64_t creation_id[2] = {};
    std::uint64_t liveness_interval_ns = 0;
};
static_assert(offsetof(first_bytes, liveness_interval_ns) ==
                  offsetof(layout::control_header, liveness_interval_ns),
              "what is read from the file stands where the layout says");

first_bytes read_first_bytes(int descriptor) {
    first_bytes bytes;
    // A short file leaves the rest zero.
    [[maybe_unused]] const auto got = ::pread(descriptor, &bytes, sizeof bytes, 0);
    return bytes;
}

}  // namespace

segment_shape shape_from(const ring_options& options) {
    segment_shape shape;
    const auto wanted = options.capacity.value_or(default_capacity);
    if (wanted > layout::max_capacity) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have {} bytes; ask for at most {}", wanted,
                                layout::max_capacity)};
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    shape.capacity = std::bit_ceil(std::max({wanted, layout::min_capacity, page}));
    shape.members = options.members.value_or(128);
    if (shape.members == 0 || shape.members > layout::max_members) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have {} member slots; ask for 1 to {}",
                                shape.members, layout::max_members)};
    }
    shape.groups = options.groups.value_or(16);
    if (shape.groups == 0 || shape.groups > layout::max_groups) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have {} group slots; ask for 1 to {}", shape.groups,
                                layout::max_groups)};
    }
    shape.mode = options.mode.value_or(0600);
    if ((shape.mode & ~0777U) != 0 || (shape.mode & 0600U) != 0600U) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have mode {:o}; its owner must read and write it, "
                                "as with 600 or 660",
                                shape.mode)};
    }
    const auto interval = options.liveness_interval.value_or(std::chrono::milliseconds{100});
    if (interval <= interval.zero() || interval > std::chrono::hours{1}) {
        throw error{errc::invalid_argument,
                    "a ring's liveness interval must be between 1 ms and 1 h"};
    }
    shape.liveness_interval_ns =
        static_cast<std::uint64_t>(std::chrono::nanoseconds{interval}.count());
    shape.header_size = up_to(layout::control_size(shape.members, shape.groups), page);
    return shape;
}

segment_shape load_shape(int descriptor, const std::string& ring) {
    const auto bytes = read_first_bytes(descriptor);
    if (bytes.version != layout::version || bytes.abi != layout::abi_stamp()) {
        throw error{errc::wrong_version,
                    fmt::format("cannot open ring {}: it was made by another version of ringpipe "
                                "(layout {}, this one "
                                "is {}); use that version, or remove it with 'ringpipe rm {}'",
                                ring, bytes.version, layout::version, ring)};
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const bool sound =
        std::has_single_bit(bytes.capacity) && bytes.capacity >= page &&
        bytes.capacity <= layout::max_capacity && bytes.members >= 1 &&
        bytes.members <= layout::max_members && bytes.groups >= 1 &&
        bytes.groups <= layout::max_groups &&
        bytes.header_size == up_to(layout::control_size(bytes.members, bytes.groups), page) &&
        bytes.liveness_interval_ns >= 1 && bytes.liveness_interval_ns <= 3600'000'000'000U;
    if (!sound) {
        throw error{
            errc::corrupt,
            fmt::format("cannot open ring {}: its header contradicts itself; remove it with "
                        "'ringpipe rm {}'",
                        ring, ring)};
    }
    struct stat about {};
    ::fstat(descriptor, &about);
    const segment_shape shape{bytes.capacity,
                              bytes.members,
                              bytes.groups,
                              about.st_mode & 0777U,
                              bytes.liveness_interval_ns,
                              bytes.header_size};
    if (static_cast<std::uint64_t>(about.st_size) < shape.file_size()) {
        throw error{
            errc::truncated_segment,
            fmt::format(
                "cannot open ring {}: its file has {} bytes and should have {}; it was truncated, "
                "remove it with 'ringpipe rm {}'",
                ring, about.st_size, shape.file_size(), ring)};
    }
    return shape;
}

void refuse_other_options(const segment_shape& has, const ring_options& asked,
                          const std::string& ring) {
    const auto wanted = shape_from(asked);
    const auto refuse = [&](std::string_view what, auto there, auto here) {
        throw error{errc::options_differ, fmt::format("cannot use ring {}: it exists with {} {}, "
                                                      "not {}; leave that option out, or remove "
                                                      "the ring with 'ringpipe rm {}'",
                                                      ring, what, there, here, ring)};
    };
    if (asked.capacity && wanted.capacity != has.capacity) {
        refuse("capacity", has.capacity, wanted.capacity);
    }
    if (asked.members && wanted.members != has.members) {
        refuse("members", has.members, wanted.members);
    }
    if (asked.groups && wanted.groups != has.groups) {
        refuse("groups", has.groups, wanted.groups);
    }
    if (asked.mode && wanted.mode != has.mode) {
        refuse("mode", fmt::format("{:o}", has.mode), fmt::format("{:o}", wanted.mode));
    }
    if (asked.liveness_interval && wanted.liveness_interval_ns != has.liveness_interval_ns) {
        refuse("a liveness interval of (ns)", has.liveness_interval_ns,
               wanted.liveness_interval_ns);
    }
}

void write_header(int descriptor, const segment_shape& shape, const std::string& path) {
    first_bytes bytes;
    bytes.magic = layout::magic_creating;
    bytes.version = layout::version;
    bytes.abi = layout::abi_stamp();
    bytes.capacity = shape.capacity;
    bytes.header_size = shape.header_size;
    bytes.members = shape.members;
    bytes.groups = shape.groups;
    bytes.liveness_interval_ns = shape.liveness_interval_ns;
    if (::getrandom(bytes.creation_id, sizeof bytes.creation_id, 0) != sizeof bytes.creation_id) {
        throw error{errc::io, "cannot get random bytes for the new ring's id", errno};
    }
    write_at_start(descriptor, &bytes, sizeof bytes, path);
}

}  // namespace ringpipe
