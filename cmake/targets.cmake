# What the CMakeLists.txt of every folder says about itself.
#
# Sources are globbed: a new file is built without being listed anywhere.

# ringpipe_add_library(shm LINK ... LINK_PRIVATE ...): the static library ringpipe_shm, alias
# ringpipe::shm, of all sources in this folder but main.cpp.
#
# Our sources include from the root: "shm/ring.hpp". Users, and so the headers that they get, write
# "ringpipe/shm/ring.hpp", in the tree through a link in the build folder: a "common/error.hpp" of
# their own may come first.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/include")
file(CREATE_LINK "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/include/ringpipe" SYMBOLIC)

function(ringpipe_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK;LINK_PRIVATE")
  file(GLOB sources CONFIGURE_DEPENDS CMakeLists.txt *.cpp *.hpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(ringpipe_${name} STATIC ${sources})
  add_library(ringpipe::${name} ALIAS ringpipe_${name})
  # A folder may, for a while, have headers only.
  set_target_properties(ringpipe_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_compile_features(ringpipe_${name} PUBLIC cxx_std_20)
  target_include_directories(ringpipe_${name}
    PUBLIC "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>"
           "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(ringpipe_${name}
    PUBLIC ${arg_LINK} PRIVATE ${arg_LINK_PRIVATE} "$<BUILD_INTERFACE:ringpipe_warnings>")
  set_target_properties(ringpipe_${name} PROPERTIES EXPORT_NAME ${name})
endfunction()

# ringpipe_add_program(ringpipe-producer LIBRARY producer_program LINK ...): main.cpp is the
# program; all else in the folder is a library, so that tests can link it.
function(ringpipe_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LIBRARY" "LINK")
  ringpipe_add_library(${arg_LIBRARY} LINK ${arg_LINK})
  file(GLOB main CONFIGURE_DEPENDS main.cpp)
  if(main)
    add_executable(${name} main.cpp)
    target_link_libraries(${name} PRIVATE ringpipe::${arg_LIBRARY} ringpipe_warnings)
  endif()
endfunction()

# ringpipe_add_tests(ringpipe_unit_tests FROM unit): a program of all sources in unit/. Each of
# its TEST_CASEs is a test of CTest, with the folder as its label: ctest -L unit.
function(ringpipe_add_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FROM" "")
  file(GLOB sources CONFIGURE_DEPENDS ${arg_FROM}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ringpipe_test_support ringpipe_warnings)
  # The long forms of the crash tests (scripts/test --long) take minutes each.
  set(timeout 120)
  if(arg_FROM STREQUAL "crash")
    set(timeout 1800)
  endif()
  # A name that doctest's filter does not find must fail, not pass with nothing run.
  doctest_discover_tests(${name} TEST_PREFIX "${arg_FROM}/" PROPERTIES
    TIMEOUT ${timeout} LABELS ${arg_FROM} FAIL_REGULAR_EXPRESSION "test cases: +0 [|]")
endfunction()
