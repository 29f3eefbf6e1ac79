// Steps a child through an operation, and kills it in copies and for real.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

#include "tests/crash/every_instruction.hpp"
#include "tests/support/ring_copy.hpp"

// Where the linker says that this program lies.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace ringpipe::test {
namespace {

// Something is wrong (or there is a sanitizer) if an operation is longer.
constexpr std::size_t most_instructions =
    2'000'000;  // a wait spins; ASan makes that five times as many
constexpr std::size_t most_failures_told = 5;

bool all_of_them() {
    const char* asked = std::getenv("RINGPIPE_LONG");
    return asked != nullptr && *asked == '1';
}

// What a death at some instructions leaves.
struct moment {
    ring_state state;
    promises told;
    std::size_t first;  // instruction
    std::uint64_t at;   // its address
};

struct walk {
    story of;
    std::vector<moment> moments;
    std::vector<std::size_t> changes;  // before which instruction something others can see is new
    std::size_t instructions = 0;
};

// For addr2line.
std::string where_in_program(std::uint64_t address) {
    const auto start = reinterpret_cast<std::uintptr_t>(&__executable_start);
    if (address < start || address >= reinterpret_cast<std::uintptr_t>(&etext)) { return ""; }
    std::ostringstream out;
    out << " at 0x" << std::hex << address - start;
    return out.str();
}

std::function<void(notes&)> body_of(const operation& what, const std::string& name,
                                    const std::string& rehearsed_in) {
    return [&what, name, rehearsed_in](notes& n) {
        notes scratch{};
        // Once before: what the dynamic linker and malloc do the first time is not of interest.
        what.act(rehearsed_in, marks{scratch, true});
        what.act(name, marks{n, false});
    };
}

walk walk_through(const operation& what) {
    walk result;
    const unique_name name;
    const unique_name scratch;
    (void)what.prepare(scratch.str());
    result.of = what.prepare(name.str());
    held_slots held{name.path(), what.busy_slots};
    stepped_child sut{body_of(what, name.str(), scratch.str())};
    REQUIRE(sut.to_begin());
    std::map<std::uint64_t, std::vector<std::size_t>> known;
    for (;; ++result.instructions) {
        REQUIRE(result.instructions < most_instructions);
        auto state = look_at(name.path(), slots);
        const promises told{sut.note()};
        const bool as_before = !result.moments.empty() && result.moments.back().told == told &&
                               result.moments.back().state == state;
        if (!as_before) {
            result.changes.push_back(result.instructions);
            auto& same_hash = known[hash_of(state)];
            const bool new_one =
                std::none_of(same_hash.begin(), same_hash.end(), [&](std::size_t i) {
                    return result.moments[i].told == told && result.moments[i].state == state;
                });
            if (new_one) {
                same_hash.push_back(result.moments.size());
                result.moments.push_back(
                    {std::move(state), told, result.instructions, sut.next_instruction()});
            }
        }
        if (!sut.step()) { break; }
    }
    REQUIRE(sut.came_to_the_end());
    return result;
}

// The instructions at which to kill for real.
std::vector<std::size_t> chosen(const walk& of, std::size_t most) {
    std::vector<std::size_t> all;
    if (of.instructions <= most) {
        for (std::size_t k = 0; k <= of.instructions; ++k) { all.push_back(k); }
        return all;
    }
    // Half of them right behind something new, half anywhere.
    const auto stride_of = [&](std::size_t count) {
        return std::max<std::size_t>(count * 2 / most, 1);
    };
    for (std::size_t i = 0; i < of.changes.size(); i += stride_of(of.changes.size())) {
        all.push_back(of.changes[i]);
    }
    for (std::size_t k = 0; k <= of.instructions; k += stride_of(of.instructions)) {
        all.push_back(k);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

outcome kill_for_real(const operation& what, std::size_t instruction, bool watched) {
    const unique_name name;
    const unique_name scratch;
    (void)what.prepare(scratch.str());
    const auto of = what.prepare(name.str());
    held_slots held{name.path(), what.busy_slots};
    std::optional<bystanders> others;
    if (watched) { others.emplace(name.str(), what); }
    stepped_child sut{body_of(what, name.str(), scratch.str())};
    if (!sut.to_begin()) { return {"the child did not begin"}; }
    for (std::size_t i = 0; i < instruction && sut.step(); ++i) {}
    sut.kill();
    const promises told{sut.note()};
    held.let_go();
    return others ? others->recover(what, of, told)
                  : recover(name.str(), what, of, told, seating::in_its_place);
}

}  // namespace

ring_options stepping_ring(std::uint64_t capacity) {
    ring_options options;
    options.capacity = capacity;
    options.members = slots;
    options.groups = 4;
    options.liveness_interval = interval;
    return options;
}

void survive_every_instruction(const operation& what) {
    CAPTURE(what.name);
    if (const char* why = why_no_single_steps()) {
        MESSAGE("skipped: " << why);
        return;
    }
    const auto steps = walk_through(what);
    std::size_t deaths = 0;
    std::size_t failures = 0;
    std::chrono::nanoseconds longest{0};
    const auto count = [&](const outcome& result, const std::string& how, std::size_t instruction,
                           std::uint64_t at) {
        ++deaths;
        longest = std::max(longest, result.longest);
        if (result.wrong.empty()) { return; }
        ++failures;
        FAIL_CHECK(what.name << ", killed before instruction " << instruction
                             << where_in_program(at) << ", " << how << ": " << result.wrong);
    };

    constexpr std::pair<seating, const char*> seats[] = {
        {seating::in_its_place, "copy, survivors in its place"},
        {seating::beside_it, "copy, survivors beside it"},
        {seating::one_leaves, "copy, one survivor leaves"},
    };
    for (std::size_t i = 0; i < steps.moments.size(); ++i) {
        for (std::size_t seat = 0; seat < std::size(seats); ++seat) {
            if (failures > most_failures_told) { break; }
            if (!all_of_them() && i > 60 && (i + seat) % std::size(seats) != 0) { continue; }
            const auto& m = steps.moments[i];
            const unique_name copy;
            write_copy(m.state, copy.path());
            count(recover(copy.str(), what, steps.of, m.told, seats[seat].first),
                  seats[seat].second, m.first, m.at);
        }
    }
    // Each real kill steps up to its instruction: the long form takes a minute or so for an
    // operation.
    const auto steps_to_take = all_of_them() ? 2'000'000U : 20'000U;
    const auto real =
        chosen(steps, std::clamp<std::size_t>(steps_to_take / (steps.instructions + 1), 6,
                                              all_of_them() ? steps.instructions + 1 : 16));
    for (std::size_t i = 0; i < real.size() && failures <= most_failures_told; ++i) {
        const bool watched = what.bystanders && i % 2 == 0;
        count(kill_for_real(what, real[i], watched), watched ? "really, others attached" : "really",
              real[i], 0);
        if (watched && all_of_them()) {
            count(kill_for_real(what, real[i], false), "really", real[i], 0);
        }
    }
    CHECK(failures == 0);
    MESSAGE(what.name << ": " << steps.instructions << " instructions, " << steps.moments.size()
                      << " states, survived " << deaths - failures << " of " << deaths
                      << " deaths (" << real.size()
                      << " instructions killed at for real), longest wait "
                      << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count()
                      << " ms");
}

}  // namespace ringpipe::test
