#include "pipeline/fresh_ring.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <exception>
#include <random>

#include "pipeline/say.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {

fresh_ring::fresh_ring(std::string_view prefix)
    : name_{fmt::format("{}-{}-{:08x}", prefix, ::getpid(), std::random_device{}())} {}

fresh_ring::~fresh_ring() {
    if (keep_) { return; }
    try {
        ring::remove(name_);
    } catch (const std::exception& e) { say("{}", e.what()); }
}

}  // namespace ringpipe::pipeline
