#include "async/stream_error.hpp"

#include <new>
#include <string>

#include "common/error.hpp"

namespace ringpipe {
namespace {

class category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "ringpipe.stream"; }
    [[nodiscard]] std::string message(int code) const override {
        return code == static_cast<int>(stream_error::end)
                   ? "the stream has ended"
                   : "the stream is truncated: a producer died or gave up in the middle";
    }
};

}  // namespace

const boost::system::error_category& stream_category() noexcept {
    static const category instance;
    return instance;
}

boost::system::error_code code_of_current_exception() noexcept {
    try {
        throw;
    } catch (const std::system_error& failed) {
        return failed.code();
    } catch (const std::bad_alloc&) {
        return make_error_code(boost::system::errc::not_enough_memory);
    } catch (...) { return std::error_code{make_error_code(errc::io)}; }
}

}  // namespace ringpipe
