#include <dovetail/workload/training.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/gradient.hpp>
#include <dovetail/workload/validate.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

constexpr zoo::transformer small{.name = "small",
                                 .layers = 3,
                                 .hidden = 12,
                                 .heads = 3,
                                 .sequence = 5,
                                 .feed_forward = 48,
                                 .vocabulary = 17,
                                 .positions = 5};

double macs(const operator_graph& g, phase part) {
    double sum = 0;
    for (const operation& op : g.operations)
        if (op.phase == part) sum += product_of(g, op).macs();
    return sum;
}

std::size_t count(const operator_graph& g, auto predicate) {
    return static_cast<std::size_t>(std::count_if(g.operations.begin(), g.operations.end(), predicate));
}

/// Two linear layers on data: nobody needs the gradient of the data.
operator_graph two_layers() {
    graph_builder b("net", 4);
    const index x = b.input("x", {4, 8});
    const index hidden =
        b.apply<op::relu>("act", {b.apply<op::mat_mul>("first", {x, b.parameter("w1", {8, 16})})});
    b.output(b.apply<op::mat_mul>("second", {hidden, b.parameter("w2", {16, 10})}));
    return std::move(b).finish().value();
}

TEST(training_graph, leaves_out_the_gradient_of_the_data) {
    const operator_graph training = training_graph(two_layers());
    EXPECT_EQ(macs(training, phase::forward), 4 * 8 * 16 + 4 * 16 * 10);
    EXPECT_EQ(macs(training, phase::weight_gradient), 4 * 8 * 16 + 4 * 16 * 10);
    EXPECT_EQ(macs(training, phase::input_gradient), 4 * 16 * 10);
    EXPECT_EQ(count(training, [](const operation& op) { return op.phase == phase::update; }), 2u);
}

TEST(training_graph, multiplies_by_the_other_operand) {
    const operator_graph forward = two_layers();
    const operator_graph training = training_graph(forward);
    for (const operation& op : training.operations) {
        if (op.phase == phase::forward || op.type != type_of<op::mat_mul>) continue;
        const operation& source = training.operations[op.forward];
        ASSERT_EQ(op.inputs.size(), 2u);
        EXPECT_EQ(op.inputs[op.operand == 0 ? 1 : 0], source.inputs[op.operand == 0 ? 1 : 0]);
        // The gradient of Y is the other one, and the result has the shape of the operand.
        EXPECT_EQ(training.tensors[op.inputs[op.operand == 0 ? 0 : 1]].dims,
                  training.tensors[source.outputs[0]].dims);
        EXPECT_EQ(training.tensors[op.outputs[0]].dims, training.tensors[source.inputs[op.operand]].dims);
    }
}

TEST(training_graph, keeps_the_forward_graph_in_front) {
    const operator_graph forward = zoo::gpt(small, 2).value();
    const operator_graph training = training_graph(forward);
    ASSERT_TRUE(validate(training).has_value());
    std::size_t masks = 0;
    for (std::size_t v = 0; v < forward.operations.size(); ++v) {
        std::vector<index> results = training.operations[v].outputs;
        EXPECT_EQ(training.operations[v].phase, phase::forward);
        // What the gradient of a dropout reads is a result of it.
        if (training.operations[v].type == type_of<op::dropout>) {
            ASSERT_EQ(results.size(), 2u);
            const tensor& mask = training.tensors[results.back()];
            EXPECT_EQ(mask.type, element_type::boolean);
            EXPECT_EQ(mask.dims, training.tensors[results.front()].dims);
            results.pop_back();
            ++masks;
        }
        EXPECT_EQ(results, forward.operations[v].outputs);
    }
    EXPECT_EQ(masks, 1 + 3 * static_cast<std::size_t>(small.layers));
    // Operands first, so that the list is an execution order.
    const std::vector<index> producer = producers(training);
    for (index v = 0; v < training.operations.size(); ++v)
        for (const index t : training.operations[v].inputs)
            EXPECT_TRUE(t == none || producer[t] == none || producer[t] < v);
}

TEST(training_graph, costs_three_forward_passes_where_every_operand_needs_a_gradient) {
    for (const operator_graph& forward : {zoo::gpt(small, 2).value(), zoo::bert(small, 2).value()}) {
        const operator_graph training = training_graph(forward);
        const double all = macs(training, phase::input_gradient) + macs(training, phase::weight_gradient);
        EXPECT_EQ(macs(training, phase::forward), count_macs(forward));
        EXPECT_EQ(all, 2 * count_macs(forward));
        // Both operands of the scores and of the context are activations.
        const double attention = 2.0 * 2 * 3 * 5 * 5 * 12;
        EXPECT_EQ(macs(training, phase::weight_gradient), count_macs(forward) - attention);
    }
}

