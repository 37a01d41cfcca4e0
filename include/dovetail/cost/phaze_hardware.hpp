#pragma once
/// \file
/// PHAZE's tensor cores and memories as its mapper sees them: fixed bandwidths, energies and capacities.

#include <dovetail/cost/mapping.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>

#include <cstdint>

namespace dovetail::cost {

/// The constants of PHAZE as released (Wang et al., ICML 2024).
///
/// All bandwidths are of the chip, whatever its cores; capacities in bytes are taken as words, and each
/// operand has the local buffer to itself. All of this is part of the published numbers, and none of it of
/// `hardware::phaze_platform`.
struct published_platform : hardware::phaze_platform {
    static constexpr std::int64_t partial_sum_bytes = 2;
    static constexpr double local_words_per_cycle = 64; ///< of all cores together
    static constexpr double global_words_per_cycle = 256;
    static constexpr double dram_words_per_cycle = 128;
    /// Read and written at the same time, 268.8e9 each.
    static constexpr double hbm_bytes_per_s = 2 * dram_words_per_cycle * 2 * clock_hz;
    static constexpr double register_pj = 0.05;
    static constexpr double local_pj = 5;
    static constexpr double global_pj = 30;
    static constexpr double dram_pj = 60;
    static constexpr double mac_pj = 2.2;
};

static_assert(hardware::platform<published_platform>);

/// `cores` tensor cores of `chip` for a mapping search.
template <hardware::accelerator_like Chip>
[[nodiscard]] constexpr mapping_hardware phaze_mapping_hardware(const Chip& chip, std::int64_t cores) {
    using p = published_platform;
    return {.cores = cores,
            .width = chip.width,
            .depth = chip.depth,
            .weights_held = p::tensor_register_bytes,
            .local = {.capacity_words = static_cast<double>(p::local_buffer_bytes(chip.width * chip.depth)),
                      .per_operand = true,
                      .read_words_per_cycle = p::local_words_per_cycle,
                      .write_words_per_cycle = p::local_words_per_cycle,
                      .word_pj = p::local_pj},
            .global = {.capacity_words = static_cast<double>(chip.glb_bytes),
                       .read_words_per_cycle = p::global_words_per_cycle,
                       .write_words_per_cycle = p::global_words_per_cycle,
                       .word_pj = p::global_pj},
            .dram = {.read_words_per_cycle = p::dram_words_per_cycle,
                     .write_words_per_cycle = p::dram_words_per_cycle,
                     .word_pj = p::dram_pj},
            .mac_pj = p::mac_pj,
            .register_pj = p::register_pj};
}

} // namespace dovetail::cost
