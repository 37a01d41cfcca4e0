// Measured collectives: the layouts of nccl-tests sweeps, and the models that they are compared with.

#include "validate_layouts.hpp"

#include <dovetail/core/readable.hpp>
#include <dovetail/cost/collective.hpp>
#include <dovetail/hardware/network_catalogue.hpp>
#include <dovetail/report/basis.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace cost = dovetail::cost;
namespace hardware = dovetail::hardware;
namespace report = dovetail::report;
using dovetail::readable;

struct measured_collective {
    std::size_t line = 0;
    std::int64_t ranks = 0;
    std::string kind;
    double bytes = 0.0;
    double time_s = 0.0;
};

// "all_reduce", "AllReduce" and "all-reduce" are the same.
std::string plain_name(std::string_view name) {
    std::string letters;
    for (const char c : name)
        if (std::isalpha(static_cast<unsigned char>(c)) != 0)
            letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return letters;
}

std::optional<cost::collective> collective_of(std::string_view name) {
    for (const auto kind : {cost::collective::all_reduce, cost::collective::reduce_scatter,
                            cost::collective::all_gather, cost::collective::all_to_all})
        if (plain_name(to_string(kind)) == plain_name(name)) return kind;
    return std::nullopt;
}

// Whether the words of `text` name the chip `name`, in any case.
bool names_chip(std::string_view text, std::string_view name) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    const auto found = std::search(text.begin(), text.end(), name.begin(), name.end(), same);
    if (found == text.end()) return false;
    const auto after = found + static_cast<std::ptrdiff_t>(name.size());
    const auto inside_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    return (found == text.begin() || !inside_word(*(found - 1))) &&
           (after == text.end() || !inside_word(*after));
}

// Adds a row to its set, with a prediction or with the reason why there is none.
void add(report::measured_set& set, const measured_collective& row, const hardware::known_network& network) {
    set.quantity = "time [us]";
    const auto without = [&](std::string why) { set.unpredicted.push_back({row.line, std::move(why)}); };
    const auto kind = collective_of(row.kind);
    if (!kind) return without("collective '" + row.kind + "' has no model");
    if (row.ranks == 1) return without("a single rank sends nothing");
    if (row.ranks > network.links.devices())
        return without("it has " + readable(row.ranks) + " ranks, and the network " +
                       readable(network.links.devices()) + " devices");
    if (set.baselines.empty()) set.baselines = {{"datasheet roofline", {}}, {"two-parameter network", {}}};
    const hardware::rank_group group = hardware::spread(network.links, row.ranks);
    const double sent = cost::sent_parts(*kind, row.ranks) * row.bytes;
    set.lines.push_back(row.line);
    set.bases.push_back(
        {.uncalibrated_links = report::is_uncalibrated(network.links, 0), .system_network = true});
    set.measured.push_back(row.time_s * 1e6);
    set.predicted.push_back(cost::collective_model{}(network.links, group, *kind, row.bytes) * 1e6);
    set.baselines[0].predicted.push_back(sent / network.links.levels[0].device_bytes_per_s * 1e6);
    set.baselines[1].predicted.push_back((network.baseline_start_s + sent / network.baseline_bytes_per_s) *
                                         1e6);
}

// The named columns of a row.
struct row_view {
    const dovetail::csv_table& table;
    const std::vector<dovetail::csv_field>& fields;

    const dovetail::csv_field& operator[](std::string_view column) const {
        return fields[*table.find(column)];
    }
};

// One row of either layout, with the unit of its time and the names of the columns that differ.
dovetail::result<measured_collective> read(const row_view& row, std::string_view time, double seconds) {
    const auto ranks = row.table.number<std::int64_t>(row["ranks"], "ranks", 1);
    if (!ranks) return ranks.problem();
    const auto bytes = row.table.positive(row["bytes"], "bytes");
    if (!bytes) return bytes.problem();
    const auto measured = row.table.positive(row[time], time);
    if (!measured) return measured.problem();
    return measured_collective{row.fields.front().line, *ranks, "all_reduce", *bytes, *measured * seconds};
}

// Nodes of 8 A100, measured by ml-engineering: one collective a row.
dovetail::result<validated_sets> predict_collectives(const dovetail::csv_table& table) {
    const auto a100 = hardware::find_network("a100-nvswitch-1");
    if (!a100) return a100.problem();
    validated_sets sets;
    for (const auto& fields : table.rows) {
        const row_view row{table, fields};
        auto one = read(row, "time_us", 1e-6);
        if (!one) return std::move(one).problem();
        const auto nodes = table.number<std::int64_t>(row["nodes"], "nodes", 1);
        if (!nodes) return nodes.problem();
        one->kind = row["collective"].text;
        const std::string& system = row["system"].text;
        report::measured_set& set = set_of(sets, system);
        if (!names_chip(system, "a100"))
            set.unpredicted.push_back({one->line, "system '" + system + "' is not in the catalogue"});
        else if (*nodes > 1)
            set.unpredicted.push_back({one->line, "the network between nodes is not in the catalogue"});
        else
            add(set, *one, *a100);
    }
    return sets;
}

// All-reduce on part of a node, measured by vTrain; of the two times the one that is not in place.
dovetail::result<validated_sets> predict_all_reduce(const dovetail::csv_table& table) {
    const auto a100 = hardware::find_network("a100-nvswitch-2");
    if (!a100) return a100.problem();
    validated_sets sets;
    for (const auto& fields : table.rows) {
        const row_view row{table, fields};
        const auto one = read(row, "time_ns_out_of_place", 1e-9);
        if (!one) return one.problem();
        const std::string& chip = row["hw"].text;
        report::measured_set& set = set_of(sets, chip);
        if (names_chip(chip, "a100"))
            add(set, *one, *a100);
        else
            set.unpredicted.push_back({one->line, "system '" + chip + "' is not in the catalogue"});
    }
    return sets;
}

} // namespace

set_layout collectives_layout() {
    return {
        "collectives", {"system", "ranks", "nodes", "collective", "bytes", "time_us"}, predict_collectives};
}

set_layout all_reduce_layout() {
    return {"all-reduce", {"hw", "ranks", "bytes", "time_ns_out_of_place"}, predict_all_reduce};
}

} // namespace cli
