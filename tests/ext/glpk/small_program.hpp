#pragma once
/// \file
/// Integer programs that are small enough to try every assignment.

#include <dovetail/core/random.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/model.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::test {

/// A random program over small boxes, solved by enumeration.
struct small_program {
    ilp::model m;
    double optimum = ilp::infinity;  ///< infinity where infeasible
    std::vector<double> first, best; ///< feasible values, the first that enumeration meets and the best

    explicit small_program(random_source& random) {
        const auto count = static_cast<std::size_t>(random.integer(1, 5));
        std::vector<ilp::variable> x;
        std::vector<std::vector<double>> grid;
        for (std::size_t k = 0; k < count; ++k) {
            const bool binary = random.real() < 0.4;
            const std::int64_t low = binary ? 0 : random.integer(-2, 1);
            const std::int64_t high = binary ? 1 : low + random.integer(0, 3);
            x.push_back(binary ? m.add_binary('x' + to_text(k))
                               : m.add_integer(static_cast<double>(low), static_cast<double>(high),
                                               'x' + to_text(k)));
            grid.emplace_back();
            for (std::int64_t v = low; v <= high; ++v) grid.back().push_back(static_cast<double>(v));
        }
        const bool up = random.real() < 0.5;
        std::vector<double> cost(count);
        ilp::expression objective = static_cast<double>(random.integer(-3, 3));
        const double offset = objective.constant();
        for (std::size_t k = 0; k < count; ++k) {
            cost[k] = static_cast<double>(random.integer(-5, 5));
            objective += cost[k] * x[k];
        }
        up ? m.maximize(objective) : m.minimize(objective);
        struct line {
            std::vector<double> a;
            std::int64_t sense;
            double b;
        };
        std::vector<line> lines(static_cast<std::size_t>(random.integer(1, 4)));
        for (line& l : lines) {
            ilp::expression left;
            for (std::size_t k = 0; k < count; ++k) {
                l.a.push_back(static_cast<double>(random.integer(-4, 4)));
                left += l.a.back() * x[k];
            }
            l.sense = random.integer(0, 4);
            l.b = static_cast<double>(random.integer(-6, 6));
            if (l.sense == 0) m.add_constraint(left == l.b);
            if (l.sense == 1 || l.sense == 2) m.add_constraint(left <= l.b);
            if (l.sense == 3 || l.sense == 4) m.add_constraint(left >= l.b);
        }
        std::vector<std::size_t> at(count, 0);
        for (;;) {
            bool good = true;
            for (const line& l : lines) {
                double left = 0;
                for (std::size_t k = 0; k < count; ++k) left += l.a[k] * grid[k][at[k]];
                good &= l.sense == 0 ? left == l.b : l.sense < 3 ? left <= l.b : left >= l.b;
            }
            double value = offset;
            for (std::size_t k = 0; k < count; ++k) value += cost[k] * grid[k][at[k]];
            if (good && (best.empty() || (up ? value > optimum : value < optimum))) {
                optimum = value;
                best.clear();
                for (std::size_t k = 0; k < count; ++k) best.push_back(grid[k][at[k]]);
                if (first.empty()) first = best;
            }
            std::size_t k = 0;
            while (k < count && ++at[k] == grid[k].size()) at[k++] = 0;
            if (k == count) break;
        }
    }
};

} // namespace dovetail::test
