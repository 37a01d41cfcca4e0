#pragma once
/// \file
/// Repeated stretches of a sequence.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::workload {

/// `count` times the same `period` items, from item `first` on.
struct repetition {
    std::size_t first = 0;
    std::size_t period = 1;
    std::size_t count = 1;

    [[nodiscard]] constexpr std::size_t last() const noexcept { return first + period * count; }
    friend constexpr bool operator==(const repetition&, const repetition&) = default;
};

/// The repetition that covers most items; of several the one with the smallest period, of those the one that
/// cuts fewest bonds, of those the first. A single item, the first, where nothing repeats.
/// \param items not empty
/// \param bonds one an item: whether cutting the sequence before it parts what belongs together
/// \complexity O(items^2).
[[nodiscard]] constexpr repetition longest_repetition(array_view<const std::uint64_t> items,
                                                      array_view<const std::uint8_t> bonds) {
    DOVETAIL_ASSERT(!items.empty() && bonds.size() == items.size(),
                    "one bond an item, and at least one item");
    repetition best;
    std::size_t cut = 0;
    for (std::size_t period = 1; 2 * period <= items.size(); ++period) {
        std::size_t equal = 0; // items in a row that equal the one a period later
        for (std::size_t i = 0; i + period <= items.size(); ++i) {
            if (i + period < items.size() && items[i] == items[i + period]) {
                ++equal;
                continue;
            }
            // The stretch ends here; what it has beyond whole periods lets the repetition start later.
            repetition r{.first = i - equal, .period = period, .count = equal / period + 1};
            for (; r.count > 1 && r.last() <= i + period; ++r.first) {
                std::size_t parted = 0;
                for (std::size_t k = r.first; k <= r.last(); k += period)
                    if (k < items.size() && bonds[k] != 0) ++parted;
                const std::size_t covered = r.count * period;
                const std::size_t before = best.count > 1 ? best.count * best.period : 0;
                if (covered > before || (covered == before && period == best.period && parted < cut)) {
                    best = r;
                    cut = parted;
                }
            }
            equal = 0;
        }
    }
    return best;
}

/// Cuts a sequence into repetitions: the longest one first, then what is left and right of it in the same
/// way. Items that do not repeat come one by one. \returns a cover of the sequence, from left to right.
/// \param bonds as for `longest_repetition`
/// \complexity O(items^2) for each repetition.
[[nodiscard]] constexpr std::vector<repetition> repetitions(array_view<const std::uint64_t> items,
                                                            array_view<const std::uint8_t> bonds) {
    std::vector<repetition> cover;
    if (items.empty()) return cover;
    const repetition longest = longest_repetition(items, bonds);
    if (longest.count == 1) {
        for (std::size_t i = 0; i < items.size(); ++i) cover.push_back({.first = i});
        return cover;
    }
    cover = repetitions(items.first(longest.first), bonds.first(longest.first));
    cover.push_back(longest);
    for (repetition right : repetitions(items.subspan(longest.last()), bonds.subspan(longest.last()))) {
        right.first += longest.last();
        cover.push_back(right);
    }
    return cover;
}

} // namespace dovetail::workload
