// dovetail validate: predictions beside every set of measurements in a folder.

#include "command.hpp"
#include "inputs.hpp"
#include "table_layout.hpp"
#include "validate_layouts.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/core/statistics.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/number.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace report = dovetail::report;
using dovetail::to_text;

std::vector<set_layout> layouts() {
    return {collectives_layout(),     all_reduce_layout(), matmul_layout(),
            gemm_efficiency_layout(), iterations_layout(), memory_layout()};
}

// A file that is not of a known layout, and why.
struct skipped_file {
    std::string name;
    std::string why;
};

struct validation {
    std::vector<report::measured_set> sets;
    std::vector<std::string> files; ///< of every set
    std::vector<skipped_file> skipped;
};

// The layout of which the header has most columns: a layout counts where it has all of them.
const set_layout* layout_of(const std::vector<set_layout>& known,
                            const std::vector<dovetail::csv_field>& header) {
    const set_layout* best = nullptr;
    for (const set_layout& layout : known) {
        const bool all = !dovetail::missing_column(header, layout.columns);
        if (all && (best == nullptr || layout.columns.size() > best->columns.size())) best = &layout;
    }
    return best;
}

dovetail::result<std::vector<std::string>> files_of(const std::string& folder) {
    std::error_code failed;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(folder, failed);
    for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed))
        if (std::error_code unknown; entry->is_regular_file(unknown))
            names.push_back(entry->path().filename().string());
    if (failed)
        return dovetail::error{dovetail::errc::io, folder, "it cannot be read as a folder",
                               "name a folder with files of measurements"};
    std::sort(names.begin(), names.end());
    return names;
}

dovetail::result<validation> validate_folder(const std::string& folder) {
    const auto names = files_of(folder);
    if (!names) return names.problem();
    const std::vector<set_layout> known = layouts();
    std::vector<table_layout> tables;
    for (const set_layout& layout : known) tables.push_back({layout.name, layout.columns});
    validation found;
    for (const std::string& name : *names) {
        const auto text = read_file((std::filesystem::path(folder) / name).string());
        if (!text) return text.problem();
        const auto header = dovetail::read_csv_header(*text, name);
        const set_layout* layout = header ? layout_of(known, *header) : nullptr;
        if (layout == nullptr) {
            found.skipped.push_back(
                {name, header ? why_unknown(tables, name, *header) : header.problem().line()});
            continue;
        }
        const auto table = dovetail::read_csv(*text, name);
        if (!table) return table.problem();
        auto sets = layout->predict(*table);
        if (!sets) return std::move(sets).problem();
        if (sets->empty()) found.skipped.push_back({name, "it has no rows"});
        for (report::measured_set& set : *sets) {
            set.name = sets->size() == 1 ? name : name + ": " + set.name;
            found.sets.push_back(std::move(set));
            found.files.push_back(name);
        }
    }
    if (found.sets.empty()) {
        // The nearest file: one of a table, of which a column is missing.
        const auto nearest =
            std::find_if(found.skipped.begin(), found.skipped.end(),
                         [](const skipped_file& file) { return file.why.starts_with("as a table"); });
        return dovetail::error{
            dovetail::errc::unsupported, folder,
            "none of its " + to_text(names->size()) + " files is of a known layout" +
                (nearest == found.skipped.end() ? "" : " (" + nearest->name + ": " + nearest->why + ")"),
            "the layouts are described in docs/models/validation.md"};
    }
    return found;
}

void write(dovetail::json_writer& json, const validation& found) {
    json.key("sets").begin_array();
    for (std::size_t s = 0; s < found.sets.size(); ++s) {
        const report::measured_set& set = found.sets[s];
        const dovetail::accuracy a = dovetail::accuracy_of(set.predicted, set.measured);
        const bool some = a.rows > 0; // without rows there is no error, rather than one of zero
        const auto number = [&](std::string_view key, double value) {
            json.key(key);
            some ? json.value(value) : json.null();
        };
        json.begin_object().member("name", set.name).member("file", found.files[s]).member("rows", a.rows);
        number("mean_abs_percent", a.mean_abs_percent);
        number("worst_percent", a.worst_percent);
        number("bias_percent", a.bias_percent);
        number("spearman", a.spearman);
        json.key("baselines").begin_object();
        for (const report::baseline& b : set.baselines)
            number(b.name, dovetail::accuracy_of(b.predicted, set.measured).mean_abs_percent);
        json.end_object();
        if (some) json.member("worst_line", set.lines[a.worst_row]);
        json.key("unpredicted").begin_array();
        for (const report::unpredicted_row& row : set.unpredicted)
            json.begin_object().member("line", row.line).member("why", row.why).end_object();
        json.end_array();
        write_assumptions(json, report::assumptions_of(std::span(&set, 1)));
        json.end_object();
    }
    json.end_array();
    write_assumptions(json, report::assumptions_of(found.sets));
    json.key("skipped").begin_array();
    for (const skipped_file& file : found.skipped)
        json.begin_object().member("file", file.name).member("why", file.why).end_object();
    json.end_array();
}

