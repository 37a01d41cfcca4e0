#pragma once
/// \file
/// The tensor cores and memories of a platform as a mapping search sees them, in words that are bytes over
/// bytes.

#include <dovetail/cost/mapping.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>

#include <cstdint>

namespace dovetail::cost {

/// Energies of an access, of a word at each level, and of a multiply-accumulate [pJ].
struct access_energies {
    double mac_pj = 0;
    double register_pj = 0;
    double local_pj = 0;
    double global_pj = 0;
    double dram_pj = 0;
};

/// `cores` tensor cores of `chip` with the constants of platform `P`: every core has a local bandwidth of its
/// own, the three operands share each buffer, and registers and buffers are double-buffered. The HBM reads
/// and writes at one rate together.
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr mapping_hardware sound_mapping_hardware(const Chip& chip, std::int64_t cores,
                                                                const access_energies& energies = {}) {
    constexpr auto element = static_cast<double>(P::element_bytes);
    constexpr double dram_words_per_cycle = P::hbm_bytes_per_s / element / P::clock_hz;
    return {.cores = cores,
            .width = chip.width,
            .depth = chip.depth,
            .weights_held = P::tensor_register_bytes / P::element_bytes / 2,
            .local = {.capacity_words =
                          static_cast<double>(P::local_buffer_bytes(chip.width * chip.depth)) / element,
                      .double_buffered = true,
                      .read_words_per_cycle = P::local_words_per_cycle,
                      .write_words_per_cycle = P::local_words_per_cycle,
                      .word_pj = energies.local_pj},
            .local_per_core = true,
            .global = {.capacity_words = static_cast<double>(chip.glb_bytes) / element,
                       .double_buffered = true,
                       .read_words_per_cycle = P::global_words_per_cycle,
                       .write_words_per_cycle = P::global_words_per_cycle,
                       .word_pj = energies.global_pj},
            .dram = {.read_words_per_cycle = dram_words_per_cycle,
                     .write_words_per_cycle = dram_words_per_cycle,
                     .one_port = true,
                     .word_pj = energies.dram_pj},
            .mac_pj = energies.mac_pj,
            .register_pj = energies.register_pj,
            .sum_words = static_cast<double>(P::partial_sum_bytes) / element};
}

} // namespace dovetail::cost
