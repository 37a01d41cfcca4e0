#pragma once
/// \file
/// Whether a pipeline of layers with variants can keep to given limits: labels over what is left of it.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/placement/upset_lattice.hpp>
#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_plan.hpp>
#include <dovetail/placement/variant_stages.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// What a pipeline must keep to.
struct variant_limits {
    double time_s = std::numeric_limits<double>::infinity(); ///< of every stage
    bool below = false;                                      ///< the time itself is too long already
    double hbm_bytes = std::numeric_limits<double>::infinity();
    bool light = false; ///< and the memory itself too much already
    std::int64_t devices = 1;
};

/// Answers limits. A state of the lattice is a later part of the pipeline; a label of it says with how many
/// devices that part keeps to the limits, and with how many replicas in all: what an earlier stage has in
/// flight depends on nothing else. A label that another one beats in both is of no use, so a state has few.
class variant_labels {
public:
    enum class verdict : std::uint8_t { yes, no, unknown };

    /// Where `spent` is late it must not be asked.
    variant_labels(const variant_graph& problem, const upset_lattice& lattice, spending& spent)
        : problem_(problem), lattice_(lattice), widths_(usable_widths(problem)),
          replicas_(usable_replicas(problem)), costs_(problem), seen_(lattice.states(), 0) {
        for (const std::int64_t width : widths_) sum_up(width, spent);
        const auto least_work = [&](graph::index v) {
            double least = infinity;
            for (const width_variants& w : problem.layers[v].widths)
                for (const layer_variant& variant : w.variants)
                    least = std::min(least, static_cast<double>(w.width) * variant.seconds);
            return least;
        };
        const auto least_bytes = [&](graph::index v) {
            double least = infinity;
            for (const width_variants& w : problem.layers[v].widths)
                for (const layer_variant& variant : w.variants)
                    least = std::min(least, variant.bytes_per_turn + variant.fixed_bytes);
            return least;
        };
        work_ = lattice.sums(least_work, spent);
        light_ = lattice.sums(least_bytes, spent);
    }

    /// Device-seconds that a micro-batch takes at least, however it is spread.
    [[nodiscard]] double work_s() const { return work_.back(); }

    /// Whether some pipeline keeps to the limits; unknown where the budget ends first, or where
    /// a choice of variants is too hard.
    /// \complexity O(pairs of nested states * (widths * degrees + layers)), and the choices of variants.
    [[nodiscard]] verdict operator()(const variant_limits& limits, spending& spent) {
        limits_ = limits;
        gave_up_ = false;
        choice_.keep_to(&spent);
        labels_.assign(lattice_.states(), {});
        if (widths_.empty()) return verdict::no;
        labels_[0].push_back({});
        for (std::size_t state = 0; state < lattice_.full(); ++state) {
            if (labels_[state].empty()) continue;
            if (!spent.spend_node()) return verdict::unknown;
            if (expand(state, spent)) return verdict::yes;
            if (spent.exhausted()) return verdict::unknown;
        }
        return gave_up_ ? verdict::unknown : verdict::no;
    }

    /// Whether some choice of variants, in the last answer or pipeline, was too hard to make exactly.
    [[nodiscard]] bool gave_up() const { return gave_up_; }

    /// The pipeline that the last `yes` found, each stage with the variants that are fastest within its
    /// memory, or, `lightest`, that take the least memory.
    [[nodiscard]] std::vector<variant_stage> stages(bool lightest = false) {
        std::vector<variant_stage> found;
        std::size_t state = lattice_.full();
        std::size_t at = 0;
        while (state != 0) {
            const label here = labels_[state][at];
            [[maybe_unused]] const bool runs = costs_.enter(lattice_, here.state, state, here.width);
            DOVETAIL_ASSERT(runs, "a label's stage runs at its width");
            costs_.replicate(here.degree);
            costs_.weigh(turns(here.replicas - here.degree, here.degree));
            choice_items items = costs_.items();
            if (lightest) std::swap(items.costs, items.weights);
            [[maybe_unused]] const bool fits =
                choice_.find(items, lightest ? infinity : limits_.hbm_bytes, infinity, true);
            DOVETAIL_ASSERT(fits, "a label's stage fits");
            gave_up_ = gave_up_ || choice_.gave_up();
            found.push_back(costs_.build(choice_.chosen()));
            state = here.state;
            at = here.label;
        }
        return found;
    }

private:
    static constexpr double infinity = std::numeric_limits<double>::infinity();
    static constexpr double tolerance = 1.0 + 1e-9; // of bounds: sums in another order may differ

