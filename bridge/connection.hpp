// A connection to NATS with its JetStream context.
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/note.hpp"

namespace ringpipe::bridge {

// One line to the user: the connection is lost, it is back, ...
using teller = std::function<void(std::string_view line)>;

struct connection_options {
    std::string servers;  // as of nats_address; may have user:password@ or token@
    std::string user = {};
    std::string password = {};
    std::string token = {};
    std::string credentials_file = {};  // a JWT and its NKey seed, as nsc writes them
    std::string nkey_seed_file = {};
    std::string nkey_public = {};
    std::string tls_ca_file = {};  // turns TLS on
    std::string tls_cert_file = {};
    std::string tls_key_file = {};
    std::string name = {};  // for the server's monitoring
    // For those who look at this bridge: "out" or "in", and the stream[/consumer].
    std::string direction = {};
    std::string stream = {};
    teller tell = {};  // called from a thread of cnats
};

template <auto Destroy>
struct destroy_with {
    template <class T>
    void operator()(T* what) const noexcept {
        Destroy(what);
    }
};
template <class T, auto Destroy>
using handle = std::unique_ptr<T, destroy_with<Destroy>>;
using message_handle = handle<natsMsg, natsMsg_Destroy>;

// Waits and tries again, at most 2 s apart, for as long as the server is away; throws where that
// would not help: error(no_permission) for wrong credentials, error(io) for TLS, a host that does
// not answer at the start, a server without JetStream.
class connection {
  public:
    explicit connection(const connection_options& with);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    [[nodiscard]] natsConnection* get() const { return connection_.get(); }
    [[nodiscard]] jsCtx* make_context(jsOptions* with = nullptr) const;
    [[nodiscard]] std::size_t max_payload() const;
    [[nodiscard]] const std::string& servers() const { return shown_; }

    // Messages to `subject`, however many they are. Throws error(io).
    [[nodiscard]] handle<natsSubscription, natsSubscription_Destroy> listen(
        const std::string& subject) const;

    // What is seen of us from outside.
    [[nodiscard]] state_note& note() const { return listener_->note; }

    // Throws if cnats has given up for good (the credentials were withdrawn).
    void check() const;
    [[nodiscard]] bool connected() const;

  private:
    // Read by a thread of cnats, also while we close.
    struct listener {
        teller tell;
        state_note note;
        std::atomic<bool> closing{false};
        std::promise<void> closed;  // nothing more is called
    };
    static void on_disconnected(natsConnection*, void* closure);
    static void on_reconnected(natsConnection*, void* closure);
    static void on_closed(natsConnection*, void* closure);

    std::unique_ptr<listener> listener_;
    std::string shown_;
    handle<natsConnection, natsConnection_Destroy> connection_;
};

// A subject that nobody else has, for answers. Throws error(io).
[[nodiscard]] std::string make_inbox();

// "Timeout (the server did not answer ...)": what cnats says, with what JetStream said if it did.
[[nodiscard]] std::string words_for(natsStatus status, jsErrCode code = static_cast<jsErrCode>(0));

}  // namespace ringpipe::bridge
