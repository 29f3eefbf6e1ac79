// Messages in whole units: a server that reckons too little for one never stores it in a full stream.
#ifdef RINGPIPE_HAS_BRIDGE

#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <string_view>

#include "bridge/padding.hpp"
#include "bridge/wire.hpp"

using namespace ringpipe::bridge;

// And the subject: nats-server 2.9, fileStoreMsgSize.
constexpr std::size_t beside = 34;

TEST_CASE("a unit is more than what the server stores beside headers and payload") {
    for (std::size_t length = 1; length <= 255; ++length) {
        const std::string stream(length, 's');
        const auto unit = unit_of(stream);
        CHECK(std::has_single_bit(unit));
        CHECK(beside + (stream + ".65535").size() < unit);
    }
}

TEST_CASE("what is padded takes whole units and reads as before") {
    CHECK(stored_size(0, 0, 0, 0) == beside + std::string_view{"NATS/1.0\r\n\r\n"}.size());
    envelope about;
    about.sequence = 77;
    constexpr std::uint64_t unit = 64;
    for (std::size_t payload = 0; payload < 2 * unit; ++payload) {
        std::string header;
        append_header(header, about);
        const auto plain = header.size();
        pad(header, stored_size(4, 8 + plain, 1, payload), unit);
        CAPTURE(payload);
        CHECK(stored_size(4, 8 + header.size(), 1, payload) % unit == 0);
        CHECK(header.size() < plain + 2 * unit);
        CHECK(parse_header(header) == about);
    }
}

#endif
