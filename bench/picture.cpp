#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "bench/comparison.hpp"
#include "bench/short_forms.hpp"

namespace ringpipe::bench {

namespace {

// Where things are, in SVG's units.
constexpr double width = 842;
constexpr double labels = 300;  // to the left of the bars
constexpr double values = 90;   // to the right of them
constexpr double bar = 18;      // from one to the next
constexpr double margin = 24;
constexpr double heading = 38;  // of a panel

constexpr std::array panels{"one to one, 64 B", "one to one, 1 KiB", "round trip, spinning",
                            "round trip, blocked"};

constexpr auto style = R"(
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
.peer { fill: #8c959f } .ours { fill: #0969da } .floor { fill: #d1d9e0 }
.spread { stroke: #1f2328; stroke-width: 1 } .grid { stroke: #d1d9e0; stroke-width: .5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 }
.peer { fill: #656c76 } .ours { fill: #4493f8 } .floor { fill: #3d444d }
.spread { stroke: #e6edf3 } .grid { stroke: #3d444d } }
)";

std::string escaped(std::string_view text) {
    std::string made;
    for (const char one : text) {
        if (one == '&') {
            made += "&amp;";
        } else if (one == '<') {
            made += "&lt;";
        } else {
            made += one;
        }
    }
    return made;
}

const char* class_of(const compared& one) {
    if (one.subject.starts_with("ringpipe")) { return "ours"; }
    const bool is_floor = one.subject.starts_with("no queue") || one.subject.starts_with("two ");
    return is_floor ? "floor" : "peer";
}

// From whole powers of ten to whole powers of ten.
class scale {
  public:
    explicit scale(const comparison& of) {
        double least = of.rows.front().main.least;
        double most = 0;
        for (const auto& one : of.rows) {
            least = std::min(least, one.main.least);
            most = std::max({most, one.main.most, one.p999});
        }
        first_ = std::floor(std::log10(std::max(least, 1.0)) - 0.05);
        last_ = std::max(std::ceil(std::log10(std::max(most, 1.0))), first_ + 1);
    }
    [[nodiscard]] double at(double value) const {
        const auto share = (std::log10(std::max(value, 1.0)) - first_) / (last_ - first_);
        return labels + std::clamp(share, 0.0, 1.0) * (width - labels - values);
    }
    [[nodiscard]] int first() const { return static_cast<int>(first_); }
    [[nodiscard]] int last() const { return static_cast<int>(last_); }

  private:
    double first_ = 0;
    double last_ = 1;
};

// "10 k", "1 M"; "100 ns", "1 us".
std::string power_name(int power, bool time) {
    constexpr std::array counts{"", " k", " M", " G"};
    constexpr std::array times{" ns", " us", " ms", " s"};
    const auto thousands = static_cast<std::size_t>(std::clamp(power / 3, 0, 3));
    const auto left = std::pow(10, power - 3 * static_cast<int>(thousands));
    return fmt::format("{:.0f}{}", left, (time ? times : counts)[thousands]);
}

class picture {
  public:
    // Returns where the panel ends.
    double draw(const comparison& of, double top) {
        const bool trips = of.what == measure::round_trip;
        const auto show = [&](double value) {
            return trips ? short_time(value) : short_number(value);
        };
        text(margin, top + 14, "head",
             of.title + (trips ? ": time, less is better; the line ends at p99.9"
                               : ": messages per second, more is better"));
        const scale across{of};
        const auto first_bar = top + heading;
        const auto end = first_bar + bar * static_cast<double>(of.rows.size());
        for (int power = across.first(); power <= across.last(); ++power) {
            const auto value = std::pow(10, power);
            line("grid", across.at(value), first_bar - 4, across.at(value), end);
            text(across.at(value), first_bar - 7, "small", power_name(power, trips), "middle");
        }
        auto y = first_bar;
        for (const auto& one : of.rows) {
            const auto to = across.at(one.main.median);
            text(labels - 8, y + 12, "label", one.subject, "end");
            add(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="12" rx="2"/>)",
                class_of(one), labels, y + 2, to - labels);
            const auto from_spread = across.at(trips ? one.main.median : one.main.least);
            const auto to_spread = across.at(trips ? one.p999 : one.main.most);
            line("spread", from_spread, y + 8, to_spread, y + 8);
            text(std::max(to, to_spread) + 6, y + 12, "small", show(one.main.median));
            y += bar;
        }
        return end + margin;
    }

    void text(double x, double y, const char* kind, const std::string& what,
              const char* anchor = "start") {
        add(R"(<text class="{}" text-anchor="{}" x="{:.1f}" y="{:.1f}">{}</text>)", kind, anchor, x,
            y, escaped(what));
    }

    void write(const std::string& path, double height) const {
        std::ofstream file{path};
        file << fmt::format(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {:.0f}">)",
                            width, height)
             << "<style>" << style << "</style>\n"
             << body_ << "</svg>\n";
        if (!file.flush()) { throw std::runtime_error("cannot write " + path); }
    }

  private:
    template <class... Values>
    void add(fmt::format_string<Values...> what, Values&&... with) {
        fmt::format_to(std::back_inserter(body_), what, std::forward<Values>(with)...);
        body_ += '\n';
    }
    void line(const char* kind, double x1, double y1, double x2, double y2) {
        add(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", kind, x1, y1,
            x2, y2);
    }

    std::string body_;
};

}  // namespace

void write_picture(const std::string& path, const machine& where, const std::vector<row>& rows) {
    const auto in = main_regime(rows);
    const auto sections = comparisons_in(rows, in);
    picture drawn;
    double y = margin;
    for (const auto* const title : panels) {
        const auto found = std::find_if(sections.begin(), sections.end(),
                                        [&](const comparison& one) { return one.title == title; });
        if (found != sections.end()) { y = drawn.draw(*found, y); }
    }
    drawn.text(margin, y, "small",
               fmt::format("{}, {}; two pinned processes, every byte read and checked; medians, "
                           "{} regime",
                           where.processor, where.kernel, name_of(in)));
    drawn.write(path, y + margin / 2);
}

}  // namespace ringpipe::bench
