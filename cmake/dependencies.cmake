# What Corbel stands on; docs/dependencies.md gives the reason for each. The installed package reads this list too,
# because a static library leaves its own libraries for the user's program to link.

# corbel_needs(...): find_package for our own build, find_dependency below a user's find_package(corbel).
macro(corbel_needs)
  if(CMAKE_FIND_PACKAGE_NAME STREQUAL "corbel")
    include(CMakeFindDependencyMacro)
    find_dependency(${ARGN})
  else()
    find_package(${ARGN} REQUIRED)
  endif()
endmacro()

corbel_needs(Threads)
find_package(Boost 1.81 QUIET CONFIG)  # newer ones of CMake no longer look for Boost themselves
if(NOT Boost_FOUND)
  corbel_needs(Boost 1.81)
endif()
corbel_needs(OpenSSL 3.0)
corbel_needs(nlohmann_json 3.11)
corbel_needs(ZLIB 1.2)
find_package(PostgreSQL 15 QUIET)  # libpq
find_package(SQLite3 3.40 QUIET)

if(NOT CMAKE_FIND_PACKAGE_NAME STREQUAL "corbel")  # compiled in: users need neither the header nor a library
  find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp REQUIRED)
  if(NOT TARGET corbel_valijson)
    add_library(corbel_valijson INTERFACE)
    target_include_directories(corbel_valijson SYSTEM INTERFACE ${VALIJSON_INCLUDE_DIR})
    # Without it valijson ends the program over a schema it cannot read.
    target_compile_definitions(corbel_valijson INTERFACE VALIJSON_USE_EXCEPTIONS=1)
  endif()
endif()

# Debian 12 ships RE2 without a CMake package.
find_path(RE2_INCLUDE_DIR re2/re2.h REQUIRED)
find_library(RE2_LIBRARY re2 REQUIRED)
if(NOT TARGET re2::re2)
  add_library(re2::re2 UNKNOWN IMPORTED)
  set_target_properties(re2::re2 PROPERTIES
    IMPORTED_LOCATION ${RE2_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${RE2_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()

# Brotli comes without one as well.
find_path(BROTLI_INCLUDE_DIR brotli/encode.h REQUIRED)
foreach(corbel_part IN ITEMS common dec enc)
  find_library(BROTLI_${corbel_part}_LIBRARY brotli${corbel_part} REQUIRED)
  if(NOT TARGET brotli::${corbel_part})
    add_library(brotli::${corbel_part} UNKNOWN IMPORTED)
    set_target_properties(brotli::${corbel_part} PROPERTIES
      IMPORTED_LOCATION ${BROTLI_${corbel_part}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${BROTLI_INCLUDE_DIR})
  endif()
endforeach()
foreach(corbel_part IN ITEMS dec enc)
  set_target_properties(brotli::${corbel_part} PROPERTIES INTERFACE_LINK_LIBRARIES brotli::common)
endforeach()
