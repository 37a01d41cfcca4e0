#include <dovetail/placement/variant_choice.hpp>

#include <dovetail/core/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

using dovetail::random_source;
using dovetail::placement::detail::choice_items;
using dovetail::placement::detail::exact_choice;

constexpr double infinity = std::numeric_limits<double>::infinity();

struct instance {
    std::vector<double> costs, weights;
    std::vector<std::size_t> first{0};
    std::int64_t capacity = 0;

    [[nodiscard]] choice_items items() const { return {costs, weights, first}; }
};

instance random_instance(random_source& random, std::int64_t items, std::int64_t most_variants, bool even) {
    instance made;
    std::int64_t heaviest = 0;
    std::vector<double> costs, weights;
    for (std::int64_t i = 0; i < items; ++i) {
        if (i == 0 || !even) {
            costs.clear();
            weights.clear();
            for (std::int64_t l = random.integer(1, most_variants); l > 0; --l) {
                costs.push_back(static_cast<double>(random.integer(0, 1000)) / 8.0);
                weights.push_back(static_cast<double>(random.integer(0, 60)));
            }
        }
        made.costs.insert(made.costs.end(), costs.begin(), costs.end());
        made.weights.insert(made.weights.end(), weights.begin(), weights.end());
        made.first.push_back(made.costs.size());
        heaviest += 60;
    }
    made.capacity = random.integer(0, heaviest);
    return made;
}

// The least cost by a table over whole weights.
double by_table(const instance& made) {
    std::vector<double> least(static_cast<std::size_t>(made.capacity) + 1, 0.0);
    for (std::size_t i = 0; i + 1 < made.first.size(); ++i) {
        std::vector<double> next(least.size(), infinity);
        for (std::size_t at = made.first[i]; at < made.first[i + 1]; ++at)
            for (auto w = static_cast<std::size_t>(made.weights[at]); w < next.size(); ++w)
                next[w] =
                    std::min(next[w], least[w - static_cast<std::size_t>(made.weights[at])] + made.costs[at]);
        least = next;
    }
    return least.back();
}

void expect_cheapest(std::uint64_t first_seed, int instances, std::int64_t items, std::int64_t variants,
                     bool even) {
    exact_choice choice;
    int fitting = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(instances); ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const instance made = random_instance(random, items, variants, even);
        const double least = by_table(made);
        const auto capacity = static_cast<double>(made.capacity);
        ASSERT_EQ(choice.find(made.items(), capacity, infinity, true), least < infinity);
        if (least == infinity) continue;
        ++fitting;
        double cost = 0.0;
        double weight = 0.0;
        ASSERT_EQ(choice.chosen().size(), static_cast<std::size_t>(items));
        for (std::size_t i = 0; i < choice.chosen().size(); ++i) {
            cost += made.costs[made.first[i] + choice.chosen()[i]];
            weight += made.weights[made.first[i] + choice.chosen()[i]];
        }
        EXPECT_EQ(cost, least); // eighths: sums are exact
        EXPECT_LE(weight, capacity);
        EXPECT_FALSE(choice.find(made.items(), capacity, least, false));
        EXPECT_FALSE(choice.find(made.items(), capacity, least, true));
        EXPECT_TRUE(choice.find(made.items(), capacity, least + 0.125, false));
    }
    EXPECT_GT(fitting, instances / 4);
}

TEST(exact_choice, is_the_cheapest_of_few_items) { expect_cheapest(1, 3000, 5, 3, false); }
TEST(exact_choice, is_the_cheapest_of_many_items) { expect_cheapest(10'000, 300, 40, 4, false); }
TEST(exact_choice, is_the_cheapest_of_two_hundred_items) { expect_cheapest(20'000, 20, 200, 2, false); }
TEST(exact_choice, is_the_cheapest_of_items_all_alike) { expect_cheapest(30'000, 300, 32, 3, true); }

// Every layer pays the same for a byte, so that no sum of them is ever worse than another: subset sums.
TEST(exact_choice, says_when_it_gives_up_and_still_fits) {
    random_source random(3);
    instance made;
    double half = 0.0;
    for (int i = 0; i < 60; ++i) {
        const double saved = random.real(1.0, 2.0);
        made.costs.insert(made.costs.end(), {1.0, 1.0 + saved});
        made.weights.insert(made.weights.end(), {saved, 0.0});
        made.first.push_back(made.costs.size());
        half += 0.5 * saved;
    }
    exact_choice choice(std::size_t{1} << 14);
    ASSERT_TRUE(choice.find(made.items(), half, infinity, true));
    EXPECT_TRUE(choice.gave_up());
    double weight = 0.0;
    for (std::size_t i = 0; i < 60; ++i) weight += made.weights[made.first[i] + choice.chosen()[i]];
    EXPECT_LE(weight, half);
    ASSERT_TRUE(choice.find(made.items(), 2.0 * half + 1.0, infinity, true));
    EXPECT_FALSE(choice.gave_up());
}

} // namespace
