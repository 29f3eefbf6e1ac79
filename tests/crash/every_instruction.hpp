// Killed at any instruction of any operation: what the operations are, and what must hold then.
//
// A process that is killed leaves nothing to the others but the ring's file as it was at that
// instruction, with its byte locks dropped by the kernel. (It has no other output: a futex wait or
// wake leaves no trace.) So a kill at an instruction is the same as a copy of the file taken there,
// with no byte locked. That makes "every instruction" cheap: one child is stepped through the
// operation, the file is looked at after each instruction, and survivors are let loose on a copy of
// each state that differs. What the argument takes on trust is the kernel's part, so a sample of
// the kills is also done for real, and those with survivors that were attached, and asleep in
// nothing, when it happened.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/single_step.hpp"

namespace ringpipe::test {

// What has been promised to whom when the operation begins.
struct story {
    std::vector<std::string> sent;  // each group is owed these
    std::vector<std::vector<std::string>>
        offered;  // sent by the operation; each whole or not at all
};

// A plain copy of what the child told.
struct promises {
    explicit promises(const notes& n)
        : phase{n.phase},
          returned{n.returned},
          received{n.received},
          acknowledging{n.acknowledging},
          acknowledged{n.acknowledged} {}
    std::uint32_t phase, returned, received, acknowledging, acknowledged;

    bool operator==(const promises&) const = default;
};

enum class ending {
    whole,      // nothing was lost: the end
    truncated,  // a producer is dead
    attaching,  // truncated once the operation has returned, either before
    leaving,    // whole once the operation has returned, either before
};

struct operation {
    std::string name;
    // Makes the ring. Whoever it attaches has left again, or is dead.
    std::function<story(const std::string& ring)> prepare;
    // In the child: attaches, marks the begin, does it, marks the end.
    std::function<void(const std::string& ring, const marks& mark)> act;
    ending ends = ending::whole;
    std::vector<std::string> groups = {"work", "all"};  // the child's, and one that sees all
    // Busy while the child runs, so that it gets the next one: then survivors can sit beside the
    // dead as well as in its place.
    std::vector<std::uint32_t> busy_slots = {0, 1, 2, 3};
    bool bystanders = true;  // may be attached meanwhile
    // What else must hold, once the survivors are through; what was wrong, or nothing.
    std::function<std::string(const std::string& ring, const std::vector<bool>& offers_seen)> also =
        {};
    // Done in place of all that survivors do otherwise.
    std::function<std::string(const std::string& ring, const promises& told)> instead = {};
};

inline constexpr std::uint32_t slots = 12;
inline constexpr auto interval = std::chrono::milliseconds{5};
// What "nobody waits for the dead" means here: some intervals, and a busy machine.
inline constexpr auto limit = std::chrono::seconds{2};

[[nodiscard]] ring_options stepping_ring(std::uint64_t capacity = 4096);

// Where the survivors sit.
enum class seating {
    in_its_place,  // one of them in the slot of the dead
    beside_it,
    one_leaves,  // as in_its_place; and one receives a little, and leaves
};

class crew;  // living members: a producer, and a consumer of each group

struct outcome {
    std::string wrong;  // nothing: all is well
    std::chrono::nanoseconds longest{0};
};

// Attaches survivors to the ring and lets them find out: nothing lost, nothing damaged, nothing
// twice unmarked, batches whole, the end as it should be, all space free again, and nobody kept
// waiting.
[[nodiscard]] outcome recover(const std::string& ring, const operation& what, const story& of,
                              const promises& told, seating where);

// The same by those who were there before.
class bystanders {
  public:
    bystanders(const std::string& ring, const operation& what);
    ~bystanders();
    [[nodiscard]] outcome recover(const operation& what, const story& of, const promises& told);

  private:
    std::unique_ptr<crew> crew_;
};

// All of it for one operation: steps, copies, real kills, and a line that says how many.
void survive_every_instruction(const operation& what);

}  // namespace ringpipe::test
