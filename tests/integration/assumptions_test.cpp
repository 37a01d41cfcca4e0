// What an answer rests on: told beside its figures, and only where it holds.
#include <support/command_line.hpp>
#include <support/markup.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>

namespace dovetail::test {
namespace {

using names = std::set<std::string>;

class Assumptions : public Cli {
protected:
    /// The names in the answer's `assumptions`, each with a meaning and a page that is there; people read the
    /// same.
    [[nodiscard]] names of(const std::string& arguments, int exit = 0) const {
        SCOPED_TRACE(arguments);
        const json found = answered(arguments, exit);
        const answer told = run(arguments);
        const std::string line = told.out.substr(std::min(told.out.find("assumes: "), told.out.size()));
        names all;
        for (const json& one : found.at("assumptions")) {
            const std::string name = one.at("name");
            EXPECT_TRUE(all.insert(name).second) << name << " is there twice";
            EXPECT_NE(one.at("meaning"), "");
            const std::string page = one.at("page");
            EXPECT_TRUE(std::filesystem::is_regular_file(source_file(page))) << page;
            EXPECT_NE(line.find(name), std::string::npos) << line << "lacks " << name;
            EXPECT_NE(line.find(page), std::string::npos) << line << "lacks " << page;
        }
        EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), line.empty() ? 0 : 1) << told.out;
        EXPECT_EQ(line.empty(), all.empty()) << told.out;
        return all;
    }

    /// What is in `after` alone, with "+", and in `before` alone, with "-".
    [[nodiscard]] static names change(const names& before, const names& after) {
        names changed;
        for (const std::string& name : after)
            if (!before.contains(name)) changed.insert('+' + name);
        for (const std::string& name : before)
            if (!after.contains(name)) changed.insert('-' + name);
        return changed;
    }
};

TEST_F(Assumptions, OfAPredictedPlanFollowItsMachineAndItsDegrees) {
    const std::string bert = "predict --model bert-large ";
    const names one = of(bert);
    EXPECT_EQ(one, (names{"library products", "plain attention", "steady clocks"}));
    EXPECT_EQ(change(one, of(bert + "--system v100")), (names{"+uncalibrated", "-steady clocks"}));
    EXPECT_EQ(of(bert + "--system h100-sxm"), one);
    const names two = of(bert + "--dp 2");
    EXPECT_EQ(change(one, two), (names{"+plain collectives", "+no overlap of reductions"}));
    EXPECT_EQ(change(two, of(bert + "--dp 2 --system h100-sxm")), names{"+uncalibrated links"});
    EXPECT_EQ(of(bert + "--dp 8"), two);
    EXPECT_EQ(change(two, of(bert + "--dp 16")), names{"+uncalibrated nodes"});
    EXPECT_EQ(change(two, of(bert + "--tp 2 --dp 2")), names{"+no overlap of transfers"});
    EXPECT_EQ(change(of(bert + "--tp 2 --dp 2"), of(bert + "--pp 2 --tp 2 --dp 2")), names{"+1F1B"});
    EXPECT_EQ(change(one, of("predict --model opt-350m")), names{"+one kernel a group"});
    // A plan that does not fit rests on as much.
    EXPECT_FALSE(of("predict --model gpt3-175b", 3).empty());
}

TEST_F(Assumptions, OfASearchFollowItsSettings) {
    const std::string search = "search --model bert-large --strategy random --samples 2 --micro-batches 1 "
                               "--tensor-widths 1 ";
    const names plain = of(search);
    EXPECT_EQ(plain, (names{"ideal memories", "plain attention", "list schedules", "flat network",
                            "no overlap of transfers", "no overlap of reductions", "even pipeline",
                            "lean memory", "areas of PHAZE"}));
    EXPECT_EQ(change(plain, of(search + "--power")), names{"+power of PHAZE's technology"});
    EXPECT_EQ(change(plain, of(search + "--objective phaze")), names{"+first stage reduces"});
    EXPECT_EQ(change(plain, of(search + "--max-tdp 1e5 --family n7")),
              (names{"+power of published parts", "+areas of cores", "-areas of PHAZE"}));
    EXPECT_EQ(
        change(of(search + "--family n7 --power"), of(search + "--family n7 --power --max-junction 1e4")),
        names{"+even heat"});
    EXPECT_EQ(change(plain, of(search + "--cost-model phaze")),
              (names{"-ideal memories", "+PHAZE's constants", "+ideal mapping", "+free vector traffic"}));
    EXPECT_EQ(
        change(plain, of(search + "--devices 1 --hbm-gib 80")),
        (names{"-flat network", "-no overlap of transfers", "-no overlap of reductions", "-even pipeline"}));

    EXPECT_EQ(run(search + "--html page.html").exit, 0);
    const std::string page = read("page.html");
    EXPECT_EQ(markup_mistake(page), "");
    for (const std::string& name : plain)
        EXPECT_NE(page.find("<td>" + name + "</td>"), std::string::npos) << name;
    EXPECT_EQ(page.find("PHAZE's constants"), std::string::npos);
}

