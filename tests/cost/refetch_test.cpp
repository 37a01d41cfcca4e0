#include <dovetail/cost/refetch.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/hardware/platform.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace dovetail::cost {
namespace {

using hardware::phaze_platform;
using workload::contraction;

double elements(const contraction& p, const operand_reads& reads) {
    return static_cast<double>(p.rows * p.reduction) * reads.rows_operand +
           static_cast<double>(p.reduction * p.columns) * reads.columns_operand;
}

// Every panel and every block of whole rows and columns that fits.
double fewest_by_trying(const contraction& p, std::int64_t kept, std::int64_t sum_elements) {
    const auto cover = [](std::int64_t extent, std::int64_t size) { return (extent + size - 1) / size; };
    std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t rows = 1; rows <= p.rows; ++rows)
        for (std::int64_t columns = 1; columns <= p.columns; ++columns) {
            const std::int64_t moved = p.rows * p.reduction * cover(p.columns, columns) +
                                       p.reduction * p.columns * cover(p.rows, rows);
            if (rows * columns * sum_elements <= kept) fewest = std::min(fewest, moved);
        }
    for (std::int64_t columns = 1; columns <= p.columns && columns * p.reduction <= kept; ++columns)
        fewest = std::min(fewest, p.rows * p.reduction * cover(p.columns, columns) + p.reduction * p.columns);
    for (std::int64_t rows = 1; rows <= p.rows && rows * p.reduction <= kept; ++rows)
        fewest = std::min(fewest, p.rows * p.reduction + p.reduction * p.columns * cover(p.rows, rows));
    return static_cast<double>(fewest);
}

TEST(refetch, blocking_fits_and_is_near_the_best_of_all) {
    random_source random(3);
    double worst = 1;
    for (int i = 0; i < 2000; ++i) {
        const contraction p{1, random.integer(1, 40), random.integer(1, 40), random.integer(1, 40)};
        const std::int64_t kept = random.integer(2, 1200);
        const double found = elements(p, reads_through(p, static_cast<double>(kept), 2));
        const double fewest = fewest_by_trying(p, kept, 2);
        ASSERT_GE(found, fewest) << p.rows << ' ' << p.reduction << ' ' << p.columns << " in " << kept;
        worst = std::max(worst, found / fewest);
    }
    EXPECT_LT(worst,
              1.5); // a block is square or spans a side; whole blocks of another shape may cover better
}

TEST(refetch, nothing_where_an_operand_fits_into_half_of_the_buffer) {
    // 2 MiB: half are 2^20 bytes, which are 2^19 elements, not 2^20.
    const auto again = [](std::int64_t columns) {
        return refetched_elements<phaze_platform>({1, 100'000, 1024, columns}, 1e8, 2 << 20);
    };
    EXPECT_EQ(again(512), 0);
    EXPECT_GT(again(513), 0);
}

TEST(refetch, is_the_textbook_traffic_of_a_square_product) {
    // Blocks of s x s sums with s^2 sums in half of the buffer: 2 n^3 / s elements (Hong and Kung, STOC
    // 1981).
    constexpr double n = 65'536;
    constexpr double side = 2048; // 2^22 sums of 2 elements of 2 bytes in 16 MiB
    const double operands = 2 * n * n;
    EXPECT_EQ((refetched_elements<phaze_platform>({1, 65'536, 65'536, 65'536}, operands, 32 << 20)),
              2 * n * n * n / side - operands);
}

TEST(refetch, counts_distinct_elements_only) {
    const contraction p{1, 50'000, 4608, 512};
    const double all = refetched_elements<phaze_platform>(p, 1e8, 4 << 20);
    ASSERT_GT(all, 0);
    // A convolution of 3 x 3 names every input nine times.
    EXPECT_DOUBLE_EQ((refetched_elements<phaze_platform>(p, 1e8 / 9, 4 << 20)), all / 9);
}

TEST(refetch, batches_do_not_share_their_operands) {
    // Each of the batches fits; that the whole does not, does not matter.
    EXPECT_EQ((refetched_elements<phaze_platform>({4096, 512, 64, 512}, 4096.0 * 2 * 512 * 64, 2 << 20)), 0);
}

TEST(refetch, square_root_is_whole_and_the_same_for_the_compiler) {
    static_assert(detail::whole_square_root(0) == 0);
    static_assert(detail::whole_square_root(15) == 3 && detail::whole_square_root(16) == 4);
    constexpr double large = detail::whole_square_root(16'777'216.0 * 3 - 1);
    EXPECT_EQ(detail::whole_square_root(16'777'216.0 * 3 - 1), large);
    for (std::int64_t root : {1, 2, 1023, 4096, 5793, 67'108'863}) {
        const auto square = static_cast<double>(root * root);
        EXPECT_EQ(detail::whole_square_root(square), static_cast<double>(root));
        EXPECT_EQ(detail::whole_square_root(square - 1), static_cast<double>(root - 1));
        EXPECT_EQ(detail::whole_square_root(square + 2), static_cast<double>(root));
    }
}

} // namespace
} // namespace dovetail::cost
