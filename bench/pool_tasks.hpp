// The tasks of ringpipe_bench_pool; bench/python_pool.py has the same ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringpipe::bench {

inline void nothing() {}
inline std::uint64_t add_one(std::uint64_t x) { return x + 1; }
// A look at the first and the last byte: what is measured is how they come.
inline std::uint64_t ends_of(std::span<const std::byte> bytes) {
    return std::to_integer<std::uint64_t>(bytes.front()) +
           std::to_integer<std::uint64_t>(bytes.back()) + bytes.size();
}

}  // namespace ringpipe::bench
