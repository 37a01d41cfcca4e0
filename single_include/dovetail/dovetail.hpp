// Dovetail in one header, made from include/ by single_include/amalgamate.cpp: edit those, not this.
// Distributed under the Boost Software License, Version 1.0: https://www.boost.org/LICENSE_1_0.txt
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
/// \file
/// All of Dovetail, in the order of its layers; a third party only where its macro is defined.

/// \file
/// The version, said here and nowhere else: the build reads this file.

/// Changes when something that worked stops compiling or changes its meaning.
#define DOVETAIL_VERSION_MAJOR 0
/// Changes when something is added.
#define DOVETAIL_VERSION_MINOR 1
/// Changes when something is mended.
#define DOVETAIL_VERSION_PATCH 0

// clang-format off
/// \file
/// What every room stands on.

/// \file
/// The one assertion macro: it guards against a caller's bug, never against bad input.

namespace dovetail::detail {

[[noreturn]] inline void assertion_failed(const char* condition, const char* message, const char* file,
                                          int line) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, condition, message);
    std::abort();
}

} // namespace dovetail::detail

/// Checks a precondition that only a bug of the caller can break. Define it before the first include to
/// route failures elsewhere; it vanishes under `NDEBUG`. In a constant expression a failure does not compile.
#ifndef DOVETAIL_ASSERT
#ifdef NDEBUG
#define DOVETAIL_ASSERT(condition, message) static_cast<void>(sizeof(!(condition)))
#else
#define DOVETAIL_ASSERT(condition, message)                                                                  \
    ((condition) ? static_cast<void>(0)                                                                      \
                 : ::dovetail::detail::assertion_failed(#condition, message, __FILE__, __LINE__))
#endif
#endif

/// \file
/// What a search may spend: nodes and seconds.

namespace dovetail {

/// Limits of a search; the defaults do not limit.
struct budget {
    std::int64_t nodes = std::numeric_limits<std::int64_t>::max();
    double seconds = std::numeric_limits<double>::infinity();
};

/// Seconds since its construction, on a clock that never goes back.
class stopwatch {
public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Counts what a search spends against its `budget`. The clock is read once in 256 nodes.
class spending {
public:
    explicit spending(const budget& limits) noexcept : limits_(limits) {}

    /// Counts one node; false once the budget is exhausted, and from then on.
    [[nodiscard]] bool spend_node() {
        if (exhausted_) return false;
        exhausted_ = ++nodes_ > limits_.nodes || ((nodes_ & 255) == 0 && clock_.seconds() > limits_.seconds);
        return !exhausted_;
    }

    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
    [[nodiscard]] std::int64_t nodes() const noexcept { return nodes_; }
    [[nodiscard]] double seconds() const { return clock_.seconds(); }

private:
    budget limits_;
    stopwatch clock_;
    std::int64_t nodes_ = 0;
    bool exhausted_ = false;
};

} // namespace dovetail

/// \file
/// Integer arithmetic that notices when it leaves its range, and the divisions of tiling.

namespace dovetail {

/// `a * b` for non-negative factors, or nothing when it does not fit.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) {
    DOVETAIL_ASSERT(a >= 0 && b >= 0, "factors are counts");
    if (a != 0 && b > std::numeric_limits<std::int64_t>::max() / a) return std::nullopt;
    return a * b;
}

/// `a + b` for non-negative terms, or nothing when it does not fit.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
    DOVETAIL_ASSERT(a >= 0 && b >= 0, "terms are counts");
    if (b > std::numeric_limits<std::int64_t>::max() - a) return std::nullopt;
    return a + b;
}

/// The product of non-negative counts (1 for none), or nothing when it does not fit.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_product(std::span<const std::int64_t> factors) {
    std::int64_t product = 1;
    for (const std::int64_t factor : factors) {
        const auto next = checked_multiply(product, factor);
        if (!next) return std::nullopt;
        product = *next;
    }
    return product;
}

/// The smallest integer not below `a / b`, for `a >= 0` and `b > 0`.
template <std::integral Int>
[[nodiscard]] constexpr Int ceil_div(Int a, Int b) {
    DOVETAIL_ASSERT(a >= 0 && b > 0, "ceil_div takes a count and a positive divisor");
    return static_cast<Int>(a / b + (a % b != 0 ? 1 : 0));
}

} // namespace dovetail

/// \file
/// Bad input as a value: what kind, where, what is wrong and what would be right.

