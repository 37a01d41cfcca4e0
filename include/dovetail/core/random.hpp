#pragma once
/// \file
/// A small seeded generator whose sequence is the same everywhere, constant expressions included.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/hash.hpp>

#include <cstdint>
#include <limits>

namespace dovetail {

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); models `std::uniform_random_bit_generator`.
class random_source {
public:
    using result_type = std::uint64_t;

    constexpr explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}

    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

    constexpr result_type operator()() noexcept {
        const result_type value = mix(state_);
        state_ += 0x9e3779b97f4a7c15ULL;
        return value;
    }

    /// An integer in [low, high], both included. The bias is below (high - low) / 2^64.
    [[nodiscard]] constexpr std::int64_t integer(std::int64_t low, std::int64_t high) {
        DOVETAIL_ASSERT(low <= high, "an empty range has no integer");
        const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
        const std::uint64_t offset = span == 0 ? (*this)() : (*this)() % span;
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
    }

    /// A real number in [low, high).
    [[nodiscard]] constexpr double real(double low = 0.0, double high = 1.0) {
        return low + (high - low) * (static_cast<double>((*this)() >> 11) * 0x1.0p-53);
    }

private:
    std::uint64_t state_;
};

} // namespace dovetail
