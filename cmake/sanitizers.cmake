# Before every target, because all code of one program must be built with the same sanitizer.
if(RINGPIPE_SANITIZE)
  add_compile_options(-fsanitize=${RINGPIPE_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${RINGPIPE_SANITIZE})
endif()
