#pragma once
// A pass through a layer of a model, and the chip that it runs on: what several commands let people choose.

#include "command_syntax.hpp"
#include "model.hpp"

#include <dovetail/core/option.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profile.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

namespace cli {

/// The chip that `--point` gives; the family's reference if it is empty. Errors name the flag. Its cores are
/// counted in 32 bits, its units and the bytes of its buffers in 64.
[[nodiscard]] dovetail::result<dovetail::hardware::accelerator> chip_at(const std::string& point);

/// The layer and the chip that flags chose.
struct chosen_layer {
    dovetail::search::slice_profile slice;
    std::size_t number = 0;
    bool backward = false;
    dovetail::hardware::accelerator chip;
    dovetail::search::tensor_group group;
    std::string title, subtitle;

    [[nodiscard]] const dovetail::search::layer_profile& layer() const {
        return slice.structures[slice.chain[number]];
    }
    [[nodiscard]] const dovetail::search::pass_profile& pass() const {
        return backward ? layer().backward : layer().forward;
    }
};

/// The flags that choose a layer and a chip.
struct layer_request {
    model_options model;
    std::string layer, pass = "forward", family = "phaze", point;
    std::int64_t micro_batch = 1;
    std::int64_t tensor_width = 1;
    double link_gib_per_s = 4;

    /// All flags but those of the model. \param group  their heading in the help; empty for none
    void add_to(command_syntax command, const std::string& group);

    static constexpr auto table() {
        using o = layer_request;
        return std::tuple{
            dovetail::option<o, std::int64_t>{"micro-batch", "samples in a micro-batch", &o::micro_batch, 1,
                                              1 << 20},
            dovetail::option<o, std::int64_t>{"tensor-width", "devices that share the layer",
                                              &o::tensor_width, 1, 1 << 20},
            dovetail::option<o, double>{"link-gib", "bandwidth of a device's link [GiB/s]",
                                        &o::link_gib_per_s, 1e-6, 1e9},
        };
    }
};

/// Reads the model and takes the layer. Errors name the file or the flag; for a layer that is not there they
/// list those that are.
[[nodiscard]] dovetail::result<chosen_layer> choose(const layer_request& request);

} // namespace cli