namespace dovetail {

/// The kind of a bad input, for programs; people read the text of `error`.
enum class errc : std::uint8_t {
    io,               ///< a file cannot be opened, read or written
    parse,            ///< bytes are not of the announced format
    unknown_operator, ///< an operator type without a descriptor
    unknown_name,     ///< a model, family, axis, strategy or format nobody knows
    shape,            ///< shapes or types that do not fit together
    dynamic_shape,    ///< a dimension without a value
    cycle,            ///< a graph that must be acyclic is not
    out_of_range,     ///< a number outside its range: negative, NaN, zero devices
    overflow,         ///< a product that leaves 64 bits
    empty_space,      ///< a parameter space without a point
    unsupported,      ///< well-formed, but outside what a routine handles
};

/// The name of a code, as printed.
[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
    switch (code) {
    case errc::io:
        return "io";
    case errc::parse:
        return "parse";
    case errc::unknown_operator:
        return "unknown operator";
    case errc::unknown_name:
        return "unknown name";
    case errc::shape:
        return "shape";
    case errc::dynamic_shape:
        return "dynamic shape";
    case errc::cycle:
        return "cycle";
    case errc::out_of_range:
        return "out of range";
    case errc::overflow:
        return "overflow";
    case errc::empty_space:
        return "empty space";
    case errc::unsupported:
        return "unsupported";
    }
    return "unknown";
}

/// One bad input. `line()` is the single line that a user sees.
struct error {
    errc code{};
    std::string place;    ///< file, and the place in it: "bert.onnx: node 'MatMul_7'"
    std::string wrong;    ///< what is wrong, with the offending value
    std::string expected; ///< what would be right

    /// "place: what is wrong; what would be right".
    [[nodiscard]] std::string line() const {
        std::string text;
        if (!place.empty()) text += place + ": ";
        text += wrong;
        if (!expected.empty()) text += "; " + expected;
        return text;
    }

    /// The same error seen from further out: `outer` is put before the place.
    [[nodiscard]] error within(std::string_view outer) && {
        place = place.empty() ? std::string(outer) : std::string(outer) + ": " + place;
        return std::move(*this);
    }
};

} // namespace dovetail

/// \file
/// A string as a template argument: the names of axes, operators and options.

namespace dovetail {

/// A structural string of `Size` characters and a terminating zero.
template <std::size_t Size>
struct fixed_string {
    char characters[Size + 1]{};

    constexpr fixed_string(const char (&text)[Size + 1]) noexcept { std::copy_n(text, Size + 1, characters); }

    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters, Size}; }
    constexpr operator std::string_view() const noexcept { return view(); }

    template <std::size_t Other>
    [[nodiscard]] constexpr bool operator==(const fixed_string<Other>& other) const noexcept {
        return view() == other.view();
    }
};

template <std::size_t SizeWithZero>
fixed_string(const char (&)[SizeWithZero]) -> fixed_string<SizeWithZero - 1>;

} // namespace dovetail

/// \file
/// Stable 64-bit hashing: the same value on every machine, in every run, at compile time too.

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

[[nodiscard]] constexpr std::uint64_t hash_append(std::uint64_t seed, std::string_view text) noexcept {
    for (const char c : text)
        seed = hash_append(seed, static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    return hash_append(seed, static_cast<std::uint64_t>(text.size()));
}

} // namespace dovetail

/// \file
/// A parallel loop whose result cannot depend on the number of threads: workers only take indices.

namespace dovetail {

/// The threads to use when the caller does not say: every hardware thread, at least one.
[[nodiscard]] inline std::size_t hardware_threads() {
    return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

/// Calls `body(worker, index)` once for every index in [0, count), in blocks of `grain` handed out as workers
/// become free. `worker` is in [0, threads): use it to reach scratch memory, never the answer. Returning from
/// `body` is the only way to end it; write results to a slot of `index`. \complexity O(count) calls.
template <class Body>
void parallel_for(std::size_t count, std::size_t threads, std::size_t grain, Body&& body) {
    threads = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(1, count));
    grain = std::max<std::size_t>(1, grain);
    std::atomic<std::size_t> next{0};
    const auto work = [&](std::size_t worker) {
        for (;;) {
            const std::size_t begin = next.fetch_add(grain, std::memory_order_relaxed);
            if (begin >= count) return;
            const std::size_t end = std::min(count, begin + grain);
            for (std::size_t index = begin; index < end; ++index) body(worker, index);
        }
    };
    std::vector<std::jthread> helpers;
    helpers.reserve(threads - 1);
    for (std::size_t worker = 1; worker < threads; ++worker) helpers.emplace_back(work, worker);
    work(0);
}

} // namespace dovetail

/// \file
/// A small seeded generator whose sequence is the same everywhere, constant expressions included.

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

/// \file
/// A value or an `error`: how bad input travels, since the headers never throw.

