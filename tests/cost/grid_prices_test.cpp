#include <dovetail/cost/grid_prices.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <laws/latency_model_laws.hpp>

#include <gtest/gtest.h>

#include <cstddef>

namespace dovetail::cost {
namespace {

using hardware::phaze_family;

TEST(grid_prices, are_those_of_the_model_to_the_last_bit) {
    const sound_model<phaze_family::platform> model;
    random_source random(5);
    for (int i = 0; i < 6; ++i) {
        const workload::operator_work work = test::random_work(random);
        const grid_prices<phaze_family> prices(work);
        for (std::size_t position = static_cast<std::size_t>(i); position < phaze_family::size();
             position += 61) {
            const hardware::accelerator chip = phaze_family{}[position];
            for (const core_mode mode : {core_mode::one_core, core_mode::all_cores}) {
                const estimate priced = prices(prices.at(position), mode);
                const estimate expected = model(work, chip, mode);
                ASSERT_EQ(priced.latency_s(), expected.latency_s()) << position;
                ASSERT_EQ(priced.hbm_s, expected.hbm_s);
                ASSERT_EQ(priced.global_s, expected.global_s);
                ASSERT_EQ(priced.local_bytes, expected.local_bytes);
            }
        }
    }
}

} // namespace
} // namespace dovetail::cost
