#pragma once
/// \file
/// What the readers of placement instances share: members into fields, one problem after the other.

#include <dovetail/core/result.hpp>
#include <dovetail/ext/json/reading.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace dovetail::ext::json::detail {

inline constexpr std::int64_t exact_integers = std::int64_t{1} << 53;
inline constexpr std::int64_t most_devices = 1'000'000'000'000;

// Reads the member `key` of `where` with `read`, into `target`.
template <class Target, class Read>
[[nodiscard]] result<void> read_member(const place& where, std::string_view key, Target& target, Read read) {
    const auto member = where.member(key);
    if (!member) return member.problem();
    auto value = read(*member);
    if (!value) return std::move(value).problem();
    target = std::move(*value);
    return {};
}

// The first problem of several steps, each a result<void>, or none; later steps run all the same.
template <class... Steps>
[[nodiscard]] result<void> first_problem(Steps... steps) {
    result<void> outcome;
    static_cast<void>(((outcome = std::move(steps), outcome.has_value()) && ...));
    return outcome;
}

[[nodiscard]] inline auto at_least(double least) {
    return [least](const place& p) { return p.number(least); };
}
[[nodiscard]] inline auto from_to(std::int64_t least, std::int64_t most) {
    return [least, most](const place& p) { return p.integer(least, most); };
}
[[nodiscard]] inline auto positive() {
    return [](const place& p) -> result<double> {
        auto x = p.number(0.0);
        if (x && *x == 0.0) return p.wrong(errc::out_of_range, "it is 0", "it must be positive");
        return x;
    };
}

} // namespace dovetail::ext::json::detail
