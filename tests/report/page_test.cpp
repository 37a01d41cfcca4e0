#include <dovetail/report/page.hpp>

#include <dovetail/search/exhaustive.hpp>
#include <search/support.hpp>
#include <support/markup.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace dovetail::report {
namespace {

using namespace search::test;
using test::markup_mistake;
using test::occurrences;

struct searched {
    search::plan_options options = small_options();
    search::workload_profile profile = small_model(options);
    test_evaluator evaluate{profile, options, cost::optimizer::adam};
    search::outcome outcome = search::exhaustive{}(small_space(), evaluate).value();

    [[nodiscard]] std::string page(const std::string& layer) const {
        const search::slice_profile& slice = search::slice_of(profile, outcome.best);
        const search::tensor_group group{outcome.best.plan.tensor_parallel, evaluate.link_bytes_per_s()};
        return to_html(
            outcome, profile, layer,
            search::schedule_pass(slice.structures[0].forward, evaluate.model(), outcome.best.chip, group),
            search::schedule_pass(slice.structures[0].backward, evaluate.model(), outcome.best.chip, group));
    }
};

TEST(Page, IsWellFormedAndNeedsNothingBesideIt) {
    const searched s;
    const std::string page = s.page("layer 0");
    EXPECT_EQ(markup_mistake(page), "");
    for (const char* reference : {"http", "src=", "href=", "url(", "@import", "<script", "<link"})
        EXPECT_EQ(page.find(reference), std::string::npos) << reference;
}

TEST(Page, HasThePicturesAndTheComparison) {
    const searched s;
    const std::string page = s.page("layer 0");
    EXPECT_EQ(occurrences(page, "<svg"), 5u);
    EXPECT_EQ(occurrences(page, "class=\"frontier\""), 1u);
    EXPECT_EQ(occurrences(page, "class=\"best\""), 1u);
    EXPECT_EQ(occurrences(page, "class=\"reference\""), 1u);
    EXPECT_EQ(occurrences(page, "class=\"resident\""), s.outcome.best.plan.stages.size());
    EXPECT_EQ(occurrences(page, "class=\"forward\""), occurrences(page, "class=\"backward\""));
    EXPECT_GE(occurrences(page, "class=\"forward\""), s.outcome.best.plan.stages.size());
    EXPECT_GE(occurrences(page, "class=\"tensor "), 2u);
    EXPECT_NE(page.find("<th>TPUv4-like</th>"), std::string::npos);
    EXPECT_NE(page.find(readable(s.outcome.best.throughput_samples_per_s, 4) + " samples/s"),
              std::string::npos);
}

TEST(Page, HostileNamesAreEscaped) {
    searched s;
    s.profile.model = "<img onerror=\"x\">&";
    const std::string page = s.page("</h2><b>");
    EXPECT_EQ(markup_mistake(page), "");
    EXPECT_EQ(page.find("<img"), std::string::npos);
    EXPECT_EQ(page.find("<b>"), std::string::npos);
}

TEST(Page, AReferenceOfAnotherFamilyIsNotCalledTpu) {
    searched s;
    s.outcome.baseline.chip.num_tc = 3;
    const std::string page = s.page("layer 0");
    EXPECT_EQ(page.find("TPU"), std::string::npos);
    EXPECT_NE(page.find("<th>reference</th>"), std::string::npos);
}

} // namespace
} // namespace dovetail::report
