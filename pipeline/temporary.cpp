#include "pipeline/temporary.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <random>
#include <system_error>

#include "common/error.hpp"
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

temporary_folder::temporary_folder() {
    const auto* given = std::getenv("TMPDIR");
    std::string name = given != nullptr && *given != '\0' ? given : "/tmp";
    name += "/ringpipe-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        const int why = errno;
        throw error{
            why == EACCES ? errc::no_permission : errc::io,
            fmt::format("cannot make a temporary folder {}; set TMPDIR to a place for one", name),
            why};
    }
    path_ = name;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace ringpipe::pipeline
