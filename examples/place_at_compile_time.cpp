// The compiler places a chain of layers: its plan is a constant, and static_assert can ask about it.
#include <dovetail/placement/chain_program.hpp>

#include <cstdio>

using namespace dovetail;

// Eight equal layers of 10 GB each, on 16 devices of 20 GB: a device holds two of them.
constexpr auto chain() {
    placement::fixed_layer_chain<8> problem;
    placement::link_as_chain(problem.edges);
    problem.devices = 16;
    problem.micro_batches = 32;
    problem.hbm_bytes = 20e9;
    problem.link_bytes_per_s = 4e9;
    for (placement::layer& l : problem.widths[0].layers)
        l = {.forward_s = 0.010, .backward_s = 0.020, .resident_bytes = 10e9, .reduce_bytes = 1e9};
    for (double& bytes : problem.widths[0].edge_bytes) bytes = 4e6;
    return problem;
}

constexpr auto plan = placement::chain_program{}(chain());
static_assert(plan.outcome == status::optimal);
// Four replicas of four stages would take 0.68 s instead of 0.74 s for the passes, but add up gradients for
// 0.75 s instead of 0.25 s.
static_assert(plan.stages.size() == 8 && plan.data_parallel == 2);

int main() {
    std::printf("%zu stages on %zd replicas: %zd devices, %.3f s per batch\n", plan.stages.size(),
                plan.data_parallel, plan.devices(), plan.time_per_batch_s);
}
