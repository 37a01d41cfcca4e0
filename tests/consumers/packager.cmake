# A packager builds the command line without what the tests need, and the library without a compiler's work.
cmake_minimum_required(VERSION 3.25)
foreach(cli IN ITEMS ON OFF)
    set(build "${WORK}/cli_${cli}")
    execute_process(COMMAND "${CMAKE_COMMAND}" --fresh -G Ninja -S "${CHECKOUT}" -B "${build}"
        "-DCMAKE_CXX_COMPILER=${COMPILER}" -DDOVETAIL_DEVELOPER=OFF -DDOVETAIL_CLI=${cli}
        -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON -DCMAKE_DISABLE_FIND_PACKAGE_benchmark=ON
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON --no-warn-unused-cli OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    set(commands "${build}/compile_commands.json")
    if(NOT cli AND NOT EXISTS "${commands}")
        continue()
    endif()
    file(READ "${commands}" commands)
    if(cli AND NOT commands MATCHES "-O3[^\n]*/examples/cli/main\\.cpp" OR NOT cli AND commands MATCHES "\\.cpp")
        message(FATAL_ERROR "with DOVETAIL_CLI=${cli} this would be built:\n${commands}")
    endif()
    # Another compiler's new warning is no reason to stop.
    foreach(unwanted IN ITEMS "\"${CHECKOUT}/tests/" "-Werror")
        string(FIND "${commands}" "${unwanted}" found)
        if(NOT found EQUAL -1)
            message(FATAL_ERROR "a packager meets ${unwanted}:\n${commands}")
        endif()
    endforeach()
endforeach()
