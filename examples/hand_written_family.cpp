// A family of designs without any third party: a struct that satisfies the concept. Square arrays, as many
// vector lanes as columns, at least a quarter of the area in buffer.
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

using namespace dovetail;

struct square_family {
    using platform = hardware::phaze_platform;
    using technology = hardware::phaze_technology;

    static constexpr std::string_view name() { return "square"; }
    // 1 to 32 pairs of cores, sides of 32 to 256, buffers of 4 to 64 MiB; each a power of two.
    static constexpr std::size_t size() { return 6 * 4 * 5; }
    constexpr hardware::accelerator operator[](std::size_t position) const {
        const std::int64_t pairs = 32 >> (position / 20);
        const std::int64_t side = 256 >> (position / 5 % 4);
        return {.num_tc = pairs,
                .num_vc = pairs,
                .width = side,
                .depth = side,
                .width_vc = side,
                .glb_bytes = (64 * mebibyte) >> (position % 5)};
    }
    static constexpr bool keeps(const hardware::accelerator& chip) {
        const auto area = hardware::area_of<technology, platform>(chip);
        return area && area->total_um2() < 150 * um2_per_mm2 &&
               4 * area->global_buffer_um2 >= area->total_um2();
    }
    static constexpr hardware::accelerator reference() { return {4, 4, 128, 128, 128, 32 * mebibyte}; }
};

static_assert(hardware::parameter_space<square_family>);

int main() {
    const auto kept = hardware::kept_designs(square_family{}).value();
    const auto fastest = *std::max_element(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
        return hardware::tensor_macs(a.chip) < hardware::tensor_macs(b.chip);
    });
    std::printf("%zu of %zu designs are kept\n", kept.size(), square_family::size());
    std::printf("most units: %zd pairs of cores of %zd x %zd, %zd MiB, %.1f mm^2, %.0f TFLOP/s\n",
                fastest.chip.num_tc, fastest.chip.depth, fastest.chip.width,
                fastest.chip.glb_bytes / mebibyte, fastest.area_um2 / um2_per_mm2,
                hardware::peak_flops<square_family::platform>(fastest.chip) / 1e12);
}
