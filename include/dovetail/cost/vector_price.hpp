#pragma once
/// \file
/// The time of a walk over rows on vector cores: uneven shares, trees across lanes, and rows read again.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/cost/core_mode.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/vector_operator.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace dovetail::cost {

/// Levels of a tree that joins `parts` >= 1 partial results, two by two: the ceiling of the binary logarithm.
[[nodiscard]] constexpr int tree_levels(std::int64_t parts) noexcept {
    return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(parts - 1)));
}

/// How rows lie on the lanes: each row on `team` lanes, `in_flight` rows at a time.
struct row_layout {
    std::int64_t team = 1;
    std::int64_t in_flight = 1;
};

/// The rows of one operator on `cores` vector cores of `lanes` lanes that share a global buffer.
template <hardware::platform P>
class row_walk {
public:
    constexpr row_walk(const row_operator& op, std::int64_t cores, std::int64_t lanes, std::int64_t glb_bytes)
        : op_(op), cores_(cores), lanes_(lanes) {
        // Half of a buffer keeps rows while the other half streams.
        constexpr auto two_halves = static_cast<double>(2 * P::element_bytes);
        local_elements_ = static_cast<double>(P::local_buffer_bytes(lanes)) / two_halves;
        global_elements_ = static_cast<double>(glb_bytes) / two_halves;
    }

    /// Rows that teams of `team` lanes can work on at once. A team that is wider than a core has whole cores.
    [[nodiscard]] constexpr std::int64_t teams(std::int64_t team) const noexcept {
        return team <= lanes_ ? cores_ * (lanes_ / team) : cores_ / ceil_div(team, lanes_);
    }

    /// What one layout takes.
    [[nodiscard]] constexpr estimate operator()(const row_layout& layout) const noexcept {
        constexpr double cycle_s = 1.0 / P::clock_hz;
        constexpr auto element_bytes = static_cast<double>(P::element_bytes);
        const bool within_core = layout.team <= lanes_;
        const std::int64_t cores_of_team = within_core ? 1 : ceil_div(layout.team, lanes_);
        const std::int64_t busy_cores = std::min(cores_, layout.in_flight * cores_of_team);
        const double held = within_core
                                ? static_cast<double>(ceil_div(layout.in_flight, cores_)) * op_.row_read
                                : op_.row_read / static_cast<double>(cores_of_team);
        const bool kept_local = held <= local_elements_;
        const bool kept_global = static_cast<double>(layout.in_flight) * op_.row_read <= global_elements_;

        const auto rounds = static_cast<double>(ceil_div(op_.rows, layout.in_flight));
        const auto steps = static_cast<double>(ceil_div(op_.length, layout.team));
        const double each = op_.element_cycles + (kept_local ? 0.0 : op_.again_cycles);
        const double row_cycles =
            steps * each + op_.row_cycles + op_.level_cycles * tree_levels(std::min(op_.length, layout.team));
        const double once = static_cast<double>(op_.rows) * op_.row_read;
        const double every_pass = once * op_.passes;
        const double written = static_cast<double>(op_.rows) * op_.row_written + op_.shared_written;
        const double walked = every_pass + op_.shared_read;
        const double from_global = (kept_local ? once : every_pass) + op_.shared_read;
        const double from_hbm = (kept_local || kept_global ? once : every_pass) + op_.shared_read;

        estimate e;
        e.vector_s = rounds * row_cycles * cycle_s;
        // One port gives what is walked over and written; the other takes no more.
        e.local_s = (walked + written) / static_cast<double>(busy_cores) / P::local_words_per_cycle * cycle_s;
        e.global_s = std::max(from_global, written) / P::global_words_per_cycle * cycle_s;
        e.hbm_s = (from_hbm + written) * element_bytes / P::hbm_bytes_per_s;
        e.local_bytes = (from_global + walked + 2 * written) * element_bytes;
        e.global_bytes = (from_global + written) * element_bytes;
        e.hbm_bytes = (from_hbm + written) * element_bytes;
        return e;
    }

    /// The layout that takes the least time: teams of a power of two of lanes, and of the numbers of rows in
    /// flight the largest, and the largest that a buffer keeps. Between these, fewer rows in flight only
    /// take more rounds. \complexity O(log lanes).
    [[nodiscard]] constexpr row_layout best() const noexcept {
        row_layout best_layout;
        double least_s = (*this)(best_layout).latency_s();
        const auto consider = [&](const row_layout& layout) {
            const double candidate_s = (*this)(layout).latency_s();
            if (candidate_s >= least_s) return;
            least_s = candidate_s;
            best_layout = layout;
        };
        for (std::int64_t team = 1; teams(team) > 0; team *= 2) {
            const std::int64_t most = std::min(op_.rows, teams(team));
            consider({team, most});
            if (op_.passes > 1 && op_.row_read > 0) {
                const auto in_core = static_cast<std::int64_t>(
                    std::min(local_elements_ / op_.row_read, static_cast<double>(most)));
                const auto in_global = static_cast<std::int64_t>(
                    std::min(global_elements_ / op_.row_read, static_cast<double>(most)));
                if (team <= lanes_ && in_core > 0) consider({team, std::min(most, in_core * cores_)});
                if (in_global > 0) consider({team, in_global});
            }
        }
        return best_layout;
    }

private:
    row_operator op_;
    std::int64_t cores_;
    std::int64_t lanes_;
    double local_elements_ = 0;
    double global_elements_ = 0;
};

/// Prices `op` on the vector cores of `chip`, or on one of them, in the best layout of its rows.
///
/// Laws: more cores, twice the lanes or a larger global buffer are never slower; never below `sound_model` of
/// `op.work()`, and equal to it where shares are even, a lane has a row of its own and each row is walked
/// over once. \complexity O(log lanes), no allocation.
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr estimate price_rows(const row_operator& op, const Chip& chip, core_mode mode) {
    if (op.rows <= 0) return {};
    const std::int64_t cores = mode == core_mode::all_cores ? chip.num_vc : 1;
    DOVETAIL_ASSERT(cores > 0 && chip.width_vc > 0 && op.length > 0, "rows have elements, and need a lane");
    const row_walk<P> walk(op, cores, chip.width_vc, chip.glb_bytes);
    return walk(walk.best());
}

} // namespace dovetail::cost