namespace dovetail {

/// Either a `T` or the `error` that stands in its way. Reading the wrong one is a caller's bug.
template <class T>
class [[nodiscard]] result {
    static_assert(std::is_object_v<T> && !std::is_same_v<T, error>, "result<T> holds a value or an error");

public:
    using value_type = T;

    constexpr result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : state_(std::in_place_index<0>, std::move(value)) {}
    constexpr result(error problem) noexcept : state_(std::in_place_index<1>, std::move(problem)) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return state_.index() == 0; }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] constexpr T& value() & {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return *std::get_if<0>(&state_);
    }
    [[nodiscard]] constexpr const T& value() const& {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return *std::get_if<0>(&state_);
    }
    [[nodiscard]] constexpr T value() && {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return std::move(*std::get_if<0>(&state_));
    }

    [[nodiscard]] constexpr T& operator*() & { return value(); }
    [[nodiscard]] constexpr const T& operator*() const& { return value(); }
    [[nodiscard]] constexpr T operator*() && { return std::move(*this).value(); }
    [[nodiscard]] constexpr T* operator->() { return &value(); }
    [[nodiscard]] constexpr const T* operator->() const { return &value(); }

    [[nodiscard]] constexpr const error& problem() const& {
        DOVETAIL_ASSERT(!has_value(), "result holds a value");
        return *std::get_if<1>(&state_);
    }
    [[nodiscard]] constexpr error problem() && {
        DOVETAIL_ASSERT(!has_value(), "result holds a value");
        return std::move(*std::get_if<1>(&state_));
    }

private:
    std::variant<T, error> state_;
};

/// Success without a value, or an `error`.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    constexpr result() noexcept = default;
    constexpr result(error problem) noexcept : problem_(std::move(problem)) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return !problem_.has_value(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] constexpr const error& problem() const& {
        DOVETAIL_ASSERT(!has_value(), "result holds no error");
        return *problem_;
    }
    [[nodiscard]] constexpr error problem() && {
        DOVETAIL_ASSERT(!has_value(), "result holds no error");
        return *std::move(problem_);
    }

private:
    std::optional<error> problem_;
};

} // namespace dovetail

/// \file
/// How a solver ended. Infeasible and out of budget are answers, not errors.

namespace dovetail {

/// The outcome of a search, in the words of the command line's JSON.
enum class status : std::uint8_t {
    optimal,    ///< the answer is proved best
    feasible,   ///< an answer, not proved best
    infeasible, ///< proved that there is none
    budget,     ///< the budget ended first; the answer, if any, is the best so far
};

[[nodiscard]] constexpr std::string_view to_string(status s) noexcept {
    switch (s) {
    case status::optimal:
        return "optimal";
    case status::feasible:
        return "feasible";
    case status::infeasible:
        return "infeasible";
    case status::budget:
        return "budget";
    }
    return "unknown";
}

} // namespace dovetail

/// \file
/// Numbers as text: the shortest form that reads back to the same value, independent of the locale.

namespace dovetail {

/// The shortest decimal that reads back to `value`; "inf", "-inf" and "nan" for the rest.
template <class Number>
    requires std::floating_point<Number> || std::integral<Number>
[[nodiscard]] inline std::string to_text(Number value) {
    std::array<char, 64> buffer;
    const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return code == std::errc{} ? std::string(buffer.data(), end) : std::string();
}

/// `value` with `digits` significant digits, for people.
[[nodiscard]] inline std::string to_text(double value, int digits) {
    std::array<char, 64> buffer;
    const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                           std::chars_format::general, digits);
    return code == std::errc{} ? std::string(buffer.data(), end) : to_text(value);
}

/// The number that is all of `text`, or nothing.
template <class Number>
    requires std::floating_point<Number> || std::integral<Number>
[[nodiscard]] inline std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

} // namespace dovetail

/// \file
/// Binary and decimal multiples. Units themselves live in names: `latency_s`, `size_bytes`, `area_um2`.

namespace dovetail {

inline constexpr std::int64_t kibibyte = std::int64_t{1} << 10;
inline constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
inline constexpr std::int64_t gibibyte = std::int64_t{1} << 30;
inline constexpr double giga = 1e9;

/// Square micrometres in a square millimetre.
inline constexpr double um2_per_mm2 = 1e6;

} // namespace dovetail

/// \file
/// Directed graphs, without a word of any domain.

/// \file
/// A directed graph in compressed rows, both ways: the one graph type of the library.

namespace dovetail::graph {

/// A vertex or edge number.
using index = std::uint32_t;

/// "No vertex", "no edge".
inline constexpr index none = std::numeric_limits<index>::max();

/// An edge of a digraph.
struct arc {
    index source{};
    index target{};

