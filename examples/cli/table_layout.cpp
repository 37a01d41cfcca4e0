// What a table lacks that is of no known layout.

#include "table_layout.hpp"

#include <algorithm>
#include <cstddef>

namespace cli {

std::string why_unknown(std::span<const table_layout> known, std::string_view table,
                        std::span<const dovetail::csv_field> header) {
    const table_layout* nearest = nullptr;
    std::size_t most = 0;
    for (const table_layout& layout : known) {
        const auto has = static_cast<std::size_t>(
            std::count_if(layout.columns.begin(), layout.columns.end(), [&](const std::string_view& column) {
                return !dovetail::missing_column(header, {&column, 1});
            }));
        if (2 * has >= layout.columns.size() && has < layout.columns.size() && has > most) {
            nearest = &layout;
            most = has;
        }
    }
    if (nearest == nullptr) return "its columns are of no known layout";
    const auto column = dovetail::missing_column(header, nearest->columns);
    return "as a table of " + std::string(nearest->name) + ", " +
           dovetail::column_is_missing(table, header, *column, nearest->columns).line();
}

} // namespace cli
