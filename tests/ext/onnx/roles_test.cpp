// doors: onnx
#include <dovetail/ext/onnx/roles.hpp>

#include <dovetail/workload/builder.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace dovetail::ext::onnx {
namespace {

using namespace workload;

/// A graph whose stored tensors have no role yet.
class ordinary_file {
public:
    index data(dimensions dims, element_type type = element_type::float32) {
        return builder_.input("x", std::move(dims), type);
    }
    index stored(dimensions dims) {
        const index t = builder_.buffer("c", std::move(dims));
        stored_.push_back(t);
        return t;
    }
    template <operator_descriptor Op>
    index apply(std::vector<index> inputs, attribute_set settings = {}) {
        return builder_.apply<Op>("op", std::move(inputs), std::move(settings));
    }
    index list(std::vector<std::int64_t> values) { return builder_.integers("list", std::move(values)); }

    operator_graph finish() {
        operator_graph g = *std::move(builder_).finish();
        for (const index t : stored_) g.tensors[t].role = tensor_role::constant;
        assign_roles(g);
        return g;
    }

private:
    graph_builder builder_{"file", 2};
    std::vector<index> stored_;
};

attribute_set to_float() {
    attribute_set settings;
    settings.set("to", static_cast<std::int64_t>(element_type::float32));
    return settings;
}

TEST(assign_roles, trains_factors_biases_scales_and_tables) {
    ordinary_file f;
    const index tokens = f.data({2, 6}, element_type::int64);
    const index table = f.stored({50, 8}), positions = f.stored({1, 6, 8}), scale = f.stored({8}),
                shift = f.stored({8}), weight = f.stored({8, 16}), bias = f.stored({16}),
                layer_scale = f.stored({16, 1, 1});
    const index x = f.apply<op::add>({f.apply<op::gather>({table, tokens}), positions});
    const index y = f.apply<op::mat_mul>({f.apply<op::layer_normalization>({x, scale, shift}), weight});
    f.apply<op::add>({bias, y});
    f.apply<op::mul>({f.apply<op::reshape>({y, f.list({2, 16, 6, 1})}), layer_scale});
    const operator_graph g = f.finish();
    for (const index t : {table, positions, scale, shift, weight, bias, layer_scale})
        EXPECT_EQ(g.tensors[t].role, tensor_role::parameter) << op::to_text(g.tensors[t].dims);
}

TEST(assign_roles, keeps_statistics_masks_and_rotations_as_buffers) {
    ordinary_file f;
    const index image = f.data({2, 8, 4, 4});
    const index scale = f.stored({8}), shift = f.stored({8}), mean = f.stored({8}), variance = f.stored({8}),
                mask = f.stored({1, 1, 4, 4}), cosines = f.stored({1, 1, 4, 4}), epsilon = f.stored({1});
    const index x = f.apply<op::batch_normalization>({image, scale, shift, mean, variance});
    const index masked = f.apply<op::add>({x, mask});
    f.apply<op::add>({f.apply<op::mul>({masked, cosines}), epsilon});
    const operator_graph g = f.finish();
    for (const index t : {scale, shift}) EXPECT_EQ(g.tensors[t].role, tensor_role::parameter);
    for (const index t : {mean, variance, mask, cosines})
        EXPECT_EQ(g.tensors[t].role, tensor_role::buffer) << op::to_text(g.tensors[t].dims);
    EXPECT_EQ(g.tensors[epsilon].role, tensor_role::constant) << "one element is a setting";
}

TEST(assign_roles, sees_weights_through_views) {
    ordinary_file f;
    const index x = f.data({2, 8});
    const index linear = f.stored({16, 8}), cls = f.stored({1, 1, 16});
    const index y = f.apply<op::mat_mul>({x, f.apply<op::transpose>({f.apply<op::identity>({linear})})});
    attribute_set axis;
    axis.set("axis", std::int64_t{1});
    f.apply<op::concat>(
        {f.apply<op::expand>({cls, f.list({2, 1, 16})}), f.apply<op::reshape>({y, f.list({2, 1, 16})})},
        axis);
    const operator_graph g = f.finish();
    EXPECT_EQ(g.tensors[linear].role, tensor_role::parameter);
    EXPECT_EQ(g.tensors[cls].role, tensor_role::parameter);
}

TEST(assign_roles, trains_nothing_that_meets_only_integers) {
    // Rotary frequencies times positions.
    ordinary_file f;
    const index positions = f.data({2, 1, 6}, element_type::int64);
    const index frequencies = f.stored({1, 32, 1});
    f.apply<op::mat_mul>({frequencies, f.apply<op::cast>({positions}, to_float())});
    EXPECT_EQ(f.finish().tensors[frequencies].role, tensor_role::buffer);

    // The same product with floating data is a layer.
    ordinary_file layer;
    const index weight = layer.stored({1, 32, 1});
    layer.apply<op::mat_mul>({weight, layer.data({2, 1, 6})});
    EXPECT_EQ(layer.finish().tensors[weight].role, tensor_role::parameter);
}

} // namespace
} // namespace dovetail::ext::onnx
