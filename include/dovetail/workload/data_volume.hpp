#pragma once
/// \file
/// How much data there is, before it is known how many bytes a chip gives a floating-point number.

#include <dovetail/workload/tensor.hpp>

namespace dovetail::workload {

/// An amount of data. A chip keeps every floating-point element in its own element size, whatever the model
/// says; integers and truth values keep the size of their type.
struct data_volume {
    double elements = 0;       ///< floating-point
    double discrete_bytes = 0; ///< of integers and truth values

    /// In memory, where a floating-point element takes `element_bytes`.
    [[nodiscard]] constexpr double size_bytes(double element_bytes = 2) const noexcept {
        return elements * element_bytes + discrete_bytes;
    }

    constexpr data_volume& operator+=(const data_volume& other) noexcept {
        elements += other.elements;
        discrete_bytes += other.discrete_bytes;
        return *this;
    }

    friend constexpr bool operator==(const data_volume&, const data_volume&) = default;
};

/// The volume of `count` elements of a type.
[[nodiscard]] constexpr data_volume volume_of(element_type type, double count) noexcept {
    if (is_floating(type)) return {.elements = count};
    return {.discrete_bytes = count * static_cast<double>(element_size_bytes(type))};
}

/// The volume of a tensor.
[[nodiscard]] inline data_volume volume_of(const tensor& t) {
    return volume_of(t.type, static_cast<double>(t.elements()));
}

} // namespace dovetail::workload
