// Errors in percent and rank correlation, on cases done by hand.
#include <dovetail/core/random.hpp>
#include <dovetail/core/statistics.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace dovetail {
namespace {

using values = std::vector<double>;

TEST(Accuracy, ErrorsAreRelativeToWhatIsMeasured) {
    const accuracy a = accuracy_of(values{110, 150, 300, 400}, values{100, 200, 300, 500});
    EXPECT_EQ(a.rows, 4u);
    EXPECT_NEAR(a.mean_abs_percent, (10 + 25 + 0 + 20) / 4.0, 1e-12);
    EXPECT_NEAR(a.bias_percent, (10 - 25 + 0 - 20) / 4.0, 1e-12);
    EXPECT_NEAR(a.worst_percent, 25, 1e-12);
    EXPECT_EQ(a.worst_row, 1u);
    EXPECT_NEAR(a.spearman, 1, 1e-12);
    const accuracy none = accuracy_of(values{}, values{});
    EXPECT_EQ(none.rows, 0u);
    EXPECT_EQ(none.mean_abs_percent, 0.0);
    EXPECT_TRUE(std::isnan(none.spearman));
}

TEST(Spearman, TiesShareTheMeanOfTheirRanks) {
    EXPECT_EQ(ranks_of(values{30, 10, 20, 10, 30, 30}), (values{5, 1.5, 3, 1.5, 5, 5}));
    EXPECT_EQ(spearman(values{1, 2, 3}, values{9, 4, 1}), -1);
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: a covariance of 4.5 over the root of 4.5 times 5.
    EXPECT_NEAR(spearman(values{1, 2, 2, 3}, values{1, 5, 6, 7}), 4.5 / std::sqrt(4.5 * 5.0), 1e-12);
    EXPECT_TRUE(std::isnan(spearman(values{1, 1, 1}, values{1, 2, 3})));
}

TEST(Spearman, WithoutTiesItIsTheTextbooksFormula) {
    random_source random(7);
    for (int trial = 0; trial < 20; ++trial) {
        values a;
        values b;
        for (int i = 0; i < 30; ++i) {
            a.push_back(static_cast<double>(random.integer(0, 1'000'000'000)));
            b.push_back(a.back() + static_cast<double>(random.integer(0, 1'000'000'000)));
        }
        double squares = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            double rank_a = 1;
            double rank_b = 1;
            for (std::size_t j = 0; j < a.size(); ++j) {
                rank_a += a[j] < a[i];
                rank_b += b[j] < b[i];
            }
            squares += (rank_a - rank_b) * (rank_a - rank_b);
        }
        EXPECT_NEAR(spearman(a, b), 1 - 6 * squares / (30.0 * (30.0 * 30.0 - 1)), 1e-12);
        for (double& value : b) value = std::exp(value / 1e9); // a rising map leaves the ranks
        EXPECT_NEAR(spearman(a, b), 1 - 6 * squares / (30.0 * (30.0 * 30.0 - 1)), 1e-12);
    }
}

} // namespace
} // namespace dovetail
