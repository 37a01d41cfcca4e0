#include <dovetail/report/assumptions.hpp>

#include <dovetail/cost/training_plan.hpp>
#include <dovetail/hardware/system_catalogue.hpp>
#include <dovetail/report/basis.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::report {
namespace {

std::set<std::string_view> names_of(const answer_basis& basis) {
    std::set<std::string_view> names;
    for (const assumption& held : assumptions_of(basis)) names.insert(held.name);
    return names;
}

TEST(AssumptionTable, EveryRowHasWordsAndAPageOfTheDocumentation) {
    for (const assumption& known : known_assumptions) {
        EXPECT_FALSE(known.name.empty());
        EXPECT_FALSE(known.meaning.empty()) << known.name;
        EXPECT_TRUE(std::filesystem::is_regular_file(dovetail::test::source_file(std::string(known.page))))
            << known.page;
        EXPECT_FALSE(known.holds({})) << known.name << " holds for an answer that rests on nothing";
    }
}

// Each switch adds its own line and takes none away.
TEST(AssumptionTable, EverySwitchAddsItsLine) {
    const std::vector<std::pair<bool answer_basis::*, std::string_view>> switches{
        {&answer_basis::attention, "plain attention"},
        {&answer_basis::library_products, "library products"},
        {&answer_basis::graph_kernels, "one kernel a group"},
        {&answer_basis::uncalibrated_chip, "uncalibrated"},
        {&answer_basis::uncalibrated_links, "uncalibrated links"},
        {&answer_basis::uncalibrated_nodes, "uncalibrated nodes"},
        {&answer_basis::system_network, "plain collectives"},
        {&answer_basis::flat_network, "flat network"},
        {&answer_basis::exposed_transfers, "no overlap of transfers"},
        {&answer_basis::exposed_reductions, "no overlap of reductions"},
        {&answer_basis::estimated_bubble, "estimated bubble"},
        {&answer_basis::free_overlap, "free overlap"},
        {&answer_basis::even_pipeline, "even pipeline"},
        {&answer_basis::one_forward_one_backward, "1F1B"},
        {&answer_basis::first_stage_reduces, "first stage reduces"},
        {&answer_basis::halved_backward, "halved backward pass"},
        {&answer_basis::unfilled_pipeline, "no fill of the pipeline"},
        {&answer_basis::host_route, "one route"},
        {&answer_basis::endless_host, "endless host"},
        {&answer_basis::list_schedules, "list schedules"},
        {&answer_basis::isolated_durations, "no contention"},
        {&answer_basis::planned_memory, "lean memory"},
        {&answer_basis::live_memory, "lean memory"},
        {&answer_basis::temperatures, "even heat"},
    };
    for (const pricing prices : {pricing::none, pricing::sound, pricing::phaze, pricing::system})
        for (const auto& [member, name] : switches) {
            answer_basis basis{.prices = prices};
            auto names = names_of(basis);
            basis.*member = true;
            if (name == "uncalibrated") names.erase("steady clocks");
            names.insert(name);
            EXPECT_EQ(names_of(basis), names) << name;
        }
}

TEST(AssumptionTable, AnAnswerNamesNothingTwice) {
    answer_basis everything{.attention = true, .exposed_transfers = true, .exposed_reductions = true};
    for (const pricing prices : {pricing::none, pricing::sound, pricing::phaze, pricing::mapping,
                                 pricing::array, pricing::rows, pricing::system}) {
        everything.prices = prices;
        EXPECT_EQ(names_of(everything).size(), assumptions_of(everything).size());
    }
}

TEST(AssumptionLine, NeighboursShareAPage) {
    EXPECT_EQ(assumption_line({}), "");
    const auto held =
        assumptions_of({.flat_network = true, .exposed_transfers = true, .planned_memory = true});
    EXPECT_EQ(assumption_line(held), "assumes: flat network, no overlap of transfers "
                                     "(docs/models/placement.md); lean memory (docs/models/search.md)");
    json_writer json;
    json.begin_object();
    write_assumptions(json, assumptions_of({.host_route = true}));
    json.end_object();
    const std::string text = std::move(json).take();
    for (const char* part : {"\"assumptions\": [", "\"name\": \"one route\"", "\"meaning\"",
                             "\"page\": \"docs/models/max_load.md\""})
        EXPECT_NE(text.find(part), std::string::npos) << text;
}

// By the page of systems: which were fitted to measurements.
TEST(AssumptionBasis, KnowsWhatWasCalibrated) {
    const std::set<std::string_view> measured{"a100-sxm-40",  "a100-sxm-80", "a100-sxm-80-800g",
                                              "a100-pcie-80", "h100-sxm",    "h200-sxm"};
    const std::set<std::string_view> measured_links{"a100-sxm-40", "a100-sxm-80", "a100-sxm-80-800g"};
    for (const hardware::system& known : hardware::known_systems) {
        EXPECT_EQ(is_uncalibrated(known), !measured.contains(known.name)) << known.name;
        EXPECT_EQ(is_uncalibrated(known.links, 0), !measured_links.contains(known.name)) << known.name;
        EXPECT_TRUE(is_uncalibrated(datasheet(known))) << known.name;
        EXPECT_TRUE(is_uncalibrated(datasheet(known).links, 0)) << known.name;
    }
}

} // namespace
} // namespace dovetail::report
