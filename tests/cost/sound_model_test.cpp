#include <dovetail/cost/sound_model.hpp>

#include <dovetail/cost/collective.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <laws/latency_model_laws.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace dovetail::cost {
namespace {

using hardware::accelerator;
using hardware::phaze_platform;
using hardware::tpuv4_like;
using test::product_work;
using workload::operator_work;

constexpr sound_model<phaze_platform> sound_price{};

struct narrow_platform : phaze_platform {
    static constexpr double global_words_per_cycle = 100;
};

double all_cores_s(const operator_work& work, const accelerator& chip = tpuv4_like) {
    return sound_price(work, chip, core_mode::all_cores).latency_s();
}

operator_work vector_work(double elements, double cycles_each, double reads_each = 1) {
    operator_work work;
    work.lane_cycles = elements * cycles_each;
    work.read_elements = elements * reads_each;
    work.written_elements = elements;
    return work;
}

// What follows holds the model to what a published one gets wrong.

TEST(sound_model, compute_and_communication_are_both_in_seconds) {
    // 2 * 4096^3 FLOPs at 275 TFLOP/s are half a millisecond; 64 MiB over 4 GiB/s are 1/64 s, twice on a
    // ring.
    const double gemm_s = all_cores_s(product_work({1, 4096, 4096, 4096}));
    EXPECT_GT(gemm_s, 0.5e-3 * 0.99);
    EXPECT_LT(gemm_s, 2e-3);
    EXPECT_DOUBLE_EQ(ring_all_reduce_s(67'108'864, 1'000'000'000, 4'294'967'296.0), 2.0 / 64 * (1 - 1e-9));
}

TEST(sound_model, twice_the_micro_batch_takes_twice_the_time) {
    const double once_s = all_cores_s(product_work({1, 4096, 4096, 11'008}));
    const double twice_s = all_cores_s(product_work({1, 8192, 4096, 11'008}));
    EXPECT_NEAR(twice_s / once_s, 2, 0.01);
}

TEST(sound_model, cores_bring_their_bandwidth) {
    accelerator one = tpuv4_like;
    one.num_tc = 1;
    const operator_work work = product_work({1, 4096, 4096, 4096});
    EXPECT_NEAR(all_cores_s(work, one) / all_cores_s(work), 8, 0.01);
    // As many multiply-accumulates in smaller arrays have more of it, and are faster for it.
    EXPECT_LT(all_cores_s(work, {128, 2, 32, 32, 32, tpuv4_like.glb_bytes}), all_cores_s(work));
}

TEST(sound_model, moves_integers_and_truth_values_in_their_own_size) {
    // A dropout in training: an element in, an element and a byte of mask out.
    operator_work dropout = vector_work(1e8, 2);
    dropout.written_discrete_bytes = 1e8;
    const accelerator wide{1, 4096, 64, 64, 256, 128 << 20};
    const estimate e = sound_price(dropout, wide, core_mode::all_cores);
    EXPECT_EQ(e.bound_by(), bound::hbm);
    EXPECT_DOUBLE_EQ(e.latency_s(), 1e8 * (2 + 2 + 1) / 1.2e12);
    EXPECT_EQ(e.hbm_bytes, 5e8);
    EXPECT_EQ(e.global_bytes, 5e8);
    // It takes as long as half as many elements of two bytes.
    operator_work as_elements = vector_work(1e8, 2);
    as_elements.written_elements += 0.5e8;
    EXPECT_EQ(sound_price(dropout, tpuv4_like, core_mode::all_cores).latency_s(),
              sound_price(as_elements, tpuv4_like, core_mode::all_cores).latency_s());
}

TEST(sound_model, vector_operators_move_their_operands) {
    const estimate add =
        sound_price(vector_work(1e8, 1, 2), {1, 4096, 64, 64, 256, 128 << 20}, core_mode::all_cores);
    EXPECT_EQ(add.bound_by(), bound::hbm);
    EXPECT_DOUBLE_EQ(add.latency_s(), 3e8 * 2 / 1.2e12);
    // Two cores of 64 words a cycle are slower than the memory: 3e8 words over 128 a cycle.
    const estimate few = sound_price(vector_work(1e8, 1, 2), tpuv4_like, core_mode::all_cores);
    EXPECT_EQ(few.bound_by(), bound::local_buffer);
    EXPECT_DOUBLE_EQ(few.latency_s(), 3e8 / 128 / 1.05e9);
}

TEST(sound_model, epilogue_costs_every_element) {
    operator_work fused = product_work({1, 1024, 64, 4096});
    const double plain_s = all_cores_s(fused);
    fused.lane_cycles = 1024.0 * 4096 * 14;
    const estimate e = sound_price(fused, tpuv4_like, core_mode::all_cores);
    EXPECT_EQ(e.vector_s, 1024.0 * 4096 * 14 / 256 * (1.0 / 1.05e9));
    EXPECT_EQ(e.bound_by(), bound::vector_core);
    EXPECT_GT(e.latency_s(), 5 * plain_s);
    // The parts overlap: no longer than the longer of them, and the fill.
    EXPECT_LE(e.latency_s(), e.vector_s + e.fill_s);
}

TEST(sound_model, buffers_hold_bytes) {
    // The weights are 2^26 bytes, which fit into half of 128 MiB; twice of them do not.
    const auto refetches = [](std::int64_t columns) {
        const operator_work work = product_work({1, 100'000, 8192, columns});
        return sound_price(work, tpuv4_like, core_mode::all_cores).hbm_bytes -
               2 * (work.read_elements + work.written_elements);
    };
    EXPECT_EQ(refetches(4096), 0);
    EXPECT_GT(refetches(8192), 0);
}

TEST(sound_model, attention_fetches_the_second_operand_of_every_head) {
    // 32 heads of 4096 x 128 x 4096: as one product with a shared operand it would have 32 times the rows.
    const operator_work heads = product_work({32, 4096, 128, 4096});
    const estimate e = sound_price(heads, tpuv4_like, core_mode::all_cores);
    EXPECT_DOUBLE_EQ(e.hbm_bytes, 2.0 * 32 * (4096.0 * 128 * 2 + 4096.0 * 4096));
    const estimate shared =
        sound_price(product_work({1, 32 * 4096, 128, 4096}), tpuv4_like, core_mode::all_cores);
    EXPECT_LT(shared.hbm_bytes, e.hbm_bytes);
}

TEST(sound_model, link_alone_takes_no_time_of_the_chip) {
    operator_work reduce;
    reduce.reduced_elements = 1e9;
    EXPECT_EQ(all_cores_s(reduce), 0);
}

TEST(sound_model, explains_what_bounds_an_operator) {
    const accelerator small_arrays{128, 2, 32, 32, 32, 128 << 20};
    EXPECT_EQ(sound_price(product_work({1, 8192, 8192, 8192}), small_arrays, core_mode::all_cores).bound_by(),
              bound::tensor_core);
    EXPECT_EQ(sound_model<narrow_platform>{}(product_work({1, 4096, 4096, 4096}), small_arrays,
                                             core_mode::all_cores)
                  .bound_by(),
              bound::global_buffer);
    EXPECT_EQ(sound_price(product_work({1, 4096, 4096, 4096}), tpuv4_like, core_mode::all_cores).bound_by(),
              bound::local_buffer);
    EXPECT_EQ(to_string(bound::hbm), "HBM");
}

// Eight operators that are bound by the HBM each take a core of their own: the schedule would end after one
// of them, and the memory is busy eight times as long.
TEST(sound_model, shared_memories_bound_a_schedule_from_below) {
    const operator_work work = product_work({1, 16, 4096, 4096});
    const estimate alone = sound_price(work, {8, 1, 32, 32, 32, 128 << 20}, core_mode::one_core);
    std::array<estimate, 8> side_by_side;
    side_by_side.fill(alone);
    EXPECT_DOUBLE_EQ(shared_memory_s(side_by_side), 8 * alone.hbm_s);
    EXPECT_GT(alone.hbm_s, 0);
    EXPECT_EQ(shared_memory_s({}), 0);
}

TEST(sound_model, is_a_constant_expression) {
    constexpr double runtime_chip =
        sound_price({.product = {1, 512, 1024, 1024}}, tpuv4_like, core_mode::all_cores).latency_s();
    constexpr double fixed_chip =
        sound_price({.product = {1, 512, 1024, 1024}}, hardware::fix<tpuv4_like>{}, core_mode::all_cores)
            .latency_s();
    static_assert(runtime_chip == fixed_chip && runtime_chip > 0);
    EXPECT_EQ(all_cores_s({.product = {1, 512, 1024, 1024}}), runtime_chip);
}

TEST(collective, ring_sends_all_but_the_own_share_twice) {
    // Step by step: n - 1 steps of reduce-scatter and as many of all-gather, each of a share of the data.
    for (const std::int64_t devices : {1, 2, 3, 8, 1024}) {
        double sent = 0;
        for (std::int64_t step = 0; step < 2 * (devices - 1); ++step)
            sent += 1e9 / static_cast<double>(devices);
        EXPECT_NEAR(ring_all_reduce_s(1e9, devices, 1e8), sent / 1e8, 1e-9) << devices;
    }
    EXPECT_EQ(ring_all_reduce_s(1e9, 1, 1e8), 0);
    EXPECT_EQ(point_to_point_s(1e9, 1e8), 10);
}

TEST(optimizer, keeps_the_published_bytes) {
    EXPECT_EQ(cost_of(optimizer::adam).resident_bytes, 2 + 4 + 4 + 4 + 4);
    EXPECT_EQ(cost_of(optimizer::sgd).resident_bytes, 2 + 2);
    EXPECT_EQ(cost_of(optimizer::momentum).resident_bytes, 2 + 4 + 4 + 4);
    // GPT-3 on eight-way tensor and 16-way pipeline parallelism: 18 bytes x 12 L h^2 / 128 (Korthikanti et
    // al., 2022).
    const double parameters = 12.0 * 96 * 12'288 * 12'288 / 128;
    EXPECT_NEAR(cost_of(optimizer::adam).resident_bytes * parameters / 1073741824.0, 22.78, 0.005);
}

TEST(optimizer, update_is_bound_by_the_memory_or_by_the_lanes) {
    EXPECT_DOUBLE_EQ(
        (update_s<phaze_platform>(optimizer::adam, 1e9, accelerator{1, 4096, 8, 8, 256, 2 << 20})),
        1e9 * 30 / 1.2e12);
    const double one_lane_s =
        update_s<phaze_platform>(optimizer::sgd, 1e9, accelerator{1, 1, 8, 8, 1, 2 << 20});
    EXPECT_DOUBLE_EQ(one_lane_s, 1e9 * 2 / 1.05e9);
    EXPECT_DOUBLE_EQ((update_s<phaze_platform>(optimizer::sgd, 1e9, accelerator{1, 2, 8, 8, 1, 2 << 20})),
                     one_lane_s / 2);
}

TEST(optimizer, is_found_by_name) {
    EXPECT_EQ(find_optimizer("adam").value(), optimizer::adam);
    EXPECT_EQ(find_optimizer("sgd").value(), optimizer::sgd);
    EXPECT_EQ(find_optimizer("momentum").value(), optimizer::momentum);
    const auto unknown = find_optimizer("Adam");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.problem().code, errc::unknown_name);
    EXPECT_EQ(unknown.problem().line(), "optimizer 'Adam': it is not known; known are adam, sgd, momentum");
}

} // namespace
} // namespace dovetail::cost
