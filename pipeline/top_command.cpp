#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "common/command_line.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/view/screen.hpp"
#include "pipeline/view/terminal.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds least_interval = 100ms;
constexpr nanoseconds most_interval = 1min;

struct top_options {
    std::vector<std::string> rings;
    nanoseconds every = 1s;
};

nanoseconds parse_interval(const std::string& text) {
    const auto every = parse_duration(text);
    if (every < least_interval || every > most_interval) {
        throw error{errc::invalid_argument, in_quotes(text) + " is not between 100ms and 1m"};
    }
    return every;
}

const std::vector<screen_line>& help() {
    static const std::vector<screen_line> lines = [] {
        std::vector<screen_line> all;
        for (const char* text : {
                 "A ring: how full it is, what is sent, and since some looks.",
                 "A group: messages that nobody has leased yet, bytes that are not acknowledged,",
                 "how long they will take at the present rate, and that rate. Nobody: no consumer",
                 "is in it.",
                 "A member: its process, what it does, messages it sent or leased, its CPU.",
                 "BOTTLENECK: the ring is full, and this group is the last.",
                 "A space: its locks and the like, their state, and the processes that hold them.",
                 "A pool: its tasks, and what each worker does.",
                 "",
                 "q  quit            m  members or only rings and groups",
                 "p  pause           s  order: by name, bytes per second, bytes waiting",
                 "+  look more often    -  less often",
                 "arrows, page up, page down, j, k  scroll",
             }) {
            all.push_back({{text, style::plain}});
        }
        return all;
    }();
    return lines;
}

class viewer {
  public:
    explicit viewer(const top_options& options)
        : every_{options.every}, observer_{options.rings}, screen_{terminal::speaks_unicode()} {}

    int run() {
        look();
        for (;;) {
            draw();
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - clock::now());
            if (!take(terminal_.read_key(static_cast<int>(std::max(left, 0ms).count())))) {
                return EXIT_SUCCESS;
            }
            if (stop_requested()) { return exit_code_for_signal(stop_signal()); }
            if (clock::now() >= due_) { look(); }
        }
    }

  private:
    void look() {
        due_ = clock::now() + every_;
        if (!paused_) { screen_.show(observer_.look()); }
    }

    // False: quit.
    bool take(terminal::key pressed) {
        using key = terminal::key;
        const auto page = room();
        if (pressed != key::none && pressed != key::resized && pressed != key::help) {
            helping_ = false;
        }
        switch (pressed) {
            case key::quit: return false;
            case key::pause: paused_ = !paused_; break;
            case key::members: screen_.members = !screen_.members; break;
            case key::order:
                screen_.order = static_cast<sort_by>((static_cast<int>(screen_.order) + 1) % 3);
                break;
            case key::slower: every_ = std::min(every_ * 2, most_interval); break;
            case key::faster: every_ = std::max(every_ / 2, least_interval); break;
            case key::up: first_ -= std::min<std::size_t>(first_, 1); break;
            case key::down: ++first_; break;
            case key::page_up: first_ -= std::min(first_, page); break;
            case key::page_down: first_ += page; break;
            case key::help: helping_ = !helping_; break;
            case key::none:
            case key::resized:
            case key::other: break;
        }
        due_ = std::min(due_, clock::now() + every_);
        return true;
    }

    [[nodiscard]] std::size_t room() const {
        return std::max<std::size_t>(terminal_.height(), 3) - 2;
    }

    void draw() {
        constexpr std::string_view orders[] = {"name", "rate", "lag"};
        std::vector<screen_line> all{
            {{fmt::format("ringpipe top  {:%H:%M:%S}  every {}, by {}{}",
                          fmt::localtime(std::time(nullptr)), format_duration(every_),
                          orders[static_cast<int>(screen_.order)], paused_ ? ", PAUSED" : ""),
              style::strong},
             {"   h help, q quit", style::dim}},
            screen::heading()};
        const auto lines = helping_ ? help() : screen_.lines(terminal_.width());
        first_ = std::min(first_, lines.size() > room() ? lines.size() - room() : 0);
        const auto from = helping_ ? 0 : first_;
        for (auto i = from; i < std::min(lines.size(), from + room()); ++i) {
            all.push_back(lines[i]);
        }
        terminal_.draw(all);
    }

    terminal terminal_;
    nanoseconds every_;
    observer observer_;
    screen screen_;
    clock::time_point due_;
    std::size_t first_ = 0;  // line that is seen at the top
    bool paused_ = false;
    bool helping_ = false;
};

}  // namespace

command add_top(CLI::App& app) {
    auto* sub =
        app.add_subcommand("top", "Shows all rings, spaces and pools as they flow, until q");
    auto options = std::make_shared<top_options>();
    sub->add_option("NAME", options->rings, "Only these; all of /dev/shm by default")
        ->type_name("");
    command_line::add(*sub, "--every", options->every, parse_interval,
                      "How often it looks, from 100ms to 1m (1s)")
        ->type_name("TIME");
    sub->footer(
        "Who looks is not seen by the rings and takes nothing from them. Keys: h shows them.\n"
        "For a script: ringpipe stat RING --json --watch.");
    return {sub, [options] {
                install_stop_signals();
                return viewer{*options}.run();
            }};
}

}  // namespace ringpipe::pipeline
