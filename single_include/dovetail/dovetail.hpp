// Dovetail in one header, made from include/ by single_include/amalgamate.cpp: edit those, not this.
// Distributed under the Boost Software License, Version 1.0: https://www.boost.org/LICENSE_1_0.txt
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
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
/// A small JSON writer. Reading JSON is the business of ext/json.

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

namespace dovetail {

/// `text` as a JSON string, quotes included. Bytes from 0x80 on pass through: the caller writes UTF-8.
[[nodiscard]] inline std::string json_quoted(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
        case '"':
            quoted += "\\\"";
            break;
        case '\\':
            quoted += "\\\\";
            break;
        case '\n':
            quoted += "\\n";
            break;
        case '\r':
            quoted += "\\r";
            break;
        case '\t':
            quoted += "\\t";
            break;
        default:
            if (byte < 0x20) {
                quoted += "\\u00";
                quoted += hex[byte >> 4];
                quoted += hex[byte & 15];
            } else {
                quoted += c;
            }
        }
    }
    return quoted + '"';
}

/// Writes one JSON document, indented by two blanks. Numbers are the shortest that read back equal;
/// infinities and NaN, which JSON lacks, become null.
class json_writer {
public:
    json_writer& begin_object() { return open('{', '}'); }
    json_writer& end_object() { return close('}'); }
    json_writer& begin_array() { return open('[', ']'); }
    json_writer& end_array() { return close(']'); }

    /// The name of the member whose value is written next.
    json_writer& key(std::string_view name) {
        DOVETAIL_ASSERT(!levels_.empty() && levels_.back().closer == '}' && !after_key_,
                        "a key stands in an object, before its value");
        next_item();
        text_ += json_quoted(name) + ": ";
        after_key_ = true;
        return *this;
    }

    json_writer& value(std::string_view text) { return write(json_quoted(text)); }
    json_writer& value(const char* text) { return value(std::string_view(text)); }
    json_writer& value(bool truth) { return write(truth ? "true" : "false"); }
    json_writer& value(double number) { return write(std::isfinite(number) ? to_text(number) : "null"); }
    template <std::integral Int>
        requires(!std::same_as<Int, bool> && !std::same_as<Int, char>)
    json_writer& value(Int number) { return write(to_text(number)); }
    json_writer& null() { return write("null"); }

    /// `key(name)` and `value(item)` in one.
    template <class Item>
    json_writer& member(std::string_view name, const Item& item) {
        return key(name).value(item);
    }

    /// The finished document, with a line end.
    [[nodiscard]] std::string take() && {
        DOVETAIL_ASSERT(levels_.empty(), "every object and array must be closed");
        return std::move(text_) + '\n';
    }

private:
    struct level {
        char closer;
        bool empty;
    };

    void next_item() {
        if (after_key_) {
            after_key_ = false;
            return;
        }
        if (levels_.empty()) return;
        if (!levels_.back().empty) text_ += ',';
        levels_.back().empty = false;
        break_line();
    }
    void break_line() { text_ += '\n' + std::string(2 * levels_.size(), ' '); }

    json_writer& write(std::string_view token) {
        next_item();
        text_ += token;
        return *this;
    }
    json_writer& open(char opener, char closer) {
        next_item();
        text_ += opener;
        levels_.push_back({closer, true});
        return *this;
    }
    json_writer& close([[maybe_unused]] char closer) {
        DOVETAIL_ASSERT(!levels_.empty() && levels_.back().closer == closer && !after_key_,
                        "close what was opened last");
        const bool empty = levels_.back().empty;
        levels_.pop_back();
        if (!empty) break_line();
        text_ += closer;
        return *this;
    }

    std::string text_;
    std::vector<level> levels_;
    bool after_key_ = false;
};

} // namespace dovetail

/// \file
/// Options as a table: name, meaning and range in one place, which validates them, documents them and feeds
/// the command line. The default is the initialiser of the member itself.

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