TEST(training_graph, gives_every_operand_a_gradient_of_its_shape) {
    const operator_graph training = training_graph(zoo::bert(small, 2).value());
    for (const operation& op : training.operations) {
        if (op.phase != phase::input_gradient && op.phase != phase::weight_gradient) continue;
        if (is_accumulation(op)) {
            for (const index t : op.inputs)
                EXPECT_EQ(training.tensors[t].dims, training.tensors[op.outputs[0]].dims);
            continue;
        }
        const operation& source = training.operations[op.forward];
        EXPECT_EQ(op.type, source.type);
        for (const index t : op.outputs)
            EXPECT_TRUE(std::any_of(source.inputs.begin(), source.inputs.end(), [&](index x) {
                return x != none && training.tensors[x].dims == training.tensors[t].dims;
            })) << op.name;
    }
}

TEST(training_graph, updates_every_parameter_once) {
    const operator_graph training = training_graph(zoo::gpt(small, 1).value());
    std::vector<int> updates(training.tensors.size());
    for (const operation& op : training.operations) {
        if (op.phase != phase::update) continue;
        ++updates[op.inputs[0]];
        EXPECT_EQ(training.tensors[op.inputs[1]].dims, training.tensors[op.inputs[0]].dims);
        EXPECT_NE(op.forward, none);
    }
    for (std::size_t t = 0; t < training.tensors.size(); ++t)
        EXPECT_EQ(updates[t], training.tensors[t].role == tensor_role::parameter ? 1 : 0);
}

TEST(training_graph, adds_up_the_gradients_of_a_tied_embedding) {
    const operator_graph training = training_graph(zoo::gpt(small, 1).value());
    const auto named = [&](const char* name) {
        return std::find_if(training.operations.begin(), training.operations.end(),
                            [&](const operation& op) { return op.name == name; });
    };
    const auto sum = named("embedding.word.gradient.sum");
    ASSERT_NE(sum, training.operations.end());
    EXPECT_EQ(sum->phase, phase::weight_gradient);
    ASSERT_EQ(sum->inputs.size(), 2u);
    const std::vector<index> producer = producers(training);
    std::vector<operator_type> types;
    for (const index t : sum->inputs) types.push_back(training.operations[producer[t]].type);
    std::sort(types.begin(), types.end());
    std::vector expected{type_of<op::gather>, type_of<op::transpose>};
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(types, expected);
}

TEST(training_graph, passes_the_gradient_of_a_residual_sum_on) {
    // x + relu(x w): the sum needs no operation, x adds up two contributions.
    graph_builder b("net", 2);
    const index x = b.apply<op::mat_mul>("x", {b.input("data", {2, 6}), b.parameter("w0", {6, 6})});
    const index y = b.apply<op::relu>("y", {b.apply<op::mat_mul>("xw", {x, b.parameter("w", {6, 6})})});
    b.output(b.apply<op::add>("sum", {x, y}));
    const operator_graph training = training_graph(std::move(b).finish().value());
    EXPECT_EQ(count(training, [](const operation& op) { return op.type == type_of<op::add>; }), 1u);
    const auto sums = count(training, is_accumulation);
    EXPECT_EQ(sums, 1u);
}

TEST(training_graph, without_a_loss_takes_the_gradient_as_data) {
    const operator_graph forward = two_layers();
    const operator_graph training = training_graph(forward, {.loss = false});
    EXPECT_EQ(count(training, [](const operation& op) { return op.phase == phase::forward; }),
              forward.operations.size());
    const auto seeds = std::count_if(training.tensors.begin(), training.tensors.end(), [](const tensor& t) {
        return t.role == tensor_role::input && t.name == "second.gradient" && t.dims == dimensions{4, 10};
    });
    EXPECT_EQ(seeds, 1);
    EXPECT_EQ(macs(training, phase::weight_gradient), 4 * 8 * 16 + 4 * 16 * 10);
}

TEST(training_graph, of_a_model_without_parameters_has_no_backward_pass) {
    graph_builder b("net", 2);
    b.output(b.apply<op::relu>("y", {b.input("x", {2, 3})}));
    const operator_graph training = training_graph(std::move(b).finish().value());
    EXPECT_EQ(count(training, [](const operation& op) { return op.phase != phase::forward; }), 0u);
}

TEST(training_graph, swaps_the_collectives) {
    graph_builder b("net", 2);
    const index x = b.apply<op::mat_mul>("x", {b.input("data", {2, 6}), b.parameter("w", {6, 6})});
    b.output(b.apply<op::all_reduce_forward>("y", {b.apply<op::all_reduce_backward>("f", {x})}));
    const operator_graph training = training_graph(std::move(b).finish().value());
    const auto backward = [&](operator_type type) {
        return count(training, [&](const operation& op) {
            return op.type == type && op.phase == phase::input_gradient;
        });
    };
    EXPECT_EQ(backward(type_of<op::all_reduce_forward>), 1u);
    EXPECT_EQ(backward(type_of<op::all_reduce_backward>), 1u);
}

