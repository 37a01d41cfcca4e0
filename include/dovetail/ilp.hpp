#pragma once
/// \file
/// Integer linear programs as data.

#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/lp_text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/solver.hpp>
#include <dovetail/ilp/variable.hpp>
#include <dovetail/ilp/verify.hpp>
