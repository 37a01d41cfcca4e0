#pragma once
/// \file
/// The textbook placement of layers with variants: a table over what is left, devices and replicas.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/upset_lattice.hpp>
#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_plan.hpp>
#include <dovetail/placement/variant_stages.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::placement {

namespace detail {

/// All undominated sums of time and memory of a stage, one layer after the other: every choice of variants
/// that could be the best within some memory. Exact, without bounds and without a relaxation.
class variant_front {
public:
    struct point {
        double bytes = 0.0;
        double seconds = 0.0;
        std::size_t parent = 0;
        std::uint32_t variant = 0;
    };

    /// Of choices that fit `capacity` and take less than `limit_s`. \returns the least time, or infinity.
    /// \complexity O(layers * front * log front); a front is as long as there are undominated choices.
    [[nodiscard]] double fastest_s(const choice_items& items, double capacity, double limit_s) {
        points_.assign(1, {});
        begin_.assign(1, 0);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::size_t begin = begin_.back();
            const std::size_t end = points_.size();
            fresh_.clear();
            for (std::size_t at = items.first[i]; at < items.first[i + 1]; ++at)
                for (std::size_t p = begin; p < end; ++p) {
                    const point next{points_[p].bytes + items.weights[at],
                                     points_[p].seconds + items.costs[at], p,
                                     static_cast<std::uint32_t>(at - items.first[i])};
                    if (next.bytes <= capacity && next.seconds < limit_s) fresh_.push_back(next);
                }
            std::sort(fresh_.begin(), fresh_.end(), [](const point& a, const point& b) {
                return a.bytes != b.bytes ? a.bytes < b.bytes : a.seconds < b.seconds;
            });
            begin_.push_back(end);
            for (const point& p : fresh_)
                if (points_.size() == end || p.seconds < points_.back().seconds) points_.push_back(p);
            if (points_.size() == end) return std::numeric_limits<double>::infinity();
        }
        return points_.back().seconds;
    }

    /// The variants of the choice that the last finite answer stands for.
    [[nodiscard]] std::vector<std::uint32_t> chosen() const {
        std::vector<std::uint32_t> variants(begin_.size() - 1);
        std::size_t at = points_.size() - 1;
        for (std::size_t i = variants.size(); i-- > 0;) {
            variants[i] = points_[at].variant;
            at = points_[at].parent;
        }
        return variants;
    }

private:
    std::vector<point> points_, fresh_;
    std::vector<std::size_t> begin_; // of the front after so many layers
};

} // namespace detail

/// A second exact program that has nothing in common with `variant_program` but the lattice and the prices of
/// a stage: one pass over all stages fills the least time of every later part, for every number of devices
/// and of replicas. Slower by far; it is there to check the other.
struct variant_table {
    std::size_t downset_limit = 2048;              ///< the work grows with the pairs of nested ones
    std::size_t cell_limit = std::size_t{1} << 24; ///< downsets * devices * replicas

    /// Solves a valid problem. \returns errc::unsupported past a limit.
    /// \complexity O(pairs of nested downsets * degrees * widths * devices * replicas), and a front for every
    /// stage, degree and number of micro-batches in flight.
    [[nodiscard]] result<variant_plan> operator()(const variant_graph& problem) const {
        spending unlimited{budget{}};
        const auto lattice = detail::upset_lattice::make(problem, downset_limit, unlimited);
        if (!lattice) return lattice.problem();
        const std::int64_t replicas = std::min(problem.devices, problem.most_replicas);
        const auto most = static_cast<std::int64_t>(cell_limit / lattice->states());
        if (problem.devices >= most || (problem.devices + 1) * (replicas + 1) > most)
            return error{errc::unsupported, "variant graph",
                         "its table has more than " + to_text(cell_limit) + " cells",
                         "the limit on cells must be raised, or there be fewer devices"};
        return filler(problem, *lattice, static_cast<std::size_t>(replicas))();
    }

private:
    static constexpr double infinity = std::numeric_limits<double>::infinity();

    class filler {
    public:
        filler(const variant_graph& problem, const detail::upset_lattice& lattice, std::size_t replicas)
            : problem_(problem), lattice_(lattice), devices_(static_cast<std::size_t>(problem.devices)),
              replicas_(replicas), widths_(detail::usable_widths(problem)),
              degrees_(detail::usable_replicas(problem)), costs_(problem),
              cells_(lattice.states() * (devices_ + 1) * (replicas_ + 1)) {}

