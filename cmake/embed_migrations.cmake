# Run by the build (see migrations.cmake): writes OUT/NAME.hpp and OUT/NAME.cpp from the .sql files of FOLDER. Bytes
# become \xhh escapes in short literals, so that no text of a migration can end its literal.
file(GLOB files ${FOLDER}/*.sql)
list(SORT files)

set(code "#include \"${NAME}.hpp\"\n\nnamespace embedded {\n\n")
string(APPEND code "const corbel::data::migration_set& ${NAME}() {\n")
string(APPEND code "  static const corbel::data::migration_set all = [] {\n    corbel::data::migration_set set;\n")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  file(SIZE ${file} size)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
  string(REGEX REPLACE "(\\\\x[0-9a-f][0-9a-f](\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)"
    "\n        \"\\1\"" bytes "${bytes}")
  if(size EQUAL 0)
    set(bytes "\"\"")
  endif()
  string(APPEND code "    set.add(\"${name}\", std::string(${bytes}, ${size}));\n")
endforeach()
string(APPEND code "    return set;\n  }();\n  return all;\n}\n\n}  // namespace embedded\n")

file(WRITE ${OUT}/${NAME}.hpp "#pragma once\n\n#include <corbel/data/migrations.hpp>\n\nnamespace embedded {\n\
\n/// The migrations of the folder ${NAME}.\nconst corbel::data::migration_set& ${NAME}();\n\n}  // namespace embedded\n")
file(WRITE ${OUT}/${NAME}.cpp "${code}")
