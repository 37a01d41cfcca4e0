#pragma once
/// \file
/// What answers about training rest on: searches of designed chips, and plans on systems of the catalogue.

#include <dovetail/cost/training_plan.hpp>
#include <dovetail/hardware/network.hpp>
#include <dovetail/hardware/network_catalogue.hpp>
#include <dovetail/hardware/system.hpp>
#include <dovetail/report/assumptions.hpp>

#include <cstddef>

namespace dovetail::report {

/// Whether no measurement is in the numbers of a chip: they are those that `hardware::uncalibrated` gives.
[[nodiscard]] constexpr bool is_uncalibrated(const hardware::system& machine) noexcept {
    const hardware::calibration plain = hardware::uncalibrated(machine.chip);
    const hardware::calibration& own = machine.calibration;
    return own.launch_s == plain.launch_s && own.matrix_fraction == plain.matrix_fraction &&
           own.sustained_fraction == plain.sustained_fraction && own.memory_fraction == plain.memory_fraction;
}

/// Whether no measurement is in the protocols of level `l` of a network: they are those that
/// `hardware::datasheet` gives.
[[nodiscard]] constexpr bool is_uncalibrated(const hardware::network& links, std::size_t l) noexcept {
    const hardware::network plain = hardware::datasheet(links);
    for (std::size_t k = 0; k < hardware::wire_protocols; ++k)
        if (links.levels[l].protocols[k].step_s != plain.levels[l].protocols[k].step_s ||
            links.levels[l].protocols[k].efficiency != plain.levels[l].protocols[k].efficiency)
            return false;
    return true;
}

/// What the prediction of `plan` on `machine` rests on. \param transformer whether closed forms price it,
/// rather than its graph \param attention whether the model has any
[[nodiscard]] inline answer_basis basis_of(const hardware::system& machine, const cost::training_plan& plan,
                                           bool transformer, bool attention) {
    const bool exchanges = plan.devices() > 1;
    const bool leaves_node = plan.devices() > machine.links.unit_devices(1);
    const auto level_of_nodes = std::size_t{1};
    return {.prices = pricing::system,
            .attention = attention,
            .library_products = true,
            .graph_kernels = !transformer,
            .uncalibrated_chip = is_uncalibrated(machine),
            .uncalibrated_links = exchanges && is_uncalibrated(machine.links, 0),
            .uncalibrated_nodes = exchanges && leaves_node && is_uncalibrated(machine.links, level_of_nodes),
            .system_network = exchanges,
            .exposed_transfers = plan.tensor > 1 || plan.pipeline > 1,
            .exposed_reductions = plan.data > 1 || plan.pipeline > 1,
            .one_forward_one_backward = plan.pipeline > 1};
}

} // namespace dovetail::report
