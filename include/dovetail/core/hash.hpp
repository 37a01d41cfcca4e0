#pragma once
/// \file
/// Stable 64-bit hashing: the same value on every machine, in every run, at compile time too.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dovetail {

/// A bijective scrambling of 64 bits (the finaliser of SplitMix64, Steele, Lea and Flood, OOPSLA 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/// Appends `value` to `seed`; the order of appending matters.
[[nodiscard]] constexpr std::uint64_t hash_append(std::uint64_t seed, std::uint64_t value) noexcept {
    return mix(seed ^ mix(value));
}

/// `seed` with every byte of `text` mixed in.
[[nodiscard]] constexpr std::uint64_t hash_append(std::uint64_t seed, std::string_view text) noexcept {
    for (const char c : text)
        seed = hash_append(seed, static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    return hash_append(seed, static_cast<std::uint64_t>(text.size()));
}

/// Hashes a set that is kept as bits, 64 a word, for unordered containers.
struct bit_set_hash {
    /// \complexity O(words)
    [[nodiscard]] std::size_t operator()(const std::vector<std::uint64_t>& words) const noexcept {
        std::uint64_t h = 0;
        for (const std::uint64_t word : words) h = mix(h ^ word);
        return static_cast<std::size_t>(h);
    }
};

} // namespace dovetail
