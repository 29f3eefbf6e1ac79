// Functions that workers can run, each known by its name.
//
//     int square(int x) { return x * x; }
//     RINGPIPE_TASK(square);
//
// Parameters are values or references to const; `std::span<const std::byte>` and
// `std::string_view` see the bytes where they lie in the ring, and only until the function
// returns.
#pragma once

#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "ringpipe/pool/encoding.hpp"

// Registers a function under its own name, as written: RINGPIPE_TASK(work::square) is
// "work::square". At namespace scope of a source file, once a function.
#define RINGPIPE_TASK(function) RINGPIPE_TASK_AS(function, #function)
#define RINGPIPE_TASK_AS(function, name)                                              \
    [[maybe_unused]] static const ::ringpipe::pool::registered_task RINGPIPE_TASK_ID( \
        __COUNTER__) {                                                                \
        name, function                                                                \
    }
#define RINGPIPE_TASK_ID(number) RINGPIPE_TASK_ID_(number)
#define RINGPIPE_TASK_ID_(number) ringpipe_task_##number

namespace ringpipe::pool {

struct task_entry {
    std::uint64_t signature;
    void* function;
    // Decodes the arguments, calls the function, encodes the result.
    void (*run)(void* function, decoder& arguments, encoder& result);
};

// Registered under this name in this process; null if none is. Throughout main().
[[nodiscard]] const task_entry* find_task(std::string_view name);
// The name that this function is registered under. Throws error(invalid_argument) if under none.
[[nodiscard]] std::string_view name_of_task(void* function);

// Puts it into the registry; ends the program with a line if the name is taken by another one.
void register_task(std::string_view name, const task_entry& entry);

// RINGPIPE_TASK makes one of these.
class registered_task {
  public:
    template <class Result, class... Parameters>
    registered_task(std::string_view name, Result (*function)(Parameters...)) {
        static_assert(((!std::is_lvalue_reference_v<Parameters> ||
                        std::is_const_v<std::remove_reference_t<Parameters>>)&&...),
                      "a task's parameters are copies: take them by value or reference to const");
        register_task(name, {signature_of<Result, Parameters...>(),
                             reinterpret_cast<void*>(function), &run<Result, Parameters...>});
    }

  private:
    template <class Result, class... Parameters>
    static void run(void* function, decoder& from, encoder& result) {
        // Braces: decoded from left to right.
        std::tuple<std::decay_t<Parameters>...> arguments{from.get<std::decay_t<Parameters>>()...};
        const auto call = reinterpret_cast<Result (*)(Parameters...)>(function);
        const auto forward = [&](auto&... each) -> decltype(auto) {
            return call(static_cast<Parameters>(std::forward<Parameters>(each))...);
        };
        if constexpr (std::is_void_v<Result>) {
            std::apply(forward, arguments);
        } else {
            result.put(std::apply(forward, arguments));
        }
    }
};

}  // namespace ringpipe::pool
