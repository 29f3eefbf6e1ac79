#include "bridge/publisher.hpp"

#include <algorithm>

namespace ringpipe::bridge {

publisher::publisher(const connection& over) {
    jsOptions options;
    jsOptions_Init(&options);
    options.PublishAsync.AckHandler = on_answer;
    options.PublishAsync.AckHandlerClosure = this;
    context_.reset(over.make_context(&options));
}

publisher::~publisher() = default;

// On a thread of cnats. The message is ours now.
void publisher::on_answer(jsCtx*, natsMsg* message, jsPubAck* stored, jsPubAckErr* problem,
                          void* closure) {
    auto& self = *static_cast<publisher*>(closure);
    // A duplicate of number 0 is one whose id a cluster has noted and whose message it then did not
    // take (nats-server 2.9): nothing is stored, and it has to be sent again, in vain until the
    // duplicate window is over.
    const bool is_stored = problem == nullptr && stored != nullptr && stored->Sequence != 0;
    answer what{0, is_stored, is_stored && stored->Duplicate, 0, NATS_OK};
    if (problem != nullptr) {
        what.code = static_cast<int>(problem->ErrCode);
        what.status = problem->Err;
    }
    {
        const std::lock_guard lock{self.mutex_};
        // Its address is our name for it: noted before the memory may be used again.
        self.came_in_.push_back({message, what});
        // Still locked: whoever has seen the last answer may destroy us.
        if (self.waits_) { self.came_.notify_one(); }
    }
    natsMsg_Destroy(message);
}

bool publisher::publish(const std::string& subject, std::span<const std::byte> payload,
                        const envelope& about, const std::string& after, std::uint64_t tag) {
    natsMsg* message = nullptr;
    if (natsMsg_Create(&message, subject.c_str(), nullptr,
                       reinterpret_cast<const char*>(payload.data()),
                       static_cast<int>(payload.size())) != NATS_OK) {
        return false;
    }
    message_handle owned{message};
    if (natsMsgHeader_Set(message, header_name, to_header(about).c_str()) != NATS_OK) {
        return false;
    }
    jsPubOptions options;
    jsPubOptions_Init(&options);
    const auto id = message_id(about);
    options.MsgId = id.c_str();
    options.MaxWait = answer_ms;
    if (!after.empty()) { options.ExpectLastMsgId = after.c_str(); }

    // Before it is sent: the answer may be here before the call returns.
    flights_.push_back({message, tag, false});
    natsMsg* given = owned.release();
    const auto status = js_PublishMsgAsync(context_.get(), &given, &options);
    if (status != NATS_OK) {
        natsMsg_Destroy(given);  // null if cnats has taken it
        flights_.pop_back();
        return false;
    }
    ++in_flight_;
    return true;
}

void publisher::resolve(raw_answer& one) {
    // Answers come in the order of the messages but for failures: mostly it is the first.
    const auto found = std::find_if(flights_.begin(), flights_.end(), [&](const flight& f) {
        return !f.over && f.message == one.message;
    });
    if (found == flights_.end()) { return; }
    one.what.tag = found->tag;
    found->over = true;
    --in_flight_;
    answers_.push_back(one.what);
    while (!flights_.empty() && flights_.front().over) { flights_.pop_front(); }
}

const std::vector<publisher::answer>& publisher::answers(std::chrono::milliseconds timeout) {
    answers_.clear();
    taken_.clear();
    {
        std::unique_lock lock{mutex_};
        if (came_in_.empty() && timeout.count() > 0) {
            waits_ = true;
            came_.wait_for(lock, timeout, [&] { return !came_in_.empty(); });
            waits_ = false;
        }
        taken_.swap(came_in_);
    }
    for (auto& one : taken_) { resolve(one); }
    return answers_;
}

}  // namespace ringpipe::bridge
