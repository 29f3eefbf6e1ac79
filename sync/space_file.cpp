#include "sync/space_file.hpp"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "common/error.hpp"
#include "shm/name.hpp"
#include "sync/layout.hpp"

namespace ringpipe::sync {
namespace {

// The first bytes of a space, as far as a decision about the file needs them.
struct first_bytes {
    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t abi = 0;
    std::uint32_t members = 0;
    std::uint32_t entries = 0;
    std::uint64_t arena_size = 0;
    std::uint64_t creation_id[2] = {};
    std::uint64_t liveness_interval_ns = 0;
};
static_assert(offsetof(first_bytes, liveness_interval_ns) ==
                  offsetof(layout::space_header, liveness_interval_ns),
              "what is read from the file stands where the layout says");

constexpr std::uint64_t longest_interval_ns = 3600'000'000'000U;

template <class T>
T in_range(std::string_view what, T value, T most) {
    if (value < 1 || value > most) {
        throw error{errc::invalid_argument,
                    fmt::format("a space cannot have {} {}; ask for 1 to {}", value, what, most)};
    }
    return value;
}

space_shape shape_from(const space_options& options) {
    space_shape shape;
    shape.members = in_range("members", options.members.value_or(128), layout::max_members);
    shape.entries = in_range("entries", options.entries.value_or(256), layout::max_entries);
    const auto size =
        in_range("bytes", options.size.value_or(std::uint64_t{1} << 20U), layout::max_arena);
    shape.arena_size = (size + layout::line - 1) / layout::line * layout::line;
    shape.mode = options.mode.value_or(0600U);
    if ((shape.mode & ~0777U) != 0) {
        throw error{errc::invalid_argument,
                    fmt::format("a space cannot have mode {:o}; give up to 777", shape.mode)};
    }
    const auto interval = options.liveness_interval.value_or(std::chrono::milliseconds{100});
    if (interval <= interval.zero() || interval > std::chrono::hours{1}) {
        throw error{errc::invalid_argument,
                    "a space's liveness interval must be between 1 ms and 1 h"};
    }
    shape.liveness_interval_ns =
        static_cast<std::uint64_t>(std::chrono::nanoseconds{interval}.count());
    return shape;
}

}  // namespace

std::uint64_t space_shape::arena_offset() const { return layout::arena_offset(members, entries); }

file_kind::words space_kind::words_for_errors() const {
    return {"space", fmt::format("'ringpipe rm --space {}'", name_),
            "start the process that creates it, or use open_or_create",
            "its owner may create it with another mode", "choose a smaller size"};
}

std::uint64_t space_kind::magic_ready() const { return layout::magic_ready; }
std::uint64_t space_kind::magic_creating() const { return layout::magic_creating; }

void space_kind::load(int descriptor) {
    first_bytes bytes;
    // A short file leaves the rest zero.
    [[maybe_unused]] const auto got = ::pread(descriptor, &bytes, sizeof bytes, 0);
    if (bytes.version != layout::version || bytes.abi != layout::abi_stamp()) {
        throw error{errc::wrong_version,
                    fmt::format("cannot open space {}: it was made by another version of ringpipe "
                                "(layout {}, this one is {}); use that version, or remove it with "
                                "{}",
                                name_, bytes.version, layout::version, words_for_errors().removal)};
    }
    struct stat about {};
    ::fstat(descriptor, &about);
    shape_ = {bytes.members, bytes.entries, bytes.arena_size, about.st_mode & 0777U,
              bytes.liveness_interval_ns};
    const bool sound = bytes.members >= 1 && bytes.members <= layout::max_members &&
                       bytes.entries >= 1 && bytes.entries <= layout::max_entries &&
                       bytes.arena_size >= 1 && bytes.arena_size <= layout::max_arena &&
                       bytes.liveness_interval_ns >= 1 &&
                       bytes.liveness_interval_ns <= longest_interval_ns;
    if (!sound) {
        throw error{errc::corrupt,
                    fmt::format("cannot open space {}: its header contradicts itself; remove it "
                                "with {}",
                                name_, words_for_errors().removal)};
    }
    if (static_cast<std::uint64_t>(about.st_size) < shape_.file_size()) {
        throw error{
            errc::truncated_segment,
            fmt::format("cannot open space {}: its file has {} bytes and should have {}; "
                        "it was truncated, remove it with {}",
                        name_, about.st_size, shape_.file_size(), words_for_errors().removal)};
    }
}

void space_kind::refuse_other_options() const {
    const auto wanted = shape_from(asked_);
    const auto refuse = [&](std::string_view what, auto there, auto here) {
        throw error{errc::options_differ,
                    fmt::format("cannot use space {}: it exists with {} {}, not {}; leave that "
                                "option out, or remove the space with {}",
                                name_, what, there, here, words_for_errors().removal)};
    };
    if (asked_.members && wanted.members != shape_.members) {
        refuse("members", shape_.members, wanted.members);
    }
    if (asked_.entries && wanted.entries != shape_.entries) {
        refuse("entries", shape_.entries, wanted.entries);
    }
    if (asked_.size && wanted.arena_size != shape_.arena_size) {
        refuse("size", shape_.arena_size, wanted.arena_size);
    }
    if (asked_.mode && wanted.mode != shape_.mode) {
        refuse("mode", fmt::format("{:o}", shape_.mode), fmt::format("{:o}", wanted.mode));
    }
    if (asked_.liveness_interval && wanted.liveness_interval_ns != shape_.liveness_interval_ns) {
        refuse("a liveness interval of (ns)", shape_.liveness_interval_ns,
               wanted.liveness_interval_ns);
    }
}

file_kind::dimensions space_kind::to_make() const {
    const auto shape = shape_from(asked_);
    return {shape.file_size(), shape.mode};
}

void space_kind::write_header(int descriptor, const std::string& path) const {
    const auto shape = shape_from(asked_);
    first_bytes bytes;
    bytes.magic = layout::magic_creating;
    bytes.version = layout::version;
    bytes.abi = layout::abi_stamp();
    bytes.members = shape.members;
    bytes.entries = shape.entries;
    bytes.arena_size = shape.arena_size;
    bytes.liveness_interval_ns = shape.liveness_interval_ns;
    if (::getrandom(bytes.creation_id, sizeof bytes.creation_id, 0) != sizeof bytes.creation_id) {
        throw error{errc::io, "cannot get random bytes for the new space's id", errno};
    }
    write_at_start(descriptor, &bytes, sizeof bytes, path);
}

space_file::space_file(const std::string& name, open_mode how, const space_options& options,
                       deadline until)
    : space_kind{name, options},
      made_file{name, path_of_space(name), how, static_cast<space_kind&>(*this), until} {}

std::string path_of_space(std::string_view name) {
    if (name.find('/') != std::string_view::npos) { return path_of_ring(name); }
    check_name(name, "space");
    return fmt::format("{}/{}{}", ring_folder, space_prefix, name);
}

}  // namespace ringpipe::sync
