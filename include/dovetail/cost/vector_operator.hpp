#pragma once
/// \file
/// Operators of the vector cores as walks over rows: norms, softmax, reductions, look-ups, optimizer steps.

#include <dovetail/cost/optimizer.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/workload/operators/lane_cycles.hpp>
#include <dovetail/workload/tensor.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::cost {

/// What a vector operator does, row by row. Some lanes share a row, each walks over its part, and a tree
/// joins what they found. An elementwise operator has rows of one element.
struct row_operator {
    std::int64_t rows = 0;
    std::int64_t length = 1;   ///< elements that the lanes of a row share out
    int passes = 1;            ///< walks over a row
    double element_cycles = 0; ///< of a lane for each element, all passes together
    double again_cycles = 0; ///< besides, where a row is not kept from pass to pass and values are made again
    double row_cycles = 0;   ///< of a lane, once a row
    double level_cycles = 0; ///< of a lane for one level of the trees of a row
    double row_read = 0;     ///< elements of a row that every pass reads
    double row_written = 0;  ///< elements of a row that are written once
    double shared_read = 0;  ///< elements read once for all rows
    double shared_written = 0; ///< elements written once for all rows

    /// The same demand without the shape of its rows: what `sound_model` prices, and a bound from below.
    [[nodiscard]] constexpr workload::operator_work work() const noexcept {
        const auto all = static_cast<double>(rows);
        workload::operator_work w;
        w.lane_cycles = all * (static_cast<double>(length) * element_cycles + row_cycles);
        w.read_elements = all * row_read + shared_read;
        w.written_elements = all * row_written + shared_written;
        return w;
    }
};

/// `elements` elements, each of `operands` operands and `results` results; a mask of one byte is half a
/// result where an element has two.
[[nodiscard]] constexpr row_operator elementwise(std::int64_t elements, double cycles, double operands = 1,
                                                 double results = 1) noexcept {
    return {.rows = elements, .element_cycles = cycles, .row_read = operands, .row_written = results};
}

/// A random mask and a scaling. The mask is written as well, a byte an element.
template <hardware::platform P>
[[nodiscard]] constexpr row_operator dropout(std::int64_t elements) noexcept {
    constexpr double mask = 1.0 / static_cast<double>(P::element_bytes);
    return elementwise(elements, 2 * workload::op::lane::step, 1, 1 + mask);
}

/// The sum, or the largest, of every row.
[[nodiscard]] constexpr row_operator reduction(std::int64_t rows, std::int64_t length) noexcept {
    using namespace workload::op;
    return {.rows = rows,
            .length = length,
            .element_cycles = lane::step,
            .level_cycles = lane::step,
            .row_read = static_cast<double>(length),
            .row_written = 1};
}

/// Softmax in three passes: the largest; differences, exponentials and their sum; quotients. The exponentials
/// of a row that is not kept are made again.
[[nodiscard]] constexpr row_operator softmax(std::int64_t rows, std::int64_t length) noexcept {
    using namespace workload::op;
    const auto elements = static_cast<double>(length);
    return {.rows = rows,
            .length = length,
            .passes = 3,
            .element_cycles = lane::exponential + lane::division + 3 * lane::step,
            .again_cycles = lane::exponential + lane::step,
            .level_cycles = 2 * lane::step,
            .row_read = elements,
            .row_written = elements};
}

/// Softmax in two passes: the largest and the sum are found together, and the sum is rescaled when the
/// largest grows (Milakov and Gimelshein, 2018, algorithm 3). It computes three exponentials an element
/// instead of one, and reads a row that is not kept twice instead of three times.
[[nodiscard]] constexpr row_operator online_softmax(std::int64_t rows, std::int64_t length) noexcept {
    using namespace workload::op;
    const auto elements = static_cast<double>(length);
    return {.rows = rows,
            .length = length,
            .passes = 2,
            .element_cycles = 3 * lane::exponential + lane::division + 6 * lane::step,
            .level_cycles = 2 * lane::exponential + 6 * lane::step,
            .row_read = elements,
            .row_written = elements};
}

/// Layer normalization in three passes: the mean; the variance; centred, scaled and shifted elements. Rows
/// that are not kept are centred again.
[[nodiscard]] constexpr row_operator layer_normalization(std::int64_t rows, std::int64_t length) noexcept {
    using namespace workload::op;
    const auto elements = static_cast<double>(length);
    return {.rows = rows,
            .length = length,
            .passes = 3,
            .element_cycles = 7 * lane::step,
            .again_cycles = lane::step,
            .row_cycles = lane::root + lane::division + lane::step,
            .level_cycles = 2 * lane::step,
            .row_read = elements,
            .row_written = elements,
            .shared_read = 2 * elements};
}