TEST(training_labels, follow_the_forward_operations) {
    const operator_graph forward = two_layers();
    const operator_graph training = training_graph(forward);
    const std::vector<index> labels = training_labels(training, std::vector<index>{0, 0, 7});
    ASSERT_EQ(labels.size(), training.operations.size());
    for (std::size_t v = 0; v < labels.size(); ++v) {
        const operation& op = training.operations[v];
        const bool second =
            op.name.starts_with("second") || op.name.starts_with("w2") || op.name.starts_with("loss");
        EXPECT_EQ(labels[v], second ? 7u : 0u) << op.name;
    }
}

/// Random batched products: the gradient of an operand has its elements, and the multiply-accumulates of the
/// product; reducing over what the operand does not have.
TEST(product_of, gives_each_operand_a_gradient_of_its_size) {
    random_source random(7);
    const auto extent = [&] { return random.integer(1, 4); };
    for (int round = 0; round < 200; ++round) {
        const std::int64_t outer = extent();
        const std::int64_t inner = extent();
        const std::int64_t m = extent(), k = extent(), n = extent();
        const std::vector<dimensions> left{{m, k}, {inner, m, k}, {outer, inner, m, k}};
        const std::vector<dimensions> right{{k, n}, {inner, k, n}, {outer, inner, k, n}};
        graph_builder b("product", 1);
        const index a = b.parameter("a", left[static_cast<std::size_t>(random.integer(0, 2))]);
        const index c = b.parameter("b", right[static_cast<std::size_t>(random.integer(0, 2))]);
        b.output(b.apply<op::mat_mul>("y", {a, c}));
        const operator_graph training = training_graph(std::move(b).finish().value(), {.loss = false});
        const double forward = product_of(training, training.operations[0]).macs();
        EXPECT_EQ(forward,
                  static_cast<double>(training.tensors[training.operations[0].outputs[0]].elements() * k));
        for (const operation& op : training.operations) {
            if (op.phase != phase::weight_gradient) continue;
            const contraction p = product_of(training, op);
            EXPECT_EQ(p.macs(), forward);
            EXPECT_EQ(p.batch * p.rows * p.columns, training.tensors[op.outputs[0]].elements());
        }
    }
}

TEST(product_of, a_convolution_is_its_implicit_product_throughout) {
    graph_builder b("net", 2);
    const index x = b.apply<op::relu>(
        "x",
        {b.apply<op::add>("shifted", {b.input("image", {2, 4, 9, 9}), b.parameter("shift", {1, 4, 1, 1})})});
    attribute_set settings;
    settings.set("group", std::int64_t{2});
    settings.set("strides", std::vector<std::int64_t>{2, 2});
    settings.set("kernel_shape", std::vector<std::int64_t>{3, 3});
    b.output(b.apply<op::conv>("y", {x, b.parameter("w", {6, 2, 3, 3}), b.parameter("bias", {6})}, settings));
    const operator_graph training = training_graph(std::move(b).finish().value(), {.loss = false});
    std::vector<contraction> products;
    std::size_t biases = 0;
    for (const operation& op : training.operations) {
        if (op.type != type_of<op::conv>) continue;
        if (op.operand == 2)
            ++biases;
        else
            products.push_back(product_of(training, op));
    }
    // 4 x 4 positions of two images, 2 groups of 3 filters over 2 channels x 9 taps.
    const std::vector<contraction> expected{{.batch = 2, .rows = 32, .reduction = 18, .columns = 3},
                                            {.batch = 2, .rows = 32, .reduction = 3, .columns = 18},
                                            {.batch = 2, .rows = 18, .reduction = 32, .columns = 3}};
    EXPECT_EQ(products, expected);
    EXPECT_EQ(biases, 1u);
}

TEST(saved_tensors, keep_a_factor_only_for_the_other_factor) {
    graph_builder b("net", 2);
    const index x = b.apply<op::mat_mul>("x", {b.input("data", {2, 6}), b.parameter("w", {6, 6})});
    const index scaled = b.apply<op::mul>("scaled", {x, b.scalar("two", 2)});
    const index squared = b.apply<op::mul>("squared", {scaled, scaled});
    b.output(squared);
    const operator_graph g = std::move(b).finish().value();
    const std::vector<bool> needs = needs_gradient(g, execution_order(g));
    const auto kept = [&](index v) { return saved_tensors(g, g.operations[v], needs); };
    EXPECT_EQ(kept(0), std::vector<index>{g.operations[0].inputs[0]});
    EXPECT_EQ(kept(1), std::vector<index>{g.operations[1].inputs[1]});
    EXPECT_EQ(kept(2), (std::vector<index>{scaled, scaled}));
}

} // namespace
} // namespace dovetail::workload