    friend constexpr bool operator==(const arc&, const arc&) = default;
};

/// An immutable directed multigraph over vertices 0 … n-1. Edges keep the numbers of the list that they came
/// from; within a row they stand in that order.
class digraph {
public:
    constexpr digraph() = default;

    /// Builds the graph in O(vertices + arcs). The arcs' ends must be below `vertex_count`: see
    /// `make_digraph` for input that nobody has checked.
    constexpr digraph(std::size_t vertex_count, std::span<const arc> arcs)
        : arcs_(arcs.begin(), arcs.end()), out_begin_(vertex_count + 1, 0), in_begin_(vertex_count + 1, 0),
          out_edges_(arcs.size()), in_edges_(arcs.size()), targets_(arcs.size()), sources_(arcs.size()) {
        for (const arc& a : arcs_) {
            DOVETAIL_ASSERT(a.source < vertex_count && a.target < vertex_count, "an arc leaves the graph");
            ++out_begin_[a.source + 1];
            ++in_begin_[a.target + 1];
        }
        for (std::size_t v = 0; v < vertex_count; ++v) {
            out_begin_[v + 1] += out_begin_[v];
            in_begin_[v + 1] += in_begin_[v];
        }
        std::vector<index> out_next(out_begin_.begin(), out_begin_.end());
        std::vector<index> in_next(in_begin_.begin(), in_begin_.end());
        for (index e = 0; e < arcs_.size(); ++e) {
            const index out = out_next[arcs_[e].source]++;
            const index in = in_next[arcs_[e].target]++;
            out_edges_[out] = e;
            targets_[out] = arcs_[e].target;
            in_edges_[in] = e;
            sources_[in] = arcs_[e].source;
        }
    }

    [[nodiscard]] constexpr std::size_t vertex_count() const noexcept {
        return out_begin_.empty() ? 0 : out_begin_.size() - 1;
    }
    [[nodiscard]] constexpr std::size_t edge_count() const noexcept { return arcs_.size(); }
    [[nodiscard]] constexpr std::span<const arc> arcs() const noexcept { return arcs_; }

    /// The heads of the edges out of `v`, aligned with `out_edges(v)`.
    [[nodiscard]] constexpr std::span<const index> successors(index v) const {
        return row(targets_, out_begin_, v);
    }
    /// The tails of the edges into `v`, aligned with `in_edges(v)`.
    [[nodiscard]] constexpr std::span<const index> predecessors(index v) const {
        return row(sources_, in_begin_, v);
    }
    [[nodiscard]] constexpr std::span<const index> out_edges(index v) const {
        return row(out_edges_, out_begin_, v);
    }
    [[nodiscard]] constexpr std::span<const index> in_edges(index v) const {
        return row(in_edges_, in_begin_, v);
    }

private:
    [[nodiscard]] static constexpr std::span<const index> row(const std::vector<index>& values,
                                                              const std::vector<index>& begin, index v) {
        DOVETAIL_ASSERT(v + std::size_t{1} < begin.size(), "no such vertex");
        return std::span(values).subspan(begin[v], begin[v + 1] - begin[v]);
    }

    std::vector<arc> arcs_;
    std::vector<index> out_begin_, in_begin_;
    std::vector<index> out_edges_, in_edges_;
    std::vector<index> targets_, sources_;
};

/// Builds a digraph from arcs that nobody has checked.
/// \returns errc::out_of_range when an arc names a vertex that does not exist.
[[nodiscard]] constexpr result<digraph> make_digraph(std::size_t vertex_count, std::span<const arc> arcs) {
    for (std::size_t e = 0; e < arcs.size(); ++e)
        if (arcs[e].source >= vertex_count || arcs[e].target >= vertex_count)
            return error{errc::out_of_range, "edge " + to_text(e),
                         "it joins vertices " + to_text(arcs[e].source) + " and " + to_text(arcs[e].target),
                         "vertices are numbered below " + to_text(vertex_count)};
    return digraph(vertex_count, arcs);
}

} // namespace dovetail::graph

/// \file
/// Longest paths by vertex weight: earliest starts (heads) and the work that must follow (tails).

