// Arguments and results as bytes. Numbers, text and spans of bytes go the short way; all other
// types through Cereal (a `serialize` member or function, or <cereal/types/...>).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "ringpipe/pool/archive.hpp"

namespace ringpipe::pool {

template <class T>
inline constexpr bool is_text =
    std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
    std::is_same_v<T, const char*> || std::is_same_v<T, char*>;
template <class T>
inline constexpr bool is_bytes =
    std::is_same_v<T, std::span<const std::byte>> || std::is_same_v<T, std::span<std::byte>> ||
    std::is_same_v<T, std::vector<std::byte>>;
template <class T>
inline constexpr bool is_plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// What a result of type T is where it arrives: a view has nothing there that it could view.
template <class T>
using owned = std::conditional_t<
    is_text<std::decay_t<T>>, std::string,
    std::conditional_t<is_bytes<std::decay_t<T>>, std::vector<std::byte>, std::decay_t<T>>>;

// Bytes stand at multiples of this in a message, and so in memory.
inline constexpr std::size_t bytes_alignment = 16;
// Bytes from this size on are not copied before they are copied into the ring.
inline constexpr std::size_t large_bytes = 4096;

// A message in the making. Large spans of bytes are only referred to until copy_to().
class encoder {
  public:
    void put_raw(const void* from, std::size_t size) {
        const auto* const bytes = static_cast<const std::byte*>(from);
        written_.insert(written_.end(), bytes, bytes + size);
    }

    template <class T>
    void put(const T& value) {
        using type = std::decay_t<const T>;
        if constexpr (is_plain<type>) {
            put_raw(&value, sizeof value);
        } else if constexpr (is_text<type>) {
            const std::string_view text{value};
            put(std::uint64_t{text.size()});
            put_raw(text.data(), text.size());
        } else if constexpr (is_bytes<type>) {
            put_bytes(std::as_bytes(std::span{value}));
        } else {
            output_archive{written_}(value);
        }
    }

    // As put(), and keeps what it refers to: once in a message.
    void put(std::vector<std::byte>&& bytes) {
        if (bytes.size() < large_bytes) { return put(std::as_const(bytes)); }
        kept_ = std::move(bytes);
        put(std::as_const(kept_));
    }

    [[nodiscard]] std::size_t size() const { return written_.size() + referred_size_; }
    // What was put first.
    [[nodiscard]] std::byte* front() { return written_.data(); }
    // Nothing unless all of the message is in one piece.
    [[nodiscard]] std::span<const std::byte> one_piece() const {
        return referred_.empty() ? std::span<const std::byte>{written_}
                                 : std::span<const std::byte>{};
    }
    // `to` has room for size() bytes.
    void copy_to(std::byte* to) const {
        std::size_t from = 0;
        for (const auto& [at, bytes] : referred_) {
            to = copy({written_.data() + from, at - from}, to);
            to = copy(bytes, to);
            from = at;
        }
        copy({written_.data() + from, written_.size() - from}, to);
    }
    void clear() {
        written_.clear();
        referred_.clear();
        referred_size_ = 0;
        kept_ = {};
    }

  private:
    struct reference {
        std::size_t at;  // in written_
        std::span<const std::byte> bytes;
    };

    static std::byte* copy(std::span<const std::byte> from, std::byte* to) {
        if (!from.empty()) { std::memcpy(to, from.data(), from.size()); }
        return to + from.size();
    }

    void put_bytes(std::span<const std::byte> bytes) {
        put(std::uint64_t{bytes.size()});
        while (size() % bytes_alignment != 0) { written_.push_back({}); }
        if (bytes.size() < large_bytes) {
            put_raw(bytes.data(), bytes.size());
        } else {
            referred_.push_back({written_.size(), bytes});
            referred_size_ += bytes.size();
        }
    }

    std::vector<std::byte> written_;
    std::vector<reference> referred_;
    std::vector<std::byte> kept_;
    std::size_t referred_size_ = 0;
};

// Reads what an encoder wrote. Views (std::string_view, std::span<const std::byte>) point into the
// message. Throws error(malformed_input) instead of reading behind the end.
class decoder {
  public:
    explicit decoder(std::span<const std::byte> message) : message_{message} {}

    template <class T>
    T get() {
        if constexpr (is_plain<T>) {
            T value;
            std::memcpy(&value, take(sizeof value).data(), sizeof value);
            return value;
        } else if constexpr (is_text<T>) {
            const auto text = take(get<std::uint64_t>());
            return T(reinterpret_cast<const char*>(text.data()), text.size());
        } else if constexpr (is_bytes<T>) {
            const auto size = get<std::uint64_t>();
            (void)take((bytes_alignment - at_ % bytes_alignment) % bytes_alignment);
            const auto bytes = take(size);
            return T(bytes.begin(), bytes.end());
        } else {
            T value{};
            input_archive archive{message_.data() + at_, message_.data() + message_.size()};
            archive(value);
            at_ = static_cast<std::size_t>(archive.at() - message_.data());
            return value;
        }
    }

    std::span<const std::byte> take(std::uint64_t size) {
        if (size > message_.size() - at_) {
            throw error{errc::malformed_input,
                        "cannot decode a task's arguments or result: they end too early; do both "
                        "programs mean the same types?"};
        }
        at_ += size;
        return message_.subspan(at_ - size, size);
    }

  private:
    std::span<const std::byte> message_;
    std::size_t at_ = 0;
};

// A number for "takes these types, gives that one", so that a caller who means other types than
// the worker gets an error and not garbage. The same for text in all its forms, and for bytes.
template <class T>
std::string_view wire_name() {
    using type = std::decay_t<T>;
    if constexpr (is_text<type>) {
        return "text";
    } else if constexpr (is_bytes<type>) {
        return "bytes";
    } else {
        return typeid(type).name();
    }
}

template <class Result, class... Arguments>
std::uint64_t signature_of() {
    static const std::uint64_t hash = [] {
        std::uint64_t h = 0xcbf29ce484222325U;  // FNV-1a, 64 bits
        const auto mix = [&h](std::string_view name) {
            for (const char c : name) { h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U; }
            h = (h ^ 0xffU) * 0x100000001b3U;
        };
        mix(wire_name<Result>());
        (mix(wire_name<Arguments>()), ...);
        return h;
    }();
    return hash;
}

}  // namespace ringpipe::pool
