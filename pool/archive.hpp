// Cereal's archives over plain memory: what Cereal's own binary archives are to a stream. A
// stream costs an allocation and a locale for each task; this is a copy. Bytes as the machine has
// them: both sides run on it.
#pragma once

#include <cereal/cereal.hpp>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

#include "ringpipe/common/error.hpp"

namespace ringpipe::pool {

class output_archive
    : public cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
  public:
    explicit output_archive(std::vector<std::byte>& into) : OutputArchive{this}, into_{&into} {}

    void write(const void* from, std::size_t size) {
        const auto* const bytes = static_cast<const std::byte*>(from);
        into_->insert(into_->end(), bytes, bytes + size);
    }

  private:
    std::vector<std::byte>* into_;
};

// Never reads behind the end: throws error(malformed_input).
class input_archive : public cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
  public:
    input_archive(const std::byte* begin, const std::byte* end)
        : InputArchive{this}, at_{begin}, end_{end} {}

    void read(void* to, std::size_t size) {
        if (size > static_cast<std::size_t>(end_ - at_)) {
            throw error{errc::malformed_input,
                        "cannot decode a task's arguments or result: they end too early; do both "
                        "programs mean the same types?"};
        }
        if (size != 0) { std::memcpy(to, at_, size); }
        at_ += size;
    }
    [[nodiscard]] const std::byte* at() const { return at_; }

  private:
    const std::byte* at_;
    const std::byte* end_;
};

// What Cereal asks of every archive.
template <class T>
std::enable_if_t<std::is_arithmetic_v<T>> CEREAL_SAVE_FUNCTION_NAME(output_archive& to,
                                                                    const T& value) {
    to.write(&value, sizeof value);
}
template <class T>
std::enable_if_t<std::is_arithmetic_v<T>> CEREAL_LOAD_FUNCTION_NAME(input_archive& from, T& value) {
    from.read(&value, sizeof value);
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const cereal::NameValuePair<T>& pair) {
    to(pair.value);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, cereal::NameValuePair<T>& pair) {
    from(pair.value);
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const cereal::SizeTag<T>& tag) {
    to(tag.size);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, cereal::SizeTag<T>& tag) {
    from(tag.size);
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const cereal::BinaryData<T>& data) {
    to.write(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, cereal::BinaryData<T>& data) {
    from.read(data.data, static_cast<std::size_t>(data.size));
}

}  // namespace ringpipe::pool

CEREAL_REGISTER_ARCHIVE(ringpipe::pool::output_archive)
CEREAL_REGISTER_ARCHIVE(ringpipe::pool::input_archive)
CEREAL_SETUP_ARCHIVE_TRAITS(ringpipe::pool::input_archive, ringpipe::pool::output_archive)
