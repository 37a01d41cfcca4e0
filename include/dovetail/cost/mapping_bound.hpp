#pragma once
/// \file
/// What no mapping of an operator can beat, whatever its tiles, blocks and loop orders.

#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace dovetail::cost {

namespace detail {

/// Words that cross a border at least: read, written, and both together.
struct least_words {
    double read, written, both;

    constexpr explicit least_words(const moved_words& moved)
        : read(moved.read), written(moved.written), both(moved.read + moved.written) {}

    [[nodiscard]] constexpr double cycles(const memory_level& level) const {
        return moved_words{read, written}.cycles(level);
    }
};

[[nodiscard]] constexpr double square_root(double value) {
    if (!std::is_constant_evaluated()) return std::sqrt(value);
    double root = value > 1 ? value : 1;
    for (double next = (root + value / root) / 2; next < root; next = (root + value / root) / 2) root = next;
    return root;
}

/// Takes off what rounding may have added to a sum of a few terms.
[[nodiscard]] constexpr double below(double value) noexcept { return value * (1 - 1e-12); }

/// The least of weight_a / a + weight_b / b over 0 < a <= most_a, 0 < b <= most_b with a * b <= area.
[[nodiscard]] constexpr double least_pair(double weight_a, double most_a, double weight_b, double most_b,
                                          double area) {
    if (most_a * most_b <= area) return weight_a / most_a + weight_b / most_b;
    // On the hyperbola; convex in a, so the best is where the derivative is zero or at an end.
    if (weight_a * area > most_a * most_a * weight_b) return weight_a / most_a + weight_b * most_a / area;
    if (weight_b * area > most_b * most_b * weight_a) return weight_b / most_b + weight_a * most_b / area;
    return 2 * square_root(weight_a * weight_b / area);
}

/// Parts of a product that a memory of `words` holds: elements of rows m, columns n and reduction k, with
/// m * k and k * n at most `words` and m * n sums of `sum_words` each.
struct part_limits {
    double rows, columns, reduction;
    double words, sum_words;

    /// At least 1/m + 1/n + weight/k.
    [[nodiscard]] constexpr double least_reads(double weight) const {
        const double sums = words / sum_words;
        const double mk = least_pair(1, rows, weight, reduction, words);
        const double nk = least_pair(1, columns, weight, reduction, words);
        const double mn = least_pair(1, rows, 1, columns, sums);
        // Each pair by itself with the third at its limit, or half of the three pairs together.
        return below(
            std::max({mk + 1 / columns, nk + 1 / rows, mn + weight / reduction, (mk + nk + mn) / 2}));
    }
    /// At least the words of a border where one operand stays: the smallest of three sums.
    [[nodiscard]] constexpr double least_moved(double macs, double inputs, double weights, double results,
                                               double visit_words) const {
        const double weights_stay = weights +
                                    macs * below(least_pair(1, columns, visit_words, reduction, words)) -
                                    visit_words * results;
        const double inputs_stay =
            inputs + macs * below(least_pair(1, rows, visit_words, reduction, words)) - visit_words * results;
        const double sums_stay = macs * below(least_pair(1, rows, 1, columns, words / sum_words));
        return std::max(inputs + weights, std::min({weights_stay, inputs_stay, sums_stay}));
    }
};

} // namespace detail

/// The least cycles, energy and their product.
struct mapping_limit {
    double cycles = 0;
    double energy_pj = 0;
    [[nodiscard]] constexpr double edp() const noexcept { return cycles * energy_pj; }
};

/// A lower bound for every mapping whose tiles and blocks fit, of any size and in any order.
///
/// Tiles of m x k inputs, k x n weights and m x n sums in a memory of S words have mk, kn, mn <= S, so that
/// the reads MNK (1/m + 1/n + 1/k) - MN are at least 3 MNK / sqrt(S) - MN (the argument of Hong and Kung,
/// STOC 1981), and more where an extent is short. A product of 4096 x 4096 x 4096 meets the bound on PHAZE's
/// arrays of 64, 128 and 256 units a side. \complexity O(1), no allocation.
template <class Hardware>
[[nodiscard]] constexpr mapping_limit mapping_bound(const Hardware& hardware, const mapped_product& op) {
    const auto real = detail::operand_words::real;
    const workload::contraction p = op.product();
    const double macs = p.macs();
    const double inputs = real(p.batch) * real(p.rows) * real(p.reduction);
    const double weights = real(p.batch) * real(p.reduction) * real(p.columns);
    const double results = real(p.batch) * real(p.rows) * real(p.columns);
    const double s = hardware.sum_words;
    const auto limits = [&](const memory_level& level) {
        return detail::part_limits{real(p.rows), real(p.columns), real(p.reduction), level.usable_words(), s};
    };
    const auto cycles = [](const memory_level& level, double read, double written) {
        return moved_words{read, written}.cycles(level);
    };
    const detail::part_limits tile = limits(hardware.local);
    const detail::part_limits block = limits(hardware.global);
    // A visit of a sum is a read; for the energy, a read and a write.
    const double local = macs * tile.least_reads(s) - s * results;
    const double local_both = macs * tile.least_reads(2 * s) - 2 * s * results + results;
    const double global = tile.least_moved(macs, inputs, weights, results, s);
    const double global_both = tile.least_moved(macs, inputs, weights, results, 2 * s) + results;
    const double dram = block.least_moved(macs, inputs, weights, results, s);
    const double dram_both = block.least_moved(macs, inputs, weights, results, 2 * s) + results;
    const double compute = macs / (real(hardware.cores) * real(hardware.width) * real(hardware.depth));
    const double share = hardware.local_per_core ? detail::below(1 / real(hardware.cores)) : 1;
    return {
        .cycles = std::max({compute, cycles(hardware.local, local, results) * share,
                            cycles(hardware.global, global, results), cycles(hardware.dram, dram, results)}),
        .energy_pj = macs * (hardware.mac_pj + hardware.register_pj) + local_both * hardware.local.word_pj +
                     global_both * hardware.global.word_pj + dram_both * hardware.dram.word_pj};
}

} // namespace dovetail::cost