namespace dovetail::graph {

/// For every vertex the weight of the heaviest path that ends just before it. `order` is a topological order,
/// `weight` has one entry a vertex. \complexity O(vertices + edges).
[[nodiscard]] constexpr std::vector<double> heads(const digraph& g, std::span<const index> order,
                                                  std::span<const double> weight) {
    DOVETAIL_ASSERT(weight.size() == g.vertex_count(), "one weight a vertex");
    std::vector<double> head(g.vertex_count(), 0.0);
    for (const index v : order)
        for (const index w : g.successors(v)) head[w] = std::max(head[w], head[v] + weight[v]);
    return head;
}

/// For every vertex the weight of the heaviest path that starts just after it.
[[nodiscard]] constexpr std::vector<double> tails(const digraph& g, std::span<const index> order,
                                                  std::span<const double> weight) {
    DOVETAIL_ASSERT(weight.size() == g.vertex_count(), "one weight a vertex");
    std::vector<double> tail(g.vertex_count(), 0.0);
    for (auto v = order.rbegin(); v != order.rend(); ++v)
        for (const index w : g.successors(*v)) tail[*v] = std::max(tail[*v], weight[w] + tail[w]);
    return tail;
}

/// The weight of the heaviest path of the graph; 0 for an empty one.
[[nodiscard]] constexpr double longest_path(const digraph& g, std::span<const index> order,
                                            std::span<const double> weight) {
    const std::vector<double> head = heads(g, order, weight);
    double longest = 0.0;
    for (const index v : order) longest = std::max(longest, head[v] + weight[v]);
    return longest;
}

} // namespace dovetail::graph

/// \file
/// Topological order, and the cycle that stands in its way.

namespace dovetail::graph {

/// The vertices of one cycle, in the order of its arcs; empty when the graph is acyclic.
/// \complexity O(vertices + edges).
[[nodiscard]] constexpr std::vector<index> find_cycle(const digraph& g) {
    const std::size_t n = g.vertex_count();
    std::vector<index> remaining_out(n);
    std::vector<index> sinks;
    for (index v = 0; v < n; ++v) {
        remaining_out[v] = static_cast<index>(g.successors(v).size());
        if (remaining_out[v] == 0) sinks.push_back(v);
    }
    std::size_t removed = 0;
    for (; removed < sinks.size(); ++removed)
        for (const index u : g.predecessors(sinks[removed]))
            if (--remaining_out[u] == 0) sinks.push_back(u);
    if (removed == n) return {};

    // Every vertex left has a successor left, so walking along them must close a cycle.
    index v = 0;
    while (remaining_out[v] == 0) ++v;
    std::vector<index> position(n, none);
    std::vector<index> walk;
    while (position[v] == none) {
        position[v] = static_cast<index>(walk.size());
        walk.push_back(v);
        for (const index w : g.successors(v))
            if (remaining_out[w] != 0) {
                v = w;
                break;
            }
    }
    walk.erase(walk.begin(), walk.begin() + position[v]);
    return walk;
}

/// The topological order that always takes the smallest free vertex: unique, and the identity where the
/// numbering is topological already.
/// \returns errc::cycle, with the cycle spelled out by vertex number.
/// \complexity O((vertices + edges) log vertices).
[[nodiscard]] constexpr result<std::vector<index>> topological_order(const digraph& g) {
    const std::size_t n = g.vertex_count();
    std::vector<index> remaining_in(n);
    std::vector<index> free;
    for (index v = 0; v < n; ++v) {
        remaining_in[v] = static_cast<index>(g.predecessors(v).size());
        if (remaining_in[v] == 0) free.push_back(v);
    }
    std::make_heap(free.begin(), free.end(), std::greater<>{});
    std::vector<index> order;
    order.reserve(n);
    while (!free.empty()) {
        std::pop_heap(free.begin(), free.end(), std::greater<>{});
        const index v = free.back();
        free.pop_back();
        order.push_back(v);
        for (const index w : g.successors(v))
            if (--remaining_in[w] == 0) {
                free.push_back(w);
                std::push_heap(free.begin(), free.end(), std::greater<>{});
            }
    }
    if (order.size() == n) return order;

    std::string path;
    const std::vector<index> cycle = find_cycle(g);
    for (const index v : cycle) path += to_text(v) + " -> ";
    return error{errc::cycle, "graph", "it has a cycle: " + path + to_text(cycle.front()),
                 "the graph must be acyclic"};
}

} // namespace dovetail::graph

/// \file
/// Who reaches whom in an acyclic graph, a bit a pair.

