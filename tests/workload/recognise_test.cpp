#include <dovetail/workload/recognise.hpp>

#include <dovetail/core/text.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/validate.hpp>

#include <support/shuffled_graph.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using counts = std::map<std::string, std::size_t>;

/// Spells operators out, one operation a line.
struct speller {
    graph_builder b{"model", 2};
    int count = 0;

    std::string name() { return 'v' + to_text(count++); }
    template <class Op>
    index apply(std::vector<index> inputs, attribute_set attributes = {}) {
        return b.apply<Op>(name(), std::move(inputs), std::move(attributes));
    }
    index number(double value) { return b.scalar(name(), value); }
    index add(index a, index c) { return apply<op::add>({a, c}); }
    index sub(index a, index c) { return apply<op::sub>({a, c}); }
    index mul(index a, index c) { return apply<op::mul>({a, c}); }
    index div(index a, index c) { return apply<op::div>({a, c}); }
    index pow(index a, double c) { return apply<op::pow>({a, number(c)}); }
    index sqrt(index a) { return apply<op::sqrt>({a}); }
    index cast(index a, element_type type = element_type::float32) {
        attribute_set to;
        to.set("to", static_cast<std::int64_t>(type));
        return apply<op::cast>({a}, to);
    }
    template <class Op = op::reduce_mean>
    index reduce(index a, std::vector<std::int64_t> axes = {-1}, std::int64_t keep = 1) {
        attribute_set attributes;
        attributes.set("axes", std::move(axes));
        attributes.set("keepdims", keep);
        return apply<Op>({a}, attributes);
    }

    index x = b.input("x", {2, 6, 8});
    index scale = b.parameter("scale", {8});
    index shift = b.parameter("shift", {8});

    operator_graph result_is(index t) {
        b.output(t);
        return std::move(b).finish().value();
    }
};

using spelling = std::function<index(speller&)>;

operator_graph spelled(const spelling& how) {
    speller s;
    const index t = how(s);
    return s.result_is(t);
}

/// The one operation that all of `g` is recognised as, after checks that hold for any recognition.
operation whole(const operator_graph& g) {
    const operator_graph r = recognise(g);
    EXPECT_TRUE(validate(r).has_value());
    EXPECT_EQ(count_parameters(r), count_parameters(g));
    EXPECT_EQ(r.outputs.size(), g.outputs.size());
    EXPECT_EQ(r.tensors[r.outputs[0]].dims, g.tensors[g.outputs[0]].dims);
    EXPECT_EQ(r.tensors[r.outputs[0]].name, g.tensors[g.outputs[0]].name);
    if (r.operations.size() != 1) {
        ADD_FAILURE() << r.operations.size() << " operations are left";
        return {};
    }
    operation op = r.operations[0];
    // The operands by name would change with the numbering; give them as numbers of the original.
    for (index& t : op.inputs)
        if (t != none) {
            const auto same = std::find_if(g.tensors.begin(), g.tensors.end(),
                                           [&](const tensor& old) { return old.name == r.tensors[t].name; });
            t = static_cast<index>(same - g.tensors.begin());
        }
    return op;
}

void expect_all(const std::vector<spelling>& spellings, operator_type type, std::size_t operands) {
    for (std::size_t k = 0; k < spellings.size(); ++k) {
        SCOPED_TRACE("spelling " + to_text(k));
        const operator_graph g = spelled(spellings[k]);
        const operation op = whole(g);
        EXPECT_EQ(op.type, type);
        EXPECT_EQ(op.inputs.size(), operands);
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const auto disguised = test::shuffled(g, seed);
            const operation same = whole(disguised.graph);
            EXPECT_EQ(same.type, op.type);
            EXPECT_EQ(same.attributes, op.attributes);
            ASSERT_EQ(same.inputs.size(), op.inputs.size());
            for (std::size_t i = 0; i < op.inputs.size(); ++i)
                EXPECT_EQ(disguised.tensor[same.inputs[i]], op.inputs[i]);
        }
    }
}

void expect_none(const std::vector<spelling>& spellings) {
    for (std::size_t k = 0; k < spellings.size(); ++k) {
        SCOPED_TRACE("spelling " + to_text(k));
        const operator_graph g = spelled(spellings[k]);
        EXPECT_EQ(count_operators(recognise(g)), count_operators(g));
    }
}

index root_of_variance(speller& s, index deviation, double epsilon = 1e-5) {
    return s.sqrt(s.add(s.reduce(s.pow(deviation, 2)), s.number(epsilon)));
}

