#include <dovetail/workload/demand.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

operator_graph finish(graph_builder&& b) { return std::move(b).finish().value(); }

index named(const operator_graph& g, std::string_view name) {
    const auto found = std::find_if(g.operations.begin(), g.operations.end(),
                                    [&](const operation& op) { return op.name == name; });
    EXPECT_NE(found, g.operations.end()) << name;
    return static_cast<index>(found - g.operations.begin());
}

/// gelu(x w + b) with x 5 x 8 and w 8 x 6.
operator_graph activated_layer() {
    graph_builder b("net", 5);
    const index y = zoo::linear(b, "layer", b.input("x", {5, 8}), 8, 6);
    b.output(b.apply<op::gelu>("act", {y}));
    return finish(std::move(b));
}

TEST(demand, of_a_fused_group_moves_only_what_enters_and_leaves) {
    const operator_graph g = activated_layer();
    const demand of(g);
    const std::vector<index> group{0, 1, 2};
    const operator_work work = of(group);
    EXPECT_EQ(work.product, (contraction{.batch = 1, .rows = 5, .reduction = 8, .columns = 6}));
    EXPECT_EQ(work.product_operand_elements, 5 * 8 + 8 * 6);
    EXPECT_EQ(work.product_result_elements, 5 * 6);
    EXPECT_EQ(work.read_elements, 5 * 8 + 8 * 6 + 6);
    EXPECT_EQ(work.written_elements, 5 * 6);
    EXPECT_EQ(work.reduced_elements, 0);
    EXPECT_EQ(work.lane_cycles, of(1).lane_cycles + of(2).lane_cycles);
    EXPECT_GT(of(1).lane_cycles, 0);
    // Alone, the product writes its result and the sum reads it again.
    EXPECT_EQ(of(0).written_elements, 5 * 6);
    EXPECT_EQ(of(1).read_elements, 5 * 6 + 6);
}

TEST(demand, writes_an_intermediate_that_somebody_else_reads) {
    graph_builder b("net", 5);
    const index y = b.apply<op::mat_mul>("y", {b.input("x", {5, 8}), b.parameter("w", {8, 6})});
    const index z = b.apply<op::gelu>("z", {y});
    b.output(b.apply<op::add>("sum", {y, z}));
    const operator_graph g = finish(std::move(b));
    const demand of(g);
    const std::vector<index> group{0, 1};
    EXPECT_EQ(of(group).written_elements, 2 * 5 * 6);
    const std::vector<index> all{0, 1, 2};
    EXPECT_EQ(of(all).written_elements, 5 * 6);
}

TEST(demand, reads_a_transposed_weight_as_the_weight) {
    graph_builder b("net", 5);
    const index turned =
        b.apply<op::transpose>("turned", {b.parameter("w", {6, 8})}, zoo::permutation({1, 0}));
    const index scale = b.apply<op::exp>("scale", {b.parameter("s", {6})});
    const index y = b.apply<op::mat_mul>("y", {b.input("x", {5, 8}), turned});
    b.output(b.apply<op::mul>("scaled", {y, scale}));
    const operator_graph g = finish(std::move(b));
    const demand of(g);
    EXPECT_TRUE(of.free(named(g, "turned")));
    EXPECT_TRUE(of.free(named(g, "scale")));
    EXPECT_TRUE(of(named(g, "turned")).empty());
    EXPECT_EQ(of(named(g, "scale")), operator_work{});
    EXPECT_EQ(of(named(g, "y")).read_elements, 5 * 8 + 6 * 8);
    EXPECT_EQ(of(named(g, "scaled")).read_elements, 5 * 6 + 6);
}

TEST(demand, reads_an_operand_once) {
    graph_builder b("net", 2);
    const index x = b.input("x", {2, 7, 7});
    const index mask = b.apply<op::expand>("wide", {b.input("mask", {1, 7}), b.integers("shape", {2, 7, 7})});
    b.apply<op::mul>("square", {x, x});
    b.apply<op::add>("masked", {x, mask});
    b.output(b.apply<op::mat_mul>("gram",
                                  {x, b.apply<op::transpose>("turned", {x}, zoo::permutation({0, 2, 1}))}));
    const operator_graph g = finish(std::move(b));
    const demand of(g);
    EXPECT_EQ(of(named(g, "square")).read_elements, 2 * 7 * 7);
    EXPECT_EQ(of(named(g, "masked")).read_elements, 2 * 7 * 7 + 7);
    EXPECT_EQ(of(named(g, "gram")).product_operand_elements, 2 * 7 * 7);
}

