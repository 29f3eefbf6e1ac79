// Tasks for the tests of pools; registered in every test program (see tasks.cpp).
#pragma once

#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pool/process_pool.hpp"

namespace ringpipe::test {

// A type of the user's.
struct order {
    std::string item;
    std::vector<int> amounts;
    template <class Archive>
    void serialize(Archive& archive) {
        archive(item, amounts);
    }
};

namespace tasks {
int square(int x);
void nothing();
int my_pid();
std::string repeat(const std::string& text, int times);
order twice(const order& one);
std::uint64_t sum_of(std::span<const std::byte> bytes);
std::size_t length(std::string_view text);
bool is_aligned(std::string_view before, std::span<const std::byte> bytes);
std::vector<std::byte> bytes_of(std::size_t size);
int throw_out_of_range(const std::string& text);
int throw_a_number();
int die_of(int signal);
int leave_with(int code);
// Appends the text as a line to the file; returns how many lines this process has written.
int note(const std::string& file, const std::string& text);
// Makes FILE.begun, and returns when FILE is there.
int wait_for(const std::string& file);
// As note(), and dies unless the file has that many lines by then.
int die_until_lines(const std::string& file, int lines);
void remember(int what);
void refuse();
int remembered();
}  // namespace tasks

}  // namespace ringpipe::test
