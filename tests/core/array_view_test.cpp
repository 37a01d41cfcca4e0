#include <dovetail/core/array_view.hpp>

#include <array>
#include <concepts>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace dovetail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What each of these views is the caller's own memory, element by element.
static_assert(std::is_convertible_v<std::vector<int>&, array_view<int>>);
static_assert(std::is_convertible_v<const std::vector<int>&, array_view<const int>>);
static_assert(std::is_convertible_v<array_view<int>, array_view<const int>>);
static_assert(std::is_convertible_v<std::span<int>, array_view<const int>>);
static_assert(std::is_convertible_v<array_view<int>, std::span<const int>>);

// Nothing that is constant becomes writable, and no element is taken for another.
static_assert(!std::is_convertible_v<const std::vector<int>&, array_view<int>>);
static_assert(!std::is_convertible_v<array_view<const int>, array_view<int>>);
static_assert(!std::is_convertible_v<std::span<const int>, array_view<int>>);
static_assert(!std::is_convertible_v<const std::array<int, 2>&, array_view<int>>);
static_assert(!std::is_convertible_v<std::vector<long>&, array_view<const int>>);
static_assert(std::ranges::contiguous_range<array_view<const int>>);
static_assert(std::ranges::borrowed_range<array_view<const int>>);

constexpr int sum(array_view<const int> of) {
    int total = 0;
    for (const int x : of) total += x;
    return total;
}

TEST(ArrayView, IsMadeOfWhateverLiesSideBySide) {
    const std::vector<int> list{1, 2, 4};
    const std::array<int, 3> array{1, 2, 4};
    const int plain[]{1, 2, 4};
    EXPECT_EQ(sum(list), 7);
    EXPECT_EQ(sum(array), 7);
    EXPECT_EQ(sum(plain), 7);
    EXPECT_EQ(sum(std::span(list).subspan(1)), 6);
    EXPECT_EQ(sum({list.data(), 2}), 3);
    EXPECT_EQ(sum({}), 0);
    static_assert(sum(std::array{1, 2, 4}) == 7);
}

TEST(ArrayView, FindsItsElementFromWhatItIsMadeOf) {
    std::vector<int> list{1};
    std::array<int, 1> array{1};
    EXPECT_TRUE((std::same_as<decltype(array_view(list)), array_view<int>>));
    EXPECT_TRUE((std::same_as<decltype(array_view(std::as_const(list))), array_view<const int>>));
    EXPECT_TRUE((std::same_as<decltype(array_view(array)), array_view<int>>));
    EXPECT_TRUE((std::same_as<decltype(array_view(std::as_const(array))), array_view<const int>>));
    EXPECT_TRUE((std::same_as<decltype(array_view(std::span<int>(list))), array_view<int>>));
}

TEST(ArrayView, HasPartsThatAreTheSameMemory) {
    std::vector<int> list{0, 1, 2, 3, 4};
    const array_view<int> all = list;
    EXPECT_THAT(all.first(2), ElementsAre(0, 1));
    EXPECT_THAT(all.last(2), ElementsAre(3, 4));
    EXPECT_THAT(all.subspan(3), ElementsAre(3, 4));
    EXPECT_THAT(all.subspan(1, 2), ElementsAre(1, 2));
    EXPECT_THAT(all.subspan(5), IsEmpty());
    all.subspan(1, 2).front() = 7;
    all.last(1).back() = 9;
    EXPECT_THAT(list, ElementsAre(0, 7, 2, 3, 9));
    EXPECT_EQ(*all.rbegin(), 9);
    EXPECT_EQ(*(all.rend() - 1), 0);
    EXPECT_TRUE(array_view<int>().empty());
}

} // namespace
} // namespace dovetail
