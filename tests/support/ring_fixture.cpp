#include "tests/support/ring_fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace ringpipe {

std::ostream& operator<<(std::ostream& out, receive_status status) {
    switch (status) {
        case receive_status::message: return out << "message";
        case receive_status::timed_out: return out << "timed_out";
        case receive_status::end: return out << "end";
        case receive_status::truncated: return out << "truncated";
    }
    return out << "?";
}

}  // namespace ringpipe

namespace ringpipe::test {
namespace {

std::string next_name() {
    static std::atomic<int> count{0};
    return "test." + std::to_string(::getpid()) + "." + std::to_string(++count);
}

}  // namespace

// The path is spelled here once more, on purpose: the tests hold the library to it.
unique_name::unique_name() : name_{next_name()}, path_{"/dev/shm/ringpipe." + name_} {
    ::unlink(path_.c_str());
}

unique_name::unique_name(const std::string& folder)
    : name_{folder + "/" + next_name()}, path_{name_} {
    ::unlink(path_.c_str());
}

unique_name::~unique_name() {
    if (::unlink(path_.c_str()) != 0) { ::rmdir(path_.c_str()); }
}

bool unique_name::exists() const {
    struct stat about {};
    return ::lstat(path_.c_str(), &about) == 0;
}

ring_options small(std::uint64_t capacity) {
    ring_options options;
    options.capacity = capacity;
    options.members = 8;
    options.groups = 4;
    options.liveness_interval = 20ms;
    return options;
}

std::string pattern(std::size_t size, std::uint64_t seed) {
    std::string out(size, '\0');
    auto state = seed * 0x9e3779b97f4a7c15U + 1;
    for (auto& c : out) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        c = static_cast<char>(state >> 56U);
    }
    return out;
}

void send_all(producer& out, const std::vector<std::string>& texts) {
    for (const auto& text : texts) { REQUIRE(out.send_for(bytes(text), patience)); }
}

std::size_t fill(producer& out, std::string_view filling) {
    std::size_t sent = 0;
    while (out.try_send(bytes(filling))) { REQUIRE(++sent < 1'000'000); }
    return sent;
}

std::ostream& operator<<(std::ostream& out, const delivery& d) {
    return out << "#" << d.sequence << " '" << d.text.substr(0, 20) << "' attempt " << d.attempt;
}

std::vector<delivery> take(consumer& in, std::size_t count) {
    std::vector<delivery> out;
    while (out.size() < count) {
        const auto message = in.receive_for(patience);
        if (!message) { break; }
        out.push_back({std::string{message.text()}, message.attempt(), message.sequence()});
        in.acknowledge(message);
    }
    return out;
}

std::vector<std::string> texts_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> out;
    for (const auto& d : deliveries) { out.push_back(d.text); }
    return out;
}

receive_status status_after_last(consumer& in) {
    const auto message = in.receive_for(patience);
    return message.status();
}

std::optional<errc> error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const error& e) {
        const std::string_view line = e.what();
        INFO(line);
        CHECK_FALSE(line.empty());
        CHECK(line.find('\n') == std::string_view::npos);
        return e.which();
    }
    return std::nullopt;
}

bool eventually(const std::function<bool()>& condition) {
    const auto until = after(patience);
    while (!condition()) {
        if (clock::now() > until) { return false; }
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

}  // namespace ringpipe::test
