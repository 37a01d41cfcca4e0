#include <dovetail/workload/operators.hpp>

#include <dovetail/core/random.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.hpp"
#include "support/shared.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace dovetail::workload {
namespace {

using test::attributes;
using test::ints;
using test::list;
using test::lone_operation;
using test::shaped;
using testing::HasSubstr;

TEST(find_operator, finds_every_descriptor_by_its_name) {
    for (std::size_t i = 0; i < descriptors().size(); ++i) {
        const auto type = find_operator(descriptors()[i].name);
        ASSERT_TRUE(type.has_value());
        EXPECT_EQ(static_cast<std::size_t>(*type), i);
    }
}

TEST(find_operator, names_what_it_does_not_know) {
    const auto type = find_operator("FrobnicateV2");
    ASSERT_FALSE(type.has_value());
    EXPECT_EQ(type.problem().code, errc::unknown_operator);
    EXPECT_EQ(type.problem().line(),
              "operator 'FrobnicateV2' is not known; use operators with a descriptor, or "
              "add one to the list of operators.hpp");
}

TEST(descriptors, agree_with_themselves) {
    for (const descriptor_record& d : descriptors()) {
        SCOPED_TRACE(d.name);
        EXPECT_EQ(d.core == core_type::tensor, d.gradient == gradient_rule::product);
        EXPECT_EQ(d.core == core_type::tensor, d.fusion == fusion_class::contraction);
        EXPECT_EQ(d.core == core_type::free, d.fusion == fusion_class::view);
        if (d.gradient == gradient_rule::stops) {
            EXPECT_EQ(d.saves, saved::nothing);
        }
        const attribute_set none;
        EXPECT_FALSE(d.infer({{}, {}, none}).has_value()) << "no operator works without operands";
    }
}

// Every result element takes one multiply-accumulate for each element of the inner dimension.
double macs_by_elements(const dimensions& a, const dimensions& result) {
    double macs = static_cast<double>(a.back());
    for (const std::int64_t extent : result) macs *= static_cast<double>(extent);
    return macs;
}

std::string text(core_type core) {
    static const char* const names[] = {"free", "tensor", "vector", "link"};
    return names[static_cast<std::size_t>(core)];
}
std::string text(fusion_class fusion) {
    static const char* const names[] = {"opaque",        "contraction", "elementwise",
                                        "normalization", "reduction",   "view"};
    return names[static_cast<std::size_t>(fusion)];
}
std::string text(gradient_rule gradient) {
    static const char* const names[] = {"stops", "product", "elementwise", "view", "collective"};
    return names[static_cast<std::size_t>(gradient)];
}
std::string text(saved saves) {
    static const char* const names[] = {"nothing", "inputs", "discrete inputs", "output", "mask"};
    return names[static_cast<std::size_t>(saves)];
}

TEST(descriptors, are_the_table_of_the_documentation) {
    std::ifstream page(test::source_file("docs/models/operators.md"));
    ASSERT_TRUE(page.is_open());
    std::vector<std::string> rows;
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) inside = line == "## All types";
        if (inside && line.starts_with("| ") && !line.starts_with("| ---")) rows.push_back(line);
    }
    ASSERT_EQ(rows.size(), descriptors().size() + 1);
    for (std::size_t i = 0; i < descriptors().size(); ++i) {
        const descriptor_record& d = descriptors()[i];
        const std::string expected = "| " + std::string(d.name) + " | " + text(d.core) + " | " +
                                     text(d.fusion) + " | " + text(d.gradient) + " | " + text(d.saves) + " |";
        EXPECT_TRUE(rows[i + 1].starts_with(expected)) << rows[i + 1] << "\nshould start with " << expected;
    }
}

