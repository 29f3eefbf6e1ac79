// What libFuzzer calls; RINGPIPE_FUZZ_TARGET is the target.
#include "tests/fuzz/target.hpp"

// NOLINTNEXTLINE: the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ringpipe::fuzz::RINGPIPE_FUZZ_TARGET({reinterpret_cast<const std::byte*>(data), size});
    return 0;
}
