// A first search: the best of the chips up to 100 mm^2 for BERT-large on 64 devices, its plan stage by stage,
// and where a batch spends its time.
#include <dovetail/core/readable.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/runtime_space.hpp>
#include <dovetail/search/breakdown.hpp>
#include <dovetail/search/exhaustive.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/workload/zoo.hpp>

#include <cstddef>
#include <cstdio>

using namespace dovetail;
using chips = hardware::runtime_space<hardware::phaze_platform, hardware::phaze_technology>;
using evaluator = search::evaluator<cost::sound_model<chips::platform>, chips::platform>;

int main() {
    const search::plan_options cluster{
        .micro_batches = {1, 2, 4}, .hbm_gib = {16}, .devices = 64, .global_batch = 512};
    const auto model = workload::make_model("bert-large", 1);
    if (!model) return std::puts(model.problem().line().c_str()), 1;
    const auto profile = search::profile_workload(*model, cluster);
    if (!profile) return std::puts(profile.problem().line().c_str()), 1;
    const auto family = chips::make("edge",
                                    {.num_tc = {1, 2, 4},
                                     .num_vc = {1, 2, 4},
                                     .width = {64, 128, 256},
                                     .depth = {128},
                                     .glb_bytes = {8 * mebibyte, 32 * mebibyte},
                                     .largest_um2 = 100 * um2_per_mm2},
                                    hardware::tpuv4_like);
    if (!family) return std::puts(family.problem().line().c_str()), 1;

    const evaluator evaluate(*profile, cluster, cost::optimizer::adam);
    const auto found = search::exhaustive{}(*family, evaluate);
    if (!found) return std::puts(found.problem().line().c_str()), 1;
    if (!found->best.feasible()) return std::puts(found->binding.c_str()), 3;

    const search::solution& best = found->best;
    std::printf("%s: %zu chips evaluated, %zu larger than 100 mm^2\n", to_string(found->status).data(),
                found->search.evaluated, family->size() - found->search.evaluated);
    std::printf("%zd tensor cores of %zd x %zd, %zd vector cores of %zd lanes, %zd MiB, %.1f mm^2\n",
                best.chip.num_tc, best.chip.depth, best.chip.width, best.chip.num_vc, best.chip.width_vc,
                best.chip.glb_bytes / mebibyte, best.area_um2 / um2_per_mm2);
    std::printf("%s samples/s, %.2f times the TPUv4-like chip of %.0f mm^2\n",
                readable(best.throughput_samples_per_s, 4).c_str(),
                best.throughput_samples_per_s / found->baseline.throughput_samples_per_s,
                found->baseline.area_um2 / um2_per_mm2);
    std::printf("%zd replicas, micro-batches of %zd, recomputation %s; stages of one replica:\n",
                best.plan.data_parallel, best.micro_batch, best.setting.recompute ? "on" : "off");
    for (std::size_t s = 0; s < best.plan.stages.size(); ++s) {
        const auto layers = best.plan.layers(s);
        std::printf("  layers %2u to %2u   %5.2f ms a micro-batch   %4.1f GiB\n", layers.front(),
                    layers.back(), best.plan.stages[s].load_s * 1e3,
                    best.plan.stages[s].memory_bytes / static_cast<double>(gibibyte));
    }
    const search::batch_breakdown time = search::break_down(best.problem, best.plan);
    const double percent = 100 / time.total_s();
    std::printf("a batch takes %.0f ms: %.0f %% compute, %.0f %% transfers, %.0f %% bubble, "
                "%.0f %% gradient reduction and update\n",
                time.total_s() * 1e3, percent * (time.forward_s + time.backward_s + time.recompute_s),
                percent * time.transfer_s, percent * time.bubble_s,
                percent * (time.reduction_s + time.update_s));
}