namespace dovetail::graph {

/// The transitive closure of an acyclic graph as rows of bits. \complexity O(edges * vertices / 64) time,
/// vertices^2 / 8 bytes.
class reachability {
public:
    /// `order` is a topological order of `g`.
    constexpr reachability(const digraph& g, std::span<const index> order)
        : words_((g.vertex_count() + 63) / 64), bits_(words_ * g.vertex_count(), 0) {
        DOVETAIL_ASSERT(order.size() == g.vertex_count(), "the order must hold every vertex");
        for (std::size_t position = order.size(); position-- > 0;) {
            const index v = order[position];
            for (const index w : g.successors(v)) {
                std::uint64_t* const row = bits_.data() + words_ * v;
                const std::uint64_t* const below = bits_.data() + words_ * w;
                for (std::size_t k = 0; k < words_; ++k) row[k] |= below[k];
                row[w / 64] |= std::uint64_t{1} << (w % 64);
            }
        }
    }

    /// Whether a path of at least one arc leads from `from` to `to`.
    [[nodiscard]] constexpr bool reaches(index from, index to) const {
        return (bits_[words_ * from + to / 64] >> (to % 64) & 1) != 0;
    }

    /// Whether neither reaches the other; a vertex is comparable with itself.
    [[nodiscard]] constexpr bool incomparable(index a, index b) const {
        return a != b && !reaches(a, b) && !reaches(b, a);
    }

    /// The descendants of `v`, 64 vertices a word.
    [[nodiscard]] constexpr std::span<const std::uint64_t> descendants(index v) const {
        return std::span(bits_).subspan(words_ * v, words_);
    }

private:
    std::size_t words_;
    std::vector<std::uint64_t> bits_;
};

} // namespace dovetail::graph

/// \file
/// Models as graphs of operators.

/// \file
/// The named settings of an operation: axes, strides, permutations.

namespace dovetail::workload {

/// The value of an attribute.
using attribute_value = std::variant<std::int64_t, double, std::vector<std::int64_t>, std::string>;

/// Attributes by name, kept sorted so that equal sets compare and hash equal.
class attribute_set {
public:
    void set(std::string name, attribute_value value) {
        const auto place = lower_bound(name);
        if (place != entries_.end() && place->first == name)
            entries_[static_cast<std::size_t>(place - entries_.begin())].second = std::move(value);
        else
            entries_.emplace(place, std::move(name), std::move(value));
    }

    [[nodiscard]] bool contains(std::string_view name) const { return find(name) != nullptr; }

    /// The integer `name`, or `fallback` where it is absent or of another type.
    [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const {
        return get<std::int64_t>(name, fallback);
    }
    [[nodiscard]] double real(std::string_view name, double fallback) const {
        return get<double>(name, fallback);
    }
    [[nodiscard]] std::string_view text(std::string_view name, std::string_view fallback) const {
        const auto* value = find(name);
        const auto* string = value != nullptr ? std::get_if<std::string>(value) : nullptr;
        return string != nullptr ? std::string_view(*string) : fallback;
    }
    /// The integers `name`; empty where absent.
    [[nodiscard]] std::span<const std::int64_t> integers(std::string_view name) const {
        const auto* value = find(name);
        const auto* list = value != nullptr ? std::get_if<std::vector<std::int64_t>>(value) : nullptr;
        return list != nullptr ? std::span<const std::int64_t>(*list) : std::span<const std::int64_t>();
    }

    [[nodiscard]] std::span<const std::pair<std::string, attribute_value>> entries() const {
        return entries_;
    }

    friend bool operator==(const attribute_set&, const attribute_set&) = default;

private:
    using entry_list = std::vector<std::pair<std::string, attribute_value>>;

    [[nodiscard]] entry_list::const_iterator lower_bound(std::string_view name) const {
        return std::lower_bound(entries_.begin(), entries_.end(), name,
                                [](const auto& entry, std::string_view key) { return entry.first < key; });
    }
    [[nodiscard]] const attribute_value* find(std::string_view name) const {
        const auto place = lower_bound(name);
        return place != entries_.end() && place->first == name ? &place->second : nullptr;
    }
    template <class T>
    [[nodiscard]] T get(std::string_view name, T fallback) const {
        const auto* value = find(name);
        const T* held = value != nullptr ? std::get_if<T>(value) : nullptr;
        return held != nullptr ? *held : fallback;
    }

    entry_list entries_;
};

} // namespace dovetail::workload

/// \file
/// What an operator type is: one descriptor a type, known at compile time.

/// \file
/// A model as operations over tensors: what importers and the model zoo give, and every pass takes.

/// \file
/// Tensors: shape, element type, and the part that they play in a model.

namespace dovetail::workload {

/// Element types that model files use. A cost model prices every floating type at the chip's element size.
enum class element_type : std::uint8_t {
    float32,
    float64,
    float16,
    bfloat16,
    int8,
    uint8,
    int16,
    uint16,
    int32,
    uint32,
    int64,
    uint64,
    boolean,
};

[[nodiscard]] constexpr bool is_floating(element_type type) noexcept {
    return type <= element_type::bfloat16;
}

/// The part that a tensor plays.
enum class tensor_role : std::uint8_t {
    activation, ///< given by an operation
    input,      ///< data: its first dimension is the batch unless the model says otherwise
    parameter,  ///< trained: has a gradient and an optimizer state
    buffer,     ///< state that is not trained: masks, running statistics, rotary tables
    constant,   ///< a small value that belongs to the graph: scalars, axes, reshape targets
};

/// The extents of a tensor, outermost first; empty for a scalar.
using dimensions = std::vector<std::int64_t>;

/// A tensor of an operator graph.
struct tensor {
    std::string name;
    tensor_role role = tensor_role::activation;
    element_type type = element_type::float32;
    dimensions dims;
    /// The elements of a small constant integer tensor (axes, reshape targets), row-major; else empty.
    std::vector<std::int64_t> integers;
    /// The elements of a small constant floating tensor (exponents, epsilons, scales); else empty.
    std::vector<double> reals;

