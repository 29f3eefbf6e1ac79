// The rings of a run, while it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/run/plan.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {

class links {
  public:
    // Makes them, or for a resume opens those that are there, with the groups of those who will
    // read. The launcher is a producer of each, so that no stream ends before all copies have come,
    // or while one is started again. Throws error(ring_exists), error(ring_not_found |
    // group_in_use) if there is nothing to resume, or it still runs.
    explicit links(const run_plan& plan);
    links(const links&) = delete;
    links& operator=(const links&) = delete;
    ~links();  // the rings are gone then, but after keep()

    // The rings stay, to be resumed.
    void keep() noexcept { keep_ = true; }

    // What the names of all its rings begin with.
    [[nodiscard]] const std::string& base() const noexcept { return base_; }
    // Of this run.
    [[nodiscard]] std::optional<std::size_t> find(const std::string& ring) const;

    [[nodiscard]] bool can_be_resumed() const noexcept { return named_; }
    [[nodiscard]] const std::string& name(std::size_t ring) const { return all_[ring].name; }
    [[nodiscard]] ring_status status(std::size_t ring) const { return all_[ring].it.status(); }

    // How many may join, so that some who look after the ring or join by hand still can.
    [[nodiscard]] std::size_t room_for_members(std::size_t ring) const;

    // Nobody writes to it any more. That a copy was killed is no matter for those who read: either
    // it was started again and nothing is missing, or the run fails.
    void end(std::size_t ring);

    // Nobody reads it in this group any more, so that it holds nobody back.
    void leave(std::size_t ring, const std::string& group);

    // What has come to a part, and how much of it is not done.
    struct inbox {
        std::uint64_t messages = 0;   // ever sent
        std::uint64_t not_begun = 0;  // of them
        std::uint64_t bytes_done = 0;
        std::uint64_t bytes_left = 0;
        bool ended = false;  // and no more will come
    };
    [[nodiscard]] inbox inbox_of(const part& what) const;

    // "; 7 messages were sent to it, ..." for a part that has failed; nothing for a source.
    [[nodiscard]] std::string waiting_for(const part& what) const;
    // "stage 2 (CMD), in 7 messages (99 bytes), out ..."
    [[nodiscard]] std::string summary_of(const part& what) const;

  private:
    struct link {
        std::string name;
        ring it;
        std::optional<producer> holder;
        std::uint32_t members;  // slots
    };
    void make(const run_plan& plan);
    void make_groups(const run_plan& plan);
    void remove() noexcept;

    std::string base_;
    std::vector<link> all_;
    bool named_;
    bool keep_;
};

}  // namespace ringpipe::pipeline
