// dovetail calibrate: the numbers of a system, from measurements of it.

#include "command.hpp"
#include "inputs.hpp"
#include "measured_products.hpp"
#include "table_layout.hpp"

#include <dovetail/core/csv.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/cost/collective.hpp>
#include <dovetail/ext/eigen/calibrate_chip.hpp>
#include <dovetail/ext/eigen/calibrate_links.hpp>
#include <dovetail/hardware/system_catalogue.hpp>
#include <dovetail/report/number.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace cost = dovetail::cost;
namespace eigen = dovetail::ext::eigen;
namespace hardware = dovetail::hardware;
using dovetail::csv_table;
using dovetail::to_text;

struct measurements {
    std::vector<eigen::measured_product> products;
    std::vector<eigen::measured_collective> collectives;
    std::vector<std::string> skipped; ///< files and rows, with the reason
};

dovetail::result<void> add_products(const csv_table& table, bool efficiencies, measurements& all) {
    const auto rows = efficiencies ? read_efficiencies(table) : read_products(table);
    if (!rows) return rows.problem();
    for (const measured_product_row& row : *rows)
        if (row.why_not.empty())
            all.products.push_back({row.product, row.time_s});
        else
            all.skipped.push_back(table.name + ":" + to_text(row.line) + ": " + row.why_not);
    return {};
}

// Rows as those of nccl-tests: an all-reduce where no column says otherwise.
dovetail::result<void> add_collectives(const csv_table& table, std::string_view time, double seconds,
                                       measurements& all) {
    for (const auto& fields : table.rows) {
        const auto at = [&](std::string_view column) -> const dovetail::csv_field& {
            return fields[*table.find(column)];
        };
        eigen::measured_collective row;
        if (table.find("collective")) {
            const std::string& name = at("collective").text;
            constexpr std::array kinds{cost::collective::all_reduce, cost::collective::reduce_scatter,
                                       cost::collective::all_gather, cost::collective::all_to_all};
            const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                           [&](auto known) { return to_string(known) == name; });
            if (kind == kinds.end()) {
                all.skipped.push_back(table.place(at("collective")) + ": collective '" + name +
                                      "' has no model");
                continue;
            }
            row.kind = *kind;
        }
        const auto ranks = table.number<std::int64_t>(at("ranks"), "ranks", 1);
        if (!ranks) return ranks.problem();
        const auto bytes = table.positive(at("bytes"), "bytes");
        if (!bytes) return bytes.problem();
        const auto measured = table.positive(at(time), time);
        if (!measured) return measured.problem();
        row.ranks = *ranks;
        row.bytes = *bytes;
        row.time_s = *measured * seconds;
        if (row.ranks > 1) all.collectives.push_back(row);
    }
    return {};
}

dovetail::result<void> add_table(const csv_table& table, measurements& all) {
    if (has_columns(table, product_columns)) return add_products(table, false, all);
    if (has_columns(table, efficiency_columns)) return add_products(table, true, all);
    static constexpr std::string_view microseconds[] = {"ranks", "bytes", "time_us"};
    static constexpr std::string_view nanoseconds[] = {"ranks", "bytes", "time_ns_out_of_place"};
    if (has_columns(table, microseconds)) return add_collectives(table, microseconds[2], 1e-6, all);
    if (has_columns(table, nanoseconds)) return add_collectives(table, nanoseconds[2], 1e-9, all);
    const std::array<table_layout, 4> known{{{"products", product_columns},
                                             {"efficiencies", efficiency_columns},
                                             {"collectives", microseconds},
                                             {"collectives", nanoseconds}}};
    all.skipped.push_back(table.name + ": " + why_unknown(known, table.name, table.header));
    return {};
}

dovetail::result<measurements> read_folder(const std::string& folder) {
    std::error_code failed;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(folder, failed);
    for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed))
        if (std::error_code unknown; entry->path().extension() == ".csv" && entry->is_regular_file(unknown))
            names.push_back(entry->path().filename().string());
    if (failed)
        return dovetail::error{dovetail::errc::io, folder, "it cannot be read as a folder",
                               "name a folder with files of measurements"};
    std::sort(names.begin(), names.end());
    measurements all;
    for (const std::string& name : names) {
        const auto text = read_file((std::filesystem::path(folder) / name).string());
        if (!text) return text.problem();
        const auto table = dovetail::read_csv(*text, name);
        if (!table) return table.problem();
        if (auto added = add_table(*table, all); !added) return added.problem();
    }
    if (all.products.empty() && all.collectives.empty())
        return dovetail::error{dovetail::errc::unsupported, folder,
                               "it has no measured products or collectives" +
                                   (all.skipped.empty() ? std::string() : " (" + all.skipped.front() + ")"),
                               "the layouts of files are described in docs/models/systems.md"};
    return all;
}