const std::vector<spelling> layer_norms{
    [](speller& s) { // PyTorch
        const index d = s.sub(s.x, s.reduce(s.x));
        return s.add(s.mul(s.div(d, root_of_variance(s, d)), s.scale), s.shift);
    },
    [](speller& s) { // the square as a product, the deviation twice
        const index d = s.sub(s.x, s.reduce(s.x));
        const index again = s.sub(s.x, s.reduce(s.x));
        const index root = s.sqrt(s.add(s.number(1e-5), s.reduce(s.mul(d, d))));
        return s.add(s.shift, s.mul(s.scale, s.div(again, root)));
    },
    [](speller& s) { // TensorFlow: the inverse root times the scale first
        const index d = s.sub(s.x, s.reduce(s.x));
        const index inverse = s.apply<op::reciprocal>({root_of_variance(s, d)});
        return s.add(s.mul(d, s.mul(inverse, s.scale)), s.shift);
    },
    [](speller& s) { // the variance as the mean square less the squared mean
        const index mean = s.reduce(s.x);
        const index variance = s.sub(s.reduce(s.mul(s.x, s.x)), s.pow(mean, 2));
        const index inverse = s.pow(s.add(variance, s.number(1e-5)), -0.5);
        return s.add(s.mul(s.mul(s.sub(s.x, s.reduce(s.x)), inverse), s.scale), s.shift);
    },
    [](speller& s) { // scaled before the division
        const index d = s.sub(s.x, s.reduce(s.x));
        return s.add(s.div(s.mul(s.scale, d), root_of_variance(s, d)), s.shift);
    },
    [](speller& s) { // mixed precision: casts on the way
        const index d = s.cast(s.sub(s.x, s.reduce(s.x)), element_type::float32);
        const index half = s.cast(s.div(d, root_of_variance(s, d)), element_type::float16);
        return s.add(s.mul(half, s.scale), s.shift);
    },
    [](speller& s) { // newer operator sets: axes as an input
        const index axes = s.b.integers("axes", {2});
        const index d = s.sub(s.x, s.apply<op::reduce_mean>({s.x, axes}));
        const index variance = s.apply<op::reduce_mean>({s.pow(d, 2), axes});
        return s.add(s.mul(s.div(d, s.sqrt(s.add(variance, s.number(1e-5)))), s.scale), s.shift);
    },
};

TEST(Recognise, LayerNormalization) {
    expect_all(layer_norms, type_of<op::layer_normalization>, 3);
    const operator_graph g = spelled(layer_norms[0]);
    const operation op = whole(g);
    EXPECT_EQ(op.attributes.integer("axis", 0), -1);
    EXPECT_EQ(op.attributes.real("epsilon", 0), 1e-5);
    EXPECT_EQ(g.tensors[op.inputs[0]].name, "x");
    EXPECT_EQ(g.tensors[op.inputs[1]].name, "scale");
    EXPECT_EQ(g.tensors[op.inputs[2]].name, "shift");
}

TEST(Recognise, LayerNormalizationWithoutScaleOrShift) {
    const auto normal = [](speller& s) {
        const index d = s.sub(s.x, s.reduce(s.x));
        return s.div(d, root_of_variance(s, d));
    };
    expect_all({normal}, type_of<op::layer_normalization>, 1);
    expect_all({[&](speller& s) { return s.mul(normal(s), s.scale); }}, type_of<op::layer_normalization>, 2);
    const operation shifted = whole(spelled([&](speller& s) { return s.add(normal(s), s.shift); }));
    ASSERT_EQ(shifted.inputs.size(), 3U);
    EXPECT_EQ(shifted.inputs[1], none);
}

TEST(Recognise, LayerNormalizationOfTheLastTwoAxes) {
    const operation op = whole(spelled([](speller& s) {
        const index scale = s.b.parameter("square", {1, 6, 8});
        const index d = s.sub(s.x, s.reduce(s.x, {-1, -2}));
        const index root = s.sqrt(s.add(s.reduce(s.pow(d, 2), {1, 2}), s.number(1e-5)));
        return s.mul(s.div(d, root), scale);
    }));
    EXPECT_EQ(op.type, type_of<op::layer_normalization>);
    EXPECT_EQ(op.attributes.integer("axis", 0), -2);
}

