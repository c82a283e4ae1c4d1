# corbel_embed_migrations(TARGET FOLDER): builds the NNNN_name.sql and NNNN_name.down.sql files of FOLDER into TARGET,
# whose sources may then `#include "embedded/<folder>.hpp"` and call `embedded::<folder>()`, a const
# corbel::data::migration_set&. Only the last part of FOLDER counts as its name, so it has to be a C++ identifier. New,
# changed and deleted files are seen by the next build.
#
# FOLDER may have folders named after databases beside its common files: FOLDER/postgres/*.sql, FOLDER/sqlite/*.sql.
# Then it is `embedded::<folder>(db.language())`, the common ones and those for that database.
set(CORBEL_EMBED_MIGRATIONS_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_migrations.cmake CACHE INTERNAL "")

function(corbel_embed_migrations target folder)
  get_filename_component(path ${folder} ABSOLUTE)
  get_filename_component(name ${path} NAME)
  if(NOT name MATCHES "^[a-z_][a-z0-9_]*$")
    message(FATAL_ERROR "corbel_embed_migrations: the folder \"${name}\" becomes a C++ name; use lower-case letters, digits and _")
  endif()
  file(GLOB files RELATIVE ${path} CONFIGURE_DEPENDS ${path}/*.sql ${path}/*/*.sql)
  list(TRANSFORM files PREPEND ${path}/ OUTPUT_VARIABLE paths)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_embedded)
  # The names travel in the command, so that a deleted file changes it.
  add_custom_command(
    OUTPUT ${out}/embedded/${name}.cpp ${out}/embedded/${name}.hpp
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${path} -DNAME=${name} -DOUT=${out}/embedded "-DFILES=${files}"
      -P ${CORBEL_EMBED_MIGRATIONS_SCRIPT}
    DEPENDS ${paths} ${CORBEL_EMBED_MIGRATIONS_SCRIPT}
    COMMENT "Embedding the migrations of ${name}" VERBATIM)
  target_sources(${target} PRIVATE ${out}/embedded/${name}.cpp ${out}/embedded/${name}.hpp)
  target_include_directories(${target} PRIVATE ${out})
endfunction()
