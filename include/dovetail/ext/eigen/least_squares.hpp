#pragma once
/// \file
/// A handful of positive numbers, fitted to measurements by damped least squares.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace dovetail::ext::eigen {

/// A positive number to fit, and what is known of it before: its logarithm is expected within `log_spread` of
/// that of `expected`. Bounds that are equal fix it.
struct unknown {
    std::string_view name;
    double expected = 1.0;
    double log_spread = 1.0;
    double lowest = 1e-30;
    double highest = 1e30;
};

/// A number after the fit.
struct fitted_number {
    double value = 0.0;
    double log_spread = 0.0; ///< what is left of the unknown's after the measurements
    bool identified = false; ///< whether they say more of it than was known before
};

/// Numbers in the order of the unknowns.
struct fit {
    std::vector<fitted_number> numbers;
    double cost = 0.0; ///< the sum that was minimised
    std::int64_t iterations = 0;
    bool converged = false;

    [[nodiscard]] std::vector<double> values() const {
        std::vector<double> all;
        for (const fitted_number& number : numbers) all.push_back(number.value);
        return all;
    }
};

/// What compares predictions with measurements: for a value of every unknown, the logarithm of predicted over
/// measured of every measurement.
template <class Function>
concept log_ratios = requires(Function function, array_view<const double> values) {
    { function(values) } -> std::convertible_to<std::vector<double>>;
};

/// Levenberg and Marquardt's method (Marquardt, SIAM J. Appl. Math. 11, 1963) on the logarithms of the
/// unknowns, which keeps them positive. What is known before counts as one measurement of every unknown, so
/// that a number that the measurements do not touch keeps its expected value. Large residuals count less: for
/// a ratio r in units of `noise`, 2 (sqrt(1 + r^2) - 1) instead of r^2 (soft L1). Where a model is the larger
/// of two terms, the smaller has no slope: the method begins at the expected numbers and, in turn, with each
/// of them smaller by its spread, and keeps the best.
struct levenberg_marquardt {
    double noise = 0.03;           ///< of a measurement, relative
    double tolerance = 1e-7;       ///< relative decrease of the cost at which the fit ends
    std::int64_t iterations = 200; ///< at most, of each start
    double step = 1e-4;            ///< of the differences that stand for derivatives, in the logarithm

    static constexpr auto table() {
        using o = levenberg_marquardt;
        return std::tuple{
            option<o, double>{"noise", "of a measurement, relative", &o::noise, 1e-9, 10},
            option<o, double>{"tolerance", "relative decrease at which the fit ends", &o::tolerance, 0, 1},
            option<o, std::int64_t>{"iterations", "at most", &o::iterations, 1, 1000000},
            option<o, double>{"step", "of differences, in the logarithm", &o::step, 1e-12, 1},
        };
    }

    /// Fits `unknowns` to what `ratios` compares with. It is called with values within the bounds alone.
    /// \returns errc::out_of_range for options, bounds or spreads that make no sense, for no measurement, or
    ///          for ratios that are not finite where the fit begins; errc::unsupported where the measurements
    ///          identify no unknown at all.
    /// \complexity O(iterations x unknowns x (unknowns calls of `ratios` + measurements x unknowns^2 +
    ///             unknowns^3)).
    template <log_ratios Function>
    [[nodiscard]] result<fit> operator()(array_view<const unknown> unknowns, Function&& ratios) const {
        if (auto valid = validate(*this); !valid) return valid.problem();
        for (const unknown& u : unknowns)
            if (!(u.lowest > 0 && u.lowest <= u.expected && u.expected <= u.highest && u.log_spread > 0 &&
                  std::isfinite(u.highest) && std::isfinite(u.log_spread)))
                return error{errc::out_of_range, "unknown '" + std::string(u.name) + "'",
                             "it is expected at " + to_text(u.expected) + " within a spread of " +
                                 to_text(u.log_spread),
                             "it is expected within positive bounds, and the spread is positive"};
        const Eigen::VectorXd expected = logarithms(unknowns);
        state begin{expected, {}, 0};
        evaluate(begin, unknowns, ratios);
        if (begin.ratios.empty())
            return error{errc::out_of_range, "least squares", "there is no measurement", "give at least one"};
        if (!std::isfinite(begin.cost))
            return error{errc::out_of_range, "least squares", "a predicted or measured value is not positive",
                         "both are positive and finite"};
        fit best = descend(std::move(begin), unknowns, ratios);
        for (std::size_t i = 0; i < unknowns.size(); ++i) {
            const auto c = static_cast<Eigen::Index>(i);
            state lower{expected, {}, 0};
            lower.logs[c] = std::max(lower.logs[c] - unknowns[i].log_spread, std::log(unknowns[i].lowest));
            evaluate(lower, unknowns, ratios);
            if (!std::isfinite(lower.cost)) continue;
            fit other = descend(std::move(lower), unknowns, ratios);
            if (other.cost < best.cost) best = std::move(other);
        }
        if (std::none_of(best.numbers.begin(), best.numbers.end(),
                         [](const fitted_number& number) { return number.identified; }))
            return error{errc::unsupported, "least squares", "the measurements identify none of the unknowns",
                         "measure what depends on them"};
        return best;
    }

private:
    struct state {
        Eigen::VectorXd logs;
        std::vector<double> ratios;
        double cost;
    };

