#include <dovetail/cost/systolic.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/core/text.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace dovetail::cost {
namespace {

using workload::contraction;

static_assert(systolic_cycles({1, 128, 128, 128}, {32, 32}, dataflow::output_stationary)->cycles == 3039);

using matrix = std::vector<std::vector<std::int64_t>>;

matrix random_matrix(random_source& random, std::int64_t rows, std::int64_t columns) {
    matrix m(static_cast<std::size_t>(rows), std::vector<std::int64_t>(static_cast<std::size_t>(columns)));
    for (auto& row : m)
        for (std::int64_t& value : row) value = random.integer(-9, 9);
    return m;
}

matrix transposed(const matrix& m) {
    matrix t(m.front().size(), std::vector<std::int64_t>(m.size()));
    for (std::size_t i = 0; i < m.size(); ++i)
        for (std::size_t j = 0; j < m[i].size(); ++j) t[j][i] = m[i][j];
    return t;
}

matrix times(const matrix& a, const matrix& b) {
    matrix c(a.size(), std::vector<std::int64_t>(b.front().size()));
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < b.front().size(); ++j)
            for (std::size_t k = 0; k < b.size(); ++k) c[i][j] += a[i][k] * b[k][j];
    return c;
}

// The rest is a machine of registers: what a unit holds now, its neighbour has in the next cycle.
struct latches {
    std::vector<std::optional<std::int64_t>> values;
    std::size_t columns;
    latches(std::size_t rows, std::size_t columns_) : values(rows * columns_), columns(columns_) {}
    std::optional<std::int64_t>& at(std::size_t r, std::size_t c) { return values[r * columns + c]; }
};

/// a x b on an array with b in its units, row r of it in row r of the array; adds to `sum`.
/// \returns the cycles it took.
std::int64_t run_stationary(const matrix& a, const matrix& b, std::size_t rows, std::size_t columns,
                            matrix& sum) {
    std::int64_t cycles = 0;
    latches stationary(rows, columns);
    for (std::size_t wave = rows; wave-- > 0; ++cycles) // shifted down, a row of units a cycle
        for (std::size_t c = 0; c < columns; ++c) {
            for (std::size_t r = rows - 1; r > 0; --r) stationary.at(r, c) = stationary.at(r - 1, c);
            stationary.at(0, c) = wave < b.size() && c < b.front().size() ? b[wave][c] : 0;
        }
    latches moving(rows, columns), partial(rows, columns);
    // An edge fold takes as long as a full one: the far corner sees the last step in any case.
    for (bool ended = false; !ended; ++cycles) {
        const auto now = cycles - static_cast<std::int64_t>(rows);
        for (std::size_t r = rows; r-- > 0;)
            for (std::size_t c = columns; c-- > 0;) {
                const std::int64_t step = now - static_cast<std::int64_t>(r + c);
                const bool inside = step >= 0 && step < static_cast<std::int64_t>(a.size());
                if (c > 0)
                    moving.at(r, c) = moving.at(r, c - 1);
                else if (inside)
                    moving.at(r, c) = r < b.size() ? a[static_cast<std::size_t>(step)][r] : 0;
                else
                    moving.at(r, c).reset();
                partial.at(r, c).reset();
                if (!moving.at(r, c)) continue;
                const std::int64_t above = r > 0 ? partial.at(r - 1, c).value() : 0;
                partial.at(r, c) = above + *moving.at(r, c) * *stationary.at(r, c);
                if (r + 1 < rows) continue;
                if (c < b.front().size()) sum[static_cast<std::size_t>(step)][c] += *partial.at(r, c);
                ended = c + 1 == columns && step + 1 == static_cast<std::int64_t>(a.size());
                if (ended) return cycles + 1;
            }
    }
    return cycles;
}

/// a x b on an array whose units keep the sums.
std::int64_t run_output_stationary(const matrix& a, const matrix& b, std::size_t rows, std::size_t columns,
                                   matrix& sum) {
    latches right(rows, columns), down(rows, columns);
    const auto steps = static_cast<std::int64_t>(b.size());
    for (std::int64_t now = 0;; ++now)
        for (std::size_t r = rows; r-- > 0;)
            for (std::size_t c = columns; c-- > 0;) {
                const auto feed = [&](std::size_t line, std::size_t lines, auto read) {
                    const std::int64_t step = now - static_cast<std::int64_t>(line);
                    if (step < 0 || step >= steps) return std::optional<std::int64_t>();
                    return std::optional(line < lines ? read(static_cast<std::size_t>(step)) : 0);
                };
                right.at(r, c) = c > 0 ? right.at(r, c - 1)
                                       : feed(r, a.size(), [&](std::size_t step) { return a[r][step]; });
                down.at(r, c) = r > 0
                                    ? down.at(r - 1, c)
                                    : feed(c, b.front().size(), [&](std::size_t step) { return b[step][c]; });
                if (!right.at(r, c)) continue;
                if (r < a.size() && c < b.front().size())
                    sum[r][c] += *right.at(r, c) * down.at(r, c).value();
                const bool last = now - static_cast<std::int64_t>(r + c) + 1 == steps;
                if (last && r + 1 == rows && c + 1 == columns) return now + 1;
            }
}

matrix part(const matrix& m, std::size_t top, std::size_t left, std::size_t rows, std::size_t columns) {
    matrix cut;
    for (std::size_t i = top; i < std::min(m.size(), top + rows); ++i)
        cut.emplace_back(m[i].begin() + static_cast<std::ptrdiff_t>(left),
                         m[i].begin() + static_cast<std::ptrdiff_t>(std::min(m[i].size(), left + columns)));
    return cut;
}

