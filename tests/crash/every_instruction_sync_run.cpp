// Steps a child through a primitive's operation, and kills it in copies and for real.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include "tests/crash/every_instruction_sync.hpp"
#include "tests/support/ring_copy.hpp"

namespace ringpipe::test {
namespace {

constexpr std::size_t most_instructions = 2'000'000;
constexpr std::size_t most_failures_told = 5;
constexpr std::uint32_t members = 4;

bool all_of_them() {
    const char* asked = std::getenv("RINGPIPE_LONG");
    return asked != nullptr && *asked == '1';
}

struct moment {
    ring_state state;
    progress told;
    std::size_t first;  // instruction
};

std::function<void(notes&)> body_of(const sync_operation& what, const std::string& name,
                                    const std::string& rehearsed_in) {
    return [&what, name, rehearsed_in](notes& n) {
        notes scratch{};
        // Once before: what the dynamic linker and malloc do the first time is not of interest.
        what.act(rehearsed_in, marks{scratch, true});
        what.act(name, marks{n, false});
    };
}

// Returns the number of instructions.
std::size_t walk_through(const sync_operation& what, std::vector<moment>& moments) {
    const unique_space name;
    const unique_space scratch;
    what.prepare(scratch.str());
    what.prepare(name.str());
    stepped_child sut{body_of(what, name.str(), scratch.str())};
    REQUIRE(sut.to_begin());
    std::map<std::uint64_t, std::vector<std::size_t>> known;
    std::size_t instructions = 0;
    std::optional<moment> last;
    for (;; ++instructions) {
        REQUIRE(instructions < most_instructions);
        moment now{look_at(name.path(), members), progress{sut.note()}, instructions};
        const auto like_now = [&](const moment& m) {
            return m.told == now.told && m.state == now.state;
        };
        if (!last || !like_now(*last)) {
            last = now;
            auto& same_hash = known[hash_of(now.state)];
            if (std::none_of(same_hash.begin(), same_hash.end(),
                             [&](std::size_t i) { return like_now(moments[i]); })) {
                same_hash.push_back(moments.size());
                moments.push_back(std::move(now));
            }
        }
        if (!sut.step()) { break; }
    }
    REQUIRE(sut.came_to_the_end());
    return instructions;
}

std::string survivors_of(const sync_operation& what, const std::string& name,
                         const progress& told) {
    try {
        return what.survive(sync::space::open_or_create(name, stepping_space()), told);
    } catch (const std::exception& failed) { return failed.what(); }
}

// `watched`: a survivor is attached, in another slot, when it happens.
std::string kill_for_real(const sync_operation& what, std::size_t instruction, bool watched) {
    const unique_space name;
    const unique_space scratch;
    what.prepare(scratch.str());
    what.prepare(name.str());
    stepped_child sut{body_of(what, name.str(), scratch.str())};
    if (!sut.to_begin()) { return "the child did not begin"; }
    std::optional<sync::space> other;
    try {
        if (watched) { other = sync::space::open(name.str(), deadline::min()); }
    } catch (const error&) {  // not made yet
    }
    for (std::size_t i = 0; i < instruction && sut.step(); ++i) {}
    sut.kill();
    const progress told{sut.note()};
    if (!other) { return survivors_of(what, name.str(), told); }
    try {
        return what.survive(*other, told);
    } catch (const std::exception& failed) { return failed.what(); }
}

}  // namespace

sync::space_options stepping_space() {
    sync::space_options options;
    options.members = members;
    options.entries = 6;
    options.size = 2048;
    options.liveness_interval = 5ms;
    return options;
}

void survive_every_instruction(const sync_operation& what) {
    CAPTURE(what.name);
    if (const char* why = why_no_single_steps()) {
        MESSAGE("skipped: " << why);
        return;
    }
    std::vector<moment> moments;
    const auto instructions = walk_through(what, moments);
    std::size_t deaths = 0;
    std::size_t failures = 0;
    std::chrono::nanoseconds longest{0};
    const auto count = [&](const char* how, std::size_t instruction, const auto& survive) {
        if (failures > most_failures_told) { return; }
        ++deaths;
        const stopwatch watch;
        auto wrong = survive();
        longest = std::max<std::chrono::nanoseconds>(longest, watch.elapsed());
        if (wrong.empty()) { return; }
        ++failures;
        FAIL_CHECK(what.name << ", killed before instruction " << instruction << ", " << how << ": "
                             << wrong);
    };
    for (const auto& m : moments) {
        const unique_space copy;
        write_copy(m.state, copy.path());
        count("copy", m.first, [&] { return survivors_of(what, copy.str(), m.told); });
    }
    // Half of the real ones right behind something new, half anywhere.
    const std::size_t each = all_of_them() ? 40 : 4;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < each; ++i) {
        at.push_back(moments[i * moments.size() / each].first);
        at.push_back(i * instructions / each);
    }
    for (std::size_t i = 0; i < at.size(); ++i) {
        count("really", at[i], [&] { return kill_for_real(what, at[i], false); });
        count("really, another attached", at[i], [&] { return kill_for_real(what, at[i], true); });
    }
    CHECK(failures == 0);
    MESSAGE(what.name << ": " << instructions << " instructions, " << moments.size()
                      << " states, survived " << deaths - failures << " of " << deaths
                      << " deaths (" << 2 * at.size() << " for real), longest "
                      << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count()
                      << " ms");
}

}  // namespace ringpipe::test
