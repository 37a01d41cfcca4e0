#pragma once
/// \file
/// The activations that the groups of a pass make and read: what a schedule of the pass keeps alive.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/data_volume.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/fusion.hpp>
#include <dovetail/workload/layer_pass.hpp>
#include <dovetail/workload/operator_graph.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// An activation in the memory of one pass through a layer. Groups are positions in `layer_pass::groups`.
struct pass_buffer {
    data_volume volume;
    index producer = none;        ///< the group that makes it; `none` for one that enters the pass
    std::vector<index> consumers; ///< the groups that read it, ascending
    bool kept = false; ///< whether somebody reads it after the pass: a later layer, or the backward pass
};

/// The buffers of every pass of `layers`, which `passes` gave for the same arguments. A tensor that only its
/// own group reads never reaches memory; parameters and their gradients are no activations. \complexity
/// O(operands log operands).
[[nodiscard]] inline std::vector<std::vector<pass_buffer>> pass_buffers(const operator_graph& g,
                                                                        const fusion& fused,
                                                                        array_view<const index> labels,
                                                                        array_view<const layer_pass> layers) {
    DOVETAIL_ASSERT(labels.size() == g.operations.size(), "one label an operation");
    const std::vector<bool> on_data = dependences(g).on_data;
    const std::vector<index> producer = producers(g);
    const auto [readers, given] = uses_of(g, base_tensors(g));
    std::vector<std::pair<index, index>> place(fused.groups.size(), {none, none}); // layer, position
    std::vector<index> some_operation(layers.size(), none);
    for (index l = 0; l < layers.size(); ++l)
        for (index k = 0; k < layers[l].groups.size(); ++k) {
            place[layers[l].groups[k]] = {l, k};
            some_operation[l] = fused.groups[layers[l].groups[k]].operations.front();
        }
    const auto place_of = [&](index v) {
        const index group = v == none ? none : fused.group_of[v];
        return group == none ? std::pair{none, none} : place[group];
    };
    // Forward through the layers, then backward.
    const auto turn = [&](index v) {
        const bool back = g.operations[v].phase != phase::forward;
        const auto label = static_cast<std::int64_t>(labels[v]);
        return std::pair(back, back ? -label : label);
    };

    std::vector<std::vector<pass_buffer>> buffers(layers.size());
    std::vector<index> touching;
    for (index t = 0; t < g.tensors.size(); ++t) {
        const index maker = producer[t];
        const bool activation = on_data[t] && g.tensors[t].role != tensor_role::parameter &&
                                (maker == none || (!is_view(g.operations[maker]) &&
                                                   g.operations[maker].phase < phase::weight_gradient));
        if (!activation) continue;
        touching.clear();
        for (const index v : readers[t]) touching.push_back(place_of(v).first);
        touching.push_back(place_of(maker).first);
        std::sort(touching.begin(), touching.end());
        touching.erase(std::unique(touching.begin(), touching.end()), touching.end());
        for (const index l : touching) {
            if (l == none) continue;
            pass_buffer made{.volume = volume_of(g.tensors[t]), .producer = none, .consumers = {}};
            if (place_of(maker).first == l) made.producer = place_of(maker).second;
            made.kept = given[t];
            for (const index v : readers[t]) {
                if (place_of(v).first == l)
                    made.consumers.push_back(place_of(v).second);
                else
                    made.kept = made.kept || turn(v) > turn(some_operation[l]);
            }
            std::sort(made.consumers.begin(), made.consumers.end());
            made.consumers.erase(std::unique(made.consumers.begin(), made.consumers.end()),
                                 made.consumers.end());
            const bool inside = made.producer != none && !made.kept &&
                                (made.consumers.empty() || made.consumers == std::vector{made.producer});
            if (!inside) buffers[l].push_back(std::move(made));
        }
    }
    return buffers;
}

} // namespace dovetail::workload
