#pragma once
/// \file
/// Seeded random placement problems, and the oracle for the small ones: every plan there is.

#include <dovetail/core/random.hpp>
#include <dovetail/placement/verify.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::test {

/// What random problems look like.
struct problem_shape {
    std::int64_t max_layers = 7;
    std::int64_t max_devices = 24;
    double skip_density = 0.0;  ///< of edges that skip a layer
    double missing_links = 0.0; ///< share of the edges i -> i + 1 that are left out: the graph branches
    bool even = false;          ///< all layers alike but the first and last
};

/// Layers with whole bytes, some of cost 0, some unsplit; memory from far too little to plenty.
inline placement::layer_graph random_problem(random_source& random, const problem_shape& shape) {
    placement::layer_graph problem;
    const auto n = static_cast<std::size_t>(random.integer(1, shape.max_layers));
    for (graph::index i = 0; i < n; ++i)
        for (graph::index j = i + 1; j < n; ++j)
            if (j == i + 1 ? random.real() >= shape.missing_links : random.real() < shape.skip_density)
                problem.edges.push_back({i, j});
    problem.devices = random.integer(1, shape.max_devices);
    problem.micro_batches = random.integer(1, 40);
    problem.hbm_bytes = static_cast<double>(random.integer(20, 40 * static_cast<std::int64_t>(n) + 60));
    problem.link_bytes_per_s = random.real() < 0.1 ? 1e30 : random.real(1.0, 100.0);
    problem.recompute = random.real() < 0.5;
    const bool adam = random.real() < 0.5;
    const double unsplit = random.real() < 0.3 ? 0.0 : random.real();
    std::int64_t width = 0;
    for (std::int64_t more = random.integer(1, 3); more > 0; --more) {
        width += random.integer(1, 3);
        placement::width_costs costs;
        costs.width = width;
        for (std::size_t v = 0; v < n; ++v) {
            const auto parameters = static_cast<double>(random.integer(0, 20));
            placement::layer l{.forward_s = random.real() < 0.1 ? 0.0 : random.real(0.0, 2.0),
                               .backward_s = random.real(0.0, 3.0),
                               .update_s = random.real() < 0.3 ? 0.0 : random.real(0.0, 2.0),
                               .resident_bytes = (adam ? 3.0 : 2.0) * parameters,
                               .reduce_bytes = 2.0 * parameters,
                               .activation_bytes = static_cast<double>(random.integer(0, 20)),
                               .stash_bytes = static_cast<double>(random.integer(0, 20)),
                               .tensor_parallel = width > 1 && random.real() >= unsplit};
            if (shape.even && v > 1 && v + 1 < n) l = costs.layers.back();
            costs.layers.push_back(l);
        }
        for (std::size_t e = 0; e < problem.edges.size(); ++e)
            costs.edge_bytes.push_back(static_cast<double>(random.integer(0, shape.even ? 3 : 60)));
        problem.widths.push_back(costs);
    }
    return problem;
}

/// The best of all plans, found by trying each.
struct oracle_answer {
    double time_per_batch_s = std::numeric_limits<double>::infinity();
    double smallest_hbm_bytes = std::numeric_limits<double>::infinity();
    std::int64_t fewest_devices = std::numeric_limits<std::int64_t>::max(); ///< whatever the memory
};

/// Tries all widths, assignments of layers to numbered stages and data-parallel degrees.
inline oracle_answer try_every_plan(const placement::layer_graph& problem, placement::objective charge) {
    oracle_answer best;
    const std::size_t n = problem.layer_count();
    std::vector<std::size_t> stage_of(n, 0);
    const auto try_assignment = [&](std::size_t stages) {
        for (const placement::width_costs& costs : problem.widths) {
            const placement::plan_evaluator evaluate(problem, costs, stage_of, stages);
            std::int64_t replica = 0;
            double memory = 0.0;
            for (std::size_t s = 0; s < stages; ++s) {
                replica += evaluate.devices(s);
                memory = std::max(memory, evaluate.memory_bytes(s));
            }
            best.fewest_devices = std::min(best.fewest_devices, replica);
            if (replica > problem.devices) continue;
            best.smallest_hbm_bytes = std::min(best.smallest_hbm_bytes, memory);
            if (memory > problem.hbm_bytes) continue;
            for (std::int64_t d = 1; d <= problem.micro_batches && d * replica <= problem.devices; ++d)
                best.time_per_batch_s = std::min(best.time_per_batch_s, evaluate.time_per_batch_s(d, charge));
        }
    };
    const auto assign = [&](const auto& self, std::size_t v, std::size_t stages) -> void {
        if (v == n) {
            std::vector<bool> used(stages, false);
            for (const std::size_t s : stage_of) used[s] = true;
            if (std::find(used.begin(), used.end(), false) == used.end()) try_assignment(stages);
            return;
        }
        std::size_t first = 0;
        for (const graph::arc& a : problem.edges)
            if (a.target == v) first = std::max(first, stage_of[a.source]);
        for (std::size_t s = first; s < stages; ++s) {
            stage_of[v] = s;
            self(self, v + 1, stages);
        }
    };
    for (std::size_t stages = 1; stages <= n; ++stages) assign(assign, 0, stages);
    return best;
}

} // namespace dovetail::test
