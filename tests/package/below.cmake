# Configures the project USER with the TREE below it, and compiles one source of each: both stand their warnings.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${ROOM})

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} -S ${USER} -B ${ROOM} -G Ninja -DCORBEL_BELOW=${TREE}
  -DCMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${ROOM}
  --target corbel/src/CMakeFiles/corbel_core.dir/base/describe.cpp.o CMakeFiles/user.dir/main.cpp.o)
