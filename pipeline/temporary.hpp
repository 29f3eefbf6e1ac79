// A ring, or a folder, that nobody else has, and that is gone afterwards.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ringpipe::pipeline {

// Only the name: whoever comes first makes the ring.
class fresh_ring {
  public:
    explicit fresh_ring(std::string_view prefix);
    fresh_ring(const fresh_ring&) = delete;
    fresh_ring& operator=(const fresh_ring&) = delete;
    ~fresh_ring();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    void keep() noexcept { keep_ = true; }

  private:
    std::string name_;
    bool keep_ = false;
};

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

}  // namespace ringpipe::pipeline