TEST(mat_mul, products_have_the_multiply_accumulates_of_every_broadcast) {
    const std::vector<std::pair<dimensions, dimensions>> cases{
        {{5, 7}, {7, 3}},    {{2, 5, 7}, {7, 3}},       {{2, 5, 7}, {2, 7, 3}},
        {{5, 7}, {2, 7, 3}}, {{4, 2, 5, 7}, {2, 7, 3}}, {{4, 1, 5, 7}, {4, 6, 7, 3}},
        {{7}, {7, 3}},       {{2, 5, 7}, {7}},          {{7}, {7}},
        {{7}, {4, 7, 3}},
    };
    for (const auto& [a, b] : cases) {
        const lone_operation product("MatMul", {shaped(a), shaped(b)});
        ASSERT_TRUE(product.infer().has_value());
        EXPECT_EQ(product.product().macs(), macs_by_elements(a, product.dims()))
            << op::to_text(a) << op::to_text(b);
        EXPECT_EQ(product.product().reduction, 7);
    }
}

TEST(mat_mul, folds_batches_into_rows_only_where_they_share_the_second_operand) {
    EXPECT_EQ(lone_operation("MatMul", {shaped({8, 512, 64}), shaped({64, 32})}).product(),
              (contraction{1, 8 * 512, 64, 32}));
    EXPECT_EQ(lone_operation("MatMul", {shaped({8, 12, 512, 64}), shaped({8, 12, 64, 512})}).product(),
              (contraction{96, 512, 64, 512}));
}

TEST(mat_mul, refuses_operands_that_do_not_fit) {
    EXPECT_THAT(lone_operation("MatMul", {shaped({2, 3}), shaped({4, 5})}).problem(),
                HasSubstr("[2,3] and [4,5] disagree"));
    EXPECT_THAT(lone_operation("MatMul", {shaped({2, 2, 3}), shaped({3, 3, 5})}).problem(),
                HasSubstr("do not broadcast"));
    EXPECT_THAT(lone_operation("MatMul", {shaped({}), shaped({3})}).problem(), HasSubstr("a scalar"));
    EXPECT_THAT(lone_operation("MatMul", {shaped({2, 3})}).problem(), HasSubstr("operand 1 is missing"));
}

TEST(gemm, honours_transposes) {
    const contraction expected{1, 5, 7, 3};
    for (const bool turn_a : {false, true})
        for (const bool turn_b : {false, true}) {
            const lone_operation gemm(
                "Gemm",
                {shaped(turn_a ? dimensions{7, 5} : dimensions{5, 7}),
                 shaped(turn_b ? dimensions{3, 7} : dimensions{7, 3}), shaped({3})},
                attributes({{"transA", std::int64_t{turn_a}}, {"transB", std::int64_t{turn_b}}}));
            EXPECT_EQ(gemm.dims(), (dimensions{5, 3}));
            EXPECT_EQ(gemm.product(), expected);
            EXPECT_EQ(gemm.forward_cycles(), 15) << "the bias";
        }
    EXPECT_THAT(lone_operation("Gemm", {shaped({5, 7}), shaped({3, 7})}).problem(), HasSubstr("disagree"));
}

// The positions of a window, tried one by one.
std::int64_t brute_force_positions(std::int64_t extent, const op::window& w) {
    std::int64_t count = 0;
    const std::int64_t reach = w.dilation * (w.kernel - 1) + 1;
    for (std::int64_t start = 0;; start += w.stride, ++count) {
        const bool inside = start + reach <= extent + w.pad_front + w.pad_back;
        // A window may hang over the back if it starts before the padding there, and the one before it fits.
        const bool before = start - w.stride + reach < extent + w.pad_front + w.pad_back;
        const bool hangs = w.round_up && count > 0 && before && start < extent + w.pad_front;
        if (!inside && !hangs) return count;
    }
}

