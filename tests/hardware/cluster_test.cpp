#include <dovetail/hardware/cluster.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace dovetail::hardware {
namespace {

std::string problem_of(const cluster& c) {
    const auto checked = validate(c);
    if (checked) return "none";
    EXPECT_EQ(checked.problem().code, errc::out_of_range);
    return checked.problem().line();
}

TEST(cluster, defaults_to_the_published_one) {
    EXPECT_EQ(cluster{}.devices, 1024);
    EXPECT_EQ(cluster{}.link_bytes_per_s, 4'294'967'296.0);
    EXPECT_EQ(problem_of({}), "none");
}

TEST(cluster, that_is_nonsense_gives_one_line) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinite = std::numeric_limits<double>::infinity();
    EXPECT_EQ(problem_of({.devices = 0}), "cluster: it has 0 devices; give at least 1");
    EXPECT_EQ(problem_of({.devices = -4}), "cluster: it has -4 devices; give at least 1");
    for (const auto& [value, text] :
         {std::pair{0.0, "0"}, std::pair{-1.0, "-1"}, std::pair{nan, "nan"}, std::pair{infinite, "inf"}}) {
        EXPECT_EQ(problem_of({.hbm_bytes = value}),
                  "cluster: a device has " + std::string(text) +
                      " bytes of memory; the memory is positive and finite");
        EXPECT_EQ(problem_of({.link_bytes_per_s = value}),
                  "cluster: a link sends " + std::string(text) +
                      " bytes/s; the bandwidth is positive and finite");
    }
}

} // namespace
} // namespace dovetail::hardware
