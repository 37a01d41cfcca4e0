#pragma once
// Layouts of tables, known by their columns, and what a table lacks that is of none.

#include <dovetail/core/csv.hpp>

#include <span>
#include <string>
#include <string_view>

namespace cli {

/// A layout: the columns that a table of it has, in any order and beside others.
struct table_layout {
    std::string_view name;
    std::span<const std::string_view> columns;
};

/// Why a header is of none of the layouts that are `known`: the column that it lacks of the layout that it is
/// nearest to, where it has half of that.
[[nodiscard]] std::string why_unknown(std::span<const table_layout> known, std::string_view table,
                                      std::span<const dovetail::csv_field> header);

} // namespace cli
