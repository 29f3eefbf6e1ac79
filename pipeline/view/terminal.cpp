#include "pipeline/view/terminal.hpp"

#include <curses.h>
#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <string_view>

#include "common/error.hpp"
#include "pipeline/view/terminal_kind.hpp"

namespace ringpipe::pipeline {
namespace {

constexpr short good_pair = 1;
constexpr short warning_pair = 2;

attr_t attributes_of(style how) {
    switch (how) {
        case style::strong: return A_BOLD;
        case style::dim: return A_DIM;
        case style::good: return has_colors() ? COLOR_PAIR(good_pair) : A_NORMAL;
        case style::warning: return A_BOLD | (has_colors() ? COLOR_PAIR(warning_pair) : A_REVERSE);
        case style::plain: break;
    }
    return A_NORMAL;
}

}  // namespace

terminal::terminal() {
    std::setlocale(LC_ALL, "");
    const char* kind = std::getenv("TERM");
    if (::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0) {
        throw error{errc::invalid_argument,
                    "top needs a terminal; for a pipe or a file there is ringpipe stat --watch"};
    }
    if (!terminal_is_known(kind) || ::newterm(nullptr, stdout, stdin) == nullptr) {
        throw error{errc::invalid_argument,
                    std::string{"cannot draw on a terminal of the kind TERM="} +
                        (kind == nullptr ? "" : kind) + "; set TERM to what it is, as xterm"};
    }
    ::cbreak();
    ::noecho();
    ::curs_set(0);
    ::keypad(stdscr, TRUE);
    ::set_escdelay(50);
    const char* no_color = std::getenv("NO_COLOR");
    if ((no_color == nullptr || *no_color == 0) && ::has_colors()) {
        ::start_color();
        ::use_default_colors();
        ::init_pair(good_pair, COLOR_GREEN, -1);
        ::init_pair(warning_pair, COLOR_RED, -1);
    }
}

terminal::~terminal() { ::endwin(); }

bool terminal::speaks_unicode() { return std::string_view{::nl_langinfo(CODESET)} == "UTF-8"; }

std::size_t terminal::width() const {
    return static_cast<std::size_t>(std::max(getmaxx(stdscr), 1));
}
std::size_t terminal::height() const {
    return static_cast<std::size_t>(std::max(getmaxy(stdscr), 1));
}

void terminal::draw(const std::vector<screen_line>& lines) {
    ::erase();
    for (std::size_t row = 0; row < std::min(lines.size(), height()); ++row) {
        ::move(static_cast<int>(row), 0);
        for (const auto& [text, how] : lines[row]) {
            ::attrset(static_cast<int>(attributes_of(how)));
            ::addstr(text.c_str());
        }
    }
    ::attrset(A_NORMAL);
    ::refresh();
}

terminal::key terminal::read_key(int milliseconds) {
    ::timeout(milliseconds);
    switch (::getch()) {
        case ERR: return key::none;
        case KEY_RESIZE: return key::resized;
        case 'q':
        case 27: return key::quit;  // Escape
        case 'p':
        case ' ': return key::pause;
        case 'm': return key::members;
        case 's': return key::order;
        case '-': return key::slower;
        case '+':
        case '=': return key::faster;
        case 'k':
        case KEY_UP: return key::up;
        case 'j':
        case KEY_DOWN: return key::down;
        case KEY_PPAGE: return key::page_up;
        case KEY_NPAGE: return key::page_down;
        case 'h':
        case '?': return key::help;
        default: return key::other;
    }
}

}  // namespace ringpipe::pipeline
