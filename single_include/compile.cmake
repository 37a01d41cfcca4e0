cmake_minimum_required(VERSION 3.25)
file(STRINGS "${COMMAND_FILE}" command)
execute_process(COMMAND ${command} -fsyntax-only "${SOURCE}" COMMAND_ERROR_IS_FATAL ANY)