namespace dovetail {

/// One row of an option table: a member of `Options` of type `Value`.
template <class Options, class Value>
struct option {
    std::string_view name; ///< as on the command line, without dashes
    std::string_view meaning;
    Value Options::*member;
    double lowest = -std::numeric_limits<double>::infinity(); ///< of every number in it, included
    double highest = std::numeric_limits<double>::infinity();
};

/// An aggregate of options that brings its table: a tuple of `option` rows from a static `table()`.
template <class Options>
concept tabled_options = requires {
    std::tuple_size<decltype(Options::table())>::value;
};

namespace detail {

template <class Number>
[[nodiscard]] result<void> check_range(std::string_view name, Number value, double lowest, double highest) {
    if constexpr (std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>) {
        const auto real = static_cast<double>(value);
        if (!(real >= lowest && real <= highest)) { // written so that NaN fails
            std::string range = "it must be at least " + to_text(lowest, 6);
            if (highest != std::numeric_limits<double>::infinity())
                range += " and at most " + to_text(highest, 6);
            return error{errc::out_of_range, "option --" + std::string(name),
                         "its value is " + to_text(value), range};
        }
    }
    return {};
}

template <class Number>
[[nodiscard]] result<void> check_range(std::string_view name, const std::vector<Number>& values,
                                       double lowest, double highest) {
    if (values.empty())
        return error{errc::out_of_range, "option --" + std::string(name), "its list is empty",
                     "give at least one value"};
    for (const Number& value : values)
        if (auto checked = check_range(name, value, lowest, highest); !checked) return checked;
    return {};
}

} // namespace detail

/// Checks every option against the range of its row; NaN is outside every range, an empty list is refused.
/// \returns the first violation, named as on the command line.
template <tabled_options Options>
[[nodiscard]] result<void> validate(const Options& options) {
    result<void> outcome;
    const auto check = [&](const auto& row) {
        outcome = detail::check_range(row.name, options.*row.member, row.lowest, row.highest);
        return outcome.has_value();
    };
    std::apply([&](const auto&... row) { static_cast<void>((check(row) && ...)); }, Options::table());
    return outcome;
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
    free,   ///< costs nothing: views, shape arithmetic
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
    stops,       ///< nothing flows back: comparisons, integer arithmetic
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

/// \file
/// When and on which core every operator runs.

/// \file
/// Lower bounds on the makespan: the critical path, and each resource's load between its first and last use.

/// \file
/// The scheduling problem: tasks with modes, the order between them, and the units of every resource.

/// \file
/// The ways to run each task: how long it takes and how many units of every resource it holds meanwhile.

namespace dovetail::schedule {

/// Kinds of resource that a task may need; a problem with fewer leaves the last capacities at 0.
inline constexpr std::size_t max_resources = 4;

/// Units of every resource: what a mode holds, or what there is.
using demand = std::array<std::int32_t, max_resources>;

/// Whether `use` is at most `available` in every resource.
[[nodiscard]] constexpr bool fits(const demand& use, const demand& available) noexcept {
    bool within = true;
    for (std::size_t r = 0; r < max_resources; ++r) within &= use[r] <= available[r];
    return within;
}

/// One way to run a task: it holds `use` from its start until `duration_s` later, without interruption. A
/// mode of no duration holds nothing.
struct mode {
    double duration_s = 0.0;
    demand use{};

    friend constexpr bool operator==(const mode&, const mode&) = default;
};

/// The modes of tasks 0, 1, 2 … in compressed rows. Clearing keeps the memory, so that one table serves many
/// fillings of the same graph.
class mode_table {
public:
    constexpr mode_table() = default;

    /// One list of modes a task.
    constexpr mode_table(std::initializer_list<std::initializer_list<mode>> tasks) {
        for (const auto& modes : tasks) {
            add_task();
            for (const mode& m : modes) add_mode(m);
        }
    }

    constexpr void clear() noexcept {
        end_.clear();
        modes_.clear();
    }

    /// Opens the next task, which has no mode yet.
    constexpr void add_task() { end_.push_back(static_cast<std::uint32_t>(modes_.size())); }

    /// Adds a mode to the task that was opened last.
    constexpr void add_mode(const mode& m) {
        DOVETAIL_ASSERT(!end_.empty(), "a mode belongs to a task");
        modes_.push_back(m);
        ++end_.back();
    }

    /// Opens the next task with one mode.
    constexpr void add_task(const mode& only) {
        add_task();
        add_mode(only);
    }

    [[nodiscard]] constexpr std::size_t task_count() const noexcept { return end_.size(); }
    [[nodiscard]] constexpr std::size_t mode_count() const noexcept { return modes_.size(); }

    /// The modes of one task, in the order in which they were added.
    [[nodiscard]] constexpr std::span<const mode> modes(graph::index task) const {
        DOVETAIL_ASSERT(task < end_.size(), "no such task");
        const std::uint32_t begin = task == 0 ? 0 : end_[task - 1];
        return std::span(modes_).subspan(begin, end_[task] - begin);
    }

private:
    std::vector<std::uint32_t> end_;
    std::vector<mode> modes_;
};

} // namespace dovetail::schedule

namespace dovetail::schedule {

/// A multi-mode project with renewable resources: each task runs once, in one of its modes, after all its
/// predecessors; at no time do running tasks hold more of a resource than its capacity. To minimise: the
/// makespan. An operator that runs on one core or on all cores of its type is a task with two modes.
///
/// The order, the topological order and the reachability are computed once; `refill` changes modes and
/// capacities alone, and allocates nothing once the memory has grown.
class task_graph {
public:
    constexpr task_graph() = default;

    [[nodiscard]] constexpr std::size_t task_count() const noexcept { return precedence_.vertex_count(); }
    [[nodiscard]] constexpr const graph::digraph& precedence() const noexcept { return precedence_; }
    /// A topological order of the tasks.
    [[nodiscard]] constexpr std::span<const graph::index> order() const noexcept { return order_; }
    [[nodiscard]] constexpr const graph::reachability& reaches() const noexcept { return reach_; }
    [[nodiscard]] constexpr const demand& capacity() const noexcept { return capacity_; }
    /// The modes of a task, those included that need more than there is: they can never be chosen.
    [[nodiscard]] constexpr std::span<const mode> modes(graph::index task) const {
        return table_.modes(task);
    }

    /// Gives the same tasks other modes and capacities. On an error the graph keeps its old ones.
    /// \returns errc::out_of_range when the table has another number of tasks, a capacity or use is negative,
    /// a duration is negative or not finite, or a task has no mode within the capacities. \complexity
    /// O(modes).
    [[nodiscard]] constexpr result<void> refill(const demand& capacity, const mode_table& table) {
        if (result<void> sound = check(task_count(), capacity, table); !sound) return sound;
        capacity_ = capacity;
        table_ = table;
        return {};
    }

    /// What `make_task_graph` and `refill` check.
    [[nodiscard]] static constexpr result<void> check(std::size_t task_count, const demand& capacity,
                                                      const mode_table& table);

private:
    friend constexpr result<task_graph> make_task_graph(graph::digraph precedence, const demand& capacity,
                                                        mode_table table);

    graph::digraph precedence_;
    std::vector<graph::index> order_;
    graph::reachability reach_{graph::digraph{}, {}};
    demand capacity_{};
    mode_table table_;
};

/// Builds the problem from input that nobody has checked.
/// \param precedence arcs from a task to those that must wait for it
/// \param capacity units of every resource; 0 for a resource that does not exist
/// \param table the modes, one row a vertex of `precedence`
/// \returns errc::cycle, or errc::out_of_range as `task_graph::refill`, naming the task.
/// \complexity O((tasks + arcs) log tasks + arcs * tasks / 64 + modes).
[[nodiscard]] constexpr result<task_graph> make_task_graph(graph::digraph precedence, const demand& capacity,
                                                           mode_table table) {
    result<std::vector<graph::index>> order = graph::topological_order(precedence);
    if (!order) return std::move(order).problem().within("task graph");
    result<void> sound = task_graph::check(precedence.vertex_count(), capacity, table);
    if (!sound) return std::move(sound).problem();
    task_graph problem;
    problem.precedence_ = std::move(precedence);
    problem.order_ = std::move(order).value();
    problem.reach_ = graph::reachability(problem.precedence_, problem.order_);
    problem.capacity_ = capacity;
    problem.table_ = std::move(table);
    return problem;
}

namespace detail {

/// Why no mode of a task can run: the first resource that its first mode lacks.
[[nodiscard]] inline std::string shortage(const mode& m, const demand& capacity) {
    std::size_t r = 0;
    while (m.use[r] <= capacity[r]) ++r;
    return to_text(m.use[r]) + " of resource " + to_text(r) + ", where there are " + to_text(capacity[r]);
}

} // namespace detail

constexpr result<void> task_graph::check(std::size_t task_count, const demand& capacity,
                                         const mode_table& table) {
    const auto bad = [](std::string place, std::string wrong, std::string expected) {
        return error{errc::out_of_range, "task graph: " + std::move(place), std::move(wrong),
                     std::move(expected)};
    };
    if (table.task_count() != task_count)
        return bad("modes", "they are given for " + to_text(table.task_count()) + " tasks",
                   "the graph has " + to_text(task_count));
    for (std::size_t r = 0; r < max_resources; ++r)
        if (capacity[r] < 0)
            return bad("resource " + to_text(r), "its capacity is " + to_text(capacity[r]),
                       "a capacity is at least 0");
    for (graph::index task = 0; task < task_count; ++task) {
        bool runnable = false;
        for (const mode& m : table.modes(task)) {
            if (!(m.duration_s >= 0.0 && m.duration_s <= std::numeric_limits<double>::max()))
                return bad("task " + to_text(task), "a mode takes " + to_text(m.duration_s) + " s",
                           "a duration is finite and at least 0");
            for (std::size_t r = 0; r < max_resources; ++r)
                if (m.use[r] < 0)
                    return bad("task " + to_text(task),
                               "a mode holds " + to_text(m.use[r]) + " of resource " + to_text(r),
                               "a demand is at least 0");
            runnable |= fits(m.use, capacity);
        }
        if (runnable) continue;
        if (table.modes(task).empty())
            return bad("task " + to_text(task), "it has no mode", "a task has at least one");
        return bad("task " + to_text(task),
                   "it can never run: it needs " + detail::shortage(table.modes(task).front(), capacity),
                   "at least one mode must stay within the capacities");
    }
    return {};
}

} // namespace dovetail::schedule

namespace dovetail::schedule {

/// Units times seconds, of every resource.
using work = std::array<double, max_resources>;

/// What a task needs at least, each respect by itself: the modes that attain them may differ.
struct least_needs {
    double duration_s = std::numeric_limits<double>::infinity();
    work work_s{};

    /// Over the modes that stay within the capacities, of which there is at least one.
    constexpr least_needs(std::span<const mode> modes, const demand& capacity) noexcept {
        work_s.fill(std::numeric_limits<double>::infinity());
        for (const mode& m : modes) {
            if (!fits(m.use, capacity)) continue;
            duration_s = std::min(duration_s, m.duration_s);
            for (std::size_t r = 0; r < max_resources; ++r)
                work_s[r] = std::min(work_s[r], m.duration_s * m.use[r]);
        }
    }
};

/// A problem relaxed to the least needs of its tasks. Its memory is kept from one problem to the next.
class relaxation {
public:
    constexpr relaxation() = default;
    constexpr explicit relaxation(const task_graph& problem) { assign(problem); }

    /// Takes another problem. \complexity O(arcs + modes); no allocation once the memory has grown.
    constexpr void assign(const task_graph& problem) {
        const std::size_t n = problem.task_count();
        shortest_s_.resize(n);
        work_s_.resize(n);
        head_s_.assign(n, 0.0);
        tail_s_.assign(n, 0.0);
        critical_path_s_ = 0.0;
        const std::span<const graph::index> order = problem.order();
        for (const graph::index v : order) {
            const least_needs least(problem.modes(v), problem.capacity());
            shortest_s_[v] = least.duration_s;
            work_s_[v] = least.work_s;
            const double end_s = head_s_[v] + least.duration_s;
            critical_path_s_ = std::max(critical_path_s_, end_s);
            for (const graph::index w : problem.precedence().successors(v))
                head_s_[w] = std::max(head_s_[w], end_s);
        }
        for (auto v = order.rbegin(); v != order.rend(); ++v)
            for (const graph::index w : problem.precedence().successors(*v))
                tail_s_[*v] = std::max(tail_s_[*v], shortest_s_[w] + tail_s_[w]);
        measure_loads(problem.capacity());
    }

    /// Of every task: the duration of its shortest mode.
    [[nodiscard]] constexpr std::span<const double> shortest_s() const noexcept { return shortest_s_; }
    /// Of every task: the least that it asks of every resource.
    [[nodiscard]] constexpr std::span<const work> work_s() const noexcept { return work_s_; }
    /// Of every task: no schedule starts it earlier.
    [[nodiscard]] constexpr std::span<const double> head_s() const noexcept { return head_s_; }
    /// Of every task: no schedule ends sooner after the task's own end.
    [[nodiscard]] constexpr std::span<const double> tail_s() const noexcept { return tail_s_; }

    /// The heaviest path of shortest modes.
    [[nodiscard]] constexpr double critical_path_s() const noexcept { return critical_path_s_; }

    /// For every resource: the smallest head of the tasks that cannot do without it, plus their least work
    /// over the capacity, plus their smallest tail. 0 for a resource that every task can avoid.
    [[nodiscard]] constexpr const work& load_s() const noexcept { return load_s_; }

    /// The largest of all these: no schedule is shorter.
    [[nodiscard]] constexpr double lower_bound_s() const noexcept {
        return std::max(critical_path_s_, *std::max_element(load_s_.begin(), load_s_.end()));
    }

private:
    constexpr void measure_loads(const demand& capacity) {
        for (std::size_t r = 0; r < max_resources; ++r) {
            double total = 0.0;
            double first = std::numeric_limits<double>::infinity();
            double last = first;
            for (std::size_t v = 0; v < work_s_.size(); ++v) {
                if (work_s_[v][r] == 0.0) continue;
                total += work_s_[v][r];
                first = std::min(first, head_s_[v]);
                last = std::min(last, tail_s_[v]);
            }
            load_s_[r] = total > 0.0 ? first + total / capacity[r] + last : 0.0;
        }
    }

    std::vector<double> shortest_s_, head_s_, tail_s_;
    std::vector<work> work_s_;
    work load_s_{};
    double critical_path_s_ = 0.0;
};

/// A makespan that no schedule of `problem` can beat: see `relaxation::lower_bound_s`.
[[nodiscard]] constexpr double lower_bound_s(const task_graph& problem) {
    return relaxation(problem).lower_bound_s();
}

} // namespace dovetail::schedule

/// \file
/// Which units of every resource a task holds: the colouring of a schedule's intervals.

/// \file
/// What a scheduler gives: when and how each task runs, and what is proved about it.

namespace dovetail::schedule {

/// When each task starts, and in which of its modes. Concrete cores follow from it: see `assign_cores`.
struct schedule {
    std::vector<double> start_s;     ///< one entry a task, from 0
    std::vector<std::uint32_t> mode; ///< one entry a task: a position in `task_graph::modes(task)`
    double makespan_s = 0.0;         ///< the end of the task that ends last; 0 without tasks

    friend bool operator==(const schedule&, const schedule&) = default;
};

/// Makespans closer than this, relative to the larger, count as equal: sums of the same durations in another
/// order differ by rounding.
inline constexpr double makespan_tolerance = 1e-12;

/// Whether a schedule of `makespan_s` meets the bound, so that none is shorter.
[[nodiscard]] constexpr bool meets(double makespan_s, double lower_bound_s) noexcept {
    return makespan_s <= lower_bound_s * (1.0 + makespan_tolerance);
}

/// A schedule, and a bound that no schedule of the same problem can beat.
struct certificate {
    dovetail::status status = dovetail::status::feasible; ///< `optimal` where the schedule meets the bound
    schedule best;
    double lower_bound_s = 0.0;
    std::int64_t nodes = 0; ///< nodes of a search tree; 0 where the bound alone proved the schedule

    [[nodiscard]] bool proved_optimal() const noexcept { return status == dovetail::status::optimal; }

    /// (makespan - bound) / makespan; 0 for an empty problem.
    [[nodiscard]] double relative_gap() const noexcept {
        return best.makespan_s > 0.0 ? (best.makespan_s - lower_bound_s) / best.makespan_s : 0.0;
    }
};

} // namespace dovetail::schedule

namespace dovetail::schedule {

/// The numbers of the units that every task holds, of every resource, rising.
class core_assignment {
public:
    /// Tasks are added in the order of their numbers, resources within them.
    constexpr void add(std::span<const std::int32_t> units) {
        units_.insert(units_.end(), units.begin(), units.end());
        end_.push_back(units_.size());
    }

    /// Units of `resource` that `task` holds, numbered below the capacity.
    [[nodiscard]] constexpr std::span<const std::int32_t> units(graph::index task,
                                                                std::size_t resource) const {
        const std::size_t row = task * max_resources + resource;
        DOVETAIL_ASSERT(resource < max_resources && row < end_.size(), "no such task or resource");
        const std::size_t begin = row == 0 ? 0 : end_[row - 1];
        return std::span(units_).subspan(begin, end_[row] - begin);
    }

private:
    std::vector<std::size_t> end_;
    std::vector<std::int32_t> units_;
};

/// Gives every task concrete units: by start, each takes the lowest-numbered free ones. Intervals never need
/// more colours than overlap at one time, so a schedule that keeps the capacities always gets its units. A
/// task of no duration gets none. \param plan a schedule of `problem` that keeps its capacities \complexity
/// O(tasks * (log tasks + capacity)).
[[nodiscard]] constexpr core_assignment assign_cores(const task_graph& problem, const schedule& plan) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(plan.start_s.size() == n && plan.mode.size() == n, "one start and one mode a task");
    std::vector<graph::index> by_start(n);
    for (graph::index v = 0; v < n; ++v) by_start[v] = v;
    std::sort(by_start.begin(), by_start.end(), [&](graph::index a, graph::index b) {
        return std::pair(plan.start_s[a], a) < std::pair(plan.start_s[b], b);
    });

    std::vector<std::vector<std::int32_t>> held(n * max_resources);
    for (std::size_t r = 0; r < max_resources; ++r) {
        std::vector<double> free_from_s(static_cast<std::size_t>(problem.capacity()[r]), 0.0);
        for (const graph::index v : by_start) {
            const mode& m = problem.modes(v)[plan.mode[v]];
            const double end_s = plan.start_s[v] + m.duration_s;
            if (!(end_s > plan.start_s[v])) continue;
            std::int32_t missing = m.use[r];
            for (std::size_t unit = 0; missing > 0; ++unit) {
                DOVETAIL_ASSERT(unit < free_from_s.size(), "the schedule exceeds a capacity");
                if (free_from_s[unit] > plan.start_s[v]) continue;
                free_from_s[unit] = end_s;
                held[v * max_resources + r].push_back(static_cast<std::int32_t>(unit));
                --missing;
            }
        }
    }
    core_assignment cores;
    for (const std::vector<std::int32_t>& units : held) cores.add(units);
    return cores;
}

} // namespace dovetail::schedule

/// \file
/// Priority lists turned into schedules: the incumbent of every search, and nearly always the optimum of a
/// layer.

/// \file
/// The units of every resource that are free over time, as steps.

namespace dovetail::schedule {

/// What is free from time 0 on, while tasks are placed one after another. A step begins where a task that was
/// placed starts or ends, so its times are those of the tasks, without rounding.
class profile {
public:
    /// Everything is free for ever. Keeps the memory.
    constexpr void assign(const demand& capacity) {
        steps_.clear();
        steps_.push_back({0.0, capacity});
    }

