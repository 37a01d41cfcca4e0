#include <dovetail/schedule/bounds.hpp>

#include <dovetail/schedule/cores.hpp>
#include <dovetail/schedule/serial.hpp>

#include <array>
#include <cstdint>

namespace dovetail::schedule {
namespace {

static_assert(fits({1, 0, 0, 0}, {1, 0, 0, 0}));
static_assert(!fits({0, 2, 0, 0}, {9, 1, 9, 9}));
static_assert(meets(1.0 + 1e-15, 1.0) && !meets(1.0 + 1e-9, 1.0));

// A norm, three projections on two cores, and what joins them: bound and schedule while compiling.
constexpr task_graph small_layer() {
    const std::array<graph::arc, 6> arcs{{{0, 1}, {0, 2}, {0, 3}, {1, 4}, {2, 4}, {3, 4}}};
    const mode on_vector{1.0, {0, 1, 0, 0}}, on_tensor{2.0, {1, 0, 0, 0}};
    return make_task_graph(graph::digraph(5, arcs), {2, 1, 0, 0},
                           {{on_vector}, {on_tensor}, {on_tensor}, {on_tensor}, {on_vector}})
        .value();
}
static_assert(small_layer().block_ends().size() == 3);
static_assert(lower_bound_s(small_layer()) == 5.0);

constexpr schedule small_plan() {
    const std::array<std::uint32_t, 5> modes{};
    const task_graph layer = small_layer();
    return serial_schedule(layer, layer.order(), modes);
}
static_assert(small_plan().makespan_s == 6.0);
static_assert(assign_cores(small_layer(), small_plan()).units(2, 0)[0] == 1);

} // namespace
} // namespace dovetail::schedule
