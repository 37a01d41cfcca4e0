#pragma once
/// \file
/// A design as text: "num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128".

#include <dovetail/core/checked.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/accelerator.hpp>

#include <algorithm>
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
    std::size_t end = 0;
    for (std::size_t begin = 0; begin <= text.size() && !text.empty(); begin = end + 1) {
        end = std::min(text.find(',', begin), text.size());
        const std::string_view item = text.substr(begin, end - begin);
        if (item.empty())
            return error{errc::parse, place, "an axis between commas is empty",
                         "write name=value, with one comma between two"};
        const std::string quoted = joined('\'', item, '\'');
        const std::size_t equals = item.find('=');
        const std::string_view name = item.substr(0, equals);
        const axis* found = nullptr;
        for (const axis& a : axes)
            if (a.name == name) found = &a;
        constexpr std::string_view known =
            "axes are num_tc, num_vc, width, depth, width_vc and glb_mib, each as name=value";
        if (found == nullptr) {
            std::array<std::string_view, axes.size()> names;
            for (std::size_t i = 0; i < axes.size(); ++i) names[i] = axes[i].name;
            return error{errc::parse, place, quoted + " is not an axis with a value",
                         did_you_mean(name, names, known)};
        }
        if (equals == std::string_view::npos)
            return error{errc::parse, place, quoted + " is not an axis with a value", std::string(known)};
        if (chip.*found->member != 0)
            return error{errc::parse, place, "the axis " + std::string(name) + " is given twice",
                         "give every axis once"};
        const auto value = parse_number<std::int64_t>(item.substr(equals + 1));
        const auto scaled = value && *value > 0 ? checked_multiply(*value, found->unit) : std::nullopt;
        if (!scaled)
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
