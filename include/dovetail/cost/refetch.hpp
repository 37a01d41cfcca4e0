#pragma once
/// \file
/// What a product fetches from the HBM again because the global buffer does not hold it.

#include <dovetail/hardware/platform.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace dovetail::cost {

namespace detail {

/// The largest integer whose square is at most `value` < 2^52. The standard library's square root is no
/// constant expression; both ways end in the same integer.
[[nodiscard]] constexpr double whole_square_root(double value) {
    double root = value;
    if (std::is_constant_evaluated()) {
        for (double next = (root + 1.0) / 2.0; next < root; next = (next + value / next) / 2.0) root = next;
    } else {
        root = std::sqrt(value);
    }
    root = static_cast<double>(static_cast<std::int64_t>(root));
    while (root * root > value) root -= 1.0;
    while ((root + 1.0) * (root + 1.0) <= value) root += 1.0;
    return root;
}

/// Blocks of at most `size` >= 1 that cover `extent`, both whole numbers below 2^53.
[[nodiscard]] constexpr double blocks(double extent, double size) {
    const double count = extent / size;
    const auto whole = static_cast<double>(static_cast<std::int64_t>(count));
    return whole < count ? whole + 1.0 : whole;
}

} // namespace detail

/// How often the operands of a product cross the border to a smaller memory, each counted in whole reads.
struct operand_reads {
    double rows_operand = 1;    ///< of the (rows x reduction) operand
    double columns_operand = 1; ///< of the (reduction x columns) operand
};

/// The fewest reads of the operands through a memory that keeps `kept_elements` of a product at a time, while
/// as many stream through it: the best of keeping a panel of either operand for the whole reduction, or a
/// block of partial sums of `sum_elements` elements each. Once each where an operand fits. \complexity O(1).
[[nodiscard]] constexpr operand_reads reads_through(const workload::contraction& product,
                                                    double kept_elements, double sum_elements) {
    const auto m = static_cast<double>(product.rows);
    const auto k = static_cast<double>(product.reduction);
    const auto n = static_cast<double>(product.columns);
    if (std::min(m, n) * k <= kept_elements) return {};
    operand_reads best;
    double least = std::numeric_limits<double>::infinity();
    const auto consider = [&](double rows_operand, double columns_operand) {
        const double elements = m * k * rows_operand + k * n * columns_operand;
        if (elements >= least) return;
        least = elements;
        best = {rows_operand, columns_operand};
    };
    const double sums = kept_elements / sum_elements;
    const double side = std::max(1.0, detail::whole_square_root(sums));
    // A block that spans all rows may be as much wider as it is lower, and the other way round.
    const auto spanning = [&](double extent) {
        return std::max(side, static_cast<double>(static_cast<std::int64_t>(sums / extent)));
    };
    consider(detail::blocks(n, spanning(m)), detail::blocks(m, spanning(n)));
    const auto panel = static_cast<double>(static_cast<std::int64_t>(kept_elements / k));
    if (panel >= 1) {
        consider(detail::blocks(n, panel), 1.0);
        consider(1.0, detail::blocks(m, panel));
    }
    return best;
}

/// Elements that a product reads from the HBM beyond once each, through a global buffer of `glb_bytes`, half
/// of which keeps a block while the other half streams.
///
/// \param operand_elements  the distinct elements of both operands. An implicit product of a convolution
/// names
///                          an input several times over; the HBM then has only its share.
template <hardware::platform P>
[[nodiscard]] constexpr double refetched_elements(const workload::contraction& product,
                                                  double operand_elements, std::int64_t glb_bytes) {
    constexpr double sum_elements =
        static_cast<double>(P::partial_sum_bytes) / static_cast<double>(P::element_bytes);
    const double kept = static_cast<double>(glb_bytes) / 2.0 / static_cast<double>(P::element_bytes);
    const operand_reads reads = reads_through(product, kept, sum_elements);
    const auto m = static_cast<double>(product.rows);
    const auto n = static_cast<double>(product.columns);
    // Both operands have the reduction and the batch in common: shares of m + n are shares of their elements.
    const double beyond = m * (reads.rows_operand - 1.0) + n * (reads.columns_operand - 1.0);
    return beyond > 0 ? operand_elements * beyond / (m + n) : 0.0;
}

} // namespace dovetail::cost
