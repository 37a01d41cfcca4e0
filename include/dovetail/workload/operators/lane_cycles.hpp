#pragma once
/// \file
/// What one step costs on one lane of a vector core.
///
/// The figures are those of the vector core of PHAZE's estimator (Wang et al., ICML 2024): an arithmetic or
/// logical step is one cycle, a division ten, a transcendental function a table look-up with refinement.
/// Operators are priced as the sum of the steps that an element takes through them.

namespace dovetail::workload::op::lane {

inline constexpr int step = 1; ///< addition, product, comparison, choice, move
inline constexpr int division = 10;
inline constexpr int exponential = 15;
inline constexpr int logarithm = 15;
inline constexpr int power = 15;
inline constexpr int root = 15;
inline constexpr int error_function = 15;
inline constexpr int sigmoid = 12;
inline constexpr int sine = 13; ///< and cosine
inline constexpr int hyperbolic_tangent = 27;

} // namespace dovetail::workload::op::lane
