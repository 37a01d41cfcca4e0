include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/dovetail")
target_include_directories(dovetail INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
# The components are `development`, `documentation` and, where examples/cli is built, `command_line`.
install(DIRECTORY include/dovetail DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
    FILES_MATCHING PATTERN "*.hpp")
# Beside the others and not among them: there <dovetail/dovetail.hpp> is the umbrella.
install(FILES single_include/dovetail/dovetail.hpp COMPONENT development
    DESTINATION "${CMAKE_INSTALL_DATADIR}/dovetail/single_include/dovetail")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT documentation)
install(DIRECTORY docs DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT documentation FILES_MATCHING PATTERN "*.md")

# One export a component: a package that asks for one door never sees the target of another.
foreach(component IN ITEMS dovetail ${DOVETAIL_ALL_DOORS})
    set(targets dovetail_${component})
    if(component STREQUAL "dovetail")
        set(targets dovetail dovetail_precompiled)
    endif()
    install(TARGETS ${targets} EXPORT dovetail_${component})
    install(EXPORT dovetail_${component} NAMESPACE dovetail:: DESTINATION "${package_dir}"
        COMPONENT development FILE dovetail-${component}-targets.cmake)
endforeach()

configure_package_config_file(cmake/dovetail-config.cmake.in dovetail-config.cmake
    INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(dovetail-config-version.cmake
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
    "${PROJECT_BINARY_DIR}/dovetail-config.cmake"
    "${PROJECT_BINARY_DIR}/dovetail-config-version.cmake"
    cmake/dovetail-doors.cmake cmake/FindGLPK.cmake cmake/FindOnnxProto.cmake
    DESTINATION "${package_dir}" COMPONENT development)

set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
file(RELATIVE_PATH prefix_from_pkgconfig "/${pkgconfig_dir}" "/")
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
configure_file(cmake/dovetail.pc.in dovetail.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/dovetail.pc" DESTINATION "${pkgconfig_dir}" COMPONENT development)
