#include "common/program.hpp"

#include <sysexits.h>

#include <cstdio>
#include <exception>
#include <new>

#include "common/error.hpp"

namespace ringpipe {

int run_program(std::string_view name, const std::function<int()>& body) noexcept {
    try {
        return body();
    } catch (const error& e) {
        tell_user(name, e.what());
        return exit_code_for(e.which());
    } catch (const std::bad_alloc&) {
        tell_user(name, "out of memory; use smaller messages or free some");
        return EX_OSERR;
    } catch (const std::exception& e) {
        tell_user(name, e.what());
        return EX_SOFTWARE;
    }
}

void tell_user(std::string_view name, std::string_view line) noexcept {
    // One call, so that lines of several processes do not mix.
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
                 static_cast<int>(line.size()), line.data());
}

}  // namespace ringpipe
