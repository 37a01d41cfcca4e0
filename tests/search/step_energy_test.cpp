#include <dovetail/search/step_energy.hpp>

#include <dovetail/hardware/technology_n7.hpp>
#include <dovetail/search/exhaustive.hpp>
#include <search/support.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace dovetail::search {
namespace {

using hardware::n7_technology;
using hardware::phaze_platform;
using test::test_evaluator;

struct one_step {
    plan_options options = test::small_options();
    workload_profile profile = test::small_model(options);
    test_evaluator evaluate{profile, options, cost::optimizer::adam};

    [[nodiscard]] solution solve(const hardware::accelerator& chip, const setting& s) const {
        test_evaluator::memory memory(evaluate);
        solution found{.chip = chip,
                       .area_um2 = 1,
                       .throughput_samples_per_s = 0,
                       .setting = s,
                       .micro_batch = profile.micro_batches[s.micro_batch],
                       .problem = {},
                       .plan = evaluate(chip, s, memory),
                       .power = {}};
        found.problem = memory.problem();
        if (found.plan.outcome == status::optimal)
            found.throughput_samples_per_s =
                static_cast<double>(options.global_batch) / found.plan.time_per_batch_s;
        return found;
    }

    [[nodiscard]] step_energy spent(const solution& found) const {
        return *energy_of_step<n7_technology>(evaluate, found);
    }
};

constexpr hardware::accelerator chip{
    .num_tc = 4, .num_vc = 2, .width = 128, .depth = 128, .width_vc = 128, .glb_bytes = 16 * mebibyte};

// A pass of one group has one mode on a chip of one core: its energy is that of the operator.
TEST(pass_energy, of_a_single_group_is_that_of_its_operator) {
    constexpr hardware::accelerator single{
        .num_tc = 1, .num_vc = 1, .width = 64, .depth = 64, .width_vc = 64, .glb_bytes = 2 * mebibyte};
    const pass_profile pass{{test::product(512, 512, 8000)}, {"head"}, graph::digraph(1, {}), {}};
    const auto events = *hardware::energies_of<n7_technology, phaze_platform>(single);
    const test::model model;
    const auto e = model(pass.groups[0], single, cost::core_mode::one_core);
    EXPECT_DOUBLE_EQ(pass_energy_j(pass, model, single, {}, events),
                     cost::energy_of<test::model>(pass.groups[0], e, events).total_j());
}

// Macs, lane cycles and HBM bytes do not depend on the schedule; buffers only add.
TEST(pass_energy, is_at_least_what_no_schedule_can_save) {
    const pass_profile pass = test::branching_pass(512, 512);
    const auto events = *hardware::energies_of<n7_technology, phaze_platform>(chip);
    double least_j = 0;
    for (const auto& work : pass.groups)
        least_j += work.product.macs() * events.mac_j + work.lane_cycles * events.lane_cycle_j +
                   (work.read_elements + work.written_elements) * 2 * events.hbm_j_per_byte;
    const double spent_j = pass_energy_j(pass, test::model{}, chip, {}, events);
    EXPECT_GT(spent_j, least_j);
    EXPECT_LT(spent_j, 3 * least_j);
}

TEST(step_energy, adds_up_layer_by_layer) {
    const one_step f;
    const auto events = *hardware::energies_of<n7_technology, phaze_platform>(chip);
    std::size_t tried = 0;
    for (const setting& s : settings_of(f.options)) {
        const solution found = f.solve(chip, s);
        if (!found.feasible()) continue;
        ++tried;
        const step_energy spent = f.spent(found);
        const slice_profile& slice = f.profile.slice(s.micro_batch, 0);
        std::vector<double> forward_j;
        std::vector<double> backward_j;
        for (const layer_profile& layer : slice.structures) {
            forward_j.push_back(pass_energy_j(layer.forward, f.evaluate.model(), chip, {1, 1e9}, events));
            backward_j.push_back(pass_energy_j(layer.backward, f.evaluate.model(), chip, {1, 1e9}, events));
        }
        // Six layers of the first structure and one of the second, for every sample of the batch.
        const auto batches = static_cast<double>(256 / found.micro_batch);
        EXPECT_NEAR(spent.forward_j, batches * (6 * forward_j[0] + forward_j[1]), 1e-9 * spent.forward_j);
        EXPECT_NEAR(spent.backward_j, batches * (6 * backward_j[0] + backward_j[1]), 1e-9 * spent.backward_j);
        const double update_j = 22e6 * (30 * events.hbm_j_per_byte + 36 * events.lane_cycle_j);
        EXPECT_NEAR(spent.update_j, static_cast<double>(found.plan.data_parallel) * update_j,
                    1e-9 * spent.update_j);
        const double static_w = *hardware::static_power_w<n7_technology, phaze_platform>(chip);
        EXPECT_NEAR(spent.static_j,
                    static_w * static_cast<double>(found.plan.devices()) * found.plan.time_per_batch_s,
                    1e-9 * spent.static_j);
        if (!s.recompute || found.plan.stages.size() == 1) {
            EXPECT_EQ(spent.recompute_j, 0);
        } else {
            EXPECT_GT(spent.recompute_j, 0);
            EXPECT_LT(spent.recompute_j, spent.forward_j); // the last stage repeats nothing
        }
        // No device draws more than its TDP.
        const double tdp_w = hardware::tdp_of<n7_technology, phaze_platform>(chip)->total_w();
        EXPECT_LT(spent.total_j(),
                  tdp_w * static_cast<double>(found.plan.devices()) * found.plan.time_per_batch_s);
    }
    EXPECT_GE(tried, 4u);
}

TEST(step_energy, of_a_size_without_an_energy_is_nothing) {
    const one_step f;
    hardware::accelerator odd = chip;
    odd.glb_bytes = 3 * mebibyte;
    const solution found = f.solve(odd, settings_of(f.options).back());
    ASSERT_TRUE(found.feasible());
    EXPECT_FALSE(energy_of_step<hardware::phaze_technology>(f.evaluate, found));
    EXPECT_FALSE(power_of<hardware::phaze_technology>(f.evaluate, found));
}

TEST(step_energy, comes_with_the_tdp) {
    const one_step f;
    const solution found = f.solve(chip, settings_of(f.options).back());
    ASSERT_TRUE(found.feasible());
    const auto power = power_of<n7_technology>(f.evaluate, found);
    ASSERT_TRUE(power);
    EXPECT_EQ(power->tdp_w, (hardware::tdp_of<n7_technology, phaze_platform>(chip)->total_w()));
    EXPECT_EQ(power->step.total_j(), f.spent(found).total_j());
}

TEST(search_limits, on_power_and_temperature_leave_the_best_of_the_rest) {
    const one_step f;
    const auto space = test::small_space();
    using technology = test::technology;
    const auto kept = hardware::kept_designs(space).value();
    std::vector<double> watts;
    for (const auto& design : kept)
        watts.push_back(hardware::tdp_of<technology, phaze_platform>(design.chip)->total_w());
    std::vector<double> sorted = watts;
    std::sort(sorted.begin(), sorted.end());
    const double limit_w = sorted[sorted.size() / 2];

    test_evaluator::memory memory(f.evaluate);
    double best = 0;
    std::size_t within = 0;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (watts[i] > limit_w) continue;
        ++within;
        best =
            std::max(best, f.evaluate(kept[i].chip, settings_of(f.options), memory).throughput_samples_per_s);
    }
    const outcome found = exhaustive{{.max_tdp_w = limit_w}}(space, f.evaluate).value();
    EXPECT_EQ(found.status, status::optimal);
    EXPECT_EQ(found.designs.size(), within);
    EXPECT_EQ(found.best.throughput_samples_per_s, best);
    EXPECT_LT(best, exhaustive{}(space, f.evaluate).value().best.throughput_samples_per_s);
    EXPECT_FALSE(found.best.power);

