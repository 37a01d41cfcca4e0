#pragma once
/// \file
/// Cycles of a matrix product on one systolic array, by dataflow, as a closed form.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/error.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/work.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::cost {

/// Which matrix stays in the array while the other two move through it.
enum class dataflow : std::uint8_t { weight_stationary, output_stationary, input_stationary };

/// Every dataflow by its usual short name.
inline constexpr std::array<std::pair<std::string_view, dataflow>, 3> dataflow_names{
    {{"ws", dataflow::weight_stationary},
     {"os", dataflow::output_stationary},
     {"is", dataflow::input_stationary}}};

/// The dataflow called `name`. \returns errc::unknown_name.
[[nodiscard]] inline result<dataflow> find_dataflow(std::string_view name) {
    for (const auto& [known, flow] : dataflow_names)
        if (known == name) return flow;
    return error{errc::unknown_name, "dataflow '" + std::string(name) + "'", "it is not known",
                 "known are ws, os, is"};
}

/// A grid of multiply-accumulate units. Operands enter at the left and the top edge and move on by one unit a
/// cycle.
struct systolic_array {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
};

/// A product cut into folds: parts that fit on the array, done one after another. An edge fold takes as long
/// as a full one.
struct systolic_time {
    std::int64_t folds = 0;
    std::int64_t fold_cycles = 0;
    /// From the first cycle, which is number 0, to the last: one less than there are. This is the number that
    /// SCALE-Sim reports.
    std::int64_t cycles = 0;
};

namespace detail {

/// How a product lies on an array: two of its extents are cut to the array, the third streams.
struct systolic_layout {
    std::int64_t down;       ///< along the rows of the array
    std::int64_t across;     ///< along its columns
    std::int64_t streamed;   ///< one step a cycle
    std::int64_t load_waves; ///< 1 if a stationary operand is first shifted in, a row of units a cycle
};

[[nodiscard]] constexpr systolic_layout lay_out(const workload::contraction& product, dataflow flow) {
    switch (flow) {
    case dataflow::weight_stationary:
        return {product.reduction, product.columns, product.rows, 1};
    case dataflow::input_stationary:
        return {product.reduction, product.rows, product.columns, 1};
    case dataflow::output_stationary:
        break;
    }
    return {product.rows, product.columns, product.reduction, 0};
}

} // namespace detail

/// The folds of `product` on `array`, and their cycles. With R x C units and T streamed steps, a fold takes
/// R + C + T - 2 cycles from the first step that enters to the last multiplication in the far corner, and R
/// more before that where a stationary operand is loaded. Nothing overlaps from fold to fold. The results of
/// the output-stationary array are not drained cycle by cycle. Batches follow one another.
///
/// The formula is that of SCALE-Sim (Samajdar et al., ISPASS 2020), whose runs it reproduces exactly.
/// \returns errc::out_of_range for an extent below 1, errc::overflow when the cycles leave 64 bits.
/// \complexity O(1), no allocation.
[[nodiscard]] constexpr result<systolic_time> systolic_cycles(const workload::contraction& product,
                                                              const systolic_array& array, dataflow flow) {
    const std::array<std::pair<const char*, std::int64_t>, 6> extents{
        {{"rows of the array", array.rows},
         {"columns of the array", array.columns},
         {"batch", product.batch},
         {"rows (M)", product.rows},
         {"columns (N)", product.columns},
         {"reduction (K)", product.reduction}}};
    for (const auto& [name, extent] : extents)
        if (extent < 1)
            return error{errc::out_of_range, name, "the extent is " + to_text(extent),
                         "every extent is at least 1"};
    const detail::systolic_layout layout = detail::lay_out(product, flow);
    const std::array factors{product.batch, ceil_div(layout.down, array.rows),
                             ceil_div(layout.across, array.columns)};
    const auto folds = checked_product(factors);
    auto fold_cycles = checked_add(array.rows - 1, array.columns - 1);
    if (fold_cycles) fold_cycles = checked_add(*fold_cycles, layout.streamed);
    if (fold_cycles) fold_cycles = checked_add(*fold_cycles, layout.load_waves * array.rows);
    const auto total = folds && fold_cycles ? checked_multiply(*folds, *fold_cycles) : std::nullopt;
    if (!total)
        return error{errc::overflow, "systolic array", "the cycles of this product leave 64 bits",
                     "give a smaller product"};
    return systolic_time{.folds = *folds, .fold_cycles = *fold_cycles, .cycles = *total - 1};
}

} // namespace dovetail::cost
