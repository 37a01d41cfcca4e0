// doors: hana
// A family of designs of one's own: counted by the compiler, then searched for the fastest at one product.
#include <dovetail/core/units.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/ext/hana/family.hpp>
#include <dovetail/ext/hana/for_each_design.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <cstdio>

namespace hw = dovetail::hardware;
namespace cost = dovetail::cost;
namespace workload = dovetail::workload;
using namespace dovetail::ext::hana;

constexpr auto edge = family<hw::phaze_platform, hw::phaze_technology>(
    "edge",
    axes(num_tc(powers_of_two<1, 16>), num_vc(values<1>), width(powers_of_two<32, 128>),
         depth(powers_of_two<32, 128>), glb_bytes(values<2 * dovetail::mebibyte, 8 * dovetail::mebibyte>)),
    limits(area_between(0, 40 * dovetail::um2_per_mm2),
           [](const hw::accelerator& chip, double) { return chip.width <= chip.depth; }),
    {4, 1, 64, 64, 64, 8 * dovetail::mebibyte});

static_assert(edge.size() == 90);

int main() {
    constexpr cost::sound_model<hw::phaze_platform> model;
    constexpr workload::operator_work gemm{
        .product = {.batch = 1, .rows = 2048, .reduction = 1024, .columns = 4096},
        .product_operand_elements = 2048 * 1024 + 1024 * 4096,
        .product_result_elements = 2048 * 4096,
        .read_elements = 2048 * 1024 + 1024 * 4096,
        .written_elements = 2048 * 4096};
    hw::accelerator best;
    cost::estimate fastest;
    for_each_design<edge>([&](auto chip) {
        const cost::estimate e = model(gemm, chip, cost::core_mode::all_cores);
        if (best.num_tc != 0 && e.latency_s() >= fastest.latency_s()) return;
        best = hw::as_point(chip);
        fastest = e;
    });

    const auto ideal_s = 2 * gemm.product.macs() / hw::peak_flops<hw::phaze_platform>(best);
    std::printf("%zu of %zu designs are within the limits\n", kept_count<edge>, edge.size());
    std::printf("fastest: %lld tensor cores of %lld x %lld, %lld MiB, %.2f mm^2\n",
                static_cast<long long>(best.num_tc), static_cast<long long>(best.depth),
                static_cast<long long>(best.width),
                static_cast<long long>(best.glb_bytes / dovetail::mebibyte),
                *hw::area_um2(edge, best) / dovetail::um2_per_mm2);
    std::printf("%.1f us, %.0f %% of its peak, bound by the %s\n", fastest.latency_s() * 1e6,
                100 * ideal_s / fastest.latency_s(), to_string(fastest.bound_by()).data());
}