    // Water lets in more chips than air does.
    std::vector<double> celsius;
    for (const auto& design : kept)
        celsius.push_back(hardware::junction_c(
            hardware::air_cooling, hardware::tdp_of<technology, phaze_platform>(design.chip)->die_w(),
            design.area_um2));
    std::sort(celsius.begin(), celsius.end());
    const space_options warm{.max_junction_c = celsius[celsius.size() / 2]};
    space_options wet = warm;
    wet.cooling = hardware::liquid_cooling;
    const std::size_t in_air = exhaustive{warm}(space, f.evaluate).value().designs.size();
    const std::size_t in_water = exhaustive{wet}(space, f.evaluate).value().designs.size();
    EXPECT_EQ(in_air, celsius.size() / 2 + 1);
    EXPECT_LT(in_air, in_water);
}

TEST(search_limits, that_nothing_satisfies_are_named) {
    const one_step f;
    const auto space = test::small_space();
    const auto binding = [&](const space_options& options) {
        const outcome found = exhaustive{options}(space, f.evaluate).value();
        EXPECT_EQ(found.status, status::infeasible);
        EXPECT_TRUE(found.search.complete);
        return found.binding.substr(0, found.binding.find(':'));
    };
    EXPECT_EQ(binding({.max_area_mm2 = 0.5, .max_tdp_w = 1}), "area");
    EXPECT_EQ(binding({.max_tdp_w = 1}), "power");
    EXPECT_EQ(binding({.max_junction_c = 45.5}), "temperature");
    hardware::cooling broken = hardware::air_cooling;
    broken.sink_k_per_w = 0;
    EXPECT_FALSE((exhaustive{{.max_junction_c = 90, .cooling = broken}}(space, f.evaluate)));
    EXPECT_FALSE((exhaustive{{.max_tdp_w = 0}}(space, f.evaluate)));
    EXPECT_FALSE((exhaustive{{.max_junction_c = -5}}(space, f.evaluate)));
}

} // namespace
} // namespace dovetail::search
