// A second look at a ring's file, without the library, to see and to forge what is in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "shm/layout.hpp"

namespace ringpipe::test {

class segment_view {
  public:
    // Maps the whole file; it must be a finished ring.
    explicit segment_view(const std::string& path);
    segment_view(const segment_view&) = delete;
    segment_view& operator=(const segment_view&) = delete;
    ~segment_view();

    [[nodiscard]] layout::control_header& control() const { return at<layout::control_header>(0); }
    [[nodiscard]] layout::append_side& append() const {
        return at<layout::append_side>(layout::append_offset());
    }
    [[nodiscard]] layout::room& room() const { return at<layout::room>(layout::room_offset()); }
    [[nodiscard]] layout::sleepers& sleepers() const {
        return at<layout::sleepers>(layout::sleepers_offset());
    }
    // Since the last send a consumer has announced that it sleeps; a producer has, for room.
    [[nodiscard]] bool consumer_sleeps() const { return sleepers().groups != 0; }
    [[nodiscard]] bool producer_sleeps() const { return (room().waiting & 1U) != 0; }
    [[nodiscard]] layout::member& member(std::size_t slot) const {
        return at<layout::member>(layout::members_offset() + slot * sizeof(layout::member));
    }
    [[nodiscard]] layout::group& group(std::size_t index) const {
        return at<layout::group>(layout::groups_offset(members_) + index * sizeof(layout::group));
    }
    [[nodiscard]] layout::message_header& header(layout::position position) const {
        return at<layout::message_header>(header_size_ + (position & (capacity_ - 16)));
    }
    [[nodiscard]] std::byte* payload(layout::position position) const {
        return reinterpret_cast<std::byte*>(&header(position)) + layout::header_bytes;
    }
    [[nodiscard]] std::size_t members() const { return members_; }

    // The first slot that a member of this process holds, by the pid it wrote.
    [[nodiscard]] std::uint32_t slot_of_pid(int pid) const;
    // Who sits in the slot.
    [[nodiscard]] layout::member_id member_in(std::uint32_t slot) const;

    // Makes the slot one that a member took and died in: its byte is free, its marks are not.
    [[nodiscard]] layout::member_id bury_member(std::uint32_t slot, layout::role what,
                                                std::uint32_t group = 0) const;

    // Gives the buried member a lease on [begin, end).
    void bury_lease(layout::member_id dead, layout::position begin, layout::position end,
                    std::uint32_t group = 0) const;

    // Writes a whole message at `position` with the header's word last, as a sender would, and
    // leaves the append side alone. Returns the position behind it.
    layout::position forge_message(layout::position position, std::uint64_t sequence,
                                   std::string_view text, layout::member_id who,
                                   layout::word::state state) const;

  private:
    template <class T>
    [[nodiscard]] T& at(std::size_t offset) const {
        return *reinterpret_cast<T*>(base_ + offset);
    }

    std::byte* base_ = nullptr;
    std::size_t size_ = 0;
    std::size_t members_ = 0;
    std::size_t header_size_ = 0;
    std::uint64_t capacity_ = 0;
};

// Asks the kernel, through a description of its own, whether somebody holds the slot's byte.
[[nodiscard]] bool byte_is_held(const std::string& path, std::uint32_t slot);

}  // namespace ringpipe::test
