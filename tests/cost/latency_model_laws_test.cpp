#include <laws/latency_model_laws.hpp>

#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/platform.hpp>

#include <cstdint>

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

} // namespace
} // namespace dovetail::test
