#pragma once
/// \file
/// The list of operator types. To add one, write its descriptor and put it in the list below.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/operators/collective.hpp>
#include <dovetail/workload/operators/contraction.hpp>
#include <dovetail/workload/operators/elementwise.hpp>
#include <dovetail/workload/operators/movement.hpp>
#include <dovetail/workload/operators/normalization.hpp>
#include <dovetail/workload/operators/reduction.hpp>
#include <dovetail/workload/operators/view.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dovetail::workload {

/// Descriptors whose positions are the operator types.
template <operator_descriptor... Descriptors>
struct descriptor_list {
    static constexpr std::size_t size = sizeof...(Descriptors);
    static constexpr std::array<descriptor_record, size> records{record_of<Descriptors>...};

    /// The position of `D`: a descriptor is known by the address of its record.
    template <class D>
    static consteval std::size_t position() {
        constexpr std::size_t found = find(&record_of<D>);
        static_assert(found < size, "the descriptor is not in the list of operators.hpp");
        return found;
    }

private:
    static constexpr std::array<const descriptor_record*, size> addresses{&record_of<Descriptors>...};

    static consteval std::size_t find(const descriptor_record* record) {
        std::size_t i = 0;
        while (i < size && addresses[i] != record) ++i;
        return i;
    }
};

/// Every operator type that the library knows.
using operator_list = descriptor_list<
    op::mat_mul, op::gemm, op::conv, op::conv_transpose, op::neg, op::abs, op::reciprocal, op::sqrt, op::exp,
    op::log, op::sin, op::cos, op::erf, op::tanh, op::sigmoid, op::relu, op::leaky_relu, op::parametric_relu,
    op::elu, op::hard_sigmoid, op::hard_swish, op::softplus, op::swish, op::mish, op::gelu, op::clip,
    op::floor, op::ceil, op::round, op::sign, op::dropout, op::add, op::sub, op::mul, op::div, op::pow,
    op::mod, op::sum, op::minimum, op::maximum, op::equal, op::less, op::less_or_equal, op::greater,
    op::greater_or_equal, op::logical_and, op::logical_or, op::logical_xor, op::logical_not, op::is_nan,
    op::where, op::cast, op::layer_normalization, op::rms_normalization, op::batch_normalization,
    op::group_normalization, op::instance_normalization, op::softmax, op::log_softmax,
    op::softmax_cross_entropy_loss, op::reduce_mean, op::reduce_sum, op::reduce_max, op::reduce_min,
    op::reduce_product, op::reduce_l1, op::reduce_l2, op::reduce_square, op::arg_max, op::arg_min,
    op::average_pool, op::max_pool, op::global_average_pool, op::global_max_pool, op::identity, op::reshape,
    op::transpose, op::flatten, op::squeeze, op::unsqueeze, op::expand, op::split, op::slice, op::shape,
    op::size, op::constant_of_shape, op::range, op::gather, op::gather_elements, op::concat, op::pad,
    op::tile, op::resize, op::depth_to_space, op::space_to_depth, op::trilu, op::cumulative_sum,
    op::scatter_nd, op::scatter_elements, op::all_reduce_forward, op::all_reduce_backward,
    op::optimizer_step>;

/// The operator type that descriptor `D` describes.
template <class D>
inline constexpr operator_type type_of{static_cast<std::uint16_t>(operator_list::position<D>())};

/// All descriptors; the position is the operator type.
[[nodiscard]] constexpr array_view<const descriptor_record> descriptors() noexcept {
    return operator_list::records;
}

/// The descriptor of a type.
[[nodiscard]] constexpr const descriptor_record& descriptor(operator_type type) {
    return operator_list::records[static_cast<std::size_t>(type)];
}

/// The type called `name` in model files.
/// \returns errc::unknown_operator, naming it. \complexity O(operator types).
[[nodiscard]] inline result<operator_type> find_operator(std::string_view name) {
    const auto all = descriptors();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const descriptor_record& d) { return d.name == name; });
    if (found == all.end())
        return error{errc::unknown_operator,
                     {},
                     "operator '" + std::string(name) + "' is not known",
                     "use operators with a descriptor, or add one to the list of operators.hpp"};
    return operator_type{static_cast<std::uint16_t>(found - all.begin())};
}

namespace detail {

[[nodiscard]] consteval bool names_are_unique() {
    const auto all = descriptors();
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (all[i].name == all[j].name) return false;
    return true;
}
static_assert(names_are_unique(), "two descriptors have the same name");

} // namespace detail

} // namespace dovetail::workload
