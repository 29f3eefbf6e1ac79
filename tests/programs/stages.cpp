#include "tests/programs/stages.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <utility>

namespace ringpipe::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> with_stages(const std::vector<std::string>& stages,
                                     const std::vector<std::string>& more) {
    std::vector<std::string> words{"run"};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), stages.begin(), stages.end());
    return words;
}

// In the environment of all that the run starts.
std::string fresh_mark() {
    static int count = 0;
    return "RINGPIPE_TEST=" + std::to_string(::getpid()) + "." + std::to_string(++count);
}

program_io marked(program_io io, const std::string& mark) {
    io.prefix.insert(io.prefix.end(), {"/usr/bin/env", mark});
    return io;
}

std::string content_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream all;
    all << in.rdbuf();  // what cannot be read any more ends it, and throws nothing
    return all.str();
}

// A zombie, which nobody has buried yet, has neither environment nor words.
// 0 if it is gone.
pid_t parent_of(pid_t process) {
    const auto stat = content_of(fs::path{"/proc"} / std::to_string(process) / "stat");
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 4 >= stat.size()) { return 0; }
    return std::stoi(stat.substr(name_end + 4));  // ") S PARENT"
}

std::vector<pid_t> processes_with(const std::string& mark, const std::string& words) {
    std::vector<pid_t> all;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
        const auto name = entry.path().filename().string();
        if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) { continue; }
        const auto environment = '\0' + content_of(entry.path() / "environ");
        if (environment.find('\0' + mark + '\0') == std::string::npos) { continue; }
        if (content_of(entry.path() / "cmdline").find(words) == std::string::npos) { continue; }
        all.push_back(std::stoi(name));
    }
    return all;
}

}  // namespace

stages_run::stages_run(const std::vector<std::string>& stages, const std::vector<std::string>& more,
                       const program_io& io)
    : stages_run{fresh_mark(), with_stages(stages, more), io, nullptr} {}

stages_run::stages_run(std::string mark, const std::vector<std::string>& words,
                       const program_io& io, std::nullptr_t)
    : program{"ringpipe", words, marked(io, mark)}, mark_{std::move(mark)} {}

stages_run::~stages_run() {
    for (const auto& name : left_over()) { ring::remove(name); }
}

bool stages_run::says(std::string_view what) const { return err().find(what) != std::string::npos; }

bool stages_run::flows() const {
    return eventually([&] {
        const auto rings = left_over();
        return !rings.empty() && std::all_of(rings.begin(), rings.end(), [](const auto& name) {
            try {
                return ring::open(name, deadline::min()).status().messages > 0;
            } catch (const error&) { return false; }
        });
    });
}

std::vector<std::string> stages_run::left_over() const {
    std::vector<std::string> mine;
    const auto prefix = "run-" + std::to_string(id()) + "-";
    for (auto& name : ring::list()) {
        if (name.starts_with(prefix)) { mine.push_back(std::move(name)); }
    }
    return mine;
}

int stages_run::processes() const { return static_cast<int>(running("").size()); }

std::vector<pid_t> stages_run::copies_of(std::string_view stage) const {
    auto all = running(std::string{"--label\0", 8} + std::string{stage});
    // But what a copy has forked and not executed yet: its filter, or LeakSanitizer's helper, which
    // it waits for in vain if that is killed.
    const auto found = all;
    std::erase_if(all, [&](pid_t one) {
        return std::find(found.begin(), found.end(), parent_of(one)) != found.end();
    });
    return all;
}

std::vector<pid_t> stages_run::running(std::string_view words) const {
    return processes_with(mark_, std::string{words});
}

std::string mistake_in(const std::string& toml) {
    file_run sut{toml};
    CHECK(sut.run.wait() == 65);
    CHECK(sut.run.left_over().empty());
    const auto err = sut.run.err();
    CHECK(is_one_line(err, "ringpipe: "));
    const auto begin = "ringpipe: " + sut.file.path() + ":";
    REQUIRE(err.starts_with(begin));
    return err.substr(begin.size(), err.size() - begin.size() - 1);
}

std::vector<long> numbers_with(int digit, long last) {
    std::vector<long> all;
    for (long number = 1; number <= last; ++number) {
        if (std::to_string(number).find(std::to_string(digit)) != std::string::npos) {
            all.push_back(number);
        }
    }
    return all;
}

}  // namespace ringpipe::test
