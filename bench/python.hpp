// A script of Python's that measures the same, run beside a benchmark.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace ringpipe::bench {

// What the script prints: a name and a number, a line each. Throws if it does not.
[[nodiscard]] inline std::map<std::string, double> measured_by_python(const std::string& script,
                                                                      const std::string& arguments,
                                                                      std::size_t lines) {
    const auto command = "python3 '" + script + "' " + arguments;
    const std::unique_ptr<FILE, int (*)(FILE*)> output{::popen(command.c_str(), "r"), ::pclose};
    if (!output) { throw std::runtime_error{"cannot start python3"}; }
    std::string text;
    for (int c = 0; (c = std::fgetc(output.get())) != EOF;) { text += static_cast<char>(c); }
    std::istringstream words{text};
    std::map<std::string, double> found;
    std::string name;
    double value = 0;
    while (words >> name >> value) { found[name] = value; }
    if (found.size() != lines) { throw std::runtime_error{"python3 did not measure: " + text}; }
    return found;
}

}  // namespace ringpipe::bench
