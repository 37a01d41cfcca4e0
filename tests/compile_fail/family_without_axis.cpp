// doors: hana
// expect: a family lacks an axis; give num_tc, num_vc, width, depth, glb_bytes
#include <dovetail/ext/hana/family.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

namespace dh = dovetail::ext::hana;

constexpr auto lacking = dh::family<dovetail::hardware::phaze_platform, dovetail::hardware::phaze_technology>(
    "lacking",
    dh::axes(dh::num_tc(dh::values<1>), dh::num_vc(dh::values<1>), dh::width(dh::values<8>),
#ifndef SHOULD_FAIL
             dh::depth(dh::values<8>),
#endif
             dh::glb_bytes(dh::values<(2 << 20)>)),
    dh::limits(), {1, 1, 8, 8, 8, 2 << 20});

static_assert(lacking.size() == 1);
