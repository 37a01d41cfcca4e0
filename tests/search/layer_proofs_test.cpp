// Layers of the zoo on the core counts of PHAZE's family: every schedule is proved shortest, most by bounds,
// the rest by a short search.
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profiler.hpp>

#include <dovetail/core/units.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/schedule/tightened_search.hpp>
#include <dovetail/schedule/verify.hpp>
#include <dovetail/workload/recognise.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <utility>

namespace dovetail::search {
namespace {

TEST(LayerProofs, SchedulesOfZooLayersAreProvedShortest) {
    const cost::sound_model<hardware::phaze_platform> costs;
    schedule::tightened_workspace memory;
    int problems = 0, by_list = 0, by_bounds = 0;
    const auto solve = [&](const pass_profile& pass, std::int64_t width, std::int64_t num_tc,
                           std::int64_t num_vc) {
        pass_timer timer(pass);
        timer(costs, hardware::accelerator{num_tc, num_vc, 128, 128, 128, 128 * mebibyte},
              {.width = width, .link_bytes_per_s = 4.0 * gibibyte}, memory.lists);
        by_list += schedule::list_scheduler{}(timer.tasks(), memory.lists).proved_optimal() ? 1 : 0;
        const auto answer = schedule::tightened_search{.limits = {.nodes = 2'000}}(timer.tasks(), memory);
        EXPECT_TRUE(answer.proved_optimal()) << num_tc << ' ' << num_vc;
        EXPECT_TRUE(schedule::verify(timer.tasks(), answer.best));
        by_bounds += answer.nodes == 0 ? 1 : 0;
        ++problems;
    };
    for (const auto& [name, width] : {std::pair("megatron-bert", 4), std::pair("gpt2-xl", 1)}) {
        const auto profile = profile_workload(workload::recognise(workload::make_model(name, 1).value()),
                                              {.micro_batches = {1}, .tensor_widths = {width}});
        ASSERT_TRUE(profile);
        for (const layer_profile& layer : profile->slices.front().structures) {
            for (const std::int64_t num_tc : {1, 4, 32, 512, 4096})
                for (const std::int64_t num_vc : {1, 8, 64, 4096})
                    solve(layer.forward, width, num_tc, num_vc);
            for (const std::int64_t num_tc : {1, 2, 4, 8, 64, 1024})
                for (const std::int64_t num_vc : {1, 8, 4096}) solve(layer.backward, width, num_tc, num_vc);
        }
    }
    EXPECT_GT(problems, 100);
    EXPECT_GT(by_bounds, 17 * problems / 20);
    EXPECT_LT(by_bounds, problems);
    EXPECT_GT(by_bounds, by_list + problems / 5);
}

} // namespace
} // namespace dovetail::search
