#pragma once
/// \file
/// One variant for every layer of a stage: the least cost that fits a capacity, exactly.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/sort_stably.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// Items of which each is taken in one of its variants: those of item i stand at [first[i], first[i + 1]).
struct choice_items {
    array_view<const double> costs;
    array_view<const double> weights;
    array_view<const std::size_t> first;

    [[nodiscard]] std::size_t size() const { return first.size() - 1; }
};

/// The multiple-choice knapsack. The linear relaxation gives a price of weight; variants whose cost with
/// weight at that price exceeds the best by more than the gap to a known answer are in no better one, and
/// what is left is a list of undominated sums, extended an item at a time. Keeps its memory between calls.
class exact_choice {
public:
    /// \param most_sums that a call may keep, at some 40 bytes each
    explicit exact_choice(std::size_t most_sums = std::size_t{1} << 22) : most_sums_(most_sums) {}

    /// From now on a call gives up where `spent`, if there is one, is late.
    void keep_to(const spending* spent) { spent_ = spent; }

    /// Finds a choice of weight at most `capacity` and of a cost below `limit`: the first that turns up, or,
    /// with `best`, one of least cost. \returns whether there is one; `chosen()` then tells it.
    [[nodiscard]] bool find(const choice_items& items, double capacity, double limit, bool best) {
        items_ = items;
        gave_up_ = false;
        chosen_.assign(items.size(), 0);
        take_cheapest(1.0, 0.0);
        if (!(cost_of(pick_) < limit)) return false;
        if (weight_of(pick_) <= capacity) return accept(pick_);
        take_cheapest(0.0, 1.0);
        lightest_ = pick_;
        if (weight_of(pick_) > capacity) return false;
        relax(capacity);
        const double bound = price_items(capacity);
        const double margin = slack(bound) + slack(price_ * capacity) + slack(limit);
        if (bound - margin >= limit) return false;
        bool found = false;
        if (const double greedy = cost_of(pick_); greedy < limit && weight_of(pick_) <= capacity) {
            limit = greedy;
            found = accept(pick_);
            if (!best) return true;
        }
        if (const double light = cost_of(lightest_); light < limit) {
            limit = light;
            found = accept(lightest_);
            if (!best) return true;
        }
        return search(capacity, limit, bound, margin, best) || found;
    }

    /// Whether the last call met more sums than it may keep, or had no more time: then "no" only means that
    /// it found none.
    [[nodiscard]] bool gave_up() const { return gave_up_; }

    /// The variant of every item, counted within the item.
    [[nodiscard]] array_view<const std::uint32_t> chosen() const { return chosen_; }

private:
    static constexpr double infinity = std::numeric_limits<double>::infinity();

    struct step {
        double price = 0.0; // cost a unit of weight
        std::size_t item = 0;
        std::uint32_t variant = 0;
        double lighter = 0.0;
    };
    struct state {
        double weight = 0.0;
        double cost = 0.0;
        double excess = 0.0; // over the relaxation, at its price
        std::uint32_t parent = 0;
        std::uint32_t variant = 0;
    };

    // Rounding of a sum of a few hundred terms.
    [[nodiscard]] static double slack(double x) { return 1e-12 * std::abs(x); }

    [[nodiscard]] bool late() const { return spent_ != nullptr && spent_->is_over(); }

    [[nodiscard]] double sum(array_view<const double> values, array_view<const std::uint32_t> pick) const {
        double total = 0.0;
        for (std::size_t i = 0; i < pick.size(); ++i) total += values[items_.first[i] + pick[i]];
        return total;
    }
    [[nodiscard]] double cost_of(array_view<const std::uint32_t> pick) const {
        return sum(items_.costs, pick);
    }
    [[nodiscard]] double weight_of(array_view<const std::uint32_t> pick) const {
        return sum(items_.weights, pick);
    }
    [[nodiscard]] bool accept(const std::vector<std::uint32_t>& pick) {
        chosen_ = pick;
        return true;
    }

    // Into `pick_`: of every item the variant with the least weighted sum; of equals the one better in the
    // other measure.
    void take_cheapest(double per_cost, double per_weight) {
        pick_.assign(items_.size(), 0);
        for (std::size_t i = 0; i < items_.size(); ++i) {
            std::pair<double, double> least{infinity, infinity};
            for (std::size_t at = items_.first[i]; at < items_.first[i + 1]; ++at) {
                const std::pair value{per_cost * items_.costs[at] + per_weight * items_.weights[at],
                                      per_weight * items_.costs[at] + per_cost * items_.weights[at]};
                if (value >= least) continue;
                least = value;
                pick_[i] = static_cast<std::uint32_t>(at - items_.first[i]);
            }
        }
    }

    // Solves the linear relaxation: from the cheapest variants down the lower hull of every item, the best
    // price first, until the weight fits. Leaves the price of weight, and in `pick_` a choice that fits.
    void relax(double capacity) {
        take_cheapest(1.0, 0.0);
        steps_.clear();
        for (std::size_t i = 0; i < items_.size(); ++i) descend(i);
        sort_stably(steps_.begin(), steps_.end(),
                    [](const step& a, const step& b) { return a.price < b.price; });
        double over = weight_of(pick_) - capacity;
        price_ = 0.0;
        for (const step& s : steps_) {
            if (over <= 0.0) break;
            price_ = s.price;
            pick_[s.item] = s.variant;
            over -= s.lighter;
        }
    }

