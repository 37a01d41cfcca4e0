#pragma once
/// \file
/// The version, said here and nowhere else: the build reads this file.

/// Changes when something that worked stops compiling or changes its meaning.
#define DOVETAIL_VERSION_MAJOR 0
/// Changes when something is added.
#define DOVETAIL_VERSION_MINOR 1
/// Changes when something is mended.
#define DOVETAIL_VERSION_PATCH 0

#define DOVETAIL_DETAIL_TEXT_OF(x) #x
#define DOVETAIL_DETAIL_VERSION_TEXT(major, minor, patch)                                                    \
    DOVETAIL_DETAIL_TEXT_OF(major) "." DOVETAIL_DETAIL_TEXT_OF(minor) "." DOVETAIL_DETAIL_TEXT_OF(patch)

/// The version as text, `"major.minor.patch"`.
#define DOVETAIL_VERSION_STRING                                                                              \
    DOVETAIL_DETAIL_VERSION_TEXT(DOVETAIL_VERSION_MAJOR, DOVETAIL_VERSION_MINOR, DOVETAIL_VERSION_PATCH)
