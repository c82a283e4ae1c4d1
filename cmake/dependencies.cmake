# What Corbel stands on; docs/dependencies.md gives the reason for each.

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(SQLite3 3.40)

find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp REQUIRED)
if(NOT TARGET corbel_valijson)
  add_library(corbel_valijson INTERFACE)
  target_include_directories(corbel_valijson SYSTEM INTERFACE ${VALIJSON_INCLUDE_DIR})
  # Without it valijson ends the program over a schema it cannot read.
  target_compile_definitions(corbel_valijson INTERFACE VALIJSON_USE_EXCEPTIONS=1)
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
