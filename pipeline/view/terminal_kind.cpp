#include "pipeline/view/terminal_kind.hpp"

// A file of its own: <term.h> makes macros of hundreds of short words.
#include <curses.h>
#include <term.h>
#include <unistd.h>

namespace ringpipe::pipeline {

bool terminal_is_known(const char* kind) {
    int found = 0;
    // (It takes the name as a char*, and only reads it.)
    if (kind == nullptr || ::setupterm(const_cast<char*>(kind), STDOUT_FILENO, &found) != OK) {
        return false;
    }
    const bool can_move = cursor_address != nullptr;
    ::del_curterm(cur_term);
    return can_move;
}

}  // namespace ringpipe::pipeline
