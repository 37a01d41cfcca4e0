#include <laws/latency_model_laws.hpp>

#include <dovetail/cost/mapping_search.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/cost/phaze_model.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/platform.hpp>

#include <cstdint>
#include <limits>

namespace dovetail::test {
namespace {

// Starved at every level, so that other bounds than on a real chip set the pace.
struct starved_platform : hardware::phaze_platform {
    static constexpr double local_words_per_cycle = 1000;
    static constexpr double global_words_per_cycle = 50;
    static constexpr std::int64_t tensor_register_bytes = 8;
    static constexpr std::int64_t local_buffer_bytes(std::int64_t macs) noexcept { return 4 * macs + 64; }
};

using models =
    ::testing::Types<priced_on<cost::sound_model<hardware::phaze_platform>, hardware::phaze_platform>,
                     priced_on<cost::sound_model<starved_platform>, starved_platform>>;
INSTANTIATE_TYPED_TEST_SUITE_P(sound_model, latency_model_laws, models);

// PHAZE gives vector operators all the bandwidth that they want.
struct published_limits : cost::published_platform {
    static constexpr double hbm_bytes_per_s = std::numeric_limits<double>::infinity();
};

// By the energy-delay product a chip with more of everything may trade cycles for energy: it obeys a law of
// its own, in phaze_model_test.cpp.
using phaze_models =
    ::testing::Types<priced_on<cost::phaze_model<cost::mapping_objective::latency>, published_limits>>;
INSTANTIATE_TYPED_TEST_SUITE_P(phaze_model, latency_model_laws, phaze_models);

} // namespace
} // namespace dovetail::test