TEST(Recognise, WhatIsNotLayerNormalization) {
    using norm = std::function<index(speller&, index deviation, index root)>;
    const auto standard = [](const norm& end, double exponent, std::vector<std::int64_t> first,
                             std::vector<std::int64_t> second, std::int64_t keep) {
        return [=](speller& s) {
            const index d = s.sub(s.x, s.reduce(s.x, first));
            const index variance = s.reduce(s.pow(d, exponent), second, keep);
            return end(s, d, s.sqrt(s.add(variance, s.number(1e-5))));
        };
    };
    const norm divided = [](speller& s, index d, index root) { return s.div(d, root); };
    expect_none({
        standard(divided, 3, {-1}, {-1}, 1), // a third moment
        standard(divided, 2.05, {-1}, {-1}, 1),
        standard(divided, 2, {-1}, {-2}, 1), // two different axes
        standard(divided, 2, {1}, {1}, 1),   // not the last axis
        standard([](speller& s, index d, index root) { return s.div(root, d); }, 2, {-1}, {-1}, 1),
        standard([](speller& s, index, index root) { return s.div(s.x, root); }, 2, {-1}, {-1}, 1),
        [](speller& s) { // a variance of something else
            const index d = s.sub(s.x, s.reduce(s.x));
            const index other = s.b.input("other", {2, 6, 8});
            return s.div(d, root_of_variance(s, s.sub(other, s.reduce(other))));
        },
    });
}

TEST(Recognise, AScaleOfAnotherShapeStaysOutside) {
    for (const dimensions& dims : std::vector<dimensions>{{}, {6, 1}, {2, 6, 8}}) {
        const operator_graph g = spelled([&](speller& s) {
            const index d = s.sub(s.x, s.reduce(s.x));
            return s.mul(s.div(d, root_of_variance(s, d)), s.b.parameter("other", dims));
        });
        EXPECT_EQ(count_operators(recognise(g)), (counts{{"LayerNormalization", 1}, {"Mul", 1}}));
    }
    // A gate is data, not a scale.
    const operator_graph gated = spelled([&](speller& s) {
        const index d = s.sub(s.x, s.reduce(s.x));
        return s.mul(s.div(d, root_of_variance(s, d)), s.b.input("gate", {8}));
    });
    EXPECT_EQ(count_operators(recognise(gated)), (counts{{"LayerNormalization", 1}, {"Mul", 1}}));
}

TEST(Recognise, InnerResultsInUseElsewhereStay) {
    speller s;
    const index d = s.sub(s.x, s.reduce(s.x));
    const index root = root_of_variance(s, d);
    const index normal = s.add(s.mul(s.div(d, root), s.scale), s.shift);
    s.b.output(s.apply<op::relu>({root}));
    operator_graph g = s.result_is(normal);
    EXPECT_EQ(count_operators(recognise(g)), count_operators(g));

    // The same when the model gives the inner result.
    g = spelled(layer_norms[0]);
    g.outputs.push_back(g.operations[3].outputs[0]);
    EXPECT_EQ(count_operators(recognise(g)), count_operators(g));

    // Where the deviation is in use, what follows it still is a normalization by its root mean square.
    g = spelled(layer_norms[0]);
    g.outputs.push_back(g.operations[1].outputs[0]);
    EXPECT_EQ(count_operators(recognise(g)),
              (counts{{"Add", 1}, {"RMSNormalization", 1}, {"ReduceMean", 1}, {"Sub", 1}}));
}

TEST(Recognise, AScaleAppliedToASharedNormalizationStaysOutside) {
    speller s;
    const index d = s.sub(s.x, s.reduce(s.x));
    const index normal = s.div(d, root_of_variance(s, d));
    s.b.output(s.mul(normal, s.scale));
    const operator_graph g = s.result_is(s.add(normal, s.shift));
    EXPECT_EQ(count_operators(recognise(g)), (counts{{"Add", 1}, {"LayerNormalization", 1}, {"Mul", 1}}));
}