    static Eigen::VectorXd logarithms(array_view<const unknown> unknowns) {
        Eigen::VectorXd logs(static_cast<Eigen::Index>(unknowns.size()));
        for (std::size_t i = 0; i < unknowns.size(); ++i)
            logs[static_cast<Eigen::Index>(i)] = std::log(unknowns[i].expected);
        return logs;
    }

    // The exponential of a bound's logarithm may miss it by a rounding.
    static std::vector<double> values(const Eigen::VectorXd& logs, array_view<const unknown> unknowns) {
        std::vector<double> all;
        for (std::size_t i = 0; i < unknowns.size(); ++i)
            all.push_back(std::clamp(std::exp(logs[static_cast<Eigen::Index>(i)]), unknowns[i].lowest,
                                     unknowns[i].highest));
        return all;
    }

    template <class Function>
    void evaluate(state& at, array_view<const unknown> unknowns, Function& ratios) const {
        const std::vector<double> all = values(at.logs, unknowns);
        at.ratios = ratios(array_view<const double>(all));
        at.cost = 0;
        for (const double ratio : at.ratios)
            at.cost += 2 * (std::sqrt(1 + ratio / noise * (ratio / noise)) - 1);
        for (std::size_t i = 0; i < unknowns.size(); ++i) {
            const double off = away(at.logs, unknowns, i) / unknowns[i].log_spread;
            at.cost += off * off;
        }
    }

    static double away(const Eigen::VectorXd& logs, array_view<const unknown> unknowns, std::size_t i) {
        return logs[static_cast<Eigen::Index>(i)] - std::log(unknowns[i].expected);
    }

    template <class Function>
    fit descend(state at, array_view<const unknown> unknowns, Function& ratios) const {
        fit found;
        Eigen::MatrixXd normal;
        Eigen::VectorXd gradient;
        linearise(at, unknowns, ratios, normal, gradient);
        double damping = 1e-3;
        while (!found.converged && found.iterations < iterations) {
            ++found.iterations;
            state next{moved(at.logs, unknowns, normal, gradient, damping), {}, 0};
            evaluate(next, unknowns, ratios);
            if (!(next.cost < at.cost)) { // NaN is no progress
                damping *= 4;
                found.converged = damping > 1e6; // steps of a millionth lead nowhere
                continue;
            }
            found.converged = at.cost - next.cost <= tolerance * at.cost;
            at = std::move(next);
            damping = std::max(damping / 3, 1e-12);
            linearise(at, unknowns, ratios, normal, gradient);
        }
        found.cost = at.cost;
        describe(found, at, unknowns, normal);
        return found;
    }

