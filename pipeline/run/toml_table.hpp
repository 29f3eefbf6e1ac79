// One table of a TOML file, whose every key has to be known.
#pragma once

#include <fmt/format.h>

#include <toml++/toml.h>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/quote.hpp"

namespace ringpipe::pipeline {

// "pipeline.toml:12: stage.copies: ..."
[[noreturn]] inline void refuse_toml(std::string_view path, const toml::source_region& where,
                                     std::string_view key, std::string_view why) {
    throw error{errc::malformed_input,
                fmt::format("{}:{}: {}: {}", path, where.begin.line, key, why)};
}

class toml_table {
  public:
    // `name`: what errors call it, as "stage". The table and the path have to live on.
    toml_table(const toml::table& table, std::string name, const std::string& path)
        : table_{&table}, name_{std::move(name)}, path_{&path} {}

    [[nodiscard]] std::optional<std::string> text(std::string_view key) {
        return get<std::string>(key, "a text in quotes");
    }
    [[nodiscard]] std::optional<bool> flag(std::string_view key) {
        return get<bool>(key, "true or false");
    }
    [[nodiscard]] std::optional<unsigned> number(std::string_view key, unsigned least,
                                                 unsigned most) {
        const auto found = get<std::int64_t>(key, "a number");
        if (!found) { return std::nullopt; }
        if (*found < least || *found > most) {
            refuse(key, fmt::format("{} is not within {} and {}", *found, least, most));
        }
        return static_cast<unsigned>(*found);
    }

    // A text that `read` turns into a value; its error(invalid_argument) is said with our line.
    template <class Read>
    auto parsed(std::string_view key, Read read)
        -> std::optional<decltype(read(std::declval<std::string>()))> {
        const auto found = text(key);
        if (!found) { return std::nullopt; }
        try {
            return read(*found);
        } catch (const error& e) { refuse(key, e.what()); }
    }

    [[nodiscard]] const toml::table* table(std::string_view key) {
        seen_.insert(std::string{key});
        const auto* node = table_->get(key);
        if (node == nullptr) { return nullptr; }
        if (!node->is_table()) { refuse(key, "this is not a table"); }
        return node->as_table();
    }
    [[nodiscard]] const toml::array* tables(std::string_view key) {
        seen_.insert(std::string{key});
        const auto* node = table_->get(key);
        if (node == nullptr) { return nullptr; }
        if (!node->is_array_of_tables()) {
            refuse(key, fmt::format("write [[{}]] before each of them", key));
        }
        return node->as_array();
    }

    // Throws error(malformed_input) for a key that nobody has asked for.
    void refuse_unknown() const {
        for (const auto& [key, value] : *table_) {
            const std::string name{key.str()};
            if (seen_.count(name) > 0) { continue; }
            std::string known;
            for (const auto& each : seen_) { known += (known.empty() ? "" : ", ") + each; }
            refuse_toml(*path_, key.source(), name_.empty() ? name : name_ + "." + name,
                        "there is no such key; there are " + known);
        }
    }

    [[noreturn]] void refuse(std::string_view key, std::string_view why) const {
        const auto* node = table_->get(key);
        refuse_toml(*path_, node == nullptr ? table_->source() : node->source(),
                    name_.empty() ? std::string{key} : fmt::format("{}.{}", name_, key), why);
    }

  private:
    template <class T>
    std::optional<T> get(std::string_view key, std::string_view wanted) {
        seen_.insert(std::string{key});
        const auto* node = table_->get(key);
        if (node == nullptr) { return std::nullopt; }
        const auto value = node->value_exact<T>();
        if (!value) { refuse(key, fmt::format("this has to be {}", wanted)); }
        return value;
    }

    const toml::table* table_;
    std::string name_;
    const std::string* path_;
    std::set<std::string> seen_;
};

}  // namespace ringpipe::pipeline