TEST(window_positions, equals_trying_each_position) {
    random_source random(11);
    int tried = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::int64_t kernel = random.integer(1, 5);
        const op::window w{.kernel = kernel,
                           .stride = random.integer(1, 4),
                           .dilation = random.integer(1, 3),
                           .pad_front = random.integer(0, kernel / 2), // as every framework demands
                           .pad_back = random.integer(0, kernel / 2),
                           .round_up = random.integer(0, 1) == 1};
        const std::int64_t extent = random.integer(1, 20);
        const auto positions = op::window_positions(extent, w);
        const std::int64_t reach = w.dilation * (w.kernel - 1) + 1;
        ASSERT_EQ(positions.has_value(), reach <= extent + w.pad_front + w.pad_back);
        if (!positions) continue;
        ++tried;
        EXPECT_EQ(*positions, brute_force_positions(extent, w)) << i;
    }
    EXPECT_GT(tried, 3000);
}

TEST(conv, is_its_implicit_product) {
    // ResNet's stem: 118,013,952 multiply-accumulates an image in every published table.
    const lone_operation stem(
        "Conv", {shaped({32, 3, 224, 224}), shaped({64, 3, 7, 7})},
        attributes(
            {{"strides", ints({2, 2})}, {"pads", ints({3, 3, 3, 3})}, {"kernel_shape", ints({7, 7})}}));
    EXPECT_EQ(stem.dims(), (dimensions{32, 64, 112, 112}));
    EXPECT_EQ(stem.product(), (contraction{1, 32 * 112 * 112, 147, 64}));
    EXPECT_EQ(stem.product().macs() / 32, 118'013'952);

    const lone_operation depthwise("Conv", {shaped({1, 16, 56, 56}), shaped({16, 1, 3, 3})},
                                   attributes({{"group", std::int64_t{16}}, {"pads", ints({1, 1, 1, 1})}}));
    EXPECT_EQ(depthwise.product(), (contraction{16, 56 * 56, 9, 1}));

    const lone_operation along_time("Conv", {shaped({2, 80, 3000}), shaped({384, 80, 3})},
                                    attributes({{"pads", ints({1, 1})}}));
    EXPECT_EQ(along_time.dims(), (dimensions{2, 384, 3000}));
    EXPECT_EQ(along_time.product().macs(), 2.0 * 3000 * 240 * 384);
}

TEST(conv, refuses_kernels_that_do_not_fit) {
    EXPECT_THAT(lone_operation("Conv", {shaped({1, 3, 8, 8}), shaped({4, 2, 3, 3})}).problem(),
                HasSubstr("channels equal the groups times"));
    EXPECT_THAT(lone_operation("Conv", {shaped({1, 3, 8, 8}), shaped({4, 3, 3})}).problem(),
                HasSubstr("same spatial axes"));
    EXPECT_THAT(lone_operation("Conv", {shaped({1, 3, 2, 2}), shaped({4, 3, 3, 3})}).problem(),
                HasSubstr("fits into the padded extent"));
    EXPECT_THAT(lone_operation("Conv", {shaped({1, 3, 8, 8}), shaped({4, 3, 3, 3})},
                               attributes({{"strides", ints({0, 1})}}))
                    .problem(),
                HasSubstr("are positive"));
    EXPECT_THAT(lone_operation("Conv", {shaped({1, 3, 8, 8}), shaped({4, 3, 3, 3})},
                               attributes({{"group", std::numeric_limits<std::int64_t>::max()}}))
                    .problem(),
                HasSubstr("groups"));
}

TEST(conv, pads_automatically) {
    for (const char* mode : {"SAME_UPPER", "SAME_LOWER"})
        EXPECT_EQ(lone_operation("Conv", {shaped({1, 3, 15, 16}), shaped({4, 3, 3, 3})},
                                 attributes({{"auto_pad", std::string(mode)}, {"strides", ints({2, 2})}}))
                      .dims(),
                  (dimensions{1, 4, 8, 8}));
    EXPECT_EQ(lone_operation("Conv", {shaped({1, 3, 15, 16}), shaped({4, 3, 3, 3})},
                             attributes({{"auto_pad", std::string("VALID")}, {"pads", ints({9, 9, 9, 9})}}))
                  .dims(),
              (dimensions{1, 4, 13, 14}));
}

