#pragma once
/// \file
/// What an answer rests on: the limits of the models that gave its figures, each where it holds, with the
/// page that says more. One table for every command, page and JSON answer.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/report/svg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::report {

/// What gives the price of an operator.
enum class pricing : std::uint8_t {
    none,    ///< prices are given, or there are none
    sound,   ///< the sound model of a designed chip
    phaze,   ///< PHAZE's model of one
    mapping, ///< the best mapping of one product
    array,   ///< the cycles of one systolic array
    rows,    ///< rows on the vector cores of a designed chip
    system,  ///< the model of a system of the catalogue
};

/// The technology that areas or energies are of.
enum class shown_technology : std::uint8_t {
    none, ///< nothing of it is shown
    phaze,
    n7,
};

/// How an answer came about, as far as what it rests on follows from it. Every member begins with what rests
/// on nothing: an answer names what it has.
struct answer_basis {
    pricing prices = pricing::none;
    bool attention = false;          ///< some of what is priced is attention
    bool library_products = false;   ///< products are priced as those of a vendor's library
    bool graph_kernels = false;      ///< every fused group of a graph is one kernel of a system
    bool uncalibrated_chip = false;  ///< no measurement of the chip is in its numbers
    bool uncalibrated_links = false; ///< nor, of those that are used, of the links inside a node
    bool uncalibrated_nodes = false; ///< nor of the links between nodes
    bool system_network = false;     ///< devices exchange something through levels of links

    bool flat_network = false;             ///< devices exchange something, all of them through the same links
    bool exposed_transfers = false;        ///< what layers hand on, nothing hides
    bool exposed_reductions = false;       ///< what replicas add up, nothing hides
    bool estimated_bubble = false;         ///< the bubble of a zero-bubble schedule is that of even stages
    bool free_overlap = false;             ///< what runs beside the backward pass does not slow it down
    bool even_pipeline = false;            ///< a pipeline is as slow as its slowest stage throughout
    bool one_forward_one_backward = false; ///< pipelines of a system run this schedule
    bool first_stage_reduces = false;      ///< PHAZE's objective
    bool halved_backward = false;          ///< the two gradients of a layer take the same time
    bool unfilled_pipeline = false;        ///< the time to fill a pipeline is left out
    bool host_route = false;               ///< all transfers take the same way, through the host
    bool endless_host = false;             ///< the host has cores for everything at once

    bool list_schedules = false;     ///< passes are as long as a list schedule
    bool isolated_durations = false; ///< operators that overlap do not slow each other down
    bool planned_memory = false;     ///< the memory of devices decides what a plan is
    bool live_memory = false;        ///< activations of a schedule are counted

    shown_technology areas = shown_technology::none;
    shown_technology energies = shown_technology::none;
    bool temperatures = false; ///< chips are left out that are too hot
};

/// One limit of a model.
struct assumption {
    std::string_view name; ///< a few words, the same in every answer
    std::string_view meaning;
    std::string_view page; ///< of the documentation
    bool (*holds)(const answer_basis&);
};

