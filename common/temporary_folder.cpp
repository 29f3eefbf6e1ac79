#include "common/temporary_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include "common/error.hpp"

namespace ringpipe {

temporary_folder::temporary_folder() {
    const auto* given = std::getenv("TMPDIR");
    std::string name = given != nullptr && *given != '\0' ? given : "/tmp";
    name += "/ringpipe-XXXXXX";  // mkdtemp fills it in
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

}  // namespace ringpipe