TEST(conv_transpose, undoes_the_shape_of_the_convolution) {
    for (const std::int64_t extent : {7, 8, 15})
        for (const std::int64_t stride : {1, 2, 3})
            for (const std::int64_t pad : {0, 1}) {
                const auto settings =
                    attributes({{"strides", ints({stride, stride})}, {"pads", ints({pad, pad, pad, pad})}});
                const lone_operation up("ConvTranspose",
                                        {shaped({2, 6, extent, extent}), shaped({6, 4, 3, 3})}, settings);
                const dimensions wide = up.dims();
                ASSERT_EQ(wide.size(), 4u);
                const lone_operation down("Conv", {shaped(wide), shaped({6, 4, 3, 3})}, settings);
                EXPECT_EQ(down.dims(), (dimensions{2, 6, extent, extent}));
                EXPECT_EQ(up.product().macs(), down.product().macs()) << "each is the other's gradient";
            }
}

TEST(pool, walks_over_windows) {
    const auto window = attributes({{"kernel_shape", ints({3, 3})}, {"strides", ints({2, 2})}});
    const lone_operation pool("MaxPool", {shaped({2, 8, 9, 9})}, window, 2);
    ASSERT_TRUE(pool.infer().has_value());
    EXPECT_EQ(pool.dims(), (dimensions{2, 8, 4, 4}));
    EXPECT_EQ(pool.infer()->back().type, element_type::int64) << "positions of the maxima";
    EXPECT_EQ(pool.forward_cycles(), 9 * 2 * 8 * 16);
    EXPECT_THAT(lone_operation("AveragePool", {shaped({2, 8, 9, 9})}).problem(),
                HasSubstr("'kernel_shape' is missing"));
    EXPECT_EQ(lone_operation("GlobalAveragePool", {shaped({2, 8, 9, 9})}).dims(), (dimensions{2, 8, 1, 1}));
}

TEST(slice, walks_between_clamped_bounds) {
    const std::int64_t extent = 5;
    std::vector<std::int64_t> numbers{10, 11, 12, 13, 14};
    const auto extreme = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t start : {-extreme - 1, std::int64_t{-7}, std::int64_t{-5}, std::int64_t{-2},
                                     std::int64_t{0}, std::int64_t{3}, std::int64_t{5}, extreme})
        for (const std::int64_t end : {-extreme - 1, std::int64_t{-6}, std::int64_t{-3}, std::int64_t{0},
                                       std::int64_t{4}, std::int64_t{8}, extreme})
            for (const std::int64_t step : {-3, -1, 1, 2}) {
                // The standard: count negative bounds from the back, clamp, then walk.
                const auto clamp = [&](std::int64_t bound, std::int64_t low, std::int64_t high) {
                    if (bound < -extent) return low;
                    return std::clamp(bound < 0 ? bound + extent : bound, low, high);
                };
                const std::int64_t first = clamp(start, 0, step > 0 ? extent : extent - 1);
                const std::int64_t last = step > 0 ? clamp(end, 0, extent) : clamp(end, -1, extent - 1);
                std::vector<std::int64_t> expected;
                for (std::int64_t i = first; step > 0 ? i < last : i > last; i += step)
                    expected.push_back(numbers[static_cast<std::size_t>(i)]);
                const lone_operation cut(
                    "Slice", {list(numbers), list({start}), list({end}), list({0}), list({step})});
                EXPECT_EQ(cut.value(), expected) << start << ' ' << end << ' ' << step;
                EXPECT_EQ(cut.dims(), dimensions{static_cast<std::int64_t>(expected.size())});
            }
}