    /// The number of elements. Shapes are checked against overflow where they enter the library.
    [[nodiscard]] std::int64_t elements() const { return checked_product(dims).value_or(0); }
};

} // namespace dovetail::workload

namespace dovetail::workload {

using graph::index;
using graph::none;

/// The type of an operation: its position in the list of descriptors (operators.hpp).
enum class operator_type : std::uint16_t {};

/// The part of a training step that an operation belongs to.
enum class phase : std::uint8_t {
    forward,
    input_gradient,  ///< towards the activations: on the critical path of the backward pass
    weight_gradient, ///< towards the parameters
    update,          ///< the optimizer step, once a batch
};

/// One operation. A backward operation keeps the type of the forward operation that it differentiates.
struct operation {
    operator_type type{};
    workload::phase phase = workload::phase::forward;
    std::string name;
    std::vector<index> inputs;  ///< tensors; `none` for an optional input left out
    std::vector<index> outputs; ///< tensors
    attribute_set attributes;
    index forward = none; ///< backward and update: the forward operation it belongs to
    index operand = none; ///< gradient of a product: the operand that it differentiates by
};

/// Operations over tensors, in any order; the tensors carry the edges.
struct operator_graph {
    std::string name;
    std::vector<tensor> tensors;
    std::vector<operation> operations;
    std::vector<index> outputs;       ///< tensors that the model gives
    std::int64_t batch = 1;           ///< samples that one pass takes
    std::int64_t attention_heads = 0; ///< 0 where unknown: bounds the tensor-parallel widths

    /// Adds a tensor and returns its number.
    index add(tensor value) {
        tensors.push_back(std::move(value));
        return static_cast<index>(tensors.size() - 1);
    }
    /// Adds an operation and returns its number.
    index add(operation value) {
        operations.push_back(std::move(value));
        return static_cast<index>(operations.size() - 1);
    }
};

/// For every tensor the operation that gives it, or `none`. \complexity O(operands).
[[nodiscard]] inline std::vector<index> producers(const operator_graph& g) {
    std::vector<index> producer(g.tensors.size(), none);
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].outputs) {
            DOVETAIL_ASSERT(t < g.tensors.size() && producer[t] == none, "one producer a tensor");
            producer[t] = v;
        }
    return producer;
}

/// The uses of one operation's result by another, one arc a use. \complexity O(operands).
[[nodiscard]] inline graph::digraph dataflow(const operator_graph& g) {
    const std::vector<index> producer = producers(g);
    std::vector<graph::arc> arcs;
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].inputs)
            if (t != none && producer[t] != none) arcs.push_back({producer[t], v});
    return graph::digraph(g.operations.size(), arcs);
}

} // namespace dovetail::workload

/// \file
/// What an operator asks of a chip: the only thing that a cost model sees of it.

namespace dovetail::workload {

/// `batch` independent products of a (rows x reduction) by a (reduction x columns) matrix.
///
/// A convolution is the implicit product: batch = groups, rows = N*P*Q, reduction = C/groups*R*S,
/// columns = K/groups. An operator without a product has no rows.
struct contraction {
    std::int64_t batch = 0;
    std::int64_t rows = 0;
    std::int64_t reduction = 0;
    std::int64_t columns = 0;

    [[nodiscard]] constexpr bool empty() const noexcept { return rows == 0; }

    /// Multiply-accumulates, as a real number since a training step may pass 2^63.
    [[nodiscard]] constexpr double macs() const noexcept {
        return static_cast<double>(batch) * static_cast<double>(rows) * static_cast<double>(reduction) *
               static_cast<double>(columns);
    }

