# `cmake --install`: the libraries, the headers, and what find_package(corbel) reads.
include(CMakePackageConfigHelpers)

# A build may have made one program and what it needed, as scripts/run's does. What is missing is made now, and only then: an
# install by root shall leave the folder of the build as it found it.
get_property(corbel_libraries GLOBAL PROPERTY corbel_libraries)
add_custom_target(corbel_libraries DEPENDS ${corbel_libraries})
list(TRANSFORM corbel_libraries REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE corbel_archives)
install(CODE "
  set(archives \"${corbel_archives}\")
  foreach(archive IN LISTS archives)
    if(NOT EXISTS \"\${archive}\")
      message(STATUS \"Building the libraries: \${archive} was not needed so far\")
      execute_process(COMMAND \"${CMAKE_COMMAND}\" --build \"${PROJECT_BINARY_DIR}\" --config \"$<CONFIG>\"
        --target corbel_libraries COMMAND_ERROR_IS_FATAL ANY)
      break()
    endif()
  endforeach()")

install(TARGETS ${corbel_libraries} EXPORT corbel-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
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
