#pragma once
/// \file
/// The version, said here and nowhere else: the build reads this file.

/// Changes when something that worked stops compiling or changes its meaning.
#define DOVETAIL_VERSION_MAJOR 0
/// Changes when something is added.
#define DOVETAIL_VERSION_MINOR 1
/// Changes when something is mended.
#define DOVETAIL_VERSION_PATCH 0
