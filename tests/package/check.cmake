# Installs BUILD into a fresh folder, then configures, builds and runs the project USER against it.
cmake_minimum_required(VERSION 3.25)

set(room ${BUILD}/package-test)
file(REMOVE_RECURSE ${room})

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# A build may have made no more than one program needed, such as scripts/run's: as if it had not needed ARCHIVE.
file(RENAME ${ARCHIVE} ${ARCHIVE}.kept)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${room}/installed COMMAND_ECHO STDOUT RESULT_VARIABLE failed)
file(RENAME ${ARCHIVE}.kept ${ARCHIVE})  # as old as it was, so that nothing is linked again
if(failed)
  message(FATAL_ERROR "a build that lacks one of the libraries cannot be installed")
endif()

run(${CMAKE_COMMAND} -S ${USER} -B ${room}/user -G Ninja -DCMAKE_BUILD_TYPE=Release
  -DCMAKE_PREFIX_PATH=${room}/installed -DCMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${room}/user)
run(${room}/user/user)
run(${room}/installed/bin/corbel-check-awaits ${USER})
