#include "bridge/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "bridge/padding.hpp"
#include "common/error.hpp"

namespace ringpipe::bridge {
namespace {

using inbox = handle<natsInbox, natsInbox_Destroy>;

constexpr const char* id_name = "Nats-Msg-Id";
constexpr const char* behind_id_name = "Nats-Expected-Last-Msg-Id";
constexpr const char* behind_number_name = "Nats-Expected-Last-Sequence";

void need(natsStatus status) {
    if (status == NATS_OK) { return; }
    throw error{errc::io,
                fmt::format("cannot listen for the stream's answers: {}", words_for(status))};
}

}  // namespace

publisher::publisher(const connection& over) : over_{over}, context_{over.make_context()} {
    natsInbox* made = nullptr;
    need(natsInbox_Create(&made));
    inbox_ = inbox{made}.get();
    natsSubscription* listens = nullptr;
    need(natsConnection_SubscribeSync(&listens, over.get(), (inbox_ + ".*").c_str()));
    replies_.reset(listens);
    // As many as there are messages under way, which the caller bounds.
    need(natsSubscription_SetPendingLimits(listens, -1, -1));
}

bool publisher::publish(const std::string& subject, std::span<const std::byte> payload,
                        const envelope& about, place where, question from, bool ask) {
    reply_.clear();
    if (ask) { fmt::format_to(std::back_inserter(reply_), FMT_STRING("{}.{}"), inbox_, ++asked_); }
    std::swap(id_, last_id_);
    id_.clear();
    append_message_id(id_, about);
    header_.clear();
    append_header(header_, about);
    const char* condition = nullptr;
    condition_.clear();
    if (where == place::behind_last_id) {
        condition = behind_id_name;
        condition_ = last_id_;
    } else if (where == place::behind_last_number) {
        condition = behind_number_name;
        fmt::format_to(std::back_inserter(condition_), FMT_STRING("{}"), last_number_);
    }
    ++last_number_;
    if (unit_ != 0) { pad(header_, size_of(subject.size(), payload.size(), condition), unit_); }

    natsMsg* made = nullptr;
    if (natsMsg_Create(&made, subject.c_str(), ask ? reply_.c_str() : nullptr,
                       reinterpret_cast<const char*>(payload.data()),
                       static_cast<int>(payload.size())) != NATS_OK) {
        return false;
    }
    const message_handle message{made};
    if (natsMsgHeader_Set(made, header_name, header_.c_str()) != NATS_OK ||
        natsMsgHeader_Set(made, id_name, id_.c_str()) != NATS_OK) {
        return false;
    }
    if (condition != nullptr && natsMsgHeader_Set(made, condition, condition_.c_str()) != NATS_OK) {
        return false;
    }
    if (natsConnection_PublishMsg(over_.get(), made) != NATS_OK) { return false; }
    if (ask) { flights_.push_back({asked_, from, std::chrono::steady_clock::now() + answer_time}); }
    return true;
}

// In the stream, of the message whose header, id and condition are at hand.
std::uint64_t publisher::size_of(std::size_t subject, std::size_t payload,
                                 const char* condition) const {
    const auto headers =
        std::strlen(header_name) + header_.size() + std::strlen(id_name) + id_.size();
    if (condition == nullptr) { return stored_size(subject, headers, 2, payload); }
    return stored_size(subject, headers + std::strlen(condition) + condition_.size(), 3, payload);
}

const std::vector<publisher::answer>& publisher::answers(std::chrono::milliseconds timeout) {
    answers_.clear();
    if (flights_.empty() && timeout.count() == 0) { return answers_; }
    if (take(timeout)) {
        while (take(std::chrono::milliseconds{0})) {}
    }
    give_up_the_late();
    return answers_;
}

// False: nothing came.
bool publisher::take(std::chrono::milliseconds timeout) {
    natsMsg* raw = nullptr;
    const auto status = natsSubscription_NextMsg(&raw, replies_.get(), timeout.count());
    if (status == NATS_NO_RESPONDERS) {
        // Nobody listens for the stream. cnats does not say which message that was: each was
        // answered once, so the first that waits will do.
        if (!flights_.empty()) {
            answers_.push_back({.of = flights_.front().of, .why = words_for(status)});
            flights_.pop_front();
        }
        return true;
    }
    if (status == NATS_CONNECTION_CLOSED) { over_.check(); }
    if (status != NATS_OK) { return false; }
    const message_handle message{raw};
    const std::string_view subject{natsMsg_GetSubject(raw)};
    std::uint64_t number = 0;
    if (subject.size() > inbox_.size()) {
        (void)std::from_chars(subject.data() + inbox_.size() + 1, subject.data() + subject.size(),
                              number);
    }
    // They come in the order of the messages but for failures: mostly it is the first.
    const auto found = std::find_if(flights_.begin(), flights_.end(),
                                    [&](const flight& f) { return f.number == number; });
    if (found == flights_.end()) { return true; }
    answers_.push_back(
        read_answer({natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw))}));
    answers_.back().of = found->of;
    flights_.erase(found);
    return true;
}

void publisher::give_up_the_late() {
    const auto now = std::chrono::steady_clock::now();
    while (!flights_.empty() && flights_.front().until < now) {
        answers_.push_back({.of = flights_.front().of, .why = "it does not answer"});
        flights_.pop_front();
    }
}

publisher::answer read_answer(std::string_view json) try {
    const auto read = nlohmann::json::parse(json);
    if (const auto problem = read.find("error"); problem != read.end()) {
        return {.of = {},
                .why = fmt::format("{} [JetStream error {}]",
                                   problem->value("description", std::string{"no reason is given"}),
                                   problem->value("err_code", 0))};
    }
    // A duplicate of number 0 is one whose id a cluster has noted and whose message it then did not
    // take (nats-server 2.9): nothing is stored, and it has to be sent again, in vain until the
    // duplicate window is over.
    const auto number = read.value("seq", std::uint64_t{0});
    if (number == 0) { return {.of = {}, .why = "its id is known there, but no message of it"}; }
    return {
        .of = {}, .stored = true, .duplicate = read.value("duplicate", false), .number = number};
} catch (const nlohmann::json::exception&) {
    return {.of = {}, .why = "it answers what is none of JetStream's answers"};
}

}  // namespace ringpipe::bridge