    struct label {
        std::int64_t devices = 0;
        std::int64_t replicas = 0;
        std::size_t state = 0; // what the stage in front was added to
        std::size_t label = 0;
        std::int64_t width = 0;
        std::int64_t degree = 0;
    };

    // Sums over the layers of every state of what no variant of them is below.
    struct width_floors {
        std::vector<double> missing; // layers that do not run at the width
        std::vector<double> seconds;
        std::vector<double> parameter_bytes;
        std::vector<double> bytes_per_turn;
        std::vector<double> fixed_bytes;
    };

    void sum_up(std::int64_t width, spending& spent) {
        const auto floor_of = [&](double layer_variant::*member) {
            const auto least_of = [&](graph::index v) {
                const width_variants* const at = problem_.layers[v].at_width(width);
                if (at == nullptr || at->variants.empty()) return 0.0;
                double least = infinity;
                for (const layer_variant& variant : at->variants) least = std::min(least, variant.*member);
                return least;
            };
            return lattice_.sums(least_of, spent);
        };
        const auto missing = [&](graph::index v) {
            const width_variants* const at = problem_.layers[v].at_width(width);
            return at == nullptr || at->variants.empty() ? 1.0 : 0.0;
        };
        floors_.push_back({lattice_.sums(missing, spent), floor_of(&layer_variant::seconds),
                           floor_of(&layer_variant::parameter_bytes),
                           floor_of(&layer_variant::bytes_per_turn), floor_of(&layer_variant::fixed_bytes)});
    }

    // Adds every stage in front of a state, or as many as there is time for. \returns whether one of them
    // completes the pipeline.
    [[nodiscard]] bool expand(std::size_t state, spending& spent) {
        if (consider(state, lattice_.full())) return true;
        ++round_;
        pending_.assign(1, state);
        const auto most_devices =
            static_cast<double>(limits_.devices - labels_[state].front().devices) * tolerance;
        while (!pending_.empty() && !spent.late()) {
            const std::size_t from = pending_.back();
            pending_.pop_back();
            for (const graph::index larger : lattice_.grown(from)) {
                if (seen_[larger] == round_ || larger == lattice_.full()) continue;
                seen_[larger] = round_;
                // Neither the work nor the memory of a stage shrinks as it grows.
                if (work_[larger] - work_[state] > limits_.time_s * most_devices) continue;
                if (light_[larger] - light_[state] > limits_.hbm_bytes * tolerance) continue;
                if (consider(state, larger)) return true;
                pending_.push_back(larger);
            }
        }
        return false;
    }

    // Adds the stage between two states, in every width and degree that may keep to the limits.
    [[nodiscard]] bool consider(std::size_t state, std::size_t larger) {
        const label& leanest = labels_[state].front();
        // What is left in front of the stage needs devices, too.
        const double rest_s = work_.back() - work_[larger];
        std::int64_t free = limits_.devices - leanest.devices;
        if (rest_s > 0.0 && limits_.time_s < infinity)
            free -= static_cast<std::int64_t>(std::min(std::ceil(rest_s / limits_.time_s / tolerance), 1e15));
        else if (larger != lattice_.full())
            free -= widths_.front();
        for (std::size_t w = 0; w < widths_.size() && widths_[w] <= free; ++w) {
            const width_floors& floors = floors_[w];
            if (floors.missing[larger] != floors.missing[state]) continue;
            const double seconds = floors.seconds[larger] - floors.seconds[state];
            const double parameters = floors.parameter_bytes[larger] - floors.parameter_bytes[state];
            const double exchange_s =
                4.0 * parameters / static_cast<double>(problem_.micro_batches) / problem_.link_bytes_per_s;
            bool entered = false;
            for (const std::int64_t d : replicas_) {
                if (widths_[w] * d > free) break;
                const auto degree = static_cast<double>(d);
                if (seconds / degree + (degree - 1.0) / degree * exchange_s > limits_.time_s * tolerance)
                    continue;
                if (consider(state, larger, w, d, free, entered)) return true;
            }
        }
        return false;
    }

