#include <dovetail/workload/validate.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace dovetail::workload {
namespace {

// x -> first -> a -> second -> b
operator_graph chain() {
    operator_graph g;
    const index x = g.add(tensor{.name = "x", .role = tensor_role::input});
    const index a = g.add(tensor{.name = "a"});
    const index b = g.add(tensor{.name = "b"});
    g.add(operation{.type = type_of<op::add>, .name = "first", .inputs = {x, none}, .outputs = {a}});
    g.add(operation{.type = type_of<op::relu>, .name = "second", .inputs = {a}, .outputs = {b}});
    g.outputs = {b};
    return g;
}

TEST(validate, accepts_a_sound_graph_in_any_order) {
    operator_graph g = chain();
    EXPECT_TRUE(validate(g).has_value());
    std::swap(g.operations[0], g.operations[1]);
    EXPECT_TRUE(validate(g).has_value());
    EXPECT_TRUE(validate(operator_graph{}).has_value());
}

TEST(validate, spells_a_cycle_out) {
    operator_graph g = chain();
    g.operations[0].inputs[1] = 2;
    const auto sound = validate(g);
    ASSERT_FALSE(sound.has_value());
    EXPECT_EQ(sound.problem().code, errc::cycle);
    EXPECT_EQ(sound.problem().line(),
              "graph: it has a cycle: Add 'first' -> Relu 'second' -> Add 'first'; the "
              "graph must be acyclic");
}

TEST(validate, names_both_producers_of_a_tensor) {
    operator_graph g = chain();
    g.operations[1].outputs = {1};
    g.operations[1].inputs = {0};
    EXPECT_EQ(
        validate(g).problem().line(),
        "Relu 'second': its result 'a' is also the result of Add 'first'; every tensor has one producer");
    g.operations[1].outputs = {0};
    EXPECT_EQ(validate(g).problem().line(),
              "Relu 'second': its result 'x' is also given from outside; every tensor has one producer");
}

TEST(validate, names_an_operand_that_nothing_gives) {
    operator_graph g = chain();
    g.operations.erase(g.operations.begin());
    EXPECT_EQ(validate(g).problem().line(),
              "Relu 'second': it takes 'a', which nothing gives; every operand is "
              "an input, a weight, or the result of an operation");
}

TEST(validate, checks_tensor_numbers) {
    operator_graph g = chain();
    g.operations[0].inputs[0] = 7;
    EXPECT_EQ(validate(g).problem().line(), "Add 'first': it takes tensor 7; tensors are numbered below 3");
    g = chain();
    g.operations[0].outputs = {none};
    EXPECT_EQ(validate(g).problem().code, errc::parse);
    g = chain();
    g.outputs = {9};
    EXPECT_EQ(validate(g).problem().line(), "graph: it gives tensor 9; tensors are numbered below 3");
}

} // namespace
} // namespace dovetail::workload
