#include "shm/segment_file.hpp"

#include <fmt/format.h>

#include "shm/layout.hpp"
#include "shm/name.hpp"

namespace ringpipe {

segment_file::segment_file(const std::string& name, open_mode how, const ring_options& options,
                           deadline until)
    : ring_kind{name, options},
      made_file{name, path_of_ring(name), how, static_cast<ring_kind&>(*this), until} {}

file_kind::words ring_kind::words_for_errors() const {
    return {"ring", fmt::format("'ringpipe rm {}'", name_),
            "start a producer, or see 'ringpipe ls'", "its owner may make it with another --mode",
            "choose a smaller --capacity"};
}

std::uint64_t ring_kind::magic_ready() const { return layout::magic_ready; }
std::uint64_t ring_kind::magic_creating() const { return layout::magic_creating; }

void ring_kind::load(int descriptor) { shape_ = load_shape(descriptor, name_); }

void ring_kind::refuse_other_options() const {
    ringpipe::refuse_other_options(shape_, asked_, name_);
}

file_kind::dimensions ring_kind::to_make() const {
    const auto shape = shape_from(asked_);
    return {shape.file_size(), shape.mode};
}

void ring_kind::write_header(int descriptor, const std::string& path) const {
    ringpipe::write_header(descriptor, shape_from(asked_), path);
}

bool remove_segment_file(std::string_view name) {
    return remove_made_file(name, path_of_ring(name), ring_kind{std::string{name}});
}

}  // namespace ringpipe