    // The steps of an item along its lower hull, from its cheapest variant to its lightest.
    void descend(std::size_t i) {
        std::size_t at = items_.first[i] + pick_[i];
        for (;;) {
            step next{.price = infinity, .item = i};
            for (std::size_t to = items_.first[i]; to < items_.first[i + 1]; ++to) {
                const double lighter = items_.weights[at] - items_.weights[to];
                const double dearer = items_.costs[to] - items_.costs[at];
                if (!(lighter > 0.0)) continue;
                const double price = std::max(dearer, 0.0) / lighter;
                if (price < next.price || (price == next.price && lighter > next.lighter))
                    next = {price, i, static_cast<std::uint32_t>(to - items_.first[i]), lighter};
            }
            if (next.price == infinity) return;
            steps_.push_back(next);
            at = items_.first[i] + next.variant;
        }
    }

    // Every sum of cost and weight that may still come below the limit, an item at a time; those first for
    // which the wrong variant costs most, since they leave few sums.
    [[nodiscard]] bool search(double capacity, double limit, double bound, double margin, bool best) {
        sort_stably(order_.begin(), order_.end(),
                    [&](std::size_t a, std::size_t b) { return spread_[a] > spread_[b]; });
        arena_.assign(1, state{});
        std::size_t begin = 0;
        bool found = false;
        double lightest_rest = 0.0;
        double cheapest_rest = 0.0;
        for (const std::size_t i : order_) {
            lightest_rest += items_.weights[items_.first[i] + lightest_[i]];
            cheapest_rest += cheapest_[i];
        }
        for (const std::size_t i : order_) {
            lightest_rest -= items_.weights[items_.first[i] + lightest_[i]];
            cheapest_rest -= cheapest_[i];
            const std::size_t end = arena_.size();
            fresh_.clear();
            for (std::size_t at = items_.first[i]; at < items_.first[i + 1] && !late(); ++at) {
                const double excess = items_.costs[at] + price_ * items_.weights[at] - least_[i];
                for (std::size_t p = begin; p < end; ++p) {
                    const state s{arena_[p].weight + items_.weights[at], arena_[p].cost + items_.costs[at],
                                  arena_[p].excess + excess, static_cast<std::uint32_t>(p),
                                  static_cast<std::uint32_t>(at - items_.first[i])};
                    if (s.weight + lightest_rest > capacity * (1.0 + 1e-12)) continue;
                    if (bound + s.excess - margin >= limit || s.cost + cheapest_rest - margin >= limit)
                        continue;
                    fresh_.push_back(s);
                }
            }
            std::sort(fresh_.begin(), fresh_.end(), [](const state& a, const state& b) {
                return a.weight != b.weight ? a.weight < b.weight : a.cost < b.cost;
            });
            begin = end;
            double cheapest = infinity;
            for (const state& s : fresh_) {
                if (s.cost >= cheapest) continue;
                cheapest = s.cost;
                arena_.push_back(s);
            }
            if (arena_.size() > most_sums_ || late()) {
                gave_up_ = true;
                return false;
            }
        }
        for (std::size_t at = begin; at < arena_.size(); ++at) {
            trace(at);
            const double cost = cost_of(pick_);
            if (!(cost < limit) || weight_of(pick_) > capacity) continue;
            limit = cost;
            found = accept(pick_);
            if (!best) break;
        }
        return found;
    }

    // What every item takes at the price of weight. \returns the bound that no choice within the capacity
    // beats, whatever the price.
    [[nodiscard]] double price_items(double capacity) {
        const std::size_t n = items_.size();
        least_.assign(n, infinity);
        cheapest_.assign(n, infinity);
        order_.resize(n);
        spread_.assign(n, 0.0);
        double bound = -price_ * capacity;
        for (std::size_t i = 0; i < n; ++i) {
            order_[i] = i;
            double second = infinity;
            for (std::size_t at = items_.first[i]; at < items_.first[i + 1]; ++at) {
                const double value = items_.costs[at] + price_ * items_.weights[at];
                cheapest_[i] = std::min(cheapest_[i], items_.costs[at]);
                second = std::min(second, std::max(value, least_[i]));
                least_[i] = std::min(least_[i], value);
            }
            spread_[i] = second - least_[i];
            bound += least_[i];
        }
        return bound;
    }

    // Into `pick_`: the choice that a state of the last item stands for.
    void trace(std::size_t at) {
        for (std::size_t k = order_.size(); k-- > 0;) {
            pick_[order_[k]] = arena_[at].variant;
            at = arena_[at].parent;
        }
    }

    std::size_t most_sums_;
    const spending* spent_ = nullptr;
    choice_items items_;
    bool gave_up_ = false;
    double price_ = 0.0;
    std::vector<std::uint32_t> chosen_, pick_, lightest_;
    std::vector<step> steps_;
    std::vector<double> least_, cheapest_, spread_;
    std::vector<std::size_t> order_;
    std::vector<state> arena_, fresh_;
};

} // namespace dovetail::placement::detail
