#include "bridge/note.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <type_traits>

namespace ringpipe::bridge {
namespace {

constexpr auto* file_name = "ringpipe.bridge";
constexpr std::uint64_t magic = 0x3145544f4e505252U;  // "RRPNOTE1"

// What the note says, byte for byte: a text is ended by its first zero, or its size.
struct content {
    std::uint64_t magic;
    std::int64_t since_ns;  // since 1970
    std::uint64_t messages;
    std::uint64_t bytes;
    std::uint64_t waiting;
    std::uint64_t failures;
    std::uint64_t connected;
    std::array<char, 8> direction;
    std::array<char, 256> address;
    std::array<char, 256> last_error;
};
static_assert(std::is_trivially_copyable_v<content> && sizeof(content) % 8 == 0);

constexpr std::size_t words = sizeof(content) / sizeof(std::uint64_t);

template <std::size_t Size>
void put(std::array<char, Size>& to, std::string_view text) {
    to.fill('\0');
    std::copy_n(text.begin(), std::min(text.size(), Size), to.begin());
}

template <std::size_t Size>
std::string text_of(const std::array<char, Size>& from) {
    return {from.data(), ::strnlen(from.data(), Size)};
}

std::optional<content> read_once(int file) {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    content found{};
    // Read, not mapped: whoever made the file may take its bytes away. Three calls, for their order.
    if (::pread(file, &before, sizeof before, 0) != sizeof before ||
        ::pread(file, &found, sizeof found, sizeof before) != sizeof found ||
        ::pread(file, &after, sizeof after, 0) != sizeof after) {
        return std::nullopt;
    }
    if (before != after || before % 2 != 0 || found.magic != magic) { return std::nullopt; }
    return found;
}

std::optional<content> read(const std::string& path) {
    const unique_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat about {};
    if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
        return std::nullopt;
    }
    // It is written now and then, for less than a microsecond.
    for (int i = 0; i < 100; ++i) {
        if (const auto found = read_once(file.get())) { return found; }
    }
    return std::nullopt;
}

}  // namespace

// A sequence that is odd while the words are being written, as a seqlock's.
struct state_note::page {
    std::atomic<std::uint64_t> sequence;
    std::array<std::atomic<std::uint64_t>, words> content;
};

state_note::state_note() : file_{::memfd_create(file_name, MFD_CLOEXEC | MFD_ALLOW_SEALING)} {
    state_.since = std::chrono::system_clock::now();
    if (!file_ || ::ftruncate(file_.get(), sizeof(page)) != 0) { return; }
    (void)::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    void* at = ::mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (at != MAP_FAILED) { page_ = new (at) page{}; }
}

state_note::~state_note() {
    if (page_ != nullptr) { ::munmap(page_, sizeof(page)); }
}

void state_note::describe(std::string_view direction, std::string_view address) {
    const std::lock_guard hold{mutex_};
    state_.direction = direction;
    state_.address = address;
    write();
}

void state_note::set_connected(bool now) {
    const std::lock_guard hold{mutex_};
    if (state_.connected == now) { return; }
    state_.connected = now;
    state_.since = std::chrono::system_clock::now();
    write();
}

void state_note::passed(std::uint64_t messages, std::uint64_t bytes) {
    const std::lock_guard hold{mutex_};
    state_.messages += messages;
    state_.bytes += bytes;
    write();
}

void state_note::set_waiting(std::uint64_t messages) {
    const std::lock_guard hold{mutex_};
    if (state_.waiting == messages) { return; }
    state_.waiting = messages;
    write();
}

void state_note::failed(std::string_view why) {
    const std::lock_guard hold{mutex_};
    ++state_.failures;
    state_.last_error = why;
    write();
}

void state_note::write() {
    if (page_ == nullptr) { return; }
    content now{};
    now.magic = magic;
    now.since_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(state_.since.time_since_epoch())
            .count();
    now.messages = state_.messages;
    now.bytes = state_.bytes;
    now.waiting = state_.waiting;
    now.failures = state_.failures;
    now.connected = state_.connected ? 1 : 0;
    put(now.direction, state_.direction);
    put(now.address, state_.address);
    put(now.last_error, state_.last_error);
    std::array<std::uint64_t, words> as_words{};
    std::memcpy(as_words.data(), &now, sizeof now);
    const auto sequence = page_->sequence.load(std::memory_order_relaxed);
    page_->sequence.store(sequence + 1, std::memory_order_relaxed);
    // Whoever sees one of the words sees that they are being written.
    std::atomic_thread_fence(std::memory_order_release);
    for (std::size_t i = 0; i < words; ++i) {
        page_->content[i].store(as_words[i], std::memory_order_relaxed);
    }
    page_->sequence.store(sequence + 2, std::memory_order_release);
}

std::optional<bridge_state> read_state_note(std::uint32_t pid) {
    namespace fs = std::filesystem;
    std::error_code problem;
    const auto wanted = fmt::format("/memfd:{} (deleted)", file_name);
    for (fs::directory_iterator each{fmt::format("/proc/{}/fd", pid), problem}, end;
         !problem && each != end; each.increment(problem)) {
        std::error_code gone;
        if (fs::read_symlink(each->path(), gone) != wanted) { continue; }
        const auto found = read(each->path());
        if (!found) { continue; }
        using namespace std::chrono;
        bridge_state state;
        state.direction = text_of(found->direction);
        state.address = text_of(found->address);
        state.connected = found->connected != 0;
        state.since = system_clock::time_point{
            duration_cast<system_clock::duration>(nanoseconds{found->since_ns})};
        state.messages = found->messages;
        state.bytes = found->bytes;
        state.waiting = found->waiting;
        state.failures = found->failures;
        state.last_error = text_of(found->last_error);
        return state;
    }
    return std::nullopt;
}

}  // namespace ringpipe::bridge
