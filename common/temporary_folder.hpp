// A folder that nobody else has, and that is gone afterwards with all that is in it.
#pragma once

#include <filesystem>

namespace ringpipe {

class temporary_folder {
  public:
    temporary_folder();  // in TMPDIR, or /tmp; throws error(io | no_permission)
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace ringpipe
