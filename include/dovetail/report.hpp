#pragma once
/// \file
/// Outcomes for people and programs to read.

#include <dovetail/report/agreement.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/axis.hpp>
#include <dovetail/report/basis.hpp>
#include <dovetail/report/figures.hpp>
#include <dovetail/report/gantt.hpp>
#include <dovetail/report/lanes.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/origin.hpp>
#include <dovetail/report/outcome_json.hpp>
#include <dovetail/report/page.hpp>
#include <dovetail/report/scatter.hpp>
#include <dovetail/report/schedule_chart.hpp>
#include <dovetail/report/schedule_page.hpp>
#include <dovetail/report/style.hpp>
#include <dovetail/report/svg.hpp>
#include <dovetail/report/trace.hpp>
