// Recognition, fusion and layers on models as they are exported.
#include <dovetail/workload/layers.hpp>

#include <dovetail/ext/onnx/import.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/recognise.hpp>
#include <dovetail/workload/rescale.hpp>

#include <support/shared.hpp>
#include <support/shuffled_graph.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::ext::onnx {
namespace {

using workload::index;
using runs = std::vector<index>; // repeats

struct expected {
    std::string file;
    std::map<std::string, std::size_t>
        before; ///< operators that composites are made of, as the file's list says
    std::map<std::string, std::size_t> after; ///< composites, by arithmetic on it
    std::map<std::string, std::size_t> rest;  ///< what must be left of the others
    runs repeats;
};

/// The operators of the files are listed in the reference data: two ReduceMean a layer normalization, one Pow
/// an RMS normalization, one Erf a GELU, one Sigmoid a SiLU. The layers are those of the published models.
const std::vector<expected>& models() {
    static const std::vector<expected> list{
        {.file = "bert_base_b1_s512.onnx",
         .before = {{"ReduceMean", 52}, {"Pow", 26}, {"Sqrt", 26}, {"Erf", 13}, {"MatMul", 98}},
         .after = {{"LayerNormalization", 26}, {"Gelu", 13}, {"Softmax", 12}},
         .rest = {{"Add", 112}, {"Div", 12}, {"Mul", 1}, {"MatMul", 98}, {"Sub", 1}},
         .repeats = {1, 12, 1, 1}},
        {.file = "gpt2_124m_b1_s1024.onnx",
         .before = {{"ReduceMean", 50}, {"Pow", 25}, {"Sqrt", 25}, {"Erf", 12}, {"MatMul", 73}},
         .after = {{"LayerNormalization", 25}, {"Gelu", 12}, {"Softmax", 12}},
         .rest = {{"Add", 73}, {"Mul", 12}, {"MatMul", 73}},
         .repeats = {1, 12, 1}},
        {.file = "llama2_7b_b1_s4096.onnx",
         .before = {{"ReduceMean", 65}, {"Pow", 65}, {"Sqrt", 65}, {"Sigmoid", 32}, {"MatMul", 289}},
         .after = {{"RMSNormalization", 65}, {"Swish", 32}, {"Softmax", 32}},
         .rest = {{"Add", 160}, {"Div", 32}, {"Mul", 288}, {"MatMul", 289}, {"Sub", 64}},
         .repeats = {1, 32, 1}},
        // Stem, then in each stage one bottleneck with a projection and 2, 3, 5 and 2 without, then the
        // classes.
        {.file = "resnet50_b32.onnx",
         .before = {{"Conv", 53}},
         .after = {},
         .rest = {{"Conv", 53}, {"Relu", 49}, {"Add", 16}},
         .repeats = {1, 1, 2, 1, 3, 1, 5, 1, 2, 1}},
    };
    return list;
}

std::size_t count(const std::map<std::string, std::size_t>& counts, const std::string& name) {
    const auto place = counts.find(name);
    return place == counts.end() ? 0 : place->second;
}

runs repeats_of(const workload::operator_graph& g) {
    runs found;
    for (const auto& run : layer_summary(detect_layers(g, workload::fuse(g)))) found.push_back(run.repeats);
    return found;
}

TEST(ImportedLayers, CompositesAreRecognised) {
    DOVETAIL_SHARED_OR_SKIP(folder, "models");
    for (const expected& model : models()) {
        SCOPED_TRACE(model.file);
        const auto g = import_onnx_file(folder / model.file);
        ASSERT_TRUE(g.has_value()) << g.problem().line();
        const auto before = count_operators(*g);
        for (const auto& [name, number] : model.before) EXPECT_EQ(count(before, name), number) << name;
        const workload::operator_graph r = recognise(*g);
        const auto after = count_operators(r);
        for (const auto& [name, number] : model.after) EXPECT_EQ(count(after, name), number) << name;
        for (const auto& [name, number] : model.rest) EXPECT_EQ(count(after, name), number) << name;
        for (const std::string part : {"ReduceMean", "Pow", "Sqrt", "Erf", "Sigmoid"})
            EXPECT_EQ(count(after, part), 0U) << part;
        EXPECT_EQ(count_parameters(r), count_parameters(*g));
        EXPECT_EQ(count_macs(r), count_macs(*g));
    }
}

TEST(ImportedLayers, RepeatAsPublished) {
    DOVETAIL_SHARED_OR_SKIP(folder, "models");
    for (const expected& model : models()) {
        SCOPED_TRACE(model.file);
        const auto g = import_onnx_file(folder / model.file);
        ASSERT_TRUE(g.has_value()) << g.problem().line();
        const workload::operator_graph r = recognise(*g);
        EXPECT_EQ(repeats_of(r), model.repeats);
        for (std::uint64_t seed = 1; seed <= 3; ++seed)
            EXPECT_EQ(repeats_of(test::shuffled(r, seed).graph), model.repeats) << "seed " << seed;
        // Renamed and shuffled before recognition, too, and at another batch.
        EXPECT_EQ(repeats_of(recognise(test::shuffled(*g, 4).graph)), model.repeats);
        EXPECT_EQ(repeats_of(with_batch(r, 4).value()), model.repeats);
    }
}

TEST(ImportedLayers, SurviveDisguiseInEveryFile) {
    DOVETAIL_SHARED_OR_SKIP(folder, "models");
    for (const std::string file :
         {"bert_base_b1_s512.onnx", "gpt2_124m_b1_s1024.onnx", "llama2_7b_b1_s4096.onnx", "resnet50_b32.onnx",
          "mobilenet_v3_large_b1.onnx", "inception_v3_b1.onnx"}) {
        SCOPED_TRACE(file);
        const workload::operator_graph g = recognise(import_onnx_file(folder / file).value());
        const auto plain = detect_layers(g, workload::fuse(g));
        const auto disguised = test::shuffled(g, 7);
        const auto same = detect_layers(disguised.graph, workload::fuse(disguised.graph));
        ASSERT_EQ(same.layers.size(), plain.layers.size());
        for (index v = 0; v < same.layer_of.size(); ++v)
            EXPECT_EQ(same.layer_of[v], plain.layer_of[disguised.operation[v]]);
        for (std::size_t k = 0; k < plain.layers.size(); ++k)
            EXPECT_EQ(same.layers[k].id, plain.layers[k].id);
        const dovetail::graph::digraph flow = dataflow(g);
        for (const auto& arc : flow.arcs()) EXPECT_LE(plain.layer_of[arc.source], plain.layer_of[arc.target]);
    }
}

TEST(ImportedLayers, OnlyTheHiddenStateAndTheMaskCross) {
    DOVETAIL_SHARED_OR_SKIP(folder, "models");
    for (const auto& [file, elements] :
         std::map<std::string, std::vector<std::int64_t>>{{"bert_base_b1_s512.onnx", {512, 512 * 768}},
                                                          {"gpt2_124m_b1_s1024.onnx", {1024 * 768}},
                                                          {"llama2_7b_b1_s4096.onnx", {4096 * 4096}}}) {
        SCOPED_TRACE(file);
        const workload::operator_graph g = recognise(import_onnx_file(folder / file).value());
        const auto s = detect_layers(g, workload::fuse(g));
        for (std::size_t k = 0; k + 1 < s.layers.size(); ++k) {
            if (s.layers[k].id != s.layers[k + 1].id) continue;
            std::vector<std::int64_t> crossing;
            for (const index t : s.boundaries[k]) crossing.push_back(g.tensors[t].elements());
            std::sort(crossing.begin(), crossing.end());
            EXPECT_EQ(crossing, elements);
        }
    }
}

} // namespace
} // namespace dovetail::ext::onnx
