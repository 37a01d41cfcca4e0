#pragma once
/// \file
/// A view of elements that lie side by side: what functions take where any vector, array or part of one will
/// do.

#include <array>
#include <cstddef>
#include <iterator>
#include <span>
#include <type_traits>
#include <vector>

namespace dovetail {

/// As `std::span<T>`, which converts to it and from it. That one asks of every type of element whether its
/// vector is a contiguous range, by some hundred instantiations; this one names what it is made from.
template <class T>
class array_view {
    using value = std::remove_const_t<T>;
    using vector_ref = std::conditional_t<std::is_const_v<T>, const std::vector<value>&, std::vector<value>&>;
    template <class U>
    static constexpr bool views = std::is_same_v<U, T> || std::is_same_v<const U, T>;

public:
    using element_type = T;
    using value_type = value;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using iterator = T*;

    constexpr array_view() noexcept = default;
    constexpr array_view(T* first, std::size_t count) noexcept : first_(first), count_(count) {}
    constexpr array_view(vector_ref all) noexcept : first_(all.data()), count_(all.size()) {}
    template <std::size_t N>
    constexpr array_view(T (&all)[N]) noexcept : first_(all), count_(N) {}
    template <class U, std::size_t N>
        requires views<U>
    constexpr array_view(std::array<U, N>& all) noexcept : first_(all.data()), count_(N) {}
    template <class U, std::size_t N>
        requires views<const U>
    constexpr array_view(const std::array<U, N>& all) noexcept : first_(all.data()), count_(N) {}
    template <class U>
        requires(std::is_same_v<const U, T> && !std::is_const_v<U>)
    constexpr array_view(array_view<U> other) noexcept : first_(other.data()), count_(other.size()) {}
    template <class U, std::size_t N>
        requires views<U>
    constexpr array_view(std::span<U, N> other) noexcept : first_(other.data()), count_(other.size()) {}

    [[nodiscard]] constexpr T* data() const noexcept { return first_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] constexpr T* begin() const noexcept { return first_; }
    [[nodiscard]] constexpr T* end() const noexcept { return first_ + count_; }
    [[nodiscard]] constexpr auto rbegin() const noexcept { return std::reverse_iterator<T*>(end()); }
    [[nodiscard]] constexpr auto rend() const noexcept { return std::reverse_iterator<T*>(begin()); }

    [[nodiscard]] constexpr T& operator[](std::size_t i) const noexcept { return first_[i]; }
    [[nodiscard]] constexpr T& front() const noexcept { return first_[0]; }
    [[nodiscard]] constexpr T& back() const noexcept { return first_[count_ - 1]; }

    /// Parts of it; none may reach past the end.
    [[nodiscard]] constexpr array_view first(std::size_t count) const noexcept { return {first_, count}; }
    [[nodiscard]] constexpr array_view last(std::size_t count) const noexcept {
        return {first_ + (count_ - count), count};
    }
    [[nodiscard]] constexpr array_view subspan(std::size_t offset) const noexcept {
        return {first_ + offset, count_ - offset};
    }
    [[nodiscard]] constexpr array_view subspan(std::size_t offset, std::size_t count) const noexcept {
        return {first_ + offset, count};
    }

private:
    T* first_ = nullptr;
    std::size_t count_ = 0;
};

template <class T>
array_view(std::vector<T>&) -> array_view<T>;
template <class T>
array_view(const std::vector<T>&) -> array_view<const T>;
template <class T, std::size_t N>
array_view(std::array<T, N>&) -> array_view<T>;
template <class T, std::size_t N>
array_view(const std::array<T, N>&) -> array_view<const T>;
template <class T, std::size_t N>
array_view(std::span<T, N>) -> array_view<T>;

} // namespace dovetail

/// \cond
// It owns nothing: what it points to outlives it.
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<dovetail::array_view<T>> = true;
/// \endcond
