#pragma once
/// \file
/// A model as a search sees it: the demands of every distinct layer, for each micro-batch and tensor width.
/// Everything here is the same for all chips, and is computed once.

#include <dovetail/graph/digraph.hpp>
#include <dovetail/workload/data_volume.hpp>
#include <dovetail/workload/pass_buffers.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace dovetail::search {

/// The tasks of one pass through a layer: what each fused group of operators asks, and the order among them.
struct pass_profile {
    std::vector<workload::operator_work> groups;
    std::vector<std::string> names;               ///< of the groups' leading operators
    graph::digraph precedence;                    ///< over the groups
    std::vector<workload::pass_buffer> buffers{}; ///< of the first layer that costs the same
};

/// A layer structure on one of the devices that share it. Elements become bytes by the chip's element size.
struct layer_profile {
    pass_profile forward;
    pass_profile backward; ///< input and weight gradients
    double parameters = 0;
    double working_elements = 0; ///< largest live set of one micro-batch beyond the stash
    workload::data_volume stash; ///< kept from the forward to the backward pass of a micro-batch
    bool tensor_parallel = false;
    bool attention = false; ///< it holds an attention, or the end of one
};

/// The chain of layers that one micro-batch size and one tensor width make of the model.
struct slice_profile {
    std::int64_t micro_batch = 1;
    std::int64_t tensor_width = 1;
    std::vector<layer_profile> structures; ///< the distinct layers
    std::vector<graph::index> chain;       ///< the layers from input to output, as structures
    std::vector<double> boundary_elements; ///< between layer i and i + 1
};

/// A model, ready to be searched.
struct workload_profile {
    std::string model;
    std::vector<std::string> layer_names; ///< of the chain, for people
    std::vector<std::int64_t> micro_batches;
    std::vector<std::int64_t> tensor_widths;
    std::vector<slice_profile> slices; ///< micro-batches outside, widths inside

    /// Whether any layer holds an attention.
    [[nodiscard]] bool has_attention() const {
        const auto any = [](const slice_profile& s) {
            return std::any_of(s.structures.begin(), s.structures.end(),
                               [](const layer_profile& layer) { return layer.attention; });
        };
        return std::any_of(slices.begin(), slices.end(), any);
    }
    [[nodiscard]] const slice_profile& slice(std::size_t micro_batch, std::size_t width) const {
        return slices[micro_batch * tensor_widths.size() + width];
    }
};

} // namespace dovetail::search
