// A space's bytes, mapped, and which of its members are alive. Whoever has only this takes no part in
// the space: no slot is his, and he writes nothing.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "ringpipe/sync/layout.hpp"
#include "ringpipe/sync/space_file.hpp"

namespace ringpipe::sync {

class space_map {
  public:
    // Throws what space::create, open, and open_or_create throw.
    space_map(const std::string& name, open_mode how, const space_options& options, deadline until);

    [[nodiscard]] const space_file& file() const { return file_; }
    [[nodiscard]] layout::space_header& header() const { return *header_; }
    [[nodiscard]] std::span<layout::member> members() const { return members_; }
    [[nodiscard]] std::span<layout::entry> entries() const { return entries_; }
    [[nodiscard]] std::span<std::byte> arena() const { return arena_; }

    // The slots that anybody ever had; see layout.hpp. Sequentially consistent.
    [[nodiscard]] std::uint32_t slots_ever() const;

    // Some process, whichever, has this slot.
    [[nodiscard]] bool is_taken(std::uint32_t slot) const;
    // That member, in that incarnation.
    [[nodiscard]] bool alive(layout::member_id who) const;
    [[nodiscard]] std::uint32_t pid_of(std::uint32_t slot) const;
    // Its pid, also of one that is dead; 0 if its slot is another's by now, or never was one.
    [[nodiscard]] std::uint32_t pid_of_member(layout::member_id who) const;

  private:
    space_file file_;
    boost::interprocess::mapped_region region_;
    layout::space_header* header_;
    std::span<layout::member> members_;
    std::span<layout::entry> entries_;
    std::span<std::byte> arena_;
};

// The name in an entry, however somebody may have overwritten it.
[[nodiscard]] std::string_view name_in(const layout::entry& e);

// "mutex", "shared_mutex", ...
[[nodiscard]] std::string_view noun_of(layout::kind what);

}  // namespace ringpipe::sync
