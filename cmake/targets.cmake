# The library and its doors. Every door is a target, whether its third party is here or not: an installed
# dovetail serves users who have what the machine that packaged it had not.
find_package(Threads REQUIRED)

add_library(dovetail INTERFACE)
add_library(dovetail::dovetail ALIAS dovetail)
target_compile_features(dovetail INTERFACE cxx_std_20)
target_link_libraries(dovetail INTERFACE Threads::Threads)
set(dovetail_include_dirs "${PROJECT_SOURCE_DIR}/include")
option(DOVETAIL_SINGLE_HEADER "Build the developer part on single_include instead of include" OFF)
if(DOVETAIL_SINGLE_HEADER)
    include(cmake/single_header.cmake)
endif()
target_include_directories(dovetail INTERFACE "$<BUILD_INTERFACE:${dovetail_include_dirs}>")

# The whole library with the doors of whoever links it, parsed once a target instead of once a source.
add_library(dovetail_precompiled INTERFACE)
add_library(dovetail::precompiled ALIAS dovetail_precompiled)
set_target_properties(dovetail_precompiled PROPERTIES EXPORT_NAME precompiled)
target_link_libraries(dovetail_precompiled INTERFACE dovetail)
target_precompile_headers(dovetail_precompiled INTERFACE <dovetail/dovetail.hpp>)

foreach(door IN LISTS DOVETAIL_ALL_DOORS)
    string(TOUPPER ${door} macro)
    add_library(dovetail_${door} INTERFACE)
    add_library(dovetail::${door} ALIAS dovetail_${door})
    set_target_properties(dovetail_${door} PROPERTIES EXPORT_NAME ${door})
    target_compile_definitions(dovetail_${door} INTERFACE DOVETAIL_${macro})
    target_link_libraries(dovetail_${door} INTERFACE dovetail)
endforeach()
target_link_libraries(dovetail_hana INTERFACE Boost::headers)
target_link_libraries(dovetail_glpk INTERFACE GLPK::GLPK)
target_link_libraries(dovetail_eigen INTERFACE Eigen3::Eigen)
target_link_libraries(dovetail_json INTERFACE nlohmann_json::nlohmann_json)
target_link_libraries(dovetail_onnx INTERFACE OnnxProto::OnnxProto)

foreach(door IN LISTS DOVETAIL_DOORS)
    dovetail_find_door(${door} found)
    if(NOT found)
        message(FATAL_ERROR "dovetail::${door} needs a third party that is not installed: "
            "run './dev setup', or leave '${door}' out of DOVETAIL_DOORS")
    endif()
endforeach()