void add_at(matrix& whole, const matrix& tile, std::size_t top, std::size_t left) {
    for (std::size_t i = 0; i < tile.size(); ++i)
        for (std::size_t j = 0; j < tile[i].size(); ++j) whole[top + i][left + j] += tile[i][j];
}

/// Runs all folds of a x b one after another. \returns the product and the cycles.
std::pair<matrix, std::int64_t> run(const matrix& a, const matrix& b, std::size_t rows, std::size_t columns,
                                    dataflow flow) {
    if (flow == dataflow::input_stationary) { // a x b = (b' x a')', with a' in the units
        auto [product, cycles] =
            run(transposed(b), transposed(a), rows, columns, dataflow::weight_stationary);
        return {transposed(product), cycles};
    }
    matrix product(a.size(), std::vector<std::int64_t>(b.front().size()));
    std::int64_t cycles = 0;
    for (std::size_t left = 0; left < b.front().size(); left += columns) {
        if (flow == dataflow::weight_stationary)
            for (std::size_t top = 0; top < b.size(); top += rows) {
                const matrix weights = part(b, top, left, rows, columns);
                matrix sum(a.size(), std::vector<std::int64_t>(weights.front().size()));
                cycles += run_stationary(part(a, 0, top, a.size(), rows), weights, rows, columns, sum);
                add_at(product, sum, 0, left);
            }
        else
            for (std::size_t top = 0; top < a.size(); top += rows) {
                const matrix from_left = part(a, top, 0, rows, b.size());
                const matrix from_above = part(b, 0, left, b.size(), columns);
                matrix sum(from_left.size(), std::vector<std::int64_t>(from_above.front().size()));
                cycles += run_output_stationary(from_left, from_above, rows, columns, sum);
                add_at(product, sum, top, left);
            }
    }
    return {product, cycles};
}

TEST(systolic, is_what_an_array_of_registers_takes) {
    random_source random(7);
    for (int i = 0; i < 300; ++i) {
        const contraction shape{1, random.integer(1, 12), random.integer(1, 12), random.integer(1, 12)};
        const systolic_array array{random.integer(1, 5), random.integer(1, 5)};
        const matrix a = random_matrix(random, shape.rows, shape.reduction);
        const matrix b = random_matrix(random, shape.reduction, shape.columns);
        for (const auto& [name, flow] : dataflow_names) {
            const auto [product, cycles] = run(a, b, static_cast<std::size_t>(array.rows),
                                               static_cast<std::size_t>(array.columns), flow);
            ASSERT_EQ(product, times(a, b)) << name;
            const systolic_time time = systolic_cycles(shape, array, flow).value();
            ASSERT_EQ(time.cycles + 1, cycles) << name;
            ASSERT_EQ(time.folds * time.fold_cycles, cycles) << name;
        }
    }
}

TEST(systolic, is_what_scale_sim_runs) {
    DOVETAIL_SHARED_OR_SKIP(file, "reference/gemm/scalesim.csv");
    std::ifstream table(file);
    std::string line;
    std::getline(table, line);
    ASSERT_EQ(line.substr(0, line.find('\r')), "array_rows,array_cols,dataflow,M,N,K,compute_cycles");
    int rows = 0;
    while (std::getline(table, line)) {
        std::istringstream fields(line);
        std::string flow;
        std::int64_t r = 0, c = 0, m = 0, n = 0, k = 0, cycles = 0;
        char comma = 0;
        fields >> r >> comma >> c >> comma;
        std::getline(fields, flow, ',');
        fields >> m >> comma >> n >> comma >> k >> comma >> cycles;
        ASSERT_TRUE(fields) << line;
        const auto time = systolic_cycles({1, m, k, n}, {r, c}, find_dataflow(flow).value());
        EXPECT_EQ(time->cycles, cycles) << line;
        ++rows;
    }
    EXPECT_GT(rows, 0);
}

TEST(systolic, batches_follow_one_another) {
    const systolic_time one = systolic_cycles({1, 50, 60, 70}, {8, 16}, dataflow::weight_stationary).value();
    const systolic_time five = systolic_cycles({5, 50, 60, 70}, {8, 16}, dataflow::weight_stationary).value();
    EXPECT_EQ(five.cycles + 1, 5 * (one.cycles + 1));
}

TEST(systolic, refuses_what_has_no_size) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t bad :
         {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
        for (std::size_t which = 0; which < 6; ++which) {
            std::array<std::int64_t, 6> extents{1, 2, 3, 4, 5, 6};
            extents[which] = bad;
            const auto& [batch, rows, reduction, columns, array_rows, array_columns] = extents;
            const auto time = systolic_cycles({batch, rows, reduction, columns}, {array_rows, array_columns},
                                              dataflow::weight_stationary);
            ASSERT_FALSE(time);
            EXPECT_EQ(time.problem().code, errc::out_of_range);
            EXPECT_NE(time.problem().line().find(to_text(bad)), std::string::npos) << time.problem().line();
        }
    for (const auto& [name, flow] : dataflow_names) {
        EXPECT_EQ(systolic_cycles({1, most, most, most}, {1, 1}, flow).problem().code, errc::overflow);
        EXPECT_EQ(systolic_cycles({1, 1, 1, 1}, {most, most}, flow).problem().code, errc::overflow);
        EXPECT_EQ(systolic_cycles({most, 1, 1, 1}, {2, 2}, flow).problem().code, errc::overflow);
    }
    // The largest that fits.
    EXPECT_EQ(systolic_cycles({1, 1, most, 1}, {1, 1}, dataflow::output_stationary)->cycles, most - 1);
    EXPECT_EQ(find_dataflow("row").problem().code, errc::unknown_name);
}

} // namespace
} // namespace dovetail::cost
