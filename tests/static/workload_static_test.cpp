#include <dovetail/workload/data_volume.hpp>
#include <dovetail/workload/operators.hpp>

#include <type_traits>

namespace dovetail::workload {
namespace {

// A user's own operator: one struct is all it takes.
struct doubling : op::elementwise_operator<1, 1, saved::nothing> {
    static constexpr fixed_string name{"Doubling"};
    static op::inferred infer(const operands& o) { return op::like_first(o); }
};
static_assert(operator_descriptor<doubling>);
static_assert(record_of<doubling>.name == "Doubling");

struct nameless : op::elementwise_operator<1, 1, saved::nothing> {
    static op::inferred infer(const operands& o) { return op::like_first(o); }
};
static_assert(!operator_descriptor<nameless>);

using extended = descriptor_list<op::add, doubling>;
static_assert(extended::position<doubling>() == 1 && extended::records[1].name == "Doubling");

// Types are positions in the list, at compile time.
static_assert(type_of<op::mat_mul> != type_of<op::gemm>);
static_assert(descriptor(type_of<op::mat_mul>).name == "MatMul");
static_assert(descriptor(type_of<op::optimizer_step>).name == "OptimizerStep");
static_assert(descriptors().size() == operator_list::size);

static_assert(op::mat_mul::core == core_type::tensor && op::mat_mul::gradient == gradient_rule::product);
static_assert(op::reshape::core == core_type::free && op::cast::core == core_type::free);
static_assert(op::all_reduce_forward::core == core_type::link);
static_assert(op::equal::gradient == gradient_rule::stops && op::floor::gradient == gradient_rule::stops);
static_assert(op::add::gradient == gradient_rule::elementwise && op::add::saves == saved::nothing);

static_assert(op::dropout::saves == saved::mask && op::where::saves == saved::discrete_inputs);

// The chip decides on the size of floating-point numbers, their type on that of all others.
static_assert(volume_of(element_type::float64, 3) == data_volume{.elements = 3});
static_assert(volume_of(element_type::float64, 3) == volume_of(element_type::float16, 3));
static_assert(volume_of(element_type::boolean, 3) == data_volume{.discrete_bytes = 3});
static_assert(volume_of(element_type::int16, 3).size_bytes(4) == 6);
static_assert(volume_of(element_type::int32, 3).size_bytes(4) == 12);
static_assert(volume_of(element_type::int64, 3).size_bytes(4) == 24);
static_assert((data_volume{1, 2} += data_volume{3, 4}).size_bytes() == 2 * 4 + 6);

// Shape arithmetic never leaves defined behaviour.
static_assert(op::arithmetic::power(3, 4) == 81 && op::arithmetic::power(7, 0) == 1);
static_assert(op::arithmetic::power(2, -1) == 0 && op::arithmetic::power(-2, 3) == -8);
static_assert(op::arithmetic::over(-7, 2) == -3 && op::arithmetic::over(7, 0) == 0);
static_assert(op::arithmetic::over(INT64_MIN, -1) == INT64_MIN);
static_assert(op::arithmetic::remainder(-7, 3) == 2 && op::arithmetic::remainder(7, -3) == -2);
static_assert(op::arithmetic::plus(INT64_MAX, 1) == INT64_MIN);

} // namespace
} // namespace dovetail::workload
