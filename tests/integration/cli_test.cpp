// Every command but `place`: what it prints, and how it ends.
#include <ext/onnx/model.hpp>
#include <support/command_line.hpp>
#include <support/markup.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace dovetail::test {
namespace {

std::string shipped_model() { return quoted(source_file("examples/models/gpt2_124m.onnx")); }

std::int64_t most_repeats(const json& inspected) {
    std::int64_t most = 0;
    for (const json& layer : inspected.at("layers"))
        most = std::max(most, layer.at("repeats").get<std::int64_t>());
    return most;
}

TEST_F(Cli, InspectCountsTheShippedModel) {
    const json model = answered("inspect " + shipped_model());
    EXPECT_EQ(model.at("parameters"), 124439808);
    EXPECT_EQ(model.at("macs"), 145824153600);
    EXPECT_EQ(model.at("nodes"), 625);
    EXPECT_EQ(model.at("edges"), 770);
    EXPECT_EQ(most_repeats(model), 12);
    std::int64_t operators = 0;
    for (const json& count : model.at("operators")) operators += count.get<std::int64_t>();
    EXPECT_EQ(operators, 625);
    for (const json& layer : model.at("layers"))
        for (const char* key : {"id", "repeats", "operators"}) EXPECT_TRUE(layer.contains(key)) << key;
}

TEST_F(Cli, InspectAgreesWithIndependentCountsOfRealModels) {
    DOVETAIL_SHARED_OR_SKIP(models, "models");
    const std::map<std::string, int> repeats{{"bert", 12}, {"gpt2", 12}, {"llama2", 32}};
    std::ifstream table(models / "models.csv");
    const auto rows = rows_of(table);
    ASSERT_EQ(rows.size(), 7u);
    for (auto row : rows) {
        SCOPED_TRACE(row["file"]);
        const json model = answered("inspect " + quoted(models / row["file"]));
        EXPECT_EQ(model.at("parameters"), std::stoll(row["parameters"]));
        EXPECT_EQ(model.at("macs"), std::stoll(row["macs"]));
        EXPECT_EQ(model.at("nodes"), std::stoll(row["nodes"]));
        EXPECT_EQ(model.at("edges"), std::stoll(row["edges"]));
        EXPECT_EQ(model.at("batch"), std::stoll(row["batch"]));
        std::istringstream most_used(row["top10_ops"]);
        for (std::string item; most_used >> item;) {
            const std::size_t colon = item.find(':');
            EXPECT_EQ(model.at("operators").at(item.substr(0, colon)), std::stoll(item.substr(colon + 1)));
        }
        const auto known = repeats.find(row["file"].substr(0, row["file"].find('_')));
        if (known != repeats.end()) {
            EXPECT_EQ(most_repeats(model), known->second);
        }
    }
}

TEST_F(Cli, InspectTakesAModelOfTheZooAndOpenDimensions) {
    EXPECT_EQ(answered("inspect bert-large").at("batch"), 1);
    onnx_model open;
    open.input("x", {"batch", 4}).weight("w", {4, 6}).output("y", {"batch", 6});
    open.node("MatMul", {"x", "w"}, {"y"});
    write("open.onnx", open.bytes());
    EXPECT_EQ(answered("inspect open.onnx --dimension batch=8").at("macs"), 8 * 4 * 6);
    refused("inspect open.onnx --dimension batch=-8", {"--dimension", "'batch=-8'", "positive integer"});
    refused("inspect open.onnx --dimension bach=8", {"open.onnx", "'bach'", "did you mean 'batch'?"});
    refused("inspect open.onnx --dimension x:1=8", {"'x:1' is fixed at 4", "'batch'"});
    refused("inspect open.onnx --dimension batch=8 --dimension batch=8", {"'batch' is given twice"});
    refused("inspect open.onnx --dimension =8", {"--dimension", "'=8'", "name=value"});
    refused("inspect bert-large --dimension batch=8", {"--dimension", "bert-large"});
}

TEST_F(Cli, SpaceListsTheKeptDesignsInThePublishedOrder) {
    const answer a = run("space --family phaze --csv -");
    ASSERT_EQ(a.exit, 0) << a.err;
    EXPECT_TRUE(a.out.starts_with("num_tc,num_vc,width,depth,width_vc,glb_bytes,area_um2\n"));
    EXPECT_EQ(std::count(a.out.begin(), a.out.end(), '\n'), 29361);
    std::istringstream table(a.out);
    using axes = std::tuple<long, long, long, long, long>;
    axes before{1L << 40, 0, 0, 0, 0};
    for (auto row : rows_of(table)) {
        const axes here{std::stol(row["num_tc"]), std::stol(row["num_vc"]), std::stol(row["width"]),
                        std::stol(row["depth"]), std::stol(row["glb_bytes"])};
        ASSERT_LT(here, before) << "each axis from largest to smallest";
        ASSERT_EQ(row["width_vc"], row["width"]);
        ASSERT_GT(std::stod(row["area_um2"]), 0);
        before = here;
    }
    const json counts = answered("space --family phaze");
    EXPECT_EQ(counts.at("designs"), 75712);
    EXPECT_EQ(counts.at("kept"), 29360);
}

std::string small_search() {
    return "search --model " + shipped_model() +
           " --family phaze --strategy random --samples 40 --micro-batches 1,4"
           " --hbm-gib 32 --tensor-widths 1 ";
}

TEST_F(Cli, SearchAnswersWithTheKeysThatScriptsRelyOn) {
    const json found = answered(small_search() + "--seed 7");
    EXPECT_EQ(found.at("status"), "feasible");
    const json& best = found.at("best");
    for (const char* key : {"num_tc", "num_vc", "width", "depth", "width_vc", "glb_bytes", "area_um2"})
        EXPECT_GT(best.at("accelerator").at(key).get<double>(), 0) << key;
    const json& plan = best.at("plan");
    for (const char* key : {"data_parallel", "tensor_parallel", "micro_batch", "hbm_bytes"})
        EXPECT_GT(plan.at(key).get<double>(), 0) << key;
    EXPECT_TRUE(plan.at("recompute").is_boolean());
    std::int64_t devices = 0;
    for (const json& stage : plan.at("stages")) {
        EXPECT_FALSE(stage.at("layers").empty());
        EXPECT_LE(stage.at("memory_bytes").get<double>(), plan.at("hbm_bytes").get<double>());
        devices += stage.at("devices").get<std::int64_t>();
    }
    EXPECT_LE(devices * plan.at("data_parallel").get<std::int64_t>(), 1024);
    EXPECT_NEAR(best.at("throughput_samples_per_s").get<double>(),
                4096 / plan.at("time_per_batch_s").get<double>(), 1e-6);
    EXPECT_GT(found.at("baseline").at("throughput_samples_per_s").get<double>(), 0);
    const json& record = found.at("search");
    EXPECT_EQ(record.at("evaluated"), 40);
    EXPECT_EQ(record.at("pruned"), 29320);
    EXPECT_EQ(record.at("strategy"), "random");
    EXPECT_EQ(record.at("complete"), false);
    EXPECT_GT(record.at("seconds").get<double>(), 0);
}

TEST_F(Cli, SearchAnswersTheSameWithAnyNumberOfThreads) {
    json one = answered(small_search() + "--seed 7 --threads 1");
    json two = answered(small_search() + "--seed 7 --threads 2");
    one.at("search").erase("seconds");
    two.at("search").erase("seconds");
    EXPECT_EQ(one, two);
    json other = answered(small_search() + "--seed 8");
    other.at("search").erase("seconds");
    EXPECT_NE(one, other);
}

TEST_F(Cli, SearchWritesAPageThatNeedsNothingBesideIt) {
    const answer a = run(small_search() + "--html page.html --json answer.json");
    EXPECT_EQ(a.exit, 0) << a.err;
    EXPECT_NE(a.out.find("ratio to TPUv4-like"), std::string::npos) << a.out;
    EXPECT_NE(a.out.find("40 chips evaluated"), std::string::npos) << a.out;
    EXPECT_EQ(json::parse(read("answer.json")).at("model"), "gpt2_124m");
    const std::string page = read("page.html");
    EXPECT_EQ(markup_mistake(page), "");
    for (const char* reference : {"http", "src=", "<script", "url("})
        EXPECT_EQ(page.find(reference), std::string::npos) << reference;
    for (const char* picture : {"Throughput against area", "The pipeline", "Memory", "Operators of layer"})
        EXPECT_NE(page.find("<h2>" + std::string(picture)), std::string::npos) << picture;
    EXPECT_EQ(occurrences(page, "<svg"), 5u);
}

TEST_F(Cli, WhatNothingSatisfiesIsNamed) {
    const json area =
        answered("search --model bert-large --micro-batches 1 --tensor-widths 1 --max-area 1", 3);
    EXPECT_EQ(area.at("status"), "infeasible");
    EXPECT_TRUE(area.at("best").is_null());
    EXPECT_TRUE(area.at("binding").get<std::string>().starts_with("area: the limit is 1 mm^2"));
    const json memory =
        answered("search --model bert-large --micro-batches 1 --tensor-widths 1 --hbm-gib 0.001", 3);
    EXPECT_EQ(memory.at("status"), "infeasible");
    EXPECT_TRUE(memory.at("binding").get<std::string>().starts_with("memory: a device has at most 0.001 GiB"))
        << memory.at("binding");
    const answer people = run("search --model bert-large --micro-batches 1 --max-area 1 --html page.html");
    EXPECT_EQ(people.exit, 3);
    EXPECT_TRUE(people.out.starts_with("infeasible: area: the limit is 1 mm^2")) << people.out;
    EXPECT_NE(people.out.find("page.html is not written"), std::string::npos) << people.out;
}

TEST_F(Cli, LimitsOnPowerAndTemperatureChooseAmongCoolerChips) {
    const std::string command =
        "search --model bert-large --micro-batches 1 --tensor-widths 1 --strategy random"
        " --samples 40 --family n7";
    const json plain = answered(command, 0);
    EXPECT_FALSE(plain.at("best").contains("tdp_w"));
    const json powered = answered(command + " --power", 0);
    for (const char* chip : {"best", "baseline"}) {
        const json& figures = powered.at(chip);
        EXPECT_EQ(figures.at("plan"), plain.at(chip).at("plan"));
        EXPECT_GT(figures.at("tdp_w").get<double>(), 0);
        double sum_j = 0;
        for (const auto& [name, part_j] : figures.at("energy_j").items()) sum_j += part_j.get<double>();
        EXPECT_NEAR(figures.at("energy_j_per_step").get<double>(), sum_j, 1e-9 * sum_j);
    }
    const json limited = answered(command + " --power --max-tdp 120 --max-junction 75", 0);
    EXPECT_LE(limited.at("best").at("tdp_w").get<double>(), 120);
    const json nothing = answered(command + " --max-tdp 1", 3);
    EXPECT_TRUE(nothing.at("binding").get<std::string>().starts_with("power: the limit is 1 W"))
        << nothing.at("binding");
    refused(command + " --max-tdp 0", {"option --max-tdp", "its value is '0'"});
    refused(command + " --max-junction 75 --cooling snow", {"option --cooling", "'snow'", "air, liquid"});
}

TEST_F(Cli, ATimeLimitEndsWithTheBestSoFar) {
    const json found = answered("search --model bert-large --micro-batches 1 --tensor-widths 1 --threads 1"
                                " --time-limit 0.0001",
                                4);
    EXPECT_EQ(found.at("status"), "budget");
    EXPECT_EQ(found.at("search").at("complete"), false);
}

TEST_F(Cli, BadModelsAreRefused) {
    const std::string whole = content(source_file("examples/models/gpt2_124m.onnx"));
    write("truncated.onnx", whole.substr(0, whole.size() / 2));
    write("empty.onnx", "");
    write("text.onnx", "hello\n");
    for (const std::string command : {"inspect ", "search --model "}) {
        refused(command + "truncated.onnx",
                {"truncated.onnx", "not a complete ONNX model", "export it again"});
        refused(command + "empty.onnx", {"empty.onnx", "it is empty", "ONNX"});
        refused(command + "text.onnx", {"text.onnx", "not a complete ONNX model"});
        refused(command + "missing.onnx", {"missing.onnx", "no such file", "bert-large"});
        refused(command + "no-such-model", {"no-such-model", "gpt3-175b"});
        refused(command + ".", {".: it is a folder"});
    }

    onnx_model unknown;
    unknown.input("x", {1, 4}).output("y", {1, 4});
    unknown.node("FlashFiller", {"x"}, {"y"});
    write("unknown.onnx", unknown.bytes());
    refused("inspect unknown.onnx", {"unknown.onnx", "n1", "FlashFiller"});

    onnx_model dynamic;
    dynamic.input("x", {1, "sequence", 4}).weight("w", {4, 6}).output("y", {1, "sequence", 6});
    dynamic.node("MatMul", {"x", "w"}, {"y"});
    write("dynamic.onnx", dynamic.bytes());
    refused("inspect dynamic.onnx", {"dynamic.onnx", "'x'", "sequence"});

    onnx_model cyclic;
    cyclic.input("x", {1, 4}).output("b", {1, 4});
    cyclic.node("Add", {"x", "b"}, {"a"});
    cyclic.node("Relu", {"a"}, {"b"});
    write("cyclic.onnx", cyclic.bytes());
    refused("inspect cyclic.onnx", {"cyclic.onnx", "cycle", "n1", "n2"});

    onnx_model hostile;
    hostile.input("x", {1, 4}).output("y", {1, 4});
    hostile.node("Two\nlines", {"x"}, {"y"});
    write("hostile.onnx", hostile.bytes());
    refused("inspect hostile.onnx", {"hostile.onnx"});
}

TEST_F(Cli, BadOptionsAreRefused) {
    const std::string command = "search --model bert-large ";
    refused(command + "--devices 0",
            {"option --devices", "its value is '0'", "at least 1 and at most 1,000,000,000"});
    refused(command + "--devices -3", {"option --devices", "its value is '-3'", "at least 1"});
    refused(command + "--devices 1.5", {"option --devices", "'1.5'", "whole number"});
    refused(command + "--devices many", {"option --devices", "'many'", "whole number"});
    refused(command + "--devices 99999999999999999999",
            {"option --devices", "'99999999999999999999'", "at most 1,000,000,000"});
    refused(command + "--seed -1", {"option --seed", "'-1'", "whole number", "18,446,744,073,709,551,615"});
    refused(command + "--link-gib nan", {"option --link-gib", "its value is 'nan'", "at least 0.000001"});
    refused(command + "--link-gib inf", {"option --link-gib", "its value is 'inf'", "at most 1,000,000,000"});
    refused(command + "--max-area nan", {"option --max-area", "its value is 'nan'"});
    refused(command + "--micro-batches 1,x", {"option --micro-batches", "'x'", "whole number"});
    refused(command + "--micro-batches 0", {"option --micro-batches", "its value is '0'"});
    refused(command + "--micro-batches ''", {"option --micro-batches"});
    refused(command + "--hbm-gib -32", {"option --hbm-gib", "its value is '-32'"});
    refused(command + "--tensor-widths 3", {"3", "16"});
    refused(command + "--strategy guess", {"--strategy", "guess", "exhaustive"});
    refused(command + "--optimizer guess", {"guess", "adam"});
    refused(command + "--devcies 5", {"--devcies", "dovetail search --help"});
    refused("search --devices 5", {"--model", "required", "dovetail search --help"});
    refused("serach", {"no command 'serach'", "dovetail --help"});
    refused("", {"dovetail --help"});
    refused("space --family none", {"none", "phaze"});
    refused("space --csv no/such/folder.csv", {"no/such/folder.csv", "there is no such folder"});
    refused("space --threads -2", {"option --threads", "its value is '-2'"});
    EXPECT_EQ(run("--version").exit, 0);
    EXPECT_EQ(run("search --help").exit, 0);
}

} // namespace
} // namespace dovetail::test
