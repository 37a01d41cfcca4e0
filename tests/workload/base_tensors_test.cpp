#include <dovetail/workload/base_tensors.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo/transformer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<index> list(std::span<const index> tensors) { return {tensors.begin(), tensors.end()}; }

TEST(BaseTensors, LieBehindChainsOfViewsOfDataAndOfParameters) {
    graph_builder b("net", 2);
    const index x = b.input("x", {2, 12});
    const index w = b.parameter("w", {3, 4});
    const index shape = b.integers("shape", {4, 6});
    const index turned = b.apply<op::transpose>("turned", {w}, zoo::permutation({1, 0}));
    const index wide = b.apply<op::expand>("wide", {turned, b.integers("wider", {5, 4, 3})});
    const index square = b.apply<op::reshape>("square", {x, shape});
    const index same = b.apply<op::identity>("same", {square});
    const index made = b.apply<op::exp>("made", {same});
    b.output(b.apply<op::identity>("seen", {made}));
    const operator_graph g = std::move(b).finish().value();
    const base_tensors bases(g);
    for (const index t : {x, square, same}) EXPECT_THAT(list(bases.of(t)), ElementsAre(x));
    for (const index t : {w, turned, wide}) EXPECT_THAT(list(bases.of(t)), ElementsAre(w));
    for (const index t : {made, g.outputs[0]}) EXPECT_THAT(list(bases.of(t)), ElementsAre(made));
    EXPECT_THAT(list(bases.of(shape)), ElementsAre(shape));
    // The reader of a stretched weight fetches the weight.
    EXPECT_THAT(list(bases.fetched(wide)), ElementsAre(w));

    const base_uses uses = uses_of(g, bases);
    EXPECT_THAT(uses.readers[x], ElementsAre(producers(g)[made]));
    EXPECT_THAT(uses.readers[w], IsEmpty());
    EXPECT_THAT(uses.readers[shape], IsEmpty()); // it says how the view looks
    for (index t = 0; t < g.tensors.size(); ++t) EXPECT_EQ(uses.given[t], t == made);
}

TEST(BaseTensors, OfAPartAreThoseOfTheWholeButThePartIsFetched) {
    graph_builder b("net", 2);
    const index x = b.input("x", {2, 12});
    const std::vector<index> parts =
        b.apply_all<op::split>("parts", {x, b.integers("sizes", {4, 4, 4})}, zoo::on_axis(1));
    const index flat = b.apply<op::flatten>("flat", {parts[1]});
    b.output(b.apply<op::exp>("made", {flat}));
    const operator_graph g = std::move(b).finish().value();
    const base_tensors bases(g);
    for (const index t : parts) {
        EXPECT_THAT(list(bases.of(t)), ElementsAre(x));
        EXPECT_THAT(list(bases.fetched(t)), ElementsAre(t));
    }
    EXPECT_THAT(list(bases.of(flat)), ElementsAre(x));
    EXPECT_THAT(list(bases.fetched(flat)), ElementsAre(parts[1]));
}

TEST(BaseTensors, OfTheGradientOfASplitAreTheGradientsOfItsParts) {
    graph_builder b("net", 2);
    const index x = b.apply<op::mat_mul>("x", {b.input("data", {2, 4}), b.parameter("w", {4, 8})});
    const std::vector<index> parts =
        b.apply_all<op::split>("parts", {x, b.integers("sizes", {4, 4})}, zoo::on_axis(1));
    b.output(b.apply<op::mul>("product", {parts[0], b.apply<op::exp>("e", {parts[1]})}));
    const operator_graph g = training_graph(std::move(b).finish().value(), {.loss = false});
    const auto joined = std::find_if(g.operations.begin(), g.operations.end(),
                                     [](const operation& op) { return op.name == "parts.gradient"; });
    ASSERT_NE(joined, g.operations.end());
    ASSERT_EQ(joined->inputs.size(), 2);
    std::vector<index> gradients = joined->inputs;
    std::sort(gradients.begin(), gradients.end());
    const base_tensors bases(g);
    EXPECT_EQ(list(bases.of(joined->outputs[0])), gradients);
    EXPECT_EQ(list(bases.fetched(joined->outputs[0])), gradients);
}

/// Chains of views, parts, products, operators of two results and collectives over inputs, parameters and
/// buffers, in a random order of the operations.
class random_graph {
public:
    explicit random_graph(std::uint64_t seed) : random_(seed) {
        g_.batch = 4;
        add({4, 8}, tensor_role::input);
        add({4, 8}, tensor_role::buffer);
        weight_ = add({4, 8}, tensor_role::parameter);
        for (int k = 0; k < 40; ++k) append();
        for (int k = 0; k < 3; ++k) g_.outputs.push_back(some());
        std::shuffle(g_.operations.begin(), g_.operations.end(), random_);
    }

    operator_graph take() && { return std::move(g_); }

private:
    index add(dimensions dims, tensor_role role = tensor_role::activation,
              element_type type = element_type::float32) {
        return g_.add(tensor{.name = "t", .role = role, .type = type, .dims = std::move(dims)});
    }

    /// A floating tensor, the last ones more often, so that views chain.
    index some() {
        while (true) {
            const auto last = static_cast<std::int64_t>(g_.tensors.size()) - 1;
            const auto t = static_cast<index>(
                random_.integer(random_.integer(0, 1) == 0 ? 0 : std::max<std::int64_t>(0, last - 4), last));
            if (is_floating(g_.tensors[t].type) && g_.tensors[t].dims.size() == 2) return t;
        }
    }

