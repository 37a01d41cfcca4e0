file(STRINGS "${COMMAND_FILE}" command)
execute_process(COMMAND ${command} -fsyntax-only "${SOURCE}" COMMAND_ERROR_IS_FATAL ANY)
