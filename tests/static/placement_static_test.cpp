#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/pipeline_program.hpp>

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

// A transformer of 32 layers at three widths, with an embedding and a head that are not split.
constexpr auto transformer() {
    fixed_layer_chain<32, 3> problem;
    link_as_chain(problem.edges);
    problem.devices = 1024;
    problem.micro_batches = 512;
    problem.hbm_bytes = 80e9;
    problem.link_bytes_per_s = 4e9;
    for (std::size_t w = 0; w < 3; ++w) {
        auto& costs = problem.widths[w];
        costs.width = std::int64_t{1} << w;
        const double share = 1.0 / static_cast<double>(costs.width);
        for (std::size_t v = 0; v < costs.layers.size(); ++v) {
            const bool end = v == 0 || v + 1 == costs.layers.size();
            costs.layers[v] = {.forward_s = (end ? 1e-3 : 4e-3) * share,
                               .backward_s = (end ? 2e-3 : 8e-3) * share,
                               .resident_bytes = (end ? 4e9 : 8e9) * share,
                               .reduce_bytes = 1e9 * share,
                               .activation_bytes = 2e9 * share,
                               .stash_bytes = 2e9 * share,
                               .tensor_parallel = w > 0 && !end};
        }
        for (double& bytes : costs.edge_bytes) bytes = 3.2e7;
    }
    return problem;
}

constexpr auto transformer_plan = chain_program{.charge = objective::phaze}(transformer());
static_assert(transformer_plan.outcome == status::optimal);
static_assert(transformer_plan.tensor_parallel == 4);
static_assert(transformer_plan.stages.size() == 2 && transformer_plan.devices() <= 1024);

// Every schedule, specialised on layers, width and the schedule itself. Even stages of two layers take 6 s.
template <class Policy>
constexpr auto scheduled(double hbm_bytes) {
    auto problem = even_chain();
    problem.hbm_bytes = hbm_bytes;
    problem.link_bytes_per_s = 1e30;
    for (layer& l : problem.widths[0].layers) {
        l.weight_gradient_s = 1.0;
        l.stash_bytes = 1.0;
    }
    problem.devices = 4;
    return pipeline_program<Policy>{}(problem);
}
constexpr auto one_f_one_b = scheduled<one_forward_one_backward>(30.0);
static_assert(one_f_one_b.stages.size() == 4 && one_f_one_b.time_per_batch_s == 6.0 * (32 + 3));
constexpr auto zb_h1 = scheduled<zero_bubble_h1>(30.0);
static_assert(zb_h1.stages.size() == 4 && zb_h1.time_per_batch_s == 6.0 * 32 + 3 * 2.0);
constexpr auto zb_h2 = scheduled<zero_bubble_h2>(35.0);
static_assert(zb_h2.stages.size() == 4 && zb_h2.time_per_batch_s == 6.0 * 32);
// Memory for p micro-batches in flight is none for 2 p - 1.
static_assert(scheduled<zero_bubble_h1>(27.0).time_per_batch_s == 6.0 * 32 + 3 * 2.0);
static_assert(scheduled<zero_bubble_h2>(27.0).outcome == status::infeasible);
// All 32 micro-batches of a batch are in flight.
static_assert(scheduled<gpipe>(30.0).outcome == status::infeasible);
static_assert(scheduled<gpipe>(20.0 + 31 * 2.0).time_per_batch_s == 6.0 * (32 + 3));
// Chunks of one layer: half the bubble.
constexpr auto chunks = scheduled<interleaved>(40.0);
static_assert(chunks.stages.size() == 8 && chunks.stages_per_device == 2 && chunks.devices() == 4);
static_assert(chunks.time_per_batch_s == 3.0 * (2 * 32 + 3));

} // namespace
