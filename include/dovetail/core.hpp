#pragma once
/// \file
/// What every room stands on.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/csv.hpp>
#include <dovetail/core/error.hpp>
#include <dovetail/core/fixed_string.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/core/parallel.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/core/read_file.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/core/statistics.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
