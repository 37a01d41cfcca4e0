# What only developers need: warnings, the flags of a target as a list, and the doors that a source declares.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(DOVETAIL_UNIT_TESTS "Build what needs GoogleTest" ON)
option(DOVETAIL_BENCHMARKS "Build what needs Google Benchmark" OFF)
option(DOVETAIL_CHECK_HEADERS "Compile every header alone" OFF)
option(DOVETAIL_PRECOMPILE "Parse the library once for suites, examples and the command line, in a debug build" OFF)
option(DOVETAIL_CONSUMERS "Test real projects that use the library" OFF)

if(DOVETAIL_UNIT_TESTS)
    find_package(GTest QUIET)
    if(NOT GTest_FOUND)
        message(FATAL_ERROR "GoogleTest is not installed: run './dev setup'")
    endif()
endif()
if(DOVETAIL_BENCHMARKS)
    find_package(benchmark QUIET)
    if(NOT benchmark_FOUND)
        message(FATAL_ERROR "Google Benchmark is not installed: run './dev setup'")
    endif()
endif()

set(dovetail_warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Werror)
add_library(dovetail_developer INTERFACE)
target_compile_options(dovetail_developer INTERFACE ${dovetail_warnings})
# Where several sources are one compilation, what is global in one is no global to the others; builds that compile
# each source for itself, and every header alone, still see all that is shadowed.
set(unity_with_gcc "$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>")
target_compile_options(dovetail_developer INTERFACE "$<${unity_with_gcc}:-Wno-shadow;-Wshadow=local>")

# Assertions stay on in tests whatever the build type, and -O0 compiles in two thirds of the time of -O1, in a
# third of that of -O3. The optimised library is tested through the command line, which is built as users do.
add_library(dovetail_test_options INTERFACE)
target_link_libraries(dovetail_test_options INTERFACE dovetail_developer)
target_compile_options(dovetail_test_options INTERFACE $<$<CONFIG:Release>:-O0> -UNDEBUG)

# Splits `sources` into those whose doors are all open (`usable`) and the rest; `doors` is the union of the
# doors of the usable ones. A source says what it needs in its first line: `// doors: hana json`.
function(dovetail_open_doors sources usable doors)
    set(open_sources)
    set(open_doors)
    foreach(source IN LISTS sources)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
        file(STRINGS "${source}" declared LIMIT_COUNT 1 REGEX "^// doors:")
        string(REGEX MATCHALL "[a-z]+" declared "${declared}")
        list(REMOVE_ITEM declared doors)
        set(closed ${declared})
        list(REMOVE_ITEM closed ${DOVETAIL_DOORS})
        if(NOT closed)
            list(APPEND open_sources "${source}")
            list(APPEND open_doors ${declared})
        endif()
    endforeach()
    list(REMOVE_DUPLICATES open_doors)
    set(${usable} "${open_sources}" PARENT_SCOPE)
    set(${doors} "${open_doors}" PARENT_SCOPE)
endfunction()

# Links `target` with the library and the named doors.
function(dovetail_link target)
    target_link_libraries(${target} PRIVATE dovetail::dovetail)
    foreach(door IN LISTS ARGN)
        target_link_libraries(${target} PRIVATE dovetail::${door})
    endforeach()
endfunction()

# As `dovetail_link`, and with DOVETAIL_PRECOMPILE the sources start from the parse of tests/support: then a
# target with one door has them all.
function(dovetail_link_parsed target)
    if(NOT DOVETAIL_PRECOMPILE)
        dovetail_link(${target} ${ARGN})
    elseif(ARGN)
        dovetail_link(${target} ${DOVETAIL_DOORS})
        target_precompile_headers(${target} REUSE_FROM odr_doors)
    else()
        dovetail_link(${target})
        target_precompile_headers(${target} REUSE_FROM odr_core)
    endif()
endfunction()

# The compile line of `target` up to the sources, one argument a line in `file`, for tests that compile.
function(dovetail_write_compile_command target file)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}")
    # As the build does: third parties are not warned about, and what the compiler searches anyway stays last.
    set(includes "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
    set(own "$<FILTER:${includes},INCLUDE,^${PROJECT_SOURCE_DIR}/>")
    set(others "$<FILTER:$<FILTER:${includes},EXCLUDE,^${PROJECT_SOURCE_DIR}/>,EXCLUDE,^/usr/include/?$>")
    set(definitions "$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>")
    set(options "$<TARGET_PROPERTY:${target},COMPILE_OPTIONS>")
    list(JOIN flags "\n" flags)
    file(GENERATE OUTPUT "${file}" CONTENT
"${CMAKE_CXX_COMPILER}
${flags}
-std=c++20
$<JOIN:${options},
>
$<$<BOOL:${own}>:-I$<JOIN:${own},
-I>>
$<$<BOOL:${others}>:-isystem$<JOIN:${others},
-isystem>>
$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},
-D>>
")
endfunction()
