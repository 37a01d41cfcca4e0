#include <dovetail/hardware/phaze_family.hpp>

#include <dovetail/hardware/runtime_space.hpp>

#include <type_traits>

namespace dovetail::hardware {
namespace {

static_assert(parameter_space<phaze_family>);
static_assert(parameter_space<runtime_space<phaze_platform, phaze_technology>>);
static_assert(!parameter_space<accelerator>);

// The least that a model of the concept has.
struct archetype {
    using platform = phaze_platform;
    using technology = phaze_technology;
    const char* name() const;
    unsigned size() const;
    accelerator operator[](std::size_t) const;
    bool keeps(const accelerator&) const;
    accelerator reference() const;
};
static_assert(parameter_space<archetype>);

static_assert(phaze_family::size() == 75'712);
static_assert(phaze_family{}[0] == accelerator{4096, 4096, 256, 256, 256, 128 * mebibyte});
static_assert(phaze_family{}[75'711] == accelerator{1, 1, 2, 2, 2, 2 * mebibyte});
static_assert(phaze_family::keeps(tpuv4_like));
static_assert(phaze_family::keeps(phaze_family{}[75'711]), "a design with a single core may be small");
static_assert(!phaze_family::keeps(phaze_family{}[0]), "too large");
static_assert(!phaze_family::keeps({2, 2, 2, 2, 2, 2 * mebibyte}), "too small for several cores");

// A design as a type is a design, and has no data.
using fixed = fix<tpuv4_like>;
static_assert(accelerator_like<accelerator> && accelerator_like<fixed> && !accelerator_like<int>);
static_assert(std::is_empty_v<fixed> && as_point(fixed{}) == tpuv4_like);
static_assert(tensor_macs(fixed{}) == 131'072 && vector_lanes(fixed{}) == 256);
static_assert(area_of<phaze_technology, phaze_platform>(fixed{})->total_um2() ==
              phaze_family::rule::largest_um2);

static_assert(powers_of_two<2, 16>() == std::array<std::int64_t, 4>{16, 8, 4, 2});
static_assert(powers_of_two<3, 20>() == std::array<std::int64_t, 3>{12, 6, 3});

} // namespace
} // namespace dovetail::hardware
