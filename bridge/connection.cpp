#include "bridge/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bridge/address.hpp"
#include "common/error.hpp"

namespace ringpipe::bridge {
namespace {

using options_handle = handle<natsOptions, natsOptions_Destroy>;

void need(natsStatus status, std::string_view what) {
    if (status == NATS_OK) { return; }
    throw error{errc::io, fmt::format("cannot {}: {}; check the file or the address", what,
                                      words_for(status))};
}

// Doubles from 50 ms to 2 s, so that a fleet does not storm a server that just came back.
int64_t back_off(natsConnection*, int attempts, void*) {
    int64_t wait = 50;
    for (int i = 1; i < attempts && wait < 2000; ++i) { wait *= 2; }
    return wait < 2000 ? wait : 2000;
}

void use_servers(natsOptions* to, const std::string& servers) {
    std::vector<std::string> all;
    for (std::size_t begin = 0; begin <= servers.size();) {
        const auto end = std::min(servers.find(',', begin), servers.size());
        all.push_back(servers.substr(begin, end - begin));
        begin = end + 1;
    }
    std::vector<const char*> each;
    for (const auto& one : all) { each.push_back(one.c_str()); }
    need(natsOptions_SetServers(to, each.data(), static_cast<int>(each.size())),
         fmt::format("use the address {}", without_secrets(servers)));
}

void add_credentials(natsOptions* to, const connection_options& with) {
    if (!with.user.empty()) {
        need(natsOptions_SetUserInfo(to, with.user.c_str(), with.password.c_str()),
             "use the user and password");
    }
    if (!with.token.empty()) {
        need(natsOptions_SetToken(to, with.token.c_str()), "use the token");
    }
    if (!with.credentials_file.empty()) {
        need(natsOptions_SetUserCredentialsFromFiles(to, with.credentials_file.c_str(), nullptr),
             "use the credentials file");
    }
    if (!with.nkey_seed_file.empty()) {
        need(natsOptions_SetNKeyFromSeed(to, with.nkey_public.c_str(), with.nkey_seed_file.c_str()),
             "use the NKey seed file");
    }
}

void add_tls(natsOptions* to, const connection_options& with) {
    const bool named = with.servers.starts_with("tls://");
    if (with.tls_ca_file.empty() && with.tls_cert_file.empty() && !named) { return; }
    need(natsOptions_SetSecure(to, true), "use TLS");
    if (!with.tls_ca_file.empty()) {
        need(natsOptions_LoadCATrustedCertificates(to, with.tls_ca_file.c_str()),
             fmt::format("read the CA file {}", with.tls_ca_file));
    }
    if (!with.tls_cert_file.empty()) {
        need(natsOptions_LoadCertificatesChain(to, with.tls_cert_file.c_str(),
                                               with.tls_key_file.c_str()),
             fmt::format("read the certificate {} with its key", with.tls_cert_file));
    }
}

[[noreturn]] void refuse(natsStatus status, const std::string& servers) {
    switch (status) {
        case NATS_CONNECTION_AUTH_FAILED:
            throw error{errc::no_permission,
                        fmt::format("cannot log in at {}: the server does not accept these "
                                    "credentials; see --user, --token, --creds, --nkey",
                                    servers)};
        case NATS_SSL_ERROR:
        case NATS_SECURE_CONNECTION_WANTED:
        case NATS_SECURE_CONNECTION_REQUIRED:
            throw error{errc::io, fmt::format("cannot connect to {} with TLS: {}; check --tls-ca, "
                                              "--tls-cert, and whether the server speaks TLS",
                                              servers, words_for(status))};
        default:
            throw error{errc::io, fmt::format("cannot connect to {}: {}; check that nats-server "
                                              "runs there and the address",
                                              servers, words_for(status))};
    }
}

}  // namespace

std::string words_for(natsStatus status, jsErrCode code) {
    std::string words = natsStatus_GetText(status);
    natsStatus last = NATS_OK;
    if (const char* more = nats_GetLastError(&last); more != nullptr && last == status) {
        words += fmt::format(" ({})", more);
    }
    if (code != 0) { words += fmt::format(" [JetStream error {}]", static_cast<int>(code)); }
    return words;
}

connection::connection(const connection_options& with)
    : listener_{std::make_unique<listener>()}, shown_{without_secrets(with.servers)} {
    listener_->tell = with.tell;
    listener_->note.describe(with.direction, shown_ + "/" + with.stream);
    natsOptions* raw = nullptr;
    need(natsOptions_Create(&raw), "prepare the connection");
    const options_handle options{raw};
    use_servers(raw, with.servers);
    need(natsOptions_SetName(raw, with.name.c_str()), "name the connection");
    need(natsOptions_SetMaxReconnect(raw, -1), "prepare the connection");
    need(natsOptions_SetCustomReconnectDelay(raw, back_off, nullptr), "prepare the connection");
    need(natsOptions_SetDisconnectedCB(raw, on_disconnected, listener_.get()), "prepare it");
    need(natsOptions_SetReconnectedCB(raw, on_reconnected, listener_.get()), "prepare it");
    need(natsOptions_SetClosedCB(raw, on_closed, listener_.get()), "prepare it");
    // A server that froze is noticed in seconds.
    need(natsOptions_SetPingInterval(raw, 5000), "prepare the connection");
    // Else who writes to one whose host is gone waits with the lock that the ping needs.
    need(natsOptions_SetWriteDeadline(raw, 10'000), "prepare the connection");
    // What is not told is reported by a line of ours, not by cnats on standard error.
    need(natsOptions_SetErrorHandler(
             raw, [](natsConnection*, natsSubscription*, natsStatus, void*) {}, nullptr),
         "prepare the connection");
    add_credentials(raw, with);
    add_tls(raw, with);
    natsConnection* made = nullptr;
    if (const auto status = natsConnection_Connect(&made, raw); status != NATS_OK) {
        refuse(status, shown_);
    }
    connection_.reset(made);
    listener_->note.set_connected(true);
}

// cnats calls back from a thread of its own also after natsConnection_Destroy has returned; the last
// call says that it is closed.
connection::~connection() {
    listener_->closing = true;
    auto closed = listener_->closed.get_future();
    connection_.reset();
    if (closed.wait_for(std::chrono::seconds{5}) != std::future_status::ready) {
        (void)listener_.release();  // rather lost than used after it is gone
    }
}

void connection::on_closed(natsConnection*, void* closure) {
    static_cast<listener*>(closure)->closed.set_value();
}

void connection::on_disconnected(natsConnection*, void* closure) {
    auto& to = *static_cast<listener*>(closure);
    if (to.closing) { return; }
    to.note.set_connected(false);
    to.note.failed("the connection to NATS is lost");
    if (to.tell) { to.tell("the connection to NATS is lost; trying again until it is back"); }
}

void connection::on_reconnected(natsConnection*, void* closure) {
    auto& to = *static_cast<listener*>(closure);
    to.note.set_connected(true);
    if (to.tell) { to.tell("the connection to NATS is back"); }
}

jsCtx* connection::make_context(jsOptions* with) const {
    jsCtx* made = nullptr;
    need(natsConnection_JetStream(&made, connection_.get(), with), "use JetStream");
    return made;
}

std::size_t connection::max_payload() const {
    return static_cast<std::size_t>(natsConnection_GetMaxPayload(connection_.get()));
}

bool connection::connected() const {
    return natsConnection_Status(connection_.get()) == NATS_CONN_STATUS_CONNECTED;
}

handle<natsSubscription, natsSubscription_Destroy> connection::listen(
    const std::string& subject) const {
    natsSubscription* made = nullptr;
    need(natsConnection_SubscribeSync(&made, connection_.get(), subject.c_str()),
         "listen for the stream's answers");
    handle<natsSubscription, natsSubscription_Destroy> listens{made};
    need(natsSubscription_SetPendingLimits(made, -1, -1), "listen for the stream's answers");
    return listens;
}

std::string make_inbox() {
    natsInbox* made = nullptr;
    need(natsInbox_Create(&made), "make a subject for answers");
    return handle<natsInbox, natsInbox_Destroy>{made}.get();
}

void connection::check() const {
    if (!natsConnection_IsClosed(connection_.get())) { return; }
    const char* text = nullptr;
    const auto status = natsConnection_GetLastError(connection_.get(), &text);
    refuse(status == NATS_OK ? NATS_CONNECTION_CLOSED : status, shown_);
}

}  // namespace ringpipe::bridge
