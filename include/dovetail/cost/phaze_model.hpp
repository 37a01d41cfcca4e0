#pragma once
/// \file
/// The published latency model of PHAZE: products by the best mapping, vector operators by their lanes.

#include <dovetail/core/assert.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/cost/mapping_search.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::cost {

/// PHAZE's costs (Wang et al., ICML 2024) for the operators of this library.
///
/// A product takes the cycles of the mapping with the best `Goal`, PHAZE's energy-delay product by default,
/// on bandwidths that the whole chip shares. A vector operator takes its lane cycles and no time in any
/// memory; its words are counted all the same. An epilogue works beside its product. All batches have
/// operands of their own, both gradients are priced, and time is in seconds: what the published program gets
/// wrong outside its cost tables stays outside.
///
/// With `Goal` latency the laws of `latency_model` hold. With the others more hardware may lower the energy
/// at the price of cycles, so that it is no law that more cores or a larger buffer are never slower.
template <mapping_objective Goal = mapping_objective::edp>
struct phaze_model {
    using platform = published_platform;
    static constexpr double element_bytes = static_cast<double>(platform::element_bytes);

    template <hardware::accelerator_like Chip = hardware::accelerator>
    [[nodiscard]] constexpr estimate operator()(const workload::operator_work& work, const Chip& chip,
                                                core_mode mode) const {
        const bool all = mode == core_mode::all_cores;
        return put_together(work, product_part(work.product, chip, all ? chip.num_tc : 1),
                            (all ? chip.num_vc : 1) * chip.width_vc);
    }

    /// The cost of a product on `cores` tensor cores; nothing for an empty one. The global buffer must hold
    /// the tile of one row and one fold, as it does on every chip of PHAZE's family.
    template <hardware::accelerator_like Chip = hardware::accelerator>
    [[nodiscard]] static constexpr mapping_cost product_part(const workload::contraction& product,
                                                             const Chip& chip, std::int64_t cores) {
        if (product.macs() <= 0) return {};
        const mapping_outcome found =
            mapping_search{Goal}(phaze_mapping_hardware(chip, cores), mapped_product(product));
        DOVETAIL_ASSERT(found.outcome == status::optimal, "the global buffer holds one fold of weights");
        return found.cost;
    }

    /// The estimate from the cost of its product, with `lanes` lanes for the rest.
    [[nodiscard]] static constexpr estimate put_together(const workload::operator_work& work,
                                                         const mapping_cost& product, std::int64_t lanes) {
        constexpr double cycle_s = 1.0 / platform::clock_hz;
        const memory_level local = level(platform::local_words_per_cycle);
        const memory_level global = level(platform::global_words_per_cycle);
        const memory_level dram = level(platform::dram_words_per_cycle);
        estimate e;
        e.tensor_s = product.compute_cycles * cycle_s;
        e.local_s = product.local.cycles(local) * cycle_s;
        e.global_s = product.global.cycles(global) * cycle_s;
        e.hbm_s = product.dram.cycles(dram) * cycle_s;
        double beside = 0;
        if (work.uses_vector_core()) {
            DOVETAIL_ASSERT(lanes > 0, "a vector operator needs a vector core");
            e.vector_s = work.lane_cycles / static_cast<double>(lanes) * cycle_s;
            beside = std::max(0.0, work.read_words(element_bytes) - work.product_operand_elements) +
                     std::max(0.0, work.written_words(element_bytes) - work.product_result_elements);
        }
        const auto bytes = [beside](const moved_words& moved) {
            return (moved.read + moved.written + beside) * element_bytes;
        };
        if (!work.uses_tensor_core() && !work.uses_vector_core()) return e;
        e.local_bytes = bytes(product.local);
        e.global_bytes = bytes(product.global);
        e.hbm_bytes = bytes(product.dram);
        return e;
    }

private:
    [[nodiscard]] static constexpr memory_level level(double words_per_cycle) noexcept {
        return {.read_words_per_cycle = words_per_cycle, .write_words_per_cycle = words_per_cycle};
    }
};

static_assert(latency_model<phaze_model<>>);

} // namespace dovetail::cost
