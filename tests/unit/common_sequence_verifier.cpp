#include "common/sequence_verifier.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <set>

#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;
using ranges = std::vector<number_range>;

namespace doctest {
template <>
struct StringMaker<ranges> {
    static String convert(const ranges& all) {
        std::string result;
        for (const auto& r : all) {
            result += std::to_string(r.first) + "-" + std::to_string(r.last) + " ";
        }
        return result.c_str();
    }
};
}  // namespace doctest

namespace {

constexpr auto highest = std::numeric_limits<std::uint64_t>::max();

void see(sequence_verifier& verifier, std::initializer_list<std::uint64_t> numbers) {
    for (const auto number : numbers) { verifier.saw(number); }
}

}  // namespace

TEST_CASE("numbers in order leave nothing to report") {
    sequence_verifier verifier;
    CHECK(verifier.empty());
    for (std::uint64_t i = 0; i < 1000; ++i) { verifier.saw(i); }
    CHECK(verifier.seen() == 1000);
    CHECK(verifier.extent() == number_range{0, 999});
    CHECK(verifier.missing({0, 999}) == 0);
    CHECK(verifier.missing_ranges({0, 999}, 10).empty());
    CHECK(verifier.duplicates() == 0);
    CHECK(verifier.out_of_order() == 0);
    CHECK(verifier.exact());
}

TEST_CASE("nothing seen is everything missing") {
    const sequence_verifier verifier;
    CHECK(verifier.missing({0, 9}) == 10);
    CHECK(verifier.missing_ranges({0, 9}, 10) == ranges{{0, 9}});
    CHECK(verifier.seen() == 0);
}

TEST_CASE("gaps at the beginning, in the middle and at the end are reported") {
    sequence_verifier verifier;
    see(verifier, {2, 3, 5, 6, 9});
    CHECK(verifier.missing_ranges({0, 11}, 10) == ranges{{0, 1}, {4, 4}, {7, 8}, {10, 11}});
    CHECK(verifier.missing({0, 11}) == 7);
    CHECK(verifier.missing_ranges({0, 11}, 2) == ranges{{0, 1}, {4, 4}});
    CHECK(verifier.missing_ranges({0, 11}, 0).empty());
    CHECK(verifier.missing_ranges({2, 9}, 10) == ranges{{4, 4}, {7, 8}});
    CHECK(verifier.missing_ranges({3, 7}, 10) == ranges{{4, 4}, {7, 7}});
    CHECK(verifier.missing_ranges({5, 6}, 10).empty());
    CHECK(verifier.missing_ranges({20, 21}, 10) == ranges{{20, 21}});
    CHECK(verifier.out_of_order() == 0);
}

TEST_CASE("late numbers fill their gaps and count as out of order") {
    sequence_verifier verifier;
    see(verifier, {0, 1, 5, 3, 2, 4, 6});
    CHECK(verifier.missing({0, 6}) == 0);
    CHECK(verifier.out_of_order() == 3);
    CHECK(verifier.duplicates() == 0);
    CHECK(verifier.extent() == number_range{0, 6});
}

TEST_CASE("numbers that come again are duplicates, in order or not") {
    sequence_verifier verifier;
    see(verifier, {0, 0, 1, 2, 1, 5, 5, 0, 2, 6});
    CHECK(verifier.duplicates() == 5);
    CHECK(verifier.out_of_order() == 0);
    CHECK(verifier.seen() == 5);
    CHECK(verifier.missing_ranges({0, 6}, 9) == ranges{{3, 4}});
}

TEST_CASE("numbers in reverse order are one gapless range at last") {
    sequence_verifier verifier;
    for (std::uint64_t i = 100; i-- > 0;) { verifier.saw(i); }
    CHECK(verifier.missing({0, 99}) == 0);
    CHECK(verifier.out_of_order() == 99);
}

TEST_CASE("the highest number of all is one like any other") {
    sequence_verifier verifier;
    see(verifier, {highest - 1, highest, 0, highest, 0, 1});
    CHECK(verifier.duplicates() == 2);
    CHECK(verifier.out_of_order() == 2);
    CHECK(verifier.seen() == 4);
    CHECK(verifier.extent() == number_range{0, highest});
    CHECK(verifier.missing_ranges({0, highest}, 9) == ranges{{2, highest - 2}});
    CHECK(verifier.missing({0, highest}) == highest - 3);
}

TEST_CASE("more gaps than are kept still count as missing") {
    sequence_verifier verifier{10};
    for (std::uint64_t i = 0; i < 200; i += 2) { verifier.saw(i); }
    CHECK_FALSE(verifier.exact());
    CHECK(verifier.missing({0, 198}) == 99);
    CHECK(verifier.seen() == 100);
    CHECK(verifier.missing_ranges({0, 198}, 1000).size() == 10);
    CHECK(verifier.missing_ranges({0, 198}, 1) == ranges{{179, 179}});
    verifier.saw(1);
    CHECK(verifier.duplicates() == 1);
    verifier.saw(179);
    CHECK(verifier.missing({0, 198}) == 98);
}

TEST_CASE("any order agrees with a plain set") {
    std::mt19937 random{7};
    for (int round = 0; round < 50; ++round) {
        sequence_verifier verifier;
        std::set<std::uint64_t> plain;
        std::uint64_t duplicates = 0;
        std::uint64_t late = 0;
        for (int i = 0; i < 200; ++i) {
            const std::uint64_t number = random() % 150;
            verifier.saw(number);
            const bool behind = !plain.empty() && number < *plain.rbegin();
            if (!plain.insert(number).second) {
                ++duplicates;
            } else if (behind) {
                ++late;
            }
        }
        CHECK(verifier.duplicates() == duplicates);
        CHECK(verifier.out_of_order() == late);
        CHECK(verifier.seen() == plain.size());
        CHECK(verifier.missing({0, 149}) == 150 - plain.size());
        for (const auto& gap : verifier.missing_ranges({0, 149}, 1000)) {
            for (auto n = gap.first; n <= gap.last; ++n) { CHECK_FALSE(plain.contains(n)); }
        }
    }
}
