# Debian packages: the command line, what compiles with the library, and the pages. `./dev package` makes them.
set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_VENDOR "The Dovetail authors")
# As Debian's own tools do: whoever packages says who that is.
set(CPACK_PACKAGE_CONTACT "The Dovetail authors <dovetail@localhost>")
if(DEFINED ENV{DEBEMAIL})
    set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL command_line development documentation)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# The first line of a description is its summary; no line is longer than a terminal is wide.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(about "Dovetail takes a neural network and finds the accelerator to train it
on and the way to spread it over many of them, together: every design of a
family, its area and its power, and the best training plan on it.")
set(CPACK_DEBIAN_COMMAND_LINE_PACKAGE_NAME dovetail)
set(CPACK_DEBIAN_COMMAND_LINE_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMMAND_LINE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMMAND_LINE_PACKAGE_SUGGESTS dovetail-doc)
set(CPACK_DEBIAN_COMMAND_LINE_DESCRIPTION "accelerators and training plans, found together
${about}")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libdovetail-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_ARCHITECTURE all)
# Each opens a door; the library needs none of them.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS
    "libboost-dev, libglpk-dev, libeigen3-dev, nlohmann-json3-dev, libonnx-dev, libprotobuf-dev, dovetail-doc")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "accelerators and training plans, found together - C++20 headers
${about}
This package holds the headers, one header that is all of them, and what
CMake and pkg-config find them by.")

set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_NAME dovetail-doc)
set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_SECTION doc)
set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DOCUMENTATION_DESCRIPTION "accelerators and training plans, found together - pages
${about}
This package holds a page a model: equation, symbols, units, source and
validity.")

# What Debian's policy asks of every package, at the places that it names.
set(CPACK_DOVETAIL_SOURCE_DIR "${PROJECT_SOURCE_DIR}")
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/debian_policy.cmake")
include(CPack)
