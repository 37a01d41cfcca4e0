#pragma once
/// \file
/// The door to GLPK.

#include <dovetail/ext/glpk/solver.hpp>