    /// The first time from `ready_s` on at which `m` can run undisturbed. `m` must stay within the
    /// capacities. \complexity O(steps) at worst; near the end of what is placed, O(1).
    [[nodiscard]] constexpr double earliest_start(double ready_s, const mode& m) const {
        if (m.duration_s == 0.0) return ready_s;
        double start_s = ready_s;
        for (std::size_t k = step_at(ready_s); k < steps_.size(); ++k) {
            if (!fits(m.use, steps_[k].free)) {
                // The last step has everything free, so there is always another.
                start_s = steps_[k + 1].from_s;
            } else if (k + 1 < steps_.size() && steps_[k + 1].from_s >= start_s + m.duration_s) {
                break;
            }
        }
        return start_s;
    }

    /// Holds `m.use` from `start_s` on.
    constexpr void place(double start_s, const mode& m) {
        const double end_s = start_s + m.duration_s;
        if (m.use == demand{} || !(end_s > start_s)) return;
        const std::size_t begin = split(start_s);
        const std::size_t end = split(end_s);
        for (std::size_t k = begin; k < end; ++k)
            for (std::size_t r = 0; r < max_resources; ++r) steps_[k].free[r] -= m.use[r];
    }

private:
    struct step {
        double from_s;
        demand free;
    };

    // Lists are mostly placed in the order of time, so the search comes from the end.
    [[nodiscard]] constexpr std::size_t step_at(double time_s) const {
        DOVETAIL_ASSERT(time_s >= 0.0, "time begins at 0");
        std::size_t k = steps_.size() - 1;
        while (steps_[k].from_s > time_s) --k;
        return k;
    }

