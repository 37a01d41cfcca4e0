#pragma once
/// \file
/// Where placement keeps its sequences: vectors that grow, or arrays whose sizes are part of the type.

#include <dovetail/core/assert.hpp>

#include <array>
#include <cstddef>
#include <vector>

namespace dovetail::placement {

/// A vector of at most `Capacity` elements that lives where it is declared.
template <class T, std::size_t Capacity>
class fixed_vector {
public:
    using value_type = T;

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T* data() noexcept { return elements_.data(); }
    [[nodiscard]] constexpr const T* data() const noexcept { return elements_.data(); }
    [[nodiscard]] constexpr T* begin() noexcept { return data(); }
    [[nodiscard]] constexpr const T* begin() const noexcept { return data(); }
    [[nodiscard]] constexpr T* end() noexcept { return data() + size_; }
    [[nodiscard]] constexpr const T* end() const noexcept { return data() + size_; }
    [[nodiscard]] constexpr T& operator[](std::size_t i) { return elements_[i]; }
    [[nodiscard]] constexpr const T& operator[](std::size_t i) const { return elements_[i]; }
    [[nodiscard]] constexpr const T& back() const { return elements_[size_ - 1]; }

    constexpr void clear() noexcept { size_ = 0; }
    constexpr void push_back(const T& value) {
        DOVETAIL_ASSERT(size_ < Capacity, "the fixed vector is full");
        elements_[size_++] = value;
    }
    constexpr void resize(std::size_t size, const T& value) {
        DOVETAIL_ASSERT(size <= Capacity, "the fixed vector is too small");
        while (size_ < size) elements_[size_++] = value;
        size_ = size;
    }

private:
    std::array<T, Capacity> elements_{};
    std::size_t size_ = 0;
};

/// Any number of layers, edges and widths, on the heap.
struct dynamic_storage {
    template <class T>
    using per_layer = std::vector<T>;
    template <class T>
    using per_edge = std::vector<T>;
    template <class T>
    using per_width = std::vector<T>;
    /// Up to one element a layer, and one more.
    template <class T>
    using up_to_layers = std::vector<T>;
    /// One element for every number of stages and of them on a single device.
    template <class T>
    using per_row = std::vector<T>;
    /// A row of `layers + 1` elements for each of those.
    template <class T>
    using per_cell = std::vector<T>;
};

/// A chain of exactly `Layers` layers costed for exactly `Widths` tensor widths, without allocation.
template <std::size_t Layers, std::size_t Widths>
struct fixed_storage {
    static_assert(Layers > 0 && Widths > 0, "a chain has a layer and a tensor width");

    template <class T>
    using per_layer = std::array<T, Layers>;
    template <class T>
    using per_edge = std::array<T, Layers - 1>;
    template <class T>
    using per_width = std::array<T, Widths>;
    template <class T>
    using up_to_layers = fixed_vector<T, Layers + 1>;
    template <class T>
    using per_row = fixed_vector<T, (Layers + 1) * (Layers + 2) / 2>;
    template <class T>
    using per_cell = fixed_vector<T, (Layers + 1) * (Layers + 1) * (Layers + 2) / 2>;
};

} // namespace dovetail::placement