TEST(reshape, fills_in_what_is_open) {
    const auto reshaped = [](dimensions from, std::vector<std::int64_t> target) {
        return lone_operation("Reshape", {shaped(std::move(from)), list(std::move(target))});
    };
    EXPECT_EQ(reshaped({2, 3, 4}, {0, -1}).dims(), (dimensions{2, 12}));
    EXPECT_EQ(reshaped({2, 3, 4}, {-1}).dims(), (dimensions{24}));
    EXPECT_EQ(reshaped({2, 3, 4}, {4, 6}).dims(), (dimensions{4, 6}));
    EXPECT_THAT(reshaped({2, 3, 4}, {5, -1}).problem(), HasSubstr("same number of elements"));
    EXPECT_THAT(reshaped({2, 3, 4}, {-1, -1}).problem(), HasSubstr("at most one dimension is -1"));
    EXPECT_THAT(reshaped({2, 3, 4}, {-24}).problem(), HasSubstr("target shape [-24]"));
    tensor open = list({4});
    open.integers.clear();
    const lone_operation dynamic("Reshape", {shaped({2, 3}), open});
    EXPECT_EQ(dynamic.infer().problem().code, errc::dynamic_shape);
}

TEST(split, divides_by_list_attribute_or_count) {
    const auto along = attributes({{"axis", std::int64_t{1}}});
    const auto sizes = [](const lone_operation& o) {
        std::vector<std::int64_t> extents;
        for (const signature& s : *o.infer()) extents.push_back(s.dims[1]);
        return extents;
    };
    EXPECT_EQ(sizes(lone_operation("Split", {shaped({2, 7}), list({3, 4})}, along)), ints({3, 4}));
    EXPECT_EQ(sizes(lone_operation("Split", {shaped({2, 6})}, along, 3)), ints({2, 2, 2}));
    EXPECT_EQ(sizes(lone_operation("Split", {shaped({2, 7})}, along, 3)), ints({3, 3, 1}));
    EXPECT_THAT(lone_operation("Split", {shaped({2, 7}), list({9, -2})}, along).problem(),
                HasSubstr("add up"));
    EXPECT_THAT(lone_operation("Split", {shaped({2, 7}), list({3, 3})}, along).problem(),
                HasSubstr("add up"));
}

TEST(views_and_movements, give_the_shapes_of_the_standard) {
    EXPECT_EQ(lone_operation("Transpose", {shaped({2, 3, 4})}).dims(), (dimensions{4, 3, 2}));
    EXPECT_EQ(
        lone_operation("Transpose", {shaped({2, 3, 4})}, attributes({{"perm", ints({1, 0, 2})}})).dims(),
        (dimensions{3, 2, 4}));
    EXPECT_THAT(
        lone_operation("Transpose", {shaped({2, 3, 4})}, attributes({{"perm", ints({1, 1, 2})}})).problem(),
        HasSubstr("names every axis once"));
    EXPECT_EQ(lone_operation("Flatten", {shaped({2, 3, 4})}).dims(), (dimensions{2, 12}));
    EXPECT_EQ(lone_operation("Squeeze", {shaped({1, 3, 1})}).dims(), (dimensions{3}));
    EXPECT_EQ(lone_operation("Squeeze", {shaped({1, 3, 1}), list({-1})}).dims(), (dimensions{1, 3}));
    EXPECT_THAT(lone_operation("Squeeze", {shaped({1, 3, 1}), list({1})}).problem(),
                HasSubstr("one element"));
    EXPECT_EQ(lone_operation("Unsqueeze", {shaped({3}), list({0, -1})}).dims(), (dimensions{1, 3, 1}));
    EXPECT_EQ(lone_operation("Expand", {shaped({3, 1}), list({2, 1, 4})}).dims(), (dimensions{2, 3, 4}));
    EXPECT_EQ(lone_operation("Gather", {shaped({50, 8}), shaped({2, 5}, element_type::int64)}).dims(),
              (dimensions{2, 5, 8}));
    EXPECT_EQ(
        lone_operation("Concat", {shaped({2, 3}), shaped({2, 5})}, attributes({{"axis", std::int64_t{-1}}}))
            .dims(),
        (dimensions{2, 8}));
    EXPECT_THAT(lone_operation("Concat", {shaped({2, 3}), shaped({2, 5})}).problem(),
                HasSubstr("attribute 'axis' is missing"));
    EXPECT_THAT(
        lone_operation("Concat", {shaped({3, 3}), shaped({2, 5})}, attributes({{"axis", std::int64_t{1}}}))
            .problem(),
        HasSubstr("all other dimensions are equal"));
    EXPECT_EQ(lone_operation("Pad", {shaped({2, 3}), list({0, 1, 0, 2})}).dims(), (dimensions{2, 6}));
    EXPECT_THAT(lone_operation("Pad", {shaped({2, 3}), list({0, -4, 0, 0})}).problem(),
                HasSubstr("negative"));
    EXPECT_EQ(lone_operation("Tile", {shaped({2, 3}), list({2, 1})}).dims(), (dimensions{4, 3}));
    EXPECT_EQ(
        lone_operation("DepthToSpace", {shaped({1, 8, 2, 3})}, attributes({{"blocksize", std::int64_t{2}}}))
            .dims(),
        (dimensions{1, 2, 4, 6}));
    EXPECT_EQ(
        lone_operation("SpaceToDepth", {shaped({1, 2, 4, 6})}, attributes({{"blocksize", std::int64_t{2}}}))
            .dims(),
        (dimensions{1, 8, 2, 3}));
    tensor scales = shaped({4});
    scales.reals = {1, 1, 2, 2.5};
    tensor absent = shaped({0});
    EXPECT_EQ(lone_operation("Resize", {shaped({1, 3, 4, 5}), absent, scales}).dims(),
              (dimensions{1, 3, 8, 12}));
    EXPECT_EQ(lone_operation("ReduceMean", {shaped({2, 3, 4})}, attributes({{"axes", ints({-1})}})).dims(),
              (dimensions{2, 3, 1}));
    EXPECT_EQ(lone_operation("ReduceSum", {shaped({2, 3, 4}), list({1})},
                             attributes({{"keepdims", std::int64_t{0}}}))
                  .dims(),
              (dimensions{2, 4}));
    EXPECT_EQ(lone_operation("ReduceMax", {shaped({2, 3, 4})}).dims(), (dimensions{1, 1, 1}));
    EXPECT_THAT(lone_operation("Cast", {shaped({2})}).problem(), HasSubstr("attribute 'to' is missing"));
}

