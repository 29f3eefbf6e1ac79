# What ringpipe is built on. The Debian packages stand in scripts/dependencies.

# scripts/setup unpacks a newer Boost here when the system has an older one to keep.
list(PREPEND CMAKE_PREFIX_PATH "${PROJECT_SOURCE_DIR}/build/dependencies/usr")

# find_package(), but a missing one names the Debian package to install.
macro(ringpipe_find package debian_package)
  find_package(${package} ${ARGN} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} ${ARGN} was not found. Run scripts/setup, "
                        "or: apt-get install ${debian_package}")
  endif()
endmacro()

ringpipe_find(Threads libc6-dev)
ringpipe_find(fmt libfmt-dev)
ringpipe_find(Boost "libboost1.81-dev (or libboost1.83-dev)" 1.81 CONFIG)

ringpipe_find(cereal libcereal-dev)

# Boost.Process v2, with std::filesystem and so without a Boost library to link.
#
# Up to 1.83 its header-only form is not whole: process_environment does not link, and its
# headers miss some includes. So it is compiled here, once, and the includes are forced.
add_library(ringpipe_process STATIC EXCLUDE_FROM_ALL cmake/boost_process/boost_process.cpp)
target_compile_definitions(ringpipe_process PUBLIC
  BOOST_PROCESS_USE_STD_FS=1 BOOST_PROCESS_V2_SEPARATE_COMPILATION=1)
target_compile_options(ringpipe_process PUBLIC
  "SHELL:-include \"${PROJECT_SOURCE_DIR}/cmake/boost_process/missing_includes.hpp\"")
target_link_libraries(ringpipe_process PUBLIC Boost::headers Threads::Threads)

if(RINGPIPE_BUILD_PROGRAMS OR RINGPIPE_BUILD_BENCH)
  ringpipe_find(CLI11 libcli11-dev)
endif()

if(RINGPIPE_BUILD_PROGRAMS)
  ringpipe_find(nlohmann_json nlohmann-json3-dev)
  find_path(RINGPIPE_TOML_INCLUDE toml++/toml.h)
  mark_as_advanced(RINGPIPE_TOML_INCLUDE)
  if(NOT RINGPIPE_TOML_INCLUDE)
    message(FATAL_ERROR "toml++ was not found. Run scripts/setup, or: "
                        "apt-get install libtomlplusplus-dev")
  endif()
  ringpipe_find(prometheus-cpp prometheus-cpp-dev)
  set(CURSES_NEED_WIDE TRUE)
  ringpipe_find(Curses libncurses-dev)
  add_library(ringpipe_curses INTERFACE)
  target_include_directories(ringpipe_curses SYSTEM INTERFACE ${CURSES_INCLUDE_DIRS})
  target_link_libraries(ringpipe_curses INTERFACE ${CURSES_LIBRARIES})
endif()

if(RINGPIPE_BUILD_PROGRAMS)
  # Not its CMake package: Debian's names a static library that Debian does not ship.
  find_library(RINGPIPE_CNATS_LIBRARY nats)
  find_path(RINGPIPE_CNATS_INCLUDE nats/nats.h)
  mark_as_advanced(RINGPIPE_CNATS_LIBRARY RINGPIPE_CNATS_INCLUDE)
  if(RINGPIPE_CNATS_LIBRARY AND RINGPIPE_CNATS_INCLUDE)
    add_library(ringpipe_cnats INTERFACE)
    target_include_directories(ringpipe_cnats SYSTEM INTERFACE "${RINGPIPE_CNATS_INCLUDE}")
    target_link_libraries(ringpipe_cnats INTERFACE "${RINGPIPE_CNATS_LIBRARY}" Threads::Threads)
  else()
    message(STATUS "cnats (libnats-dev) was not found: `ringpipe bridge` is left out")
  endif()
endif()

if(RINGPIPE_BUILD_TESTS)
  ringpipe_find(doctest doctest-dev)
endif()
