#pragma once
/// \file
/// What an operator asks of a chip: the only thing that a cost model sees of it.

#include <cstdint>

namespace dovetail::workload {

/// `batch` independent products of a (rows x reduction) by a (reduction x columns) matrix.
///
/// A convolution is the implicit product: batch = groups, rows = N*P*Q, reduction = C/groups*R*S,
/// columns = K/groups. An operator without a product has no rows.
struct contraction {
    std::int64_t batch = 0;
    std::int64_t rows = 0;
    std::int64_t reduction = 0;
    std::int64_t columns = 0;

    [[nodiscard]] constexpr bool empty() const noexcept { return rows == 0; }

    /// Multiply-accumulates, as a real number since a training step may pass 2^63.
    [[nodiscard]] constexpr double macs() const noexcept {
        return static_cast<double>(batch) * static_cast<double>(rows) * static_cast<double>(reduction) *
               static_cast<double>(columns);
    }

    friend constexpr bool operator==(const contraction&, const contraction&) = default;
};

/// The demand of one operator, or of a fused group of them, on the cores, the memories and the link.
/// Elements are floating-point numbers: they become bytes by the element size of the chip.
struct operator_work {
    contraction product;    ///< for the tensor cores; empty for a pure vector operator
    double lane_cycles = 0; ///< for the vector cores: cycles summed over all elements, one lane each
    double product_operand_elements = 0; ///< distinct elements that the product reads (both operands)
    double product_result_elements = 0;  ///< distinct elements that the product gives
    double read_elements = 0;            ///< distinct elements that the whole group reads from outside
    double written_elements = 0;         ///< distinct elements that the whole group gives to the outside
    double reduced_elements = 0;         ///< elements that take part in an all-reduce over the tensor group
    double read_discrete_bytes = 0;      ///< read besides: integers and truth values, in their own size
    double written_discrete_bytes = 0;   ///< written besides

    /// All that is read, in words of `element_bytes`.
    [[nodiscard]] constexpr double read_words(double element_bytes) const noexcept {
        return read_elements + read_discrete_bytes / element_bytes;
    }
    /// All that is written, in words of `element_bytes`.
    [[nodiscard]] constexpr double written_words(double element_bytes) const noexcept {
        return written_elements + written_discrete_bytes / element_bytes;
    }

    [[nodiscard]] constexpr bool uses_tensor_core() const noexcept { return !product.empty(); }
    [[nodiscard]] constexpr bool uses_vector_core() const noexcept { return lane_cycles > 0; }
    [[nodiscard]] constexpr bool uses_link() const noexcept { return reduced_elements > 0; }
    /// Whether it costs anything at all: views and weight-only expressions do not.
    [[nodiscard]] constexpr bool empty() const noexcept {
        return !uses_tensor_core() && !uses_vector_core() && !uses_link();
    }

    friend constexpr bool operator==(const operator_work&, const operator_work&) = default;
};

} // namespace dovetail::workload
