#include "shm/ring.hpp"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "shm/append_lock.hpp"
#include "shm/group_table.hpp"
#include "shm/membership.hpp"
#include "shm/name.hpp"
#include "shm/producer_names.hpp"
#include "shm/segment.hpp"
#include "shm/status_of.hpp"

namespace ringpipe {
namespace {

ring_options nothing_asked() { return {}; }

}  // namespace

ring ring::create(std::string_view name, const ring_options& options) {
    return ring{std::make_shared<segment>(std::string{name}, open_mode::create, options,
                                          after(std::chrono::seconds{5}))};
}

ring ring::open(std::string_view name, deadline until) {
    return ring{
        std::make_shared<segment>(std::string{name}, open_mode::open, nothing_asked(), until)};
}

ring ring::open_or_create(std::string_view name, const ring_options& options, deadline until) {
    return ring{
        std::make_shared<segment>(std::string{name}, open_mode::open_or_create, options, until)};
}

bool ring::remove(std::string_view name) { return remove_segment_file(name); }

std::vector<std::string> ring::list() {
    std::vector<std::string> names;
    std::error_code ignored;  // an entry may go while we look
    for (const auto& entry : std::filesystem::directory_iterator{ring_folder, ignored}) {
        const auto file = entry.path().filename().string();
        if (file.starts_with(ring_prefix)) { names.push_back(file.substr(ring_prefix.size())); }
    }
    std::sort(names.begin(), names.end());
    return names;
}

const std::string& ring::name() const { return segment_->file().name(); }

std::uint64_t ring::capacity() const { return segment_->capacity(); }

std::uint64_t ring::max_message_size() const {
    return std::min(capacity() - 2 * layout::header_bytes, layout::word::max_size);
}

void ring::add_group(std::string_view group, start_at from, group_kind kind) const {
    const membership me{segment_, layout::role::tool, {}};
    append_lock tail{*segment_, me.id()};
    const std::lock_guard hold{tail};
    find_or_make_group(*segment_, me.id(), group, from, kind);
}

void ring::remove_group(std::string_view group) const {
    const membership me{segment_, layout::role::tool, {}};
    append_lock tail{*segment_, me.id()};
    const std::lock_guard hold{tail};
    ringpipe::remove_group(*segment_, group);
}

void ring::clear_truncated() const { ringpipe::clear_truncated(*segment_); }

ring_status ring::status() const { return status_of(*segment_); }

}  // namespace ringpipe
