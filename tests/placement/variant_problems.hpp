#pragma once
/// \file
/// Seeded random problems of layers with variants, and the oracle for the small ones: every plan there is.

#include <dovetail/core/random.hpp>
#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_plan.hpp>
#include <dovetail/placement/verify_variants.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::test {

/// What random problems look like.
struct variant_shape {
    std::int64_t max_layers = 4;
    std::int64_t max_devices = 8;
    std::int64_t max_variants = 2;
    double skip_density = 0.0;  ///< of edges that skip a layer
    double missing_links = 0.0; ///< share of the edges i -> i + 1 that are left out: the graph branches
    bool even = false;          ///< all layers cost the same but the first and last
    double tightness = 0.5;     ///< of the memory: near 1 little fits, near 0 all does
};

/// Whole bytes throughout; some costs are 0, some widths are missing at some layers.
inline placement::variant_graph random_variant_problem(random_source& random, const variant_shape& shape) {
    placement::variant_graph problem;
    const auto n = static_cast<std::size_t>(random.integer(1, shape.max_layers));
    const auto whole = [&](std::int64_t most) { return static_cast<double>(random.integer(0, most)); };
    for (graph::index i = 0; i < n; ++i)
        for (graph::index j = i + 1; j < n; ++j)
            if (j == i + 1 ? random.real() >= shape.missing_links : random.real() < shape.skip_density)
                problem.edges.push_back({i, j, random.real() < 0.2 ? 0.0 : whole(40)});
    problem.devices = random.integer(1, shape.max_devices);
    const std::int64_t batches[] = {1, 2, 4, 6, 12, 60};
    problem.micro_batches = batches[random.integer(0, 5)];
    if (random.real() < 0.3) problem.most_replicas = random.integer(1, shape.max_devices);
    problem.link_bytes_per_s = random.real() < 0.1 ? 1e30 : random.real(5.0, 100.0);
    const double looseness = (1.0 - shape.tightness) * random.real(0.2, 2.0);
    problem.hbm_bytes = 1.0 + std::floor(60.0 * static_cast<double>(n) * looseness);
    std::vector<std::int64_t> widths{1};
    if (random.real() < 0.6) widths.push_back(random.integer(2, 4));
    if (random.real() < 0.3) widths.insert(widths.begin() + 1, 2);
    if (widths.size() == 3 && widths[2] == 2) widths.pop_back();
    const double missing = random.real() < 0.7 ? 0.0 : 0.2;
    problem.layers.resize(n);
    for (std::size_t v = 0; v < n; ++v) {
        std::size_t in = 0;
        std::size_t out = 0;
        for (const placement::variant_edge& e : problem.edges) {
            in += e.target == v ? 1U : 0U;
            out += e.source == v ? 1U : 0U;
        }
        const bool repeated = shape.even && v > 1 && v + 1 < n;
        if (repeated) problem.layers[v] = problem.layers[v - 1];
        for (const std::int64_t width : widths) {
            if (!repeated) {
                placement::width_variants list{.width = width, .variants = {}};
                if (random.real() >= missing)
                    list.variants.resize(static_cast<std::size_t>(random.integer(1, shape.max_variants)));
                for (placement::layer_variant& variant : list.variants) {
                    variant.seconds = (random.real() < 0.1 ? 0.0 : random.real(0.1, 3.0)) /
                                      static_cast<double>(random.integer(1, width));
                    variant.parameter_bytes = whole(30);
                    variant.bytes_per_turn = whole(12);
                    variant.fixed_bytes = whole(30);
                }
                problem.layers[v].widths.push_back(list);
            }
        }
        for (placement::width_variants& list : problem.layers[v].widths)
            for (placement::layer_variant& variant : list.variants) {
                variant.in_sync_bytes.assign(in, 0.0);
                variant.out_sync_bytes.assign(out, 0.0);
                for (double& bytes : variant.in_sync_bytes) bytes = shape.even ? 3.0 : whole(20);
                for (double& bytes : variant.out_sync_bytes) bytes = shape.even ? 2.0 : whole(20);
            }
        bool runs = false;
        for (const auto& list : problem.layers[v].widths) runs = runs || !list.variants.empty();
        if (!runs)
            problem.layers[v].widths[0].variants.push_back(
                {"only", 1.0, 5.0, 3.0, 4.0, std::vector<double>(in, 1.0), std::vector<double>(out, 1.0)});
    }
    return problem;
}

