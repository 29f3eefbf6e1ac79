// What the processes do that the storm rages over.
#pragma once

#include <cstdint>
#include <string>

#include "tests/support/ledger.hpp"

namespace ringpipe::test {

inline constexpr const char* storm_groups[ledger::groups] = {"work", "all", "slow"};

// Sends in every way there is, leaves now and then and comes back, until the ledger says stop.
int storm_producer(const std::string& ring, ledger& book, std::uint64_t seed);

// Receives in every way there is, until the stream ends for good.
int storm_consumer(const std::string& ring, ledger& book, std::size_t group, std::uint64_t seed);

// Comes and goes in an ephemeral group, and is accounted for by nobody.
int storm_passer_by(const std::string& ring, ledger& book, std::uint64_t seed);

}  // namespace ringpipe::test
