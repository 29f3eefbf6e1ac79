// What a ring's creator decides, and the first bytes of its file, which say so.
#pragma once

#include <cstdint>
#include <string>

#include "ringpipe/shm/ring.hpp"

namespace ringpipe {

struct segment_shape {
    std::uint64_t capacity = 0;
    std::uint32_t members = 0;
    std::uint32_t groups = 0;
    unsigned mode = 0;
    std::uint64_t liveness_interval_ns = 0;
    std::uint64_t header_size = 0;  // of the part before the buffer; whole pages

    [[nodiscard]] std::uint64_t file_size() const { return header_size + capacity; }
};

// Fills in the defaults; throws error(invalid_argument).
segment_shape shape_from(const ring_options& options);

// Everything of a ready file that is used later, copied out once and validated. Throws
// error(wrong_version | corrupt | truncated_segment), naming the ring.
segment_shape load_shape(int descriptor, const std::string& ring);

// Throws error(options_differ) if any option that is given is not the ring's.
void refuse_other_options(const segment_shape& has, const ring_options& asked,
                          const std::string& ring);

// The first bytes, with magic_creating, and a creation id of their own.
void write_header(int descriptor, const segment_shape& shape, const std::string& path);

}  // namespace ringpipe
