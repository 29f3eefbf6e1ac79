# The programs, with manual pages and completions: both are made by the programs themselves.
set(pages)
foreach(program ringpipe ringpipe-producer ringpipe-consumer)
  install(TARGETS ${program} DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
  set(made "${PROJECT_BINARY_DIR}/made")
  add_custom_command(
    OUTPUT "${made}/${program}.1" "${made}/${program}.1.gz" "${made}/${program}.bash" "${made}/_${program}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${made}"
    COMMAND ${program} --man > "${made}/${program}.1"
    COMMAND gzip -9nkf "${made}/${program}.1"
    COMMAND ${program} --completion bash > "${made}/${program}.bash"
    COMMAND ${program} --completion zsh > "${made}/_${program}"
    DEPENDS ${program} VERBATIM)
  list(APPEND pages "${made}/${program}.1")
  install(FILES "${made}/${program}.1.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1"
    COMPONENT runtime)
  install(FILES "${made}/${program}.bash" RENAME ${program}
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT runtime)
  install(FILES "${made}/_${program}"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" COMPONENT runtime)
endforeach()
add_custom_target(ringpipe_pages ALL DEPENDS ${pages})
