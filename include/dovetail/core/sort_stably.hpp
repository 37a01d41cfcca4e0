#pragma once
/// \file
/// A sort that keeps the order of equals, also in a constant expression.

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace dovetail {

/// Sorts by `less`; what is equal stays in the order that it had. `std::stable_sort` of libstdc++ 12 calls
/// what C++17 deprecates, of which clang 19 warns whoever includes the caller. \complexity O(n log n), O(n)
/// where it is sorted; half of the items are moved aside.
template <class Iterator, class Less>
constexpr void sort_stably(Iterator first, Iterator last, Less less) {
    using distance = typename std::iterator_traits<Iterator>::difference_type;
    constexpr distance run = 16;
    const distance size = last - first;
    for (distance low = 0; low < size; low += run)
        for (distance next = low + 1; next < std::min(low + run, size); ++next) {
            if (!less(first[next], first[next - 1])) continue;
            auto item = std::move(first[next]);
            distance place = next;
            do {
                first[place] = std::move(first[place - 1]);
                --place;
            } while (place > low && less(item, first[place - 1]));
            first[place] = std::move(item);
        }

    std::vector<typename std::iterator_traits<Iterator>::value_type> aside;
    for (distance width = run; width < size; width *= 2)
        for (distance low = 0; low + width < size; low += 2 * width) {
            const Iterator middle = first + (low + width);
            if (!less(*middle, *(middle - 1))) continue;
            aside.assign(std::make_move_iterator(first + low), std::make_move_iterator(middle));
            const Iterator end = first + std::min(low + 2 * width, size);
            Iterator out = first + low, right = middle;
            for (auto left = aside.begin(); left != aside.end(); ++out)
                *out = right != end && less(*right, *left) ? std::move(*right++) : std::move(*left++);
        }
}

} // namespace dovetail
