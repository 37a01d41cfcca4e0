#pragma once
/// \file
/// The chain program as a textbook has it: prefix sums and a table over suffixes, stages and single stages,
/// every cut tried, no bounds. The oracle for problems that are too large for trying every plan, and the
/// baseline of the benchmarks.

#include <dovetail/placement/layer_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::test {

/// The least time per batch of a chain when the first stage alone reduces its gradients; infinite where no
/// plan fits.
class textbook_program {
public:
    explicit textbook_program(const placement::layer_graph& problem) : problem_(problem) {}

    [[nodiscard]] double operator()() {
        for (const placement::width_costs& costs : problem_.widths) solve(costs);
        return best_;
    }

private:
    using row = std::vector<double>;

    [[nodiscard]] static row prefix_sums(const placement::width_costs& costs,
                                         double placement::layer::*field) {
        row sums{0.0};
        for (const placement::layer& l : costs.layers) sums.push_back(sums.back() + l.*field);
        return sums;
    }

    void solve(const placement::width_costs& costs) {
        const std::size_t n = costs.layers.size();
        const row forward = prefix_sums(costs, &placement::layer::forward_s);
        const row backward = prefix_sums(costs, &placement::layer::backward_s);
        const row resident = prefix_sums(costs, &placement::layer::resident_bytes);
        const row activation = prefix_sums(costs, &placement::layer::activation_bytes);
        const row stash = prefix_sums(costs, &placement::layer::stash_bytes);
        const row reduce = prefix_sums(costs, &placement::layer::reduce_bytes);
        row split{0.0};
        for (const placement::layer& l : costs.layers)
            split.push_back(split.back() + (l.tensor_parallel ? 1.0 : 0.0));
        const auto edge = [&](std::size_t v) { return v == 0 || v == n ? 0.0 : costs.edge_bytes[v - 1]; };
        const auto load = [&](std::size_t i, std::size_t j, std::size_t s) {
            const double in = edge(i) / problem_.link_bytes_per_s;
            const double out = edge(j) / problem_.link_bytes_per_s;
            const double repeated = problem_.recompute && s > 1 ? forward[j] - forward[i] : 0.0;
            return in + (forward[j] - forward[i]) + std::max(repeated, out) + (backward[j] - backward[i]);
        };
        const auto memory = [&](std::size_t i, std::size_t j, std::size_t s) {
            const double kept = problem_.recompute ? edge(i) : stash[j] - stash[i];
            return resident[j] - resident[i] + (activation[j] - activation[i]) +
                   static_cast<double>(s - 1) * kept;
        };
        const auto is_single = [&](std::size_t i, std::size_t j) { return split[i] == split[j]; };

        constexpr double infinity = std::numeric_limits<double>::infinity();
        // A split layer makes its stage as wide as the costs; a stage that has none runs on one device.
        const std::size_t most_single = costs.width == 1 ? 0 : n - static_cast<std::size_t>(split[n]);
        // table[s][q][i]: layers i ... in s stages, q of them on a single device.
        std::vector<std::vector<row>> table(n + 1, std::vector<row>(most_single + 1, row(n + 1, infinity)));
        table[0][0][n] = 0.0;
        for (std::size_t s = 1; s <= n; ++s)
            for (std::size_t q = 0; q <= std::min(s, most_single); ++q)
                for (std::size_t i = 0; i < n; ++i)
                    for (std::size_t j = i + 1; j <= n; ++j) {
                        const bool single = most_single > 0 && is_single(i, j);
                        if (single && q == 0) continue;
                        const double behind = table[s - 1][q - (single ? 1 : 0)][j];
                        if (behind == infinity || memory(i, j, s) > problem_.hbm_bytes) continue;
                        const double largest = std::max(load(i, j, s), behind);
                        table[s][q][i] = std::min(table[s][q][i], largest);
                        if (i > 0) continue;
                        const auto replica =
                            costs.width * static_cast<std::int64_t>(s - q) + static_cast<std::int64_t>(q);
                        for (std::int64_t d = 1;
                             d <= problem_.micro_batches && d * replica <= problem_.devices; ++d) {
                            const auto replicas = static_cast<double>(d);
                            const auto slots = static_cast<double>((problem_.micro_batches + d - 1) / d +
                                                                   static_cast<std::int64_t>(s) - 1);
                            best_ =
                                std::min(best_, largest * slots + 2.0 * (replicas - 1.0) * reduce[j] /
                                                                      (replicas * problem_.link_bytes_per_s));
                        }
                    }
    }

    const placement::layer_graph& problem_;
    double best_ = std::numeric_limits<double>::infinity();
};

} // namespace dovetail::test