    // The step that begins at `time_s`, made if need be.
    constexpr std::size_t split(double time_s) {
        const std::size_t k = step_at(time_s);
        if (steps_[k].from_s == time_s) return k;
        const step tail{time_s, steps_[k].free};
        steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(k + 1), tail);
        return k + 1;
    }

    std::vector<step> steps_;
};

} // namespace dovetail::schedule

namespace dovetail::schedule {

/// Which task a list puts first; ties go to the smaller position in the topological order.
enum class priority : std::uint8_t {
    longest_tail,     ///< most seconds from its start to the end of the project
    earliest_head,    ///< smallest head
    earliest_window,  ///< smallest difference of the two
    most_descendants, ///< most tasks that must wait for it
};

/// Which mode a task gets when its turn comes; ties go to the earlier end, then to the earlier mode.
enum class mode_choice : std::uint8_t {
    earliest_end, ///< the one that ends first where the task stands in the list
    shortest,     ///< the one of the shortest duration
    least_work,   ///< the one that takes the smallest share of the capacities, summed, times its duration
};

/// One way to make a list and to read it.
struct list_rule {
    priority first = priority::longest_tail;
    mode_choice run = mode_choice::earliest_end;
};

/// The rules that the list scheduler tries, best first in its experience.
inline constexpr std::array<list_rule, 6> default_list_rules{{
    {priority::longest_tail, mode_choice::earliest_end},
    {priority::longest_tail, mode_choice::least_work},
    {priority::earliest_window, mode_choice::earliest_end},
    {priority::most_descendants, mode_choice::earliest_end},
    {priority::earliest_head, mode_choice::least_work},
    {priority::earliest_head, mode_choice::shortest},
}};

/// The memory of a list scheduler, kept from one problem to the next; one a thread.
class workspace {
public:
    workspace() = default;

private:
    friend struct list_scheduler;

