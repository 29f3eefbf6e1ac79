// A file in shared memory that is made once: found whole, or made whole, by whoever comes first.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "ringpipe/common/deadline.hpp"

namespace ringpipe {

enum class open_mode { create, open, open_or_create };

// What a file is to be, and how it is recognised. Its first eight bytes are a magic number: unset,
// "being made", or "ready".
class file_kind {
  public:
    file_kind() = default;
    file_kind(const file_kind&) = delete;
    file_kind& operator=(const file_kind&) = delete;
    virtual ~file_kind() = default;

    struct words {
        std::string_view noun;          // "ring"
        std::string removal;            // "'ringpipe rm NAME'"
        std::string_view how_to_find;   // "start a producer, or see 'ringpipe ls'"
        std::string_view how_to_allow;  // "its owner may make it with another --mode"
        std::string_view how_to_fit;    // "choose a smaller --capacity"
    };
    [[nodiscard]] virtual words words_for_errors() const = 0;
    [[nodiscard]] virtual std::uint64_t magic_ready() const = 0;
    [[nodiscard]] virtual std::uint64_t magic_creating() const = 0;

    // A ready file: copies out what is used later, and validates it; throws if it cannot be used.
    virtual void load(int descriptor) = 0;
    // Loaded: throws error(options_differ) if it is not what was asked for.
    virtual void refuse_other_options() const = 0;

    struct dimensions {
        std::uint64_t size = 0;
        unsigned mode = 0600;
    };
    // Of one to be made; throws error(invalid_argument).
    [[nodiscard]] virtual dimensions to_make() const = 0;
    // Writes what a new file, of zeros, begins with: magic_creating(), and all that load() reads.
    virtual void write_header(int descriptor, const std::string& path) const = 0;
};

// An open description of a ready file. Boost.Interprocess maps whatever answers
// get_mapping_handle(); its own file_mapping and shared_memory_object open by name, which could be
// another file by then, and don't tell the creator's error apart from the opener's.
class made_file {
  public:
    // Creation is free of races and of crashes: whoever finds the magic unset takes an exclusive
    // lock on the file, checks that the path still names it, and makes it; if he dies, the lock
    // goes and the next one starts over. `kind` is used in here only.
    made_file(std::string name, std::string path, open_mode how, file_kind& kind, deadline until);
    made_file(const made_file&) = delete;
    made_file& operator=(const made_file&) = delete;
    ~made_file();

    [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const {
        return {descriptor_, false};
    }
    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] std::uint64_t inode() const { return inode_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& path() const { return path_; }

    // When a member came or left last: the file's time of modification, which nothing else sets, as
    // stores to mapped memory do not in tmpfs.
    [[nodiscard]] std::chrono::system_clock::time_point last_used() const noexcept;
    void mark_used() const noexcept;

  private:
    enum class attempt { ready, again, unfinished };

    attempt try_open(open_mode how, file_kind& kind);
    attempt try_make(file_kind& kind);
    void make(const file_kind& kind);
    [[noreturn]] void fail_to_open(const file_kind& kind, open_mode how, int number) const;
    [[nodiscard]] bool path_still_names_us() const;

    std::string name_;
    std::string path_;
    int descriptor_ = -1;
    std::uint64_t inode_ = 0;
};

// The first eight bytes; 0 if the file has fewer.
[[nodiscard]] std::uint64_t magic_of(int descriptor);

void write_at_start(int descriptor, const void* bytes, std::size_t size, const std::string& path);

// False if there was none. Throws error(not_a_ring) rather than remove somebody else's file.
bool remove_made_file(std::string_view name, const std::string& path, const file_kind& kind);

}  // namespace ringpipe
