// A registered function with its arguments, encoded and ready to be sent.
#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include "ringpipe/pool/encoding.hpp"
#include "ringpipe/pool/task.hpp"
#include "ringpipe/pool/wire.hpp"

namespace ringpipe::pool {

// Large spans of bytes among the arguments are not copied: they have to be there until it is
// submitted.
template <class Result>
struct bound_call {
    encoder request;
};

namespace detail {
inline void begin_request(encoder& request, std::string_view name, std::uint64_t signature) {
    request_header header{};
    header.kind = request_kind::task;
    header.name_size = static_cast<std::uint16_t>(name.size());
    header.signature = signature;
    request.put_raw(&header, sizeof header);
    request.put_raw(name.data(), name.size());
}
}  // namespace detail

// Any function registered in this program. The arguments are converted to its parameters.
template <class Result, class... Parameters, class... Arguments>
bound_call<owned<Result>> call(Result (*function)(Parameters...), Arguments&&... arguments) {
    static_assert(sizeof...(Parameters) == sizeof...(Arguments),
                  "the function takes another number of arguments");
    static_assert((std::is_convertible_v<Arguments&&, std::decay_t<Parameters>> && ...),
                  "an argument does not convert to the function's parameter");
    bound_call<owned<Result>> made;
    detail::begin_request(made.request, name_of_task(reinterpret_cast<void*>(function)),
                          signature_of<Result, Parameters...>());
    (made.request.put(static_cast<const std::decay_t<Parameters>&>(arguments)), ...);
    return made;
}

// A function of another program that links the worker side, by its name: call<int>("square", 7).
// The arguments' types have to be exactly the parameters'; the worker checks that.
template <class Result, class... Arguments>
bound_call<owned<Result>> call(std::string_view name, const Arguments&... arguments) {
    bound_call<owned<Result>> made;
    detail::begin_request(made.request, name, signature_of<Result, Arguments...>());
    (made.request.put(static_cast<const std::decay_t<const Arguments>&>(arguments)), ...);
    return made;
}

}  // namespace ringpipe::pool
