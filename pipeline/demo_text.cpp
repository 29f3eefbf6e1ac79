#include "pipeline/demo_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include "common/error.hpp"

namespace ringpipe::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr auto licences = "/usr/share/common-licenses";
constexpr std::string_view own_text =
    "A ring joins those who write and those who read,\n"
    "and neither has to know the other's speed.\n"
    "The writer waits for room, the reader waits for more;\n"
    "what once was sent is never sent before.\n"
    "A lock that names its owner stands on either side:\n"
    "it tells the living that its owner died.\n";

struct source {
    std::string text;
    std::string origin;
};

source read_source() {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{licences, none}) {
        // Links are second names of other files in there.
        if (!entry.is_symlink(none) && entry.is_regular_file(none)) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    source all;
    for (const auto& file : files) {
        std::ifstream in{file, std::ios::binary};
        all.text.append(std::istreambuf_iterator<char>{in}, {});
        if (!all.text.empty() && all.text.back() != '\n') { all.text += '\n'; }
    }
    if (all.text.empty()) { return {std::string{own_text}, "a text of our own"}; }
    all.origin = fmt::format("{} files of {}", files.size(), licences);
    return all;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = text.find('\n', begin) + 1;
        lines.push_back(text.substr(begin, end - begin));
        begin = end;
    }
    return lines;
}

// The lines of one output, one after the other.
class line_source {
  public:
    explicit line_source(const fs::path& file) : in_{file, std::ios::binary} { advance(); }

    [[nodiscard]] const std::string* line() const { return at_end_ ? nullptr : &line_; }
    [[nodiscard]] std::optional<std::uint64_t> number() const { return number_; }

    void advance() {
        at_end_ = !std::getline(in_, line_);
        number_.reset();
        if (at_end_) { return; }
        const auto* begin = line_.data() + std::min(line_.find_first_not_of(' '), line_.size());
        std::uint64_t value = 0;
        if (std::from_chars(begin, line_.data() + line_.size(), value).ec == std::errc{}) {
            number_ = value;
        }
    }

  private:
    std::ifstream in_;
    std::string line_;
    std::optional<std::uint64_t> number_;
    bool at_end_ = false;
};

}  // namespace

demo_text write_demo_text(const fs::path& file, std::uint64_t size) {
    const auto [text, origin] = read_source();
    const auto lines = lines_of(text);
    demo_text written{file, origin, 0, 0};
    std::ofstream out{file, std::ios::binary};
    fmt::memory_buffer buffer;
    while (written.bytes < size && out) {
        buffer.clear();
        for (const auto line : lines) {
            fmt::format_to(std::back_inserter(buffer), "{:>8} {}", ++written.lines, line);
        }
        out.write(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        written.bytes += buffer.size();
    }
    out.close();
    if (!out) {
        throw error{errc::io,
                    fmt::format("cannot write the demo's text to {}; is there room for {} bytes? "
                                "Set TMPDIR to a place with more",
                                file.string(), 2 * size)};
    }
    return written;
}

std::string compare_with(const demo_text& text, const std::vector<fs::path>& outputs) {
    std::ifstream in{text.file, std::ios::binary};
    std::vector<line_source> merged;
    merged.reserve(outputs.size());
    for (const auto& output : outputs) { merged.emplace_back(output); }
    std::string expected;
    for (std::uint64_t number = 1; std::getline(in, expected); ++number) {
        const auto next = std::find_if(merged.begin(), merged.end(), [=](const auto& output) {
            return output.number() == number;
        });
        if (next == merged.end()) {
            return fmt::format("line {} of {} is missing, or out of order", number, text.lines);
        }
        if (*next->line() != expected) { return fmt::format("line {} was changed", number); }
        next->advance();
    }
    for (const auto& output : merged) {
        if (const auto* line = output.line()) {
            return fmt::format("a line came twice, or from nowhere: {:.60}", *line);
        }
    }
    return {};
}

}  // namespace ringpipe::pipeline
