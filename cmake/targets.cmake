# corbel_library(NAME): a library of the public set, exported as corbel::NAME, that builds with our warnings.
# Each folder below src/ adds its own sources to the library it belongs to.
function(corbel_library name)
  add_library(corbel_${name} STATIC)
  add_library(corbel::${name} ALIAS corbel_${name})
  set_target_properties(corbel_${name} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME corbel_${name})
  target_compile_features(corbel_${name} PUBLIC cxx_std_20)
  target_include_directories(corbel_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(corbel_${name} PRIVATE $<BUILD_INTERFACE:corbel_warnings>)
  if(CORBEL_INSTALL)
    install(TARGETS corbel_${name} EXPORT corbel-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endfunction()

# corbel_test(NAME SOURCES... [LIBRARIES ...] [CONCURRENT]): one doctest binary, one ctest entry. CONCURRENT marks
# what runs on several threads: `concurrent_tests` builds those, and they run under the thread sanitizer too.
function(corbel_test name)
  cmake_parse_arguments(arg "CONCURRENT" "" "LIBRARIES" ${ARGN})
  add_executable(test_${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE corbel_test_main ${arg_LIBRARIES} corbel_warnings)
  add_test(NAME ${name} COMMAND test_${name})
  if(arg_CONCURRENT)
    set_tests_properties(${name} PROPERTIES LABELS concurrent)
    add_dependencies(concurrent_tests test_${name})
  endif()
endfunction()

# corbel_example(NAME SOURCES... [LIBRARIES ...] [ANSWERS PATH=STATUS ...]): target example_NAME, the program
# examples/NAME/NAME of the build. With ANSWERS, ctest starts it on a free port, asks for each path, and stops it.
function(corbel_example name)
  cmake_parse_arguments(arg "" "" "LIBRARIES;ANSWERS" ${ARGN})
  add_executable(example_${name} ${arg_UNPARSED_ARGUMENTS})
  set_target_properties(example_${name} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples/${name})
  target_link_libraries(example_${name} PRIVATE corbel::core ${arg_LIBRARIES} corbel_warnings)
  if(CORBEL_TESTS AND arg_ANSWERS)
    find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
    add_test(NAME example.${name} COMMAND Python3::Interpreter -B ${PROJECT_SOURCE_DIR}/tests/examples/serves.py
      $<TARGET_FILE:example_${name}> ${arg_ANSWERS})
    set_tests_properties(example.${name} PROPERTIES LABELS concurrent)
    add_dependencies(concurrent_tests example_${name})
  endif()
endfunction()
