#pragma once
/// \file
/// The table of the exact programs: for every suffix of the layers and number of stages, the least largest
/// cost of a stage.

#include <dovetail/core/assert.hpp>
#include <dovetail/placement/storage.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace dovetail::placement::detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// Which stages a search looks at: every one, those that hold no split layer and run on a single device, or
/// those that hold one.
enum class stage_kind { any, single, split };

/// One cell of the table.
struct table_cell {
    double value = infinity;        ///< the least largest cost from this state on
    double least_before = infinity; ///< the least value of this state and of all before it in the row
};

/// A finished row; only the states [begin, end) can have a finite value.
struct table_row {
    const table_cell* cells;
    std::size_t begin;
    std::size_t end;
};

/// A stage and the value that it leads to.
template <class StageRef>
struct choice {
    double value;
    StageRef stage;
};

/// What a stage of a plan costs.
struct stage_figures {
    double load_s = 0.0;
    double memory_bytes = 0.0;
    double reduce_bytes = 0.0;
    double update_s = 0.0;
};

/// Row (s, q) holds, for every state, the least largest cost of cutting all that remains from it into exactly
/// s stages of which q are of the single kind. Rows are added a number of stages at a time; there is no
/// dimension for devices, which s and q determine.
template <class Storage>
class stage_table {
public:
    /// Starts over with the row of no stage: nothing remains in the last state, and only there.
    constexpr void start(std::size_t states, std::size_t max_singles) {
        states_ = states;
        max_singles_ = max_singles;
        stages_ = 0;
        grow(1);
        for (std::size_t k = 0; k + 1 < states; ++k) cells_[k] = {};
        cells_[states - 1] = {0.0, 0.0};
        windows_[0] = {states - 1, states};
    }

    /// The largest number of stages that has its rows.
    [[nodiscard]] constexpr std::size_t stages() const { return stages_; }
    [[nodiscard]] constexpr std::size_t max_singles(std::size_t stages) const {
        return std::min(stages, max_singles_);
    }
    [[nodiscard]] constexpr table_row row(std::size_t stages, std::size_t singles) const {
        const std::size_t r = row_number(stages, singles);
        return {cells_.data() + r * states_, windows_[r].begin, windows_[r].end};
    }
    /// The least largest cost of cutting everything into `stages` stages.
    [[nodiscard]] constexpr double whole(std::size_t stages, std::size_t singles) const {
        return row(stages, singles).cells[0].value;
    }

    /// Adds the rows of one more stage. `rule` prices stages at that place in the pipeline; `limit(q)` gives
    /// for each row a function of the state: values that reach it are of no use, and become infinite.
    /// \returns whether any cell is finite.
    template <class Space, class Rule, class Limit>
    constexpr bool add_stage(const Space& space, const Rule& rule, const Limit& limit) {
        ++stages_;
        const std::size_t singles = max_singles(stages_);
        grow(row_number(stages_, singles) + 1);
        bool any = false;
        for (std::size_t q = 0; q <= singles; ++q) any = fill_row(space, rule, q, limit(q)) || any;
        return any;
    }

    /// The first stage of a best cut of what remains from state `k` into `stages` stages, `singles` of them
    /// single; lowers `singles` where that stage is one.
    template <class Space, class Rule>
    [[nodiscard]] constexpr auto first_stage(const Space& space, const Rule& rule, std::size_t stages,
                                             std::size_t& singles, std::size_t k) const {
        stages_behind behind = rows_behind(stages, singles);
        behind.guess = behind.guess_single = k + 1;
        const auto best = best_stage(space, rule, behind, k, infinity);
        DOVETAIL_ASSERT(best.value < infinity, "there is no such cut");
        if (max_singles_ > 0 && space.single(best.stage)) --singles;
        return best.stage;
    }

private:
    struct window {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    [[nodiscard]] constexpr std::size_t row_number(std::size_t stages, std::size_t singles) const {
        // min(i, max_singles) + 1 rows for every smaller number i of stages.
        const std::size_t rising = std::min(stages, max_singles_);
        return rising * (rising + 1) / 2 + (stages - rising) * (max_singles_ + 1) + singles;
    }

    // What a former problem left in the rows is overwritten, never read.
    constexpr void grow(std::size_t rows) {
        if (cells_.size() < rows * states_) cells_.resize(rows * states_, {});
        if (windows_.size() < rows) windows_.resize(rows, {});
    }

    // The rows that a stage can stand in front of, and where its end is looked for first.
    struct stages_behind {
        stage_kind kind = stage_kind::any;
        table_row row{nullptr, 0, 0};
        table_row row_single{nullptr, 0, 0}; // empty where no stage is counted as single
        std::size_t guess = 0;
        std::size_t guess_single = 0;
    };

    [[nodiscard]] constexpr stages_behind rows_behind(std::size_t stages, std::size_t singles) const {
        stages_behind behind;
        if (singles <= max_singles(stages - 1)) behind.row = row(stages - 1, singles);
        if (max_singles_ > 0) behind.kind = stage_kind::split;
        if (singles > 0) behind.row_single = row(stages - 1, singles - 1);
        behind.guess = behind.guess_single = states_ - 1;
        return behind;
    }

    template <class Space, class Rule>
    [[nodiscard]] static constexpr auto best_stage(const Space& space, const Rule& rule,
                                                   stages_behind& behind, std::size_t k, double limit) {
        const auto best = space.best_stage(rule, behind.kind, k, behind.row, limit, behind.guess);
        if (behind.row_single.begin >= behind.row_single.end) return best;
        const auto single =
            space.best_stage(rule, stage_kind::single, k, behind.row_single, best.value, behind.guess_single);
        return single.value < best.value ? single : best;
    }

    template <class Space, class Rule, class RowLimit>
    constexpr bool fill_row(const Space& space, const Rule& rule, std::size_t q, const RowLimit& limit) {
        const std::size_t r = row_number(stages_, q);
        table_cell* const cells = cells_.data() + r * states_;
        stages_behind behind = rows_behind(stages_, q);
        window finite{states_, 0};
        // A state with s stages to come is s states from the end at least.
        for (std::size_t k = states_ - 1; k + 1 > states_ - stages_; --k) cells[k].value = infinity;
        for (std::size_t k = states_ - stages_; k-- > 0;) {
            const double cap = limit(k);
            double value = infinity;
            if (cap > 0.0) {
                const auto best = best_stage(space, rule, behind, k, cap);
                if (best.value < cap) {
                    value = best.value;
                    finite.begin = k;
                    finite.end = std::max(finite.end, k + 1);
                }
            }
            cells[k].value = value;
        }
        double least = infinity;
        for (std::size_t k = 0; k < states_; ++k)
            cells[k].least_before = least = std::min(least, cells[k].value);
        windows_[r] = finite;
        return finite.begin < finite.end;
    }

    std::size_t states_ = 0;
    std::size_t max_singles_ = 0;
    std::size_t stages_ = 0;
    typename Storage::template per_cell<table_cell> cells_{};
    typename Storage::template per_row<window> windows_{};
};

} // namespace dovetail::placement::detail