TEST(demand, reads_the_parts_of_a_split_once_each) {
    graph_builder b("net", 2);
    const index x = b.input("x", {2, 12});
    const std::vector<index> parts =
        b.apply_all<op::split>("parts", {x, b.integers("sizes", {4, 4, 4})}, zoo::on_axis(1));
    b.output(b.apply<op::sum>("sum", {parts[0], parts[1], parts[0]}));
    const operator_graph g = finish(std::move(b));
    const demand of(g);
    EXPECT_EQ(of(named(g, "sum")).read_elements, 2 * 2 * 4);
}

TEST(demand, of_a_look_up_reads_the_rows_not_the_table) {
    graph_builder b("net", 2);
    const index ids = b.input("ids", {2, 3}, element_type::int64);
    b.output(b.apply<op::gather>("rows", {b.parameter("table", {1000, 16}), ids}));
    const operator_graph g = training_graph(finish(std::move(b)), {.loss = false});
    const demand of(g);
    EXPECT_EQ(of(named(g, "rows")).read_elements, 2 * 3 * 16);
    EXPECT_EQ(of(named(g, "rows")).read_discrete_bytes, 2 * 3 * 8);
    EXPECT_EQ(of(named(g, "rows")).written_elements, 2 * 3 * 16);
    // The gradient goes to the rows that the numbers say.
    EXPECT_EQ(of(named(g, "rows.gradient")).read_elements, 2 * 3 * 16);
    EXPECT_EQ(of(named(g, "rows.gradient")).read_discrete_bytes, 2 * 3 * 8);
    EXPECT_EQ(of(named(g, "rows.gradient")).written_elements, 2 * 3 * 16);
    EXPECT_EQ(of(named(g, "table.update")).read_elements, 2 * 1000 * 16);
    EXPECT_EQ(of(named(g, "table.update")).written_elements, 1000 * 16);
}

/// Adds a result to the operation that gives the first output of `g`, as a file for training names it.
void name_mask(operator_graph& g) {
    operation& op = g.operations[producers(g)[g.outputs[0]]];
    op.outputs.push_back(
        g.add(tensor{.name = "mask", .type = element_type::boolean, .dims = g.tensors[g.outputs[0]].dims}));
}

TEST(demand, of_a_dropout_moves_a_byte_of_mask_an_element_where_it_is_trained) {
    for (const bool named_mask : {false, true}) {
        graph_builder b("net", 5);
        const index x = b.apply<op::mul>("x", {b.input("data", {5, 8}), b.parameter("p", {5, 8})});
        b.output(b.apply<op::dropout>("dropped", {x}));
        operator_graph forward = finish(std::move(b));
        if (named_mask) name_mask(forward);
        EXPECT_EQ(demand(forward)(named(forward, "dropped")),
                  (operator_work{
                      .product = {}, .lane_cycles = 2 * 40, .read_elements = 40, .written_elements = 40}));
        const operator_graph g = training_graph(forward, {.loss = false});
        const demand of(g);
        EXPECT_EQ(of(named(g, "dropped")), (operator_work{.product = {},
                                                          .lane_cycles = 2 * 40,
                                                          .read_elements = 40,
                                                          .written_elements = 40,
                                                          .written_discrete_bytes = 40}));
        EXPECT_EQ(of(named(g, "dropped.gradient")), (operator_work{.product = {},
                                                                   .lane_cycles = 40,
                                                                   .read_elements = 40,
                                                                   .written_elements = 40,
                                                                   .read_discrete_bytes = 40}));
    }
}

TEST(demand, of_comparisons_and_choices_counts_truth_values_as_bytes) {
    graph_builder b("net", 5);
    const index x = b.apply<op::mul>("x", {b.input("data", {5, 8}), b.parameter("p", {5, 8})});
    const index positive = b.apply<op::greater>("positive", {x, b.scalar("zero", 0)});
    b.output(b.apply<op::where>("chosen", {positive, x, b.parameter("other", {5, 8})}));
    const operator_graph g = training_graph(finish(std::move(b)), {.loss = false});
    const demand of(g);
    EXPECT_EQ(of(named(g, "positive")).written_elements, 0);
    EXPECT_EQ(of(named(g, "positive")).written_discrete_bytes, 40);
    EXPECT_EQ(of(named(g, "chosen")).read_elements, 2 * 40);
    EXPECT_EQ(of(named(g, "chosen")).read_discrete_bytes, 40);
    EXPECT_EQ(of(named(g, "chosen.gradient")).read_elements, 40);
    EXPECT_EQ(of(named(g, "chosen.gradient")).read_discrete_bytes, 40);
}