    struct entry {
        double key;
        std::uint32_t position; // in the topological order

        friend constexpr bool operator<(const entry& a, const entry& b) noexcept {
            return a.key < b.key || (a.key == b.key && a.position < b.position);
        }
    };
    struct choice {
        std::uint32_t mode;
        double start_s;
        double end_s;
    };

    void list_by(priority first, const task_graph& problem);
    template <bool Reversed, class Choose>
    void place_all(const task_graph& problem, const Choose& choose);
    [[nodiscard]] choice choose(mode_choice run, std::span<const mode> modes, const demand& capacity,
                                double ready_s) const;
    void justify(const task_graph& problem);
    void keep_if_better();

    relaxation relaxed_;
    profile free_;
    std::vector<entry> list_;
    std::vector<double> end_s_;
    schedule trial_;
    certificate result_;
};

/// Serial schedule generation (Kolisch, EJOR 90, 1996): tasks are taken from a list, each at its earliest
/// start among those placed before. Every rule gives a list; a schedule that misses the bound is justified to
/// the right and to the left again (Valls, Ballestin and Quintanilla, EJOR 165, 2005), which never makes it
/// longer. The best of all is returned, and the first that meets the bound ends the search. Deterministic.
struct list_scheduler {
    std::span<const list_rule> rules = default_list_rules; ///< at least one
    bool justify = true;