TEST(Recognise, RmsNormalization) {
    const auto mean_square = [](speller& s, index x) { return s.add(s.reduce(s.pow(x, 2)), s.number(1e-6)); };
    expect_all(
        {
            [=](speller& s) {
                return s.mul(s.mul(s.x, s.div(s.number(1), s.sqrt(mean_square(s, s.x)))), s.scale);
            },
            [=](speller& s) {
                return s.mul(s.scale, s.mul(s.apply<op::reciprocal>({s.sqrt(mean_square(s, s.x))}), s.x));
            },
            [=](speller& s) { return s.mul(s.div(s.x, s.sqrt(mean_square(s, s.x))), s.scale); },
            [=](speller& s) {
                return s.mul(s.scale,
                             s.cast(s.mul(s.x, s.pow(mean_square(s, s.x), -0.5)), element_type::float16));
            },
            [=](speller& s) {
                const index square = s.mul(s.x, s.x);
                const index power = s.add(s.reduce(square), s.number(1e-6));
                return s.mul(s.scale, s.mul(s.x, s.sqrt(s.apply<op::reciprocal>({power}))));
            },
        },
        type_of<op::rms_normalization>, 2);
    expect_all({[=](speller& s) { return s.div(s.x, s.sqrt(mean_square(s, s.x))); }},
               type_of<op::rms_normalization>, 1);
    expect_none({
        [](speller& s) {
            return s.div(s.x, s.sqrt(s.reduce(s.pow(s.x, 2))));
        }, // no epsilon: may divide by zero
        [=](speller& s) { return s.div(s.scale, s.sqrt(mean_square(s, s.x))); },
        [=](speller& s) { return s.mul(s.x, s.sqrt(mean_square(s, s.x))); },
    });
}

index erf_factor(speller& s, double divisor) {
    return s.add(s.apply<op::erf>({s.div(s.x, s.number(divisor))}), s.number(1));
}
index tanh_factor(speller& s, double cubic = 0.044715, double outer = std::sqrt(2 / std::acos(-1.0))) {
    const index inner = s.add(s.x, s.mul(s.number(cubic), s.pow(s.x, 3)));
    return s.add(s.number(1), s.apply<op::tanh>({s.mul(s.number(outer), inner)}));
}

TEST(Recognise, Gelu) {
    const double root = std::sqrt(2.0);
    expect_all({
                   [=](speller& s) { return s.mul(s.mul(s.x, erf_factor(s, root)), s.number(0.5)); },
                   [=](speller& s) { return s.mul(s.mul(s.x, s.number(0.5)), erf_factor(s, root)); },
                   [=](speller& s) { return s.mul(s.x, s.mul(s.number(0.5), erf_factor(s, root))); },
                   [=](speller& s) { // as half precision stores the root
                       return s.mul(s.mul(s.x, erf_factor(s, 1.4140625)), s.number(0.5));
                   },
                   [=](speller& s) {
                       const index factor =
                           s.add(s.apply<op::erf>({s.mul(s.x, s.number(1 / root))}), s.number(1));
                       return s.mul(s.mul(s.x, factor), s.number(0.5));
                   },
               },
               type_of<op::gelu>, 1);
    EXPECT_EQ(whole(spelled([=](speller& s) {
                  return s.mul(s.mul(s.x, erf_factor(s, root)), s.number(0.5));
              })).attributes.text("approximate", "none"),
              "none");
    expect_none({
        [=](speller& s) { return s.mul(s.mul(s.x, erf_factor(s, root)), s.number(0.51)); },
        [=](speller& s) { return s.mul(s.mul(s.x, erf_factor(s, 1.4)), s.number(0.5)); },
        [=](speller& s) { return s.mul(s.mul(s.scale, erf_factor(s, root)), s.number(0.5)); },
        [=](speller& s) { return s.mul(s.x, erf_factor(s, root)); },
    });
}

TEST(Recognise, GeluByTanh) {
    expect_all(
        {
            [](speller& s) { return s.mul(s.mul(s.x, s.number(0.5)), tanh_factor(s)); },
            [](speller& s) { return s.mul(s.number(0.5), s.mul(s.x, tanh_factor(s))); },
            [](speller& s) { // a polynomial in Horner's form
                const index square = s.mul(s.mul(s.x, s.number(0.044715)), s.x);
                const index inner = s.mul(s.mul(s.x, s.number(0.7978845608)), s.add(s.number(1), square));
                return s.mul(s.mul(s.number(0.5), s.x), s.add(s.number(1), s.apply<op::tanh>({inner})));
            },
            [](speller& s) { // the cube as a product
                const index cube = s.mul(s.mul(s.x, s.x), s.x);
                const index inner = s.mul(s.add(s.x, s.mul(cube, s.number(0.044715))), s.number(0.79788456));
                return s.mul(s.mul(s.number(0.5), s.x), s.add(s.apply<op::tanh>({inner}), s.number(1)));
            },
        },
        type_of<op::gelu>, 1);
    EXPECT_EQ(whole(spelled([](speller& s) {
                  return s.mul(s.mul(s.x, s.number(0.5)), tanh_factor(s));
              })).attributes.text("approximate", "none"),
              "tanh");
    expect_none({
        [](speller& s) { return s.mul(s.mul(s.x, s.number(0.5)), tanh_factor(s, 0.05)); },
        [](speller& s) { return s.mul(s.mul(s.x, s.number(0.5)), tanh_factor(s, 0.044715, 0.8)); },
    });
}

