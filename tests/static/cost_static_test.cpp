#include <dovetail/cost/latency_model.hpp>

#include <dovetail/cost/collective.hpp>
#include <dovetail/cost/grid_prices.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/runtime_space.hpp>

namespace dovetail::cost {
namespace {

using hardware::phaze_platform;

// The least that a model of the concept has.
struct archetype {
    static constexpr double element_bytes = 2;
    estimate operator()(const workload::operator_work&, const hardware::accelerator&, core_mode) const;
};
static_assert(latency_model<archetype> && latency_model<sound_model<phaze_platform>> && !latency_model<int>);

static_assert(fixed_grid<hardware::phaze_family>);
static_assert(!fixed_grid<hardware::runtime_space<phaze_platform, hardware::phaze_technology>>);

// 64 x 64 x 64 on one 64 x 64 array: a fold of 64 rows, and the textbook's start-up.
constexpr product_cost cube =
    cost_of<phaze_platform>({1, 64, 64, 64}, hardware::accelerator{1, 1, 64, 64, 64, 2 << 20}, 1);
static_assert(cube.array_cycles == 64 && cube.fill_cycles == 3 * 64 - 2);
static_assert(cube.local_words == 3 * 64 * 64 && cube.global_words == 2 * 64 * 64 &&
              cube.result_words == 64 * 64);

// A small operator on a design known to the compiler is a number to the compiler.
constexpr estimate folded = sound_model<phaze_platform>{}(
    {.product = {1, 64, 64, 64}}, hardware::fix<hardware::tpuv4_like>{}, core_mode::all_cores);
static_assert(folded.latency_s() > 0 && folded.latency_s() < 1e-6 && folded.bound_by() == bound::tensor_core);

static_assert(ring_all_reduce_s(8.0, 4, 2.0) == 6.0 && point_to_point_s(8.0, 2.0) == 4.0);
static_assert(cost_of(optimizer::adam).resident_bytes == 18);

} // namespace
} // namespace dovetail::cost
