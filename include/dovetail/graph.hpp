#pragma once
/// \file
/// Directed graphs, without a word of any domain.

#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/disjoint_sets.hpp>
#include <dovetail/graph/longest_path.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/graph/reachability.hpp>
#include <dovetail/graph/strong_components.hpp>
