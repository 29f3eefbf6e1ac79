// One thing that the doctor has looked at.
#pragma once

#include <string>
#include <vector>

namespace ringpipe::pipeline {

enum class severity { good, notice, bad };

struct finding {
    severity how = severity::good;
    std::string about;  // "/dev/shm", "ring jobs"
    std::string what;
    std::string advice;  // what to do; empty if nothing
};

using findings = std::vector<finding>;

}  // namespace ringpipe::pipeline
