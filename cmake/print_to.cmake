# Runs PROGRAM with ARGUMENTS and keeps what it prints in the file OUTPUT.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND "${PROGRAM}" ${ARGUMENTS} OUTPUT_FILE "${OUTPUT}" RESULT_VARIABLE status)
file(SIZE "${OUTPUT}" bytes)
if(NOT status EQUAL 0 OR bytes EQUAL 0)
    file(REMOVE "${OUTPUT}")
    list(JOIN ARGUMENTS " " arguments)
    message(FATAL_ERROR "'${PROGRAM} ${arguments}' ended with ${status} and printed ${bytes} bytes")
endif()
