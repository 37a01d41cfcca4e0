// doors: eigen
#include <dovetail/ext/eigen/least_squares.hpp>

#include <dovetail/core/random.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace {

using namespace dovetail;
using dovetail::ext::eigen::fit;
using dovetail::ext::eigen::levenberg_marquardt;
using dovetail::ext::eigen::unknown;

// t = start + size / rate, the shape of most models of a machine.
struct line_of_sizes {
    std::vector<double> sizes;
    std::vector<double> times;

    std::vector<double> operator()(std::span<const double> x) const {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < sizes.size(); ++i)
            ratios.push_back(std::log((x[0] + sizes[i] / x[1]) / times[i]));
        return ratios;
    }
};

line_of_sizes measured(double start, double rate, std::vector<double> sizes, double noise,
                       std::uint64_t seed) {
    random_source random(seed);
    line_of_sizes line{std::move(sizes), {}};
    for (const double size : line.sizes)
        line.times.push_back((start + size / rate) * (1 + noise * (2 * random.real() - 1)));
    return line;
}

const std::vector<unknown> start_and_rate{{.name = "start", .expected = 1.0, .log_spread = 3.0},
                                          {.name = "rate", .expected = 1.0, .log_spread = 3.0}};

TEST(least_squares, finds_the_numbers_that_made_the_measurements) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        random_source random(seed);
        const double start = std::exp(4 * random.real() - 2);
        const double rate = std::exp(4 * random.real() - 2);
        const auto line = measured(start, rate, {0.01, 0.1, 1, 10, 100, 1000}, 0, seed);
        const auto found = levenberg_marquardt{.noise = 1e-4}(start_and_rate, line);
        ASSERT_TRUE(found) << found.problem().line();
        EXPECT_TRUE(found->converged);
        EXPECT_NEAR(found->numbers[0].value / start, 1, 1e-5);
        EXPECT_NEAR(found->numbers[1].value / rate, 1, 1e-5);
        EXPECT_TRUE(found->numbers[0].identified);
        EXPECT_TRUE(found->numbers[1].identified);
    }
}

// The cost of the returned numbers is no larger than anywhere around them: an oracle by search.
TEST(least_squares, no_neighbour_costs_less) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto line = measured(0.7, 3.0, {0.01, 0.1, 1, 10, 100, 1000}, 0.2, seed);
        const levenberg_marquardt method;
        const auto cost = [&](double start, double rate) {
            const double both[] = {start, rate};
            double sum = 0;
            for (const double ratio : line(both)) {
                const double r = ratio / method.noise;
                sum += 2 * (std::sqrt(1 + r * r) - 1);
            }
            for (const double value : both) sum += std::log(value) * std::log(value) / 9;
            return sum;
        };
        const auto found = method(start_and_rate, line);
        ASSERT_TRUE(found);
        const double start = found->numbers[0].value;
        const double rate = found->numbers[1].value;
        EXPECT_NEAR(found->cost, cost(start, rate), 1e-9 * found->cost);
        for (const double a : {0.9, 0.99, 0.999, 1.0, 1.001, 1.01, 1.1})
            for (const double b : {0.9, 0.99, 0.999, 1.0, 1.001, 1.01, 1.1})
                EXPECT_LE(found->cost, cost(start * a, rate * b) * (1 + 1e-5)) << seed;
    }
}

TEST(least_squares, one_wild_measurement_hardly_counts) {
    auto line = measured(0.5, 2.0, {0.01, 0.03, 0.1, 1, 10, 100, 300, 1000}, 0, 1);
    line.times[4] *= 3;
    const auto found = levenberg_marquardt{}(start_and_rate, line);
    ASSERT_TRUE(found);
    EXPECT_NEAR(found->numbers[0].value, 0.5, 0.02);
    EXPECT_NEAR(found->numbers[1].value, 2.0, 0.08);
}

TEST(least_squares, what_the_measurements_do_not_touch_keeps_its_expected_value) {
    const auto line = measured(1e-9, 2.0, {1, 10, 100, 1000, 10000}, 0.01, 1);
    const std::vector<unknown> unknowns{{.name = "start", .expected = 1e-6, .log_spread = 0.5},
                                        {.name = "rate", .expected = 1.0, .log_spread = 1.0}};
    const auto found = levenberg_marquardt{}(unknowns, line);
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->numbers[0].identified);
    EXPECT_NEAR(found->numbers[0].value, 1e-6, 1e-9);
    EXPECT_TRUE(found->numbers[1].identified);
    EXPECT_NEAR(found->numbers[1].value, 2.0, 0.05);
}

TEST(least_squares, bounds_hold_for_every_trial_and_bind_where_the_optimum_is_outside) {
    const auto line = measured(0.5, 4.0, {0.01, 0.1, 1, 10, 100}, 0, 1);
    std::vector<unknown> unknowns = start_and_rate;
    unknowns[1].highest = 2.0;
    bool inside = true;
    const auto watched = [&](std::span<const double> x) {
        inside = inside && x[1] <= 2.0 && x[0] > 0 && x[1] > 0;
        return line(x);
    };
    const auto found = levenberg_marquardt{}(unknowns, watched);
    ASSERT_TRUE(found);
    EXPECT_TRUE(inside);
    EXPECT_EQ(found->numbers[1].value, 2.0);
    EXPECT_LT(found->numbers[0].value, 0.5); // pays for the rate that is too low
}

TEST(least_squares, refuses_what_makes_no_sense) {
    const auto line = measured(0.5, 4.0, {0.01, 0.1, 1}, 0, 1);
    const levenberg_marquardt method;
    EXPECT_EQ(
        method(start_and_rate, [](std::span<const double>) { return std::vector<double>{}; }).problem().code,
        errc::out_of_range);
    EXPECT_EQ(
        method(start_and_rate, [](std::span<const double>) { return std::vector<double>{std::log(-1.0)}; })
            .problem()
            .code,
        errc::out_of_range);
    EXPECT_EQ(method(start_and_rate,
                     [](std::span<const double>) {
                         return std::vector<double>{0.1, 0.2};
                     })
                  .problem()
                  .code,
              errc::unsupported); // nothing depends on the unknowns
    std::vector<unknown> wrong = start_and_rate;
    wrong[0].lowest = 2.0;
    EXPECT_EQ(method(wrong, line).problem().code, errc::out_of_range);
    wrong[0] = {.name = "start", .expected = 1.0, .log_spread = 0.0};
    EXPECT_EQ(method(wrong, line).problem().code, errc::out_of_range);
    EXPECT_EQ(levenberg_marquardt{.noise = 0}(start_and_rate, line).problem().code, errc::out_of_range);
}

TEST(least_squares, the_same_input_gives_the_same_bits) {
    const auto line = measured(0.5, 4.0, {0.01, 0.1, 1, 10, 100}, 0.3, 7);
    const auto once = levenberg_marquardt{}(start_and_rate, line);
    const auto again = levenberg_marquardt{}(start_and_rate, line);
    ASSERT_TRUE(once && again);
    EXPECT_EQ(once->values(), again->values());
}

} // namespace
