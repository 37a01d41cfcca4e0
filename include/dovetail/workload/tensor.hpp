#pragma once
/// \file
/// Tensors: shape, element type, and the part that they play in a model.

#include <dovetail/core/checked.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::workload {

/// Element types that model files use. A cost model prices every floating type at the chip's element size,
/// and integers and truth values at their own.
enum class element_type : std::uint8_t {
    float32,
    float64,
    float16,
    bfloat16,
    int8,
    uint8,
    int16,
    uint16,
    int32,
    uint32,
    int64,
    uint64,
    boolean,
};

/// Whether elements of the type are floating-point numbers.
[[nodiscard]] constexpr bool is_floating(element_type type) noexcept {
    return type <= element_type::bfloat16;
}

/// The bytes of one element of the type in a model file.
[[nodiscard]] constexpr std::int64_t element_size_bytes(element_type type) noexcept {
    switch (type) {
    case element_type::int8:
    case element_type::uint8:
    case element_type::boolean:
        return 1;
    case element_type::float16:
    case element_type::bfloat16:
    case element_type::int16:
    case element_type::uint16:
        return 2;
    case element_type::float32:
    case element_type::int32:
    case element_type::uint32:
        return 4;
    case element_type::float64:
    case element_type::int64:
    case element_type::uint64:
        return 8;
    }
    return 0;
}

/// The part that a tensor plays.
enum class tensor_role : std::uint8_t {
    activation, ///< given by an operation
    input,      ///< data: its first dimension is the batch unless the model says otherwise
    parameter,  ///< trained: has a gradient and an optimizer state
    buffer,     ///< state that is not trained: masks, running statistics, rotary tables
    constant,   ///< a small value that belongs to the graph: scalars, axes, reshape targets
};

/// The extents of a tensor, outermost first; empty for a scalar.
using dimensions = std::vector<std::int64_t>;

/// A tensor of an operator graph.
struct tensor {
    std::string name;
    tensor_role role = tensor_role::activation;
    element_type type = element_type::float32;
    dimensions dims = {};
    /// The elements of a small constant integer tensor (axes, reshape targets), row-major; else empty.
    std::vector<std::int64_t> integers{};
    /// The elements of a small constant floating tensor (exponents, epsilons, scales); else empty.
    std::vector<double> reals{};

    /// The number of elements. Shapes are checked against overflow where they enter the library.
    [[nodiscard]] std::int64_t elements() const { return checked_product(dims).value_or(0); }
};

} // namespace dovetail::workload
