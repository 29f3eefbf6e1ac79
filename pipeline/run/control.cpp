#include "pipeline/run/control.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "pipeline/say.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;
using protocol = boost::asio::local::stream_protocol;
using failure = boost::system::error_code;

constexpr std::size_t longest_line = 16384;
constexpr std::string_view prefix{"\0ringpipe.run.", 14};
constexpr std::size_t longest_name = sizeof(sockaddr_un::sun_path) - prefix.size();
constexpr auto most_for_predecessor = 1s;  // to go, when its run is resumed

// An order is "scale TAB copies TAB ring TAB group LF", a result "exit code TAB line LF", or "LF"
// if the ring is not of the run: no name has a control character in it.
constexpr char separator = '\t';

// Abstract: gone with its process, however that ends; seen in its network namespace only. Who has a
// run of the same name there is not looked for: the second one cannot be scaled.
protocol::endpoint address_of(std::string_view run) {
    return protocol::endpoint{std::string{prefix} += run};
}

// Whether this user's process is at the other end; it may be anybody's, as the name is free for all.
bool is_at(protocol::socket& socket, uid_t user) {
    ucred who{};
    socklen_t size = sizeof who;
    return ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           who.uid == user;
}

void close_at_exec(int fd) { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

std::vector<std::string_view> parts_of(std::string_view line) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = line.find(separator);
        parts.push_back(line.substr(0, end));
        if (end == std::string_view::npos) { return parts; }
        line.remove_prefix(end + 1);
    }
}

std::optional<scale_order> read_order(std::string_view line) {
    const auto parts = parts_of(line);
    scale_order order;
    if (parts.size() != 4 || parts[0] != "scale") { return std::nullopt; }
    const auto* end = parts[1].data() + parts[1].size();
    const auto [last, failed] = std::from_chars(parts[1].data(), end, order.copies);
    if (failed != std::errc{} || last != end) { return std::nullopt; }
    order.ring = parts[2];
    order.group = parts[3];
    return order;
}

}  // namespace

class control::session : public std::enable_shared_from_this<session> {
  public:
    session(protocol::socket socket, const scaler& scale)
        : socket_{std::move(socket)}, scale_{&scale} {}

    void begin() {
        close_at_exec(socket_.native_handle());
        if (!is_at(socket_, ::geteuid()) && !is_at(socket_, 0)) {
            return answer(scale_result{EX_NOPERM, "this run is another user's"});
        }
        boost::asio::async_read_until(socket_, boost::asio::dynamic_buffer(text_, longest_line),
                                      '\n',
                                      [self = shared_from_this()](failure failed, std::size_t) {
                                          if (!failed) { self->take(); }
                                      });
    }

    void end() { answer(scale_result{EX_UNAVAILABLE, "the run has ended"}); }

  private:
    void take() {
        const auto order = read_order(std::string_view{text_}.substr(0, text_.find('\n')));
        if (!order) { return answer(scale_result{EX_SOFTWARE, "the run is of another version"}); }
        (*scale_)(*order,
                  [self = shared_from_this()](const auto& result) { self->answer(result); });
    }

    // At once: it is much less than a socket holds.
    void answer(const std::optional<scale_result>& result) {
        if (!socket_.is_open()) { return; }
        const auto line =
            result ? fmt::format("{}{}{}\n", result->exit_code, separator, result->line) : "\n";
        failure ignored;  // who has asked is gone
        boost::asio::write(socket_, boost::asio::buffer(line), ignored);
        socket_.close(ignored);
    }

    protocol::socket socket_;
    const scaler* scale_;
    std::string text_;
};

control::control(boost::asio::io_context& context, const std::string& run, scaler scale)
    : scale_{std::move(scale)}, socket_{context}, later_{context} {
    try {
        const auto address = address_of(run);
        socket_.open(address.protocol());
        close_at_exec(socket_.native_handle());
        const auto until = clock::now() + most_for_predecessor;
        failure failed;
        while (socket_.bind(address, failed), failed && clock::now() < until) {
            std::this_thread::sleep_for(10ms);
        }
        if (failed) { throw boost::system::system_error{failed}; }
        socket_.listen();
    } catch (const boost::system::system_error& e) {
        say("this run cannot be scaled: cannot make its socket {}: {}; if another run has that "
            "name, "
            "choose another --name",
            run, e.code().message());
        close();
        return;
    }
    accept();
}

void control::accept() {
    socket_.async_accept([this](failure failed, protocol::socket socket) {
        if (failed == boost::asio::error::operation_aborted || !socket_.is_open()) { return; }
        if (failed) { return accept_later(); }
        const auto one = std::make_shared<session>(std::move(socket), scale_);
        sessions_.remove_if([](const auto& each) { return each.expired(); });
        sessions_.push_back(one);
        one->begin();
        accept();
    });
}

// As long as there is no descriptor left: at once it would only fail again.
void control::accept_later() {
    later_.expires_after(100ms);
    later_.async_wait([this](failure stopped) {
        if (!stopped) { accept(); }
    });
}

void control::close() {
    failure ignored;
    later_.cancel();
    socket_.close(ignored);
    for (const auto& each : sessions_) {
        if (const auto one = each.lock()) { one->end(); }
    }
}

namespace {

// Nothing if there is no such run, or it does not have the ring.
std::optional<scale_result> ask(const std::string& run, const scale_order& order, deadline until) {
    if (run.size() > longest_name) { return std::nullopt; }
    boost::asio::io_context context;
    protocol::socket socket{context};
    failure failed;
    socket.connect(address_of(run), failed);
    if (failed) { return std::nullopt; }
    if (::geteuid() != 0 && !is_at(socket, ::geteuid())) {
        throw error{
            errc::no_permission,
            fmt::format("cannot scale ring {}: its run {} is another user's", order.ring, run)};
    }
    const auto line =
        fmt::format("scale{0}{1}{0}{2}{0}{3}\n", separator, order.copies, order.ring, order.group);
    boost::asio::write(socket, boost::asio::buffer(line), failed);
    std::string answer;
    bool answered = false;
    boost::asio::async_read_until(socket, boost::asio::dynamic_buffer(answer, longest_line), '\n',
                                  [&](failure why, std::size_t) {
                                      failed = why;
                                      answered = true;
                                  });
    context.run_until(until);
    if (!answered) {
        throw error{errc::timed_out,
                    fmt::format("the run {} is not done with it yet: copies that leave finish what "
                                "they hold; the order stands",
                                run)};
    }
    if (failed) {
        throw error{errc::io,
                    fmt::format("cannot scale ring {}: its run {} has ended", order.ring, run)};
    }
    answer.resize(answer.find('\n'));
    const auto parts = parts_of(answer);
    if (parts.size() != 2) { return std::nullopt; }
    scale_result result;
    std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), result.exit_code);
    result.line = parts[1];
    return result;
}

}  // namespace

// "a-b-1" is of the run "a-b", or of "a".
scale_result ask_run(const scale_order& order, deadline until) {
    for (auto end = order.ring.rfind('-'); end != std::string::npos && end > 0;
         end = order.ring.rfind('-', end - 1)) {
        if (auto result = ask(order.ring.substr(0, end), order, until)) { return *result; }
    }
    throw error{
        errc::not_found,
        fmt::format("cannot scale ring {}: no ringpipe run that is under way has it", order.ring)};
}

}  // namespace ringpipe::pipeline
