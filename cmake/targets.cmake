# corbel_library(NAME): a library of the public set, exported as corbel::NAME, that builds with our warnings.
# Each folder below src/ adds its own sources to the library it belongs to.
function(corbel_library name)
  add_library(corbel_${name} STATIC)
  add_library(corbel::${name} ALIAS corbel_${name})
  set_target_properties(corbel_${name} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME corbel_${name}
    UNITY_BUILD ${CORBEL_UNITY} UNITY_BUILD_BATCH_SIZE ${corbel_sources_a_batch})
  target_compile_features(corbel_${name} PUBLIC cxx_std_20)
  target_include_directories(corbel_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(corbel_${name} PRIVATE $<BUILD_INTERFACE:corbel_warnings>)
  if(NOT PROJECT_IS_TOP_LEVEL)
    set_target_properties(corbel_${name} PROPERTIES SYSTEM ON)  # so that the users' warnings are about their code
  endif()
  set_property(GLOBAL APPEND PROPERTY corbel_libraries corbel_${name})  # read by package.cmake
endfunction()

# The programs that a round of scripts/test needs: `sanitized_tests` run under ASan and UBSan, `concurrent_tests` under TSan,
# `optimised_tests` as users build Corbel. The ctest labels `concurrent`, and `optimised` or `example`, name their tests.
if(CORBEL_TESTS)
  add_custom_target(sanitized_tests)
  add_custom_target(concurrent_tests)
  add_custom_target(optimised_tests)
endif()

# corbel_tested(TARGET [SANITIZED] [CONCURRENT] [OPTIMISED]): the rounds that need this program.
function(corbel_tested target)
  if(CORBEL_TESTS)
    foreach(round IN LISTS ARGN)
      string(TOLOWER ${round} round)
      add_dependencies(${round}_tests ${target})
    endforeach()
  endif()
endfunction()

# corbel_test(NAME SOURCES... [LIBRARIES ...] [CONCURRENT] [JUDGED] [SOAKED]): one doctest binary, one ctest entry. CONCURRENT
# marks what runs on several threads, so that it runs under the thread sanitizer, too; JUDGED what asks somebody else's program
# or library (scripts/test --judges); SOAKED what can go on for hours (scripts/test --soak).
function(corbel_test name)
  cmake_parse_arguments(arg "CONCURRENT;JUDGED;SOAKED" "" "LIBRARIES" ${ARGN})
  add_executable(test_${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE corbel_test_main corbel_test_options ${arg_LIBRARIES} corbel_warnings)
  if(CORBEL_PRECOMPILE)
    target_precompile_headers(test_${name} REUSE_FROM corbel_test_precompiled)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  corbel_tested(test_${name} SANITIZED)
  foreach(label IN ITEMS concurrent judged soaked)
    string(TOUPPER ${label} asked)
    if(arg_${asked})
      set_property(TEST ${name} APPEND PROPERTY LABELS ${label})
    endif()
  endforeach()
  if(arg_CONCURRENT)
    corbel_tested(test_${name} CONCURRENT)
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
    set_tests_properties(example.${name} PROPERTIES LABELS "concurrent;example")
    corbel_tested(example_${name} SANITIZED CONCURRENT OPTIMISED)
  endif()
endfunction()