TEST(shape_arithmetic, folds_what_exports_compute) {
    EXPECT_EQ(lone_operation("Shape", {shaped({2, 3, 4})}).value(), ints({2, 3, 4}));
    EXPECT_EQ(lone_operation("Shape", {shaped({2, 3, 4})},
                             attributes({{"start", std::int64_t{-2}}, {"end", std::int64_t{9}}}))
                  .value(),
              ints({3, 4}));
    EXPECT_EQ(lone_operation("Size", {shaped({2, 3, 4})}).value(), ints({24}));
    EXPECT_EQ(lone_operation("Gather", {list({7, 8, 9}), list({-1, 0})}).value(), ints({9, 7}));
    EXPECT_THAT(lone_operation("Gather", {list({7, 8, 9}), list({3})}).problem(), HasSubstr("element 3"));
    EXPECT_EQ(lone_operation("Mul", {list({2, 3}), list({4})}).value(), ints({8, 12}));
    EXPECT_EQ(lone_operation("Div", {list({7, -7}), list({2})}).value(), ints({3, -3}));
    EXPECT_EQ(lone_operation("Pow", {list({2, 3}), list({3})}).value(), ints({8, 27}));
    EXPECT_EQ(
        lone_operation("Concat", {list({2, 3}), list({4})}, attributes({{"axis", std::int64_t{0}}})).value(),
        ints({2, 3, 4}));
    EXPECT_EQ(lone_operation("Equal", {list({2, -1}), list({-1})}).value(), ints({0, 1}));
    EXPECT_EQ(lone_operation("Where", {list({0, 1}), list({5, 5}), list({2, -1})}).value(), ints({2, 5}));
    EXPECT_EQ(lone_operation("Max", {list({2, -1}), list({0})}).value(), ints({2, 0}));
    EXPECT_EQ(lone_operation("ConstantOfShape", {list({3})},
                             attributes({{"to", std::int64_t{static_cast<int>(element_type::int64)}},
                                         {"integer_value", std::int64_t{1}}}))
                  .value(),
              ints({1, 1, 1}));
    EXPECT_EQ(lone_operation("Range", {list({2}), list({9}), list({3})}).dims(), (dimensions{3}));
    // What is not a list of integers is data, and stays unknown.
    tensor real = list({2, 3});
    real.type = element_type::float32;
    EXPECT_TRUE(lone_operation("Div", {real, real}).value().empty());
}

