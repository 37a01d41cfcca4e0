// Layers have one numbering: in `inspect`, `--layer`, plans and pages.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace dovetail::test {
namespace {

std::int64_t whole(const json& object, const char* key) { return object.at(key).get<std::int64_t>(); }

/// The operators of a priced layer that the model itself has: training adds a loss to the last layer.
std::int64_t operators_of(const json& priced) {
    std::int64_t own = 0;
    for (const json& row : priced.at("operators"))
        if (row.at("name") != "SoftmaxCrossEntropyLoss") ++own;
    return own;
}

TEST_F(Cli, InspectListsLayersByTheNumbersOfTheChain) {
    for (const std::string& model : {quoted(source_file("examples/models/gpt2_124m.onnx")),
                                     std::string("bert-large"), std::string("opt-350m")}) {
        SCOPED_TRACE(model);
        const json runs = answered("inspect " + model).at("layers");
        std::int64_t next = 0;
        for (const json& run : runs) {
            EXPECT_EQ(whole(run, "first"), next);
            EXPECT_EQ(whole(run, "last"), next + whole(run, "repeats") - 1);
            next = whole(run, "last") + 1;
        }
        // What `inspect` lists is what `price --layer` takes, run by run, with as many fused operators.
        for (const json& run : runs)
            for (const char* end : {"first", "last"}) {
                const json priced =
                    answered("price --model " + model + " --layer " + std::to_string(whole(run, end)));
                EXPECT_EQ(whole(priced, "layer"), whole(run, end));
                EXPECT_EQ(operators_of(priced), whole(run, "tasks"));
            }
        const json& last = runs.back();
        EXPECT_NE(answered("price --model " + model + " --layer 0").at("operators"),
                  answered("price --model " + model + " --layer " + std::to_string(whole(last, "last")))
                      .at("operators"));
        refused("price --model " + model + " --layer " + std::to_string(next),
                {"option --layer: its value is '" + std::to_string(next) + "'",
                 "at least 0 and at most " + std::to_string(next - 1)});
    }
}

// The head of GPT-2 is its last layer: 768 wide, 50257 rows of the token table.
TEST_F(Cli, TheLastLayerThatInspectListsIsTheHead) {
    const std::string model = quoted(source_file("examples/models/gpt2_124m.onnx"));
    const json runs = answered("inspect " + model).at("layers");
    const json head =
        answered("price --model " + model + " --layer " + std::to_string(whole(runs.back(), "last")));
    bool found = false;
    for (const json& row : head.at("operators"))
        if (row.contains("product"))
            found = found ||
                    (row.at("product").at("reduction") == 768 && row.at("product").at("columns") == 50257);
    EXPECT_TRUE(found) << head.at("operators");
}

TEST_F(Cli, PlansHoldTheLayersThatInspectLists) {
    const std::string model = quoted(source_file("examples/models/gpt2_124m.onnx"));
    const std::int64_t layers = whole(answered("inspect " + model).at("layers").back(), "last") + 1;
    const json plan =
        answered("search --model " + model +
                 " --strategy random --samples 3 --micro-batches 1 --tensor-widths 1 --hbm-gib 32")
            .at("best")
            .at("plan");
    std::int64_t next = 0;
    for (const json& stage : plan.at("stages"))
        for (const json& layer : stage.at("layers")) EXPECT_EQ(layer, next++);
    EXPECT_EQ(next, layers);
}

TEST_F(Cli, InspectTellsPeopleRangesAndThousands) {
    const answer told = run("inspect " + quoted(source_file("examples/models/gpt2_124m.onnx")));
    EXPECT_EQ(told.exit, 0);
    for (const char* part : {"124,439,808 parameters", "145,824,153,600 multiply-accumulates", "  layer 0: ",
                             "  layers 1 to 12: 12 x 27 operators, fused to 8\n", "  layer 13: "})
        EXPECT_NE(told.out.find(part), std::string::npos) << told.out << "lacks " << part;
}

} // namespace
} // namespace dovetail::test
