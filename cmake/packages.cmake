# cpack -G DEB: ringpipe (the programs) and ringpipe-dev (libraries and headers).
set(CPACK_PACKAGE_NAME ringpipe)
set(CPACK_PACKAGE_CONTACT "ringpipe developers <ringpipe@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "pipelines of processes through shared memory")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
  "Joins separate processes through a ring buffer in shared memory. Producers
write, consumers share the work, come and go while it runs, and a process
killed at any instruction loses nothing and blocks nobody.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
  "Static libraries and headers of ringpipe: the ring, its ends as Boost.Asio
I/O objects, pools of worker processes with futures, and locks that
processes share.")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_STRIP_FILES ON)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ringpipe)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME ringpipe-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
# Users compile the same headers that are in the static libraries: the versions have to be the same.
string(REGEX MATCH "^[0-9]+" fmt_major "${fmt_VERSION}")
math(EXPR fmt_next "${fmt_major} + 1")
string(JOIN ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libboost${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR}-dev"
  "libfmt-dev (>= ${fmt_major})" "libfmt-dev (<< ${fmt_next}~)" libcereal-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "ringpipe (= ${PROJECT_VERSION})")

# What Debian's policy wants of each package.
foreach(pair runtime:ringpipe development:ringpipe-dev)
  string(REPLACE ":" ";" pair "${pair}")
  list(GET pair 0 component)
  list(GET pair 1 package)
  set(folder "${PROJECT_BINARY_DIR}/debian/${package}")
  configure_file(cmake/debian/copyright "${folder}/copyright" COPYONLY)
  configure_file(cmake/debian/changelog.in "${folder}/changelog" @ONLY)
  execute_process(COMMAND gzip -9nkf "${folder}/changelog")
  install(FILES "${folder}/copyright" "${folder}/changelog.gz"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}" COMPONENT ${component})
endforeach()

include(CPack)
