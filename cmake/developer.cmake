# What only developers need: warnings, the runner of examples, and the doors that a source declares.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(dovetail_developer INTERFACE)
target_compile_options(dovetail_developer INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Werror)

# Assertions stay on in tests whatever the build type, and -O1 halves their time to compile.
add_library(dovetail_test_options INTERFACE)
target_link_libraries(dovetail_test_options INTERFACE dovetail_developer)
target_compile_options(dovetail_test_options INTERFACE -O1 -UNDEBUG)

option(DOVETAIL_UNIT_TESTS "Build what needs GoogleTest and Google Benchmark" ON)
if(DOVETAIL_UNIT_TESTS)
    find_package(GTest QUIET)
    find_package(benchmark QUIET)
    if(NOT GTest_FOUND OR NOT benchmark_FOUND)
        message(FATAL_ERROR "GoogleTest or Google Benchmark is not installed: run './dev setup'")
    endif()
endif()

# Splits `sources` into those whose doors are all open (`usable`) and the rest; `doors` is the union of the
# doors of the usable ones. A source says what it needs in a line of its own: `// doors: hana json`.
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