TEST_F(Assumptions, OfALayerFollowWhatIsInIt) {
    const names block = of("price --model bert-large --layer 1");
    EXPECT_EQ(block, (names{"ideal memories", "plain attention", "power of PHAZE's technology"}));
    EXPECT_EQ(change(block, of("price --model bert-large --layer 0")), names{"-plain attention"});
    EXPECT_EQ(change(block, of("price --model bert-large --layer 1 --family n7")),
              (names{"-power of PHAZE's technology", "+power of published parts"}));
    EXPECT_EQ(change(block, of("price --model bert-large --layer 1 --tensor-width 2")),
              names{"+flat network"});

    const names scheduled = of("schedule bert-large --layer 1 --solver list");
    EXPECT_EQ(scheduled, (names{"ideal memories", "plain attention", "no contention", "lean memory"}));
    EXPECT_EQ(change(scheduled, of("schedule bert-large --layer 0 --solver list")),
              names{"-plain attention"});
    EXPECT_EQ(run("schedule bert-large --layer 1 --solver list --html page.html").exit, 0);
    const std::string page = read("page.html");
    EXPECT_EQ(markup_mistake(page), "");
    for (const std::string& name : scheduled)
        EXPECT_NE(page.find("<td>" + name + "</td>"), std::string::npos) << name;
}

TEST_F(Assumptions, OfOneOperatorAreThoseOfItsModel) {
    EXPECT_EQ(of("price systolic --rows 8 --cols 8 --m 8 --n 8 --k 8 --dataflow ws"), names{"compute alone"});
    EXPECT_EQ(of("price mapping --m 8 --n 8 --k 8 --point num_tc=1,num_vc=1,width=8,depth=8,glb_mib=1"),
              (names{"PHAZE's constants", "ideal mapping"}));
    EXPECT_EQ(of("price vector --operator softmax --rows 8 --length 8"),
              (names{"ideal memories", "power of PHAZE's technology"}));
}

TEST_F(Assumptions, OfAPlacementFollowItsScheduleAndItsNetwork) {
    json instance{{"maxMemoryPerDevice", 1000},
                  {"maxDevices", 4},
                  {"bandwidth", 10},
                  {"mbsInBatch", 8},
                  {"activationRecomputation", false},
                  {"optimizerAlgorithm", "SGD"}};
    for (int id = 0; id < 3; ++id)
        instance["nodes"]["1"].push_back({{"id", id},
                                          {"parameterSize", 10},
                                          {"activationSize", 5},
                                          {"optimalLatencyFw", 1},
                                          {"optimalLatencyBw", 2},
                                          {"isTensorParallelized", false}});
    for (int id = 0; id < 2; ++id)
        instance["edges"]["1"].push_back({{"sourceId", id}, {"destId", id + 1}, {"communicationCost", 1}});
    write("four.json", instance.dump());
    const names plain = of("place four.json");
    EXPECT_EQ(plain, (names{"flat network", "no overlap of transfers", "no overlap of reductions",
                            "even pipeline", "first stage reduces", "lean memory"}));
    EXPECT_EQ(change(plain, of("place four.json --every-stage")), names{"-first stage reduces"});
    EXPECT_EQ(change(plain, of("place four.json --node-devices 2 --node-gb-per-s 1")),
              names{"-flat network"});
    EXPECT_EQ(change(plain, of("place four.json --overlap-reduction")),
              (names{"-no overlap of reductions", "+free overlap"}));
    EXPECT_EQ(change(plain, of("place four.json --schedule zb-h1")),
              (names{"-even pipeline", "+estimated bubble", "+halved backward pass"}));
    instance["maxDevices"] = 1;
    write("one.json", instance.dump());
    EXPECT_EQ(of("place one.json"), names{"lean memory"});
}

TEST_F(Assumptions, OfAProjectAreNone) {
    DOVETAIL_SHARED_OR_SKIP(projects, "reference/schedule/psplib");
    std::filesystem::path project;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(projects))
        if (entry.path().extension() == ".sm" && (project.empty() || entry.path() < project))
            project = entry.path();
    ASSERT_FALSE(project.empty());
    EXPECT_EQ(of("schedule " + quoted(project) + " --format psplib --solver list"), names{});
}

TEST_F(Assumptions, OfAValidationAreThoseOfItsRows) {
    write("products_a100-sxm-80.csv", "m,n,k,time_ms\n1024,1024,1024,0.05\n");
    EXPECT_EQ(of("validate ."), (names{"library products", "steady clocks"}));
    write("products_v100.csv", "m,n,k,time_ms\n1024,1024,1024,0.05\n");
    EXPECT_EQ(of("validate ."), (names{"library products", "steady clocks", "uncalibrated"}));
    EXPECT_EQ(run("validate . --html page.html").exit, 0);
    const std::string page = read("page.html");
    EXPECT_EQ(markup_mistake(page), "");
    EXPECT_NE(page.find("<td>uncalibrated</td>"), std::string::npos);
}

} // namespace
} // namespace dovetail::test