/// All of them, in the order in which they are told. Where two have the same name no answer has both.
inline constexpr std::array known_assumptions{
    assumption{"uncalibrated", "no measurement of this chip: rates of its datasheet, a published launch",
               "docs/models/systems.md", [](const answer_basis& b) { return b.uncalibrated_chip; }},
    assumption{"uncalibrated links",
               "no measurement of the links inside a node: their datasheet, and what NCCL assumes",
               "docs/models/systems.md", [](const answer_basis& b) { return b.uncalibrated_links; }},
    assumption{"uncalibrated nodes",
               "no measurement of the links between nodes: their datasheet, and what NCCL assumes",
               "docs/models/collectives.md", [](const answer_basis& b) { return b.uncalibrated_nodes; }},
    assumption{"plain collectives", "switches do not reduce, and collectives do not slow each other down",
               "docs/models/collectives.md", [](const answer_basis& b) { return b.system_network; }},
    assumption{"library products", "dense products of a vendor's library, with extents in multiples of 8",
               "docs/models/gemm_time.md", [](const answer_basis& b) { return b.library_products; }},
    assumption{"one kernel a group",
               "every fused group of operators is one kernel; no iteration of such a model was measured",
               "docs/models/iteration.md", [](const answer_basis& b) { return b.graph_kernels; }},
    assumption{"steady clocks", "devices throttle no further than their calibration says",
               "docs/models/iteration.md",
               [](const answer_basis& b) { return b.prices == pricing::system && !b.uncalibrated_chip; }},

    assumption{"ideal memories",
               "every level of memory moves the least that its size asks for, all at once, without latency",
               "docs/models/latency.md", [](const answer_basis& b) { return b.prices == pricing::sound; }},
    assumption{"ideal memories",
               "rows stream from memory without latency or launch; trees do not overlap with walks",
               "docs/models/vector_operators.md",
               [](const answer_basis& b) { return b.prices == pricing::rows; }},
    assumption{
        "PHAZE's constants", "the bandwidths, capacities and energies of PHAZE's release",
        "docs/models/mapping.md",
        [](const answer_basis& b) { return b.prices == pricing::phaze || b.prices == pricing::mapping; }},
    assumption{
        "ideal mapping", "levels of memory overlap perfectly, arrays neither fill nor drain",
        "docs/models/mapping.md",
        [](const answer_basis& b) { return b.prices == pricing::phaze || b.prices == pricing::mapping; }},
    assumption{"free vector traffic", "vector operators take lane cycles and no time in any memory",
               "docs/models/mapping.md", [](const answer_basis& b) { return b.prices == pricing::phaze; }},
    assumption{"compute alone", "operands arrive when they are wanted, and folds do not overlap",
               "docs/models/systolic.md", [](const answer_basis& b) { return b.prices == pricing::array; }},

    assumption{"plain attention", "scores go to memory and come back: nothing is fused across attention",
               "docs/models/latency.md",
               [](const answer_basis& b) { return b.attention && b.prices != pricing::system; }},
    assumption{"plain attention", "scores go to memory and come back: no FlashAttention",
               "docs/models/iteration.md",
               [](const answer_basis& b) { return b.attention && b.prices == pricing::system; }},
    assumption{"list schedules", "a pass through a layer is as long as its list schedule, not the shortest",
               "docs/models/search.md", [](const answer_basis& b) { return b.list_schedules; }},
    assumption{"no contention", "operators that overlap do not slow each other down in shared memories",
               "docs/models/schedule.md", [](const answer_basis& b) { return b.isolated_durations; }},

    assumption{"flat network",
               "every device sends at the same bandwidth to any other, whoever else sends at the time",
               "docs/models/placement.md", [](const answer_basis& b) { return b.flat_network; }},
    assumption{"no overlap of transfers", "nothing is computed beside what layers hand on",
               "docs/models/placement.md",
               [](const answer_basis& b) { return b.exposed_transfers && b.prices != pricing::system; }},
    assumption{"no overlap of transfers", "nothing is computed beside what layers hand on",
               "docs/models/iteration.md",
               [](const answer_basis& b) { return b.exposed_transfers && b.prices == pricing::system; }},
    assumption{"no overlap of reductions", "the backward pass is over when replicas add up gradients",
               "docs/models/placement.md",
               [](const answer_basis& b) { return b.exposed_reductions && b.prices != pricing::system; }},
    assumption{"no overlap of reductions", "the backward pass is over when replicas add up gradients",
               "docs/models/iteration.md",
               [](const answer_basis& b) { return b.exposed_reductions && b.prices == pricing::system; }},
    assumption{"even pipeline", "every micro-batch takes as long as in the heaviest stage: an upper bound",
               "docs/models/placement.md", [](const answer_basis& b) { return b.even_pipeline; }},
    assumption{"estimated bubble", "the pipeline's bubble is that of even stages: an estimate",
               "docs/models/pipeline.md", [](const answer_basis& b) { return b.estimated_bubble; }},
    assumption{"free overlap", "what runs beside the backward pass does not slow it down",
               "docs/models/pipeline.md", [](const answer_basis& b) { return b.free_overlap; }},
    assumption{"1F1B", "pipelines run one forward, one backward, with a flush", "docs/models/iteration.md",
               [](const answer_basis& b) { return b.one_forward_one_backward; }},
    assumption{"first stage reduces", "the first stage alone pays for the reduction, nobody for the update",
               "docs/models/placement.md", [](const answer_basis& b) { return b.first_stage_reduces; }},
    assumption{"halved backward pass", "the gradients of inputs and of weights take half of it each",
               "docs/models/placement.md", [](const answer_basis& b) { return b.halved_backward; }},
    assumption{"no fill of the pipeline", "the time to fill and to drain it is not counted",
               "docs/models/piper.md", [](const answer_basis& b) { return b.unfilled_pipeline; }},
    assumption{"one route", "all transfers go through the host, and their device computes nothing meanwhile",
               "docs/models/max_load.md", [](const answer_basis& b) { return b.host_route; }},
    assumption{"endless host", "the host has cores for all of its operators at once",
               "docs/models/latency_placement.md", [](const answer_basis& b) { return b.endless_host; }},

    assumption{"lean memory", "no fragmentation and no communication buffers", "docs/models/search.md",
               [](const answer_basis& b) { return b.planned_memory; }},
    assumption{"lean memory", "no fragmentation: an allocator needs at least as much",
               "docs/models/live_memory.md", [](const answer_basis& b) { return b.live_memory; }},

    assumption{
        "areas of PHAZE", "of cores and buffers alone, multipliers 1.66 times too large: to compare designs",
        "docs/models/area.md", [](const answer_basis& b) { return b.areas == shown_technology::phaze; }},
    assumption{"areas of cores", "no network on chip, control, pads or interface of the memory",
               "docs/models/area.md", [](const answer_basis& b) { return b.areas == shown_technology::n7; }},
    assumption{"power of PHAZE's technology",
               "large buffers cost several times what silicon needs: to compare designs",
               "docs/models/power.md",
               [](const answer_basis& b) { return b.energies == shown_technology::phaze; }},
    assumption{"power of published parts",
               "no network on chip, links, clocks or conversion; static power is scaled by area",
               "docs/models/power.md",
               [](const answer_basis& b) { return b.energies == shown_technology::n7; }},
    assumption{"even heat", "power is spread evenly and leaves through the sink: the least temperature",
               "docs/models/money_and_heat.md", [](const answer_basis& b) { return b.temperatures; }},
};