    /// The best schedule found, with the bound of `relaxation`. The answer lies in `memory` until its next
    /// use. \complexity O(rules * (n log n + n * modes * steps)), where steps < 2n are those of the profile
    /// that one task looks at; no allocation once the memory has grown.
    const certificate& operator()(const task_graph& problem, workspace& memory) const {
        DOVETAIL_ASSERT(!rules.empty(), "a list needs a rule");
        certificate& result = memory.result_;
        memory.relaxed_.assign(problem);
        result.lower_bound_s = memory.relaxed_.lower_bound_s();
        result.best.makespan_s = std::numeric_limits<double>::infinity();
        const auto proved = [&] { return meets(result.best.makespan_s, result.lower_bound_s); };
        for (const list_rule& rule : rules) {
            memory.list_by(rule.first, problem);
            memory.place_all<false>(problem, [&](graph::index v, double ready_s) {
                return memory.choose(rule.run, problem.modes(v), problem.capacity(), ready_s);
            });
            memory.keep_if_better();
            if (proved()) break;
            if (!justify) continue;
            memory.justify(problem);
            memory.keep_if_better();
            if (proved()) break;
        }
        result.status = proved() ? dovetail::status::optimal : dovetail::status::feasible;
        return result;
    }

    /// The same, with memory of its own.
    [[nodiscard]] certificate operator()(const task_graph& problem) const {
        workspace memory;
        return (*this)(problem, memory);
    }
};

// Every key falls or stays along an arc, in floating-point arithmetic too, because each is a sum or a maximum
// of its successor's; with ties broken by topological position the lists are therefore topological.
inline void workspace::list_by(priority first, const task_graph& problem) {
    const std::span<const graph::index> order = problem.order();
    list_.resize(order.size());
    for (std::uint32_t position = 0; position < order.size(); ++position) {
        const graph::index v = order[position];
        const double remaining_s = relaxed_.shortest_s()[v] + relaxed_.tail_s()[v];
        double key = 0.0;
        switch (first) {
        case priority::longest_tail:
            key = -remaining_s;
            break;
        case priority::earliest_head:
            key = relaxed_.head_s()[v];
            break;
        case priority::earliest_window:
            key = relaxed_.head_s()[v] - remaining_s;
            break;
        case priority::most_descendants:
            for (const std::uint64_t word : problem.reaches().descendants(v)) key -= std::popcount(word);
            break;
        }
        list_[position] = {key, position};
    }
    std::sort(list_.begin(), list_.end());
}

// Places the tasks of `list_`, forward in time or, reversed, backward from the end of the project.
template <bool Reversed, class Choose>
void workspace::place_all(const task_graph& problem, const Choose& choose) {
    const graph::digraph& precedence = problem.precedence();
    const std::span<const graph::index> order = problem.order();
    free_.assign(problem.capacity());
    end_s_.resize(order.size());
    trial_.start_s.resize(order.size());
    trial_.mode.resize(order.size());
    trial_.makespan_s = 0.0;
    for (const entry& e : list_) {
        const graph::index v = order[e.position];
        double ready_s = 0.0;
        for (const graph::index u : Reversed ? precedence.successors(v) : precedence.predecessors(v))
            ready_s = std::max(ready_s, end_s_[u]);
        const choice made = choose(v, ready_s);
        trial_.start_s[v] = made.start_s;
        trial_.mode[v] = made.mode;
        end_s_[v] = made.end_s;
        trial_.makespan_s = std::max(trial_.makespan_s, made.end_s);
        free_.place(made.start_s, problem.modes(v)[made.mode]);
    }
}

inline workspace::choice workspace::choose(mode_choice run, std::span<const mode> modes,
                                           const demand& capacity, double ready_s) const {
    choice best{0, 0.0, std::numeric_limits<double>::infinity()};
    double best_key = std::numeric_limits<double>::infinity();
    for (std::uint32_t k = 0; k < modes.size(); ++k) {
        const mode& m = modes[k];
        if (!fits(m.use, capacity)) continue;
        const double start_s = free_.earliest_start(ready_s, m);
        const double end_s = start_s + m.duration_s;
        double key = 0.0;
        if (run == mode_choice::shortest) key = m.duration_s;
        if (run == mode_choice::least_work)
            for (std::size_t r = 0; r < max_resources; ++r)
                if (m.use[r] > 0) key += m.duration_s * m.use[r] / capacity[r];
        if (key > best_key || (key == best_key && end_s >= best.end_s)) continue;
        best_key = key;
        best = {k, start_s, end_s};
    }
    return best;
}

inline void workspace::justify(const task_graph& problem) {
    const auto as_before = [&](graph::index v, double ready_s) {
        const std::uint32_t k = trial_.mode[v];
        const mode& m = problem.modes(v)[k];
        const double start_s = free_.earliest_start(ready_s, m);
        return choice{k, start_s, start_s + m.duration_s};
    };
    // What ends last moves right first; among equals, the last of the topological order.
    const auto by_latest_end = [&](const entry& a, const entry& b) {
        return a.key > b.key || (a.key == b.key && a.position > b.position);
    };
    const std::span<const graph::index> order = problem.order();
    for (entry& e : list_) e.key = end_s_[order[e.position]];
    std::sort(list_.begin(), list_.end(), by_latest_end);
    place_all<true>(problem, as_before);
    for (entry& e : list_) e.key = -end_s_[order[e.position]];
    std::sort(list_.begin(), list_.end());
    place_all<false>(problem, as_before);
}

inline void workspace::keep_if_better() {
    if (!(trial_.makespan_s < result_.best.makespan_s)) return;
    result_.best.start_s.assign(trial_.start_s.begin(), trial_.start_s.end());
    result_.best.mode.assign(trial_.mode.begin(), trial_.mode.end());
    result_.best.makespan_s = trial_.makespan_s;
}

} // namespace dovetail::schedule

