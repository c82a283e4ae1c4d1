# The language level, the warnings and the sanitizers that every target of this tree shares.

if(PROJECT_IS_TOP_LEVEL)  # below another project its own standard holds, or C++20 where that is an older one
  set(CMAKE_CXX_STANDARD 20)
  set(CMAKE_CXX_STANDARD_REQUIRED ON)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>)  # PIC, yet free to inline

# Sources of a library are compiled several at once. That takes a quarter of the time from scratch, since headers cost more
# than sources do; behind a change of one source, compiling that one alone is quicker.
option(CORBEL_UNITY "Compile the libraries' sources in batches" OFF)
set(corbel_sources_a_batch 16)

# Tests read what nearly all of them include from one precompiled header. It saves two seconds a test for who works on one; builds
# that compile everything do without, because what ccache keeps of a precompiled header is of no use to another clone.
option(CORBEL_PRECOMPILE "Compile the tests with a precompiled header" OFF)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CORBEL_CCACHE ccache)
if(CORBEL_CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CORBEL_CCACHE})
endif()

# Warnings are for who works on this tree: a compiler that we have not met may have a new one, which stops nobody else's
# build. Below another project even its own warnings are silent in our sources, where it could mend nothing.
option(CORBEL_WERROR "Let a warning stop the build" OFF)
add_library(corbel_warnings INTERFACE)
if(PROJECT_IS_TOP_LEVEL OR CORBEL_WERROR)
  target_compile_options(corbel_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion $<$<BOOL:${CORBEL_WERROR}>:-Werror>
    # GCC takes a coroutine frame's operator new, once inlined, for another allocator than its operator delete, and GCC 12
    # sees overlapping copies in plain std::string code (GCC bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
  if(NOT CORBEL_UNITY)
    target_compile_options(corbel_warnings INTERFACE -Wshadow)  # a source does not "shadow" what its neighbours in a batch have
  elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(corbel_warnings INTERFACE -Wno-subobject-linkage)  # in a batch, sources look like headers
  endif()
else()
  target_compile_options(corbel_warnings INTERFACE -w)
endif()

if(CORBEL_SANITIZE STREQUAL "address")
  set(corbel_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(CORBEL_SANITIZE STREQUAL "thread")
  set(corbel_sanitizers -fsanitize=thread -fno-omit-frame-pointer)
elseif(CORBEL_SANITIZE STREQUAL "fuzzer")  # clang alone has it
  set(corbel_sanitizers -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(CORBEL_SANITIZE)
  message(FATAL_ERROR "CORBEL_SANITIZE is \"${CORBEL_SANITIZE}\"; it takes address, thread, fuzzer, or nothing")
endif()
if(CORBEL_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND corbel_sanitizers -Wno-tsan)  # Asio's fences, unknown to GCC's TSan; its hand-overs are by mutex
endif()
if(corbel_sanitizers AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND corbel_sanitizers -Wno-maybe-uninitialized)  # their checks hide from GCC what is initialised
endif()
if(CORBEL_SANITIZE STREQUAL "address")
  set(corbel_test_sanitizers -fno-sanitize=alignment,null,object-size,vptr)
endif()
if(corbel_sanitizers)
  add_compile_options(${corbel_sanitizers})
  add_link_options(${corbel_sanitizers})
endif()
