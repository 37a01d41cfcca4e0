// Searches over designs that are ended early, and what they say they prove.
#include <dovetail/search/area_ordered.hpp>
#include <dovetail/search/exhaustive.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/search/random_sample.hpp>
#include <dovetail/workload/recognise.hpp>
#include <dovetail/workload/zoo.hpp>
#include <search/support.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dovetail::search {
namespace {

using test::small_model;
using test::small_options;
using test::small_space;
using test::test_evaluator;

struct small_problem {
    plan_options options = small_options();
    workload_profile profile = small_model(options);
};

/// Asks for an end once so many chips are evaluated, besides the reference chip, which comes first.
class stopping_evaluator : public test_evaluator {
public:
    stopping_evaluator(const small_problem& p, stop_request& stop, std::size_t chips)
        : test_evaluator(p.profile, p.options, cost::optimizer::adam), stop_(&stop), left_(chips + 1) {}

    using test_evaluator::operator();
    evaluation operator()(const hardware::accelerator& candidate, array_view<const setting> settings,
                          memory& m) const {
        const evaluation found = test_evaluator::operator()(candidate, settings, m);
        if (--left_ == 0) stop_->ask();
        return found;
    }

private:
    stop_request* stop_;
    mutable std::atomic<std::size_t> left_;
};

/// What the designs of an outcome reach at best, each evaluated anew.
double best_of_evaluated(const small_problem& p, const outcome& found) {
    const test_evaluator evaluate(p.profile, p.options, cost::optimizer::adam);
    test_evaluator::memory memory(evaluate);
    double best = 0;
    for (const auto& design : hardware::kept_designs(small_space()).value()) {
        const auto is_this = [&](const evaluated_design& d) { return d.position == design.position; };
        if (std::none_of(found.designs.begin(), found.designs.end(), is_this)) continue;
        for (const setting& s : settings_of(p.options)) {
            const placement::plan& plan = evaluate(design.chip, s, memory);
            if (plan.outcome == status::optimal)
                best = std::max(best, static_cast<double>(p.options.global_batch) / plan.time_per_batch_s);
        }
    }
    return best;
}

TEST(Stopping, LeavesTheBestOfWhatWasEvaluated) {
    const small_problem p;
    for (const std::int64_t threads : {1, 3})
        for (const std::size_t chips : {1U, 7U, 20U}) {
            SCOPED_TRACE(std::to_string(threads) + " threads, " + std::to_string(chips) + " chips");
            const auto walk = [&](const auto& strategy_of) {
                stop_request stop;
                const stopping_evaluator evaluate(p, stop, chips);
                const space_options options{.threads = threads, .stop = &stop};
                const outcome found = strategy_of(options)(small_space(), evaluate).value();
                EXPECT_EQ(found.status, status::budget);
                EXPECT_FALSE(found.search.complete);
                EXPECT_GE(found.search.evaluated, chips);
                EXPECT_LE(found.search.evaluated, chips + static_cast<std::size_t>(threads));
                EXPECT_EQ(found.designs.size(), found.search.evaluated);
                EXPECT_TRUE(found.search.proof.starts_with("ended early, after ")) << found.search.proof;
                EXPECT_EQ(found.best.throughput_samples_per_s, best_of_evaluated(p, found));
            };
            walk([](const space_options& o) { return exhaustive{o}; });
            walk([](space_options o) {
                o.samples = 40;
                return random_sample{o};
            });
        }
}

// A walk by area looks at a chip under one setting at a time.
TEST(Stopping, AWalkByAreaProvesNothingOfChipsSeenUnderSomeSettingsOnly) {
    const small_problem p;
    const std::size_t designs = hardware::kept_designs(small_space()).value().size();
    for (const std::size_t evaluations : {std::size_t{5}, designs, designs + 1}) {
        stop_request stop;
        const stopping_evaluator evaluate(p, stop, evaluations);
        const outcome found =
            area_ordered{{.hysteresis = 1'000'000, .threads = 1, .stop = &stop}}(small_space(), evaluate)
                .value();
        EXPECT_EQ(found.status, status::budget);
        EXPECT_FALSE(found.search.complete);
        EXPECT_EQ(found.search.evaluated, std::min(evaluations, designs));
        EXPECT_LE(found.best.throughput_samples_per_s, best_of_evaluated(p, found));
        EXPECT_GT(found.best.throughput_samples_per_s, 0);
    }
}

TEST(Stopping, BeforeTheFirstChipThereIsNoBest) {
    const small_problem p;
    const test_evaluator evaluate(p.profile, p.options, cost::optimizer::adam);
    stop_request stop;
    stop.ask();
    const auto expect_nothing = [](const outcome& found) {
        EXPECT_EQ(found.status, status::budget);
        EXPECT_FALSE(found.best.feasible());
        EXPECT_EQ(found.search.evaluated, 0U);
        EXPECT_EQ(found.search.pruned, hardware::kept_designs(small_space()).value().size());
        EXPECT_FALSE(found.search.complete);
    };
    expect_nothing(exhaustive{{.stop = &stop}}(small_space(), evaluate).value());
    expect_nothing(random_sample{{.stop = &stop}}(small_space(), evaluate).value());
    expect_nothing(area_ordered{{.stop = &stop}}(small_space(), evaluate).value());
    expect_nothing(exhaustive{{.time_limit_s = 0}}(small_space(), evaluate).value());
}

TEST(Stopping, AnObserverMayAskForIt) {
    const small_problem p;
    const test_evaluator evaluate(p.profile, p.options, cost::optimizer::adam);
    struct {
        stop_request stop;
        void on_progress(const progress&) { stop.ask(); }
    } observer;
    const hardware::phaze_family family;
    const outcome found = exhaustive{{.stop = &observer.stop}}(family, evaluate, observer).value();
    EXPECT_EQ(found.status, status::budget);
    EXPECT_TRUE(found.best.feasible());
    EXPECT_GT(found.search.evaluated, 0U);
    EXPECT_LT(found.search.evaluated, hardware::kept_designs(family).value().size());
}

struct recorder {
    std::vector<progress> seen;
    void on_progress(const progress& p) { seen.push_back(p); }
};

TEST(Progress, OfASampleCountsTheSample) {
    const small_problem p;
    const test_evaluator evaluate(p.profile, p.options, cost::optimizer::adam);
    recorder sample, all;
    static_cast<void>(random_sample{{.samples = 10}}(small_space(), evaluate, sample));
    static_cast<void>(exhaustive{}(small_space(), evaluate, all));
    const std::size_t designs = hardware::kept_designs(small_space()).value().size();
    ASSERT_FALSE(sample.seen.empty());
    EXPECT_EQ(sample.seen.back().done, 10U);
    for (const progress& now : sample.seen) EXPECT_EQ(now.total, 10U);
    ASSERT_FALSE(all.seen.empty());
    EXPECT_EQ(all.seen.back().done, designs);
    for (const progress& now : all.seen) EXPECT_EQ(now.total, designs);
}

TEST(Progress, OfAWalkByAreaCountsEveryDesignOnceAndPromisesNoNumber) {
    const small_problem p;
    const test_evaluator evaluate(p.profile, p.options, cost::optimizer::adam);
    recorder walk;
    const outcome found = area_ordered{{.hysteresis = 3}}(small_space(), evaluate, walk).value();
    ASSERT_FALSE(walk.seen.empty());
    EXPECT_EQ(walk.seen.back().done, found.search.evaluated);
    for (const progress& now : walk.seen) EXPECT_EQ(now.total, 0U);
}

TEST(Proof, IsToldInASentence) {
    const small_problem p;
    const test_evaluator evaluate(p.profile, p.options, cost::optimizer::adam);
    const std::string designs = std::to_string(hardware::kept_designs(small_space()).value().size());
    const outcome walk = area_ordered{{.hysteresis = 3}}(small_space(), evaluate).value();
    EXPECT_EQ(walk.status, status::feasible);
    EXPECT_EQ(walk.search.proof, "area-ordered stopped after " + std::to_string(walk.designs.size()) +
                                     " of " + designs +
                                     " designs by its own rule, which proves nothing: a design "
                                     "that it left out may be better");
    const outcome sample = random_sample{{.samples = 9}}(small_space(), evaluate).value();
    EXPECT_EQ(sample.status, status::feasible);
    EXPECT_TRUE(sample.search.proof.starts_with("random stopped after 9 of " + designs + " designs"));
    EXPECT_EQ(exhaustive{}(small_space(), evaluate).value().search.proof,
              "every design was evaluated under every setting: none is better");
}

TEST(ProfileWorkload, EndsInAModelThatIsBeingPrepared) {
    const auto model = workload::recognise(workload::make_model("gpt3-175b", 1).value());
    spending none(budget{.seconds = 0});
    const auto profile = profile_workload(model, {}, &none);
    ASSERT_TRUE(profile);
    EXPECT_TRUE(none.exhausted());
    EXPECT_EQ(profile->model, model.name);
    EXPECT_TRUE(profile->slices.empty());
}

} // namespace
} // namespace dovetail::search
