// ringpipe demo: the main job on a real text, and the proof that it would notice a loss.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/temporary_folder.hpp"
#include "pipeline/demo_text.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& file) {
    std::ifstream in{file};
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) { lines.push_back(line); }
    return lines;
}

void write_lines(const fs::path& file, const std::vector<std::string>& lines) {
    std::ofstream out{file};
    for (const auto& line : lines) { out << line << '\n'; }
}

// A text, and the outputs of two consumers that took every third line and the rest.
struct shared_text {
    shared_text() {
        const auto lines = lines_of(text.file);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            (i % 3 == 0 ? first : second).push_back(lines[i]);
        }
    }
    std::string verdict() {
        const std::vector<fs::path> outputs{folder.path() / "1", folder.path() / "2"};
        write_lines(outputs[0], first);
        write_lines(outputs[1], second);
        return pipeline::compare_with(text, outputs);
    }

    temporary_folder folder;
    pipeline::demo_text text = pipeline::write_demo_text(folder.path() / "text", 100'000);
    std::vector<std::string> first;
    std::vector<std::string> second;
};

}  // namespace

TEST_CASE("demo sends a text to two consumers, says what it did, and that all arrived") {
    program sut{"ringpipe", {"demo", "--size", "20MB"}};
    CHECK(sut.wait() == 0);
    const auto out = sut.out();
    CAPTURE(out);
    for (const auto* word :
         {"text  ", "passed ", "messages", "msg/s", "consumer 1", "consumer 2", "verified"}) {
        CHECK(out.find(word) != std::string::npos);
    }
    CHECK(out.find("byte for byte") != std::string::npos);
    CHECK(sut.err().empty());
}

TEST_CASE("demo ends soon after SIGINT, with nothing left over") {
    const temporary_folder folder;
    program_io io;
    io.prefix = {"/usr/bin/env", "TMPDIR=" + folder.path().string()};
    program sut{"ringpipe", {"demo", "--size", "300MB"}, io};
    // It is at the ring as soon as a consumer has opened its output.
    const auto has_output = [&] {
        for (const auto& entry : fs::recursive_directory_iterator{folder.path()}) {
            if (entry.path().filename() == "output.1") { return true; }
        }
        return false;
    };
    REQUIRE(eventually(has_output));
    sut.signal(SIGINT);
    CHECK(sut.wait() == 130);
    CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("the demo's text is as large as asked for, and no two lines are alike") {
    shared_text sut;
    CHECK(sut.text.bytes >= 100'000);
    CHECK(sut.text.bytes == fs::file_size(sut.text.file));
    auto lines = lines_of(sut.text.file);
    CHECK(sut.text.lines == lines.size());
    std::sort(lines.begin(), lines.end());
    CHECK(std::adjacent_find(lines.begin(), lines.end()) == lines.end());
}

TEST_CASE("the demo's proof holds only if what came out is what went in") {
    shared_text sut;
    SUBCASE("all of it") { CHECK(sut.verdict().empty()); }
    SUBCASE("all of it, from one consumer") {
        sut.first = lines_of(sut.text.file);
        sut.second.clear();
        CHECK(sut.verdict().empty());
    }
    SUBCASE("a line is lost") {
        sut.second.erase(sut.second.begin() + 17);
        CHECK_FALSE(sut.verdict().empty());
    }
    SUBCASE("the last line is lost") {
        (sut.text.lines % 3 == 1 ? sut.first : sut.second).pop_back();
        CHECK_FALSE(sut.verdict().empty());
    }
    SUBCASE("a line came twice") {
        sut.first.push_back(sut.first.back());
        CHECK_FALSE(sut.verdict().empty());
    }
    SUBCASE("both consumers have the same line") {
        sut.first.insert(sut.first.begin() + 1, sut.second.front());
        CHECK_FALSE(sut.verdict().empty());
    }
    SUBCASE("a byte was changed") {
        sut.first[5].back() ^= 1;
        CHECK_FALSE(sut.verdict().empty());
    }
    SUBCASE("two lines changed places") {
        std::swap(sut.second[3], sut.second[4]);
        CHECK_FALSE(sut.verdict().empty());
    }
    SUBCASE("a line from nowhere") {
        sut.second.emplace_back("hello");
        CHECK_FALSE(sut.verdict().empty());
    }
    SUBCASE("nothing at all") {
        sut.first.clear();
        sut.second.clear();
        CHECK_FALSE(sut.verdict().empty());
    }
}
