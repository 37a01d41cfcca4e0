#pragma once
/// \file
/// The door to GLPK.

#include <dovetail/ext/glpk/environment.hpp>
#include <dovetail/ext/glpk/problem.hpp>
#include <dovetail/ext/glpk/solver.hpp>
