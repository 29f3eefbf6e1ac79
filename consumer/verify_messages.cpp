#include "consumer/verify_messages.hpp"

#include <algorithm>

namespace ringpipe::consumer_program {
namespace {

// Also one that is dead: what it has acknowledged, nobody else gets.
bool others_in(const ring& where, std::string_view group) {
    const auto now = where.status();
    return std::count_if(now.members.begin(), now.members.end(), [&](const member_status& m) {
               return m.role == member_role::consumer && m.group == group;
           }) > 1;
}

}  // namespace

bool begins_at_the_beginning(const ring& where, const consumer_options& with) {
    const auto now = where.status();
    const auto group = std::find_if(now.groups.begin(), now.groups.end(),
                                    [&](const group_status& g) { return g.name == with.group; });
    if (group != now.groups.end()) {
        return group->lag_messages == now.messages && group->members == 0;
    }
    if (now.messages == 0) { return true; }
    return now.groups.empty() && with.from == start_at::earliest;
}

void verify_messages(intake& from, const ring& where, std::string_view group, verifier& with) {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    while (const auto message = from.next()) {
        ++messages;
        bytes += message.payload().size();
        // Asked just when something is not there: whoever has got it is hardly gone yet.
        if (!with.check(message) && with.alone() && others_in(where, group)) { with.shares(); }
        if (from.more()) { continue; }
        from.acknowledge(message, messages, bytes);
        messages = 0;
        bytes = 0;
    }
}

}  // namespace ringpipe::consumer_program