    // The normal equations of the reweighted residuals around `at`, what is known before included.
    template <class Function>
    void linearise(const state& at, array_view<const unknown> unknowns, Function& ratios,
                   Eigen::MatrixXd& normal, Eigen::VectorXd& gradient) const {
        const auto count = static_cast<Eigen::Index>(unknowns.size());
        const auto rows = static_cast<Eigen::Index>(at.ratios.size());
        Eigen::MatrixXd slopes(rows, count);
        Eigen::VectorXd residuals(rows);
        Eigen::VectorXd weights(rows);
        for (Eigen::Index r = 0; r < rows; ++r) {
            residuals[r] = at.ratios[static_cast<std::size_t>(r)] / noise;
            weights[r] = 1 / std::sqrt(1 + residuals[r] * residuals[r]);
        }
        for (Eigen::Index c = 0; c < count; ++c) {
            // Towards the inside where the number lies on its upper bound.
            const unknown& u = unknowns[static_cast<std::size_t>(c)];
            const double by = at.logs[c] + step > std::log(u.highest) ? -step : step;
            Eigen::VectorXd logs = at.logs;
            logs[c] += by;
            const std::vector<double> all = values(logs, unknowns);
            const std::vector<double> there = ratios(array_view<const double>(all));
            for (Eigen::Index r = 0; r < rows; ++r) {
                const auto row = static_cast<std::size_t>(r);
                slopes(r, c) = (there[row] - at.ratios[row]) / (by * noise);
            }
        }
        normal = slopes.transpose() * weights.asDiagonal() * slopes;
        gradient = slopes.transpose() * weights.cwiseProduct(residuals);
        for (Eigen::Index c = 0; c < count; ++c) {
            const auto i = static_cast<std::size_t>(c);
            const double precision = 1 / (unknowns[i].log_spread * unknowns[i].log_spread);
            normal(c, c) += precision;
            gradient[c] += precision * away(at.logs, unknowns, i);
        }
    }

    // A damped step, cut off at the bounds. A number that leaves its bounds is held there, and the step of
    // the others is found anew.
    static Eigen::VectorXd moved(const Eigen::VectorXd& from, array_view<const unknown> unknowns,
                                 const Eigen::MatrixXd& normal, const Eigen::VectorXd& gradient,
                                 double damping) {
        const Eigen::Index count = from.size();
        Eigen::VectorXd to = from;
        std::vector<bool> held(unknowns.size(), false);
        for (Eigen::Index round = 0; round <= count; ++round) {
            Eigen::MatrixXd left = normal;
            left.diagonal() *= 1 + damping;
            Eigen::VectorXd right = -gradient;
            for (Eigen::Index c = 0; c < count; ++c) {
                if (!held[static_cast<std::size_t>(c)]) continue;
                right -= left.col(c) * (to[c] - from[c]);
                left.row(c).setZero();
                left.col(c).setZero();
                left(c, c) = 1;
                right[c] = to[c] - from[c];
            }
            to = from + left.ldlt().solve(right);
            bool inside = true;
            for (Eigen::Index c = 0; c < count; ++c) {
                const unknown& u = unknowns[static_cast<std::size_t>(c)];
                const double cut = std::clamp(to[c], std::log(u.lowest), std::log(u.highest));
                if (cut == to[c] || held[static_cast<std::size_t>(c)]) continue;
                to[c] = cut;
                held[static_cast<std::size_t>(c)] = true;
                inside = false;
            }
            if (inside) break;
        }
        return to;
    }

    // The spreads that are left, from the inverse of the normal equations; a number is identified where at
    // most half of its spread is.
    static void describe(fit& found, const state& at, array_view<const unknown> unknowns,
                         const Eigen::MatrixXd& normal) {
        const Eigen::Index count = at.logs.size();
        const Eigen::MatrixXd covariance = normal.ldlt().solve(Eigen::MatrixXd::Identity(count, count));
        const std::vector<double> all = values(at.logs, unknowns);
        for (std::size_t i = 0; i < unknowns.size(); ++i) {
            const auto c = static_cast<Eigen::Index>(i);
            const double left = std::sqrt(covariance(c, c));
            const bool fixed = unknowns[i].lowest == unknowns[i].highest;
            found.numbers.push_back({all[i], left, !fixed && left <= unknowns[i].log_spread / 2});
        }
    }
};

} // namespace dovetail::ext::eigen
