#include "pool/task.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>

#include "common/error.hpp"

namespace ringpipe::pool {
namespace {

struct registry {
    std::unordered_map<std::string_view, task_entry> by_name;
    std::unordered_map<void*, std::string_view> by_function;
};

// Made by the first registration, whichever source file that is in, and written before main() only.
registry& tasks() {
    static registry all;
    return all;
}

}  // namespace

void register_task(std::string_view name, const task_entry& entry) {
    const auto [place, is_new] = tasks().by_name.emplace(name, entry);
    if (!is_new && place->second.function != entry.function) {
        std::fprintf(stderr,
                     "ringpipe: cannot register two tasks under the name '%.*s'; "
                     "give one of them another with RINGPIPE_TASK_AS\n",
                     static_cast<int>(name.size()), name.data());
        std::abort();  // before main(): nobody could catch an exception
    }
    tasks().by_function.emplace(entry.function, name);
}

const task_entry* find_task(std::string_view name) {
    const auto found = tasks().by_name.find(name);
    return found == tasks().by_name.end() ? nullptr : &found->second;
}

std::string_view name_of_task(void* function) {
    const auto found = tasks().by_function.find(function);
    if (found == tasks().by_function.end()) {
        throw error{errc::invalid_argument,
                    "cannot submit this function: it is not registered; write "
                    "RINGPIPE_TASK(its_name); behind its definition"};
    }
    return found->second;
}

}  // namespace ringpipe::pool
