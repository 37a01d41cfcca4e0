// Memory, FLOPs and seconds of training plans: closed forms written down again, and laws over random plans.
#include <dovetail/core/random.hpp>
#include <dovetail/cost/graph_prices.hpp>
#include <dovetail/cost/replica_prediction.hpp>
#include <dovetail/cost/training_prediction.hpp>
#include <dovetail/hardware/system_catalogue.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/operators.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::cost {
namespace {

using workload::gpt_shape;
using workload::transformer_shape;

hardware::system a100() { return *hardware::find_system("a100-sxm-80"); }

struct case_of {
    transformer_shape model;
    training_plan plan;
};

// GPTs and plans that fit together, by construction.
std::vector<case_of> random_cases(std::size_t count) {
    random_source random(7);
    const auto pick = [&](std::int64_t low, std::int64_t high) { return random.integer(low, high); };
    std::vector<case_of> all;
    while (all.size() < count) {
        training_plan p{.tensor = std::int64_t{1} << pick(0, 4),
                        .pipeline = pick(1, 8),
                        .data = pick(1, 16),
                        .interleave = pick(1, 3),
                        .micro_batch = pick(1, 8),
                        .recompute = static_cast<recomputation>(pick(0, 2)),
                        .sequence_parallel = pick(0, 1) == 1,
                        .zero = pick(0, 1)};
        if (p.pipeline == 1) p.interleave = 1;
        // Two rounds of micro-batches fill a pipeline, interleaved or not.
        p.global_batch = p.data * p.micro_batch * p.pipeline * pick(2, 8);
        const std::int64_t heads = 16 * pick(1, 6);
        const auto m = gpt_shape(heads * 64 * pick(1, 2), p.pipeline * p.interleave * pick(1, 4), heads,
                                 256 * pick(1, 8), 1000 * pick(1, 60));
        if (validate(p, m)) all.push_back({m, p});
    }
    return all;
}

double real(std::int64_t value) { return static_cast<double>(value); }

TEST(training_memory, is_the_closed_form_of_korthikanti) {
    for (const auto& [m, p] : random_cases(300)) {
        const double s = real(m.sequence), h = real(m.hidden), a = real(m.heads), l = real(m.layers);
        const double t = real(p.tensor), stages = real(p.pipeline), v = real(p.interleave);
        double per_layer = 0;
        if (p.recompute == recomputation::full)
            per_layer = p.sequence_parallel ? 2 / t : 2;
        else if (p.sequence_parallel)
            per_layer = (p.recompute == recomputation::none ? 34 + 5 * a * s / h : 34) / t;
        else
            per_layer = 10 + 24 / t + (p.recompute == recomputation::none ? 5 * a * s / (h * t) : 0);
        const double warm_up = p.interleave > 1 ? 1 + (stages - 1) / (stages * v) : 1;
        const block_memory memory = memory_of(m, p).blocks;
        EXPECT_NEAR(memory.activations / (s * real(p.micro_batch) * h * l * per_layer * warm_up), 1, 1e-12);
        const double weights = 12 * l * h * h / (t * stages);
        EXPECT_DOUBLE_EQ(memory.parameters, 2 * weights);
        EXPECT_DOUBLE_EQ(memory.gradients, 4 * weights);
        EXPECT_DOUBLE_EQ(memory.optimizer, 12 * weights / (p.zero == 1 ? real(p.data) : 1));
        EXPECT_EQ(memory.total(),
                  memory.parameters + memory.gradients + memory.optimizer + memory.activations);
    }
}

TEST(training_memory, holds_no_more_micro_batches_than_there_are) {
    const transformer_shape m = gpt_shape(1024, 8, 16, 512, 1000);
    training_plan p{.pipeline = 8, .micro_batch = 1, .global_batch = 8};
    const double full = memory_of(m, p).blocks.activations;
    p.global_batch = 2;
    EXPECT_DOUBLE_EQ(memory_of(m, p).blocks.activations, full / 4);
}

TEST(training_flops, are_the_equations_of_the_papers) {
    for (const auto& [m, p] : random_cases(100)) {
        const double b = real(p.global_batch), s = real(m.sequence), h = real(m.hidden);
        const double l = real(m.layers), v = real(m.vocabulary);
        const iteration_flops count = count_flops(m, p);
        const double once = 72 * b * s * l * h * h * (1 + s / (6 * h) + v / (12 * h * l));
        const double again = 96 * b * s * l * h * h * (1 + s / (6 * h) + v / (16 * h * l));
        EXPECT_NEAR(count.model / once, 1, 1e-12);
        if (p.recompute == recomputation::full) {
            EXPECT_NEAR(count.hardware / again, 1, 1e-12);
        }
        if (p.recompute == recomputation::none) {
            EXPECT_EQ(count.hardware, count.model);
        }
        if (p.recompute == recomputation::selective) {
            EXPECT_NEAR((count.hardware - count.model) / (4 * b * s * s * h * l), 1, 1e-9);
        }
    }
}

TEST(training_prediction, keeps_its_laws) {
    const hardware::system machine = a100();
    for (const auto& [m, p] : random_cases(300)) {
        const training_prediction one = predict_training(m, p, machine);
        const iteration_breakdown& t = one.time;
        EXPECT_EQ(one.iteration_s(), t.compute + t.tensor_comm + t.pipeline_bubble + t.pipeline_comm +
                                         t.data_comm + t.optimizer);
        for (const double part : {t.compute, t.optimizer}) EXPECT_GT(part, 0);
        EXPECT_EQ(t.tensor_comm > 0, p.tensor > 1);
        EXPECT_EQ(t.pipeline_bubble > 0, p.pipeline > 1);
        EXPECT_EQ(t.pipeline_comm > 0, p.pipeline > 1);
        EXPECT_EQ(t.data_comm > 0, p.data > 1 || p.pipeline > 1);
        EXPECT_GT(one.mfu, 0);
        EXPECT_LE(one.mfu, one.hfu);
        EXPECT_LE(one.hfu, 1);
        EXPECT_EQ(one.mfu == one.hfu, p.recompute == recomputation::none);

        // More devices for the same work never compute longer.
        training_plan replicas = p;
        replicas.data *= 2;
        replicas.global_batch *= 2;
        EXPECT_DOUBLE_EQ(predict_training(m, replicas, machine).time.compute, t.compute);
        replicas.global_batch = p.global_batch;
        if (validate(replicas, m)) {
            EXPECT_LE(predict_training(m, replicas, machine).time.compute, t.compute * 0.5001);
        }
        training_plan wider = p;
        wider.tensor *= 2;
        if (validate(wider, m)) {
            EXPECT_LE(predict_training(m, wider, machine).time.compute, t.compute * (1 + 1e-9));
        }
        training_plan longer = p;
        longer.pipeline *= 2;
        if (validate(longer, m)) {
            EXPECT_LE(predict_training(m, longer, machine).time.compute, t.compute * (1 + 1e-9));
        }

        // What is computed again costs time and saves memory, the more the more it is.
        training_plan kept = p;
        double seconds = 0, bytes = 1e300;
        for (const auto r : {recomputation::none, recomputation::selective, recomputation::full}) {
            kept.recompute = r;
            const training_prediction with = predict_training(m, kept, machine);
            const double busy_s = with.time.compute + with.time.tensor_comm;
            EXPECT_GT(busy_s, seconds);
            EXPECT_LT(with.memory.blocks.activations, bytes);
            seconds = busy_s;
            bytes = with.memory.blocks.activations;
        }

        training_plan shared = p;
        shared.zero = 1;
        training_plan whole = p;
        whole.zero = 0;
        EXPECT_NEAR(predict_training(m, whole, machine).time.optimizer,
                    predict_training(m, shared, machine).time.optimizer * real(p.data), 1e-12);
    }
}

// Only products cost something: stages are equal where the vocabulary is small.
struct flops_only {
    double matmul_s(std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k) const {
        return 2e-15 * real(batch) * real(m) * real(n) * real(k);
    }
    double byte_s() const { return 0; }
    double update_byte_s() const { return 0; }
    double call_s() const { return 0; }
};

TEST(training_prediction, has_the_bubble_of_the_schedule) {
    const hardware::system machine = a100();
    const transformer_shape m = gpt_shape(2048, 48, 16, 1024, 1);
    const transformer_prices prices = price_transformer(flops_only{}, machine.links, m, 1, 1, false);
    for (const std::int64_t stages : {2, 4, 8})
        for (const std::int64_t chunks : {1, 2, 3})
            for (const std::int64_t rounds : {1, 4}) {
                const training_plan p{
                    .pipeline = stages, .interleave = chunks, .global_batch = stages * rounds};
                const iteration_breakdown t = predict_training(m, prices, p, machine).time;
                EXPECT_NEAR(t.pipeline_bubble / t.compute,
                            real(stages - 1) / real(chunks * p.micro_batches()), 1e-3);
                // Work is three forward passes of products, whatever the stages.
                EXPECT_NEAR(t.compute * real(stages) / (1e-15 * count_flops(m, p).model), 1, 1e-3);
            }
}

TEST(training_prediction, prices_tensor_parallelism_by_the_network_that_it_crosses) {
    const hardware::system machine = a100();
    const transformer_shape m = gpt_shape(8192, 48, 64, 2048, 51200);
    const auto comm_s = [&](std::int64_t t, const hardware::system& on) {
        const training_plan p{.tensor = t, .micro_batch = 4, .global_batch = 64};
        return predict_training(m, p, on).time.tensor_comm;
    };
    // Inside a node, the bytes that a rank sends grow as (t - 1) / t; the adapters outside are slower.
    EXPECT_LT(comm_s(8, machine), 1.3 * comm_s(4, machine));
    EXPECT_GT(comm_s(16, machine), 1.2 * comm_s(8, machine));
    // Half of the adapters take up to twice the time, where there is more than one node.
    hardware::system half = machine;
    half.links.levels[1].unit_bytes_per_s /= 2;
    EXPECT_EQ(comm_s(8, half), comm_s(8, machine));
    EXPECT_GT(comm_s(16, half), 1.7 * comm_s(16, machine));
    EXPECT_LT(comm_s(16, half), 2 * comm_s(16, machine));
}

TEST(training_prediction, waits_for_the_host_on_small_work) {
    const hardware::system machine = a100();
    const transformer_shape m = gpt_shape(256, 12, 4, 64, 1000);
    const training_plan p{.micro_batch = 1, .global_batch = 4};
    const auto seconds = [&](double call_s) {
        const transformer_prices prices =
            price_transformer(system_kernels{machine, call_s}, machine.links, m, 1, 1, false);
        return predict_training(m, prices, p, machine).time.compute;
    };
    EXPECT_NEAR(seconds(100e-6) / seconds(50e-6), 2, 1e-9);
}

TEST(replica_prediction, counts_what_the_graph_has) {
    const hardware::system machine = a100();
    workload::graph_builder b("perceptron", 4);
    const workload::index x = b.input("x", {4, 512});
    const workload::index hidden =
        b.apply<workload::op::mat_mul>("first", {x, b.parameter("first.weight", {512, 1024})});
    b.output(b.apply<workload::op::mat_mul>("second", {hidden, b.parameter("second.weight", {1024, 8})}));
    const workload::operator_graph graph = *std::move(b).finish();
    const graph_prices prices = *price_graph(flops_only{}, graph);
    EXPECT_EQ(prices.parameters, 512 * 1024 + 1024 * 8);
    // Data has no gradient: two products for the first weight, three for the second.
    const double flops = 2.0 * 4 * (2 * 512 * 1024 + 3 * 1024 * 8);
    EXPECT_EQ(prices.flops, flops);
    EXPECT_DOUBLE_EQ(prices.step.kernels_s, 1e-15 * flops);

    training_plan p{.data = 4, .micro_batch = 4, .global_batch = 64};
    const training_prediction all = predict_replicas(prices, p, machine);
    EXPECT_DOUBLE_EQ(all.time.compute, 4 * 1e-15 * flops);
    EXPECT_GT(all.time.data_comm, 0);
    EXPECT_EQ(all.time.pipeline_comm + all.time.tensor_comm + all.time.pipeline_bubble, 0);
    EXPECT_EQ(all.memory.blocks.parameters, 2 * prices.parameters);
    EXPECT_EQ(all.memory.blocks.optimizer, 12 * prices.parameters);
    p.zero = 1;
    EXPECT_EQ(predict_replicas(prices, p, machine).memory.blocks.optimizer, 3 * prices.parameters);
    EXPECT_TRUE(validate_replicas(p));
    p.tensor = 2;
    const auto refused = validate_replicas(p);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().code, errc::unsupported);
    EXPECT_EQ(refused.problem().place, "option --tp");
}

