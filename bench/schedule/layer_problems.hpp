#pragma once
/// \file
/// Layers of about 40 operators on seeded random chips, as a search over designs meets them.

#include <dovetail/core/random.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::bench {

using schedule::demand;
using schedule::mode_table;
using schedule::task_graph;

/// One chip's view of a layer whose graph does not change.
struct chip_view {
    demand capacity{};
    mode_table modes;
};

/// A decoder layer with gated feed-forward, forward and half of its backward: norms, three projections side
/// by side, attention, residuals, two projections side by side, all-reduces on the link; and the gradient of
/// each weight beside the chain. The resources are tensor cores, vector cores and the link.
class layer_problems {
public:
    explicit layer_problems(std::size_t chips) {
        enum kind { tensor, vector, link };
        std::vector<kind> kinds;
        std::vector<graph::arc> arcs;
        const auto add = [&](kind k, std::initializer_list<graph::index> after) {
            const auto v = static_cast<graph::index>(kinds.size());
            kinds.push_back(k);
            for (const graph::index u : after) arcs.push_back({u, v});
            return v;
        };
        graph::index input = add(vector, {});
        for (int half = 0; half < 2; ++half) {
            const graph::index norm = add(vector, {input});
            const graph::index q = add(tensor, {norm}), k = add(tensor, {norm}), v = add(tensor, {norm});
            const graph::index turned_q = add(vector, {q}), turned_k = add(vector, {k});
            const graph::index scores = add(tensor, {turned_q, turned_k});
            const graph::index softmax = add(vector, {scores});
            const graph::index mixed = add(tensor, {softmax, v});
            const graph::index out = add(tensor, {mixed});
            add(tensor, {mixed}); // the gradient of a weight: nothing in the layer waits for it
            const graph::index reduced = add(link, {out});
            const graph::index sum = add(vector, {reduced, input});
            const graph::index norm_2 = add(vector, {sum});
            const graph::index gate = add(tensor, {norm_2}), up = add(tensor, {norm_2});
            const graph::index product = add(vector, {gate, up});
            const graph::index down = add(tensor, {product});
            add(tensor, {product});
            const graph::index reduced_2 = add(link, {down});
            input = add(vector, {reduced_2, sum});
        }
        random_source random(1);
        for (std::size_t chip = 0; chip < chips; ++chip) {
            chip_view view;
            view.capacity = {1 << random.integer(0, 4), 1 << random.integer(0, 4), 1, 0};
            for (const kind k : kinds) {
                const double one_s = random.real(1e-5, 1e-3);
                demand one{}, all{};
                one[k] = 1;
                all[k] = view.capacity[k];
                view.modes.add_task({one_s, one});
                if (k != link) view.modes.add_mode({one_s * random.real(1.0 / view.capacity[k], 1.0), all});
            }
            chips_.push_back(std::move(view));
        }
        const std::size_t n = kinds.size();
        layer_ = make_task_graph(graph::digraph(n, arcs), chips_[0].capacity, chips_[0].modes).value();
    }

    [[nodiscard]] const task_graph& layer() const noexcept { return layer_; }
    [[nodiscard]] const std::vector<chip_view>& chips() const noexcept { return chips_; }

private:
    task_graph layer_;
    std::vector<chip_view> chips_;
};

} // namespace dovetail::bench