TEST(demand, of_gradients) {
    graph_builder b("net", 5);
    const index x =
        b.apply<op::exp>("x", {b.apply<op::mul>("s", {b.input("data", {5, 8}), b.parameter("p", {8})})});
    b.output(zoo::linear(b, "layer", x, 8, 6));
    const operator_graph g = training_graph(finish(std::move(b)), {.loss = false});
    const demand of(g);
    const operator_work dx = of(named(g, "layer.gradient.0"));
    EXPECT_EQ(dx.product, (contraction{.batch = 1, .rows = 5, .reduction = 6, .columns = 8}));
    EXPECT_EQ(dx.read_elements, 5 * 6 + 8 * 6);
    EXPECT_EQ(dx.written_elements, 5 * 8);
    EXPECT_EQ(dx.lane_cycles, 0);
    const operator_work dw = of(named(g, "layer.gradient.1"));
    EXPECT_EQ(dw.product, (contraction{.batch = 1, .rows = 8, .reduction = 5, .columns = 6}));
    EXPECT_EQ(dw.read_elements, 5 * 8 + 5 * 6);
    EXPECT_EQ(dw.written_elements, 8 * 6);
    const operator_work bias = of(named(g, "layer.add.gradient"));
    EXPECT_EQ(bias.read_elements, 5 * 6);
    EXPECT_EQ(bias.written_elements, 6);
    EXPECT_GT(bias.lane_cycles, 0);
}

TEST(demand, of_the_bias_of_a_gemm) {
    graph_builder b("net", 5);
    b.output(b.apply<op::gemm>("y", {b.input("x", {5, 8}), b.parameter("w", {8, 6}), b.parameter("b", {6})}));
    const operator_graph g = training_graph(finish(std::move(b)), {.loss = false});
    const demand of(g);
    EXPECT_EQ(of(named(g, "y")).read_elements, 5 * 8 + 8 * 6 + 6);
    EXPECT_EQ(of(named(g, "y")).product_operand_elements, 5 * 8 + 8 * 6);
    const operator_work bias = of(named(g, "y.gradient.2"));
    EXPECT_FALSE(bias.uses_tensor_core());
    EXPECT_EQ(bias.lane_cycles, 5 * 6);
    EXPECT_EQ(bias.written_elements, 6);
}

TEST(demand, of_collectives_changes_with_the_pass) {
    graph_builder b("net", 2);
    const index x = b.apply<op::mat_mul>("x", {b.input("data", {2, 6}), b.parameter("w", {6, 6})});
    b.output(b.apply<op::all_reduce_forward>(
        "g", {b.apply<op::exp>("y", {b.apply<op::all_reduce_backward>("f", {x})})}));
    const operator_graph g = training_graph(finish(std::move(b)), {.loss = false});
    const demand of(g);
    EXPECT_EQ(of(named(g, "g")).reduced_elements, 2 * 6);
    EXPECT_EQ(of(named(g, "g.gradient")), operator_work{});
    EXPECT_EQ(of(named(g, "f")), operator_work{});
    EXPECT_EQ(of(named(g, "f.gradient")).reduced_elements, 2 * 6);
    EXPECT_EQ(of(named(g, "y")).read_elements, 2 * 6); // through the identity
}

/// Groups of neighbours in a training graph: fusing never adds memory traffic, and never changes the cycles;
/// all operations together read the weights and the data, and write the loss and the updated weights.
TEST(demand, of_a_group_is_at_most_that_of_its_parts) {
    constexpr zoo::transformer small{.name = "small",
                                     .layers = 2,
                                     .hidden = 12,
                                     .heads = 3,
                                     .sequence = 5,
                                     .feed_forward = 48,
                                     .vocabulary = 17,
                                     .positions = 5};
    const operator_graph g = training_graph(zoo::gpt(small, 2).value());
    const demand of(g);
    random_source random(11);
    const auto last = static_cast<std::int64_t>(g.operations.size()) - 1;
    for (int round = 0; round < 500; ++round) {
        std::vector<index> group;
        operator_work parts;
        std::size_t products = 0;
        const auto begin = random.integer(0, last);
        for (auto v = begin; v <= std::min(last, begin + random.integer(0, 6)); ++v) {
            const operator_work part = of(static_cast<index>(v));
            products += part.uses_tensor_core() ? 1u : 0u;
            if (products > 1) break;
            group.push_back(static_cast<index>(v));
            parts.lane_cycles += part.lane_cycles;
            parts.read_elements += part.read_elements;
            parts.written_elements += part.written_elements;
            parts.read_discrete_bytes += part.read_discrete_bytes;
            parts.written_discrete_bytes += part.written_discrete_bytes;
        }
        const operator_work work = of(group);
        EXPECT_EQ(work.lane_cycles, parts.lane_cycles);
        EXPECT_LE(work.read_elements, parts.read_elements);
        EXPECT_LE(work.written_elements, parts.written_elements);
        EXPECT_LE(work.read_discrete_bytes, parts.read_discrete_bytes);
        EXPECT_LE(work.written_discrete_bytes, parts.written_discrete_bytes);
        EXPECT_LE(work.product_operand_elements, parts.read_elements);
    }
}

} // namespace
} // namespace dovetail::workload