void print(std::ostream& out, std::string_view what, const eigen::calibration_report& report) {
    const auto percent = [](double value) { return dovetail::report::readable(value, 3) + " %"; };
    out << dovetail::report::readable(report.after.rows) << ' ' << what << ": mean error "
        << percent(report.before.mean_abs_percent) << " before, " << percent(report.after.mean_abs_percent)
        << " after, " << percent(report.left_out.mean_abs_percent) << " of each by the others\n";
    if (const eigen::half_study& study = report.study; study.halves > 0)
        out << "  over " << dovetail::report::readable(study.halves)
            << " random halves: " << percent(study.fitted_percent) << " of the fitted half, "
            << percent(study.other_percent) << " of the other, at worst "
            << percent(study.worst_other_percent) << '\n';
    for (std::size_t i = 0; i < report.unknowns.size(); ++i) {
        const eigen::unknown& u = report.unknowns[i];
        const eigen::fitted_number& number = report.found.numbers[i];
        out << "  " << u.name << ' ' << dovetail::report::readable(number.value, 4);
        if (number.identified)
            out << ", was " << dovetail::report::readable(u.expected, 4) << '\n';
        else
            out << ", kept: these measurements do not tell\n";
    }
}

void write(dovetail::json_writer& json, std::string_view what, const eigen::calibration_report& report) {
    json.key(what).begin_object().member("measurements", report.after.rows).key("numbers").begin_object();
    for (std::size_t i = 0; i < report.unknowns.size(); ++i)
        json.key(report.unknowns[i].name)
            .begin_object()
            .member("value", report.found.numbers[i].value)
            .member("before", report.unknowns[i].expected)
            .member("log_spread", report.found.numbers[i].log_spread)
            .member("identified", report.found.numbers[i].identified)
            .end_object();
    json.end_object().key("mean_abs_percent").begin_object();
    json.member("before", report.before.mean_abs_percent)
        .member("after", report.after.mean_abs_percent)
        .member("left_out", report.left_out.mean_abs_percent);
    if (report.study.halves > 0)
        json.key("halves")
            .begin_object()
            .member("count", report.study.halves)
            .member("fitted", report.study.fitted_percent)
            .member("other", report.study.other_percent)
            .member("worst_other", report.study.worst_other_percent)
            .end_object();
    json.end_object().end_object();
}

struct study_options {
    std::int64_t halves = 0;

    static constexpr auto table() {
        return std::tuple{dovetail::option<study_options, std::int64_t>{
            "halves", "random halves of the measurements, fitted to predict the others",
            &study_options::halves, 0, 100000}};
    }
};

struct calibrate_command {
    common_options common;
    std::string folder;
    std::string system;
    bool from_datasheet = false;
    eigen::levenberg_marquardt method;
    study_options study;

    exit_status run() {
        if (auto begun = common.begin(sources_of(folder)); !begun) return complain(begun.problem());
        auto base = hardware::find_system(system);
        if (!base) return complain(base.problem());
        if (from_datasheet) base = datasheet(*base);
        const auto all = read_folder(folder);
        if (!all) return complain(all.problem());
        const eigen::calibration_options options{
            .method = method, .halves = study.halves, .seed = common.seed};
        std::optional<eigen::calibrated_chip> chip;
        std::optional<eigen::calibrated_links> links;
        if (!all->products.empty()) {
            auto fitted = eigen::calibrate_chip(*base, all->products, {}, options);
            if (!fitted) return complain(fitted.problem());
            chip = *std::move(fitted);
        }
        if (!all->collectives.empty()) {
            auto fitted = eigen::calibrate_links(base->links, all->collectives, {}, options);
            if (!fitted) return complain(fitted.problem());
            links = *std::move(fitted);
        }
        common.put_json([&](dovetail::json_writer& json) {
            json.member("system", system);
            if (chip) write(json, "chip", chip->report);
            if (links) write(json, "links", links->report);
            json.key("skipped").begin_array();
            for (const std::string& why : all->skipped) json.value(why);
            json.end_array();
        });
        std::ostream& out = common.people();
        if (chip) print(out, "products", chip->report);
        if (links) print(out, "collectives", links->report);
        for (const std::string& why : all->skipped) out << "skipped: " << why << '\n';
        return common.finish(solved);
    }
};

} // namespace

void add_calibrate(command_syntax app, int& status) {
    const command_syntax command =
        app.add_subcommand("calibrate", "the numbers of a system, from measurements of it");
    const auto options = std::make_shared<calibrate_command>();
    command.add_example("dovetail calibrate measurements --system a100-sxm-80",
                        "from the catalogue's numbers");
    command.add_example("dovetail calibrate measurements --system a100-sxm-80 --datasheet --halves 100",
                        "from the datasheet alone, and how far it predicts what it was not shown");
    command.add_option("folder", options->folder, "with files of measured products and collectives")
        .type_name("FOLDER")
        .required();
    std::vector<std::string> systems;
    for (const hardware::system& known : hardware::known_systems) systems.emplace_back(known.name);
    command.add_option("--system", options->system, "the system of the catalogue to begin with")
        .one_of(systems)
        .required();
    command.add_flag("--datasheet", options->from_datasheet, "begin with the system's datasheet alone");
    add_options(command, options->method);
    add_options(command, options->study);
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