TEST(Recognise, Swish) {
    expect_all({[](speller& s) { return s.mul(s.x, s.apply<op::sigmoid>({s.x})); },
                [](speller& s) { return s.mul(s.cast(s.apply<op::sigmoid>({s.cast(s.x)})), s.x); },
                [](speller& s) { return s.mul(s.x, s.apply<op::sigmoid>({s.mul(s.x, s.number(1.702))})); }},
               type_of<op::swish>, 1);
    EXPECT_EQ(whole(spelled([](speller& s) {
                  return s.mul(s.x, s.apply<op::sigmoid>({s.mul(s.number(1.702), s.x)}));
              })).attributes.real("alpha", 1),
              1.702);
    expect_none({[](speller& s) { return s.mul(s.scale, s.apply<op::sigmoid>({s.x})); },
                 [](speller& s) { return s.mul(s.x, s.apply<op::tanh>({s.x})); }});
}

TEST(Recognise, Softmax) {
    const auto shifted = [](speller& s, std::vector<std::int64_t> axes) {
        return s.apply<op::exp>({s.sub(s.x, s.reduce<op::reduce_max>(s.x, std::move(axes)))});
    };
    expect_all({[=](speller& s) {
                    const index e = shifted(s, {-1});
                    return s.div(e, s.reduce<op::reduce_sum>(e));
                },
                [](speller& s) {
                    const index e = s.apply<op::exp>({s.x});
                    return s.div(e, s.reduce<op::reduce_sum>(e));
                },
                [=](speller& s) {
                    const index e = shifted(s, {-1});
                    return s.mul(s.apply<op::reciprocal>({s.reduce<op::reduce_sum>(e)}), e);
                }},
               type_of<op::softmax>, 1);
    const operation middle = whole(spelled([=](speller& s) {
        const index e = shifted(s, {1});
        return s.div(e, s.reduce<op::reduce_sum>(e, {1}));
    }));
    EXPECT_EQ(middle.attributes.integer("axis", 0), -2);
    expect_none({[=](speller& s) {
                     const index e = shifted(s, {-1});
                     return s.div(e, s.reduce<op::reduce_sum>(e, {-1, -2}));
                 },
                 [=](speller& s) {
                     const index e = s.apply<op::exp>({s.x});
                     return s.div(e, s.reduce(e));
                 },
                 [=](speller& s) {
                     const index e = s.apply<op::exp>({s.x});
                     return s.div(s.x, s.reduce<op::reduce_sum>(e));
                 }});
}

TEST(Recognise, ManyInOneGraphAndTheRestUntouched) {
    speller s;
    index x = s.x;
    for (int layer = 0; layer < 3; ++layer) {
        const index w = s.b.parameter('w' + to_text(layer), {8, 8});
        const index d = s.sub(x, s.reduce(x));
        const index normal = s.add(s.mul(s.div(d, root_of_variance(s, d)), s.scale), s.shift);
        const index product = s.apply<op::mat_mul>({normal, w});
        const index active = s.mul(product, s.apply<op::sigmoid>({product}));
        x = s.add(x, s.mul(active, normal));
    }
    const operator_graph g = s.result_is(x);
    const operator_graph r = recognise(g);
    EXPECT_EQ(count_operators(r),
              (counts{{"Add", 3}, {"LayerNormalization", 3}, {"MatMul", 3}, {"Mul", 3}, {"Swish", 3}}));
    EXPECT_EQ(count_macs(r), count_macs(g));
    EXPECT_EQ(count_parameters(r), count_parameters(g));
    // Nothing is left to recognise, and no constant that nobody reads.
    EXPECT_EQ(count_operators(recognise(r)), count_operators(r));
    EXPECT_TRUE(std::none_of(r.tensors.begin(), r.tensors.end(),
                             [](const tensor& t) { return t.role == tensor_role::constant; }));
}

} // namespace
} // namespace dovetail::workload
