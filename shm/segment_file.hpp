// The file that a ring is: found, made, removed. What its first bytes say: segment_shape.hpp.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/segment_shape.hpp"

namespace ringpipe {

enum class open_mode { create, open, open_or_create };

// An open description of a ready ring's file. Boost.Interprocess maps whatever answers
// get_mapping_handle(); its own file_mapping and shared_memory_object open by name, which could be
// another file by then, and don't tell the creator's error apart from the opener's.
class segment_file {
  public:
    // Creation is free of races and of crashes: whoever finds the magic unset takes an exclusive
    // lock on the file, checks that the path still names it, and makes the ring; if he dies, the
    // lock goes and the next one starts over.
    segment_file(std::string name, open_mode how, const ring_options& options, deadline until);
    segment_file(const segment_file&) = delete;
    segment_file& operator=(const segment_file&) = delete;
    ~segment_file();

    [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const {
        return {descriptor_, false};
    }
    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] std::uint64_t inode() const { return inode_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const segment_shape& shape() const { return shape_; }

    // When a member came or left last: the file's time of modification, which nothing else sets, as
    // stores to mapped memory do not in tmpfs.
    [[nodiscard]] std::chrono::system_clock::time_point last_used() const noexcept;
    void mark_used() const noexcept;

  private:
    enum class attempt { ready, again, unfinished };

    attempt try_open(open_mode how, const ring_options& options);
    attempt try_make(const ring_options& options);
    void make(const ring_options& options);
    [[nodiscard]] bool path_still_names_us() const;

    std::string name_;
    std::string path_;
    int descriptor_ = -1;
    std::uint64_t inode_ = 0;
    segment_shape shape_;
};

// False if there was none. Throws error(not_a_ring) rather than remove somebody else's file.
bool remove_segment_file(std::string_view name);

}  // namespace ringpipe
