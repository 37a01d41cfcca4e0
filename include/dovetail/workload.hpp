#pragma once
/// \file
/// Models as graphs of operators.

#include <dovetail/workload/attributes.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/operators/collective.hpp>
#include <dovetail/workload/operators/contraction.hpp>
#include <dovetail/workload/operators/elementwise.hpp>
#include <dovetail/workload/operators/movement.hpp>
#include <dovetail/workload/operators/normalization.hpp>
#include <dovetail/workload/operators/reduction.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>
#include <dovetail/workload/operators/view.hpp>
#include <dovetail/workload/tensor.hpp>
#include <dovetail/workload/work.hpp>