/// The best of all plans, found by trying each.
struct variant_oracle_answer {
    double time_s = std::numeric_limits<double>::infinity();
    double smallest_hbm_bytes = std::numeric_limits<double>::infinity();
    std::int64_t fewest_devices = std::numeric_limits<std::int64_t>::max(); ///< whatever the memory
};

/// Tries all assignments of layers to numbered stages, with all widths, replicas and variants. The figures
/// are the verifier's own.
class variant_oracle {
public:
    explicit variant_oracle(const placement::variant_graph& problem) : problem_(problem) {}

    [[nodiscard]] variant_oracle_answer operator()() {
        for (std::size_t stages = 1; stages <= problem_.layers.size(); ++stages) {
            stages_.assign(stages, {});
            stage_of_.assign(problem_.layers.size(), 0);
            assign(0);
        }
        return best_;
    }

private:
    void assign(graph::index v) {
        if (v == problem_.layers.size()) {
            for (auto& s : stages_) s.layers.clear();
            for (graph::index u = 0; u < v; ++u) stages_[stage_of_[u]].layers.push_back(u);
            for (const auto& s : stages_)
                if (s.layers.empty()) return;
            choose_shape(0, 0, 0);
            return;
        }
        std::size_t first = 0;
        for (const auto& e : problem_.edges)
            if (e.target == v) first = std::max(first, stage_of_[e.source]);
        for (std::size_t s = first; s < stages_.size(); ++s) {
            stage_of_[v] = s;
            assign(v + 1);
        }
    }

    [[nodiscard]] bool runs_at(const placement::variant_stage& stage, std::int64_t width) const {
        return std::all_of(stage.layers.begin(), stage.layers.end(), [&](graph::index v) {
            const auto* at = problem_.layers[v].at_width(width);
            return at != nullptr && !at->variants.empty();
        });
    }

    void choose_shape(std::size_t s, std::int64_t devices, std::int64_t replicas) {
        if (s == stages_.size()) {
            bool single = true;
            for (auto& stage : stages_) single = single && stage.replicas == 1;
            if (single) best_.fewest_devices = std::min(best_.fewest_devices, devices);
            if (devices <= problem_.devices && replicas <= problem_.most_replicas) evaluate();
            return;
        }
        auto& stage = stages_[s];
        for (std::int64_t width = 1; width <= 4; ++width) {
            if (!runs_at(stage, width)) continue;
            for (std::int64_t d = 1; d == 1 || devices + width * d <= problem_.devices; ++d) {
                if (problem_.micro_batches % d != 0) continue;
                stage.width = width;
                stage.replicas = d;
                choose_shape(s + 1, devices + width * d, replicas + d);
            }
        }
    }

    // Stages have nothing to do with one another but for the turns, so their variants are tried one by one.
    void evaluate() {
        double time_s = 0.0;
        double memory = 0.0;
        for (std::size_t s = 0; s < stages_.size(); ++s) {
            double fastest_s = std::numeric_limits<double>::infinity();
            double lightest = std::numeric_limits<double>::infinity();
            auto& stage = stages_[s];
            stage.variants.assign(stage.layers.size(), 0);
            const placement::variant_evaluator figures(problem_, stages_);
            for (;;) {
                const double bytes = figures.memory_bytes(s);
                lightest = std::min(lightest, bytes);
                if (bytes <= problem_.hbm_bytes) fastest_s = std::min(fastest_s, figures.time_s(s));
                std::size_t i = 0;
                for (; i < stage.layers.size(); ++i) {
                    const auto& list = problem_.layers[stage.layers[i]].at_width(stage.width)->variants;
                    if (++stage.variants[i] < list.size()) break;
                    stage.variants[i] = 0;
                }
                if (i == stage.layers.size()) break;
            }
            time_s = std::max(time_s, fastest_s);
            memory = std::max(memory, lightest);
        }
        best_.time_s = std::min(best_.time_s, time_s);
        best_.smallest_hbm_bytes = std::min(best_.smallest_hbm_bytes, memory);
    }

    const placement::variant_graph& problem_;
    std::vector<placement::variant_stage> stages_;
    std::vector<std::size_t> stage_of_;
    variant_oracle_answer best_;
};

} // namespace dovetail::test
