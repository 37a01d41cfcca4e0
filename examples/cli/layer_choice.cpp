// From flags to a pass through a layer.

#include "layer_choice.hpp"

#include "command.hpp"

#include <dovetail/core/checked.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/point.hpp>
#include <dovetail/search/profile.hpp>

#include <array>
#include <limits>
#include <utility>

namespace cli {

using dovetail::errc;
using dovetail::error;
using dovetail::readable;
using dovetail::result;
using dovetail::to_text;
namespace search = dovetail::search;

void layer_request::add_to(command_syntax command, const std::string& group) {
    command.add_option("--layer", layer, "the layer, counted from 0").type_name("NUMBER");
    command.add_option("--pass", pass, "which pass through it").one_of({"forward", "backward"});
    command.add_option("--family", family, "the family of chips").one_of({"phaze", "n7"});
    command.add_option("--point", point,
                       "the chip: num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128; the "
                       "family's reference if not given");
    add_options(command, *this);
    command.option("--link-gib").only_if([this] { return tensor_width > 1; }, "--tensor-width of 2 or more");
    for (const char* flag :
         {"--layer", "--pass", "--family", "--point", "--micro-batch", "--tensor-width", "--link-gib"})
        command.option(flag).group(group);
}

namespace {

/// The layers of the chain, equal neighbours together: "0 (3 tasks), 1 to 12 (25 tasks)".
std::string list_of_layers(const search::slice_profile& slice, bool backward) {
    std::string list;
    for (std::size_t first = 0, last = 0; first < slice.chain.size(); first = ++last) {
        while (last + 1 < slice.chain.size() && slice.chain[last + 1] == slice.chain[first]) ++last;
        const search::layer_profile& layer = slice.structures[slice.chain[first]];
        const std::size_t tasks = (backward ? layer.backward : layer.forward).groups.size();
        list += (first == 0 ? "" : ", ") + to_text(first) + (last == first ? "" : " to " + to_text(last)) +
                " (" + to_text(tasks) + (tasks == 1 ? " task)" : " tasks)");
    }
    return list;
}

} // namespace

result<dovetail::hardware::accelerator> chip_at(const std::string& point) {
    if (point.empty()) return dovetail::hardware::phaze_family::reference();
    auto chip = dovetail::hardware::parse_point(point);
    if (!chip) return std::move(chip).problem().within("option --point");
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (chip->num_tc > most || chip->num_vc > most)
        return error{errc::out_of_range, "option --point", "it has more cores of a type than 32 bits count",
                     "it must have at most " + readable(most)};
    constexpr std::int64_t largest_unit = 1
                                          << 10; // bytes of memory that come with a unit, and room to double
    const std::array tensor{chip->num_tc, chip->width, chip->depth, largest_unit};
    const std::array vector{chip->num_vc, chip->width_vc, largest_unit};
    if (!dovetail::checked_product(tensor) || !dovetail::checked_product(vector))
        return error{errc::overflow, "option --point", "the memory of its cores leaves 64 bits",
                     "give fewer or smaller cores"};
    return chip;
}

result<chosen_layer> choose(const layer_request& request) {
    const auto at = chip_at(request.point);
    if (!at) return at.problem();
    chosen_layer chosen{
        .slice = {},
        .backward = request.pass == "backward",
        .chip = *at,
        .group = {.width = request.tensor_width,
                  .link_bytes_per_s = request.link_gib_per_s * static_cast<double>(dovetail::gibibyte)},
        .title = {},
        .subtitle = {}};
    const dovetail::hardware::accelerator& chip = chosen.chip;
    auto profile = request.model.profile({.micro_batches = {request.micro_batch},
                                          .tensor_widths = {request.tensor_width},
                                          .link_gib_per_s = request.link_gib_per_s});
    if (!profile) return profile.problem();
    chosen.slice = std::move(profile->slices.front());
    const auto number = dovetail::parse_number<std::size_t>(request.layer);
    if (!number || *number >= chosen.slice.chain.size())
        return error{errc::out_of_range, "option --layer",
                     request.layer.empty() ? "it is not given" : "its value is '" + request.layer + "'",
                     "it must be a layer of " + profile->model + ", at least 0 and at most " +
                         readable(chosen.slice.chain.size() - 1) + ": " +
                         list_of_layers(chosen.slice, chosen.backward)};
    chosen.number = *number;
    chosen.title = profile->model + ", layer " + to_text(*number) + ", " + request.pass + " pass";
    chosen.subtitle = readable(chip.num_tc) + " tensor cores of " + readable(chip.width) + " x " +
                      readable(chip.depth) + ", " + readable(chip.num_vc) + " vector cores of " +
                      readable(chip.width_vc) + " lanes, " + readable(chip.glb_bytes / dovetail::mebibyte) +
                      " MiB; micro-batch " + readable(request.micro_batch) + ", tensor width " +
                      readable(request.tensor_width);
    return chosen;
}

} // namespace cli
