// The file that a ring is: found, made, removed. What its first bytes say: segment_shape.hpp.
#pragma once

#include <string>

#include "ringpipe/shm/made_file.hpp"
#include "ringpipe/shm/segment_shape.hpp"

namespace ringpipe {

class ring_kind : public file_kind {
  public:
    explicit ring_kind(std::string name, const ring_options& asked = {})
        : name_{std::move(name)}, asked_{asked} {}

    [[nodiscard]] const segment_shape& shape() const { return shape_; }

    [[nodiscard]] words words_for_errors() const override;
    [[nodiscard]] std::uint64_t magic_ready() const override;
    [[nodiscard]] std::uint64_t magic_creating() const override;
    void load(int descriptor) override;
    void refuse_other_options() const override;
    [[nodiscard]] dimensions to_make() const override;
    void write_header(int descriptor, const std::string& path) const override;

  private:
    std::string name_;
    ring_options asked_;
    segment_shape shape_;
};

class segment_file : private ring_kind, public made_file {
  public:
    segment_file(const std::string& name, open_mode how, const ring_options& options,
                 deadline until);

    using ring_kind::shape;
};

// False if there was none. Throws error(not_a_ring) rather than remove somebody else's file.
bool remove_segment_file(std::string_view name);

}  // namespace ringpipe
