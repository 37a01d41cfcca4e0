#pragma once
/// \file
/// A transformer that is small enough to count by hand.

#include <dovetail/workload/zoo.hpp>

namespace dovetail::test {

inline constexpr workload::zoo::transformer small_transformer{.name = "small",
                                                              .layers = 3,
                                                              .hidden = 8,
                                                              .heads = 2,
                                                              .sequence = 4,
                                                              .feed_forward = 16,
                                                              .vocabulary = 32,
                                                              .positions = 4};

} // namespace dovetail::test
