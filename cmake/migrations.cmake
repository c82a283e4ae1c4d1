# corbel_embed_migrations(TARGET FOLDER): builds the NNNN_name.sql files of FOLDER into TARGET, whose sources may then
# `#include "embedded/<folder>.hpp"` and call `embedded::<folder>()`, a const corbel::data::migration_set&. Only the
# last part of FOLDER counts as its name, so it has to be a C++ identifier. New and changed files are seen by the next
# build.
set(CORBEL_EMBED_MIGRATIONS_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_migrations.cmake CACHE INTERNAL "")

function(corbel_embed_migrations target folder)
  get_filename_component(path ${folder} ABSOLUTE)
  get_filename_component(name ${path} NAME)
  if(NOT name MATCHES "^[a-z_][a-z0-9_]*$")
    message(FATAL_ERROR "corbel_embed_migrations: the folder \"${name}\" becomes a C++ name; use lower-case letters, digits and _")
  endif()
  file(GLOB files CONFIGURE_DEPENDS ${path}/*.sql)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_embedded)
  add_custom_command(
    OUTPUT ${out}/embedded/${name}.cpp ${out}/embedded/${name}.hpp
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${path} -DNAME=${name} -DOUT=${out}/embedded
      -P ${CORBEL_EMBED_MIGRATIONS_SCRIPT}
    DEPENDS ${files} ${CORBEL_EMBED_MIGRATIONS_SCRIPT}
    COMMENT "Embedding the migrations of ${name}" VERBATIM)
  target_sources(${target} PRIVATE ${out}/embedded/${name}.cpp ${out}/embedded/${name}.hpp)
  target_include_directories(${target} PRIVATE ${out})
endfunction()
