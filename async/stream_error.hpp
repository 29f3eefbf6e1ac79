// How a stream is over, as error codes for completion handlers.
#pragma once

#include <boost/system/error_code.hpp>

namespace ringpipe {

enum class stream_error {
    end = 1,    // every producer has left cleanly, and all is acknowledged
    truncated,  // as `end`, but a producer died or gave up in the middle
};

const boost::system::error_category& stream_category() noexcept;

inline boost::system::error_code make_error_code(stream_error code) {
    return {static_cast<int>(code), stream_category()};
}

// The code of the exception that is being handled: call it in a catch block.
boost::system::error_code code_of_current_exception() noexcept;

}  // namespace ringpipe

template <>
struct boost::system::is_error_code_enum<ringpipe::stream_error> : std::true_type {};
