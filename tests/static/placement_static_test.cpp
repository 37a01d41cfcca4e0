#include <dovetail/placement/chain_program.hpp>

#include <cstddef>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

// Eight equal layers of which a device holds two: 16 devices make four stages on four replicas.
constexpr auto even_chain() {
    fixed_layer_chain<8> problem;
    link_as_chain(problem.edges);
    problem.devices = 16;
    problem.micro_batches = 32;
    problem.hbm_bytes = 20.0;
    problem.link_bytes_per_s = 4.0;
    for (layer& l : problem.widths[0].layers)
        l = {.forward_s = 1.0, .backward_s = 2.0, .resident_bytes = 10.0, .reduce_bytes = 8.0};
    for (double& bytes : problem.widths[0].edge_bytes) bytes = 1.0;
    return problem;
}

constexpr auto even_plan = chain_program{.charge = objective::phaze}(even_chain());
static_assert(even_plan.outcome == status::optimal);
static_assert(even_plan.stages.size() == 4);
static_assert(even_plan.data_parallel == 4);
static_assert(even_plan.devices() == 16);
static_assert(even_plan.heaviest_stage() == 1);
static_assert(even_plan.stages[1].load_s == 2 * 3.0 + 0.25 + 0.25);
static_assert(even_plan.time_per_batch_s == 6.5 * (32 / 4 + 4 - 1) + 2.0 * 3.0 / 4.0 * 16.0 / 4.0);

// Two widths, a head that is not split and recomputation, every stage paying for its gradients.
constexpr auto uneven_chain(double hbm_bytes) {
    fixed_layer_chain<8, 2> problem;
    link_as_chain(problem.edges);
    problem.devices = 32;
    problem.micro_batches = 64;
    problem.hbm_bytes = hbm_bytes;
    problem.link_bytes_per_s = 16.0;
    problem.recompute = true;
    for (std::size_t w = 0; w < 2; ++w) {
        const double share = w == 0 ? 1.0 : 0.25;
        auto& costs = problem.widths[w];
        costs.width = w == 0 ? 1 : 4;
        for (std::size_t v = 0; v < costs.layers.size(); ++v) {
            const bool head = v + 1 == costs.layers.size();
            const double size = (head ? 1.0 : share) * static_cast<double>(v % 3 + 1);
            costs.layers[v] = {.forward_s = size,
                               .backward_s = 2.0 * size,
                               .update_s = 0.5 * size,
                               .resident_bytes = 12.0 * size,
                               .reduce_bytes = 2.0 * size,
                               .activation_bytes = 3.0 * size,
                               .stash_bytes = 3.0 * size,
                               .tensor_parallel = w == 1 && !head};
        }
        for (double& bytes : costs.edge_bytes) bytes = 2.0;
    }
    return problem;
}

constexpr auto roomy = chain_program{}(uneven_chain(1000.0));
constexpr auto tight = chain_program{}(uneven_chain(40.0));
constexpr auto hopeless = chain_program{}(uneven_chain(20.0));
static_assert(roomy.outcome == status::optimal && tight.outcome == status::optimal);
static_assert(roomy.tensor_parallel == 1 && tight.tensor_parallel == 4);
static_assert(tight.stages.size() > roomy.stages.size());
static_assert(tight.time_per_batch_s > roomy.time_per_batch_s);
static_assert(tight.stages[tight.stages.size() - 1].memory_bytes <= 40.0);
static_assert(hopeless.outcome == status::infeasible && hopeless.stages.empty());

// Vectors do as well, as long as they do not outlive the constant expression.
constexpr std::size_t stages_on_the_heap() {
    const auto fixed = even_chain();
    layer_graph problem;
    problem.edges.assign(fixed.edges.begin(), fixed.edges.end());
    problem.devices = fixed.devices;
    problem.micro_batches = fixed.micro_batches;
    problem.hbm_bytes = fixed.hbm_bytes;
    problem.link_bytes_per_s = fixed.link_bytes_per_s;
    width_costs costs;
    costs.layers.assign(fixed.widths[0].layers.begin(), fixed.widths[0].layers.end());
    costs.edge_bytes.assign(fixed.widths[0].edge_bytes.begin(), fixed.widths[0].edge_bytes.end());
    problem.widths.push_back(costs);
    return chain_program{.charge = objective::phaze}(problem).stages.size();
}
static_assert(stages_on_the_heap() == 4);

} // namespace
