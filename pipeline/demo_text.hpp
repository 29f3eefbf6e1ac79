// The text that the demo sends, and the proof that all of it arrived.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ringpipe::pipeline {

struct demo_text {
    std::filesystem::path file;
    std::string origin;  // where the text is from, for people
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
};

// Writes a text of at least `size` bytes to `file`: the licences that every Debian system has (or
// a paragraph of our own), again and again. Each line begins with its number, so that no two are
// alike. Throws error(io).
[[nodiscard]] demo_text write_demo_text(const std::filesystem::path& file, std::uint64_t size);

// What is wrong with the outputs; empty if nothing is. Each consumer has written its share in
// order, so the outputs, merged by the lines' numbers, must be `text` byte for byte: nothing
// lost, nothing twice, nothing changed, nothing out of order.
[[nodiscard]] std::string compare_with(const demo_text& text,
                                       const std::vector<std::filesystem::path>& outputs);

}  // namespace ringpipe::pipeline
