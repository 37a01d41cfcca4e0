cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}")
file(COPY "${HEADER}" DESTINATION "${WORK}/dovetail")
# As a header of the user's own, not of the system: the user's warnings are on in it.
set(compile "${COMPILER}" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Werror
    "-I${WORK}" "${PROGRAM_SOURCE}")
execute_process(COMMAND ${compile} -M OUTPUT_VARIABLE dependencies COMMAND_ERROR_IS_FATAL ANY)
if(dependencies MATCHES "[^ ]*/(boost|nlohmann|onnx|google|Eigen)/[^ ]*|[^ ]*/(glpk|mpi)\\.h")
    message(FATAL_ERROR "the single header alone includes ${CMAKE_MATCH_0}")
endif()
execute_process(COMMAND ${compile} -o "${WORK}/consumer" -pthread COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${WORK}/consumer" COMMAND_ERROR_IS_FATAL ANY)
