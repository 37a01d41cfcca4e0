cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}/installed" "${WORK}/moved")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/installed"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${WORK}/installed" "${WORK}/moved")
