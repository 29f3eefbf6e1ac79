// What lies in the ring between a lockstep stage and its merge: the number of the question's
// message in the ring before the stage, and then the answer's lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "common/error.hpp"

namespace ringpipe::pipeline::stage {

using question_number = std::uint64_t;

[[nodiscard]] inline std::string begin_answer(question_number number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
}

struct answer {
    question_number number = 0;
    std::string_view text;
};

[[nodiscard]] inline answer read_answer(std::string_view message) {
    answer result;
    if (message.size() < sizeof result.number) {
        throw error{errc::corrupt, "an answer in the ring behind a stage has no number"};
    }
    std::memcpy(&result.number, message.data(), sizeof result.number);
    result.text = message.substr(sizeof result.number);
    return result;
}

}  // namespace ringpipe::pipeline::stage
