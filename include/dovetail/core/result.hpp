#pragma once
/// \file
/// A value or an `error`: how bad input travels, since the headers never throw.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/error.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace dovetail {

/// Either a `T` or the `error` that stands in its way. Reading the wrong one is a caller's bug.
template <class T>
class [[nodiscard]] result {
    static_assert(std::is_object_v<T> && !std::is_same_v<T, error>, "result<T> holds a value or an error");

public:
    using value_type = T;

    constexpr result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_(std::move(value)) {}
    constexpr result(error problem) noexcept : problem_(std::move(problem)) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return value_.has_value(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] constexpr T& value() & {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return *value_;
    }
    [[nodiscard]] constexpr const T& value() const& {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return *value_;
    }
    [[nodiscard]] constexpr T value() && {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return std::move(*value_);
    }

    [[nodiscard]] constexpr T& operator*() & { return value(); }
    [[nodiscard]] constexpr const T& operator*() const& { return value(); }
    [[nodiscard]] constexpr T operator*() && { return std::move(*this).value(); }
    [[nodiscard]] constexpr T* operator->() { return &value(); }
    [[nodiscard]] constexpr const T* operator->() const { return &value(); }

    [[nodiscard]] constexpr const error& problem() const& {
        DOVETAIL_ASSERT(!has_value(), "result holds a value");
        return *problem_;
    }
    [[nodiscard]] constexpr error problem() && {
        DOVETAIL_ASSERT(!has_value(), "result holds a value");
        return std::move(*problem_);
    }

private:
    // Exactly one of the two. A variant would say so, but clang 14 has none in constant expressions.
    std::optional<T> value_;
    std::optional<error> problem_;
};

/// Success without a value, or an `error`.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    constexpr result() noexcept = default;
    constexpr result(error problem) noexcept : problem_(std::move(problem)) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return !problem_.has_value(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] constexpr const error& problem() const& {
        DOVETAIL_ASSERT(!has_value(), "result holds no error");
        return *problem_;
    }
    [[nodiscard]] constexpr error problem() && {
        DOVETAIL_ASSERT(!has_value(), "result holds no error");
        return *std::move(problem_);
    }

private:
    std::optional<error> problem_;
};

} // namespace dovetail
