#pragma once
// The layouts of files with measurements that `dovetail validate` knows, and what each answers.

#include <dovetail/core/csv.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/report/agreement.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// What one file gives: a set for every source in it, named by the source; one that is alone in its file
/// needs no name. A broken value is an error with its place; a row that no model covers is listed in its set.
using validated_sets = std::vector<dovetail::report::measured_set>;

/// A layout is known by its columns, in any order; measurements come with further columns, which are ignored.
struct set_layout {
    std::string_view name;
    std::vector<std::string_view> columns;
    dovetail::result<validated_sets> (*predict)(const dovetail::csv_table& table);
};

/// One function a layout, each in a file of its own.
[[nodiscard]] set_layout collectives_layout();
[[nodiscard]] set_layout all_reduce_layout();
[[nodiscard]] set_layout matmul_layout();
[[nodiscard]] set_layout gemm_efficiency_layout();
[[nodiscard]] set_layout iterations_layout();
[[nodiscard]] set_layout memory_layout();

/// Finds or appends the set of `source`.
[[nodiscard]] inline dovetail::report::measured_set& set_of(validated_sets& sets, std::string_view source) {
    for (dovetail::report::measured_set& set : sets)
        if (set.name == source) return set;
    return sets.emplace_back(dovetail::report::measured_set{.name = std::string(source)});
}

} // namespace cli