TEST(replica_prediction, keeps_tokens_and_masks_in_their_own_bytes) {
    workload::graph_builder b("words", 4);
    const workload::index tokens = b.input("tokens", {4}, workload::element_type::int64);
    const workload::index words =
        b.apply<workload::op::gather>("words", {b.parameter("table", {50, 8}), tokens});
    const workload::index dropped = b.apply<workload::op::dropout>("dropped", {words});
    b.output(b.apply<workload::op::mat_mul>("scores", {dropped, b.parameter("weight", {8, 2})}));
    const workload::operator_graph graph = *std::move(b).finish();
    // Four tokens, a mask of 4 x 8, and the operand of the product.
    EXPECT_EQ(price_graph(flops_only{}, graph)->activation_bytes, 4 * 8 + 4 * 8 + 2 * 4 * 8);
}

constexpr hardware::system first = hardware::known_systems[1];
constexpr training_plan eight{.tensor = 8, .micro_batch = 4, .global_batch = 4};
static_assert(predict_training(gpt_shape(6144, 48, 64, 2048, 51200), eight, first).iteration_s() > 0,
              "a plan is predicted at compile time");

TEST(training_plan, refuses_what_does_not_divide) {
    const transformer_shape good = gpt_shape(1024, 24, 16, 512, 1000);
    const training_plan fits{.tensor = 4, .pipeline = 4, .data = 2, .micro_batch = 2, .global_batch = 32};
    ASSERT_TRUE(validate(fits, good));
    struct refusal {
        std::function<void(training_plan&, transformer_shape&)> change;
        errc code;
        std::string_view place;
    };
    const std::array refusals{
        refusal{[](auto& p, auto&) { p.tensor = 3; }, errc::shape, "option --tp"},
        refusal{[](auto& p, auto&) { p.tensor = 0; }, errc::out_of_range, "option --tp"},
        refusal{[](auto& p, auto&) { p.pipeline = 5; }, errc::shape, "option --pp"},
        refusal{[](auto& p, auto&) { p.interleave = 4; }, errc::shape, "option --pp"},
        refusal{[](auto& p, auto&) { p.data = -1; }, errc::out_of_range, "option --dp"},
        refusal{[](auto& p, auto&) { p.global_batch = 33; }, errc::shape, "option --global-batch"},
        refusal{[](auto& p, auto&) { p.micro_batch = 3; }, errc::shape, "option --global-batch"},
        refusal{[](auto& p, auto&) { p.global_batch = std::int64_t{1} << 40; }, errc::out_of_range,
                "option --global-batch"},
        refusal{[](auto& p, auto&) { p.interleave = 2, p.global_batch = 24; }, errc::shape,
                "option --interleave"},
        refusal{[](auto& p, auto& m) { p.micro_batch = 2048, p.global_batch = 4096, m.sequence = 1 << 27; },
                errc::overflow, "option --micro-batch"},
        refusal{[](auto& p, auto&) { p.zero = 3; }, errc::unsupported, "option --zero"},
        refusal{[](auto& p, auto& m) { p.sequence_parallel = true, m.sequence = 510; }, errc::shape,
                "option --tp"},
        refusal{[](auto&, auto& m) { m.key_value_heads = 2; }, errc::shape, "option --tp"},
        refusal{[](auto&, auto& m) { m.heads = 24; }, errc::shape, "model"},
        refusal{[](auto&, auto& m) { m.key_value_heads = 3; }, errc::shape, "model"},
        refusal{[](auto&, auto& m) { m.vocabulary = 0; }, errc::out_of_range, "model"}};
    for (const refusal& r : refusals) {
        training_plan p = fits;
        transformer_shape m = good;
        r.change(p, m);
        const auto refused = validate(p, m);
        ASSERT_FALSE(refused) << r.place;
        EXPECT_EQ(refused.problem().code, r.code) << refused.problem().line();
        EXPECT_EQ(refused.problem().place, r.place) << refused.problem().line();
    }
}

} // namespace
} // namespace dovetail::cost