// A text table: the last column to the left, the others to the right.
void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows)
        for (std::size_t c = 0; c + 1 < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    for (const auto& row : rows) {
        for (std::size_t c = 0; c + 1 < row.size(); ++c)
            out << std::string(widths[c] - row[c].size() + (c == 0 ? 0 : 2), ' ') << row[c];
        out << (row.back().empty() ? "" : "  ") << row.back() << '\n';
    }
}

void print_figures(std::ostream& out, const validation& found) {
    // Names of two words or more stand in two lines.
    std::vector<std::vector<std::string>> rows{{"", "mean", "worst", "", ""},
                                               {"rows", "error %", "%", "bias %", "Spearman"}};
    std::vector<std::string> baselines;
    for (const report::measured_set& set : found.sets)
        for (const report::baseline& b : set.baselines) {
            if (std::find(baselines.begin(), baselines.end(), b.name) != baselines.end()) continue;
            baselines.push_back(b.name);
            const std::size_t blank = b.name.rfind(' ');
            rows[0].push_back(blank == std::string::npos ? "" : b.name.substr(0, blank));
            rows[1].push_back(blank == std::string::npos ? b.name : b.name.substr(blank + 1));
        }
    rows[0].push_back("");
    rows[1].push_back("set");
    for (const report::measured_set& set : found.sets) {
        const dovetail::accuracy a = dovetail::accuracy_of(set.predicted, set.measured);
        const auto percent = [&](double value) {
            return a.rows > 0 ? report::readable_percent(value) : std::string("-");
        };
        rows.push_back({report::readable(a.rows), percent(a.mean_abs_percent), percent(a.worst_percent),
                        percent(a.bias_percent),
                        std::isfinite(a.spearman) ? report::readable(a.spearman, 4) : "-"});
        for (const std::string& name : baselines) {
            const auto own = std::find_if(set.baselines.begin(), set.baselines.end(),
                                          [&](const report::baseline& b) { return b.name == name; });
            rows.back().push_back(
                own == set.baselines.end()
                    ? "-"
                    : percent(dovetail::accuracy_of(own->predicted, set.measured).mean_abs_percent));
        }
        rows.back().push_back(set.name);
    }
    print_table(out, rows);
}

// The rows of a set that have no prediction; neighbours for the same reason are one line.
void print_unpredicted(std::ostream& out, const report::measured_set& set, const std::string& file) {
    if (set.unpredicted.empty()) return;
    out << set.name << ": without a prediction: " << report::readable(set.unpredicted.size()) << '\n';
    for (auto row = set.unpredicted.begin(); row != set.unpredicted.end();) {
        const auto end = std::find_if(row, set.unpredicted.end(), [&](const report::unpredicted_row& other) {
            return other.why != row->why;
        });
        out << "  " << file << ':' << row->line;
        if (end - row > 1) out << " to " << (end - 1)->line << " (" << end - row << " rows)";
        out << ": " << row->why << '\n';
        row = end;
    }
}

void print(std::ostream& out, const validation& found) {
    print_figures(out, found);
    for (std::size_t s = 0; s < found.sets.size(); ++s) print_unpredicted(out, found.sets[s], found.files[s]);
    for (const skipped_file& file : found.skipped) out << file.name << " is skipped: " << file.why << '\n';
    if (const auto held = report::assumptions_of(found.sets); !held.empty())
        out << report::assumption_line(held) << '\n';
}

struct validate_command {
    common_options common;
    std::string folder;
    output html;

    exit_status run() {
        if (auto begun = common.begin(sources_of(folder)); !begun) return complain(begun.problem());
        const auto found = validate_folder(folder);
        if (!found) return complain(found.problem());
        common.put_json([&](dovetail::json_writer& json) { write(json, *found); });
        if (html.wanted()) common.put(html, report::to_html(found->sets, common.origin()));
        print(common.people(), *found);
        return common.finish(solved);
    }
};

} // namespace

void add_validate(command_syntax app, int& status) {
    const command_syntax command =
        app.add_subcommand("validate", "predictions beside every set of measurements");
    const auto options = std::make_shared<validate_command>();
    command.add_example("dovetail validate measurements --html agreement.html",
                        "errors of every set, and pictures of them");
    command.add_example("dovetail validate measurements --json -", "for a program");
    command.add_option("folder", options->folder, "with files of measurements; any name, known columns")
        .type_name("FOLDER")
        .required();
    options->common.add_output(command, options->html, "--html",
                               "draw predicted against measured in this file");
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
