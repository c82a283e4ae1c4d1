# corbel_library(NAME): a library of the public set, exported as corbel::NAME, that builds with our warnings.
# Each folder below src/ adds its own sources to the library it belongs to.
function(corbel_library name)
  add_library(corbel_${name} STATIC)
  add_library(corbel::${name} ALIAS corbel_${name})
  set_target_properties(corbel_${name} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME corbel_${name})
  target_compile_features(corbel_${name} PUBLIC cxx_std_20)
  target_include_directories(corbel_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(corbel_${name} PRIVATE $<BUILD_INTERFACE:corbel_warnings>)
endfunction()

# corbel_test(NAME SOURCES... [LIBRARIES ...]): one doctest binary, one ctest entry.
function(corbel_test name)
  cmake_parse_arguments(arg "" "" "LIBRARIES" ${ARGN})
  add_executable(test_${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE corbel_test_main ${arg_LIBRARIES} corbel_warnings)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
