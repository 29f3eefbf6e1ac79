# Every target of ours links this one; what others wrote is included as a system header.
add_library(ringpipe_warnings INTERFACE)
target_compile_options(ringpipe_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  # GCC 12 warns of std::string's own operator+ (gcc.gnu.org/PR105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<BOOL:${RINGPIPE_WARNINGS_AS_ERRORS}>:-Werror>)
