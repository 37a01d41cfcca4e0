#pragma once
/// \file
/// Integer linear programs as data.

#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/indicator.hpp>
#include <dovetail/ilp/lp_text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/mps_text.hpp>
#include <dovetail/ilp/progress.hpp>
#include <dovetail/ilp/relaxation.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/solution_text.hpp>
#include <dovetail/ilp/solver.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/ilp/text_names.hpp>
#include <dovetail/ilp/value_range.hpp>
#include <dovetail/ilp/variable.hpp>
#include <dovetail/ilp/verify.hpp>
