// doors: onnx
#include <dovetail/ext/onnx/import.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/counts.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model.hpp"
#include "support/shared.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::ext::onnx {
namespace {

using test::onnx_model;
using test::set;
using testing::EndsWith;
using testing::HasSubstr;
using workload::count_edges;
using workload::count_macs;
using workload::count_parameters;
using workload::dimensions;
using workload::operator_graph;
using workload::tensor_role;

std::string instance(const std::string& name) {
    return test::source_file("tests/instances/onnx/" + name).string();
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct figures {
    std::string file;
    std::size_t nodes;
    std::size_t edges;
    std::int64_t parameters;
    double macs;
    std::int64_t heads;
};

void expect_figures(const operator_graph& g, const figures& expected) {
    EXPECT_EQ(g.operations.size(), expected.nodes) << expected.file;
    EXPECT_EQ(count_edges(g), expected.edges) << expected.file;
    EXPECT_EQ(count_parameters(g), expected.parameters) << expected.file;
    EXPECT_EQ(count_macs(g), expected.macs) << expected.file;
    EXPECT_EQ(g.attention_heads, expected.heads) << expected.file;
}

TEST(import_onnx, gives_the_figures_of_the_reference_models) {
    DOVETAIL_SHARED_OR_SKIP(folder, "models");
    std::ifstream table(folder / "models.csv");
    std::string line;
    std::getline(table, line);
    std::size_t models = 0;
    while (std::getline(table, line)) {
        std::vector<std::string> cells;
        std::istringstream row(line);
        for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
        ASSERT_GT(cells.size(), 7u);
        const auto graph = import_onnx_file(folder / cells[0]);
        ASSERT_TRUE(graph.has_value()) << graph.problem().line();
        const std::string& name = cells[0];
        const std::int64_t heads = name.starts_with("llama")                             ? 32
                                   : name.starts_with("bert") || name.starts_with("gpt") ? 12
                                                                                         : 0;
        expect_figures(*graph, {name, std::stoul(cells[4]), std::stoul(cells[5]), std::stoll(cells[6]),
                                std::stod(cells[7]), heads});
        EXPECT_EQ(graph->batch, std::stoll(cells[2]));
        ++models;
    }
    EXPECT_EQ(models, 7u);
}

TEST(import_onnx, rescales_the_reference_models) {
    DOVETAIL_SHARED_OR_SKIP(folder, "models");
    for (const char* name : {"bert_base_b1_s512.onnx", "gpt2_124m_b1_s1024.onnx", "llama2_7b_b1_s4096.onnx",
                             "inception_v3_b1.onnx", "resnet50_b32.onnx"}) {
        const auto graph = import_onnx_file(folder / name);
        ASSERT_TRUE(graph.has_value()) << graph.problem().line();
        for (const std::int64_t batch : {1, 2, 4, 8}) {
            const auto rescaled = import_onnx_file(folder / name, {.batch = batch});
            ASSERT_TRUE(rescaled.has_value()) << rescaled.problem().line();
            EXPECT_EQ(rescaled->batch, batch);
            EXPECT_EQ(count_macs(*rescaled) * static_cast<double>(graph->batch),
                      count_macs(*graph) * static_cast<double>(batch))
                << name;
            EXPECT_EQ(count_parameters(*rescaled), count_parameters(*graph));
            EXPECT_EQ(workload::find_attention_heads(*rescaled), graph->attention_heads);
        }
    }
}

TEST(import_onnx, rescales_mobilenet_to_the_file_of_that_batch) {
    DOVETAIL_SHARED_OR_SKIP(small, "models/mobilenet_v3_large_b1.onnx");
    DOVETAIL_SHARED_OR_SKIP(large, "models/mobilenet_v3_large_b32.onnx");
    const auto rescaled = import_onnx_file(small, {.batch = 32});
    const auto expected = import_onnx_file(large);
    ASSERT_TRUE(rescaled.has_value() && expected.has_value());
    std::map<std::string, dimensions> shapes;
    for (const auto& t : expected->tensors) shapes[t.name] = t.dims;
    EXPECT_EQ(rescaled->tensors.size(), expected->tensors.size());
    for (const auto& t : rescaled->tensors) EXPECT_EQ(t.dims, shapes.at(t.name)) << t.name;
    EXPECT_EQ(count_macs(*rescaled), count_macs(*expected));
    EXPECT_EQ(count_parameters(*rescaled), count_parameters(*expected));
    EXPECT_EQ(count_edges(*rescaled), count_edges(*expected));
    // And back: the shapes of the file of one image.
    const auto back = import_onnx_file(large, {.batch = 1});
    const auto one = import_onnx_file(small);
    ASSERT_TRUE(back.has_value() && one.has_value());
    shapes.clear();
    for (const auto& t : one->tensors) shapes[t.name] = t.dims;
    for (const auto& t : back->tensors) EXPECT_EQ(t.dims, shapes.at(t.name)) << t.name;
}

TEST(import_onnx, reads_the_model_that_the_project_ships) {
    const auto graph = import_onnx_file(test::source_file("examples/models/gpt2_124m.onnx"));
    ASSERT_TRUE(graph.has_value()) << graph.problem().line();
    EXPECT_EQ(count_parameters(*graph), 124'439'808);
    EXPECT_EQ(count_macs(*graph), 145'824'153'600.0);
    EXPECT_EQ(graph->attention_heads, 12);
}

TEST(import_onnx, reads_ordinary_exports) {
    // The table of tests/instances/onnx/README.md; Constant nodes become tensors (8, used 8 times).
    const std::vector<figures> files{{"tiny_mlp_weights_inside.onnx", 3, 2, 808, 768, 0},
                                     {"tiny_external.onnx", 3, 2, 808, 768, 0},
                                     {"tiny_conv_folded_bn.onnx", 10, 10, 412, 22560, 0},
                                     {"tiny_block_opset17.onnx", 41 - 8, 44 - 8, 3280, 53248, 2},
                                     {"tiny_transformer.onnx", 260, 300, 11024, 83968, 2}};
    for (const figures& expected : files) {
        const auto graph = import_onnx_file(instance(expected.file));
        ASSERT_TRUE(graph.has_value()) << graph.problem().line();
        expect_figures(*graph, expected);
        for (const std::int64_t batch : {1, 5, 16}) {
            const auto rescaled = import_onnx_file(instance(expected.file), {.batch = batch});
            ASSERT_TRUE(rescaled.has_value()) << rescaled.problem().line();
            EXPECT_EQ(count_macs(*rescaled) * static_cast<double>(graph->batch),
                      expected.macs * static_cast<double>(batch))
                << expected.file;
        }
    }
}

TEST(import_onnx, does_not_depend_on_the_order_of_nodes) {
    for (const char* name :
         {"tiny_transformer.onnx", "tiny_block_opset17.onnx", "tiny_conv_folded_bn.onnx"}) {
        ::onnx::ModelProto model;
        ASSERT_TRUE(model.ParseFromString(bytes_of(instance(name))));
        const auto expected = import_onnx(model.SerializeAsString());
        random_source random(3);
        auto& nodes = *model.mutable_graph()->mutable_node();
        for (int i = nodes.size() - 1; i > 0; --i)
            nodes.SwapElements(i, static_cast<int>(random.integer(0, i)));
        const auto shuffled = import_onnx(model.SerializeAsString());
        ASSERT_TRUE(expected.has_value() && shuffled.has_value());
        EXPECT_EQ(count_macs(*shuffled), count_macs(*expected));
        EXPECT_EQ(count_parameters(*shuffled), count_parameters(*expected));
        EXPECT_EQ(count_edges(*shuffled), count_edges(*expected));
        EXPECT_EQ(shuffled->attention_heads, expected->attention_heads);
    }
}

TEST(import_onnx, refuses_each_bad_file_with_one_line) {
    const std::vector<std::array<std::string, 2>> files{
        {"truncated.onnx",
         "its 1830 bytes are not a complete ONNX model; the file may be truncated or of another "
         "format: export it again"},
        {"empty.onnx", "it is empty; give a model in the ONNX format"},
        {"cyclic.onnx",
         "graph: it has a cycle: Add 'first' -> Relu 'second' -> Add 'first'; the graph must be "
         "acyclic"},
        {"unknown_operator.onnx",
         "node 'frobnicate' (FrobnicateV2): operator 'FrobnicateV2' is not known; use "
         "operators with a descriptor, or add one to the list of operators.hpp"},
        {"dynamic_shape.onnx",
         "input 'x': its dimension 0 has no value; give it one, as in --dimension x:0=128"},
        {"bad_shape.onnx",
         "MatMul 'product': the operands [4,8] and [7,3] disagree in the inner dimension; the "
         "last dimension of the first equals the last but one of the second"},
        {"negative_dim.onnx", "input 'x': its dimension 1 is -8; a dimension has at least one element"},
        {"overflow.onnx",
         "tensor 'x': its shape [4294967296,4294967296] has 2^63 elements or more; a tensor has fewer"},
        {"duplicate_output.onnx",
         "Tanh 'second': its result 'y' is also the result of Relu 'first'; every tensor has one producer"},
        {"missing_producer.onnx",
         "Add 'sum': it takes 'nowhere', which nothing gives; every operand is an input, "
         "a weight, or the result of an operation"},
    };
    for (const auto& [name, message] : files) {
        const auto graph = import_onnx_file(instance(name));
        ASSERT_FALSE(graph.has_value()) << name;
        EXPECT_EQ(graph.problem().line(), instance(name) + ": " + message);
    }
    EXPECT_EQ(import_onnx_file("no/such.onnx").problem().line(),
              "no/such.onnx: there is no such file; name a file that exists and can be read");
    EXPECT_EQ(import_onnx_file("no/such.onnx").problem().code, errc::io);
    EXPECT_EQ(import_onnx_file(test::source_file("tests")).problem().code, errc::io) << "a folder";
}

TEST(import_onnx, survives_every_truncation) {
    const std::string whole = bytes_of(instance("tiny_mlp_weights_inside.onnx"));
    ASSERT_TRUE(import_onnx(whole).has_value());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto graph = import_onnx(whole.substr(0, size));
        if (graph) continue; // cut where a field ends, behind the graph
        EXPECT_THAT(graph.problem().line(), HasSubstr("; "));
    }
    EXPECT_FALSE(import_onnx(whole.substr(0, whole.size() / 2)).has_value());
    EXPECT_EQ(import_onnx("This is not a model.").problem().code, errc::parse);
    EXPECT_THAT(import_onnx(std::string(100, '\0')).problem().line(), HasSubstr("not a complete ONNX model"));
    EXPECT_THAT(import_onnx(::onnx::ModelProto().SerializeAsString()).problem().line(),
                HasSubstr("is empty"));
    EXPECT_THAT(import_onnx(onnx_model().bytes()).problem().line(), HasSubstr("holds no ONNX graph"));
}

// x [batch, sequence, 8] -> W -> y
onnx_model dynamic_model() {
    onnx_model m;
    m.input("x", {"batch", "sequence", std::int64_t{8}})
        .weight("w", {8, 4})
        .output("y", {"batch", "sequence", std::int64_t{4}});
    m.node("MatMul", {"x", "w"}, {"y"});
    return m;
}

TEST(import_onnx, gives_open_dimensions_their_values) {
    const std::string bytes = dynamic_model().bytes();
    const auto missing = import_onnx(bytes);
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.problem().code, errc::dynamic_shape);
    EXPECT_EQ(
        missing.problem().line(),
        "input 'x': its dimension 1, 'sequence', has no value; give it one, as in --dimension sequence=128");

    const auto one = import_onnx(bytes, {.dimensions = {{"sequence", 16}}});
    ASSERT_TRUE(one.has_value());
    EXPECT_EQ(one->batch, 1);
    EXPECT_EQ(one->tensors[one->outputs[0]].dims, (dimensions{1, 16, 4}));
    const auto three = import_onnx(bytes, {.batch = 3, .dimensions = {{"x:1", 16}}});
    ASSERT_TRUE(three.has_value());
    EXPECT_EQ(three->batch, 3);
    EXPECT_EQ(three->tensors[three->outputs[0]].dims, (dimensions{3, 16, 4}));
    const auto named = import_onnx(bytes, {.dimensions = {{"sequence", 16}, {"batch", 7}}});
    ASSERT_TRUE(named.has_value());
    EXPECT_EQ(named->batch, 7);

    EXPECT_EQ(import_onnx(bytes, {.dimensions = {{"sequence", 0}}}).problem().line(),
              "input 'x': dimension 'sequence' is set to 0; a dimension has at least one element");
    EXPECT_EQ(import_onnx(bytes, {.batch = -1}).problem().code, errc::out_of_range);
}

TEST(import_onnx, refuses_a_value_for_a_dimension_that_is_not_open) {
    const std::string bytes = dynamic_model().bytes();
    const auto problem = [&](std::map<std::string, std::int64_t> given) {
        const auto read = import_onnx(bytes, {.dimensions = std::move(given)});
        return read ? std::string("none") : read.problem().line();
    };
    EXPECT_EQ(problem({{"sequnce", 16}}), "it has no dimension 'sequnce'; did you mean 'sequence'?");
    EXPECT_EQ(problem({{"sequence", 16}, {"heads", 8}}),
              "it has no dimension 'heads'; open are 'batch', 'sequence'");
    EXPECT_EQ(problem({{"", 16}}), "it has no dimension ''; open are 'batch', 'sequence'");
    EXPECT_EQ(problem({{"x:3", 8}}), "it has no dimension 'x:3'; open are 'batch', 'sequence'");
    EXPECT_EQ(
        problem({{"sequence", 16}, {"x:2", 8}}),
        "dimension 'x:2' is fixed at 8; only open dimensions take a value: open are 'batch', 'sequence'");
    EXPECT_EQ(problem({{"sequence", 16}, {"x:1", 32}}),
              "dimension 'x:1' is set to 32, and by its name 'sequence' to 16; give it one value");
    EXPECT_EQ(problem({{"sequence", 16}, {"x:1", 16}}), "none");
    onnx_model fixed;
    fixed.input("x", {2, 8}).weight("w", {8, 4}).output("y", {2, 4});
    fixed.node("MatMul", {"x", "w"}, {"y"});
    EXPECT_EQ(import_onnx(fixed.bytes(), {.dimensions = {{"batch", 2}}}).problem().line(),
              "it has no dimension 'batch'; the file has no open dimension");
}

TEST(import_onnx, follows_the_batch_of_a_fixed_file_when_asked) {
    onnx_model m;
    m.input("x", {std::int64_t{2}, std::int64_t{12}}).weight("w", {4, 5}).integers("shape", {2, 3, 4});
    m.node("Reshape", {"x", "shape"}, {"r"});
    m.node("MatMul", {"r", "w"}, {"y"});
    m.output("y", {std::int64_t{2}, std::int64_t{3}, std::int64_t{5}});
    const auto graph = import_onnx(m.bytes(), {.batch = 6});
    ASSERT_TRUE(graph.has_value()) << graph.problem().line();
    EXPECT_EQ(graph->tensors[graph->outputs[0]].dims, (dimensions{6, 3, 5}));
}

TEST(import_onnx, takes_the_roles_that_metadata_tell) {
    onnx_model m;
    m.input("x", {"batch", std::int64_t{8}})
        .input("w", {std::int64_t{8}, std::int64_t{8}})
        .input("mask", {std::int64_t{8}});
    m.metadata("data_inputs", "x");
    m.metadata("non_parameter_inputs", "mask,other");
    m.metadata("batch", "4");
    m.node("MatMul", {"x", "w"}, {"y"});
    m.node("Add", {"y", "mask"}, {"z"});
    const auto graph = import_onnx(m.bytes());
    ASSERT_TRUE(graph.has_value()) << graph.problem().line();
    EXPECT_EQ(graph->tensors[0].role, tensor_role::input);
    EXPECT_EQ(graph->tensors[1].role, tensor_role::parameter);
    EXPECT_EQ(graph->tensors[2].role, tensor_role::buffer);
    EXPECT_EQ(graph->batch, 4) << "an open batch is that of the metadata";
}

TEST(import_onnx, understands_newer_operator_sets) {
    onnx_model m(23);
    m.input("x", {std::int64_t{2}, std::int64_t{6}, std::int64_t{8}});
    m.weight("g", {8}).weight("w", {8, 24}).integers("axes", {-1});
    m.node("RMSNormalization", {"x", "g"}, {"n"});
    m.node("MatMul", {"n", "w"}, {"p"});
    set(set(m.node("Split", {"p"}, {"a", "b", "c"}), "axis", -1), "num_outputs", 3);
    m.node("Gelu", {"a"}, {"ga"});
    m.node("LayerNormalization", {"b", "g"}, {"lb", "mean", "deviation"});
    m.node("ReduceMean", {"c", "axes"}, {"rc"});
    m.node("Sum", {"ga", "lb", "rc"}, {"y"});
    const auto graph = import_onnx(m.bytes());
    ASSERT_TRUE(graph.has_value()) << graph.problem().line();
    EXPECT_EQ(count_parameters(*graph), 8 + 8 * 24);
    const auto shape_of = [&](const std::string& name) {
        for (const auto& t : graph->tensors)
            if (t.name == name) return t.dims;
        return dimensions{};
    };
    EXPECT_EQ(shape_of("y"), (dimensions{2, 6, 8}));
    EXPECT_EQ(shape_of("rc"), (dimensions{2, 6, 1}));
    EXPECT_EQ(shape_of("mean"), (dimensions{2, 6, 1}));
}

TEST(import_onnx, reads_constants_of_every_form) {
    onnx_model m;
    m.input("x", {std::int64_t{2}, std::int64_t{6}});
    auto& shape = *m.node("Constant", {}, {"shape"}).add_attribute();
    shape.set_name("value_ints");
    shape.set_type(::onnx::AttributeProto::INTS);
    for (const int extent : {2, 3, 2}) shape.add_ints(extent);
    auto& two = *m.node("Constant", {}, {"two"}).add_attribute();
    two.set_name("value_float");
    two.set_type(::onnx::AttributeProto::FLOAT);
    two.set_f(2);
    auto& zeros = *m.node("ConstantOfShape", {"shape"}, {"zeros"}).add_attribute();
    zeros.set_name("value");
    zeros.set_type(::onnx::AttributeProto::TENSOR);
    zeros.mutable_t()->set_data_type(::onnx::TensorProto::FLOAT);
    zeros.mutable_t()->add_dims(1);
    zeros.mutable_t()->add_float_data(0);
    m.node("Reshape", {"x", "shape"}, {"r"});
    m.node("Pow", {"r", "two"}, {"p"});
    m.node("Add", {"p", "zeros"}, {"y"});
    m.output("y", {std::int64_t{2}, std::int64_t{3}, std::int64_t{2}});
    const auto graph = import_onnx(m.bytes());
    ASSERT_TRUE(graph.has_value()) << graph.problem().line();
    EXPECT_EQ(graph->operations.size(), 4u);
    const auto& pow = graph->operations[2];
    EXPECT_EQ(graph->tensors[pow.inputs[1]].reals, std::vector<double>{2});
    EXPECT_EQ(graph->tensors[pow.inputs[1]].role, tensor_role::constant);
}

TEST(import_onnx, ignores_optional_operands_and_results_left_out) {
    onnx_model m;
    m.input("x", {std::int64_t{2}, std::int64_t{6}});
    m.node("Clip", {"x", "", ""}, {"c"});
    m.node("Dropout", {"c", "", ""}, {"d", ""});
    m.output("d", {std::int64_t{2}, std::int64_t{6}});
    const auto graph = import_onnx(m.bytes());
    ASSERT_TRUE(graph.has_value()) << graph.problem().line();
    EXPECT_EQ(graph->operations[0].inputs.size(), 1u);
    EXPECT_EQ(graph->operations[1].outputs.size(), 1u);
}

TEST(import_onnx, compares_declared_shapes_with_inferred_ones) {
    onnx_model m = dynamic_model();
    m.shape("y", {"batch", std::int64_t{17}, std::int64_t{4}});
    const auto graph = import_onnx(m.bytes(), {.dimensions = {{"sequence", 16}}});
    ASSERT_FALSE(graph.has_value());
    EXPECT_EQ(
        graph.problem().line(),
        "tensor 'y': the file declares the shape [?,17,4], but the operators give [1,16,4]; both agree");
}

std::string refusal(const onnx_model& m) {
    const auto graph = import_onnx(m.bytes());
    return graph ? "accepted" : graph.problem().line();
}

TEST(import_onnx, says_what_it_does_not_support) {
    onnx_model m;
    m.input("x", {std::int64_t{2}, std::int64_t{6}});
    onnx_model control = m;
    control.node("If", {"x"}, {"y"});
    EXPECT_EQ(refusal(control),
              "node 'n1' (If): control flow is not supported; export the model by tracing it "
              "with example data");
    onnx_model body = m;
    auto& graph_attribute = *body.node("Relu", {"x"}, {"y"}).add_attribute();
    graph_attribute.set_name("body");
    graph_attribute.set_type(::onnx::AttributeProto::GRAPH);
    EXPECT_THAT(refusal(body), HasSubstr("its attribute 'body' is a graph"));
    onnx_model function = m;
    function.proto.add_functions()->set_name("Block");
    function.node("Block", {"x"}, {"y"});
    EXPECT_THAT(refusal(function), HasSubstr("functions of the model are not supported"));
    onnx_model foreign = m;
    foreign.node("Add", {"x", "x"}, {"y"}).set_domain("com.example");
    EXPECT_THAT(refusal(foreign), HasSubstr("operator 'com.example::Add' is not known"));
    onnx_model old(6);
    old.input("x", {std::int64_t{2}}).node("Relu", {"x"}, {"y"});
    EXPECT_EQ(refusal(old), "it uses operator set 6; export it with operator set 7 or newer");
    onnx_model sparse = m;
    sparse.node("Relu", {"x"}, {"y"});
    sparse.proto.mutable_graph()->add_sparse_initializer();
    EXPECT_THAT(refusal(sparse), HasSubstr("sparse"));
    onnx_model sequence = m;
    sequence.node("Relu", {"x"}, {"y"});
    sequence.proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
    EXPECT_THAT(refusal(sequence),
                HasSubstr("input 'x': it is not a tensor with a known number of dimensions"));
    onnx_model text = m;
    text.input("s", {std::int64_t{1}}, ::onnx::TensorProto::STRING).node("Relu", {"x"}, {"y"});
    EXPECT_THAT(refusal(text), HasSubstr("input 's': element type 8 is not supported"));
}

TEST(import_onnx, names_the_place_of_every_mistake) {
    onnx_model m;
    m.input("x", {std::int64_t{2}, std::int64_t{6}});
    onnx_model twice = m;
    twice.weight("w", {6}).weight("w", {6}).node("Add", {"x", "w"}, {"y"});
    EXPECT_EQ(refusal(twice), "tensor 'w': its name is given twice; names of tensors are unique");
    onnx_model inputs = m;
    inputs.input("x", {std::int64_t{2}}).node("Relu", {"x"}, {"y"});
    EXPECT_EQ(refusal(inputs), "input 'x': its name is given twice; names of tensors are unique");
    onnx_model attribute = m;
    attribute.node("Cast", {"x"}, {"y"});
    EXPECT_THAT(refusal(attribute), HasSubstr("node 'n1' (Cast): its attribute 'to' is missing"));
    onnx_model axis = m;
    axis.node("Concat", {"x", "x"}, {"y"});
    EXPECT_THAT(refusal(axis), HasSubstr("Concat 'n1': attribute 'axis' is missing"));
    onnx_model type = m;
    set(type.node("Cast", {"x"}, {"y"}), "to", 99);
    EXPECT_THAT(refusal(type), HasSubstr("element type 99 is not supported"));
    onnx_model damaged = m;
    damaged.integers("shape", {3, 4}).node("Reshape", {"x", "shape"}, {"y"});
    damaged.proto.mutable_graph()->mutable_initializer(0)->set_dims(0, 3);
    EXPECT_THAT(refusal(damaged),
                HasSubstr("tensor 'shape': it stores 2 elements where its shape announces 3"));
    onnx_model outside = m;
    outside.integers("shape", {3, 4}).node("Reshape", {"x", "shape"}, {"y"});
    outside.proto.mutable_graph()->mutable_initializer(0)->set_data_location(::onnx::TensorProto::EXTERNAL);
    EXPECT_THAT(refusal(outside), HasSubstr("Reshape 'n1': the target shape is not a constant of the file"));
    onnx_model output = m;
    output.node("Relu", {"x"}, {"y"});
    output.output("z", {std::int64_t{2}});
    EXPECT_EQ(refusal(output), "output 'z': nothing gives it; every output is the result of a node");
    onnx_model empty = m;
    empty.node("Relu", {"x"}, {});
    EXPECT_THAT(refusal(empty), HasSubstr("it has no result"));
    onnx_model constant = m;
    constant.node("Constant", {}, {"c"});
    EXPECT_THAT(refusal(constant), HasSubstr("node 'n1' (Constant): it has no value"));
    onnx_model results = m;
    results.node("Relu", {"x"}, {"y", "z"});
    EXPECT_THAT(refusal(results), HasSubstr("it has 2 results where there are 1"));
    onnx_model name = m;
    name.node("Frob\nnicate", {"x"}, {"y"});
    EXPECT_EQ(refusal(name).find('\n'), std::string::npos);
}

} // namespace
} // namespace dovetail::ext::onnx
