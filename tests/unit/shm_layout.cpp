// The words that are packed from several, and reading them from bytes that nobody vouches for.
#include "shm/layout.hpp"

#include <array>
#include <memory>

#include "shm/message_view.hpp"
#include "shm/name.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;
namespace word = ringpipe::layout::word;

TEST_CASE("layout: a member id keeps slot and incarnation apart and is never nobody") {
    for (const auto slot : {0U, 1U, 127U, layout::max_members - 1}) {
        for (const auto incarnation : {0U, 1U, 0xffffU, 0x10000U, 0xffffffffU}) {
            const auto id = layout::make_member_id(slot, incarnation);
            CHECK(layout::slot_of(id) == slot);
            CHECK(id != 0);
            CHECK((id >> 28U) == 0U);
            CHECK(id != layout::make_member_id(slot, incarnation + 1));
        }
    }
}

TEST_CASE("layout: a message's word keeps size and state and owner and flags apart") {
    const auto who = layout::make_member_id(layout::max_members - 1, 0xffff);
    for (const auto size : {std::uint64_t{0}, std::uint64_t{1}, word::max_size}) {
        const auto busy = word::make(word::busy, size, who, word::filler | word::has_external_id);
        CHECK(word::size_of(busy) == size);
        CHECK(word::state_of(busy) == word::busy);
        CHECK(word::owner_of(busy) == who);
        const auto discarded = word::with_state(busy, word::discarded);
        CHECK(word::state_of(discarded) == word::discarded);
        CHECK(word::size_of(discarded) == size);
        CHECK(word::owner_of(discarded) == who);
        CHECK((discarded & word::filler) != 0);
    }
}

TEST_CASE("layout: a message takes its header and its payload in units of 16") {
    CHECK(layout::stride_of(0) == 16);
    CHECK(layout::stride_of(1) == 32);
    CHECK(layout::stride_of(16) == 32);
    CHECK(layout::stride_of(17) == 48);
    CHECK(layout::stride_of(word::max_size) == (std::uint64_t{1} << 30U) + 16);
}

TEST_CASE("message view: a header that cannot be is an error and not an address") {
    alignas(16) std::array<std::byte, 8192> buffer{};
    const message_view sut{buffer.data(), 4096 - 16};
    const auto header_error = [&](std::uint64_t raw, std::uint64_t bound) {
        sut.at(64).word = raw;
        return error_of([&] { (void)sut.read(64, bound); });
    };
    CHECK(header_error(word::make(word::committed, 100, 1), 128) == std::nullopt);
    CHECK(header_error(word::make(word::discarded, 100, 1), 128) == std::nullopt);
    CHECK(header_error(word::make(word::committed, 113, 1), 128) == errc::corrupt);
    CHECK(header_error(word::make(word::committed, word::max_size, 1), 4096) == errc::corrupt);
    CHECK(header_error(word::make(word::busy, 100, 1), 128) == errc::corrupt);
    CHECK(header_error(0, 128) == errc::corrupt);
    CHECK(header_error(~std::uint64_t{0}, 4096) == errc::corrupt);
    CHECK(header_error(word::make(word::committed, 7, 1, word::has_external_id), 128) ==
          errc::corrupt);
    CHECK(header_error(word::make(word::committed, 8, 1, word::has_external_id), 128) ==
          std::nullopt);
}

TEST_CASE("message view: a wild position is still a place in the buffer") {
    alignas(16) std::array<std::byte, 8192> buffer{};
    const message_view sut{buffer.data(), 4096 - 16};
    for (const auto position :
         {~std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4095}, std::uint64_t{1} << 63U}) {
        const auto* at = reinterpret_cast<const std::byte*>(&sut.at(position));
        CHECK(at >= buffer.data());
        CHECK(at + 16 <= buffer.data() + 4096);
        CHECK(reinterpret_cast<std::uintptr_t>(at) % 16 == 0);
    }
}

TEST_CASE("name: a plain one is a file in /dev/shm and one with a slash is a path") {
    CHECK(path_of_ring("jobs") == "/dev/shm/ringpipe.jobs");
    CHECK(path_of_ring("./jobs") == "./jobs");
    CHECK(path_of_ring("/var/tmp/jobs") == "/var/tmp/jobs");
}
