// The messages between a pool and its workers.
//
//   request ring   request_header, the task's name, the arguments
//   reply ring     reply_header, the result | the exception's type and text | nothing
#pragma once

#include <cstdint>

namespace ringpipe::pool {

enum class request_kind : std::uint8_t {
    task,
    retire,  // whoever gets it leaves
};

struct request_header {
    std::uint64_t dispatch;  // see board.hpp
    std::uint32_t slot;
    std::uint16_t name_size;
    request_kind kind;
    std::uint8_t unused;
    std::uint64_t signature;
};
static_assert(sizeof(request_header) == 24);

enum class reply_kind : std::uint8_t {
    value,
    exception,
    orphan,  // this task was begun by a worker that died, and is not run again by itself
    nudge,   // from the owner to itself: look up, something has changed
};

struct reply_header {
    std::uint64_t dispatch;
    std::uint32_t slot;
    std::uint16_t worker;
    reply_kind kind;
    std::uint8_t unused;
};
static_assert(sizeof(reply_header) == 16);

}  // namespace ringpipe::pool
