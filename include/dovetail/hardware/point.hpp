#pragma once
/// \file
/// A design as text: "num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128".

#include <dovetail/core/checked.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/accelerator.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dovetail::hardware {

/// Reads a design. Every axis is given once, in any order; `width_vc` may be left out and is then the width.
/// \returns errc::parse or errc::out_of_range, naming the axis.
[[nodiscard]] inline result<accelerator> parse_point(std::string_view text) {
    struct axis {
        std::string_view name;
        std::int64_t accelerator::*member;
        std::int64_t unit;
    };
    constexpr std::array<axis, 6> axes{{{"num_tc", &accelerator::num_tc, 1},
                                        {"num_vc", &accelerator::num_vc, 1},
                                        {"width", &accelerator::width, 1},
                                        {"depth", &accelerator::depth, 1},
                                        {"width_vc", &accelerator::width_vc, 1},
                                        {"glb_mib", &accelerator::glb_bytes, mebibyte}}};
    const std::string place = "design '" + std::string(text) + "'";
    accelerator chip;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t comma = rest.find(',');
        const std::string_view item = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        const std::string quoted = joined('\'', item, '\'');
        const std::size_t equals = item.find('=');
        const std::string_view name = item.substr(0, equals);
        const axis* found = nullptr;
        for (const axis& a : axes)
            if (a.name == name) found = &a;
        if (found == nullptr || equals == std::string_view::npos)
            return error{errc::parse, place, quoted + " is not an axis with a value",
                         "axes are num_tc, num_vc, width, depth, width_vc and glb_mib, each as name=value"};
        const auto value = parse_number<std::int64_t>(item.substr(equals + 1));
        const auto scaled = value && *value > 0 ? checked_multiply(*value, found->unit) : std::nullopt;
        if (!scaled || chip.*found->member != 0)
            return error{errc::out_of_range, place, quoted, "each axis is given once, as a positive integer"};
        chip.*found->member = *scaled;
    }
    if (chip.width_vc == 0) chip.width_vc = chip.width;
    for (const axis& a : axes)
        if (chip.*a.member == 0)
            return error{errc::parse, place, "the axis " + std::string(a.name) + " is missing",
                         "give every axis"};
    return chip;
}

} // namespace dovetail::hardware
