#include "pool/abandoned.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <string_view>

#include "common/error.hpp"
#include "common/unique_fd.hpp"
#include "pool/board.hpp"
#include "pool/rings.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pool {

std::vector<std::string> remove_abandoned() {
    std::vector<std::string> removed;
    std::error_code unreadable;
    for (const auto& entry : std::filesystem::directory_iterator{board::folder, unreadable}) {
        const auto file_name = entry.path().filename().string();
        if (!std::string_view{file_name}.starts_with(board::prefix)) { continue; }
        const unique_fd file{::open(entry.path().c_str(), O_RDWR | O_CLOEXEC)};
        // Locked by its owner as long as that lives; by us, while we clear up.
        if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) { continue; }
        const auto pool = file_name.substr(board::prefix.size());
        try {
            ring::remove(requests_of(pool));
            ring::remove(replies_of(pool));
        } catch (const error&) { continue; }  // not ours
        // The board last: it marks the rings as garbage.
        if (::unlink(entry.path().c_str()) == 0) { removed.push_back(pool); }
    }
    return removed;
}

}  // namespace ringpipe::pool