/// Those of them that an answer rests on, in their order.
[[nodiscard]] inline std::vector<assumption> assumptions_of(const answer_basis& basis) {
    std::vector<assumption> held;
    for (const assumption& known : known_assumptions)
        if (known.holds(basis)) held.push_back(known);
    return held;
}

/// One line for people, empty for none: "assumes: flat network, even pipeline (docs/models/search.md); ...".
/// Neighbours with the same page share it.
[[nodiscard]] inline std::string assumption_line(array_view<const assumption> held) {
    std::string line;
    for (std::size_t i = 0; i < held.size(); ++i) {
        const bool same_page = i > 0 && held[i].page == held[i - 1].page;
        line += i == 0 ? "assumes: " : same_page ? ", " : "; ";
        line += held[i].name;
        if (i + 1 == held.size() || held[i + 1].page != held[i].page)
            line += " (" + std::string(held[i].page) + ")";
    }
    return line;
}

/// Writes the member `assumptions`, an array of objects with `name`, `meaning` and `page`, into the object
/// that is open.
inline void write_assumptions(json_writer& json, array_view<const assumption> held) {
    json.key("assumptions").begin_array();
    for (const assumption& a : held)
        json.begin_object()
            .member("name", a.name)
            .member("meaning", a.meaning)
            .member("page", a.page)
            .end_object();
    json.end_array();
}

/// The part of a page that tells them, nothing for none.
[[nodiscard]] inline std::string assumption_section(array_view<const assumption> held) {
    if (held.empty()) return {};
    std::string section = "<h2>What this assumes</h2>\n<table class=\"words\">\n";
    for (const assumption& a : held)
        section += "<tr><td>" + escaped(a.name) + "</td><td>" + escaped(a.meaning) + "</td><td>" +
                   escaped(a.page) + "</td></tr>\n";
    return section + "</table>\n";
}

} // namespace dovetail::report
