#pragma once
/// \file
/// A small model and a small family that searches are tried on.

#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/runtime_space.hpp>
#include <dovetail/search/evaluate.hpp>
#include <dovetail/search/profile.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::search::test {

using platform = hardware::phaze_platform;
using technology = hardware::phaze_technology;
using model = cost::sound_model<platform>;
using test_evaluator = evaluator<model, platform>;

/// 3 x 2 x 2 x 2 x 2 designs.
inline hardware::runtime_space<platform, technology> small_space(double largest_um2 = 3e8) {
    auto space =
        hardware::runtime_space<platform, technology>::make("small",
                                                            {.num_tc = {1, 4, 16},
                                                             .num_vc = {1, 8},
                                                             .width = {32, 128},
                                                             .depth = {32, 128},
                                                             .glb_bytes = {2 * mebibyte, 16 * mebibyte},
                                                             .smallest_um2 = 0,
                                                             .largest_um2 = largest_um2},
                                                            hardware::tpuv4_like);
    return std::move(space).value();
}

inline workload::operator_work product(std::int64_t rows, std::int64_t reduction, std::int64_t columns) {
    workload::operator_work work;
    work.product = {1, rows, reduction, columns};
    work.product_operand_elements = static_cast<double>(rows * reduction + reduction * columns);
    work.product_result_elements = static_cast<double>(rows * columns);
    work.read_elements = work.product_operand_elements;
    work.written_elements = work.product_result_elements;
    return work;
}

inline workload::operator_work elementwise(double elements, double cycles) {
    workload::operator_work work;
    work.lane_cycles = elements * cycles;
    work.read_elements = elements;
    work.written_elements = elements;
    return work;
}

/// Three branches that meet: q, k and v, say.
inline pass_profile branching_pass(std::int64_t rows, std::int64_t hidden) {
    const double elements = static_cast<double>(rows * hidden);
    constexpr std::array<graph::arc, 4> arcs{{{0, 3}, {1, 3}, {2, 3}, {3, 4}}};
    return {.groups = {product(rows, hidden, hidden), product(rows, hidden, hidden),
                       product(rows, hidden, hidden), elementwise(elements, 20),
                       product(rows, hidden, 4 * hidden)},
            .names = {"q", "k", "v", "softmax", "up"},
            .precedence = graph::digraph(5, arcs)};
}

/// Two structures in a chain of `layers` + 1 layers; a micro-batch of b has b * 256 rows.
inline workload_profile small_model(const plan_options& options, std::size_t layers = 6) {
    workload_profile profile{.model = "small",
                             .layer_names = {},
                             .micro_batches = options.micro_batches,
                             .tensor_widths = {1},
                             .slices = {}};
    for (std::size_t i = 0; i <= layers; ++i) profile.layer_names.push_back(to_text(i));
    for (const std::int64_t b : options.micro_batches) {
        const std::int64_t rows = 256 * b;
        const double elements = static_cast<double>(rows * 512);
        slice_profile slice{
            .micro_batch = b,
            .tensor_width = 1,
            .structures = {{.forward = branching_pass(rows, 512),
                            .backward = branching_pass(2 * rows, 512),
                            .parameters = 3e6,
                            .working_elements = 2 * elements,
                            .stash = {.elements = 12 * elements},
                            .tensor_parallel = false},
                           {.forward = {{product(rows, 512, 8000)}, {"head"}, graph::digraph(1, {})},
                            .backward = {{product(2 * rows, 512, 8000)}, {"head"}, graph::digraph(1, {})},
                            .parameters = 4e6,
                            .working_elements = elements,
                            .stash = {.elements = 8 * elements, .discrete_bytes = elements},
                            .tensor_parallel = false}},
            .chain = std::vector<graph::index>(layers, 0),
            .boundary_elements = std::vector<double>(layers, elements)};
        slice.chain.push_back(1);
        profile.slices.push_back(std::move(slice));
    }
    return profile;
}

/// Options that keep a search small.
inline plan_options small_options() {
    return {.micro_batches = {1, 4},
            .hbm_gib = {0.25, 4},
            .recompute = {0, 1},
            .tensor_widths = {1},
            .devices = 64,
            .global_batch = 256,
            .link_gib_per_s = 4};
}

} // namespace dovetail::search::test
