# A tree with the path of every header, each of which only includes the single header: whoever includes
# <dovetail/room/x.hpp> gets the single header instead, and include/ is out of reach.
set(forward_dir "${PROJECT_BINARY_DIR}/single_header_forward")
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/include" "include/*.hpp")
list(REMOVE_ITEM headers dovetail/dovetail.hpp)
foreach(header IN LISTS headers)
    file(CONFIGURE OUTPUT "${forward_dir}/${header}" CONTENT "#include <dovetail/dovetail.hpp>\n")
endforeach()
set(dovetail_include_dirs "${PROJECT_SOURCE_DIR}/single_include" "${forward_dir}")