    friend constexpr bool operator==(const contraction&, const contraction&) = default;
};

/// The demand of one operator, or of a fused group of them, on the cores, the memories and the link.
/// Elements become bytes by the element size of the chip.
struct operator_work {
    contraction product;    ///< for the tensor cores; empty for a pure vector operator
    double lane_cycles = 0; ///< for the vector cores: cycles summed over all elements, one lane each
    double product_operand_elements = 0; ///< distinct elements that the product reads (both operands)
    double product_result_elements = 0;  ///< distinct elements that the product gives
    double read_elements = 0;            ///< distinct elements that the whole group reads from outside
    double written_elements = 0;         ///< distinct elements that the whole group gives to the outside
    double reduced_elements = 0;         ///< elements that take part in an all-reduce over the tensor group

    [[nodiscard]] constexpr bool uses_tensor_core() const noexcept { return !product.empty(); }
    [[nodiscard]] constexpr bool uses_vector_core() const noexcept { return lane_cycles > 0; }
    [[nodiscard]] constexpr bool uses_link() const noexcept { return reduced_elements > 0; }
    /// Whether it costs anything at all: views and weight-only expressions do not.
    [[nodiscard]] constexpr bool empty() const noexcept {
        return !uses_tensor_core() && !uses_vector_core() && !uses_link();
    }

    friend constexpr bool operator==(const operator_work&, const operator_work&) = default;
};

} // namespace dovetail::workload

namespace dovetail::workload {

/// Where an operator runs.
enum class core_type : std::uint8_t {
    none,   ///< costs nothing: views, shape arithmetic
    tensor, ///< matrix products
    vector, ///< everything element by element
    link,   ///< collectives
};

/// How an operator fuses with its neighbours.
enum class fusion_class : std::uint8_t {
    opaque,        ///< stands alone
    contraction,   ///< a product: absorbs the elementwise operators that follow it
    elementwise,   ///< each result element from the operand elements at its place
    normalization, ///< a reduction and a rescaling over an axis: ends a chain
    reduction,     ///< fewer elements come out: ends a chain
    view,          ///< moves no data
};

/// What the backward pass of an operator is made of.
enum class gradient_rule : std::uint8_t {
    none,        ///< nothing flows back: comparisons, integer arithmetic
    product,     ///< one product for each operand that needs a gradient
    elementwise, ///< one vector operator for all operands
    view,        ///< the gradient is a view as well
    collective,  ///< the conjugate collective
};

/// What the forward pass must keep for the backward pass.
enum class saved : std::uint8_t { nothing, inputs, output };

/// The operands of one operation, seen by its descriptor. A missing optional input is a null pointer.
struct operands {
    std::span<const tensor* const> inputs;
    std::span<const tensor* const> outputs; ///< empty while shapes are being inferred
    const attribute_set& attributes;
};

/// Shape and element type of one result.
struct signature {
    dimensions dims;
    element_type type = element_type::float32;
    std::vector<std::int64_t> integers; ///< the value, where shape arithmetic knows it
};

/// A descriptor: everything that the library knows about an operator type. To add an operator, write one and
/// put it in the list of operators.hpp.
template <class D>
concept operator_descriptor = requires(const operands& o) {
    { D::name.view() } -> std::convertible_to<std::string_view>; // as in model files
    { D::core } -> std::convertible_to<core_type>;
    { D::fusion } -> std::convertible_to<fusion_class>;
    { D::gradient } -> std::convertible_to<gradient_rule>;
    { D::saves } -> std::convertible_to<saved>;
    { D::infer(o) } -> std::same_as<result<std::vector<signature>>>; // shapes of the results
    { D::product(o) } -> std::same_as<contraction>;                  // empty unless core is tensor
    { D::forward_cycles(o) } -> std::convertible_to<double>;         // lane cycles of the whole operator
    { D::backward_cycles(o) } -> std::convertible_to<double>;        // lane cycles of its input gradient
};

/// A descriptor as data, for graphs whose types are known at run time only.
struct descriptor_record {
    std::string_view name;
    core_type core;
    fusion_class fusion;
    gradient_rule gradient;
    saved saves;
    result<std::vector<signature>> (*infer)(const operands&);
    contraction (*product)(const operands&);
    double (*forward_cycles)(const operands&);
    double (*backward_cycles)(const operands&);
};

/// The record of descriptor `D`.
template <operator_descriptor D>
inline constexpr descriptor_record record_of{D::name.view(),     D::core,   D::fusion,   D::gradient,
                                             D::saves,           &D::infer, &D::product, &D::forward_cycles,
                                             &D::backward_cycles};

} // namespace dovetail::workload

// clang-format on
