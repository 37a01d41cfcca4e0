#pragma once
/// \file
/// The knapsack problem, exactly, for a handful of items.

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

struct knapsack_item {
    double value = 0.0;
    double weight = 0.0;
    std::size_t id = 0; ///< the caller's
};

/// The items that are worth most within `room`.
/// \returns the ids of the items, in no order, and what they are worth.
/// \complexity 2^items at worst; linear where all of them fit.
class small_knapsack {
public:
    small_knapsack(std::vector<knapsack_item> items, double room) : items_(std::move(items)) {
        std::sort(items_.begin(), items_.end(), [](const knapsack_item& a, const knapsack_item& b) {
            return a.value * b.weight > b.value * a.weight;
        });
        chosen_.assign(items_.size(), false);
        descend(0, 0.0, room);
    }

    [[nodiscard]] double value() const { return best_value_; }
    [[nodiscard]] std::vector<std::size_t> ids() const {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < best_.size(); ++i)
            if (best_[i]) all.push_back(items_[i].id);
        return all;
    }

private:
    // What the items from `i` on could add if the last of them could be cut.
    [[nodiscard]] double promise(std::size_t i, double room) const {
        double sum = 0.0;
        for (; i < items_.size() && items_[i].weight <= room; ++i) {
            sum += items_[i].value;
            room -= items_[i].weight;
        }
        return i == items_.size() ? sum : sum + items_[i].value * (room / items_[i].weight);
    }

    void descend(std::size_t i, double value, double room) {
        if (value > best_value_) {
            best_value_ = value;
            best_ = chosen_;
        }
        if (i == items_.size() || value + promise(i, room) <= best_value_) return;
        if (items_[i].weight <= room) {
            chosen_[i] = true;
            descend(i + 1, value + items_[i].value, room - items_[i].weight);
            chosen_[i] = false;
        }
        descend(i + 1, value, room);
    }

    std::vector<knapsack_item> items_;
    std::vector<bool> chosen_, best_;
    double best_value_ = 0.0;
};

} // namespace dovetail::placement::detail
