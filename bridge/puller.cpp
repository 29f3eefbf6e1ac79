#include "bridge/puller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>
#include <utility>

#include "common/error.hpp"

namespace ringpipe::bridge {
namespace {

using namespace std::chrono_literals;

constexpr auto request_time = 1000ms;  // for so long the server keeps a request

// Woken for each message of a flood, we would take the core from the thread that reads it.
constexpr std::size_t flood = 8;  // messages at hand
constexpr auto pause_in_flood = 2ms;

using inbox = handle<natsInbox, natsInbox_Destroy>;

void need(natsStatus status) {
    if (status == NATS_OK) { return; }
    throw error{errc::io,
                fmt::format("cannot listen for the stream's messages: {}", words_for(status))};
}

// "404 No Messages": not a message, but what became of the request.
std::string status_of(natsMsg* message) {
    const char* code = nullptr;
    if (natsMsg_GetDataLength(message) != 0 ||
        natsMsgHeader_Get(message, "Status", &code) != NATS_OK || code == nullptr) {
        return {};
    }
    const char* words = nullptr;
    (void)natsMsgHeader_Get(message, "Description", &words);
    return fmt::format("{} {}", code, words != nullptr ? words : "");
}

}  // namespace

puller::puller(const connection& over, const std::string& stream, const std::string& consumer,
               int batch)
    : over_{over},
      batch_{batch},
      subject_{fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", stream, consumer)} {
    natsInbox* made = nullptr;
    need(natsInbox_Create(&made));
    inbox_ = inbox{made}.get();
    natsSubscription* listens = nullptr;
    need(natsConnection_SubscribeSync(&listens, over.get(), inbox_.c_str()));
    from_.reset(listens);
    // No more than was asked for.
    need(natsSubscription_SetPendingLimits(listens, -1, -1));
}

void puller::ask() {
    const auto request =
        fmt::format(R"({{"batch":{},"expires":{}}})", batch_,
                    std::chrono::duration_cast<std::chrono::nanoseconds>(request_time).count());
    if (natsConnection_PublishRequestString(over_.get(), subject_.c_str(), inbox_.c_str(),
                                            request.c_str()) == NATS_OK) {
        owed_ += batch_;
        until_ = steady::now() + request_time;
    }
}

std::string puller::fetch(std::vector<message_handle>& into, std::chrono::milliseconds timeout) {
    const bool flows = into.size() >= flood && into.size() < static_cast<std::size_t>(batch_ / 2);
    into.clear();
    if (flows) { std::this_thread::sleep_for(pause_in_flood); }
    // What was asked for is forgotten by the server then, or by one that is no longer there.
    if (steady::now() > until_) { owed_ = 0; }
    // The next request is there before the last one is used up.
    if (owed_ <= batch_ / 2 && over_.connected()) { ask(); }
    while (into.size() < static_cast<std::size_t>(batch_)) {
        natsMsg* raw = nullptr;
        const auto status =
            natsSubscription_NextMsg(&raw, from_.get(), into.empty() ? timeout.count() : 0);
        message_handle message{raw};
        if (status == NATS_TIMEOUT) { break; }
        if (status != NATS_OK) {
            if (!into.empty()) { break; }
            owed_ = 0;
            return words_for(status);
        }
        const auto became = status_of(raw);
        if (became.empty()) {
            owed_ -= owed_ > 0 ? 1 : 0;
            into.push_back(std::move(message));
        } else if (became.starts_with("404") || became.starts_with("408")) {
            owed_ = 0;  // there was nothing more
            if (into.empty()) { break; }
        } else if (!became.starts_with("100")) {
            owed_ = 0;
            if (into.empty()) { return became; }
        }
    }
    return {};
}

void puller::acknowledge(const char* reply) const {
    (void)natsConnection_PublishString(over_.get(), reply, "+ACK");
}

// $JS.ACK.STREAM.CONSUMER.DELIVERED.SEQUENCE.DELIVERY.TIME.PENDING, with DOMAIN.ACCOUNT before STREAM
// and more at the end if there are more than nine words.
std::optional<delivery_place> place_in(std::string_view reply) {
    std::array<std::string_view, 9> words;  // those that matter
    std::size_t count = 0;
    for (std::size_t at = 0; at <= reply.size(); ++count) {
        const auto end = std::min(reply.find('.', at), reply.size());
        if (count < words.size()) { words[count] = reply.substr(at, end - at); }
        at = end + 1;
    }
    if (count < 9 || count == 10 || words[0] != "$JS" || words[1] != "ACK") { return std::nullopt; }
    const std::size_t first = count == 9 ? 5 : 7;
    const auto read = [](std::string_view text, std::uint64_t& into) {
        const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), into);
        return problem == std::errc{} && stop == text.data() + text.size();
    };
    delivery_place place;
    if (!read(words[first], place.sequence) || !read(words[first + 1], place.delivery)) {
        return std::nullopt;
    }
    return place;
}

}  // namespace ringpipe::bridge
