// What is written about a search reads back equal.
#include <dovetail/report/outcome_json.hpp>

#include <dovetail/search/exhaustive.hpp>
#include <search/support.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace dovetail::report {
namespace {

using namespace search::test;

void expect_equal(const nlohmann::json& read, const search::solution& written) {
    const nlohmann::json& chip = read.at("accelerator");
    EXPECT_EQ(chip.at("num_tc"), written.chip.num_tc);
    EXPECT_EQ(chip.at("num_vc"), written.chip.num_vc);
    EXPECT_EQ(chip.at("width"), written.chip.width);
    EXPECT_EQ(chip.at("depth"), written.chip.depth);
    EXPECT_EQ(chip.at("width_vc"), written.chip.width_vc);
    EXPECT_EQ(chip.at("glb_bytes"), written.chip.glb_bytes);
    EXPECT_EQ(chip.at("area_um2"), written.area_um2);
    EXPECT_EQ(read.at("throughput_samples_per_s"), written.throughput_samples_per_s);
    const nlohmann::json& plan = read.at("plan");
    EXPECT_EQ(plan.at("data_parallel"), written.plan.data_parallel);
    EXPECT_EQ(plan.at("tensor_parallel"), written.plan.tensor_parallel);
    EXPECT_EQ(plan.at("micro_batch"), written.micro_batch);
    EXPECT_EQ(plan.at("recompute"), written.setting.recompute);
    EXPECT_EQ(plan.at("hbm_bytes"), written.setting.hbm_bytes);
    ASSERT_EQ(plan.at("stages").size(), written.plan.stages.size());
    std::size_t layers = 0;
    for (std::size_t s = 0; s < written.plan.stages.size(); ++s) {
        const nlohmann::json& stage = plan.at("stages")[s];
        EXPECT_EQ(stage.at("devices"), written.plan.stages[s].devices);
        EXPECT_EQ(stage.at("load_s"), written.plan.stages[s].load_s);
        EXPECT_EQ(stage.at("memory_bytes"), written.plan.stages[s].memory_bytes);
        for (const auto& layer : stage.at("layers")) EXPECT_EQ(layer, layers++);
    }
    EXPECT_EQ(layers, written.problem.widths[0].layers.size());
    double parts_s = 0;
    for (const auto& part : read.at("breakdown_s")) parts_s += part.get<double>();
    EXPECT_NEAR(parts_s, plan.at("time_per_batch_s").get<double>(), 1e-9 * parts_s);
}

TEST(OutcomeJson, ReadsBackEqual) {
    const search::plan_options options = small_options();
    search::workload_profile profile = small_model(options);
    profile.model = "a \"model\"\n\\ of \x01 hostile name, größer";
    const test_evaluator evaluate(profile, options, cost::optimizer::adam);
    const search::outcome outcome = search::exhaustive{}(small_space(), evaluate).value();
    const auto read = nlohmann::json::parse(to_json(outcome, profile), nullptr, false);
    EXPECT_EQ(read.at("status"), "optimal");
    EXPECT_EQ(read.at("model"), profile.model);
    expect_equal(read.at("best"), outcome.best);
    expect_equal(read.at("baseline"), outcome.baseline);
    const nlohmann::json& record = read.at("search");
    EXPECT_EQ(record.at("strategy"), "exhaustive");
    EXPECT_EQ(record.at("evaluated"), outcome.search.evaluated);
    EXPECT_EQ(record.at("pruned"), 0);
    EXPECT_EQ(record.at("complete"), true);
    EXPECT_EQ(record.at("seconds"), outcome.search.seconds);
    EXPECT_FALSE(read.contains("binding"));
    const std::vector<search::evaluated_design> front = search::frontier(outcome.designs);
    ASSERT_EQ(read.at("frontier").size(), front.size());
    for (std::size_t i = 0; i < front.size(); ++i) {
        EXPECT_EQ(read.at("frontier")[i].at("area_um2"), front[i].area_um2);
        EXPECT_EQ(read.at("frontier")[i].at("throughput_samples_per_s"), front[i].throughput_samples_per_s);
    }
}

TEST(OutcomeJson, WithoutAPlanItSaysWhatBinds) {
    search::plan_options options = small_options();
    options.hbm_gib = {0.01};
    const search::workload_profile profile = small_model(options);
    const test_evaluator evaluate(profile, options, cost::optimizer::adam);
    const search::outcome outcome = search::exhaustive{}(small_space(), evaluate).value();
    const auto read = nlohmann::json::parse(to_json(outcome, profile), nullptr, false);
    EXPECT_EQ(read.at("status"), "infeasible");
    EXPECT_TRUE(read.at("best").is_null());
    EXPECT_TRUE(read.at("baseline").is_null());
    EXPECT_EQ(read.at("search").at("evaluated"), 0) << "no chip has more memory than another";
    EXPECT_EQ(read.at("search").at("complete"), true);
    EXPECT_TRUE(read.at("binding").get<std::string>().starts_with("memory: ")) << read.at("binding");
}

} // namespace
} // namespace dovetail::report