/// \file
/// Outcomes for people and programs to read.

/// \file
/// Axes: round tick values, and the map from values to pixels.

/// \file
/// Scalable pictures as text: the few shapes that the charts are made of.

namespace dovetail::report {

/// `text` with the characters that markup reserves replaced.
[[nodiscard]] inline std::string escaped(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        default:
            safe += c;
        }
    }
    return safe;
}

/// A coordinate with the precision of a hundredth of a pixel.
[[nodiscard]] inline std::string coordinate(double value) {
    return to_text(std::round(value * 100.0) / 100.0);
}

/// A point of a picture [pixels, y downwards].
struct point {
    double x = 0;
    double y = 0;
};

/// A rectangle of a picture [pixels].
struct box {
    double x = 0;
    double y = 0;
    double width = 0;
    double height = 0;
};

/// A picture under construction. Colours and fonts come from the page's style sheet by class name.
class svg {
public:
    /// `title` is read out by screen readers; the size is in pixels and scales with the page.
    svg(double width, double height, std::string_view title) {
        const std::string w = coordinate(width);
        const std::string h = coordinate(height);
        text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + w + ' ' + h +
                "\" role=\"img\"><title>" + escaped(title) + "</title>\n";
    }

    /// A rectangle; `hint` shows when the pointer rests on it.
    void rectangle(const box& b, std::string_view style, std::string_view hint = {}) {
        text_ += "<rect x=\"" + coordinate(b.x) + "\" y=\"" + coordinate(b.y) + "\" width=\"" +
                 coordinate(b.width) + "\" height=\"" + coordinate(b.height) + "\"";
        finish("rect", style, hint);
    }
    void circle(point centre, double radius, std::string_view style, std::string_view hint = {}) {
        text_ += "<circle cx=\"" + coordinate(centre.x) + "\" cy=\"" + coordinate(centre.y) + "\" r=\"" +
                 coordinate(radius) + "\"";
        finish("circle", style, hint);
    }
    void line(point from, point to, std::string_view style) {
        text_ += "<line x1=\"" + coordinate(from.x) + "\" y1=\"" + coordinate(from.y) + "\" x2=\"" +
                 coordinate(to.x) + "\" y2=\"" + coordinate(to.y) + "\"";
        finish("line", style, {});
    }
    /// An open run of straight lines through `points`.
    template <class Points>
    void polyline(const Points& points, std::string_view style) {
        text_ += "<polyline points=\"";
        for (const point& p : points) text_ += coordinate(p.x) + ',' + coordinate(p.y) + ' ';
        text_ += '"';
        finish("polyline", style, {});
    }
    /// `anchor` is "start", "middle" or "end".
    void label(point at, std::string_view words, std::string_view style, std::string_view anchor = "start") {
        text_ += "<text x=\"" + coordinate(at.x) + "\" y=\"" + coordinate(at.y) + "\" text-anchor=\"" +
                 std::string(anchor) + "\" class=\"" + std::string(style) + "\">" + escaped(words) +
                 "</text>\n";
    }
    /// A label that reads upwards.
    void upright_label(point at, std::string_view words, std::string_view style) {
        const std::string x = coordinate(at.x);
        const std::string y = coordinate(at.y);
        text_ += "<text x=\"" + x + "\" y=\"" + y + "\" text-anchor=\"middle\" transform=\"rotate(-90 " + x +
                 ' ' + y + ")\" class=\"" + std::string(style) + "\">" + escaped(words) + "</text>\n";
    }

    [[nodiscard]] std::string take() && { return std::move(text_) + "</svg>\n"; }

private:
    void finish(std::string_view element, std::string_view style, std::string_view hint) {
        text_ += " class=\"" + std::string(style) + '"';
        if (hint.empty())
            text_ += "/>\n";
        else
            text_ += "><title>" + escaped(hint) + "</title></" + std::string(element) + ">\n";
    }

    std::string text_;
};

} // namespace dovetail::report

namespace dovetail::report {

/// The smallest of 1, 2 or 5 times a power of ten that cuts `span` into at most `count` steps.
[[nodiscard]] inline double round_step(double span, int count) {
    DOVETAIL_ASSERT(span > 0 && count > 0, "an axis has an extent and at least one step");
    const double rough = span / count;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= rough * (1 - 1e-12)) return factor * power;
    return 10.0 * power;
}

/// A linear axis over [0, upper], where `upper` is the first tick at or above the largest value.
class axis {
public:
    /// `from` and `to` are the pixels of 0 and of the upper end; at most about `tick_count` ticks.
    axis(double largest_value, double from, double to, int tick_count = 6)
        : step_(round_step(largest_value > 0 ? largest_value : 1.0, tick_count)),
          upper_(step_ * std::max(1.0, std::ceil((largest_value / step_) * (1 - 1e-12)))), from_(from),
          to_(to) {}

    [[nodiscard]] double pixel(double value) const { return from_ + (to_ - from_) * (value / upper_); }
    [[nodiscard]] double upper() const { return upper_; }

    [[nodiscard]] std::vector<double> ticks() const {
        std::vector<double> values;
        for (int k = 0; k * step_ <= upper_ * (1 + 1e-9); ++k) values.push_back(k * step_);
        return values;
    }

private:
    double step_, upper_, from_, to_;
};