        [[nodiscard]] variant_plan operator()() {
            at(0, 0, 0).time_s = 0.0;
            for (std::size_t larger = 1; larger < lattice_.states(); ++larger)
                for (std::size_t smaller = 0; smaller < larger; ++smaller)
                    if (nested(smaller, larger)) add_stage(smaller, larger);
            return best();
        }

    private:
        // The least time of a later part on exactly so many devices, with exactly so many replicas.
        struct cell {
            double time_s = infinity;
            std::size_t smaller = 0;
            std::size_t width = 0;
            std::size_t degree = 0;
        };

        [[nodiscard]] cell& at(std::size_t state, std::size_t devices, std::size_t replicas) {
            return cells_[(state * (devices_ + 1) + devices) * (replicas_ + 1) + replicas];
        }

        [[nodiscard]] bool nested(std::size_t smaller, std::size_t larger) const {
            for (std::size_t v = 0; v < lattice_.layer_count(); ++v)
                if (lattice_.holds(smaller, v) && !lattice_.holds(larger, v)) return false;
            return true;
        }

        void add_stage(std::size_t smaller, std::size_t larger) {
            for (const std::int64_t width : widths_) {
                if (!costs_.enter(lattice_, smaller, larger, width)) continue;
                for (const std::int64_t d : degrees_) {
                    const auto taken = static_cast<std::size_t>(width * d);
                    if (taken > devices_) break;
                    costs_.replicate(d);
                    add_stage(smaller, larger, static_cast<std::size_t>(width), static_cast<std::size_t>(d));
                }
            }
        }

        void add_stage(std::size_t smaller, std::size_t larger, std::size_t width, std::size_t d) {
            const double floor_s = costs_.fastest_s() * (1.0 - 1e-12);
            std::int64_t y = 0;
            double stage_s = 0.0;
            // The more replicas behind, the more in flight: a front serves all that round to the same.
            for (std::size_t behind = 0; behind + d <= replicas_ && stage_s < infinity; ++behind)
                for (std::size_t used = 0; used + width * d <= devices_; ++used) {
                    const double rest_s = at(smaller, used, behind).time_s;
                    cell& target = at(larger, used + width * d, behind + d);
                    if (std::max(rest_s, floor_s) >= target.time_s) continue;
                    const std::int64_t turns =
                        detail::turns(static_cast<std::int64_t>(behind), static_cast<std::int64_t>(d));
                    if (turns != y) {
                        y = turns;
                        costs_.weigh(y);
                        stage_s = front_.fastest_s(costs_.items(), problem_.hbm_bytes, infinity);
                    }
                    if (const double time_s = std::max(rest_s, stage_s); time_s < target.time_s)
                        target = {time_s, smaller, width, d};
                }
        }

        [[nodiscard]] variant_plan best() {
            variant_plan found;
            std::size_t devices = 0;
            std::size_t replicas = 0;
            for (std::size_t k = 0; k <= devices_; ++k)
                for (std::size_t s = 0; s <= replicas_; ++s)
                    if (at(lattice_.full(), k, s).time_s < found.time_s) {
                        found.time_s = at(lattice_.full(), k, s).time_s;
                        devices = k;
                        replicas = s;
                    }
            if (found.time_s == infinity) return found;
            found.outcome = status::optimal;
            found.lower_bound_s = found.time_s;
            for (std::size_t state = lattice_.full(); state != 0;) {
                const cell here = at(state, devices, replicas);
                const auto degree = static_cast<std::int64_t>(here.degree);
                static_cast<void>(
                    costs_.enter(lattice_, here.smaller, state, static_cast<std::int64_t>(here.width)));
                costs_.replicate(degree);
                costs_.weigh(detail::turns(static_cast<std::int64_t>(replicas) - degree, degree));
                static_cast<void>(front_.fastest_s(costs_.items(), problem_.hbm_bytes, infinity));
                found.stages.push_back(costs_.build(front_.chosen()));
                devices -= here.width * here.degree;
                replicas -= here.degree;
                state = here.smaller;
            }
            return found;
        }

        const variant_graph& problem_;
        const detail::upset_lattice& lattice_;
        std::size_t devices_;
        std::size_t replicas_;
        std::vector<std::int64_t> widths_;
        std::vector<std::int64_t> degrees_;
        detail::variant_stage_costs costs_;
        detail::variant_front front_;
        std::vector<cell> cells_;
    };
};

} // namespace dovetail::placement
