#pragma once
/// \file
/// The known word that somebody meant who wrote another one: an option, a key, a column, a name.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail {

/// How many letters must be inserted, left out, replaced or swapped with their neighbour to make `b` of `a`,
/// no letter touched twice; capitals count as small letters. In bytes, and in |a| * |b| steps.
[[nodiscard]] constexpr std::size_t edit_distance(std::string_view a, std::string_view b) {
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    std::vector<std::size_t> before_last(b.size() + 1, 0); // the rows of a[0..i-1), a[0..i) and a[0..i]
    std::vector<std::size_t> last(b.size() + 1, 0);
    std::vector<std::size_t> row(b.size() + 1, 0);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before_last, last);
        std::swap(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = small(a[i - 1]) == small(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
            if (i > 1 && j > 1 && small(a[i - 1]) == small(b[j - 2]) && small(a[i - 2]) == small(b[j - 1]))
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[b.size()];
}

/// The word of `known` that is nearest to `written`, the first of several; none where a third of the letters
/// would have to change, or all of them.
[[nodiscard]] constexpr std::optional<std::string_view>
nearest_word(std::string_view written, array_view<const std::string_view> known) {
    std::optional<std::string_view> nearest;
    std::size_t least = std::max<std::size_t>(written.size(), 3) / 3 + 1;
    for (const std::string_view word : known) {
        const auto [shorter, longer] = std::minmax({written.size(), word.size()});
        if (longer - shorter >= least) continue;
        const std::size_t distance = edit_distance(written, word);
        if (distance >= least || distance >= longer) continue;
        least = distance;
        nearest = word;
    }
    return nearest;
}

/// What follows a complaint about `written`: "did you mean 'x'?" where a known word is near, else
/// `otherwise`.
[[nodiscard]] inline std::string
did_you_mean(std::string_view written, array_view<const std::string_view> known, std::string_view otherwise) {
    const auto near = nearest_word(written, known);
    return near ? "did you mean '" + std::string(*near) + "'?" : std::string(otherwise);
}

/// The error of a name that nobody knows: what is probably meant, and all that are known.
[[nodiscard]] inline error unknown_name(std::string_view kind, std::string_view written, std::string wrong,
                                        array_view<const std::string_view> known) {
    std::string place(kind);
    place.append(" '").append(written).append("'");
    const auto near = nearest_word(written, known);
    std::string expected;
    if (near) expected.append("did you mean '").append(*near).append("'? Known are ");
    if (!near) expected = "known are ";
    bool is_first = true;
    for (const std::string_view word : known) {
        if (!is_first) expected += ", ";
        expected += word;
        is_first = false;
    }
    return {errc::unknown_name, std::move(place), std::move(wrong), std::move(expected)};
}

} // namespace dovetail