TEST(lane_cycles, grow_with_the_elements_of_every_vector_operator) {
    for (const char* name :
         {"Relu", "Gelu", "Swish", "Sigmoid", "Tanh", "Erf", "Softmax", "LogSoftmax", "Exp", "Sqrt",
          "HardSwish", "Dropout", "LayerNormalization", "RMSNormalization", "Trilu"}) {
        const lone_operation small(name, {shaped({4, 8, 32})});
        const lone_operation large(name, {shaped({8, 8, 32})});
        EXPECT_GT(small.forward_cycles(), 0) << name;
        EXPECT_GT(small.backward_cycles(), 0) << name;
        EXPECT_EQ(large.forward_cycles(), 2 * small.forward_cycles()) << name;
        EXPECT_EQ(large.backward_cycles(), 2 * small.backward_cycles()) << name;
    }
}

TEST(lane_cycles, of_composites_cover_their_steps) {
    const auto cost = [](const char* name, std::vector<tensor> inputs = {shaped({6, 64})}) {
        return lone_operation(name, std::move(inputs)).forward_cycles() / (6 * 64);
    };
    const double sum = cost("Add", {shaped({6, 64}), shaped({6, 64})});
    EXPECT_GE(cost("Gelu"), cost("Erf") + 3 * sum);
    EXPECT_GE(cost("Swish"), cost("Sigmoid") + sum);
    const double division = cost("Div", {shaped({6, 64}), shaped({6, 64})});
    EXPECT_GE(cost("Softmax"), cost("Exp") + division + 2 * sum);
    EXPECT_GE(cost("LayerNormalization"), 7 * sum + (cost("Sqrt") + division) / 64);
    EXPECT_GT(cost("LayerNormalization"), cost("RMSNormalization"));
    EXPECT_GT(lone_operation("Gelu", {shaped({9})}, attributes({{"approximate", std::string("tanh")}}))
                  .forward_cycles(),
              9 * cost("Tanh"));
}

TEST(lane_cycles, of_gradients_leave_out_operands_without_one) {
    tensor scale = shaped({});
    scale.role = tensor_role::constant;
    const double both = lone_operation("Div", {shaped({64}), shaped({64})}).backward_cycles();
    const double one = lone_operation("Div", {shaped({64}), scale}).backward_cycles();
    EXPECT_EQ(one, 64 * op::lane::division);
    EXPECT_GT(both, 2 * one);
    // A bias adds up its gradient over the rows; a residual passes it on.
    EXPECT_EQ(lone_operation("Add", {shaped({4, 64}), shaped({64})}).backward_cycles(), 4 * 64);
    EXPECT_EQ(lone_operation("Add", {shaped({4, 64}), shaped({4, 64})}).backward_cycles(), 0);
}

TEST(optional_results, have_their_own_shapes) {
    const lone_operation norm("LayerNormalization", {shaped({2, 3, 8}), shaped({8}), shaped({8})}, {}, 3);
    const auto results = norm.infer();
    ASSERT_TRUE(results.has_value());
    ASSERT_EQ(results->size(), 3u);
    EXPECT_EQ((*results)[1].dims, (dimensions{2, 3, 1}));
    const auto dropped = lone_operation("Dropout", {shaped({2, 3})}, {}, 2).infer();
    ASSERT_EQ(dropped->size(), 2u);
    EXPECT_EQ(dropped->back().type, element_type::boolean);
}

} // namespace
} // namespace dovetail::workload
