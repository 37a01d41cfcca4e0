#pragma once
// Matrix products that somebody measured: the layouts of files with them.

#include <dovetail/core/csv.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/cost/gemm_time.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Columns of a table of products with their times, and of one with the part of the peak that they reach.
inline constexpr std::string_view product_columns[] = {"m", "n", "k", "time_ms"};
inline constexpr std::string_view efficiency_columns[] = {"system", "op", "peak_tflops", "shape_key",
                                                          "measured_eff"};

/// Whether `table` has all of `columns`.
template <std::size_t Count>
[[nodiscard]] bool has_columns(const dovetail::csv_table& table, const std::string_view (&columns)[Count]) {
    for (const std::string_view column : columns)
        if (!table.find(column)) return false;
    return true;
}

/// One row. `why_not` says why it is no product, and is empty for one that is.
struct measured_product_row {
    std::size_t line = 0;
    std::string system{}; ///< as the row, or the name of the file, has it
    dovetail::cost::gemm product{};
    double time_s = 0.0;
    double peak_flop_per_s = 0.0; ///< that an efficiency is part of; 0 where the row has a time
    std::string why_not{};
};

/// The rows of a table with `product_columns`; its name says which chip, and products are of fp16.
[[nodiscard]] dovetail::result<std::vector<measured_product_row>>
read_products(const dovetail::csv_table& table);

/// The rows of a table with `efficiency_columns`: products, and grouped products as a batch.
[[nodiscard]] dovetail::result<std::vector<measured_product_row>>
read_efficiencies(const dovetail::csv_table& table);

/// The system of the catalogue whose chip `text` names in any case, as "MI210" in "matmul_mi210.csv"; nothing
/// where it names none. An A100 of unknown kind is the SXM module with 80 GB.
[[nodiscard]] std::string_view catalogue_name(std::string_view text);

} // namespace cli
