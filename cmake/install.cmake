# cmake --install: what goes where, as the GNU layout has it; and packages (cpack).
#
# Components: runtime (the programs), development (libraries and headers).
include(CMakePackageConfigHelpers)

# Every library that users may link, in the order in which they build on each other.
set(public_libraries common shm async pool)
if(TARGET ringpipe_sync)
  list(APPEND public_libraries sync)
endif()

foreach(name ${public_libraries})
  install(TARGETS ringpipe_${name} EXPORT ringpipe-targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
  # Without those that need the programs' dependencies.
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${name}"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ringpipe" COMPONENT development
    FILES_MATCHING PATTERN "*.hpp"
    PATTERN "command_line.hpp" EXCLUDE PATTERN "man_page.hpp" EXCLUDE
    PATTERN "completion.hpp" EXCLUDE)
endforeach()
# Boost.Process, compiled: for the linker only.
set_target_properties(ringpipe_process PROPERTIES EXPORT_NAME process EXCLUDE_FROM_ALL OFF)
install(TARGETS ringpipe_process EXPORT ringpipe-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/ringpipe")
install(EXPORT ringpipe-targets NAMESPACE ringpipe:: DESTINATION "${package_folder}"
  COMPONENT development)
configure_package_config_file(cmake/ringpipe-config.cmake.in ringpipe-config.cmake
  INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(ringpipe-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/ringpipe-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/ringpipe-config-version.cmake"
  DESTINATION "${package_folder}" COMPONENT development)

# pkg-config: one file for each library. They find the prefix from where they are, so that it may be
# another one than CMake was told (cmake --install --prefix, cpack).
file(RELATIVE_PATH prefix_from_here "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /prefix)
string(REGEX REPLACE "/$" "" prefix_from_here "${prefix_from_here}")
function(ringpipe_install_pkg_config name description requires libraries)
  set(name "${name}")
  configure_file(cmake/ringpipe.pc.in ringpipe-${name}.pc @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/ringpipe-${name}.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
endfunction()
ringpipe_install_pkg_config(common "errors, units, framing" "fmt" "-lringpipe_common")
ringpipe_install_pkg_config(shm "the ring: producers and consumers" "ringpipe-common"
  "-lringpipe_shm -pthread")
ringpipe_install_pkg_config(async "the ring's ends as Boost.Asio I/O objects" "ringpipe-shm"
  "-lringpipe_async")
ringpipe_install_pkg_config(pool "worker processes with futures" "ringpipe-shm"
  "-lringpipe_pool -lringpipe_process")
if(TARGET ringpipe_sync)
  ringpipe_install_pkg_config(sync "locks that processes share" "ringpipe-shm" "-lringpipe_sync")
endif()

if(RINGPIPE_BUILD_PROGRAMS)
  include(cmake/install_programs.cmake)
endif()
install(FILES README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)
if(PROJECT_IS_TOP_LEVEL)
  include(cmake/packages.cmake)
endif()