/// Root-mean-square normalization in two passes: the mean of the squares; scaled elements.
[[nodiscard]] constexpr row_operator rms_normalization(std::int64_t rows, std::int64_t length) noexcept {
    using namespace workload::op;
    const auto elements = static_cast<double>(length);
    return {.rows = rows,
            .length = length,
            .passes = 2,
            .element_cycles = 4 * lane::step,
            .row_cycles = lane::root + lane::division + lane::step,
            .level_cycles = lane::step,
            .row_read = elements,
            .row_written = elements,
            .shared_read = elements};
}

/// The gradient of softmax, y (dy - sum y dy), from result and its gradient in two passes.
[[nodiscard]] constexpr row_operator softmax_gradient(std::int64_t rows, std::int64_t length) noexcept {
    using namespace workload::op;
    const auto elements = static_cast<double>(length);
    return {.rows = rows,
            .length = length,
            .passes = 2,
            .element_cycles = 4 * lane::step,
            .level_cycles = lane::step,
            .row_read = 2 * elements,
            .row_written = elements};
}

/// The gradient of layer normalization, with those of scale and shift, from operand, result gradient and the
/// statistics of the forward pass. Two passes: normalized rows, scaled gradients and two means; what they
/// combine to, for which rows that are not kept are normalized and scaled again.
[[nodiscard]] constexpr row_operator layer_normalization_gradient(std::int64_t rows,
                                                                  std::int64_t length) noexcept {
    using namespace workload::op;
    const auto elements = static_cast<double>(length);
    return {.rows = rows,
            .length = length,
            .passes = 2,
            .element_cycles = 13 * lane::step,
            .again_cycles = 3 * lane::step,
            .level_cycles = 2 * lane::step,
            .row_read = 2 * elements,
            .row_written = elements,
            .shared_read = 2 * elements,
            .shared_written = 2 * elements};
}

/// The gradient of root-mean-square normalization: as for layer normalization, with one mean and no shift.
[[nodiscard]] constexpr row_operator rms_normalization_gradient(std::int64_t rows,
                                                                std::int64_t length) noexcept {
    using namespace workload::op;
    const auto elements = static_cast<double>(length);
    return {.rows = rows,
            .length = length,
            .passes = 2,
            .element_cycles = 9 * lane::step,
            .again_cycles = 2 * lane::step,
            .level_cycles = lane::step,
            .row_read = 2 * elements,
            .row_written = elements,
            .shared_read = elements,
            .shared_written = elements};
}

/// The words of a token, which is an integer of 64 bits as in model files.
template <hardware::platform P>
inline constexpr double
    token_words = static_cast<double>(workload::element_size_bytes(workload::element_type::int64)) /
                  static_cast<double>(P::element_bytes);

/// Looks up `tokens` rows of a table of `entries` rows: only the rows that occur are read, at most as many as
/// there are.
template <hardware::platform P>
[[nodiscard]] constexpr row_operator embedding(std::int64_t tokens, std::int64_t entries,
                                               std::int64_t length) noexcept {
    const auto elements = static_cast<double>(length);
    return {.rows = tokens,
            .length = length,
            .element_cycles = workload::op::lane::step,
            .row_read = token_words<P>,
            .row_written = elements,
            .shared_read = static_cast<double>(std::min(tokens, entries)) * elements};
}

/// Adds the gradients of `tokens` rows to those of the table: only the rows that occur are written.
template <hardware::platform P>
[[nodiscard]] constexpr row_operator embedding_gradient(std::int64_t tokens, std::int64_t entries,
                                                        std::int64_t length) noexcept {
    const auto elements = static_cast<double>(length);
    return {.rows = tokens,
            .length = length,
            .element_cycles = workload::op::lane::step,
            .row_read = elements + token_words<P>,
            .shared_written = static_cast<double>(std::min(tokens, entries)) * elements};
}

/// The update of `parameters` parameters: gradient, master weight and state in, the new ones out.
template <hardware::platform P>
[[nodiscard]] constexpr row_operator optimizer_step(optimizer o, std::int64_t parameters) noexcept {
    constexpr auto element_bytes = static_cast<double>(P::element_bytes);
    const parameter_cost cost = cost_of(o);
    return elementwise(parameters, cost.update_cycles, cost.update_read_bytes / element_bytes,
                       (cost.update_bytes - cost.update_read_bytes) / element_bytes);
}

} // namespace dovetail::cost
