#pragma once
/// \file
/// Designs known by name, each with its source.

#include <dovetail/core/error.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/phaze_family.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::hardware {

/// A design with a name, and where its numbers come from.
struct known_design {
    std::string_view name;
    accelerator chip;
    std::string_view source;
};

/// The catalogue. The names say "like": the counts and sizes are those of the chip, the template is PHAZE's.
inline constexpr std::array known_designs{
    known_design{
        "tpuv2-like",
        {2, 2, 128, 128, 128, 32 * mebibyte},
        "course edition of PHAZE (sitar-lab, 2026); 2 cores of 128 x 128 as in Jouppi et al., CACM 2020"},
    known_design{
        "tpuv3-like",
        {4, 2, 128, 128, 128, 32 * mebibyte},
        "course edition of PHAZE (sitar-lab, 2026); 4 cores of 128 x 128 as in Jouppi et al., CACM 2020"},
    known_design{"tpuv4-like", tpuv4_like, "PHAZE (Wang et al., ICML 2024): the area cap of its family"}};

/// The design of a name.
/// \returns errc::unknown_name, listing the names that are known.
[[nodiscard]] inline result<accelerator> find_design(std::string_view name) {
    std::vector<std::string_view> names;
    for (const known_design& known : known_designs) {
        if (known.name == name) return known.chip;
        names.push_back(known.name);
    }
    return unknown_name("design", name, "it is not in the catalogue", names);
}

} // namespace dovetail::hardware
