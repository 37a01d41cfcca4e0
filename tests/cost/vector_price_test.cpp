#include <dovetail/cost/vector_price.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/cost/operator_price.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/demand.hpp>
#include <dovetail/workload/training.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace dovetail::cost {
namespace {

using hardware::accelerator;
using hardware::phaze_platform;

constexpr sound_model<phaze_platform> sound{};
constexpr double clock_hz = phaze_platform::clock_hz;

constexpr accelerator vector_chip(std::int64_t cores, std::int64_t lanes,
                                  std::int64_t glb_bytes = 128 << 20) {
    return {
        .num_tc = 1, .num_vc = cores, .width = 128, .depth = 128, .width_vc = lanes, .glb_bytes = glb_bytes};
}

estimate on_all(const row_operator& op, const accelerator& chip) {
    return price_rows<phaze_platform>(op, chip, core_mode::all_cores);
}

double cycles(double seconds) { return seconds * clock_hz; }

// The machine, lane by lane: every lane takes each t-th element; then, level by level, the lanes that hold a
// partial result hand it to a neighbour, until one is left.
double cycles_of_a_row_by_hand(const row_operator& op, std::int64_t team) {
    std::vector<std::int64_t> elements(static_cast<std::size_t>(team));
    for (std::int64_t i = 0; i < op.length; ++i) ++elements[static_cast<std::size_t>(i % team)];
    std::int64_t holders = 0;
    for (const std::int64_t count : elements) holders += count > 0;
    int levels = 0;
    for (; holders > 1; holders -= holders / 2) ++levels;
    const std::int64_t slowest = *std::max_element(elements.begin(), elements.end());
    return static_cast<double>(slowest) * op.element_cycles + levels * op.level_cycles + op.row_cycles;
}

row_operator random_rows(random_source& random, int log_rows = 12, int log_length = 15) {
    const auto extent = [&](int log2) {
        return random.integer(1, std::int64_t{1} << random.integer(0, log2));
    };
    const std::int64_t rows = extent(log_rows);
    const std::int64_t length = extent(log_length);
    switch (random.integer(0, 7)) {
    case 0:
        return softmax(rows, length);
    case 1:
        return online_softmax(rows, length);
    case 2:
        return layer_normalization(rows, length);
    case 3:
        return rms_normalization(rows, length);
    case 4:
        return reduction(rows, length);
    case 5:
        return layer_normalization_gradient(rows, length);
    case 6:
        return embedding<phaze_platform>(rows, extent(10), length);
    default:
        return elementwise(rows * length, static_cast<double>(random.integer(1, 30)), 2);
    }
}

accelerator random_chip(random_source& random, int log_lanes) {
    return vector_chip(random.integer(1, 1 << random.integer(0, 5)),
                       std::int64_t{1} << random.integer(1, log_lanes),
                       std::int64_t{1} << random.integer(12, 27));
}

TEST(vector_price, a_reduction_takes_its_passes_and_a_tree) {
    // One row of 1,000 on 64 lanes: 16 elements each, then six levels.
    EXPECT_DOUBLE_EQ(cycles(on_all(reduction(1, 1000), vector_chip(1, 64)).vector_s), 16 + 6);
    // 64 rows: a lane each, no tree.
    EXPECT_DOUBLE_EQ(cycles(on_all(reduction(64, 1000), vector_chip(1, 64)).vector_s), 1000);
    // 32 rows: teams of two, 500 elements and one level.
    EXPECT_DOUBLE_EQ(cycles(on_all(reduction(32, 1000), vector_chip(1, 64)).vector_s), 500 + 1);
    // 65 rows of 8 elements: a lane each takes a second round for one row, 16 cycles; teams of two take three
    // rounds of 4 + 1; teams of eight nine rounds of 1 + 3.
    EXPECT_DOUBLE_EQ(cycles(on_all(reduction(65, 8), vector_chip(1, 64)).vector_s), 3 * (4 + 1));
    EXPECT_EQ(tree_levels(1), 0);
    EXPECT_EQ(tree_levels(2), 1);
    EXPECT_EQ(tree_levels(5), 3);
    EXPECT_EQ(tree_levels(64), 6);
}

TEST(vector_price, a_row_is_walked_over_once_where_it_is_kept) {
    // A core of 128 lanes keeps 512 elements in half of its 2,048 bytes; rows of 512 on all lanes, one a
    // core.
    const accelerator chip = vector_chip(2, 128);
    const row_walk<phaze_platform> kept(softmax(1024, 512), 2, 128, chip.glb_bytes);
    const estimate once = kept({.team = 128, .in_flight = 2});
    EXPECT_EQ(once.global_bytes, 2.0 * (2 * 1024 * 512));
    EXPECT_EQ(once.hbm_bytes, once.global_bytes);
    EXPECT_DOUBLE_EQ(cycles(once.vector_s), 512 * (4.0 * 28 + 2 * 7));
    // Longer by one element, it comes from the global buffer in each of the three passes, and the
    // exponentials are made again; the HBM still gives it once.
    const row_walk<phaze_platform> longer(softmax(1024, 513), 2, 128, chip.glb_bytes);
    const estimate again = longer({.team = 128, .in_flight = 2});
    EXPECT_EQ(again.global_bytes, 2.0 * (3 + 1) * 1024 * 513);
    EXPECT_EQ(again.hbm_bytes, 2.0 * 2 * 1024 * 513);
    EXPECT_DOUBLE_EQ(cycles(again.vector_s), 512 * (5.0 * (28 + 16) + 2 * 7));
    // A global buffer that holds no two rows sends every pass to the HBM.
    const row_walk<phaze_platform> nowhere(softmax(1024, 513), 2, 128, 4 * 1025);
    EXPECT_EQ(nowhere({.team = 128, .in_flight = 2}).hbm_bytes, 2.0 * (3 + 1) * 1024 * 513);
}

TEST(vector_price, an_online_softmax_trades_reads_for_exponentials) {
    // A row is more than the 64 x 1,024 elements that the local buffers keep: two reads instead of three.
    const accelerator chip = vector_chip(64, 256, 4096);
    const std::int64_t length = 100'000;
    const estimate three = on_all(softmax(64, length), chip);
    const estimate two = on_all(online_softmax(64, length), chip);
    EXPECT_DOUBLE_EQ(three.hbm_bytes / two.hbm_bytes, 4.0 / 3);
    EXPECT_EQ(three.bound_by(), bound::hbm);
    EXPECT_LT(two.latency_s(), three.latency_s());
    // Where lanes are the bottleneck, the exponentials lose.
    EXPECT_GT(on_all(online_softmax(4096, 256), vector_chip(1, 128)).latency_s(),
              on_all(softmax(4096, 256), vector_chip(1, 128)).latency_s());
}

TEST(vector_price, regimes_meet_at_the_crossover) {
    // 8 x 256 lanes: an element of one operand and one result takes 4 bytes / 1.2 TB/s, which is as long as
    // 4 / 1.2e12 * f * 2048 = 7.168 lane cycles. The local buffers would take 2 / 512 of a cycle, longer.
    const std::int64_t elements = 1 << 24;
    const accelerator chip = vector_chip(64, 32, 128 << 20);
    const double crossover = 4 / phaze_platform::hbm_bytes_per_s * clock_hz * 64 * 32;
    EXPECT_NEAR(crossover, 7.168, 1e-9);
    const estimate below = on_all(elementwise(elements, 7), chip);
    const estimate above = on_all(elementwise(elements, 8), chip);
    EXPECT_EQ(below.bound_by(), bound::hbm);
    EXPECT_EQ(above.bound_by(), bound::vector_core);
    EXPECT_DOUBLE_EQ(below.latency_s(), elements * 4.0 / 1.2e12);
    EXPECT_DOUBLE_EQ(above.latency_s(), elements * 8.0 / (64 * 32) / clock_hz);
    const estimate at = on_all(elementwise(elements, crossover), chip);
    EXPECT_NEAR(at.hbm_s, at.vector_s, at.hbm_s * 1e-12);
}

// A product of reduction K keeps the arrays busy for K cycles a unit while its epilogue keeps the lanes busy
// for c cycles an element: they meet at c = K * lanes / MACs a cycle.
TEST(vector_price, an_epilogue_is_free_until_the_lanes_are_slower_than_the_arrays) {
    const accelerator chip{
        .num_tc = 1, .num_vc = 1, .width = 32, .depth = 32, .width_vc = 32, .glb_bytes = 128 << 20};
    workload::operator_work work;
    work.product = {1, 4096, 1024, 1024};
    work.product_operand_elements = 1024.0 * (4096 + 1024);
    work.product_result_elements = 4096.0 * 1024;
    work.read_elements = work.product_operand_elements;
    work.written_elements = work.product_result_elements;
    const double plain_s = sound(work, chip, core_mode::all_cores).latency_s();
    constexpr double crossover = 1024.0 * 32 / (32 * 32);
    work.lane_cycles = (crossover - 1) * work.product_result_elements;
    const estimate below = sound(work, chip, core_mode::all_cores);
    EXPECT_EQ(below.bound_by(), bound::tensor_core);
    EXPECT_EQ(below.latency_s(), plain_s);
    work.lane_cycles = (crossover + 1) * work.product_result_elements;
    const estimate above = sound(work, chip, core_mode::all_cores);
    EXPECT_EQ(above.bound_by(), bound::vector_core);
    EXPECT_DOUBLE_EQ(above.vector_s, work.lane_cycles / 32 / clock_hz);
}

TEST(vector_price, a_look_up_reads_the_rows_that_occur) {
    // 8,192 tokens of a vocabulary of 50,257, and of one of 1,000.
    // A token is four words.
    using P = phaze_platform;
    EXPECT_EQ(embedding<P>(8192, 50'257, 768).work().read_elements, 4 * 8192.0 + 8192 * 768);
    EXPECT_EQ(embedding<P>(8192, 1000, 768).work().read_elements, 4 * 8192.0 + 1000 * 768);
    EXPECT_EQ(embedding<P>(8192, 1000, 768).work().written_elements, 8192.0 * 768);
    EXPECT_EQ(embedding_gradient<P>(8192, 1000, 768).work().written_elements, 1000.0 * 768);
    EXPECT_EQ(embedding_gradient<P>(8192, 50'257, 768).work().read_elements, 8192.0 * 772);
}

// Work of a graph with tokens and masks as words, as rows have them.
workload::operator_work in_words(workload::operator_work work) {
    constexpr double word_bytes = static_cast<double>(phaze_platform::element_bytes);
    work.read_elements = work.read_words(word_bytes);
    work.written_elements = work.written_words(word_bytes);
    work.read_discrete_bytes = work.written_discrete_bytes = 0;
    return work;
}

// Rows ask for what the same operators of a graph ask for.
TEST(vector_price, rows_agree_with_the_operators_of_a_graph) {
    namespace w = workload;
    w::graph_builder b("net", 6);
    const w::index x = b.input("x", {6, 40});
    const w::index ids = b.input("ids", {6}, w::element_type::int64);
    w::attribute_set last;
    last.set("axis", std::int64_t{-1});
    w::attribute_set along;
    along.set("axes", std::vector<std::int64_t>{1});
    b.output(b.apply<w::op::softmax>("softmax", {x}, last));
    b.output(b.apply<w::op::layer_normalization>(
        "layer", {x, b.parameter("scale", {40}), b.parameter("shift", {40})}, last));
    b.output(b.apply<w::op::rms_normalization>("rms", {x, b.parameter("gain", {40})}, last));
    b.output(b.apply<w::op::reduce_sum>("sum", {x}, along));
    b.output(b.apply<w::op::gather>("rows", {b.parameter("table", {1000, 16}), ids}));
    b.output(b.apply<w::op::gather>("few", {b.parameter("small", {3, 16}), ids}));
    const w::operator_graph g = std::move(b).finish().value();
    const w::demand of(g);
    EXPECT_EQ(softmax(6, 40).work(), of(0));
    EXPECT_EQ(layer_normalization(6, 40).work(), of(1));
    EXPECT_EQ(rms_normalization(6, 40).work(), of(2));
    EXPECT_EQ(reduction(6, 40).work(), of(3));
    EXPECT_EQ(embedding<phaze_platform>(6, 1000, 16).work(), in_words(of(4)));
    EXPECT_EQ(embedding<phaze_platform>(6, 3, 16).work(), in_words(of(5)));
    EXPECT_EQ(optimizer_step<phaze_platform>(optimizer::adam, 1000).work().lane_cycles,
              1000 * w::op::optimizer_step::cycles_an_element);
}

TEST(vector_price, gradients_agree_with_those_of_a_graph) {
    namespace w = workload;
    w::graph_builder b("net", 6);
    const w::index x = b.parameter("x", {6, 40});
    w::attribute_set last;
    last.set("axis", std::int64_t{-1});
    b.output(b.apply<w::op::softmax>("softmax", {x}, last));
    b.output(b.apply<w::op::layer_normalization>(
        "layer", {x, b.parameter("scale", {40}), b.parameter("shift", {40})}, last));
    b.output(b.apply<w::op::rms_normalization>("rms", {x, b.parameter("gain", {40})}, last));
    const w::index ids = b.input("ids", {6}, w::element_type::int64);
    b.output(b.apply<w::op::gather>("rows", {b.parameter("table", {1000, 16}), ids}));
    b.output(b.apply<w::op::gather>("few", {b.parameter("small", {3, 16}), ids}));
    b.output(
        b.apply<w::op::dropout>("dropout", {b.apply<w::op::mul>("mixed", {x, b.input("data", {6, 40})})}));
    const w::operator_graph g = w::training_graph(std::move(b).finish().value(), {.loss = false});
    const w::demand of(g);
    int found = 0;
    for (const auto& [name, op] :
         {std::pair{"softmax.gradient", softmax_gradient(6, 40)},
          std::pair{"rows.gradient", embedding_gradient<phaze_platform>(6, 1000, 16)},
          std::pair{"few.gradient", embedding_gradient<phaze_platform>(6, 3, 16)},
          std::pair{"dropout", dropout<phaze_platform>(6 * 40)},
          std::pair{"layer.gradient", layer_normalization_gradient(6, 40)},
          std::pair{"rms.gradient", rms_normalization_gradient(6, 40)}})
        for (w::index v = 0; v < g.operations.size(); ++v)
            if (g.operations[v].name == name) {
                ++found;
                EXPECT_EQ(op.work(), in_words(of(v))) << name;
            }
    EXPECT_EQ(found, 6);
}

TEST(vector_price, optimizers_move_their_bytes) {
    const accelerator wide = vector_chip(1024, 64);
    for (const auto& [o, bytes, cycles_each] :
         {std::tuple{optimizer::adam, 30.0, 36.0}, std::tuple{optimizer::sgd, 6.0, 2.0},
          std::tuple{optimizer::momentum, 22.0, 5.0}}) {
        const estimate e = on_all(optimizer_step<phaze_platform>(o, 1 << 24), wide);
        EXPECT_EQ(e.bound_by(), bound::hbm);
        EXPECT_DOUBLE_EQ(e.hbm_bytes, bytes * (1 << 24));
        EXPECT_DOUBLE_EQ(e.latency_s(), bytes * (1 << 24) / 1.2e12);
        EXPECT_DOUBLE_EQ(e.latency_s(), (update_s<phaze_platform>(o, 1 << 24, wide)));
        const estimate narrow = on_all(optimizer_step<phaze_platform>(o, 1 << 10), vector_chip(1, 2));
        EXPECT_DOUBLE_EQ(cycles(narrow.vector_s), cycles_each * 512);
    }
    // A byte of mask beside the result.
    EXPECT_EQ(on_all(dropout<phaze_platform>(1 << 20), wide).hbm_bytes, 5.0 * (1 << 20));
}

TEST(vector_price, lanes_count_as_they_would_by_hand) {
    random_source random(7);
    for (int i = 0; i < 2000; ++i) {
        const row_operator op = random_rows(random, 8, 8);
        const std::int64_t lanes = std::int64_t{1} << random.integer(0, 8);
        const std::int64_t cores = random.integer(1, 9);
        const row_walk<phaze_platform> walk(op, cores, lanes, 1 << 20);
        const std::int64_t team = std::int64_t{1} << random.integer(0, 8);
        if (walk.teams(team) == 0) continue;
        const std::int64_t rows = random.integer(1, walk.teams(team));
        const double row_cycles = cycles_of_a_row_by_hand(op, team);
        double by_hand = 0;
        for (std::int64_t left = op.rows; left > 0; left -= rows) by_hand += row_cycles;
        row_operator kept = op;
        kept.again_cycles = 0;
        const row_walk<phaze_platform> plain(kept, cores, lanes, 1 << 20);
        ASSERT_NEAR(cycles(plain({team, rows}).vector_s), by_hand, by_hand * 1e-12);
        ASSERT_GE(walk({team, rows}).vector_s, plain({team, rows}).vector_s);
    }
}

// Buffers so small that fewer rows in flight than there are teams may win.
struct tight_platform : phaze_platform {
    static constexpr double hbm_bytes_per_s = 2e10;
    [[nodiscard]] static constexpr std::int64_t local_buffer_bytes(std::int64_t) noexcept { return 160; }
};

template <hardware::platform P>
void expect_best_of_all(int log_length, int log_glb) {
    random_source random(11);
    for (int i = 0; i < 1000; ++i) {
        const row_operator op = random_rows(random, 7, log_length);
        accelerator chip = random_chip(random, 5);
        chip.glb_bytes = std::int64_t{1} << random.integer(7, log_glb);
        const row_walk<P> walk(op, chip.num_vc, chip.width_vc, chip.glb_bytes);
        double least_s = walk({1, 1}).latency_s();
        for (std::int64_t team = 1; walk.teams(team) > 0; team *= 2)
            for (std::int64_t rows = 1; rows <= std::min(op.rows, walk.teams(team)); ++rows)
                least_s = std::min(least_s, walk({team, rows}).latency_s());
        ASSERT_EQ(walk(walk.best()).latency_s(), least_s)
            << op.rows << " x " << op.length << " on " << chip.num_vc << " x " << chip.width_vc;
    }
}

TEST(vector_price, the_best_layout_is_the_best_of_all) {
    expect_best_of_all<phaze_platform>(15, 27);
    expect_best_of_all<tight_platform>(6, 12);
}

TEST(vector_price, the_sound_model_bounds_it_from_below_and_more_hardware_is_never_slower) {
    random_source random(13);
    constexpr double slack = 1 - 1e-12;
    for (int i = 0; i < 3000; ++i) {
        const row_operator op = random_rows(random);
        const accelerator chip = random_chip(random, 8);
        for (const core_mode mode : {core_mode::one_core, core_mode::all_cores}) {
            const estimate e = price_rows<phaze_platform>(op, chip, mode);
            const estimate least = sound(op.work(), chip, mode);
            ASSERT_TRUE(std::isfinite(e.latency_s()) && e.latency_s() > 0);
            ASSERT_GE(e.latency_s(), least.latency_s() * slack);
            ASSERT_GE(e.vector_s, least.vector_s * slack);
            ASSERT_GE(e.local_bytes, least.local_bytes * slack);
            ASSERT_GE(e.global_bytes, least.global_bytes * slack);
            ASSERT_GE(e.hbm_bytes, least.hbm_bytes * slack);
            ASSERT_LE(utilization<phaze_platform>(op.work(), e, chip, mode), 1 + 1e-12);
            const double before_s = e.latency_s() * (1 + 1e-12);
            accelerator more = chip;
            more.num_vc += random.integer(1, chip.num_vc);
            ASSERT_LE(price_rows<phaze_platform>(op, more, mode).latency_s(), before_s);
            more = chip;
            more.width_vc *= 2;
            ASSERT_LE(price_rows<phaze_platform>(op, more, mode).latency_s(), before_s);
            more = chip;
            more.glb_bytes += random.integer(1, chip.glb_bytes);
            ASSERT_LE(price_rows<phaze_platform>(op, more, mode).latency_s(), before_s);
        }
        ASSERT_LE(price_rows<phaze_platform>(op, chip, core_mode::all_cores).latency_s(),
                  price_rows<phaze_platform>(op, chip, core_mode::one_core).latency_s() * (1 + 1e-12));
    }
}

TEST(vector_price, even_rows_that_are_kept_cost_what_the_sound_model_says) {
    // As many rows as lanes, or a multiple of them, one pass: nothing is uneven.
    const accelerator chip = vector_chip(4, 64);
    for (const row_operator& op : {reduction(512, 333), elementwise(1 << 20, 7, 2),
                                   optimizer_step<phaze_platform>(optimizer::adam, 1 << 20)}) {
        const estimate rows = on_all(op, chip);
        const estimate plain = sound(op.work(), chip, core_mode::all_cores);
        EXPECT_DOUBLE_EQ(rows.latency_s(), plain.latency_s());
        EXPECT_DOUBLE_EQ(rows.vector_s, plain.vector_s);
        EXPECT_DOUBLE_EQ(rows.local_s, plain.local_s);
        EXPECT_DOUBLE_EQ(rows.local_bytes, plain.local_bytes);
        EXPECT_DOUBLE_EQ(rows.global_bytes, plain.global_bytes);
        EXPECT_DOUBLE_EQ(rows.hbm_bytes, plain.hbm_bytes);
    }
    EXPECT_EQ(on_all(reduction(0, 5), chip).latency_s(), 0);
}

static_assert(price_rows<phaze_platform>(softmax(96 * 1024, 1024), hardware::fix<hardware::tpuv4_like>{},
                                         core_mode::all_cores)
                  .latency_s() ==
              price_rows<phaze_platform>(softmax(96 * 1024, 1024), hardware::tpuv4_like, core_mode::all_cores)
                  .latency_s());

TEST(operator_price, utilization_is_work_over_what_the_cores_could_do) {
    workload::operator_work work;
    work.product = {.batch = 2, .rows = 3, .reduction = 5, .columns = 7};
    const estimate cycle{.tensor_s = 1 / clock_hz};
    const accelerator chip{.num_tc = 10, .num_vc = 5, .width = 7, .depth = 3, .width_vc = 2, .glb_bytes = 1};
    EXPECT_DOUBLE_EQ(utilization<phaze_platform>(work, cycle, chip, core_mode::all_cores), 1);
    work.product.columns = 3;
    const estimate slower{.tensor_s = 2 / clock_hz, .fill_s = 1 / clock_hz};
    EXPECT_DOUBLE_EQ(utilization<phaze_platform>(work, slower, chip, core_mode::all_cores), 90.0 / 630);
    EXPECT_EQ(register_bytes<phaze_platform>(work), 2 * 90);
    work = {};
    work.lane_cycles = 4;
    EXPECT_DOUBLE_EQ(utilization<phaze_platform>(work, cycle, chip, core_mode::all_cores), 0.4);
    EXPECT_EQ(register_bytes<phaze_platform>(work), 2 * 3 * 4);
    EXPECT_EQ(utilization<phaze_platform>({}, {}, chip, core_mode::all_cores), 0);
}

} // namespace
} // namespace dovetail::cost