/// The frame of a chart: grid lines with their tick labels, and the names of both axes.
inline void draw_frame(svg& picture, const axis& horizontal, const axis& vertical,
                       std::string_view horizontal_name, std::string_view vertical_name) {
    const double left = horizontal.pixel(0);
    const double right = horizontal.pixel(horizontal.upper());
    const double bottom = vertical.pixel(0);
    const double top = vertical.pixel(vertical.upper());
    for (const double tick : vertical.ticks()) {
        const double y = vertical.pixel(tick);
        picture.line({left, y}, {right, y}, "grid");
        picture.label({left - 6, y + 4}, to_text(tick, 6), "tick", "end");
    }
    for (const double tick : horizontal.ticks()) {
        const double x = horizontal.pixel(tick);
        picture.line({x, bottom}, {x, bottom + 4}, "grid");
        picture.label({x, bottom + 17}, to_text(tick, 6), "tick", "middle");
    }
    picture.label({(left + right) / 2, bottom + 36}, horizontal_name, "name", "middle");
    picture.upright_label({left - 56, (top + bottom) / 2}, vertical_name, "name");
}

} // namespace dovetail::report

/// \file
/// Bars on rows over time: operator schedules by core, pipelines by stage.

namespace dovetail::report {

/// One bar: a half-open interval of time on consecutive rows.
struct bar {
    std::size_t row = 0;
    std::size_t rows = 1; ///< rows that it covers, from `row` on
    double start = 0;
    double end = 0;
    std::string style; ///< class of the style sheet
    std::string label; ///< written inside where it fits
    std::string hint;  ///< shown when the pointer rests on it
};

/// Draws `bars` over the rows named `row_names`; `time_name` says the unit.
[[nodiscard]] inline std::string gantt(std::string_view title, std::span<const std::string> row_names,
                                       std::span<const bar> bars, std::string_view time_name) {
    constexpr double left = 92;
    constexpr double right = 936;
    constexpr double top = 12;
    constexpr double pixels_a_letter = 6.2;
    const double row_height = row_names.size() > 24 ? 12 : 24;
    const double bottom = top + row_height * static_cast<double>(row_names.size());
    double latest = 0;
    for (const bar& b : bars) latest = std::max(latest, b.end);

    svg picture(960, bottom + 44, title);
    const axis time(latest, left, right, 8);
    for (const double tick : time.ticks()) {
        const double x = time.pixel(tick);
        picture.line({x, top}, {x, bottom}, "grid");
        picture.label({x, bottom + 15}, to_text(tick, 6), "tick", "middle");
    }
    for (std::size_t row = 0; row < row_names.size(); ++row)
        picture.label({left - 8, top + row_height * (static_cast<double>(row) + 0.5) + 4}, row_names[row],
                      "tick", "end");
    for (const bar& b : bars) {
        const double x = time.pixel(b.start);
        const double width = std::max(0.75, time.pixel(b.end) - x);
        const double y = top + row_height * static_cast<double>(b.row) + 1;
        const double height = row_height * static_cast<double>(b.rows) - 2;
        picture.rectangle({x, y, width, height}, b.style, b.hint);
        if (pixels_a_letter * static_cast<double>(b.label.size()) + 6 <= width && row_height >= 20)
            picture.label({x + width / 2, y + height / 2 + 4}, b.label, "inside", "middle");
    }
    picture.label({(left + right) / 2, bottom + 34}, time_name, "name", "middle");
    return std::move(picture).take();
}

} // namespace dovetail::report

/// \file
/// Points in the plane with a frontier: what a larger chip buys.

namespace dovetail::report {

/// One value pair.
struct sample {
    double x = 0;
    double y = 0;
};

/// A sample that is named in the picture.
struct marked_sample {
    sample at;
    std::string style;
    std::string label;
};

/// What a scatter chart shows, from the background to the front.
struct scatter {
    std::string title;
    std::string x_name;
    std::string y_name;
    std::span<const sample> cloud;
    std::span<const sample> frontier; ///< rising in x
    std::span<const marked_sample> marks;
};

/// Draws the chart. Samples of the cloud that fall on the same pixel are drawn once, which keeps a picture of
/// tens of thousands of them small without changing how it looks. \complexity O(n log n).
[[nodiscard]] inline std::string draw(const scatter& chart) {
    constexpr double left = 84;
    constexpr double right = 936;
    constexpr double top = 16;
    constexpr double bottom = 400;
    sample largest;
    const auto widen = [&](const sample& s) {
        largest = {std::max(largest.x, s.x), std::max(largest.y, s.y)};
    };
    for (const sample& s : chart.cloud) widen(s);
    for (const sample& s : chart.frontier) widen(s);
    for (const marked_sample& m : chart.marks) widen(m.at);

    svg picture(960, bottom + 48, chart.title);
    const axis horizontal(largest.x, left, right, 8);
    const axis vertical(largest.y, bottom, top);
    draw_frame(picture, horizontal, vertical, chart.x_name, chart.y_name);

    std::set<std::pair<long, long>> taken;
    for (const sample& s : chart.cloud) {
        const point p{horizontal.pixel(s.x), vertical.pixel(s.y)};
        if (taken.emplace(static_cast<long>(p.x), static_cast<long>(p.y)).second)
            picture.circle(p, 1.5, "cloud");
    }
    std::vector<point> steps;
    for (const sample& s : chart.frontier) {
        const point p{horizontal.pixel(s.x), vertical.pixel(s.y)};
        if (!steps.empty()) steps.push_back({p.x, steps.back().y});
        steps.push_back(p);
    }
    if (!steps.empty()) picture.polyline(steps, "frontier");
    for (const marked_sample& m : chart.marks) {
        const point p{horizontal.pixel(m.at.x), vertical.pixel(m.at.y)};
        picture.circle(p, 5, m.style, m.label);
        const bool near_right_edge = p.x > (left + right) / 2;
        picture.label({p.x + (near_right_edge ? -9 : 9), std::max(top + 10, p.y - 8)}, m.label, "mark",
                      near_right_edge ? "end" : "start");
    }
    return std::move(picture).take();
}

} // namespace dovetail::report

// clang-format on