    /// Appends an operation of a random kind on a random tensor.
    void append() {
        const index x = some();
        const dimensions dims = g_.tensors[x].dims;
        const dimensions half{dims[0], std::max<std::int64_t>(1, dims[1] / 2)};
        operation op{.inputs = {x}};
        switch (random_.integer(0, 8)) {
        case 0:
            op.type = type_of<op::identity>;
            op.outputs = {add(dims)};
            break;
        case 1:
            op.type = type_of<op::transpose>;
            op.outputs = {add({dims[1], dims[0]})};
            break;
        case 2: // the shape may be computed, too
            op.type = type_of<op::reshape>;
            op.inputs.push_back(random_.integer(0, 1) == 0 ? none : some());
            op.outputs = {add({1, dims[0] * dims[1]})};
            break;
        case 3:
            op.type = type_of<op::slice>;
            op.outputs = {add(half)};
            break;
        case 4:
            op.type = type_of<op::split>;
            op.outputs = {add(half), add(half)};
            // Both halves in use, so that the gradient puts two together.
            if (random_.integer(0, 1) == 0) g_.outputs = op.outputs;
            break;
        case 5:
            op.type = type_of<op::all_reduce_forward>;
            op.outputs = {add(dims)};
            break;
        case 6:
            op.type = type_of<op::all_reduce_backward>;
            op.outputs = {add(dims)};
            break;
        case 7:
            op.type = type_of<op::dropout>;
            op.outputs = {add(dims), add(dims, tensor_role::activation, element_type::boolean)};
            break;
        default:
            op.type = type_of<op::mul>;
            op.inputs.push_back(weight_);
            op.outputs = {add(dims)};
        }
        g_.add(std::move(op));
    }

    random_source random_;
    operator_graph g_;
    index weight_ = none;
};

/// What the views of a random graph are, told by their names.
bool looks(const operation& op) {
    static const std::set<std::string_view> views{"Identity", "Transpose", "Reshape", "Slice", "Split"};
    const std::string_view name = descriptor(op.type).name;
    return views.contains(name) ||
           name == (op.phase == phase::forward ? "AllReduceBackward" : "AllReduceForward");
}

void walk_down(const operator_graph& g, const std::vector<index>& producer, index t, std::set<index>& bases) {
    const index v = producer[t];
    if (v == none || !looks(g.operations[v])) {
        bases.insert(t);
        return;
    }
    const operation& op = g.operations[v];
    for (std::size_t k = 0; k < (op.phase == phase::forward ? 1 : op.inputs.size()); ++k)
        walk_down(g, producer, op.inputs[k], bases);
}

void walk_up(const operator_graph& g, index t, std::set<index>& readers, bool& given) {
    given = given || std::find(g.outputs.begin(), g.outputs.end(), t) != g.outputs.end();
    for (index v = 0; v < g.operations.size(); ++v) {
        const operation& op = g.operations[v];
        for (std::size_t k = 0; k < op.inputs.size(); ++k) {
            if (op.inputs[k] != t) continue;
            if (!looks(op))
                readers.insert(v);
            else if (k == 0 || op.phase != phase::forward)
                for (const index r : op.outputs) walk_up(g, r, readers, given);
        }
    }
}

TEST(BaseTensors, OfRandomGraphsAreThoseThatAWalkAlongTheViewsFinds) {
    std::size_t several = 0;
    std::size_t parts = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const operator_graph g = training_graph(random_graph(seed).take(), {.loss = false});
        const std::vector<index> producer = producers(g);
        const base_tensors bases(g);
        const base_uses uses = uses_of(g, bases);
        for (index t = 0; t < g.tensors.size(); ++t) {
            std::set<index> below;
            walk_down(g, producer, t, below);
            const std::vector<index> found = list(bases.of(t));
            ASSERT_EQ(found, std::vector<index>(below.begin(), below.end())) << seed << ", tensor " << t;
            several += found.size() > 1 ? 1U : 0U;
            for (const index s : found) EXPECT_THAT(list(bases.of(s)), ElementsAre(s));

            // What is fetched shows the same bases, and is a base or a part of something.
            std::set<index> behind;
            for (const index s : bases.fetched(t)) {
                behind.insert(bases.of(s).begin(), bases.of(s).end());
                EXPECT_THAT(list(bases.fetched(s)), ElementsAre(s));
                if (below.contains(s)) continue;
                ++parts;
                const operation& view = g.operations[producer[s]];
                EXPECT_EQ(view.phase, phase::forward);
                EXPECT_LT(g.tensors[s].elements(), g.tensors[view.inputs[0]].elements());
            }
            EXPECT_EQ(behind, below);

            std::set<index> above;
            bool given = false;
            if (below.contains(t)) walk_up(g, t, above, given);
            const std::vector<index>& readers = uses.readers[t];
            EXPECT_TRUE(std::is_sorted(readers.begin(), readers.end()));
            EXPECT_EQ(std::set<index>(readers.begin(), readers.end()), above) << seed << ", tensor " << t;
            EXPECT_EQ(uses.given[t], given);
        }
    }
    EXPECT_GT(several, 50);
    EXPECT_GT(parts, 50);
}

TEST(BaseTensors, OfAForwardGraphAreOneEachAndNeverLessThanWhatIsFetched) {
    for (std::uint64_t seed = 100; seed < 160; ++seed) {
        const operator_graph g = random_graph(seed).take();
        const base_tensors bases(g);
        for (index t = 0; t < g.tensors.size(); ++t) {
            ASSERT_EQ(bases.of(t).size(), 1);
            ASSERT_EQ(bases.fetched(t).size(), 1);
            EXPECT_LE(g.tensors[bases.fetched(t).front()].elements(), g.tensors[t].elements());
        }
    }
}

} // namespace
} // namespace dovetail::workload
