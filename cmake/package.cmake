# `cmake --install`: the libraries, the headers, and what find_package(corbel) reads.
include(CMakePackageConfigHelpers)

set(corbel_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/corbel)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/corbel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT corbel-targets NAMESPACE corbel:: DESTINATION ${corbel_package_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/corbel-config.cmake.in corbel-config.cmake
  INSTALL_DESTINATION ${corbel_package_folder})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(corbel-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/corbel-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/corbel-config-version.cmake
    ${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake
    ${CMAKE_CURRENT_LIST_DIR}/embed_migrations.cmake
    ${CMAKE_CURRENT_LIST_DIR}/migrations.cmake
  DESTINATION ${corbel_package_folder})
