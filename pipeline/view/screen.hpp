// What `ringpipe top` shows, as lines of text: no terminal in here.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "pipeline/view/flow.hpp"

namespace ringpipe::pipeline {

enum class style { plain, strong, dim, good, warning };

struct piece {
    std::string text;
    style how = style::plain;
};
using screen_line = std::vector<piece>;

enum class sort_by { name, rate, lag };

class screen {
  public:
    // `unicode`: bars and curves of block characters; else of ASCII.
    explicit screen(bool unicode) : unicode_{unicode} {}

    // The next look. The first one has no rates yet.
    void show(observation now);

    bool members = true;
    sort_by order = sort_by::name;

    [[nodiscard]] static screen_line heading();

    // All lines; none is longer than `width` columns.
    [[nodiscard]] std::vector<screen_line> lines(std::size_t width) const;

  private:
    struct entry {
        const ring_seen* ring;
        ring_flow flow;
    };

    [[nodiscard]] std::vector<entry> sorted() const;
    void add_ring(std::vector<screen_line>& to, const entry& one) const;
    void add_group(std::vector<screen_line>& to, const entry& one, std::size_t group) const;
    void add_space(std::vector<screen_line>& to, const space_seen& one) const;
    void add_pool(std::vector<screen_line>& to, const pool_seen& one) const;
    void add_member(std::vector<screen_line>& to, const entry& one, std::size_t member) const;
    static void add_bridge(std::vector<screen_line>& to, const bridge::bridge_state& state);
    [[nodiscard]] std::string bar(double share) const;
    [[nodiscard]] std::string curve(const std::deque<double>& values) const;

    bool unicode_;
    observation before_;
    observation now_;
    std::map<std::string, std::deque<double>> history_;  // messages per second, of each ring
};

}  // namespace ringpipe::pipeline
