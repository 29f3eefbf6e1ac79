#include "consumer/write_messages.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/frame_writer.hpp"

namespace ringpipe::consumer_program {
namespace {

// Messages that were given to the writer and are not acknowledged yet.
class unacknowledged {
  public:
    void add(const message& one, std::uint64_t output_end) {
        bytes_ += one.payload().size();
        marks_.push_back({output_end, bytes_, one.end()});
    }

    // Acknowledges those that lie in the first `written` bytes of the output.
    void acknowledge(intake& from, std::uint64_t written) {
        const auto done =
            std::upper_bound(marks_.begin(), marks_.end(), written,
                             [](std::uint64_t end, const mark& m) { return end < m.output_end; });
        if (done != marks_.begin()) {
            const auto& last = *(done - 1);
            from.acknowledge_to(last.ring_end, static_cast<std::uint64_t>(done - marks_.begin()),
                                last.bytes);
        }
        marks_.clear();
        bytes_ = 0;
    }

  private:
    struct mark {
        std::uint64_t output_end;  // where the message ends in the output,
        std::uint64_t bytes;       // how many bytes of payload there are up to it,
        std::uint64_t ring_end;    // and where it ends in the ring
    };

    std::vector<mark> marks_;
    std::uint64_t bytes_ = 0;
};

}  // namespace

void write_messages(intake& from, int fd, const framing& how, const std::string& name) {
    frame_writer to{fd, how, name};
    unacknowledged pending;
    from.watch(fd);
    while (const auto message = from.next()) {
        auto status = to.write(message.payload());
        pending.add(message, to.written() + to.pending());
        if (status == write_status::ok && from.more()) { continue; }
        if (status == write_status::ok) { status = to.flush(); }
        pending.acknowledge(from, to.written());
        if (status == write_status::closed) { from.over(ending::closed_output); }
    }
}

}  // namespace ringpipe::consumer_program
