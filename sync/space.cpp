#include "sync/space.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "common/error.hpp"
#include "common/unique_fd.hpp"
#include "shm/name.hpp"
#include "shm/presence.hpp"
#include "sync/space_core.hpp"

namespace ringpipe::sync {

space space::create(std::string_view name, const space_options& options) {
    return space{std::make_shared<space_core>(std::string{name}, open_mode::create, options,
                                              after(std::chrono::seconds{5}))};
}

space space::open(std::string_view name, deadline until) {
    return space{
        std::make_shared<space_core>(std::string{name}, open_mode::open, space_options{}, until)};
}

space space::open_or_create(std::string_view name, const space_options& options, deadline until) {
    return space{
        std::make_shared<space_core>(std::string{name}, open_mode::open_or_create, options, until)};
}

bool space::remove(std::string_view name) {
    return remove_made_file(name, path_of_space(name), space_kind{std::string{name}});
}

bool space::in_use(std::string_view name) {
    const auto path = path_of_space(name);
    const unique_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (file) { return anybody_is_in(file.get(), layout::max_members); }
    if (errno == ENOENT) { return false; }
    throw error{errno == EACCES || errno == EPERM ? errc::no_permission : errc::io,
                fmt::format("cannot look at space {} at {}", name, path), errno};
}

std::vector<std::string> space::list() {
    std::vector<std::string> names;
    std::error_code ignored;  // an entry may go while we look
    for (const auto& entry : std::filesystem::directory_iterator{ring_folder, ignored}) {
        const auto file = entry.path().filename().string();
        if (file.starts_with(space_prefix)) { names.push_back(file.substr(space_prefix.size())); }
    }
    std::sort(names.begin(), names.end());
    return names;
}

const std::string& space::name() const { return core_->name(); }

}  // namespace ringpipe::sync
