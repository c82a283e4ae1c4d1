# What Corbel stands on; docs/dependencies.md gives the reason for each.

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(SQLite3 3.40)

find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp REQUIRED)
