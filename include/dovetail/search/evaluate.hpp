#pragma once
/// \file
/// The one place where costs become tasks and layers: what a chip can do for a model on a cluster.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/objective.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/search/options.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profile.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::search {

/// One combination of the choices that are neither the chip's nor the placement's.
struct setting {
    std::size_t micro_batch = 0; ///< a position in `workload_profile::micro_batches`
    double hbm_bytes = 0;
    bool recompute = false;

    friend constexpr bool operator==(const setting&, const setting&) = default;
};

/// All combinations that `options` offers: micro-batches outside, then memories, then recomputation.
[[nodiscard]] inline std::vector<setting> settings_of(const plan_options& options) {
    std::vector<setting> settings;
    for (std::size_t m = 0; m < options.micro_batches.size(); ++m)
        for (const double gib : options.hbm_gib)
            for (const int recompute : options.recompute)
                settings.push_back({m, gib * static_cast<double>(gibibyte), recompute != 0});
    return settings;
}

/// The best that a chip reached. A throughput of 0 means that no plan fits.
struct evaluation {
    double throughput_samples_per_s = 0;
    std::size_t setting = 0; ///< a position in the settings that were asked

    [[nodiscard]] constexpr bool feasible() const noexcept { return throughput_samples_per_s > 0; }
};

/// Evaluates chips for one model: prices every distinct layer once, then places for every setting.
template <cost::latency_model Model, hardware::platform Platform>
class evaluator {
public:
    /// `profile` must outlive the evaluator. `charge` says who pays for the gradient reduction.
    evaluator(const workload_profile& profile, const plan_options& options, cost::optimizer optimizer,
              placement::objective charge = placement::objective::every_stage, Model model = {})
        : profile_(&profile), options_(options), optimizer_(optimizer), place_{.charge = charge},
          model_(std::move(model)) {}

    /// The memory of one worker: it is warm after the first chip and then allocates nothing.
    class memory {
    public:
        explicit memory(const evaluator& e) {
            for (const slice_profile& slice : e.profile_->slices) {
                std::vector<layer_timer>& timers = slices_.emplace_back();
                for (const layer_profile& layer : slice.structures)
                    timers.push_back({pass_timer(layer.forward), pass_timer(layer.backward)});
            }
        }

        /// The problem of the last `place`, and its answer.
        [[nodiscard]] const placement::layer_graph& problem() const noexcept { return problem_; }
        [[nodiscard]] const placement::plan& plan() const noexcept { return placed_.plan; }

    private:
        friend evaluator;
        struct layer_timer {
            pass_timer forward;
            pass_timer backward;
        };

        std::vector<std::vector<layer_timer>> slices_;
        std::vector<placement::layer> structures_;
        schedule::workspace scheduled_;
        placement::layer_graph problem_;
        placement::chain_workspace placed_;
    };

    /// The best over `settings`; the first of equals. \complexity of one micro-batch after the other: its
    /// layers' schedules, then one placement a setting.
    template <hardware::accelerator_like Chip>
    evaluation operator()(const Chip& chip, array_view<const setting> settings, memory& m) const {
        evaluation best;
        std::size_t priced = profile_->micro_batches.size();
        for (std::size_t s = 0; s < settings.size(); ++s) {
            if (settings[s].micro_batch != priced) {
                priced = settings[s].micro_batch;
                price(chip, priced, m);
            }
            const placement::plan& plan = place(settings[s], m);
            if (plan.outcome != status::optimal) continue;
            const double throughput = static_cast<double>(options_.global_batch) / plan.time_per_batch_s;
            if (throughput > best.throughput_samples_per_s) best = {throughput, s};
        }
        return best;
    }

    /// Prices and places one setting; the problem and the plan are left in `m`.
    template <hardware::accelerator_like Chip>
    const placement::plan& operator()(const Chip& chip, const setting& s, memory& m) const {
        price(chip, s.micro_batch, m);
        return place(s, m);
    }

    [[nodiscard]] const workload_profile& profile() const noexcept { return *profile_; }
    [[nodiscard]] const plan_options& options() const noexcept { return options_; }
    [[nodiscard]] const Model& model() const noexcept { return model_; }
    [[nodiscard]] cost::optimizer optimizer() const noexcept { return optimizer_; }
    [[nodiscard]] double link_bytes_per_s() const noexcept {
        return options_.link_gib_per_s * static_cast<double>(gibibyte);
    }

private:
    // Fills the layers of every tensor width of one micro-batch.
    template <class Chip>
    void price(const Chip& chip, std::size_t micro_batch, memory& m) const {
        placement::layer_graph& problem = m.problem_;
        problem.devices = options_.devices;
        problem.link_bytes_per_s = link_bytes_per_s();
        problem.micro_batches = ceil_div(options_.global_batch, profile_->micro_batches[micro_batch]);
        problem.widths.resize(profile_->tensor_widths.size());
        for (std::size_t w = 0; w < problem.widths.size(); ++w) {
            const slice_profile& slice = profile_->slice(micro_batch, w);
            price_structures(chip, slice, m.slices_[micro_batch * problem.widths.size() + w], m);
            placement::width_costs& costs = problem.widths[w];
            costs.width = slice.tensor_width;
            costs.layers.resize(slice.chain.size());
            for (std::size_t i = 0; i < slice.chain.size(); ++i)
                costs.layers[i] = m.structures_[slice.chain[i]];
            costs.edge_bytes.resize(slice.boundary_elements.size());
            for (std::size_t i = 0; i < slice.boundary_elements.size(); ++i)
                costs.edge_bytes[i] = slice.boundary_elements[i] * Model::element_bytes;
            problem.edges.resize(slice.boundary_elements.size());
        }
        placement::link_as_chain(problem.edges);
    }

    template <class Chip, class Timers>
    void price_structures(const Chip& chip, const slice_profile& slice, Timers& timers, memory& m) const {
        const tensor_group group{slice.tensor_width, link_bytes_per_s()};
        const cost::parameter_cost parameter = cost::cost_of(optimizer_);
        m.structures_.resize(slice.structures.size());
        for (std::size_t k = 0; k < slice.structures.size(); ++k) {
            const layer_profile& layer = slice.structures[k];
            const double stash_bytes = layer.stash.size_bytes(Model::element_bytes);
            m.structures_[k] = {.forward_s = timers[k].forward(model_, chip, group, m.scheduled_).latency_s,
                                .backward_s = timers[k].backward(model_, chip, group, m.scheduled_).latency_s,
                                .update_s = cost::update_s<Platform>(optimizer_, layer.parameters, chip),
                                .resident_bytes = layer.parameters * parameter.resident_bytes,
                                .reduce_bytes = layer.parameters * parameter.reduce_bytes,
                                .activation_bytes =
                                    stash_bytes + layer.working_elements * Model::element_bytes,
                                .stash_bytes = stash_bytes,
                                .tensor_parallel = layer.tensor_parallel,
                                .optimizer_bytes = layer.parameters * parameter.state_bytes};
        }
    }

    const placement::plan& place(const setting& s, memory& m) const {
        m.problem_.hbm_bytes = s.hbm_bytes;
        m.problem_.recompute = s.recompute;
        return place_(m.problem_, m.placed_);
    }

    const workload_profile* profile_;
    plan_options options_;
    cost::optimizer optimizer_;
    placement::chain_program place_;
    Model model_;
};

} // namespace dovetail::search