    // The same at one width and degree, behind every label of the state.
    [[nodiscard]] bool consider(std::size_t state, std::size_t larger, std::size_t w, std::int64_t d,
                                std::int64_t free, bool& entered) {
        const width_floors& floors = floors_[w];
        const double per_turn = floors.bytes_per_turn[larger] - floors.bytes_per_turn[state];
        const double fixed = floors.fixed_bytes[larger] - floors.fixed_bytes[state];
        const std::int64_t most = free + labels_[state].front().devices;
        bool priced = false;
        std::int64_t known_good = 0;
        std::int64_t known_bad = std::numeric_limits<std::int64_t>::max();
        for (std::size_t at = 0; at < labels_[state].size(); ++at) {
            const label& behind = labels_[state][at];
            const label fresh{behind.devices + widths_[w] * d, behind.replicas + d, state, at, widths_[w], d};
            if (fresh.devices > most) break;
            if (fresh.replicas > problem_.most_replicas || beaten(larger, fresh)) continue;
            const std::int64_t y = turns(behind.replicas, d);
            if (y >= known_bad) continue;
            if (per_turn * static_cast<double>(y) + fixed > limits_.hbm_bytes * tolerance) continue;
            if (y > known_good) {
                if (!entered && !costs_.enter(lattice_, state, larger, widths_[w])) return false;
                entered = true;
                if (!priced) costs_.replicate(d);
                priced = true;
                if (!keeps(y)) {
                    known_bad = y;
                    continue;
                }
                known_good = y;
            }
            insert(larger, fresh);
            if (larger == lattice_.full()) return true;
        }
        return false;
    }

    // Whether the stage that is entered and replicated keeps to the limits, with `y` micro-batches in flight.
    [[nodiscard]] bool keeps(std::int64_t y) {
        const double limit_s =
            limits_.below ? limits_.time_s : std::nextafter(limits_.time_s, infinity); // infinity stays
        if (!(costs_.fastest_s() < limit_s)) return false;
        const double bytes = costs_.lightest_bytes(y);
        if (limits_.light ? !(bytes < limits_.hbm_bytes) : bytes > limits_.hbm_bytes) return false;
        if (limits_.time_s == infinity) return true;
        costs_.weigh(y);
        const bool fits = choice_.find(costs_.items(), limits_.hbm_bytes, limit_s, false);
        gave_up_ = gave_up_ || (!fits && choice_.gave_up());
        return fits;
    }

    [[nodiscard]] bool beaten(std::size_t state, const label& fresh) const {
        const auto& all = labels_[state];
        return std::any_of(all.begin(), all.end(), [&](const label& l) {
            return l.devices <= fresh.devices && l.replicas <= fresh.replicas;
        });
    }

    // Labels ascend by devices and descend by replicas. None is beaten by `fresh` and referred to already:
    // the larger state is expanded later.
    void insert(std::size_t state, const label& fresh) {
        auto& all = labels_[state];
        std::erase_if(
            all, [&](const label& l) { return fresh.devices <= l.devices && fresh.replicas <= l.replicas; });
        const auto at =
            std::find_if(all.begin(), all.end(), [&](const label& l) { return l.devices > fresh.devices; });
        all.insert(at, fresh);
    }

    const variant_graph& problem_;
    const upset_lattice& lattice_;
    std::vector<std::int64_t> widths_;
    std::vector<std::int64_t> replicas_;
    std::vector<width_floors> floors_; // by width
    std::vector<double> work_, light_; // by state
    variant_stage_costs costs_;
    exact_choice choice_; // keeps to the budget of the last answer
    bool gave_up_ = false;
    variant_limits limits_;
    std::vector<std::vector<label>> labels_; // by state
    std::vector<std::uint64_t> seen_;
    std::uint64_t round_ = 0;
    std::vector<std::size_t> pending_;
};

} // namespace dovetail::placement::detail
