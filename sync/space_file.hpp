// The file that a space is: its name, its shape, its first bytes.
#pragma once

#include <string>

#include "ringpipe/shm/made_file.hpp"
#include "ringpipe/sync/space.hpp"

namespace ringpipe::sync {

struct space_shape {
    std::uint32_t members = 0;
    std::uint32_t entries = 0;
    std::uint64_t arena_size = 0;
    unsigned mode = 0;
    std::uint64_t liveness_interval_ns = 0;

    [[nodiscard]] std::uint64_t arena_offset() const;
    [[nodiscard]] std::uint64_t file_size() const { return arena_offset() + arena_size; }
};

class space_kind : public file_kind {
  public:
    explicit space_kind(std::string name, const space_options& asked = {})
        : name_{std::move(name)}, asked_{asked} {}

    [[nodiscard]] const space_shape& shape() const { return shape_; }

    [[nodiscard]] words words_for_errors() const override;
    [[nodiscard]] std::uint64_t magic_ready() const override;
    [[nodiscard]] std::uint64_t magic_creating() const override;
    void load(int descriptor) override;
    void refuse_other_options() const override;
    [[nodiscard]] dimensions to_make() const override;
    void write_header(int descriptor, const std::string& path) const override;

  private:
    std::string name_;
    space_options asked_;
    space_shape shape_;
};

class space_file : private space_kind, public made_file {
  public:
    space_file(const std::string& name, open_mode how, const space_options& options,
               deadline until);

    using space_kind::shape;
};

inline constexpr std::string_view space_prefix = "ringpipe-space.";

// "/dev/shm/ringpipe-space.NAME"; a name with a '/' is a path itself. Throws error(invalid_name).
std::string path_of_space(std::string_view name);

}  // namespace ringpipe::sync
