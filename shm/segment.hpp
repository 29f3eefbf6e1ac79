// A ring's segment, mapped: typed views of its parts, and who of its members is alive.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <span>

#include "ringpipe/shm/layout.hpp"
#include "ringpipe/shm/message_view.hpp"
#include "ringpipe/shm/roster.hpp"
#include "ringpipe/shm/segment_file.hpp"

namespace ringpipe {

// Thread-safe: what is here is either constant or atomic in the segment.
class segment final : public roster {
  public:
    segment(std::string name, open_mode how, const ring_options& options, deadline until);

    [[nodiscard]] const segment_file& file() const { return file_; }
    [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
    [[nodiscard]] clock::duration liveness_interval() const override { return liveness_interval_; }
    [[nodiscard]] std::uint32_t pid_of(std::uint32_t slot) const override {
        return slot < members_.size() ? members_[slot].pid.load(std::memory_order_relaxed) : 0;
    }
    [[nodiscard]] std::string title() const override { return "ring " + file_.name(); }
    [[nodiscard]] message_view messages() const { return view_; }

    [[nodiscard]] layout::control_header& header() const { return *header_; }
    [[nodiscard]] layout::append_side& append() const { return *append_; }
    [[nodiscard]] layout::room& room() const { return *room_; }
    [[nodiscard]] layout::sleepers& sleepers() const { return *sleepers_; }
    [[nodiscard]] std::span<layout::member> members() const { return members_; }
    [[nodiscard]] std::span<layout::group> groups() const { return groups_; }
    [[nodiscard]] std::span<layout::named_producer> named() const { return named_; }

    // Somebody holds the slot's byte.
    [[nodiscard]] bool occupied(std::uint32_t slot) const;

    [[nodiscard]] bool alive(layout::member_id who) const override;

  private:
    template <class T>
    [[nodiscard]] T* part(std::size_t offset) const;

    segment_file file_;
    std::uint64_t capacity_;
    clock::duration liveness_interval_;
    boost::interprocess::mapped_region first_;   // control and buffer
    boost::interprocess::mapped_region second_;  // the buffer once more, right behind
    message_view view_;
    layout::control_header* header_;
    layout::append_side* append_;
    layout::room* room_;
    layout::sleepers* sleepers_;
    std::span<layout::member> members_;
    std::span<layout::group> groups_;
    std::span<layout::named_producer> named_;
};

}  // namespace ringpipe
