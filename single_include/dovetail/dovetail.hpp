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
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
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

#define DOVETAIL_DETAIL_TEXT_OF(x) #x
#define DOVETAIL_DETAIL_VERSION_TEXT(major, minor, patch)                                                    \
    DOVETAIL_DETAIL_TEXT_OF(major) "." DOVETAIL_DETAIL_TEXT_OF(minor) "." DOVETAIL_DETAIL_TEXT_OF(patch)

/// The version as text, `"major.minor.patch"`.
#define DOVETAIL_VERSION_STRING                                                                              \
    DOVETAIL_DETAIL_VERSION_TEXT(DOVETAIL_VERSION_MAJOR, DOVETAIL_VERSION_MINOR, DOVETAIL_VERSION_PATCH)

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
        // Names come from files: a line break in one must not make two lines.
        for (char& c : text)
            if (static_cast<unsigned char>(c) < ' ') c = ' ';
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

/// `seed` with every byte of `text` mixed in.
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

    constexpr result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_(std::move(value)) {}
    constexpr result(error problem) noexcept : problem_(std::move(problem)) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return value_.has_value(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] constexpr T& value() & {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return *value_;
    }
    [[nodiscard]] constexpr const T& value() const& {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return *value_;
    }
    [[nodiscard]] constexpr T value() && {
        DOVETAIL_ASSERT(has_value(), "result holds an error");
        return std::move(*value_);
    }

    [[nodiscard]] constexpr T& operator*() & { return value(); }
    [[nodiscard]] constexpr const T& operator*() const& { return value(); }
    [[nodiscard]] constexpr T operator*() && { return std::move(*this).value(); }
    [[nodiscard]] constexpr T* operator->() { return &value(); }
    [[nodiscard]] constexpr const T* operator->() const { return &value(); }

    [[nodiscard]] constexpr const error& problem() const& {
        DOVETAIL_ASSERT(!has_value(), "result holds a value");
        return *problem_;
    }
    [[nodiscard]] constexpr error problem() && {
        DOVETAIL_ASSERT(!has_value(), "result holds a value");
        return std::move(*problem_);
    }

private:
    // Exactly one of the two. A variant would say so, but clang 14 has none in constant expressions.
    std::optional<T> value_;
    std::optional<error> problem_;
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

/// The word that the command line prints for it.
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
          out_edges_(arcs.size(), 0), in_edges_(arcs.size(), 0), targets_(arcs.size(), 0),
          sources_(arcs.size(), 0) {
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
/// A partition that only grows coarser.

namespace dovetail::graph {

/// Disjoint sets over 0 … n-1, each called by its smallest member.
class disjoint_sets {
public:
    constexpr explicit disjoint_sets(std::size_t n) : parent_(n) {
        for (std::size_t v = 0; v < n; ++v) parent_[v] = static_cast<index>(v);
    }

    /// The smallest member of the set of `v`. \complexity O(log n) amortised.
    [[nodiscard]] constexpr index find(index v) {
        while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
        return v;
    }

    /// Makes one set of the sets of `a` and `b`.
    constexpr void unite(index a, index b) {
        a = find(a);
        b = find(b);
        parent_[std::max(a, b)] = std::min(a, b);
    }

private:
    std::vector<index> parent_;
};

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
    std::vector<index> remaining_out(n, 0);
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
    std::vector<index> remaining_in(n, 0);
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
/// Strongly connected components: which vertices reach each other.

namespace dovetail::graph {

/// The component of every vertex, numbered so that no arc leads from a component to a higher one: a reverse
/// topological order of the graph that contraction makes. Tarjan's algorithm (SIAM J. Comput. 1972) without
/// recursion. \complexity O(vertices + edges).
[[nodiscard]] constexpr std::vector<index> strong_components(const digraph& g) {
    const std::size_t n = g.vertex_count();
    std::vector<index> component(n, none);
    std::vector<index> seen(n, none); // when the walk first came by
    std::vector<index> low(n, none);  // the earliest vertex still open that it is known to reach
    std::vector<index> next(n, 0);    // the next successor to look at
    std::vector<index> path;
    std::vector<index> open; // seen, component still unknown
    index seen_count = 0;
    index components = 0;
    for (index root = 0; root < n; ++root) {
        if (seen[root] != none) continue;
        path.push_back(root);
        while (!path.empty()) {
            const index v = path.back();
            if (seen[v] == none) {
                seen[v] = low[v] = seen_count++;
                open.push_back(v);
            }
            if (next[v] < g.successors(v).size()) {
                const index w = g.successors(v)[next[v]++];
                if (seen[w] == none)
                    path.push_back(w);
                else if (component[w] == none)
                    low[v] = std::min(low[v], seen[w]);
                continue;
            }
            path.pop_back();
            if (!path.empty()) low[path.back()] = std::min(low[path.back()], low[v]);
            if (low[v] != seen[v]) continue;
            while (component[v] == none) {
                component[open.back()] = components;
                open.pop_back();
            }
            ++components;
        }
    }
    return component;
}

} // namespace dovetail::graph

/// \file
/// Integer linear programs as data.

/// \file
/// Linear expressions and the relations between them, written as in a paper.

/// \file
/// A handle of a variable that knows which model it belongs to.

namespace dovetail::ilp {

/// The values that a variable may take, within its bounds.
enum class domain : std::uint8_t { continuous, integer, binary };

/// The identity of a model. Copies of a model share it, so that a variable serves them all.
using model_id = std::uint32_t;

/// A variable of a model: made by `model::add_variable`, worth as much as its position.
struct variable {
    std::uint32_t index = 0; ///< position among the columns of its model
    model_id owner = 0;      ///< 0 belongs to no model
};

} // namespace dovetail::ilp

namespace dovetail::ilp {

/// A variable times a number.
struct term {
    variable of;              ///< the variable
    double coefficient = 0.0; ///< what it is multiplied by
};

/// A sum of terms and a constant. A variable may stand in several terms; they add up. Whether the variables
/// belong to one model is checked where the expression enters it.
class expression {
public:
    expression() = default;
    /// A number.
    expression(double constant) : constant_(constant) {}
    /// One variable.
    expression(variable v) : terms_{{v, 1.0}} {}
    /// One variable times a number.
    expression(term t) : terms_{t} {}

    /// The terms in the order in which they were added, none merged.
    [[nodiscard]] const std::vector<term>& terms() const noexcept { return terms_; }
    /// What the expression is worth where all variables are 0.
    [[nodiscard]] double constant() const noexcept { return constant_; }

    /// Adds another expression, itself included.
    expression& operator+=(const expression& other) { return add(other, 1.0); }
    /// Subtracts another expression.
    expression& operator-=(const expression& other) { return add(other, -1.0); }
    /// Scales every term and the constant.
    expression& operator*=(double factor) {
        for (term& t : terms_) t.coefficient *= factor;
        constant_ *= factor;
        return *this;
    }

private:
    expression& add(const expression& other, double factor) {
        // By position: `other` may be this very expression.
        const std::size_t count = other.terms_.size();
        terms_.reserve(terms_.size() + count);
        for (std::size_t k = 0; k < count; ++k)
            terms_.push_back({other.terms_[k].of, factor * other.terms_[k].coefficient});
        constant_ += factor * other.constant_;
        return *this;
    }

    std::vector<term> terms_;
    double constant_ = 0.0;
};

/// The sum of two expressions.
[[nodiscard]] inline expression operator+(expression left, const expression& right) {
    return std::move(left += right);
}
/// The difference of two expressions.
[[nodiscard]] inline expression operator-(expression left, const expression& right) {
    return std::move(left -= right);
}
/// The negated expression.
[[nodiscard]] inline expression operator-(expression e) { return std::move(e *= -1.0); }
/// An expression times a number.
[[nodiscard]] inline expression operator*(expression e, double factor) { return std::move(e *= factor); }
/// A number times an expression.
[[nodiscard]] inline expression operator*(double factor, expression e) { return std::move(e *= factor); }

/// How the two sides of a constraint compare.
enum class relation : std::uint8_t { less_equal, equal, greater_equal };

/// `difference` related to 0: what a comparison of two expressions gives, for `model::add_constraint`.
struct constraint {
    expression difference;                 ///< left side minus right side
    relation sense = relation::less_equal; ///< how it compares with 0
};

/// `left` is at most `right`.
[[nodiscard]] inline constraint operator<=(expression left, const expression& right) {
    return {std::move(left -= right), relation::less_equal};
}
/// `left` is at least `right`.
[[nodiscard]] inline constraint operator>=(expression left, const expression& right) {
    return {std::move(left -= right), relation::greater_equal};
}
/// `left` equals `right`.
[[nodiscard]] inline constraint operator==(expression left, const expression& right) {
    return {std::move(left -= right), relation::equal};
}

} // namespace dovetail::ilp

/// \file
/// A model as text in CPLEX LP format, which every solver reads.

/// \file
/// An integer linear program as plain data: columns, rows, objective.

namespace dovetail::ilp {

/// "No bound".
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// A variable as the model stores it.
struct column {
    std::string name;                 ///< any text; empty for one that is called by its number
    domain kind = domain::continuous; ///< which values it may take
    double lower = 0.0;               ///< least value; -infinity for none
    double upper = infinity;          ///< largest value; infinity for none
    double cost = 0.0;                ///< coefficient in the objective
};

/// A coefficient of a row.
struct entry {
    std::uint32_t column = 0; ///< number of the variable
    double coefficient = 0.0; ///< what it is multiplied by
};

/// A constraint as the model stores it: `coefficients * values (sense) right_side`.
struct row {
    std::string name;                      ///< any text; empty for one that is called by its number
    relation sense = relation::less_equal; ///< how the two sides compare
    double right_side = 0.0;               ///< the constant side
    std::vector<entry> entries;            ///< by rising column, one a column, none of them 0
};

/// Which way the objective goes.
enum class direction : std::uint8_t { minimize, maximize };

/// Variables, constraints and one objective. What makes no sense (a variable of another model, a coefficient
/// that is not finite, bounds that contradict) is not added silently: the first of it stays in `check()`,
/// which every solver and writer asks.
class model {
public:
    /// Adds a variable with `lower <= value <= upper`, a binary one also within 0 and 1.
    variable add_variable(domain kind, double lower, double upper, std::string name = {}) {
        if (kind == domain::binary && lower < 0.0) lower = 0.0;
        if (kind == domain::binary && upper > 1.0) upper = 1.0;
        const auto index = static_cast<std::uint32_t>(columns_.size());
        columns_.push_back({std::move(name), kind, lower, upper, 0.0});
        if (!(lower <= upper) || lower == infinity || upper == -infinity)
            reject("variable " + name_of_column(index),
                   "its bounds are " + to_text(lower) + " and " + to_text(upper),
                   "the lower bound is at most the upper one, and one finite value lies between");
        return {index, id_};
    }
    /// A variable that takes any value between its bounds.
    variable add_continuous(double lower, double upper, std::string name = {}) {
        return add_variable(domain::continuous, lower, upper, std::move(name));
    }
    /// A variable that takes the whole values between its bounds.
    variable add_integer(double lower, double upper, std::string name = {}) {
        return add_variable(domain::integer, lower, upper, std::move(name));
    }
    /// A variable that is 0 or 1.
    variable add_binary(std::string name = {}) {
        return add_variable(domain::binary, 0.0, 1.0, std::move(name));
    }

    /// Adds a constraint: `m.add_constraint(2 * x + y <= 3, "knapsack")`. Terms of one variable are summed.
    void add_constraint(const constraint& c, std::string name = {}) {
        const std::string place =
            "constraint " + (name.empty() ? "#" + to_text(rows_.size()) : "'" + name + "'");
        row r{std::move(name), c.sense, -c.difference.constant(), merged(c.difference, place)};
        if (!std::isfinite(r.right_side))
            reject(place, "its right side is " + to_text(r.right_side), "it must be finite");
        if (r.right_side == 0.0) r.right_side = 0.0; // not -0
        rows_.push_back(std::move(r));
    }

    /// Sets the objective, to be as small as possible; replaces the one before.
    void minimize(const expression& objective) { set_objective(direction::minimize, objective); }
    /// Sets the objective, to be as large as possible; replaces the one before.
    void maximize(const expression& objective) { set_objective(direction::maximize, objective); }

    /// Success, or the first thing that makes no sense.
    [[nodiscard]] result<void> check() const {
        if (problem_) return *problem_;
        return {};
    }

    /// The variables, in the order of their numbers.
    [[nodiscard]] std::span<const column> columns() const noexcept { return columns_; }
    /// The constraints, in the order in which they were added.
    [[nodiscard]] std::span<const row> rows() const noexcept { return rows_; }
    /// Whether the objective is to be small or large; small where none was set.
    [[nodiscard]] direction sense() const noexcept { return sense_; }
    /// The constant that the objective adds to the costs of the columns.
    [[nodiscard]] double offset() const noexcept { return offset_; }

private:
    // A counter gives each model its own identity; nothing that a user sees depends on it.
    [[nodiscard]] static model_id next_id() noexcept {
        static std::atomic<model_id> last{0};
        return ++last;
    }

    void reject(std::string place, std::string wrong, std::string expected) {
        if (!problem_)
            problem_ = error{errc::out_of_range, "model: " + std::move(place), std::move(wrong),
                             std::move(expected)};
    }

    [[nodiscard]] std::string name_of_column(std::uint32_t index) const {
        return columns_[index].name.empty() ? "#" + to_text(index) : "'" + columns_[index].name + "'";
    }

    void set_objective(direction sense, const expression& objective) {
        sense_ = sense;
        offset_ = objective.constant();
        if (!std::isfinite(offset_))
            reject("objective", "its constant is " + to_text(offset_), "it must be finite");
        for (column& c : columns_) c.cost = 0.0;
        for (const entry& e : merged(objective, "objective")) columns_[e.column].cost = e.coefficient;
    }

    [[nodiscard]] std::vector<entry> merged(const expression& e, const std::string& place) {
        std::vector<entry> entries;
        entries.reserve(e.terms().size());
        for (const term& t : e.terms()) {
            if (t.of.owner != id_) {
                reject(place, "it names a variable of another model",
                       "variables come from this model's add_variable");
                return {};
            }
            entries.push_back({t.of.index, t.coefficient});
        }
        std::stable_sort(entries.begin(), entries.end(),
                         [](const entry& a, const entry& b) { return a.column < b.column; });
        std::size_t kept = 0;
        for (std::size_t k = 0; k < entries.size();) {
            entry sum = entries[k];
            for (++k; k < entries.size() && entries[k].column == sum.column; ++k)
                sum.coefficient += entries[k].coefficient;
            if (!std::isfinite(sum.coefficient))
                reject(place,
                       "the coefficient of " + name_of_column(sum.column) + " is " + to_text(sum.coefficient),
                       "it must be finite");
            if (sum.coefficient != 0.0) entries[kept++] = sum;
        }
        entries.resize(kept);
        return entries;
    }

    model_id id_ = next_id();
    std::vector<column> columns_;
    std::vector<row> rows_;
    direction sense_ = direction::minimize;
    double offset_ = 0.0;
    std::optional<error> problem_;
};

/// What to call a column or row: its name or, where it has none, `prefix` and its number.
[[nodiscard]] inline std::string display_name(std::string_view name, std::string_view prefix,
                                              std::size_t index) {
    return name.empty() ? std::string(prefix) + to_text(index) : std::string(name);
}

} // namespace dovetail::ilp

namespace dovetail::ilp {

namespace detail {

/// Turns any text into a name that LP readers take for one, each time another: letters, digits and
/// underscores, not a keyword, not the exponent of a number, not too long, and different in lower case too.
class lp_names {
public:
    [[nodiscard]] std::string make(std::string_view wanted) {
        constexpr std::size_t longest = 200; // readers stop at 255
        std::string name;
        for (const char c : wanted.substr(0, longest)) name += is_letter(c) || is_digit(c) ? c : '_';
        if (is_misread(name)) name.insert(0, "n_");
        std::string unique = name;
        for (std::size_t k = 2; !taken_.insert(lower(unique)).second; ++k) unique = name + "_" + to_text(k);
        return unique;
    }

private:
    static constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
    static constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

    static std::string lower(std::string text) {
        for (char& c : text)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        return text;
    }

    static bool is_misread(const std::string& name) {
        static constexpr std::string_view keywords =
            " minimize minimum min maximize maximum max subject such st bounds bound general generals gen "
            "integer integers int binary binaries bin free end inf infinity sos semi semis ";
        if (name.empty() || !is_letter(name[0])) return true;
        const std::string small = lower(name);
        const bool exponent = small[0] == 'e' && std::all_of(small.begin() + 1, small.end(), is_digit);
        return exponent || keywords.find(" " + small + " ") != std::string_view::npos;
    }

    std::unordered_set<std::string> taken_;
};

/// Lines of text that break before they grow too long for a reader.
class lp_lines {
public:
    void line(std::string_view text) {
        end_line();
        text_ += text;
        text_ += '\n';
    }
    void begin(std::string_view text) {
        end_line();
        text_ += text;
        width_ = text.size();
    }
    void word(std::string_view text) {
        constexpr std::size_t widest = 100;
        if (width_ + text.size() > widest) begin(" ");
        text_ += ' ';
        text_ += text;
        width_ += text.size() + 1;
    }
    void term(double coefficient, std::string_view name) {
        word(coefficient < 0.0 ? "-" : "+");
        word(to_text(coefficient < 0.0 ? -coefficient : coefficient) + " " + std::string(name));
    }
    [[nodiscard]] std::string take() {
        end_line();
        return std::move(text_);
    }

private:
    void end_line() {
        if (width_ > 0) text_ += '\n';
        width_ = 0;
    }

    std::string text_;
    std::size_t width_ = 0;
};

/// The line of the bounds section for a column; empty where the format's default, [0, inf), holds.
[[nodiscard]] inline std::string lp_bounds(const column& c, const std::string& name) {
    if (c.lower == c.upper) return " " + name + " = " + to_text(c.lower);
    if (c.lower == -infinity && c.upper == infinity) return " " + name + " free";
    if (c.lower == -infinity) return " -inf <= " + name + " <= " + to_text(c.upper);
    if (c.upper != infinity) return " " + to_text(c.lower) + " <= " + name + " <= " + to_text(c.upper);
    if (c.lower != 0.0) return " " + name + " >= " + to_text(c.lower);
    return {};
}

} // namespace detail

/// The model in CPLEX LP format. Numbers read back to the same values. Names become readable ones, unique
/// even where those of the model are not; a constant in the objective becomes a column that is fixed to 1,
/// since the format has no better way that all readers know. \returns what `model::check` finds wrong;
/// errc::unsupported for a model without variables or rows, which the format cannot say. \complexity
/// O(coefficients).
[[nodiscard]] inline result<std::string> lp_text(const model& m) {
    if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
    const std::span<const column> columns = m.columns();
    if (columns.empty() || m.rows().empty())
        return error{errc::unsupported, "LP text",
                     "the model has " + to_text(columns.size()) + " variables and " +
                         to_text(m.rows().size()) + " constraints",
                     "the format needs one of each"};
    detail::lp_names column_names;
    std::vector<std::string> names(columns.size());
    for (std::size_t k = 0; k < columns.size(); ++k)
        names[k] = column_names.make(display_name(columns[k].name, "x", k));

    detail::lp_lines out;
    out.line(m.sense() == direction::minimize ? "Minimize" : "Maximize");
    std::vector<bool> in_a_row(columns.size(), false);
    for (const row& r : m.rows())
        for (const entry& e : r.entries) in_a_row[e.column] = true;
    out.begin(" obj:");
    // A column that stands nowhere else is named here, or its bounds would speak of an unknown one.
    for (std::size_t k = 0; k < columns.size(); ++k)
        if (columns[k].cost != 0.0 || !in_a_row[k]) out.term(columns[k].cost, names[k]);
    std::string constant;
    if (m.offset() != 0.0) out.term(m.offset(), constant = column_names.make("objective_constant"));

    out.line("Subject To");
    detail::lp_names row_names;
    static_cast<void>(row_names.make("obj"));
    for (std::size_t k = 0; k < m.rows().size(); ++k) {
        const row& r = m.rows()[k];
        out.begin(" " + row_names.make(display_name(r.name, "r", k)) + ":");
        for (const entry& e : r.entries) out.term(e.coefficient, names[e.column]);
        if (r.entries.empty()) out.term(0.0, names[0]);
        out.word(r.sense == relation::less_equal ? "<=" : r.sense == relation::equal ? "=" : ">=");
        out.word(to_text(r.right_side));
    }

    // The section of binary variables would widen the bounds of one that is fixed.
    const auto is_binary = [](const column& c) {
        return c.kind == domain::binary && c.lower == 0.0 && c.upper == 1.0;
    };
    out.line("Bounds");
    for (std::size_t k = 0; k < columns.size(); ++k)
        if (const std::string bounds = detail::lp_bounds(columns[k], names[k]);
            !bounds.empty() && !is_binary(columns[k]))
            out.line(bounds);
    if (!constant.empty()) out.line(" " + constant + " = 1");
    const auto list = [&](std::string_view section, const auto& belongs) {
        if (std::none_of(columns.begin(), columns.end(), belongs)) return;
        out.begin(section);
        out.begin(" ");
        for (std::size_t k = 0; k < columns.size(); ++k)
            if (belongs(columns[k])) out.word(names[k]);
    };
    list("Generals", [&](const column& c) { return c.kind != domain::continuous && !is_binary(c); });
    list("Binaries", is_binary);
    out.line("End");
    return out.take();
}

} // namespace dovetail::ilp

/// \file
/// What a solver answers.

namespace dovetail::ilp {

/// How a solver ended.
enum class verdict : std::uint8_t {
    optimal,    ///< the values are proved best
    feasible,   ///< the values are within the gap that was asked for
    infeasible, ///< proved that no values satisfy the rows
    unbounded,  ///< proved that the objective has no limit
    budget,     ///< a limit ended the search; values, if any, are the best so far
};

/// The name of a verdict, as printed.
[[nodiscard]] constexpr std::string_view to_string(verdict v) noexcept {
    switch (v) {
    case verdict::optimal:
        return "optimal";
    case verdict::feasible:
        return "feasible";
    case verdict::infeasible:
        return "infeasible";
    case verdict::unbounded:
        return "unbounded";
    case verdict::budget:
        return "budget";
    }
    return "unknown";
}

/// The answer to a model.
struct solution {
    verdict ending = verdict::budget; ///< how the solver ended
    double objective = 0.0;           ///< of the values; meaningless without
    double bound = 0.0;               ///< no values do better; infinite where nothing is known
    std::vector<double> values;       ///< one a column, integers exact; empty when none were found
    std::int64_t nodes = 0;           ///< of the search tree

    /// Whether any values were found.
    [[nodiscard]] bool has_values() const noexcept { return !values.empty(); }
    /// The value of a variable; there must be values.
    [[nodiscard]] double operator[](variable v) const { return values[v.index]; }
};

} // namespace dovetail::ilp

/// \file
/// What it takes to be a solver, and one that does nothing.

namespace dovetail::ilp {

/// A function object that answers a model. An error is a model that fails `model::check`, or a solver that
/// broke; infeasible, unbounded and out of budget are verdicts.
template <class Solver>
concept solver = requires(const Solver& s, const model& m) {
    { s(m) } -> std::same_as<result<solution>>;
};

/// Answers every model with "no time to look": a backend to copy, and the solver of a build without one.
struct null_solver {
    /// No values, and a bound that says nothing; or what `model::check` finds wrong.
    [[nodiscard]] result<solution> operator()(const model& m) const {
        if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
        const bool down = m.sense() == direction::minimize;
        return solution{.ending = verdict::budget,
                        .objective = down ? infinity : -infinity,
                        .bound = down ? -infinity : infinity,
                        .values = {},
                        .nodes = 0};
    }
};

static_assert(solver<null_solver>);

} // namespace dovetail::ilp

/// \file
/// An independent check of values against a model: bounds, integrality, rows, objective.

namespace dovetail::ilp {

/// What is worst about some values, and what they are worth.
struct verification {
    double objective = 0.0;         ///< recomputed from the columns' costs
    double largest_violation = 0.0; ///< absolute, in the units of the bound or row; infinite for a NaN
    std::string where; ///< "lower bound of x", "integrality of x", "row r"; empty when nothing is broken

    /// Whether nothing is broken by more than `tolerance`.
    [[nodiscard]] bool holds(double tolerance) const noexcept { return largest_violation <= tolerance; }
};

/// Recomputes everything that the model says of `values`, one a column. \complexity O(coefficients).
[[nodiscard]] inline verification verify(const model& m, std::span<const double> values) {
    DOVETAIL_ASSERT(values.size() == m.columns().size(), "one value a column");
    verification found{.objective = m.offset(), .largest_violation = 0.0, .where = {}};
    const auto worse = [&](double violation) {
        if (std::isnan(violation)) violation = infinity;
        if (!(violation > found.largest_violation)) return false;
        found.largest_violation = violation;
        return true;
    };
    for (std::size_t k = 0; k < values.size(); ++k) {
        const column& c = m.columns()[k];
        const double off = c.kind == domain::continuous ? 0.0 : std::abs(values[k] - std::round(values[k]));
        if (worse(c.lower - values[k])) found.where = "lower bound of " + display_name(c.name, "x", k);
        if (worse(values[k] - c.upper)) found.where = "upper bound of " + display_name(c.name, "x", k);
        if (worse(off)) found.where = "integrality of " + display_name(c.name, "x", k);
        found.objective += c.cost * values[k];
    }
    for (std::size_t k = 0; k < m.rows().size(); ++k) {
        const row& r = m.rows()[k];
        double excess = -r.right_side;
        for (const entry& e : r.entries) excess += e.coefficient * values[e.column];
        if (r.sense == relation::greater_equal) excess = -excess;
        if (r.sense == relation::equal) excess = std::abs(excess);
        if (worse(excess)) found.where = "row " + display_name(r.name, "r", k);
    }
    return found;
}

} // namespace dovetail::ilp

/// \file
/// Models as graphs of operators.

/// \file
/// How many attention heads a model has, found in its graph.

/// \file
/// A model as operations over tensors: what importers and the model zoo give, and every pass takes.

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

/// Whether elements of the type are floating-point numbers.
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
    dimensions dims = {};
    /// The elements of a small constant integer tensor (axes, reshape targets), row-major; else empty.
    std::vector<std::int64_t> integers{};
    /// The elements of a small constant floating tensor (exponents, epsilons, scales); else empty.
    std::vector<double> reals{};

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
    std::string name{};
    std::vector<index> inputs{};  ///< tensors; `none` for an optional input left out
    std::vector<index> outputs{}; ///< tensors
    attribute_set attributes{};
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
/// The list of operator types. To add one, write its descriptor and put it in the list below.

/// \file
/// What an operator type is: one descriptor a type, known at compile time.

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
    normalization, ///< a reduction and a rescaling over an axis: at most one in a chain
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
    std::size_t result_count = 1; ///< results that the operation names: further ones may be optional
};

/// Shape and element type of one result.
struct signature {
    dimensions dims;
    element_type type = element_type::float32;
    std::vector<std::int64_t> integers = {}; ///< the value, where shape arithmetic knows it
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
/// Operators of the link between the devices that share a layer, and the optimizer's step.

/// \file
/// What one step costs on one lane of a vector core.
///
/// The figures are those of the vector core of PHAZE's estimator (Wang et al., ICML 2024): an arithmetic or
/// logical step is one cycle, a division ten, a transcendental function a table look-up with refinement.
/// Operators are priced as the sum of the steps that an element takes through them.

namespace dovetail::workload::op::lane {

inline constexpr int step = 1; ///< addition, product, comparison, choice, move
inline constexpr int division = 10;
inline constexpr int exponential = 15;
inline constexpr int logarithm = 15;
inline constexpr int power = 15;
inline constexpr int root = 15;
inline constexpr int error_function = 15;
inline constexpr int sigmoid = 12;
inline constexpr int sine = 13; ///< and cosine
inline constexpr int hyperbolic_tangent = 27;

} // namespace dovetail::workload::op::lane

/// \file
/// The shape rules that descriptors share: broadcasting, axes, sliding windows.

namespace dovetail::workload::op {

using inferred = result<std::vector<signature>>;

/// "[2,3,4]".
[[nodiscard]] inline std::string to_text(std::span<const std::int64_t> dims) {
    std::string text = "[";
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (i > 0) text += ',';
        text += dovetail::to_text(dims[i]);
    }
    return text + ']';
}

/// The error of a shape rule; the place is added by whoever knows the operation.
[[nodiscard]] inline error shape_error(std::string wrong, std::string expected) {
    return {errc::shape, {}, std::move(wrong), std::move(expected)};
}

/// The operand at `position`, or an error where it is missing.
[[nodiscard]] inline result<const tensor*> required(const operands& o, std::size_t position) {
    if (position < o.inputs.size() && o.inputs[position] != nullptr) return o.inputs[position];
    return shape_error("operand " + dovetail::to_text(position) + " is missing", "it is not optional");
}

/// The operand at `position`, or null where it is missing.
[[nodiscard]] inline const tensor* optional_operand(const operands& o, std::size_t position) {
    return position < o.inputs.size() ? o.inputs[position] : nullptr;
}

/// The error of an attribute without a default.
[[nodiscard]] inline error missing_attribute(std::string_view name) {
    return shape_error("attribute '" + std::string(name) + "' is missing", "it has no default");
}

/// One result.
[[nodiscard]] inline inferred one(dimensions dims, element_type type,
                                  std::vector<std::int64_t> integers = {}) {
    std::vector<signature> results(1);
    results[0] = {std::move(dims), type, std::move(integers)};
    return results;
}

/// One result with the shape and type of the first operand.
[[nodiscard]] inline inferred like_first(const operands& o) {
    const auto x = required(o, 0);
    if (!x) return x.problem();
    return one((*x)->dims, (*x)->type);
}

/// `axis` counted from the front, where a negative one counts from the back.
[[nodiscard]] inline result<std::size_t> checked_axis(std::int64_t axis, std::size_t rank) {
    const auto signed_rank = static_cast<std::int64_t>(rank);
    if (axis < -signed_rank || axis >= signed_rank)
        return shape_error("axis " + dovetail::to_text(axis) + " of a tensor with " +
                               dovetail::to_text(rank) + " dimensions",
                           "an axis is at least -rank and below rank");
    return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

/// The axes `list`, counted from the front and rising.
[[nodiscard]] inline result<std::vector<std::size_t>> checked_axes(std::span<const std::int64_t> list,
                                                                   std::size_t rank) {
    std::vector<std::size_t> axes;
    for (const std::int64_t a : list) {
        const auto axis = checked_axis(a, rank);
        if (!axis) return axis.problem();
        axes.push_back(*axis);
    }
    std::sort(axes.begin(), axes.end());
    if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
        return shape_error("axes " + to_text(list) + " name an axis twice", "every axis stands once");
    return axes;
}

/// The shape that both broadcast to (NumPy's rule: aligned from the back, 1 stretches).
[[nodiscard]] inline result<dimensions> broadcast(std::span<const std::int64_t> a,
                                                  std::span<const std::int64_t> b) {
    dimensions dims(std::max(a.size(), b.size()));
    for (std::size_t back = 1; back <= dims.size(); ++back) {
        const std::int64_t x = back <= a.size() ? a[a.size() - back] : 1;
        const std::int64_t y = back <= b.size() ? b[b.size() - back] : 1;
        if (x != y && x != 1 && y != 1)
            return shape_error("shapes " + to_text(a) + " and " + to_text(b) + " do not broadcast",
                               "each pair of dimensions must be equal, or one of them 1");
        dims[dims.size() - back] = x == 1 ? y : x;
    }
    return dims;
}

/// A list that newer versions of an operator take as an operand and older ones as an attribute.
[[nodiscard]] inline std::span<const std::int64_t> listed(const operands& o, std::size_t position,
                                                          std::string_view attribute) {
    const tensor* operand = optional_operand(o, position);
    return operand != nullptr ? std::span<const std::int64_t>(operand->integers)
                              : o.attributes.integers(attribute);
}

/// Whether such a list is given but its value is not known, so that the shape cannot be either.
[[nodiscard]] inline bool unknown_list(const operands& o, std::size_t position) {
    const tensor* operand = optional_operand(o, position);
    return operand != nullptr && operand->integers.empty() && operand->elements() > 0;
}

/// The error of a shape that depends on a value which only the run knows.
[[nodiscard]] inline error dynamic_error(std::string_view what) {
    return {errc::dynamic_shape,
            {},
            std::string(what) + " is not a constant of the file",
            "export the model with static shapes, or give values for its dynamic dimensions"};
}

/// A window that slides along one axis.
struct window {
    std::int64_t kernel = 1;
    std::int64_t stride = 1;
    std::int64_t dilation = 1;
    std::int64_t pad_front = 0;
    std::int64_t pad_back = 0;
    bool round_up = false; ///< a last window may hang over the back
};

/// The positions of a window on `extent` elements. One that would start in the padding at the back is none.
[[nodiscard]] inline result<std::int64_t> window_positions(std::int64_t extent, const window& w) {
    constexpr std::int64_t largest = std::int64_t{1} << 31; // so that nothing below leaves 64 bits
    const auto inside = [&](std::int64_t value, std::int64_t least) {
        return value >= least && value < largest;
    };
    if (!inside(w.kernel, 1) || !inside(w.stride, 1) || !inside(w.dilation, 1) || !inside(w.pad_front, 0) ||
        !inside(w.pad_back, 0) || extent >= std::numeric_limits<std::int64_t>::max() - 2 * largest)
        return shape_error("a window of " + dovetail::to_text(w.kernel) + " elements, stride " +
                               dovetail::to_text(w.stride) + ", dilation " + dovetail::to_text(w.dilation) +
                               ", pads " + dovetail::to_text(w.pad_front) + " and " +
                               dovetail::to_text(w.pad_back),
                           "kernels, strides and dilations are positive, pads are not negative");
    const std::int64_t reach = w.dilation * (w.kernel - 1) + 1;
    const std::int64_t padded = extent + w.pad_front + w.pad_back;
    if (reach > padded)
        return shape_error("a window that reaches over " + dovetail::to_text(reach) + " elements of " +
                               dovetail::to_text(padded),
                           "it fits into the padded extent");
    const std::int64_t slack = padded - reach;
    std::int64_t last = w.round_up ? ceil_div(slack, w.stride) : slack / w.stride;
    if (w.round_up && last > 0 && last * w.stride >= extent + w.pad_front) --last;
    return last + 1;
}

/// The result extents of a window that slides over the spatial axes (2 and up) of `image`.
[[nodiscard]] inline result<dimensions>
sliding(std::span<const std::int64_t> image, std::span<const std::int64_t> kernel, const attribute_set& a) {
    const std::size_t rank = kernel.size();
    if (rank == 0 || image.size() != rank + 2)
        return shape_error("a window " + to_text(kernel) + " over a tensor " + to_text(image),
                           "the tensor has a batch, channels and one axis for each axis of the window");
    const auto entry = [](std::span<const std::int64_t> list, std::size_t i, std::int64_t fallback) {
        return i < list.size() ? list[i] : fallback;
    };
    const std::string_view automatic = a.text("auto_pad", "NOTSET");
    const auto pads = a.integers("pads");
    dimensions extents;
    for (std::size_t i = 0; i < rank; ++i) {
        window w{.kernel = kernel[i],
                 .stride = entry(a.integers("strides"), i, 1),
                 .dilation = entry(a.integers("dilations"), i, 1),
                 .pad_front = entry(pads, i, 0),
                 .pad_back = entry(pads, i + rank, 0),
                 .round_up = a.integer("ceil_mode", 0) != 0};
        if (automatic.starts_with("SAME") && w.stride > 0) {
            extents.push_back(ceil_div(image[i + 2], w.stride));
            continue;
        }
        if (automatic == "VALID") w.pad_front = w.pad_back = 0;
        const auto positions = window_positions(image[i + 2], w);
        if (!positions) return positions.problem();
        extents.push_back(*positions);
    }
    return extents;
}

/// The elements of the first result, which is what most vector operators walk over.
[[nodiscard]] inline double result_elements(const operands& o) {
    return o.outputs.empty() || o.outputs[0] == nullptr ? 0.0 : static_cast<double>(o.outputs[0]->elements());
}

/// The elements of the first operand.
[[nodiscard]] inline double operand_elements(const operands& o) {
    return o.inputs.empty() || o.inputs[0] == nullptr ? 0.0 : static_cast<double>(o.inputs[0]->elements());
}

/// What operators without a product share.
struct no_product {
    static contraction product(const operands&) { return {}; }
};

/// What operators that cost nothing share.
struct free_of_charge : no_product {
    static constexpr core_type core = core_type::free;
    static double forward_cycles(const operands&) { return 0; }
    static double backward_cycles(const operands&) { return 0; }
};

} // namespace dovetail::workload::op

namespace dovetail::workload::op {

/// The two conjugate operators around a split product (g and f in Shoeybi et al., Megatron-LM, 2019).
template <fixed_string Name>
struct collective : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::link;
    static constexpr fusion_class fusion = fusion_class::opaque;
    static constexpr gradient_rule gradient = gradient_rule::collective;
    static constexpr saved saves = saved::nothing;
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands&) { return 0; }
    static double backward_cycles(const operands&) { return 0; }
};

/// Adds up partial results in the forward pass; the identity in the backward pass.
using all_reduce_forward = collective<"AllReduceForward">;
/// The identity in the forward pass; adds up partial gradients in the backward pass.
using all_reduce_backward = collective<"AllReduceBackward">;

/// Adam on one parameter tensor: two moments, a root, a division, and the master copy.
struct optimizer_step : no_product {
    static constexpr fixed_string name{"OptimizerStep"};
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::opaque;
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static constexpr saved saves = saved::nothing;
    /// Each moment: two products and a sum; the ratio of one to the root of the other; step and master copy.
    static constexpr double cycles_an_element = 11 * lane::step + lane::root + lane::division;
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands& o) { return cycles_an_element * operand_elements(o); }
    static double backward_cycles(const operands&) { return 0; }
};

} // namespace dovetail::workload::op

/// \file
/// Matrix products and convolutions: the operators of the tensor cores.

namespace dovetail::workload::op {

/// What products share. Both operands are kept for the backward pass: each is a factor of the other's
/// gradient.
struct product_operator {
    static constexpr core_type core = core_type::tensor;
    static constexpr fusion_class fusion = fusion_class::contraction;
    static constexpr gradient_rule gradient = gradient_rule::product;
    static constexpr saved saves = saved::inputs;
    static double forward_cycles(const operands&) { return 0; }
    static double backward_cycles(const operands&) { return 0; }
};

/// A (… x rows x reduction) times B (… x reduction x columns), batch dimensions broadcast.
struct mat_mul : product_operator {
    static constexpr fixed_string name{"MatMul"};

    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        dimensions left = (*a)->dims;
        dimensions right = (*b)->dims;
        if (left.empty() || right.empty())
            return shape_error("a product with a scalar", "both operands have at least one dimension");
        const bool row_vector = left.size() == 1;
        const bool column_vector = right.size() == 1;
        if (row_vector) left.insert(left.begin(), 1);
        if (column_vector) right.push_back(1);
        if (left.back() != right[right.size() - 2])
            return shape_error("the operands " + to_text((*a)->dims) + " and " + to_text((*b)->dims) +
                                   " disagree in the inner dimension",
                               "the last dimension of the first equals the last but one of the second");
        const std::span<const std::int64_t> left_batch(left.data(), left.size() - 2);
        const std::span<const std::int64_t> right_batch(right.data(), right.size() - 2);
        auto dims = broadcast(left_batch, right_batch);
        if (!dims) return std::move(dims).problem();
        if (!row_vector) dims->push_back(left[left.size() - 2]);
        if (!column_vector) dims->push_back(right.back());
        return one(*std::move(dims), (*a)->type);
    }

    /// A second operand without batch dimensions is shared by all batches of the first, whose batches are
    /// then further rows.
    static contraction product(const operands& o) {
        const dimensions& a = o.inputs[0]->dims;
        const dimensions& b = o.inputs[1]->dims;
        const std::int64_t reduction = a.back();
        const std::int64_t columns = b.size() == 1 ? 1 : b.back();
        const std::int64_t result = o.outputs[0]->elements();
        std::int64_t batch = 1;
        for (std::size_t i = 0; i + 2 < b.size(); ++i) batch *= b[i];
        if (columns == 0 || batch == 0) return {};
        return {
            .batch = batch, .rows = result / (batch * columns), .reduction = reduction, .columns = columns};
    }
};

/// alpha A B + beta C with optional transposes.
struct gemm : product_operator {
    static constexpr fixed_string name{"Gemm"};

    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        if ((*a)->dims.size() != 2 || (*b)->dims.size() != 2)
            return shape_error("operands " + to_text((*a)->dims) + " and " + to_text((*b)->dims),
                               "both are matrices");
        const bool turn_a = o.attributes.integer("transA", 0) != 0;
        const bool turn_b = o.attributes.integer("transB", 0) != 0;
        if ((*a)->dims[turn_a ? 0 : 1] != (*b)->dims[turn_b ? 1 : 0])
            return shape_error("the operands " + to_text((*a)->dims) + " and " + to_text((*b)->dims) +
                                   " disagree in the inner dimension",
                               "they agree after transA and transB");
        return one({(*a)->dims[turn_a ? 1 : 0], (*b)->dims[turn_b ? 0 : 1]}, (*a)->type);
    }

    static contraction product(const operands& o) {
        const bool turn_a = o.attributes.integer("transA", 0) != 0;
        return {.batch = 1,
                .rows = o.outputs[0]->dims[0],
                .reduction = o.inputs[0]->dims[turn_a ? 0 : 1],
                .columns = o.outputs[0]->dims[1]};
    }

    /// The bias, where there is one.
    static double forward_cycles(const operands& o) {
        return optional_operand(o, 2) != nullptr ? lane::step * result_elements(o) : 0;
    }
};

/// A convolution over any number of spatial axes, as its implicit product.
struct conv : product_operator {
    static constexpr fixed_string name{"Conv"};

    static inferred infer(const operands& o) {
        const auto image = required(o, 0);
        const auto kernel = required(o, 1);
        if (!image) return image.problem();
        if (!kernel) return kernel.problem();
        const dimensions& x = (*image)->dims;
        const dimensions& w = (*kernel)->dims;
        const std::int64_t group = o.attributes.integer("group", 1);
        if (w.size() < 3 || x.size() != w.size())
            return shape_error("a kernel " + to_text(w) + " over a tensor " + to_text(x),
                               "both have channels and the same spatial axes");
        if (group < 1 || w[0] % group != 0 || x[1] % group != 0 || x[1] / group != w[1])
            return shape_error("a kernel " + to_text(w) + " in " + dovetail::to_text(group) +
                                   " groups over " + dovetail::to_text(x[1]) + " channels",
                               "channels equal the groups times the kernel's second dimension");
        auto extents = sliding(x, std::span(w).subspan(2), o.attributes);
        if (!extents) return std::move(extents).problem();
        dimensions dims{x[0], w[0]};
        dims.insert(dims.end(), extents->begin(), extents->end());
        return one(std::move(dims), (*image)->type);
    }

    static contraction product(const operands& o) {
        const std::int64_t group = std::max<std::int64_t>(1, o.attributes.integer("group", 1));
        const dimensions& w = o.inputs[1]->dims;
        if (w[0] == 0) return {};
        return {.batch = group,
                .rows = o.outputs[0]->elements() / w[0],
                .reduction = o.inputs[1]->elements() / w[0],
                .columns = w[0] / group};
    }

    static double forward_cycles(const operands& o) {
        return optional_operand(o, 2) != nullptr ? lane::step * result_elements(o) : 0;
    }
};

/// The transpose of a convolution: every element of the tensor spreads a kernel over the result.
struct conv_transpose : product_operator {
    static constexpr fixed_string name{"ConvTranspose"};

    static inferred infer(const operands& o) {
        const auto image = required(o, 0);
        const auto kernel = required(o, 1);
        if (!image) return image.problem();
        if (!kernel) return kernel.problem();
        const dimensions& x = (*image)->dims;
        const dimensions& w = (*kernel)->dims;
        const std::int64_t group = o.attributes.integer("group", 1);
        if (w.size() < 3 || x.size() != w.size() || x[1] != w[0])
            return shape_error("a kernel " + to_text(w) + " over a tensor " + to_text(x),
                               "both have the same spatial axes, and the kernel starts with the channels");
        const auto channels = group < 1 ? std::nullopt : checked_multiply(w[1], group);
        if (!channels || w[0] % group != 0)
            return shape_error(dovetail::to_text(group) + " groups of a kernel " + to_text(w),
                               "the groups divide the channels");
        dimensions dims{x[0], *channels};
        for (std::size_t i = 2; i < x.size(); ++i) {
            const auto extent = spread(o.attributes, i - 2, w.size() - 2, x[i], w[i]);
            if (!extent) return extent.problem();
            dims.push_back(*extent);
        }
        return one(std::move(dims), (*image)->type);
    }

    static contraction product(const operands& o) {
        const std::int64_t group = std::max<std::int64_t>(1, o.attributes.integer("group", 1));
        const dimensions& w = o.inputs[1]->dims;
        if (w[0] == 0) return {};
        return {.batch = group,
                .rows = o.inputs[0]->elements() / w[0],
                .reduction = w[0] / group,
                .columns = o.inputs[1]->elements() / w[0]};
    }

    static double forward_cycles(const operands& o) {
        return optional_operand(o, 2) != nullptr ? lane::step * result_elements(o) : 0;
    }

private:
    /// The result extent of axis `i` of `rank` spatial axes.
    static result<std::int64_t> spread(const attribute_set& a, std::size_t i, std::size_t rank,
                                       std::int64_t extent, std::int64_t kernel) {
        const auto entry = [&](std::string_view list, std::size_t at, std::int64_t fallback) {
            return at < a.integers(list).size() ? a.integers(list)[at] : fallback;
        };
        if (const auto fixed = a.integers("output_shape"); i < fixed.size()) return fixed[i];
        const std::int64_t stride = entry("strides", i, 1);
        const std::int64_t dilation = entry("dilations", i, 1);
        const std::int64_t more = entry("output_padding", i, 0);
        const std::int64_t less = entry("pads", i, 0);
        const std::int64_t less_back = entry("pads", i + rank, 0);
        constexpr std::int64_t largest = std::int64_t{1} << 30; // products stay below 2^61
        for (const std::int64_t value : {extent, kernel, stride, dilation, more, less, less_back})
            if (value < 0 || value > largest)
                return shape_error("a window setting of " + dovetail::to_text(value),
                                   "extents, strides, dilations and pads are not negative and below 2^30");
        if (a.text("auto_pad", "NOTSET").starts_with("SAME")) return extent * stride;
        const std::int64_t result =
            stride * (extent - 1) + more + dilation * (kernel - 1) + 1 - less - less_back;
        if (extent < 1 || kernel < 1 || result < 0)
            return shape_error("pads larger than the result", "something of the result remains");
        return result;
    }
};

} // namespace dovetail::workload::op

/// \file
/// Operators that take each result element from the operand elements at its place.

/// \file
/// Elementwise arithmetic on the small integer tensors that compute shapes.

namespace dovetail::workload::op::arithmetic {

// Unsigned arithmetic wraps instead of being undefined; a wrapped size fails the checks of shapes.
inline constexpr auto plus = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
};
inline constexpr auto minus = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
};
inline constexpr auto times = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
};
/// Towards zero, as ONNX divides integers; division by zero gives 0, and a shape of it fails.
inline constexpr auto over = [](std::int64_t a, std::int64_t b) {
    if (b == 0) return std::int64_t{0};
    return b == -1 ? minus(0, a) : a / b;
};
/// With the sign of the divisor, as ONNX's Mod takes remainders of integers.
inline constexpr auto remainder = [](std::int64_t a, std::int64_t b) {
    if (b == 0 || b == -1) return std::int64_t{0};
    const std::int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
};
inline constexpr auto power = [](std::int64_t base, std::int64_t exponent) {
    std::int64_t result = 1;
    for (std::int64_t bit = 62; bit >= 0; --bit) {
        result = times(result, result);
        if ((exponent >> bit & 1) != 0) result = times(result, base);
    }
    return exponent < 0 ? std::int64_t{0} : result;
};
inline constexpr auto smaller = [](std::int64_t a, std::int64_t b) { return std::min(a, b); };
inline constexpr auto larger = [](std::int64_t a, std::int64_t b) { return std::max(a, b); };
inline constexpr auto equal = [](std::int64_t a, std::int64_t b) { return std::int64_t{a == b}; };
inline constexpr auto less = [](std::int64_t a, std::int64_t b) { return std::int64_t{a < b}; };
inline constexpr auto less_or_equal = [](std::int64_t a, std::int64_t b) { return std::int64_t{a <= b}; };
inline constexpr auto greater = [](std::int64_t a, std::int64_t b) { return std::int64_t{a > b}; };
inline constexpr auto greater_or_equal = [](std::int64_t a, std::int64_t b) { return std::int64_t{a >= b}; };
inline constexpr auto both = [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 && b != 0}; };
inline constexpr auto either = [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 || b != 0}; };
inline constexpr auto one_of = [](std::int64_t a, std::int64_t b) {
    return std::int64_t{(a != 0) != (b != 0)};
};

/// Whether the value of `t` is known and is a scalar or a list: what shapes are computed with.
[[nodiscard]] inline bool known_list(const tensor& t) {
    return !t.integers.empty() && !is_floating(t.type) && t.dims.size() <= 1;
}

/// `fold` over two known lists, a single element being repeated; empty where a value is not known.
template <class Fold>
[[nodiscard]] std::vector<std::int64_t> folded(const tensor& x, const tensor& y, Fold fold) {
    std::vector<std::int64_t> values;
    if (!known_list(x) || !known_list(y)) return values;
    const std::vector<std::int64_t>& a = x.integers;
    const std::vector<std::int64_t>& b = y.integers;
    if (a.size() != b.size() && a.size() != 1 && b.size() != 1) return values;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
        values.push_back(fold(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]));
    return values;
}

} // namespace dovetail::workload::op::arithmetic

namespace dovetail::workload::op {

/// What elementwise operators share: `Forward` and `Backward` lane cycles a result element.
template <int Forward, int Backward, saved Saves>
struct elementwise_operator : no_product {
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::elementwise;
    static constexpr gradient_rule gradient =
        Backward > 0 ? gradient_rule::elementwise : gradient_rule::stops;
    static constexpr saved saves = Saves;
    static double forward_cycles(const operands& o) { return Forward * result_elements(o); }
    static double backward_cycles(const operands& o) { return Backward * result_elements(o); }
};

/// An elementwise operator whose result has the shape of its first operand.
template <fixed_string Name, int Forward, int Backward, saved Saves = saved::inputs>
struct unary : elementwise_operator<Forward, Backward, Saves> {
    static constexpr fixed_string name = Name;
    static inferred infer(const operands& o) { return like_first(o); }
};

using neg = unary<"Neg", lane::step, lane::step, saved::nothing>;
using abs = unary<"Abs", lane::step, lane::step>;
using reciprocal = unary<"Reciprocal", lane::division, 3 * lane::step, saved::output>;
using sqrt = unary<"Sqrt", lane::root, lane::division + lane::step, saved::output>;
using exp = unary<"Exp", lane::exponential, lane::step, saved::output>;
using log = unary<"Log", lane::logarithm, lane::division>;
using sin = unary<"Sin", lane::sine, lane::sine + lane::step>;
using cos = unary<"Cos", lane::sine, lane::sine + 2 * lane::step>;
/// Its derivative is a scaled exp(-x^2).
using erf = unary<"Erf", lane::error_function, lane::exponential + 3 * lane::step>;
using tanh = unary<"Tanh", lane::hyperbolic_tangent, 3 * lane::step, saved::output>;
using sigmoid = unary<"Sigmoid", lane::sigmoid, 3 * lane::step, saved::output>;
using relu = unary<"Relu", lane::step, lane::step, saved::output>;
using leaky_relu = unary<"LeakyRelu", 2 * lane::step, 2 * lane::step>;
using elu = unary<"Elu", lane::exponential + 3 * lane::step, 3 * lane::step, saved::output>;
using hard_sigmoid = unary<"HardSigmoid", 4 * lane::step, 3 * lane::step>;
using hard_swish = unary<"HardSwish", 5 * lane::step, 6 * lane::step>;
using softplus =
    unary<"Softplus", lane::exponential + lane::step + lane::logarithm, lane::sigmoid + lane::step>;
/// x sigmoid(x); the gradient computes the sigmoid again.
using swish = unary<"Swish", lane::sigmoid + lane::step, lane::sigmoid + 5 * lane::step>;
/// x tanh(softplus(x)); the gradient computes both again, and the sigmoid.
using mish =
    unary<"Mish", lane::exponential + lane::logarithm + lane::hyperbolic_tangent + 2 * lane::step,
          lane::exponential + lane::logarithm + lane::hyperbolic_tangent + lane::sigmoid + 7 * lane::step>;
using clip = unary<"Clip", 2 * lane::step, 2 * lane::step>;
using floor = unary<"Floor", lane::step, 0, saved::nothing>;
using ceil = unary<"Ceil", lane::step, 0, saved::nothing>;
using round = unary<"Round", lane::step, 0, saved::nothing>;
using sign = unary<"Sign", lane::step, 0, saved::nothing>;
using logical_not = unary<"Not", lane::step, 0, saved::nothing>;

/// x Phi(x), by the error function or (`approximate` = "tanh") by Hendrycks and Gimpel's polynomial. The
/// gradient computes both factors again, and the density.
struct gelu : elementwise_operator<1, 1, saved::inputs> {
    static constexpr fixed_string name{"Gelu"};
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands& o) {
        constexpr int exact = lane::error_function + 4 * lane::step;
        constexpr int approximate = lane::hyperbolic_tangent + 8 * lane::step;
        return (by_tanh(o) ? approximate : exact) * result_elements(o);
    }
    static double backward_cycles(const operands& o) {
        constexpr int exact = lane::error_function + lane::exponential + 9 * lane::step;
        constexpr int approximate = lane::hyperbolic_tangent + 15 * lane::step;
        return (by_tanh(o) ? approximate : exact) * result_elements(o);
    }

private:
    static bool by_tanh(const operands& o) { return o.attributes.text("approximate", "none") == "tanh"; }
};

/// A random mask and a scaling. What the backward pass needs is the mask, the second result.
struct dropout : elementwise_operator<2 * lane::step, lane::step, saved::output> {
    static constexpr fixed_string name{"Dropout"};
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        if (results && o.result_count > 1)
            results->push_back({results->front().dims, element_type::boolean, {}});
        return results;
    }
};

/// Whether the gradient flows to the operand at `position`, as far as its role tells.
[[nodiscard]] inline bool differentiable(const operands& o, std::size_t position) {
    const tensor* x = optional_operand(o, position);
    return x != nullptr && is_floating(x->type) &&
           (x->role == tensor_role::activation || x->role == tensor_role::parameter);
}

/// The step that adds up the gradient of a stretched operand, a result element.
[[nodiscard]] inline int stretch_cycles(const operands& o, std::size_t position) {
    return static_cast<double>(o.inputs[position]->elements()) < result_elements(o) ? lane::step : 0;
}

/// An elementwise operator on two operands that broadcast; `Left` and `Right` are the lane cycles of the
/// gradient of each, besides the sum over stretched dimensions. `Fold` is what it does to integers.
template <fixed_string Name, int Forward, int Left, int Right, saved Saves, auto Fold>
struct binary : elementwise_operator<Forward, 1, Saves> {
    static constexpr fixed_string name = Name;

    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        auto dims = broadcast((*a)->dims, (*b)->dims);
        if (!dims) return std::move(dims).problem();
        return one(*std::move(dims), (*a)->type, arithmetic::folded(**a, **b, Fold));
    }

    static double backward_cycles(const operands& o) {
        int cycles = 0;
        if (differentiable(o, 0)) cycles += Left + stretch_cycles(o, 0);
        if (differentiable(o, 1)) cycles += Right + stretch_cycles(o, 1);
        return cycles * result_elements(o);
    }
};

using add = binary<"Add", lane::step, 0, 0, saved::nothing, arithmetic::plus>;
using sub = binary<"Sub", lane::step, 0, lane::step, saved::nothing, arithmetic::minus>;
using mul = binary<"Mul", lane::step, lane::step, lane::step, saved::inputs, arithmetic::times>;
using div = binary<"Div", lane::division, lane::division, lane::division + lane::step, saved::inputs,
                   arithmetic::over>;
using pow = binary<"Pow", lane::power, lane::power + lane::step, lane::logarithm + 2 * lane::step,
                   saved::inputs, arithmetic::power>;
/// A leaky rectifier whose slope is trained.
using parametric_relu =
    binary<"PRelu", 2 * lane::step, 2 * lane::step, 2 * lane::step, saved::inputs, arithmetic::times>;

/// Any number of operands that broadcast, combined one after the other.
template <fixed_string Name, int Backward, saved Saves, auto Fold>
struct variadic : elementwise_operator<lane::step, lane::step, Saves> {
    static constexpr fixed_string name = Name;

    static inferred infer(const operands& o) {
        const auto first = required(o, 0);
        if (!first) return first.problem();
        dimensions dims = (*first)->dims;
        for (std::size_t i = 1; i < o.inputs.size(); ++i) {
            const auto next = required(o, i);
            if (!next) return next.problem();
            auto wider = broadcast(dims, (*next)->dims);
            if (!wider) return std::move(wider).problem();
            dims = *std::move(wider);
        }
        std::vector<std::int64_t> values;
        if (o.inputs.size() == 2) values = arithmetic::folded(*o.inputs[0], *o.inputs[1], Fold);
        return one(std::move(dims), (*first)->type, std::move(values));
    }
    static double forward_cycles(const operands& o) {
        return o.inputs.size() < 2 ? 0.0 : static_cast<double>(o.inputs.size() - 1) * result_elements(o);
    }
    static double backward_cycles(const operands& o) {
        int cycles = 0;
        for (std::size_t i = 0; i < o.inputs.size(); ++i)
            if (differentiable(o, i)) cycles += Backward + stretch_cycles(o, i);
        return cycles * result_elements(o);
    }
};

using sum = variadic<"Sum", 0, saved::nothing, arithmetic::plus>;
using minimum = variadic<"Min", lane::step, saved::inputs, arithmetic::smaller>;
using maximum = variadic<"Max", lane::step, saved::inputs, arithmetic::larger>;

/// An operator on two operands without a gradient; `Truth` where the result is a truth value.
template <fixed_string Name, int Forward, bool Truth, auto Fold>
struct discrete : elementwise_operator<Forward, 0, saved::nothing> {
    static constexpr fixed_string name = Name;
    static inferred infer(const operands& o) {
        auto results = binary<Name, Forward, 0, 0, saved::nothing, Fold>::infer(o);
        if (results && Truth) results->front().type = element_type::boolean;
        return results;
    }
};

using mod = discrete<"Mod", lane::division, false, arithmetic::remainder>;
using equal = discrete<"Equal", lane::step, true, arithmetic::equal>;
using less = discrete<"Less", lane::step, true, arithmetic::less>;
using less_or_equal = discrete<"LessOrEqual", lane::step, true, arithmetic::less_or_equal>;
using greater = discrete<"Greater", lane::step, true, arithmetic::greater>;
using greater_or_equal = discrete<"GreaterOrEqual", lane::step, true, arithmetic::greater_or_equal>;
using logical_and = discrete<"And", lane::step, true, arithmetic::both>;
using logical_or = discrete<"Or", lane::step, true, arithmetic::either>;
using logical_xor = discrete<"Xor", lane::step, true, arithmetic::one_of>;

/// IsNaN: whether each element is not a number.
struct is_nan : elementwise_operator<lane::step, 0, saved::nothing> {
    static constexpr fixed_string name{"IsNaN"};
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        if (results) results->front().type = element_type::boolean;
        return results;
    }
};

/// Chooses between two operands by a condition.
struct where : elementwise_operator<lane::step, lane::step, saved::inputs> {
    static constexpr fixed_string name{"Where"};
    static inferred infer(const operands& o) {
        const auto condition = required(o, 0);
        const auto a = required(o, 1);
        const auto b = required(o, 2);
        if (!condition) return condition.problem();
        if (!a) return a.problem();
        if (!b) return b.problem();
        auto dims = broadcast((*a)->dims, (*b)->dims);
        if (dims) dims = broadcast(*dims, (*condition)->dims);
        if (!dims) return std::move(dims).problem();
        return one(*std::move(dims), (*a)->type, chosen(**condition, **a, **b));
    }
    static double backward_cycles(const operands& o) {
        int cycles = 0;
        for (const std::size_t i : {std::size_t{1}, std::size_t{2}})
            if (differentiable(o, i)) cycles += lane::step + stretch_cycles(o, i);
        return cycles * result_elements(o);
    }

private:
    static std::vector<std::int64_t> chosen(const tensor& condition, const tensor& a, const tensor& b) {
        const auto first = [](std::int64_t x, std::int64_t) { return x; };
        const auto second = [](std::int64_t, std::int64_t y) { return y; };
        const std::vector<std::int64_t> left = arithmetic::folded(a, b, first);
        const std::vector<std::int64_t> right = arithmetic::folded(a, b, second);
        const std::vector<std::int64_t>& picks = condition.integers;
        if (left.empty() || !arithmetic::known_list(condition)) return {};
        if (picks.size() == 1) return picks[0] != 0 ? left : right;
        if (picks.size() != left.size()) return {};
        std::vector<std::int64_t> values;
        for (std::size_t i = 0; i < picks.size(); ++i) values.push_back(picks[i] != 0 ? left[i] : right[i]);
        return values;
    }
};

/// A change of the element type `to`. It costs nothing: the chip computes in one type.
struct cast : free_of_charge {
    static constexpr fixed_string name{"Cast"};
    static constexpr fusion_class fusion = fusion_class::view;
    static constexpr gradient_rule gradient = gradient_rule::view;
    static constexpr saved saves = saved::nothing;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (!o.attributes.contains("to")) return missing_attribute("to");
        return one((*x)->dims, static_cast<element_type>(o.attributes.integer("to", 0)), (*x)->integers);
    }
};

} // namespace dovetail::workload::op

/// \file
/// Operators that move data without computing: their price is the memory that they touch.

namespace dovetail::workload::op {

/// What they share: one step a result element, and the same for the gradient.
template <fixed_string Name, fusion_class Fusion = fusion_class::opaque>
struct movement : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = Fusion;
    static constexpr gradient_rule gradient = gradient_rule::elementwise;
    static constexpr saved saves = saved::nothing;
    static double forward_cycles(const operands& o) { return lane::step * result_elements(o); }
    static double backward_cycles(const operands& o) { return lane::step * result_elements(o); }
};

/// Rows of a table by number: an embedding. Its gradient scatters into the table.
struct gather : movement<"Gather"> {
    static inferred infer(const operands& o) {
        const auto table = required(o, 0);
        const auto rows = required(o, 1);
        if (!table) return table.problem();
        if (!rows) return rows.problem();
        const dimensions& x = (*table)->dims;
        const auto axis = checked_axis(o.attributes.integer("axis", 0), x.size());
        if (!axis) return axis.problem();
        const auto here = x.begin() + static_cast<std::ptrdiff_t>(*axis);
        dimensions dims(x.begin(), here);
        dims.insert(dims.end(), (*rows)->dims.begin(), (*rows)->dims.end());
        dims.insert(dims.end(), here + 1, x.end());
        std::vector<std::int64_t> chosen;
        if (x.size() == 1 && !(*table)->integers.empty())
            for (std::int64_t row : (*rows)->integers) {
                if (row < 0) row += x[0];
                if (row < 0 || row >= x[0])
                    return shape_error("element " + dovetail::to_text(row) + " of " + to_text(x),
                                       "it exists");
                chosen.push_back((*table)->integers[static_cast<std::size_t>(row)]);
            }
        return one(std::move(dims), (*table)->type, std::move(chosen));
    }
};

/// Operands one behind the other along an axis.
struct concat : movement<"Concat"> {
    static inferred infer(const operands& o) {
        const auto first = required(o, 0);
        if (!first) return first.problem();
        dimensions dims = (*first)->dims;
        if (!o.attributes.contains("axis")) return missing_attribute("axis");
        const auto axis = checked_axis(o.attributes.integer("axis", 0), dims.size());
        if (!axis) return axis.problem();
        std::vector<std::int64_t> values = (*first)->integers;
        bool known = dims.size() == 1 && !values.empty();
        for (std::size_t i = 1; i < o.inputs.size(); ++i) {
            const auto next = required(o, i);
            if (!next) return next.problem();
            dimensions others = (*next)->dims;
            if (others.size() == dims.size()) others[*axis] = dims[*axis];
            if (others != dims)
                return shape_error("tensors " + to_text(dims) + " and " + to_text((*next)->dims) +
                                       " joined along axis " + dovetail::to_text(*axis),
                                   "all other dimensions are equal");
            const auto extent = checked_add(dims[*axis], (*next)->dims[*axis]);
            if (!extent) return shape_error("extents that add up to 2^63 or more", "they stay below");
            dims[*axis] = *extent;
            known = known && !(*next)->integers.empty();
            values.insert(values.end(), (*next)->integers.begin(), (*next)->integers.end());
        }
        if (!known) values.clear();
        return one(std::move(dims), (*first)->type, std::move(values));
    }
};

/// A frame of constant elements.
struct pad : movement<"Pad"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of pads");
        if (unknown_list(o, 3)) return dynamic_error("the list of axes");
        const auto pads = listed(o, 1, "pads");
        const auto chosen = listed(o, 3, "axes");
        dimensions dims = (*x)->dims;
        std::vector<std::int64_t> axes(chosen.begin(), chosen.end());
        if (axes.empty()) {
            axes.resize(dims.size());
            std::iota(axes.begin(), axes.end(), 0);
        }
        if (pads.size() != 2 * axes.size())
            return shape_error("pads " + to_text(pads) + " of a tensor " + to_text(dims),
                               "there are two for each axis");
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const auto axis = checked_axis(axes[i], dims.size());
            if (!axis) return axis.problem();
            constexpr std::int64_t largest = std::int64_t{1} << 60; // the sum of three stays below 2^63
            std::int64_t& extent = dims[*axis];
            const std::int64_t front = pads[i];
            const std::int64_t back = pads[i + axes.size()];
            if (extent > largest || front > largest || back > largest || front < -extent || back < -extent ||
                extent + front + back < 0)
                return shape_error("pads " + to_text(pads) + " of a tensor " + to_text((*x)->dims),
                                   "no extent becomes negative or leaves 64 bits");
            extent += front + back;
        }
        return one(std::move(dims), (*x)->type);
    }
};

/// A tensor repeated along its axes.
struct tile : movement<"Tile"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of repeats");
        const auto repeats = listed(o, 1, "repeats");
        dimensions dims = (*x)->dims;
        if (repeats.size() != dims.size())
            return shape_error("repeats " + to_text(repeats) + " of a tensor " + to_text(dims),
                               "there is one for each axis");
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const auto extent = repeats[i] < 0 ? std::nullopt : checked_multiply(dims[i], repeats[i]);
            if (!extent)
                return shape_error("repeats " + to_text(repeats),
                                   "they are not negative and extents stay below 2^63");
            dims[i] = *extent;
        }
        return one(std::move(dims), (*x)->type);
    }
};

/// Elements of a tensor by number, as many as there are numbers.
struct gather_elements : movement<"GatherElements"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        const auto numbers = required(o, 1);
        if (!x) return x.problem();
        if (!numbers) return numbers.problem();
        return one((*numbers)->dims, (*x)->type);
    }
};

/// Blocks of `blocksize` x `blocksize` elements, exchanged between the channels and the two spatial axes.
template <fixed_string Name, bool ToSpace>
struct block_exchange : movement<Name> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        dimensions dims = (*x)->dims;
        const std::int64_t block = o.attributes.integer("blocksize", 0);
        const auto refused = [&] {
            return shape_error(
                "blocks of " + dovetail::to_text(block) + " in a tensor " + to_text((*x)->dims),
                "the tensor has two spatial axes, and the blocks divide what they are taken from");
        };
        if (dims.size() != 4 || block < 1 || block > (std::int64_t{1} << 31)) return refused();
        const std::int64_t area = block * block;
        if (ToSpace ? dims[1] % area != 0 : dims[2] % block != 0 || dims[3] % block != 0) return refused();
        const auto grown = [&](std::size_t axis, std::int64_t factor) {
            const auto extent = checked_multiply(dims[axis], factor);
            dims[axis] = extent.value_or(-1);
            return extent.has_value();
        };
        if constexpr (ToSpace) {
            dims[1] /= area;
            if (!grown(2, block) || !grown(3, block)) return refused();
        } else {
            if (!grown(1, area)) return refused();
            dims[2] /= block;
            dims[3] /= block;
        }
        return one(std::move(dims), (*x)->type);
    }
};

using depth_to_space = block_exchange<"DepthToSpace", true>;
using space_to_depth = block_exchange<"SpaceToDepth", false>;

/// A tensor sampled at other resolutions, each result element from the neighbours that `mode` names.
struct resize : movement<"Resize"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        dimensions dims = (*x)->dims;
        const tensor* sizes = optional_operand(o, 3);
        const tensor* scales = optional_operand(o, 2);
        if (sizes != nullptr && sizes->integers.size() == dims.size())
            return one(sizes->integers, (*x)->type);
        if (scales == nullptr || scales->reals.size() != dims.size())
            return dynamic_error("the scales or sizes of the result");
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const double extent = std::floor(static_cast<double>(dims[i]) * scales->reals[i]);
            if (!(extent >= 0 && extent < 9e15))
                return shape_error("a scale of " + dovetail::to_text(scales->reals[i]),
                                   "scales are positive, and extents stay below 2^53");
            dims[i] = static_cast<std::int64_t>(extent);
        }
        return one(std::move(dims), (*x)->type);
    }
    static double forward_cycles(const operands& o) { return cycles(o) * result_elements(o); }
    static double backward_cycles(const operands& o) { return cycles(o) * result_elements(o); }

private:
    /// A product and a sum for each neighbour in the plane.
    static double cycles(const operands& o) {
        const std::string_view mode = o.attributes.text("mode", "nearest");
        return mode == "cubic" ? 32 * lane::step : mode == "linear" ? 8 * lane::step : lane::step;
    }
};

/// An operator that keeps the shape of its first operand and moves its elements.
template <fixed_string Name, fusion_class Fusion = fusion_class::opaque>
struct in_place : movement<Name, Fusion> {
    static inferred infer(const operands& o) { return like_first(o); }
};

using trilu = in_place<"Trilu", fusion_class::elementwise>;
using cumulative_sum = in_place<"CumSum">;
using scatter_nd = in_place<"ScatterND">;
using scatter_elements = in_place<"ScatterElements">;

} // namespace dovetail::workload::op

/// \file
/// Operators that reduce along an axis and rescale by what they found.

namespace dovetail::workload::op {

/// What they share: the shape of the first operand, and `Forward` and `Backward` lane cycles an element. The
/// gradient includes those of scale and shift.
template <fixed_string Name, int Forward, int Backward, saved Saves>
struct normalization_operator : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::normalization;
    static constexpr gradient_rule gradient = gradient_rule::elementwise;
    static constexpr saved saves = Saves;
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands& o) { return Forward * operand_elements(o); }
    static double backward_cycles(const operands& o) { return Backward * operand_elements(o); }
};

/// A normalization of rows: the dimensions from `axis` on. Each row takes a root and a division besides; its
/// statistics are further results.
template <fixed_string Name, int Forward, int Backward>
struct row_normalization : normalization_operator<Name, Forward, Backward, saved::inputs> {
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        if (!results) return results;
        const auto axis = checked_axis(o.attributes.integer("axis", -1), results->front().dims.size());
        if (!axis) return axis.problem();
        dimensions statistics = results->front().dims;
        std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(*axis), statistics.end(), 1);
        while (results->size() < std::min<std::size_t>(o.result_count, 3))
            results->push_back({statistics, element_type::float32, {}});
        return results;
    }
    static double forward_cycles(const operands& o) {
        return Forward * operand_elements(o) + (lane::root + lane::division + lane::step) * rows(o);
    }

private:
    static double rows(const operands& o) {
        const auto axis = checked_axis(o.attributes.integer("axis", -1), o.inputs[0]->dims.size());
        if (!axis) return 0;
        return static_cast<double>(checked_product(std::span(o.inputs[0]->dims).first(*axis)).value_or(0));
    }
};

/// Mean, centring, square, variance, three steps to scale and shift. Backward (Ba et al., 2016): x̂ again,
/// the scaled gradient, two means, four steps to combine them, and the sums for scale and shift.
using layer_normalization = row_normalization<"LayerNormalization", 7 * lane::step, 13 * lane::step>;
/// Square, mean, and two steps to scale. Backward: the same without centring and shift.
using rms_normalization = row_normalization<"RMSNormalization", 4 * lane::step, 9 * lane::step>;

/// Statistics over the batch, as in training; then one product and one sum.
struct batch_normalization
    : normalization_operator<"BatchNormalization", 6 * lane::step, 9 * lane::step, saved::inputs> {
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        for (std::size_t i = 3; results && results->size() < std::min<std::size_t>(o.result_count, 3); ++i) {
            const auto statistics = required(o, i);
            if (!statistics) return statistics.problem();
            results->push_back({(*statistics)->dims, (*statistics)->type, {}});
        }
        return results;
    }
};
using group_normalization =
    normalization_operator<"GroupNormalization", 7 * lane::step, 13 * lane::step, saved::inputs>;
using instance_normalization =
    normalization_operator<"InstanceNormalization", 7 * lane::step, 13 * lane::step, saved::inputs>;

/// Maximum, difference, exponential, sum and division. Backward: y (dy - sum y dy).
using softmax = normalization_operator<"Softmax", lane::exponential + lane::division + 3 * lane::step,
                                       4 * lane::step, saved::output>;
/// Maximum, difference, exponential, sum, difference; the logarithm is one a row.
using log_softmax = normalization_operator<"LogSoftmax", lane::exponential + 4 * lane::step,
                                           lane::exponential + 3 * lane::step, saved::output>;

/// Softmax and negative log-likelihood of the labels: one number, or one a label with `reduction` "none".
/// Its gradient is the softmax, computed again, minus one-hot.
struct softmax_cross_entropy_loss
    : normalization_operator<"SoftmaxCrossEntropyLoss", lane::exponential + 4 * lane::step,
                             lane::exponential + 3 * lane::step, saved::inputs> {
    static constexpr fusion_class fusion = fusion_class::reduction;
    static inferred infer(const operands& o) {
        const auto scores = required(o, 0);
        const auto labels = required(o, 1);
        if (!scores) return scores.problem();
        if (!labels) return labels.problem();
        const bool each = o.attributes.text("reduction", "mean") == "none";
        auto results = one(each ? (*labels)->dims : dimensions(), (*scores)->type);
        if (o.result_count > 1) results->push_back({(*scores)->dims, (*scores)->type, {}});
        return results;
    }
};

} // namespace dovetail::workload::op

/// \file
/// Operators that give fewer elements than they take: means, sums, pooling.

namespace dovetail::workload::op {

/// What they share: they walk over their operand.
template <fixed_string Name, int Forward, int Backward, saved Saves>
struct reduction_operator : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::reduction;
    static constexpr gradient_rule gradient =
        Backward > 0 ? gradient_rule::elementwise : gradient_rule::stops;
    static constexpr saved saves = Saves;
    static double forward_cycles(const operands& o) { return Forward * operand_elements(o); }
    static double backward_cycles(const operands& o) { return Backward * operand_elements(o); }
};

/// A reduction along listed axes (all of them where none is listed).
template <fixed_string Name, int Forward, int Backward, saved Saves = saved::nothing>
struct reduce : reduction_operator<Name, Forward, Backward, Saves> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of axes");
        const auto axes = checked_axes(listed(o, 1, "axes"), (*x)->dims.size());
        if (!axes) return axes.problem();
        if (axes->empty() && o.attributes.integer("noop_with_empty_axes", 0) != 0) return like_first(o);
        const bool keep = o.attributes.integer("keepdims", 1) != 0;
        dimensions dims;
        for (std::size_t i = 0; i < (*x)->dims.size(); ++i) {
            if (!axes->empty() && !std::binary_search(axes->begin(), axes->end(), i))
                dims.push_back((*x)->dims[i]);
            else if (keep)
                dims.push_back(1);
        }
        return one(std::move(dims), (*x)->type);
    }
};

using reduce_mean = reduce<"ReduceMean", 1, 1>;
using reduce_sum = reduce<"ReduceSum", 1, 1>;
using reduce_max = reduce<"ReduceMax", 1, 2, saved::inputs>;
using reduce_min = reduce<"ReduceMin", 1, 2, saved::inputs>;
using reduce_product = reduce<"ReduceProd", 1, 12, saved::inputs>;
using reduce_l1 = reduce<"ReduceL1", 2, 2, saved::inputs>;
using reduce_square = reduce<"ReduceSumSquare", 2, 2, saved::inputs>;
using reduce_l2 = reduce<"ReduceL2", 2, 12, saved::inputs>;

/// The position of an extreme element along an axis.
template <fixed_string Name>
struct position_of : reduction_operator<Name, 1, 0, saved::nothing> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const auto axis = checked_axis(o.attributes.integer("axis", 0), (*x)->dims.size());
        if (!axis) return axis.problem();
        dimensions dims = (*x)->dims;
        if (o.attributes.integer("keepdims", 1) != 0)
            dims[*axis] = 1;
        else
            dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(*axis));
        return one(std::move(dims), element_type::int64);
    }
};

using arg_max = position_of<"ArgMax">;
using arg_min = position_of<"ArgMin">;

/// A window that slides over the spatial axes; each result element costs the area of the window.
template <fixed_string Name, saved Saves>
struct pool : reduction_operator<Name, 1, 1, Saves> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (!o.attributes.contains("kernel_shape")) return missing_attribute("kernel_shape");
        auto extents = sliding((*x)->dims, o.attributes.integers("kernel_shape"), o.attributes);
        if (!extents) return std::move(extents).problem();
        dimensions dims{(*x)->dims[0], (*x)->dims[1]};
        dims.insert(dims.end(), extents->begin(), extents->end());
        auto results = one(dims, (*x)->type);
        if (o.result_count > 1) results->push_back({std::move(dims), element_type::int64, {}}); // positions
        return results;
    }
    static double forward_cycles(const operands& o) { return window_area(o) * result_elements(o); }
    static double backward_cycles(const operands& o) { return window_area(o) * result_elements(o); }

private:
    static double window_area(const operands& o) {
        double area = 1;
        for (const std::int64_t extent : o.attributes.integers("kernel_shape"))
            area *= static_cast<double>(extent);
        return area;
    }
};

using average_pool = pool<"AveragePool", saved::nothing>;
using max_pool = pool<"MaxPool", saved::inputs>;

/// One number a channel, over all spatial axes.
template <fixed_string Name, saved Saves>
struct global_pool : reduction_operator<Name, 1, 1, Saves> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        dimensions dims = (*x)->dims;
        if (dims.size() < 3)
            return shape_error("a tensor " + to_text(dims), "it has a batch, channels and spatial axes");
        std::fill(dims.begin() + 2, dims.end(), 1);
        return one(std::move(dims), (*x)->type);
    }
};

using global_average_pool = global_pool<"GlobalAveragePool", saved::nothing>;
using global_max_pool = global_pool<"GlobalMaxPool", saved::inputs>;

} // namespace dovetail::workload::op

/// \file
/// Operators that only look at data in another way: they move nothing and cost nothing.

namespace dovetail::workload::op {

/// What views share.
template <fixed_string Name>
struct view : free_of_charge {
    static constexpr fixed_string name = Name;
    static constexpr fusion_class fusion = fusion_class::view;
    static constexpr gradient_rule gradient = gradient_rule::view;
    static constexpr saved saves = saved::nothing;
};

/// Identity: its operand.
struct identity : view<"Identity"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one((*x)->dims, (*x)->type, (*x)->integers);
    }
};

/// The same elements in another shape: 0 keeps a dimension, -1 stands for what is left.
struct reshape : view<"Reshape"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the target shape");
        const auto target = listed(o, 1, "shape");
        dimensions dims(target.begin(), target.end());
        const bool zero_keeps = o.attributes.integer("allowzero", 0) == 0;
        std::ptrdiff_t open = -1;
        std::int64_t known = 1;
        for (std::size_t i = 0; i < dims.size(); ++i) {
            if (dims[i] == 0 && zero_keeps && i < (*x)->dims.size()) dims[i] = (*x)->dims[i];
            if (dims[i] < -1 || (dims[i] == -1 && open >= 0))
                return shape_error("a target shape " + to_text(target), "at most one dimension is -1");
            if (dims[i] == -1) {
                open = static_cast<std::ptrdiff_t>(i);
                continue;
            }
            const auto product = checked_multiply(known, dims[i]);
            if (!product)
                return shape_error("a target shape " + to_text(target), "it has fewer than 2^63 elements");
            known = *product;
        }
        const std::int64_t elements = (*x)->elements();
        if (open >= 0)
            dims[static_cast<std::size_t>(open)] = known > 0 && elements % known == 0 ? elements / known : -1;
        if (checked_product_or(dims) != elements)
            return shape_error("a tensor " + to_text((*x)->dims) + " as " + to_text(target),
                               "both shapes have the same number of elements");
        return one(std::move(dims), (*x)->type, (*x)->integers);
    }

private:
    static std::int64_t checked_product_or(const dimensions& dims) {
        for (const std::int64_t d : dims)
            if (d < 0) return -1;
        return checked_product(dims).value_or(-1);
    }
};

/// Transpose: permutes the extents by `perm`, or reverses them.
struct transpose : view<"Transpose"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const std::size_t rank = (*x)->dims.size();
        std::vector<std::int64_t> order(rank);
        std::iota(order.rbegin(), order.rend(), 0);
        if (const auto perm = o.attributes.integers("perm"); !perm.empty())
            order.assign(perm.begin(), perm.end());
        const auto all = checked_axes(order, rank);
        if (!all || all->size() != rank)
            return shape_error("a permutation " + to_text(order) + " of a tensor " + to_text((*x)->dims),
                               "it names every axis once");
        dimensions dims;
        for (const std::int64_t axis : order)
            dims.push_back((*x)->dims[static_cast<std::size_t>(
                axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis)]);
        return one(std::move(dims), (*x)->type);
    }
};

/// Flatten: a matrix of the extents before and from `axis` on.
struct flatten : view<"Flatten"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const dimensions& dims = (*x)->dims;
        const auto rank = static_cast<std::int64_t>(dims.size());
        std::int64_t axis = o.attributes.integer("axis", 1);
        if (axis < 0) axis += rank;
        if (axis < 0 || axis > rank)
            return shape_error("axis " + dovetail::to_text(axis) + " of a tensor " + to_text(dims),
                               "it is at most the rank");
        const std::int64_t rows =
            checked_product(std::span(dims).first(static_cast<std::size_t>(axis))).value_or(0);
        const std::int64_t columns =
            checked_product(std::span(dims).subspan(static_cast<std::size_t>(axis))).value_or(0);
        return one({rows, columns}, (*x)->type);
    }
};

/// Squeeze: drops extents of one.
struct squeeze : view<"Squeeze"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of axes");
        const auto axes = checked_axes(listed(o, 1, "axes"), (*x)->dims.size());
        if (!axes) return axes.problem();
        dimensions dims;
        for (std::size_t i = 0; i < (*x)->dims.size(); ++i) {
            const bool named = std::binary_search(axes->begin(), axes->end(), i);
            if (named && (*x)->dims[i] != 1)
                return shape_error("axis " + dovetail::to_text(i) + " of a tensor " + to_text((*x)->dims),
                                   "only an axis of one element can be squeezed");
            if (!named && !(axes->empty() && (*x)->dims[i] == 1)) dims.push_back((*x)->dims[i]);
        }
        return one(std::move(dims), (*x)->type, (*x)->integers);
    }
};

/// Unsqueeze: puts in extents of one.
struct unsqueeze : view<"Unsqueeze"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of axes");
        const auto list = listed(o, 1, "axes");
        const auto axes = checked_axes(list, (*x)->dims.size() + list.size());
        if (!axes) return axes.problem();
        dimensions dims = (*x)->dims;
        for (const std::size_t axis : *axes) dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
        return one(std::move(dims), (*x)->type, (*x)->integers);
    }
};

/// Stretches dimensions of one element; the reader repeats them.
struct expand : view<"Expand"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the target shape");
        auto dims = broadcast((*x)->dims, listed(o, 1, "shape"));
        if (!dims) return std::move(dims).problem();
        std::vector<std::int64_t> values;
        if (*dims == (*x)->dims) values = (*x)->integers;
        return one(*std::move(dims), (*x)->type, std::move(values));
    }
};

/// Parts of a tensor along an axis: equal ones, or of the sizes listed.
struct split : view<"Split"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of sizes");
        const auto axis = checked_axis(o.attributes.integer("axis", 0), (*x)->dims.size());
        if (!axis) return axis.problem();
        const auto list = listed(o, 1, "split");
        std::vector<std::int64_t> sizes(list.begin(), list.end());
        const std::int64_t extent = (*x)->dims[*axis];
        if (sizes.empty()) {
            const auto parts = o.attributes.integer("num_outputs", static_cast<std::int64_t>(o.result_count));
            if (parts < 1 || parts > extent)
                return shape_error(dovetail::to_text(parts) + " parts of " + dovetail::to_text(extent) +
                                       " elements",
                                   "there is at least one part, and no more than elements");
            if (parts > most_parts)
                return shape_error(dovetail::to_text(parts) + " parts", "there are fewer");
            const std::int64_t size = ceil_div(extent, parts);
            for (std::int64_t begin = 0; begin < extent; begin += size)
                sizes.push_back(std::min(size, extent - begin));
        }
        std::int64_t rest = extent;
        for (const std::int64_t size : sizes) rest = size >= 0 && size <= rest ? rest - size : -1;
        if (rest != 0)
            return shape_error("parts " + to_text(sizes) + " of " + dovetail::to_text(extent) + " elements",
                               "the parts add up");
        std::vector<signature> results;
        for (const std::int64_t size : sizes) {
            dimensions dims = (*x)->dims;
            dims[*axis] = size;
            results.push_back({std::move(dims), (*x)->type, {}});
        }
        return results;
    }

private:
    static constexpr std::int64_t most_parts = 65536;
};

/// A box of a tensor, with steps.
struct slice : view<"Slice"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        for (std::size_t position = 1; position < 5; ++position)
            if (unknown_list(o, position)) return dynamic_error("a bound of the slice");
        const auto starts = listed(o, 1, "starts");
        const auto ends = listed(o, 2, "ends");
        auto axes = listed(o, 3, "axes");
        const auto steps = listed(o, 4, "steps");
        std::vector<std::int64_t> leading(starts.size());
        std::iota(leading.begin(), leading.end(), 0);
        if (axes.empty()) axes = leading;
        if (ends.size() != starts.size() || axes.size() != starts.size() ||
            (!steps.empty() && steps.size() != starts.size()))
            return shape_error("lists of different lengths",
                               "starts, ends, axes and steps have one entry an axis");
        dimensions dims = (*x)->dims;
        std::vector<std::int64_t> kept = (*x)->integers;
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const auto axis = checked_axis(axes[i], dims.size());
            if (!axis) return axis.problem();
            const std::int64_t step = steps.empty() ? 1 : steps[i];
            if (step == 0 || step == std::numeric_limits<std::int64_t>::min())
                return shape_error("a step of " + dovetail::to_text(step), "steps are not 0 and below 2^63");
            const range bounds = clamp(starts[i], ends[i], step, dims[*axis]);
            dims[*axis] = bounds.count;
            if (dims.size() == 1 && !kept.empty()) {
                std::vector<std::int64_t> chosen;
                for (std::int64_t k = 0; k < bounds.count; ++k)
                    chosen.push_back(kept[static_cast<std::size_t>(bounds.first + k * step)]);
                kept = std::move(chosen);
            }
        }
        return one(std::move(dims), (*x)->type, std::move(kept));
    }

private:
    struct range {
        std::int64_t first;
        std::int64_t count;
    };
    static range clamp(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
        // Bounds may be the extremes of the type, so they are clamped before anything is added.
        const auto inside = [&](std::int64_t bound, std::int64_t lowest, std::int64_t highest) {
            const std::int64_t from_front = bound < 0 ? std::max(bound, -extent - 1) + extent : bound;
            return std::clamp(from_front, lowest, highest);
        };
        if (step > 0) {
            const std::int64_t first = inside(start, 0, extent);
            const std::int64_t last = inside(end, 0, extent);
            return {first, first < last ? (last - first - 1) / step + 1 : 0};
        }
        if (extent == 0) return {0, 0};
        const std::int64_t first = inside(start, 0, extent - 1);
        const std::int64_t last = inside(end, -1, extent - 1);
        return {first, first > last ? (first - last - 1) / -step + 1 : 0};
    }
};

/// The shape of a tensor, from dimension `start` to `end`, as a list.
struct shape : view<"Shape"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const auto rank = static_cast<std::int64_t>((*x)->dims.size());
        const auto bound = [&](std::string_view name, std::int64_t fallback) {
            const std::int64_t axis = std::clamp(o.attributes.integer(name, fallback), -rank, rank);
            return axis < 0 ? axis + rank : axis;
        };
        const std::int64_t start = bound("start", 0);
        const std::int64_t end = std::max(start, bound("end", rank));
        const dimensions list((*x)->dims.begin() + start, (*x)->dims.begin() + end);
        return one({end - start}, element_type::int64, list);
    }
};

/// The number of elements of a tensor.
struct size : view<"Size"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one({}, element_type::int64, {(*x)->elements()});
    }
};

/// A tensor of one repeated value.
struct constant_of_shape : view<"ConstantOfShape"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 0)) return dynamic_error("the shape");
        for (const std::int64_t extent : (*x)->integers)
            if (extent < 0)
                return shape_error("a shape " + to_text((*x)->integers), "extents are not negative");
        const auto type = static_cast<element_type>(o.attributes.integer("to", 0));
        const auto elements = checked_product((*x)->integers);
        std::vector<std::int64_t> values;
        if (elements && *elements <= 64 && !is_floating(type))
            values.assign(static_cast<std::size_t>(*elements), o.attributes.integer("integer_value", 0));
        return one((*x)->integers, type, std::move(values));
    }
};

/// The numbers from a start to a limit.
struct range : view<"Range"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        for (std::size_t i = 0; i < 3; ++i) {
            const auto x = required(o, i);
            if (!x) return x.problem();
            if ((*x)->integers.size() != 1) return dynamic_error("a bound of the range");
        }
        const std::int64_t start = o.inputs[0]->integers[0];
        const std::int64_t limit = o.inputs[1]->integers[0];
        const std::int64_t step = o.inputs[2]->integers[0];
        constexpr std::int64_t largest = std::int64_t{1} << 40;
        const auto inside = [](std::int64_t bound) { return bound >= -largest && bound <= largest; };
        if (step == 0 || !inside(start) || !inside(limit) || !inside(step))
            return shape_error("a range from " + dovetail::to_text(start) + " to " +
                                   dovetail::to_text(limit) + " in steps of " + dovetail::to_text(step),
                               "the step is not 0 and no bound is beyond 2^40");
        const std::int64_t span = step > 0 ? limit - start : start - limit;
        return one({span > 0 ? ceil_div(span, std::abs(step)) : 0}, o.inputs[0]->type);
    }
};

} // namespace dovetail::workload::op

namespace dovetail::workload {

/// Descriptors whose positions are the operator types.
template <operator_descriptor... Descriptors>
struct descriptor_list {
    static constexpr std::size_t size = sizeof...(Descriptors);
    static constexpr std::array<descriptor_record, size> records{record_of<Descriptors>...};

    /// The position of `D`: a descriptor is known by the address of its record.
    template <class D>
    static consteval std::size_t position() {
        constexpr std::size_t found = find(&record_of<D>);
        static_assert(found < size, "the descriptor is not in the list of operators.hpp");
        return found;
    }

private:
    static constexpr std::array<const descriptor_record*, size> addresses_{&record_of<Descriptors>...};

    static consteval std::size_t find(const descriptor_record* record) {
        std::size_t i = 0;
        while (i < size && addresses_[i] != record) ++i;
        return i;
    }
};

/// Every operator type that the library knows.
using operator_list = descriptor_list<
    op::mat_mul, op::gemm, op::conv, op::conv_transpose, op::neg, op::abs, op::reciprocal, op::sqrt, op::exp,
    op::log, op::sin, op::cos, op::erf, op::tanh, op::sigmoid, op::relu, op::leaky_relu, op::parametric_relu,
    op::elu, op::hard_sigmoid, op::hard_swish, op::softplus, op::swish, op::mish, op::gelu, op::clip,
    op::floor, op::ceil, op::round, op::sign, op::dropout, op::add, op::sub, op::mul, op::div, op::pow,
    op::mod, op::sum, op::minimum, op::maximum, op::equal, op::less, op::less_or_equal, op::greater,
    op::greater_or_equal, op::logical_and, op::logical_or, op::logical_xor, op::logical_not, op::is_nan,
    op::where, op::cast, op::layer_normalization, op::rms_normalization, op::batch_normalization,
    op::group_normalization, op::instance_normalization, op::softmax, op::log_softmax,
    op::softmax_cross_entropy_loss, op::reduce_mean, op::reduce_sum, op::reduce_max, op::reduce_min,
    op::reduce_product, op::reduce_l1, op::reduce_l2, op::reduce_square, op::arg_max, op::arg_min,
    op::average_pool, op::max_pool, op::global_average_pool, op::global_max_pool, op::identity, op::reshape,
    op::transpose, op::flatten, op::squeeze, op::unsqueeze, op::expand, op::split, op::slice, op::shape,
    op::size, op::constant_of_shape, op::range, op::gather, op::gather_elements, op::concat, op::pad,
    op::tile, op::resize, op::depth_to_space, op::space_to_depth, op::trilu, op::cumulative_sum,
    op::scatter_nd, op::scatter_elements, op::all_reduce_forward, op::all_reduce_backward,
    op::optimizer_step>;

/// The operator type that descriptor `D` describes.
template <class D>
inline constexpr operator_type type_of{static_cast<std::uint16_t>(operator_list::position<D>())};

/// All descriptors; the position is the operator type.
[[nodiscard]] constexpr std::span<const descriptor_record> descriptors() noexcept {
    return operator_list::records;
}

/// The descriptor of a type.
[[nodiscard]] constexpr const descriptor_record& descriptor(operator_type type) {
    return operator_list::records[static_cast<std::size_t>(type)];
}

/// The type called `name` in model files.
/// \returns errc::unknown_operator, naming it. \complexity O(operator types).
[[nodiscard]] inline result<operator_type> find_operator(std::string_view name) {
    const auto all = descriptors();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const descriptor_record& d) { return d.name == name; });
    if (found == all.end())
        return error{errc::unknown_operator,
                     {},
                     "operator '" + std::string(name) + "' is not known",
                     "use operators with a descriptor, or add one to the list of operators.hpp"};
    return operator_type{static_cast<std::uint16_t>(found - all.begin())};
}

namespace detail {

[[nodiscard]] consteval bool names_are_unique() {
    const auto all = descriptors();
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (all[i].name == all[j].name) return false;
    return true;
}
static_assert(names_are_unique(), "two descriptors have the same name");

} // namespace detail

} // namespace dovetail::workload

namespace dovetail::workload {

namespace detail {

/// Whether tensor `t` is a softmax, seen through views, dropouts, masks and scalings.
[[nodiscard]] inline bool attention_weights(const operator_graph& g, const std::vector<index>& producer,
                                            index t) {
    while (t != none && producer[t] != none) {
        const operation& op = g.operations[producer[t]];
        if (op.type == type_of<op::softmax>) return true;
        const fusion_class fusion = descriptor(op.type).fusion;
        const bool passes = fusion == fusion_class::view || fusion == fusion_class::elementwise;
        if (!passes || op.inputs.empty()) return false;
        t = op.inputs[0];
    }
    return false;
}

} // namespace detail

/// The number of attention heads, which a tensor width must divide; 0 for a model without attention. Heads
/// are the products that an attention makes for one sample: of its context, the product of the softmax with
/// the values, the last dimension but two; where heads and batch share one, that dimension without the batch.
/// Attentions that differ give their greatest common divisor.
/// \param g acyclic, with shapes. \complexity O(operands) for each attention at worst.
[[nodiscard]] inline std::int64_t find_attention_heads(const operator_graph& g) {
    const std::vector<index> producer = producers(g);
    std::int64_t heads = 0;
    for (const operation& op : g.operations) {
        if (op.type != type_of<op::mat_mul> || op.inputs.size() != 2) continue;
        if (!detail::attention_weights(g, producer, op.inputs[0])) continue;
        const dimensions& context = g.tensors[op.outputs[0]].dims;
        if (context.size() < 3 || producer[op.inputs[1]] == none) continue;
        const std::int64_t products = context[context.size() - 3];
        if (context.size() > 3)
            heads = std::gcd(heads, products);
        else if (products % g.batch == 0)
            heads = std::gcd(heads, products / g.batch);
    }
    return heads;
}

} // namespace dovetail::workload

/// \file
/// Building an operator graph by hand: shapes are inferred as operations are added, the first mistake is
/// kept.

namespace dovetail::workload {

/// Builds an operator graph tensor by tensor. Shapes that do not fit together are reported once, by `finish`,
/// so that a model reads as a list of its operations.
class graph_builder {
public:
    /// A builder of the model `name` whose passes take `batch` samples.
    graph_builder(std::string name, std::int64_t batch) {
        graph_.name = std::move(name);
        graph_.batch = batch;
        if (batch < 1)
            problem_ = error{errc::out_of_range, graph_.name, "a batch of " + to_text(batch) + " samples",
                             "a batch holds at least one sample"};
    }

    /// Adds a data input; its first dimension is the batch. \returns the tensor.
    index input(std::string name, dimensions dims, element_type type = element_type::float32) {
        return add(std::move(name), tensor_role::input, type, std::move(dims));
    }
    /// Adds a trained tensor.
    index parameter(std::string name, dimensions dims) {
        return add(std::move(name), tensor_role::parameter, element_type::float32, std::move(dims));
    }
    /// Adds a tensor that is neither data nor trained: a mask, a table.
    index buffer(std::string name, dimensions dims, element_type type = element_type::float32) {
        return add(std::move(name), tensor_role::buffer, type, std::move(dims));
    }
    /// Adds a small constant list: the axes, sizes or shape that an operation takes as an input.
    index integers(std::string name, std::vector<std::int64_t> values) {
        const auto size = static_cast<std::int64_t>(values.size());
        const index t = add(std::move(name), tensor_role::constant, element_type::int64, {size});
        graph_.tensors[t].integers = std::move(values);
        return t;
    }
    /// Adds a constant scalar.
    index scalar(std::string name, double value) {
        const index t = add(std::move(name), tensor_role::constant, element_type::float32, {});
        graph_.tensors[t].reals = {value};
        return t;
    }

    /// Adds an operation of type `Op`. \returns all of its results, none after a mistake.
    template <operator_descriptor Op>
    std::vector<index> apply_all(std::string name, std::vector<index> inputs, attribute_set attributes = {}) {
        if (problem_) return {};
        std::vector<const tensor*> views;
        views.reserve(inputs.size());
        for (const index t : inputs) views.push_back(t == none ? nullptr : &graph_.tensors[t]);
        auto inferred = Op::infer(operands{.inputs = views, .outputs = {}, .attributes = attributes});
        if (!inferred) {
            problem_ = std::move(inferred).problem().within(graph_.name + ": " +
                                                            std::string(Op::name.view()) + " '" + name + "'");
            return {};
        }
        operation op{.type = type_of<Op>,
                     .name = name,
                     .inputs = std::move(inputs),
                     .attributes = std::move(attributes)};
        for (std::size_t r = 0; r < inferred->size(); ++r) {
            signature& s = (*inferred)[r];
            op.outputs.push_back(add(r == 0 ? name : name + "." + to_text(r), tensor_role::activation, s.type,
                                     std::move(s.dims)));
        }
        std::vector<index> results = op.outputs;
        graph_.add(std::move(op));
        return results;
    }

    /// Adds an operation of type `Op`. \returns its first result, `none` after a mistake.
    template <operator_descriptor Op>
    index apply(std::string name, std::vector<index> inputs, attribute_set attributes = {}) {
        const std::vector<index> results =
            apply_all<Op>(std::move(name), std::move(inputs), std::move(attributes));
        return results.empty() ? none : results.front();
    }

    /// Declares a result of the model.
    void output(index t) { graph_.outputs.push_back(t); }

    /// Declares the number of attention heads, which bounds the tensor-parallel widths.
    void attention_heads(std::int64_t heads) { graph_.attention_heads = heads; }

    [[nodiscard]] const tensor& operator[](index t) const { return graph_.tensors[t]; }

    /// The graph. \returns the first mistake: the error of a descriptor's `infer` with the operation's place,
    /// or errc::out_of_range for an empty batch.
    [[nodiscard]] result<operator_graph> finish() && {
        if (problem_) return *std::move(problem_);
        return std::move(graph_);
    }

private:
    index add(std::string name, tensor_role role, element_type type, dimensions dims) {
        return graph_.add(
            tensor{.name = std::move(name), .role = role, .type = type, .dims = std::move(dims)});
    }

    operator_graph graph_;
    std::optional<error> problem_;
};

} // namespace dovetail::workload

/// \file
/// Structure without names: hashes of operations, and an order of them that no renaming or shuffling changes.

/// \file
/// What a tensor depends on: data, parameters, both or neither.

namespace dovetail::workload {

/// For every tensor whether a data input, and whether a parameter, has a part in its value.
struct dependence {
    std::vector<bool> on_data;
    std::vector<bool> on_parameter;

    /// Whether a gradient flows through tensor `t` while the model is trained: it is neither a weight
    /// expression nor a side path such as a mask, a position or a rotary table.
    [[nodiscard]] bool on_trunk(index t) const { return on_data[t] && on_parameter[t]; }
};

/// The dependences of an acyclic graph. A tensor whose elements are known (shape arithmetic) depends on
/// nothing. \complexity O(operands log operations).
[[nodiscard]] inline dependence dependences(const operator_graph& g) {
    dependence of{.on_data = std::vector<bool>(g.tensors.size(), false),
                  .on_parameter = std::vector<bool>(g.tensors.size(), false)};
    for (index t = 0; t < g.tensors.size(); ++t) {
        of.on_data[t] = g.tensors[t].role == tensor_role::input;
        of.on_parameter[t] = g.tensors[t].role == tensor_role::parameter;
    }
    for (const index v : graph::topological_order(dataflow(g)).value()) {
        bool data = g.operations[v].phase != phase::forward; // gradients are of the data's loss
        bool parameter = false;
        for (const index t : g.operations[v].inputs) {
            if (t == none) continue;
            data = data || of.on_data[t];
            parameter = parameter || of.on_parameter[t];
        }
        for (const index t : g.operations[v].outputs) {
            const bool known = !g.tensors[t].integers.empty();
            of.on_data[t] = data && !known;
            of.on_parameter[t] = parameter && !known;
        }
    }
    return of;
}

/// For every operation whether its results are the same for all data: expressions of parameters, such as the
/// transpose of a tied embedding, tables of constants, and shape arithmetic. They cost nothing at run time.
/// \complexity O(operands log operations).
[[nodiscard]] inline std::vector<bool> weight_only(const operator_graph& g, const dependence& of) {
    std::vector<bool> only(g.operations.size());
    for (index v = 0; v < g.operations.size(); ++v)
        only[v] = g.operations[v].phase == phase::forward &&
                  std::none_of(g.operations[v].outputs.begin(), g.operations[v].outputs.end(),
                               [&](index t) { return of.on_data[t]; });
    return only;
}

/// The same, with the dependences computed on the way.
[[nodiscard]] inline std::vector<bool> weight_only(const operator_graph& g) {
    return weight_only(g, dependences(g));
}

} // namespace dovetail::workload

namespace dovetail::workload {

/// Whether the operands of a type may change places.
[[nodiscard]] constexpr bool is_commutative(operator_type type) {
    constexpr std::array types{type_of<op::add>,         type_of<op::mul>,        type_of<op::sum>,
                               type_of<op::minimum>,     type_of<op::maximum>,    type_of<op::equal>,
                               type_of<op::logical_and>, type_of<op::logical_or>, type_of<op::logical_xor>};
    return std::find(types.begin(), types.end(), type) != types.end();
}

namespace detail {

[[nodiscard]] inline std::uint64_t hash_list(std::uint64_t seed, std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) seed = hash_append(seed, static_cast<std::uint64_t>(value));
    return hash_append(seed, static_cast<std::uint64_t>(values.size()));
}

[[nodiscard]] inline std::uint64_t hash_value(const attribute_value& value) {
    const auto seed = static_cast<std::uint64_t>(value.index());
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return hash_append(seed, static_cast<std::uint64_t>(*number));
    if (const auto* number = std::get_if<double>(&value))
        return hash_append(seed, std::bit_cast<std::uint64_t>(*number));
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) return hash_list(seed, *list);
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr ? hash_append(seed, std::string_view(*text)) : seed;
}

[[nodiscard]] inline std::uint64_t hash_operation(const operation& op) {
    std::uint64_t hash =
        hash_append(static_cast<std::uint64_t>(op.type), static_cast<std::uint64_t>(op.phase));
    hash = hash_append(hash, static_cast<std::uint64_t>(op.operand));
    for (const auto& [name, value] : op.attributes.entries())
        hash = hash_append(hash_append(hash, std::string_view(name)), hash_value(value));
    return hash;
}

[[nodiscard]] inline std::uint64_t hash_tensor(const tensor& t) {
    std::uint64_t hash = hash_list(static_cast<std::uint64_t>(t.type), t.dims);
    hash = hash_list(hash, t.integers);
    for (const double value : t.reals) hash = hash_append(hash, std::bit_cast<std::uint64_t>(value));
    return hash;
}

/// The operands of `op` whose places count: gradients keep the type, but not the symmetry, of their operator.
[[nodiscard]] inline bool ordered(const operation& op) {
    return op.phase != phase::forward || !is_commutative(op.type);
}

/// Colours operations by what surrounds them inside their own part of the graph. Results of other parts look
/// alike where their shapes do, so that equal parts get equal colours wherever they stand.
///
/// It is colour refinement (Weisfeiler and Leman, 1968) on operations and tensors, made quick by the order of
/// the graph: one sweep down and one up carry colours along whole paths.
class refinement {
public:
    /// \param labels the part of every operation; `none` for one that belongs to no part
    refinement(const operator_graph& g, std::span<const index> labels) : graph_(g), labels_(labels) {
        list_uses();
        colours_.reserve(g.operations.size());
        for (const operation& op : g.operations) colours_.push_back(hash_operation(op));
        order_ = graph::topological_order(dataflow(g)).value();
        for (int round = 0; round < rounds; ++round) {
            sweep_down();
            sweep_up();
        }
    }

    [[nodiscard]] std::vector<std::uint64_t> take() && { return std::move(colours_); }

private:
    // The second round lets what a tensor is used for tell apart the operations that share it.
    static constexpr int rounds = 2;

    /// A tensor as seen from one part.
    [[nodiscard]] static std::uint64_t key(index t, index label) { return std::uint64_t{t} << 32 | label; }
    [[nodiscard]] std::size_t seen(index t, index label) const {
        return static_cast<std::size_t>(std::lower_bound(keys_.begin(), keys_.end(), key(t, label)) -
                                        keys_.begin());
    }

    void list_uses() {
        const std::vector<index> producer = producers(graph_);
        std::vector<bool> leaves(graph_.tensors.size(), false);
        for (const index t : graph_.outputs) leaves[t] = true;
        for (index v = 0; v < graph_.operations.size(); ++v) {
            const operation& op = graph_.operations[v];
            for (const index t : op.inputs) {
                if (t == none) continue;
                if (producer[t] != none && labels_[producer[t]] != labels_[v]) leaves[t] = true;
                if (labels_[v] != none) keys_.push_back(key(t, labels_[v]));
            }
            for (const index t : op.outputs)
                if (labels_[v] != none) keys_.push_back(key(t, labels_[v]));
        }
        std::sort(keys_.begin(), keys_.end());
        keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
        const dependence of = dependences(graph_);
        for (const std::uint64_t k : keys_) {
            const auto t = static_cast<index>(k >> 32);
            const bool inside = producer[t] != none && labels_[producer[t]] == static_cast<index>(k);
            // What comes from outside counts by its role and by whether a gradient leaves through it.
            std::uint64_t part = static_cast<std::uint64_t>(graph_.tensors[t].role);
            for (const bool fact :
                 {inside, inside && leaves[t], bool{of.on_data[t]}, bool{of.on_parameter[t]}})
                part = part << 1 | (fact ? 1U : 0U);
            tensors_.push_back(hash_append(hash_tensor(graph_.tensors[t]), part));
        }
    }

    void sweep_down() {
        std::vector<std::uint64_t> operands;
        for (const index v : order_) {
            if (labels_[v] == none) continue;
            const operation& op = graph_.operations[v];
            operands.clear();
            for (const index t : op.inputs) operands.push_back(t == none ? 0 : tensors_[seen(t, labels_[v])]);
            if (!ordered(op)) std::sort(operands.begin(), operands.end());
            for (const std::uint64_t operand : operands) colours_[v] = hash_append(colours_[v], operand);
            for (std::size_t k = 0; k < op.outputs.size(); ++k) {
                std::uint64_t& result = tensors_[seen(op.outputs[k], labels_[v])];
                result = hash_append(hash_append(result, colours_[v]), static_cast<std::uint64_t>(k));
            }
        }
    }

    void sweep_up() {
        std::vector<std::uint64_t> uses(tensors_.size(), 0); // sums, since uses have no order
        for (auto place = order_.rbegin(); place != order_.rend(); ++place) {
            const index v = *place;
            if (labels_[v] == none) continue;
            const operation& op = graph_.operations[v];
            for (const index t : op.outputs)
                colours_[v] = hash_append(colours_[v], uses[seen(t, labels_[v])]);
            for (std::size_t k = 0; k < op.inputs.size(); ++k)
                if (op.inputs[k] != none)
                    uses[seen(op.inputs[k], labels_[v])] +=
                        hash_append(colours_[v], static_cast<std::uint64_t>(ordered(op) ? k : 0));
        }
        for (std::size_t s = 0; s < tensors_.size(); ++s) tensors_[s] = hash_append(tensors_[s], uses[s]);
    }

    const operator_graph& graph_;
    std::span<const index> labels_;
    std::vector<index> order_;
    std::vector<std::uint64_t> keys_;    // sorted pairs of a tensor and a part that sees it
    std::vector<std::uint64_t> tensors_; // colours, aligned with keys_
    std::vector<std::uint64_t> colours_; // of operations
};

} // namespace detail

/// For every operation a hash of its structure: type, attributes, shapes and roles of its tensors, and the
/// same of all that it depends on and of all that depends on it. Names and numbering have no part in it, nor
/// has the order of commutative operands. The graph is acyclic. \complexity O(operands log operands).
[[nodiscard]] inline std::vector<std::uint64_t> structural_hashes(const operator_graph& g) {
    const std::vector<index> whole(g.operations.size(), 0);
    return detail::refinement(g, whole).take();
}

/// A hash for each of `parts` parts of the graph: equal for parts of equal structure, wherever they stand.
/// \param labels the part of every operation, below `parts`; `none` for an operation of no part, whose
/// results count as given. \complexity O(operands log operands).
[[nodiscard]] inline std::vector<std::uint64_t>
part_hashes(const operator_graph& g, std::span<const index> labels, std::size_t parts) {
    DOVETAIL_ASSERT(labels.size() == g.operations.size(), "one label an operation");
    const std::vector<std::uint64_t> colours = detail::refinement(g, labels).take();
    std::vector<std::uint64_t> hashes(parts, 0);
    for (index v = 0; v < colours.size(); ++v)
        if (labels[v] != none) hashes[labels[v]] += mix(colours[v]);
    return hashes;
}

/// A topological order that depends on the structure alone: renaming and shuffling operations and tensors
/// gives the same order, up to exchanging operations that no structure tells apart. Operations stand by
/// depth, then by the structure of the part that they are in, so that equal parts are ordered alike, then by
/// that of the whole graph, then by the places of their operands' producers. \param labels nothing, or the
/// part of every operation \complexity O((operations + operands) log operands).
[[nodiscard]] inline std::vector<index> canonical_order(const operator_graph& g,
                                                        std::span<const index> labels = {}) {
    const std::size_t n = g.operations.size();
    const graph::digraph flow = dataflow(g);
    const std::vector<index> producer = producers(g);
    const std::vector<std::uint64_t> whole = structural_hashes(g);
    const std::vector<std::uint64_t> local = labels.empty() ? whole : detail::refinement(g, labels).take();

    std::vector<index> depth(n, 0);
    std::vector<index> order = graph::topological_order(flow).value();
    for (const index v : order)
        for (const index u : flow.predecessors(v)) depth[v] = std::max(depth[v], depth[u] + 1);
    const auto key = [&](index v) { return std::tuple(depth[v], local[v], whole[v]); };
    std::sort(order.begin(), order.end(), [&](index a, index b) { return key(a) < key(b); });

    std::vector<index> place(n, none);
    std::vector<std::pair<std::vector<index>, index>> tied;
    for (std::size_t first = 0; first < n;) {
        std::size_t last = first + 1;
        while (last < n && key(order[last]) == key(order[first])) ++last;
        if (last - first > 1) {
            tied.clear();
            for (std::size_t i = first; i < last; ++i) {
                const operation& op = g.operations[order[i]];
                std::vector<index> before;
                for (const index t : op.inputs)
                    before.push_back(t == none || producer[t] == none ? none : place[producer[t]]);
                if (!detail::ordered(op)) std::sort(before.begin(), before.end());
                tied.emplace_back(std::move(before), order[i]);
            }
            std::sort(tied.begin(), tied.end());
            for (std::size_t i = first; i < last; ++i) order[i] = tied[i - first].second;
        }
        for (; first < last; ++first) place[order[first]] = static_cast<index>(first);
    }
    return order;
}

} // namespace dovetail::workload

/// \file
/// Operators that files spell out in smaller ones, each as its formula. To have another one recognised, add
/// its formula to the list.

/// \file
/// Formulas as patterns: `x * sigmoid(x)` is a constant that says what to look for in a graph.

namespace dovetail::workload {

/// A node of a formula, as data.
struct pattern {
    enum class kind : std::uint8_t {
        operand,   ///< any tensor, the same wherever the slot occurs
        weight,    ///< the same, for a tensor that does not depend on data
        setting,   ///< a constant of any value, the same wherever it occurs
        number,    ///< a constant of this value
        operation, ///< the result of an operation on these operands
        chain,     ///< the result of an associative and commutative operation on them, grouped in any way
        choice,    ///< the result of any one of these formulas
    };

    kind what{};
    std::size_t slot = 0;
    double value = 0;
    operator_type type{};
    std::span<const pattern* const> operands{};
};

/// Formulas are empty objects whose types spell them out; `node` is the formula as data.
namespace formula {

template <class E>
concept expression = std::same_as<decltype(E::node), const pattern>;

/// An operand that a match binds: the same slot stands for the same tensor wherever it occurs.
template <pattern::kind Kind, std::size_t Slot>
struct variable {
    static constexpr pattern node{.what = Kind, .slot = Slot};
};
/// The operand `Slot` of the operation that a formula stands for.
template <std::size_t Slot>
using operand = variable<pattern::kind::operand, Slot>;
/// The same, for one that is a weight or made of weights.
template <std::size_t Slot>
using weight = variable<pattern::kind::weight, Slot>;
/// The number that a formula leaves open.
using setting = variable<pattern::kind::setting, 0>;

/// The bits of a number, since compilers do not take real template arguments yet.
[[nodiscard]] consteval std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// A constant, written `number<bits(0.5)>`. It matches within half a unit of the last place of bfloat16, the
/// coarsest type that constants are stored in.
template <std::uint64_t Bits>
struct number {
    static constexpr pattern node{.what = pattern::kind::number, .value = std::bit_cast<double>(Bits)};
};

/// An operation on other expressions.
template <pattern::kind Kind, operator_type Type, expression... Operands>
struct branch {
    static constexpr std::array<const pattern*, sizeof...(Operands)> operands{&Operands::node...};
    static constexpr pattern node{.what = Kind, .type = Type, .operands = operands};
};

/// The result of `Op`.
template <operator_descriptor Op, expression... Operands>
[[nodiscard]] constexpr auto apply(Operands...) {
    return branch<pattern::kind::operation, type_of<Op>, Operands...>{};
}
/// Any one of several formulas.
template <expression... Formulas>
[[nodiscard]] constexpr auto either(Formulas...) {
    return branch<pattern::kind::choice, operator_type{}, Formulas...>{};
}

/// Sums and products flatten: `a * b * c` matches all groupings and orders of its factors.
template <operator_type Type, expression... Operands>
using chain = branch<pattern::kind::chain, Type, Operands...>;
template <expression A, expression B>
[[nodiscard]] constexpr auto operator+(A, B) {
    return chain<type_of<op::add>, A, B>{};
}
template <expression A, expression B>
[[nodiscard]] constexpr auto operator*(A, B) {
    return chain<type_of<op::mul>, A, B>{};
}
template <expression... A, expression B>
[[nodiscard]] constexpr auto operator*(chain<type_of<op::mul>, A...>, B) {
    return chain<type_of<op::mul>, A..., B>{};
}
template <expression A, expression B>
[[nodiscard]] constexpr auto operator-(A a, B b) {
    return apply<op::sub>(a, b);
}
template <expression A, expression B>
[[nodiscard]] constexpr auto operator/(A a, B b) {
    return apply<op::div>(a, b);
}

/// The mean along the axes that a formula is about, kept as dimensions of one element.
[[nodiscard]] constexpr auto mean(expression auto x) { return apply<op::reduce_mean>(x); }

} // namespace formula

} // namespace dovetail::workload

namespace dovetail::workload {

/// The axes that the reductions of a formula may run along.
enum class reduced_axes : std::uint8_t {
    nothing,
    one,  ///< any single axis
    last, ///< the last axis, or the last few
};

/// An operator and a formula that means it. The operator takes the tensors of the formula's slots, in order;
/// weights have the shape of the reduced axes.
struct composite {
    operator_type type{};
    const pattern* meaning = nullptr;
    reduced_axes axes = reduced_axes::nothing; ///< given to the operator as its `axis`
    std::string_view setting{};                ///< the attribute that takes the open number
    std::string_view approximate{};            ///< the attribute of this name, where not empty
};

namespace formula {

inline constexpr operand<0> x;
inline constexpr weight<1> scale;
inline constexpr weight<2> shift;
inline constexpr setting open;

inline constexpr number<bits(1.0)> one;
inline constexpr number<bits(2.0)> two;
inline constexpr number<bits(3.0)> three;
inline constexpr number<bits(0.5)> half;
inline constexpr number<bits(-0.5)> minus_half;
inline constexpr number<bits(1.4142135623730951)> root_of_two;
inline constexpr number<bits(0.7071067811865476)> root_of_half;
inline constexpr number<bits(0.7978845608028654)> root_of_two_over_pi;
inline constexpr number<bits(0.044715)> cubic; // Hendrycks and Gimpel, Gaussian error linear units, 2016

/// The square, by any of the operators that exporters write for it.
[[nodiscard]] constexpr auto square(expression auto e) { return either(apply<op::pow>(e, two), e * e); }
/// The square root, likewise.
[[nodiscard]] constexpr auto root(expression auto e) {
    return either(apply<op::sqrt>(e), apply<op::pow>(e, half));
}
/// The reciprocal, likewise.
[[nodiscard]] constexpr auto inverse(expression auto e) { return either(one / e, apply<op::reciprocal>(e)); }
/// The reciprocal of the square root, likewise.
[[nodiscard]] constexpr auto inverse_root(expression auto e) {
    return either(inverse(root(e)), root(inverse(e)), apply<op::pow>(e, minus_half));
}
/// e over the root of `power`.
[[nodiscard]] constexpr auto normalized(expression auto e, expression auto power) {
    return either(e / root(power), e * inverse_root(power));
}
/// The same times `scale`.
[[nodiscard]] constexpr auto rescaled(expression auto e, expression auto power) {
    return either(e / root(power) * scale, e * inverse_root(power) * scale, e * scale / root(power));
}

inline constexpr auto deviation = x - mean(x);
inline constexpr auto variance = either(mean(square(deviation)), mean(square(x)) - square(mean(x))) + open;
inline constexpr auto layer_norm = rescaled(deviation, variance) + shift;
inline constexpr auto layer_norm_without_shift = rescaled(deviation, variance);
inline constexpr auto layer_norm_without_scale = normalized(deviation, variance) + shift;
inline constexpr auto plain_layer_norm = normalized(deviation, variance);

inline constexpr auto power = mean(square(x)) + open;
inline constexpr auto rms_norm = rescaled(x, power);
inline constexpr auto plain_rms_norm = normalized(x, power);

inline constexpr auto cube = either(apply<op::pow>(x, three), x* x* x);
inline constexpr auto tanh_argument =
    either((x + cubic * cube) * root_of_two_over_pi, x* root_of_two_over_pi*(one + cubic * x * x));
inline constexpr auto gelu_by_tanh = x * half * (one + apply<op::tanh>(tanh_argument));
inline constexpr auto gelu = x * half * (one + apply<op::erf>(either(x / root_of_two, x* root_of_half)));

inline constexpr auto silu = x * apply<op::sigmoid>(x);
inline constexpr auto swish = x * apply<op::sigmoid>(x * open);

inline constexpr auto exponential = either(apply<op::exp>(x - apply<op::reduce_max>(x)), apply<op::exp>(x));
inline constexpr auto total = apply<op::reduce_sum>(exponential);
inline constexpr auto softmax = either(exponential / total, exponential* inverse(total));

} // namespace formula

/// What `recognise` looks for. Of two that match the same operation the first one is taken, so a formula
/// stands before those that it contains.
inline constexpr std::array<composite, 11> composites{{
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::layer_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::layer_norm_without_shift)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::layer_norm_without_scale)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::plain_layer_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::rms_normalization>,
     .meaning = &decltype(formula::rms_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::rms_normalization>,
     .meaning = &decltype(formula::plain_rms_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::gelu>, .meaning = &decltype(formula::gelu)::node},
    {.type = type_of<op::gelu>, .meaning = &decltype(formula::gelu_by_tanh)::node, .approximate = "tanh"},
    {.type = type_of<op::swish>, .meaning = &decltype(formula::silu)::node},
    {.type = type_of<op::swish>, .meaning = &decltype(formula::swish)::node, .setting = "alpha"},
    {.type = type_of<op::softmax>, .meaning = &decltype(formula::softmax)::node, .axes = reduced_axes::one},
}};

} // namespace dovetail::workload

/// \file
/// What a model amounts to: parameters, multiply-accumulates, nodes and edges.

/// \file
/// Shape inference over a whole graph, with shape arithmetic folded on the way.

/// \file
/// Structure that every pass takes for granted, checked once where a graph enters the library.

namespace dovetail::workload {

/// "MatMul 'name'", for messages.
[[nodiscard]] inline std::string label(const operation& op) {
    return std::string(descriptor(op.type).name) + " '" + op.name + "'";
}

/// Checks that every operation names existing tensors, that each tensor has one producer and none that is
/// given from outside, and that the graph is acyclic. \returns errc::parse or errc::cycle; a cycle is spelled
/// out by operation names. \complexity O((operations + operands) log operations).
[[nodiscard]] inline result<void> validate(const operator_graph& g) {
    std::vector<index> producer(g.tensors.size(), none);
    for (index v = 0; v < g.operations.size(); ++v) {
        const operation& op = g.operations[v];
        for (const index t : op.inputs)
            if (t != none && t >= g.tensors.size())
                return error{errc::parse, label(op), "it takes tensor " + to_text(t),
                             "tensors are numbered below " + to_text(g.tensors.size())};
        for (const index t : op.outputs) {
            if (t >= g.tensors.size())
                return error{errc::parse, label(op), "it gives tensor " + to_text(t),
                             "tensors are numbered below " + to_text(g.tensors.size())};
            if (producer[t] != none)
                return error{errc::parse, label(op),
                             "its result '" + g.tensors[t].name + "' is also the result of " +
                                 label(g.operations[producer[t]]),
                             "every tensor has one producer"};
            if (g.tensors[t].role != tensor_role::activation)
                return error{errc::parse, label(op),
                             "its result '" + g.tensors[t].name + "' is also given from outside",
                             "every tensor has one producer"};
            producer[t] = v;
        }
    }
    for (const index t : g.outputs)
        if (t >= g.tensors.size())
            return error{errc::parse, "graph", "it gives tensor " + to_text(t),
                         "tensors are numbered below " + to_text(g.tensors.size())};
    for (const operation& op : g.operations)
        for (const index t : op.inputs)
            if (t != none && producer[t] == none && g.tensors[t].role == tensor_role::activation)
                return error{errc::parse, label(op),
                             "it takes '" + g.tensors[t].name + "', which nothing gives",
                             "every operand is an input, a weight, or the result of an operation"};
    const std::vector<index> cycle = graph::find_cycle(dataflow(g));
    if (cycle.empty()) return {};
    std::string path;
    for (const index v : cycle) path += label(g.operations[v]) + " -> ";
    return error{errc::cycle, "graph", "it has a cycle: " + path + label(g.operations[cycle.front()]),
                 "the graph must be acyclic"};
}

} // namespace dovetail::workload

namespace dovetail::workload {

/// The operands of one operation, as its descriptor sees them.
class operand_view {
public:
    operand_view(const operator_graph& g, const operation& op) : attributes_(&op.attributes) {
        inputs_.reserve(op.inputs.size());
        outputs_.reserve(op.outputs.size());
        for (const index t : op.inputs) inputs_.push_back(t == none ? nullptr : &g.tensors[t]);
        for (const index t : op.outputs) outputs_.push_back(&g.tensors[t]);
    }

    [[nodiscard]] operands get() const { return {inputs_, outputs_, *attributes_, outputs_.size()}; }

private:
    std::vector<const tensor*> inputs_;
    std::vector<const tensor*> outputs_;
    const attribute_set* attributes_;
};

/// The longest list of integers that shape arithmetic carries on: longer ones are data.
inline constexpr std::size_t largest_known_list = 256;

/// The largest number of dimensions.
inline constexpr std::size_t largest_rank = 32;

/// Checks one shape: extents that are not negative and a size below 2^63.
[[nodiscard]] inline result<void> check_shape(const tensor& t) {
    if (t.dims.size() > largest_rank)
        return error{errc::unsupported, "tensor '" + t.name + "'",
                     "it has " + to_text(t.dims.size()) + " dimensions",
                     "a tensor has at most " + to_text(largest_rank)};
    for (const std::int64_t extent : t.dims)
        if (extent < 0)
            return error{errc::shape, "tensor '" + t.name + "'", "its shape is " + op::to_text(t.dims),
                         "extents are not negative"};
    // The other extents must fit even where one of them is 0.
    dimensions extents = t.dims;
    std::replace(extents.begin(), extents.end(), std::int64_t{0}, std::int64_t{1});
    if (!checked_product(extents))
        return error{errc::overflow, "tensor '" + t.name + "'",
                     "its shape " + op::to_text(t.dims) + " has 2^63 elements or more", "a tensor has fewer"};
    return {};
}

/// Infers the shape, type and, for shape arithmetic, the value of every result, in topological order. What
/// the activations held before is replaced. `g` must pass `validate`. \returns the error of a descriptor's
/// `infer`, with the operation's name as its place. \complexity O(operands + arcs log operations).
[[nodiscard]] inline result<void> infer_shapes(operator_graph& g) {
    auto order = graph::topological_order(dataflow(g));
    if (!order) return std::move(order).problem();
    for (const tensor& t : g.tensors)
        if (t.role != tensor_role::activation)
            if (auto sound = check_shape(t); !sound) return sound;
    for (const index v : *order) {
        const operation& op = g.operations[v];
        auto inferred = descriptor(op.type).infer(operand_view(g, op).get());
        if (!inferred) return std::move(inferred).problem().within(label(op));
        if (inferred->size() < op.outputs.size())
            return error{errc::shape, label(op),
                         "it has " + to_text(op.outputs.size()) + " results where there are " +
                             to_text(inferred->size()),
                         "declare no more results than the operator gives"};
        for (std::size_t r = 0; r < op.outputs.size(); ++r) {
            signature& s = (*inferred)[r];
            tensor& out = g.tensors[op.outputs[r]];
            out.dims = std::move(s.dims);
            out.type = s.type;
            out.integers.clear();
            if (s.integers.size() <= largest_known_list) out.integers = std::move(s.integers);
            if (auto sound = check_shape(out); !sound) return std::move(sound).problem().within(label(op));
        }
    }
    return {};
}

} // namespace dovetail::workload

namespace dovetail::workload {

/// Trainable elements; a tensor that several operations share counts once.
[[nodiscard]] inline std::int64_t count_parameters(const operator_graph& g) {
    std::int64_t parameters = 0;
    for (const tensor& t : g.tensors)
        if (t.role == tensor_role::parameter)
            parameters =
                checked_add(parameters, t.elements()).value_or(std::numeric_limits<std::int64_t>::max());
    return parameters;
}

/// Multiply-accumulates of all products, attention's included in full. Exact below 2^53.
[[nodiscard]] inline double count_macs(const operator_graph& g) {
    double macs = 0;
    for (const operation& op : g.operations)
        macs += descriptor(op.type).product(operand_view(g, op).get()).macs();
    return macs;
}

/// Uses of one operation's result by another.
[[nodiscard]] inline std::size_t count_edges(const operator_graph& g) { return dataflow(g).edge_count(); }

/// Operations by type name, in alphabetical order.
[[nodiscard]] inline std::map<std::string, std::size_t> count_operators(const operator_graph& g) {
    std::map<std::string, std::size_t> counts;
    for (const operation& op : g.operations) ++counts[std::string(descriptor(op.type).name)];
    return counts;
}

} // namespace dovetail::workload

/// \file
/// What operations, alone or fused, ask of a chip: cycles, products, distinct elements moved.

/// \file
/// What differentiation needs to know of a graph: where gradients flow, what they read, what they multiply.

namespace dovetail::workload {

/// The operations of a graph that passed `validate`, operands first.
[[nodiscard]] inline std::vector<index> execution_order(const operator_graph& g) {
    auto order = graph::topological_order(dataflow(g));
    DOVETAIL_ASSERT(order.has_value(), "the graph is acyclic");
    return *std::move(order);
}

/// For every tensor whether the loss can depend on a parameter through it: only such tensors have a gradient.
/// `order` is an execution order.
[[nodiscard]] inline std::vector<bool> needs_gradient(const operator_graph& g,
                                                      const std::vector<index>& order) {
    std::vector<bool> needs(g.tensors.size());
    for (index t = 0; t < g.tensors.size(); ++t) needs[t] = g.tensors[t].role == tensor_role::parameter;
    for (const index v : order) {
        const operation& op = g.operations[v];
        if (descriptor(op.type).gradient == gradient_rule::stops) continue;
        const bool any =
            std::any_of(op.inputs.begin(), op.inputs.end(), [&](index t) { return t != none && needs[t]; });
        for (const index t : op.outputs) needs[t] = any && is_floating(g.tensors[t].type);
    }
    return needs;
}

/// The tensors that the gradient of forward operation `op` reads besides the gradient of its results. An
/// operand of a product is a factor of the other operand's gradient only, so it is not read where nobody
/// wants that one: scaling by a constant keeps nothing. `needs` is `needs_gradient` of the graph.
[[nodiscard]] inline std::vector<index> saved_tensors(const operation& op, const std::vector<bool>& needs) {
    const auto wanted = [&](std::size_t i) {
        return i < op.inputs.size() && op.inputs[i] != none && needs[op.inputs[i]];
    };
    std::vector<bool> reads(op.inputs.size(), true);
    const descriptor_record& type = descriptor(op.type);
    if (type.saves == saved::nothing) return {};
    if (type.saves == saved::output) return {op.outputs.back()}; // the mask, where it is a result of its own
    if (type.gradient == gradient_rule::product || op.type == type_of<op::mul>) {
        for (std::size_t i = 0; i < reads.size(); ++i) reads[i] = i < 2 && wanted(1 - i);
    } else if (op.type == type_of<op::div>) {
        reads = {wanted(1), true};
    } else if (op.type == type_of<op::where>) {
        reads = {true, false, false};
    }
    std::vector<index> saved;
    for (std::size_t i = 0; i < op.inputs.size(); ++i)
        if (reads[i] && op.inputs[i] != none) saved.push_back(op.inputs[i]);
    return saved;
}

/// Whether a gradient operation adds up the contributions of several consumers, rather than differentiate a
/// Sum of the model: the gradient of a Sum takes one operand only.
[[nodiscard]] inline bool is_accumulation(const operation& op) {
    return op.phase != phase::forward && op.type == type_of<op::sum> && op.inputs.size() > 1;
}

/// The product that an operation of any phase computes; empty where it computes none. With Y = A B:
///     dA = dY B^T   (rows x columns) (columns x reduction)
///     dB = A^T dY   (reduction x rows) (rows x columns)
/// Each has the multiply-accumulates of the forward product. A first operand that several batches share sums
/// its gradient over them, which lengthens the reduction. A convolution is its implicit product throughout.
[[nodiscard]] inline contraction product_of(const operator_graph& g, const operation& op) {
    const descriptor_record& type = descriptor(op.type);
    if (type.core != core_type::tensor) return {};
    const bool forward = op.phase == phase::forward;
    const operation& source = forward ? op : g.operations[op.forward];
    const contraction y = type.product(operand_view(g, source).get());
    if (forward || y.empty()) return y;
    switch (op.operand) {
    case 0: {
        contraction a{.batch = y.batch, .rows = y.rows, .reduction = y.columns, .columns = y.reduction};
        const std::int64_t elements = g.tensors[source.inputs[0]].elements();
        if (op.type == type_of<op::mat_mul> && elements < y.batch * y.rows * y.reduction) {
            a.batch = elements / (y.rows * y.reduction);
            a.reduction = y.columns * (y.batch / a.batch);
        }
        return a;
    }
    case 1:
        return {.batch = y.batch, .rows = y.reduction, .reduction = y.rows, .columns = y.columns};
    default: // a bias: its gradient is a sum
        return {};
    }
}

} // namespace dovetail::workload

namespace dovetail::workload {

/// Whether an operation adds up over the devices of a tensor group, rather than being the identity: the
/// conjugate collectives change parts between the passes.
[[nodiscard]] inline bool reduces(const operation& op) {
    return op.type ==
           (op.phase == phase::forward ? type_of<op::all_reduce_forward> : type_of<op::all_reduce_backward>);
}

/// Whether the results of an operation are its operands seen in another way. The gradient of a view is one,
/// and so is a collective in the pass where it does nothing.
[[nodiscard]] inline bool is_view(const operation& op) {
    const core_type core = descriptor(op.type).core;
    return core == core_type::free || (core == core_type::link && !reduces(op));
}

/// Prices the operations of one graph, which must outlive it, in any phase. Building it is O(operands).
///
/// Views and expressions of weights alone cost nothing and are looked through: a product that reads the
/// transpose of a weight reads the weight. What a group makes and only the group uses moves no memory.
class demand {
public:
    explicit demand(const operator_graph& g)
        : g_(&g), on_data_(dependences(g).on_data), producer_(producers(g)), consumers_(g.tensors.size()),
          given_(g.tensors.size()) {
        for (index v = 0; v < g.operations.size(); ++v)
            for (const index t : g.operations[v].inputs)
                if (t != none) consumers_[t].push_back(v);
        for (const index t : g.outputs) given_[t] = true;
    }

    /// Whether operation `v` costs nothing: a view, or made of weights alone.
    [[nodiscard]] bool free(index v) const {
        const operation& op = g_->operations[v];
        return is_view(op) || (op.phase == phase::forward && made_of_weights(op));
    }

    /// The demand of one operation.
    [[nodiscard]] operator_work operator()(index v) const { return (*this)(std::span(&v, 1)); }

    /// The demand of operations that run as one; at most one of them is a product.
    /// \complexity O(operands x group size).
    [[nodiscard]] operator_work operator()(std::span<const index> group) const {
        operator_work work;
        footprint read;
        for (const index v : group) {
            if (free(v)) continue;
            const operation& op = g_->operations[v];
            if (const contraction product = product_of(*g_, op); !product.empty()) {
                DOVETAIL_ASSERT(work.product.empty(), "a group has at most one product");
                work.product = product;
                footprint factors;
                for (int i = 0; i < 2; ++i) collect(op.inputs[static_cast<std::size_t>(i)], {}, factors);
                work.product_operand_elements = total(factors);
                work.product_result_elements = elements(op.outputs[0]);
            }
            work.lane_cycles += lane_cycles(op);
            if (reduces(op)) work.reduced_elements += elements(op.outputs[0]);
            collect_operands(op, group, read);
            for (const index t : op.outputs)
                if (leaves(t, group)) work.written_elements += touched(op, t);
        }
        work.read_elements = total(read);
        return work;
    }

private:
    /// Distinct tensors in memory, and how many elements of each are touched.
    using footprint = std::vector<std::pair<index, double>>;

    [[nodiscard]] double elements(index t) const { return static_cast<double>(g_->tensors[t].elements()); }

    [[nodiscard]] bool made_of_weights(const operation& op) const {
        return !op.outputs.empty() && !on_data_[op.outputs.front()];
    }

    /// The operands that a view shows: the first of a forward one (the rest say how), all of a gradient.
    [[nodiscard]] std::span<const index> shown(const operation& op) const {
        const std::span<const index> inputs(op.inputs);
        return op.phase == phase::forward ? inputs.first(std::min<std::size_t>(1, inputs.size())) : inputs;
    }

    [[nodiscard]] static bool contains(std::span<const index> group, index v) {
        return std::find(group.begin(), group.end(), v) != group.end();
    }

    /// Whether `t`, seen through views, is made by the group.
    [[nodiscard]] bool inside(index t, std::span<const index> group) const {
        const index v = producer_[t];
        if (v == none) return false;
        const operation& op = g_->operations[v];
        if (!is_view(op)) return contains(group, v);
        const auto sources = shown(op);
        return std::any_of(sources.begin(), sources.end(), [&](index s) { return inside(s, group); });
    }

    /// Whether somebody outside the group reads `t`, a result of the group, or the model gives it.
    [[nodiscard]] bool leaves(index t, std::span<const index> group) const {
        if (given_[t]) return true;
        return std::any_of(consumers_[t].begin(), consumers_[t].end(), [&](index v) {
            const operation& op = g_->operations[v];
            if (!is_view(op)) return !contains(group, v);
            return std::any_of(op.outputs.begin(), op.outputs.end(),
                               [&](index s) { return leaves(s, group); });
        });
    }

    /// Adds to `read` what lies in memory behind `t`, unless the group makes it.
    void collect(index t, std::span<const index> group, footprint& read) const {
        const index v = producer_[t];
        if (v != none && is_view(g_->operations[v])) {
            const operation& op = g_->operations[v];
            const auto sources = shown(op);
            const bool part =
                op.phase == phase::forward && !sources.empty() && elements(t) < elements(sources[0]);
            if (!part) {
                for (const index s : sources) collect(s, group, read);
                return;
            }
        }
        if (inside(t, group)) return;
        const bool seen =
            std::any_of(read.begin(), read.end(), [&](const auto& entry) { return entry.first == t; });
        if (!seen) read.emplace_back(t, elements(t));
    }

    void collect_operands(const operation& op, std::span<const index> group, footprint& read) const {
        const bool lookup = op.type == type_of<op::gather> && op.phase == phase::forward;
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
            if (op.inputs[i] == none) continue;
            if (lookup && i == 0 && !inside(op.inputs[0], group))
                // The rows chosen, not the table; another operation of the group may read the table as well.
                read.emplace_back(none, std::min(elements(op.inputs[0]), elements(op.outputs[0])));
            else
                collect(op.inputs[i], group, read);
        }
    }

    /// The elements of result `t` that `op` writes: the gradient of a table is scattered into the rows used.
    [[nodiscard]] double touched(const operation& op, index t) const {
        const bool scatter = op.type == type_of<op::gather> && op.phase != phase::forward;
        return scatter ? std::min(elements(t), elements(op.inputs.front())) : elements(t);
    }

    [[nodiscard]] static double total(const footprint& f) {
        double sum = 0;
        for (const auto& entry : f) sum += entry.second;
        return sum;
    }

    [[nodiscard]] double lane_cycles(const operation& op) const {
        const descriptor_record& type = descriptor(op.type);
        if (op.phase == phase::forward || op.phase == phase::update || is_accumulation(op))
            return type.forward_cycles(operand_view(*g_, op).get());
        if (type.gradient == gradient_rule::product) // a sum over the rows for a bias, else the product alone
            return op.operand < 2 ? 0.0 : elements(op.inputs.front());
        return type.backward_cycles(operand_view(*g_, g_->operations[op.forward]).get());
    }

    const operator_graph* g_;
    std::vector<bool> on_data_;
    std::vector<index> producer_;
    std::vector<std::vector<index>> consumers_;
    std::vector<bool> given_;
};

} // namespace dovetail::workload

/// \file
/// Where a graph spells out a formula.

namespace dovetail::workload {

/// What a formula stands for at one place of a graph.
struct occurrence {
    static constexpr std::size_t slots = 3;
    std::array<index, slots> operands{none, none, none}; ///< tensors by slot
    std::optional<double> setting;
    std::vector<std::size_t> axes; ///< of its reductions; empty where it has none
    std::vector<index> operations; ///< that the composite replaces
};

/// Looks for formulas in a graph, by backtracking over a list of goals: this tensor is to match that pattern.
class formula_matcher {
public:
    explicit formula_matcher(const operator_graph& g)
        : graph_(g), producer_(producers(g)), on_data_(dependences(g).on_data), users_(g.tensors.size()),
          given_(g.tensors.size(), false) {
        for (index v = 0; v < g.operations.size(); ++v)
            for (const index t : g.operations[v].inputs)
                if (t != none) users_[t].push_back(v);
        for (const index t : g.outputs) given_[t] = true;
    }

    /// Where the result of operation `root` means `sought` and nobody else uses what it is made of.
    [[nodiscard]] std::optional<occurrence> operator()(index root, const composite& sought) {
        if (graph_.operations[root].outputs.size() != 1) return std::nullopt;
        found_ = {};
        result_ = graph_.operations[root].outputs.front();
        sought_ = &sought;
        const goal first{.of = sought.meaning, .tensor = result_};
        if (!holds(&first)) return std::nullopt;
        return std::move(found_);
    }

private:
    static constexpr unsigned all = ~0U;

    struct goal {
        const pattern* of = nullptr;
        index tensor = none;
        unsigned members = all; ///< of a chain: which operands are left
        const goal* next = nullptr;
    };

    /// Whether all goals can be met together with what has been found so far.
    [[nodiscard]] bool holds(const goal* now) {
        if (now == nullptr) return fits() && closed();
        if (now->tensor == none) return false;
        return holds_here(*now) || holds_behind_cast(*now);
    }

    [[nodiscard]] bool holds_here(const goal& now) {
        const pattern& p = *now.of;
        switch (p.what) {
        case pattern::kind::weight:
            if (on_data_[now.tensor]) return false;
            [[fallthrough]];
        case pattern::kind::operand:
            return bind(found_.operands[p.slot], now.tensor, none, now.next);
        case pattern::kind::setting: {
            const std::optional<double> value = constant(now.tensor);
            return value && bind(found_.setting, value, std::optional<double>(), now.next);
        }
        case pattern::kind::number: {
            const std::optional<double> value = constant(now.tensor);
            constexpr double tolerance = 0x1p-9;
            return value && std::abs(*value - p.value) <= tolerance * std::abs(p.value) && holds(now.next);
        }
        case pattern::kind::choice:
            return std::any_of(p.operands.begin(), p.operands.end(), [&](const pattern* alternative) {
                const goal one{.of = alternative, .tensor = now.tensor, .next = now.next};
                return holds(&one);
            });
        case pattern::kind::operation:
            return holds_for_operands(now);
        case pattern::kind::chain:
            return holds_for_members(now);
        }
        return false;
    }

    /// Gives `place` a value, if it has none, for as long as the rest of the goals hold.
    template <class T>
    [[nodiscard]] bool bind(T& place, const T& value, const T& empty, const goal* rest) {
        if (place != empty) return place == value && holds(rest);
        place = value;
        if (holds(rest)) return true;
        place = empty;
        return false;
    }

    /// The operation that gives `t`, if it is of this type.
    [[nodiscard]] index giver(index t, operator_type type) const {
        const index v = producer_[t];
        const bool is = v != none && graph_.operations[v].type == type &&
                        graph_.operations[v].phase == phase::forward &&
                        graph_.operations[v].outputs.size() == 1;
        return is ? v : none;
    }

    /// Counts `v` in for as long as `rest` holds.
    template <class Rest>
    [[nodiscard]] bool with(index v, Rest rest) {
        if (contains(v)) return rest();
        found_.operations.push_back(v);
        if (rest()) return true;
        found_.operations.pop_back();
        return false;
    }
    [[nodiscard]] bool contains(index v) const {
        return std::find(found_.operations.begin(), found_.operations.end(), v) != found_.operations.end();
    }

    [[nodiscard]] bool holds_for_operands(const goal& now) {
        const index v = giver(now.tensor, now.of->type);
        if (v == none || graph_.operations[v].inputs.size() < now.of->operands.size()) return false;
        const operation& op = graph_.operations[v];
        std::vector<goal> goals(now.of->operands.size());
        for (std::size_t k = 0; k < goals.size(); ++k)
            goals[k] = {.of = now.of->operands[k],
                        .tensor = op.inputs[k],
                        .next = k + 1 < goals.size() ? &goals[k + 1] : now.next};
        return with(v, [&] {
            if (descriptor(op.type).fusion != fusion_class::reduction) return holds(goals.data());
            const std::vector<std::size_t> along = axes(op);
            return !along.empty() && bind(found_.axes, along, {}, goals.data());
        });
    }

    /// Every way to share the members of a chain between the two operands of the operation.
    [[nodiscard]] bool holds_for_members(const goal& now) {
        const unsigned members = now.members & ((1U << now.of->operands.size()) - 1U);
        if (std::has_single_bit(members)) {
            const auto only = static_cast<std::size_t>(std::countr_zero(members));
            const goal one{.of = now.of->operands[only], .tensor = now.tensor, .next = now.next};
            return holds(&one);
        }
        const index v = giver(now.tensor, now.of->type);
        if (v == none || graph_.operations[v].inputs.size() != 2) return false;
        const std::vector<index>& inputs = graph_.operations[v].inputs;
        return with(v, [&] {
            for (unsigned left = (members - 1) & members; left != 0; left = (left - 1) & members) {
                const goal second{
                    .of = now.of, .tensor = inputs[1], .members = members & ~left, .next = now.next};
                const goal first{.of = now.of, .tensor = inputs[0], .members = left, .next = &second};
                if (holds(&first)) return true;
            }
            return false;
        });
    }

    /// A change between floating types does not change what a formula means.
    [[nodiscard]] bool holds_behind_cast(const goal& now) {
        const index v = giver(now.tensor, type_of<op::cast>);
        if (v == none || now.of->what == pattern::kind::choice) return false;
        const index from = graph_.operations[v].inputs.front();
        if (from == none || !is_floating(graph_.tensors[from].type) ||
            !is_floating(graph_.tensors[now.tensor].type))
            return false;
        goal behind = now;
        behind.tensor = from;
        if (!on_data_[now.tensor]) return holds(&behind); // others may share a constant
        return with(v, [&] { return holds(&behind); });
    }

    /// The value of a constant of one element.
    [[nodiscard]] std::optional<double> constant(index t) const {
        const tensor& value = graph_.tensors[t];
        if (value.role != tensor_role::constant || value.elements() != 1) return std::nullopt;
        if (!value.reals.empty()) return value.reals.front();
        if (!value.integers.empty()) return static_cast<double>(value.integers.front());
        return std::nullopt;
    }

    /// The axes of a reduction that keeps them, counted from the front and ascending; empty otherwise.
    [[nodiscard]] std::vector<std::size_t> axes(const operation& op) const {
        if (op.attributes.integer("keepdims", 1) == 0 || op.inputs.empty() || op.inputs[0] == none) return {};
        std::span<const std::int64_t> listed = op.attributes.integers("axes");
        if (op.inputs.size() > 1 && op.inputs[1] != none) listed = graph_.tensors[op.inputs[1]].integers;
        const auto rank = static_cast<std::int64_t>(graph_.tensors[op.inputs[0]].dims.size());
        std::vector<std::size_t> along;
        for (const std::int64_t axis : listed)
            along.push_back(static_cast<std::size_t>(axis < 0 ? axis + rank : axis));
        std::sort(along.begin(), along.end());
        return along;
    }

    /// Whether shapes and axes are those of the operator, too.
    [[nodiscard]] bool fits() const {
        const dimensions& dims = graph_.tensors[found_.operands.front()].dims;
        if (graph_.tensors[result_].dims != dims) return false;
        const std::vector<std::size_t>& along = found_.axes;
        if (sought_->axes == reduced_axes::one) return along.size() == 1;
        if (sought_->axes == reduced_axes::nothing) return true;
        if (along.front() + along.size() != dims.size()) return false;
        for (std::size_t k = 1; k < along.size(); ++k)
            if (along[k] != along[k - 1] + 1) return false;
        const std::span<const std::int64_t> row = std::span(dims).subspan(along.front());
        return std::all_of(found_.operands.begin() + 1, found_.operands.end(), [&](index t) {
            if (t == none) return true;
            std::span<const std::int64_t> shape = graph_.tensors[t].dims;
            while (shape.size() > row.size() && shape.front() == 1) shape = shape.subspan(1);
            return std::equal(shape.begin(), shape.end(), row.begin(), row.end());
        });
    }

    /// Whether all results but the last serve the formula alone.
    [[nodiscard]] bool closed() const {
        return std::all_of(found_.operations.begin(), found_.operations.end(), [&](index v) {
            const index t = graph_.operations[v].outputs.front();
            return t == result_ || (!given_[t] && std::all_of(users_[t].begin(), users_[t].end(),
                                                              [&](index user) { return contains(user); }));
        });
    }

    const operator_graph& graph_;
    std::vector<index> producer_;
    std::vector<bool> on_data_;
    std::vector<std::vector<index>> users_;
    std::vector<bool> given_;
    occurrence found_;
    index result_ = none;
    const composite* sought_ = nullptr;
};

} // namespace dovetail::workload

/// \file
/// Fusion: which operations run as one, so that what passes between them stays on the chip.

namespace dovetail::workload {

/// Operations that run as one.
struct fused_group {
    index head = none; ///< its product; else its normalization; else the operation that it starts with
    std::vector<index> operations; ///< in topological order
};

/// A partition of the operations that run. Weight-only operations, which do not run, are in no group.
struct fusion {
    std::vector<fused_group> groups; ///< in topological order
    std::vector<index> group_of;     ///< of every operation; `none` for a weight-only one
};

namespace detail {

/// How an operation fuses. A gradient keeps the type of the operator that it belongs to, but spreads what
/// that one reduces, and adds up over the batch what belongs to a parameter or was broadcast.
[[nodiscard]] inline fusion_class fusion_of(const operator_graph& g, const operation& op) {
    if (is_view(op)) return fusion_class::view;
    if (is_accumulation(op)) return fusion_class::elementwise;
    const fusion_class type = descriptor(op.type).fusion;
    if (op.phase == phase::forward || type == fusion_class::contraction) return type;
    if (op.phase != phase::input_gradient || type == fusion_class::reduction) return fusion_class::opaque;
    const bool adds_up =
        type == fusion_class::elementwise && std::any_of(op.outputs.begin(), op.outputs.end(), [&](index t) {
            return g.tensors[t].elements() < g.tensors[op.inputs.front()].elements();
        });
    return adds_up ? fusion_class::opaque : type;
}

/// Grows groups along the single uses of results. A group gives its result by one operation, its tail, and an
/// operation joins only as the sole user of that result: every path out of the group passes through it, so no
/// path can leave the group and come back.
class fuser {
public:
    fuser(const operator_graph& g, std::span<const index> labels)
        : graph_(g), labels_(labels), producer_(producers(g)), given_(weight_only(g)),
          order_(canonical_order(g, parts())) {
        carry_views();
        list_users();
        const std::size_t n = g.operations.size();
        part_.resize(n);
        joined_.resize(n, none);
        depth_.resize(n, 0);
        position_.resize(n);
        for (index k = 0; k < n; ++k) position_[order_[k]] = k;
        for (const index v : order_)
            if (carrier_[v] == v && !given_[v]) place(v);
        take_up_views();
    }

    /// The groups, numbered in the order of the quotient, of several the first of the canonical order first.
    [[nodiscard]] fusion groups() const {
        const std::size_t n = graph_.operations.size();
        std::vector<index> rank(n, none); // by tail
        std::vector<index> tails;
        for (const index v : order_)
            if (!given_[v] && rank[tail(v)] == none) {
                rank[tail(v)] = static_cast<index>(tails.size());
                tails.push_back(tail(v));
            }
        std::vector<graph::arc> arcs;
        for (index v = 0; v < n; ++v)
            for (const index t : graph_.operations[v].inputs)
                if (!given_[v] && source(t) != none && tail(source(t)) != tail(v))
                    arcs.push_back({rank[tail(source(t))], rank[tail(v)]});
        const auto sorted = graph::topological_order(graph::digraph(tails.size(), arcs)).value();

        fusion result{.groups = std::vector<fused_group>(tails.size()),
                      .group_of = std::vector<index>(n, none)};
        std::vector<index> number(tails.size());
        for (index k = 0; k < sorted.size(); ++k) {
            number[sorted[k]] = k;
            result.groups[k].head = part_[tails[sorted[k]]].head;
        }
        for (const index v : order_)
            if (!given_[v]) {
                result.group_of[v] = number[rank[tail(v)]];
                result.groups[result.group_of[v]].operations.push_back(v);
            }
        return result;
    }

private:
    /// What a group is so far, kept at its tail.
    struct part {
        index head = none;
        bool product = false;
        bool normalized = false;
        bool open = false;      ///< whether more may follow
        std::uint64_t hash = 0; ///< of its structure alone, to choose between groups
    };

    static constexpr index many = none - 1; ///< used by several, or by the outside

    [[nodiscard]] bool together(index u, index v) const {
        return graph_.operations[u].phase == graph_.operations[v].phase &&
               (labels_.empty() || labels_[u] == labels_[v]);
    }
    /// What is ordered by its own structure: one phase of one label.
    [[nodiscard]] std::vector<index> parts() const {
        std::vector<index> numbers;
        numbers.reserve(graph_.operations.size());
        for (index v = 0; v < graph_.operations.size(); ++v) {
            const index label = labels_.empty() ? 0 : labels_[v];
            numbers.push_back(label == none ? none
                                            : 4 * label + static_cast<index>(graph_.operations[v].phase));
        }
        return numbers;
    }

    /// The operation that gives `t` while the model runs.
    [[nodiscard]] index source(index t) const {
        if (t == none || producer_[t] == none || given_[producer_[t]]) return none;
        return producer_[t];
    }

    /// The tail of the group that `v` is in.
    [[nodiscard]] index tail(index v) const { return tail_[carrier_[v]]; }

    /// A view of one operation's result is part of that result: its users use the carrier itself.
    void carry_views() {
        carrier_.resize(graph_.operations.size());
        for (const index v : order_) {
            carrier_[v] = v;
            const operation& op = graph_.operations[v];
            if (given_[v] || fusion_of(graph_, op) != fusion_class::view || op.inputs.empty()) continue;
            const index viewed = source(op.inputs[0]);
            const bool plain = std::all_of(op.inputs.begin() + 1, op.inputs.end(),
                                           [&](index t) { return source(t) == none; });
            if (viewed != none && plain && together(viewed, v)) carrier_[v] = carrier_[viewed];
        }
    }

    /// The one operation that uses each carrier's results. Later phases do not count: they read what was
    /// kept, and nothing leads back from them.
    void list_users() {
        user_.assign(graph_.operations.size(), none);
        for (index v = 0; v < graph_.operations.size(); ++v) {
            if (given_[v]) continue;
            for (const index t : graph_.operations[v].inputs) {
                const index u = source(t);
                if (u == none || carrier_[u] == carrier_[v]) continue;
                if (graph_.operations[v].phase > graph_.operations[u].phase) continue;
                index& user = user_[carrier_[u]];
                user = user == none || user == v ? v : many;
            }
        }
        for (const index t : graph_.outputs)
            if (source(t) != none) user_[carrier_[source(t)]] = many;
    }

    /// The groups that `v` may continue, the best one first: a product before a normalization before others,
    /// and of several the last to be ready.
    [[nodiscard]] std::vector<index> continued_by(index v, fusion_class how) const {
        std::vector<index> tails;
        for (const index t : graph_.operations[v].inputs) {
            const index u = source(t);
            if (u == none) continue;
            const index last = carrier_[u];
            if (user_[last] != v || !together(last, v) || !part_[last].open) continue;
            if (how != fusion_class::elementwise && part_[last].normalized) continue;
            if (how == fusion_class::reduction && part_[last].product) continue;
            if (std::find(tails.begin(), tails.end(), last) == tails.end()) tails.push_back(last);
        }
        const auto rank = [&](index u) {
            return std::tuple(part_[u].product, part_[u].normalized, depth_[u], part_[u].hash, position_[u]);
        };
        std::sort(tails.begin(), tails.end(), [&](index a, index b) { return rank(a) > rank(b); });
        return tails;
    }

    void place(index v) {
        const operation& op = graph_.operations[v];
        const fusion_class how = fusion_of(graph_, op);
        for (const index t : op.inputs)
            if (source(t) != none) depth_[v] = std::max(depth_[v], depth_[carrier_[source(t)]] + 1);

        part& mine = part_[v];
        mine = {.head = v,
                .product = how == fusion_class::contraction,
                .normalized = how == fusion_class::normalization,
                .open = how == fusion_class::contraction || how == fusion_class::elementwise ||
                        how == fusion_class::normalization,
                .hash = shape_hash(op)};
        if (how != fusion_class::elementwise && how != fusion_class::normalization &&
            how != fusion_class::reduction)
            return;
        bool first = true;
        for (const index last : continued_by(v, how)) {
            const part& before = part_[last];
            // Beside the best group only plain elementwise ones join: a second product or reduction over an
            // axis cannot run within the first.
            if (!first && (before.product || before.normalized)) continue;
            joined_[last] = v;
            if (first && (before.product || !mine.normalized)) mine.head = before.head;
            mine.product = mine.product || before.product;
            mine.normalized = mine.normalized || before.normalized;
            mine.hash = hash_append(mine.hash, before.hash);
            first = false;
        }
    }

    [[nodiscard]] std::uint64_t shape_hash(const operation& op) const {
        std::uint64_t hash = hash_operation(op);
        for (const index t : op.inputs) hash += t == none ? 0 : mix(hash_tensor(graph_.tensors[t]));
        for (const index t : op.outputs) hash = hash_append(hash, hash_tensor(graph_.tensors[t]));
        return hash;
    }

    /// A view of what nothing carries joins the group that uses it, where there is one.
    void take_up_views() {
        tail_.assign(graph_.operations.size(), none);
        for (auto last = order_.rbegin(); last != order_.rend(); ++last) {
            const index v = *last;
            if (given_[v] || carrier_[v] != v) continue;
            tail_[v] = joined_[v] == none ? v : tail_[joined_[v]];
            if (fusion_of(graph_, graph_.operations[v]) != fusion_class::view) continue;
            const index user = user_[v];
            if (user != none && user != many && together(user, v)) tail_[v] = tail_[carrier_[user]];
        }
    }

    const operator_graph& graph_;
    std::span<const index> labels_;
    std::vector<index> producer_;
    std::vector<bool> given_; // weight-only
    std::vector<index> order_;
    std::vector<index> carrier_; // the operation whose result a view shows; itself for all others
    std::vector<index> user_;    // of a carrier's results: one operation, `none` or `many`
    std::vector<part> part_;     // by tail
    std::vector<index> joined_;  // the operation that made a tail's group its own
    std::vector<index> depth_;
    std::vector<index> position_; // in the canonical order
    std::vector<index> tail_;     // by carrier
};

} // namespace detail

/// Partitions the operations that run into groups that can run as one:
/// * a product takes up the elementwise operators, views and one normalization that follow it, as long as
/// each
///   is the only user of the result before it; the other operand of a sum is one more tensor to read (of two
///   products that meet in a sum, the one that is ready last takes it up);
/// * elementwise operators fuse among themselves, with at most one normalization, or with a reduction at the
/// end;
/// * views dissolve in the group whose result they show, or else in the one that uses them;
/// * nothing fuses across phases, or across labels.
///
/// Running the groups one after the other in their order respects every dependence. Operations of a phase
/// depend on none of a later phase. The classes are those of Chen et al., TVM, OSDI 2018, section 3.
/// \param labels nothing, or a label an operation (its layer, say)
/// \returns the same groups for the same structure, whatever the names and the numbering.
/// \complexity O((operations + operands) log operands).
[[nodiscard]] inline fusion fuse(const operator_graph& g, std::span<const index> labels = {}) {
    DOVETAIL_ASSERT(labels.empty() || labels.size() == g.operations.size(),
                    "one label an operation, or none");
    return detail::fuser(g, labels).groups();
}

/// The groups that must wait for one another, one arc a pair. \complexity O(operands log operands).
[[nodiscard]] inline graph::digraph precedence(const operator_graph& g, const fusion& fused) {
    const std::vector<index> producer = producers(g);
    std::vector<std::pair<index, index>> pairs;
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].inputs) {
            if (t == none || producer[t] == none) continue;
            const std::pair pair(fused.group_of[producer[t]], fused.group_of[v]);
            if (pair.first != none && pair.second != none && pair.first != pair.second) pairs.push_back(pair);
        }
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    std::vector<graph::arc> arcs;
    arcs.reserve(pairs.size());
    for (const auto& [from, to] : pairs) arcs.push_back({from, to});
    return graph::digraph(fused.groups.size(), arcs);
}

} // namespace dovetail::workload

/// \file
/// What runs in a layer: its fused groups in one pass, and the order among them.

namespace dovetail::workload {

/// The groups of one layer in one pass that cost anything, and who waits for whom among them.
struct layer_pass {
    std::vector<index> groups; ///< as numbers of the fusion, ascending: a topological order
    graph::digraph precedence; ///< over positions in `groups`
};

/// The passes of all layers in the phases `first` to `last`: (forward, forward) is the forward pass,
/// (input_gradient, weight_gradient) the backward pass.
/// \param fused the fusion of `g` by `labels`
/// \param labels the layer of every operation
/// \complexity O((layers + operands) log operands).
[[nodiscard]] inline std::vector<layer_pass> passes(const operator_graph& g, const fusion& fused,
                                                    std::span<const index> labels, phase first, phase last) {
    DOVETAIL_ASSERT(labels.size() == g.operations.size(), "one label an operation");
    const demand price(g);
    const graph::digraph quotient = precedence(g, fused);
    std::vector<layer_pass> layers;
    std::vector<std::vector<graph::arc>> arcs;
    std::vector<index> place(fused.groups.size(), none);
    // The nearest groups before each group that cost anything: groups of views are passed through.
    std::vector<std::vector<index>> before(fused.groups.size());
    for (index k = 0; k < fused.groups.size(); ++k) {
        const std::vector<index>& members = fused.groups[k].operations;
        const index label = labels[members.front()];
        const phase now = g.operations[members.front()].phase;
        if (now < first || now > last || label == none) continue;
        std::vector<index>& nearest = before[k];
        for (const index u : quotient.predecessors(k)) {
            if (labels[fused.groups[u].operations.front()] != label) continue;
            if (place[u] != none)
                nearest.push_back(u);
            else
                nearest.insert(nearest.end(), before[u].begin(), before[u].end());
        }
        if (std::all_of(members.begin(), members.end(), [&](index v) { return price.free(v); })) continue;
        std::sort(nearest.begin(), nearest.end());
        nearest.erase(std::unique(nearest.begin(), nearest.end()), nearest.end());
        if (layers.size() <= label) {
            layers.resize(label + std::size_t{1});
            arcs.resize(label + std::size_t{1});
        }
        place[k] = static_cast<index>(layers[label].groups.size());
        layers[label].groups.push_back(k);
        for (const index u : nearest) arcs[label].push_back({place[u], place[k]});
    }
    for (std::size_t l = 0; l < layers.size(); ++l)
        layers[l].precedence = graph::digraph(layers[l].groups.size(), arcs[l]);
    return layers;
}

} // namespace dovetail::workload

/// \file
/// Layers: a model as a chain of parts, with equal parts known as equal.

/// \file
/// Repeated stretches of a sequence.

namespace dovetail::workload {

/// `count` times the same `period` items, from item `first` on.
struct repetition {
    std::size_t first = 0;
    std::size_t period = 1;
    std::size_t count = 1;

    [[nodiscard]] constexpr std::size_t last() const noexcept { return first + period * count; }
    friend constexpr bool operator==(const repetition&, const repetition&) = default;
};

/// The repetition that covers most items; of several the one with the smallest period, of those the one that
/// cuts fewest bonds, of those the first. A single item, the first, where nothing repeats.
/// \param items not empty
/// \param bonds one an item: whether cutting the sequence before it parts what belongs together
/// \complexity O(items^2).
[[nodiscard]] constexpr repetition longest_repetition(std::span<const std::uint64_t> items,
                                                      std::span<const std::uint8_t> bonds) {
    DOVETAIL_ASSERT(!items.empty() && bonds.size() == items.size(),
                    "one bond an item, and at least one item");
    repetition best;
    std::size_t cut = 0;
    for (std::size_t period = 1; 2 * period <= items.size(); ++period) {
        std::size_t equal = 0; // items in a row that equal the one a period later
        for (std::size_t i = 0; i + period <= items.size(); ++i) {
            if (i + period < items.size() && items[i] == items[i + period]) {
                ++equal;
                continue;
            }
            // The stretch ends here; what it has beyond whole periods lets the repetition start later.
            repetition r{.first = i - equal, .period = period, .count = equal / period + 1};
            for (; r.count > 1 && r.last() <= i + period; ++r.first) {
                std::size_t parted = 0;
                for (std::size_t k = r.first; k <= r.last(); k += period)
                    if (k < items.size() && bonds[k] != 0) ++parted;
                const std::size_t covered = r.count * period;
                const std::size_t before = best.count > 1 ? best.count * best.period : 0;
                if (covered > before || (covered == before && period == best.period && parted < cut)) {
                    best = r;
                    cut = parted;
                }
            }
            equal = 0;
        }
    }
    return best;
}

/// Cuts a sequence into repetitions: the longest one first, then what is left and right of it in the same
/// way. Items that do not repeat come one by one. \returns a cover of the sequence, from left to right.
/// \param bonds as for `longest_repetition`
/// \complexity O(items^2) for each repetition.
[[nodiscard]] constexpr std::vector<repetition> repetitions(std::span<const std::uint64_t> items,
                                                            std::span<const std::uint8_t> bonds) {
    std::vector<repetition> cover;
    if (items.empty()) return cover;
    const repetition longest = longest_repetition(items, bonds);
    if (longest.count == 1) {
        for (std::size_t i = 0; i < items.size(); ++i) cover.push_back({.first = i});
        return cover;
    }
    cover = repetitions(items.first(longest.first), bonds.first(longest.first));
    cover.push_back(longest);
    for (repetition right : repetitions(items.subspan(longest.last()), bonds.subspan(longest.last()))) {
        right.first += longest.last();
        cover.push_back(right);
    }
    return cover;
}

} // namespace dovetail::workload

namespace dovetail::workload {

/// One layer of a chain. Equal layers have equal ids; their gradients are the same, but that the result of an
/// inner one has more users, whose gradients are added up.
struct layer {
    index id = 0;                  ///< of its structure, counted by first appearance
    std::vector<index> operations; ///< ascending
};

/// The layers of a forward graph.
struct layer_structure {
    std::vector<layer> layers;   ///< from input to output
    std::vector<index> layer_of; ///< of every operation
    /// What crosses from the layers up to i to the later ones, one list less than there are layers:
    /// activations that an operation gives while the model runs. A view counts as the tensor that it shows.
    std::vector<std::vector<index>> boundaries;
};

/// Equal layers in a row.
struct layer_run {
    index id = 0;        ///< of their structure
    index repeats = 0;   ///< how many there are
    index operators = 0; ///< of one of them, views included
};

/// The runs of equal layers, from input to output.
[[nodiscard]] inline std::vector<layer_run> layer_summary(const layer_structure& structure) {
    std::vector<layer_run> runs;
    for (const layer& l : structure.layers) {
        if (runs.empty() || runs.back().id != l.id)
            runs.push_back({.id = l.id, .operators = static_cast<index>(l.operations.size())});
        ++runs.back().repeats;
    }
    return runs;
}

namespace detail {

class layer_detector {
public:
    layer_detector(const operator_graph& g, const fusion& fused)
        : graph_(g), fused_(fused), flow_(dataflow(g)), order_(canonical_order(g)),
          layer_of_(g.operations.size(), none) {
        find_spine();
        cut();
        gather();
        assign_the_rest();
    }

    [[nodiscard]] layer_structure take() && {
        layer_structure result;
        result.layers.resize(layers_);
        for (index v = 0; v < layer_of_.size(); ++v) result.layers[layer_of_[v]].operations.push_back(v);
        const std::vector<std::uint64_t> hashes = part_hashes(graph_, layer_of_, layers_);
        std::map<std::uint64_t, index> ids;
        for (std::size_t k = 0; k < layers_; ++k)
            result.layers[k].id = ids.emplace(hashes[k], static_cast<index>(ids.size())).first->second;
        result.boundaries = boundaries();
        result.layer_of = std::move(layer_of_);
        return result;
    }

private:
    /// The operations that gradients flow through on their way from the main result: the deepest one.
    void find_spine() {
        const dependence of = dependences(graph_);
        const std::size_t n = graph_.operations.size();
        trunk_.resize(n);
        for (std::size_t v = 0; v < n; ++v) {
            const std::vector<index>& given = graph_.operations[v].outputs;
            trunk_[v] = std::any_of(given.begin(), given.end(), [&](index t) { return of.on_trunk(t); });
        }
        place_.assign(n, none);
        for (auto last = order_.rbegin(); last != order_.rend(); ++last) {
            const auto next = flow_.successors(*last);
            if (trunk_[*last] && (spine_.empty() || std::any_of(next.begin(), next.end(), [&](index w) {
                                      return place_[w] != none;
                                  }))) {
                place_[*last] = 0;
                spine_.push_back(*last);
            }
        }
        std::reverse(spine_.begin(), spine_.end());
        for (std::size_t i = 0; i < spine_.size(); ++i) place_[spine_[i]] = static_cast<index>(i);
    }

    /// Cuts the spine behind every operation that all of its paths pass through: all sources have been
    /// passed, and no arc leads from before the operation to behind it.
    void cut() {
        const auto starts = [&](index v) {
            const auto before = flow_.predecessors(v);
            return std::none_of(before.begin(), before.end(), [&](index u) { return place_[u] != none; });
        };
        std::ptrdiff_t sources_left = std::count_if(spine_.begin(), spine_.end(), starts);
        std::size_t reach = 0; // the last place that an arc from before leads to
        segment_.resize(spine_.size());
        for (std::size_t i = 0; i < spine_.size(); ++i) {
            segment_[i] = segments_;
            if (starts(spine_[i])) --sources_left;
            if (reach <= i && sources_left == 0) ++segments_;
            for (const index w : flow_.successors(spine_[i]))
                if (place_[w] != none) reach = std::max<std::size_t>(reach, place_[w]);
        }
    }

    /// For every segment whether cutting before it would part a fused group.
    [[nodiscard]] std::vector<std::uint8_t> bonds() const {
        std::vector<std::uint8_t> bond(segments_, 0);
        std::vector<index> first(fused_.groups.size(), none);
        for (std::size_t i = 0; i < spine_.size(); ++i) {
            index& from = first[fused_.group_of[spine_[i]]];
            if (from == none) from = segment_[i];
            std::fill(bond.begin() + from + 1, bond.begin() + std::max(from, segment_[i]) + 1,
                      std::uint8_t{1});
            from = std::max(from, segment_[i]);
        }
        return bond;
    }

    /// Whether an operation is reason enough for a layer of its own: a product, or a look-up in a table.
    [[nodiscard]] bool weighty(index v) const {
        const operation& op = graph_.operations[v];
        const descriptor_record& type = descriptor(op.type);
        const auto trained = [&](index t) {
            return t != none && graph_.tensors[t].role == tensor_role::parameter;
        };
        return type.core == core_type::tensor || (type.fusion == fusion_class::opaque &&
                                                  std::any_of(op.inputs.begin(), op.inputs.end(), trained));
    }

    /// Segments in a row.
    struct piece {
        std::size_t first, last;
        bool repeated, heavy;
    };

    /// The pieces that repeat, and between them those that no cut through a fused group makes.
    [[nodiscard]] std::vector<piece> pieces() const {
        std::vector<index> labels(graph_.operations.size(), none);
        std::vector<bool> heavy(segments_, false);
        for (std::size_t i = 0; i < spine_.size(); ++i) {
            labels[spine_[i]] = segment_[i];
            if (weighty(spine_[i])) heavy[segment_[i]] = true;
        }
        const std::vector<std::uint8_t> bond = bonds();
        std::vector<piece> found;
        for (const repetition& r : repetitions(part_hashes(graph_, labels, segments_), bond)) {
            bool any = false;
            for (std::size_t k = r.first; k < r.last(); ++k) any = any || heavy[k];
            const bool repeated = any && r.count > 1;
            const std::size_t step = repeated ? r.period : 1;
            for (std::size_t k = r.first; k < r.last(); k += step)
                if (!repeated && bond[k] != 0 && !found.empty() && !found.back().repeated)
                    found.back() = {found.back().first, k + 1, false, found.back().heavy || heavy[k]};
                else
                    found.push_back({k, k + step, repeated, repeated || heavy[k]});
        }
        return found;
    }

    /// Makes layers of the pieces. One that is too light for a layer goes with the next one, or else with the
    /// one before it, but never spoils a repetition.
    void gather() {
        const std::vector<piece> all = pieces();
        std::vector<piece> kept;
        for (std::size_t k = 0; k < all.size(); ++k) {
            piece p = all[k];
            while (!p.heavy && k + 1 < all.size() && !all[k + 1].repeated)
                p = {p.first, all[k + 1].last, false, all[++k].heavy};
            if (!p.heavy && !kept.empty() && !kept.back().repeated)
                kept.back().last = p.last;
            else
                kept.push_back(p);
        }
        std::vector<index> layer_of_segment(segments_);
        for (const piece& p : kept) {
            for (std::size_t k = p.first; k < p.last; ++k) layer_of_segment[k] = static_cast<index>(layers_);
            ++layers_;
        }
        for (std::size_t i = 0; i < spine_.size(); ++i) layer_of_[spine_[i]] = layer_of_segment[segment_[i]];
    }

    /// The layer that all users of something share; the first of the chain where they do not.
    class shared_layer {
    public:
        void used_in(index layer) { layer_ = layer_ == none || layer_ == layer ? layer : 0; }
        [[nodiscard]] index get() const { return layer_ == none ? 0 : layer_; }

    private:
        index layer_ = none;
    };

    void assign_the_rest() {
        if (layers_ == 0 && !graph_.operations.empty()) layers_ = 1;
        // What the main result does not need goes with the last thing that it needs itself.
        for (const index v : order_) {
            if (!trunk_[v] || layer_of_[v] != none) continue;
            layer_of_[v] = 0;
            for (const index u : flow_.predecessors(v))
                if (trunk_[u]) layer_of_[v] = std::max(layer_of_[v], layer_of_[u]);
        }
        // Side paths and weight expressions go with their users.
        for (auto v = order_.rbegin(); v != order_.rend(); ++v) {
            if (layer_of_[*v] != none) continue;
            shared_layer users;
            for (const index w : flow_.successors(*v)) users.used_in(layer_of_[w]);
            layer_of_[*v] = users.get();
        }
    }

    [[nodiscard]] std::vector<std::vector<index>> boundaries() const {
        const std::vector<index> producer = producers(graph_);
        const auto shown = [&](index t) {
            while (producer[t] != none) {
                const operation& op = graph_.operations[producer[t]];
                if (!is_view(op) || op.inputs.empty() || op.inputs[0] == none ||
                    graph_.tensors[op.inputs[0]].elements() > graph_.tensors[t].elements())
                    break;
                t = op.inputs[0];
            }
            return t;
        };
        std::vector<index> last_use(graph_.tensors.size(), 0);
        for (index v = 0; v < graph_.operations.size(); ++v)
            for (const index t : graph_.operations[v].inputs)
                if (t != none) last_use[shown(t)] = std::max(last_use[shown(t)], layer_of_[v]);
        std::vector<std::vector<index>> crossing(layers_ == 0 ? 0 : layers_ - 1);
        for (index t = 0; t < graph_.tensors.size(); ++t)
            if (producer[t] != none && fused_.group_of[producer[t]] != none)
                for (index k = layer_of_[producer[t]]; k < last_use[t]; ++k) crossing[k].push_back(t);
        return crossing;
    }

    const operator_graph& graph_;
    const fusion& fused_;
    graph::digraph flow_;
    std::vector<index> order_;
    std::vector<bool> trunk_;
    std::vector<index> spine_;   // in topological order
    std::vector<index> place_;   // on the spine
    std::vector<index> segment_; // by place
    index segments_ = 0;
    std::size_t layers_ = 0;
    std::vector<index> layer_of_;
};

} // namespace detail

/// Finds the layers of a forward graph.
///
/// A tensor is on the trunk if it depends on data and on a parameter, so that a gradient flows through it;
/// masks, positions and weight expressions are not. The chain is cut behind each operation that every path of
/// the trunk passes through. Segments of equal structure that repeat together (`repetitions`: of all ways the
/// one that covers most, then the one with the smallest period, then the one that parts fewest fused groups,
/// then the first) are one layer each time; the others are joined where a cut would part a fused group, and
/// where one has no product and no table and so goes with its neighbour. Side paths and weight expressions
/// belong to the layer that uses them, or to the first one of the chain where several do.
///
/// \param fused `fuse(g)`, without labels
/// \returns every operation in exactly one layer, every use of a result in its own layer or a later one; the
/// same layers for the same structure, whatever the names and the numbering. \complexity O(operands log
/// operands + segments^2).
[[nodiscard]] inline layer_structure detect_layers(const operator_graph& g, const fusion& fused) {
    DOVETAIL_ASSERT(fused.group_of.size() == g.operations.size(), "the fusion is of this graph");
    return detail::layer_detector(g, fused).take();
}

} // namespace dovetail::workload

/// \file
/// Finding composite operators in graphs that spell them out.

namespace dovetail::workload {

namespace detail {

/// The composite operation that takes the place of operation `root`.
[[nodiscard]] inline operation composed(const operator_graph& g, index root, const composite& what,
                                        const occurrence& found) {
    operation op{.type = what.type,
                 .name = g.operations[root].name,
                 .inputs = std::vector<index>(found.operands.begin(), found.operands.end()),
                 .outputs = g.operations[root].outputs,
                 .attributes = {}};
    while (op.inputs.back() == none) op.inputs.pop_back();
    if (what.axes != reduced_axes::nothing) {
        const auto rank = static_cast<std::int64_t>(g.tensors[op.inputs.front()].dims.size());
        op.attributes.set("axis", static_cast<std::int64_t>(found.axes.front()) - rank);
    }
    if (!what.setting.empty()) op.attributes.set(std::string(what.setting), *found.setting);
    if (!what.approximate.empty()) op.attributes.set("approximate", std::string(what.approximate));
    return op;
}

/// Leaves out the operations marked `gone`, and the results and constants that nobody needs any more.
inline void compact(operator_graph& g, const std::vector<bool>& gone) {
    std::vector<bool> needless(g.tensors.size(), false);
    std::vector<operation> kept;
    for (index v = 0; v < g.operations.size(); ++v) {
        operation& op = g.operations[v];
        if (!gone[v])
            kept.push_back(std::move(op));
        else
            for (const std::vector<index>* list : {&op.inputs, &op.outputs})
                for (const index t : *list)
                    if (t != none && (list == &op.outputs || g.tensors[t].role == tensor_role::constant))
                        needless[t] = true;
    }
    g.operations = std::move(kept);
    for (const operation& op : g.operations)
        for (const std::vector<index>* list : {&op.inputs, &op.outputs})
            for (const index t : *list)
                if (t != none) needless[t] = false;
    for (const index t : g.outputs) needless[t] = false;

    std::vector<index> number(g.tensors.size(), none);
    std::vector<tensor> tensors;
    for (index t = 0; t < g.tensors.size(); ++t)
        if (!needless[t]) {
            number[t] = static_cast<index>(tensors.size());
            tensors.push_back(std::move(g.tensors[t]));
        }
    g.tensors = std::move(tensors);
    const auto renumber = [&](std::vector<index>& list) {
        for (index& t : list)
            if (t != none) t = number[t];
    };
    for (operation& op : g.operations) {
        renumber(op.inputs);
        renumber(op.outputs);
    }
    renumber(g.outputs);
}

} // namespace detail

/// The same forward graph with every operator of `composites` that it spells out put in its place: layer and
/// RMS normalization, GELU, SiLU, softmax. They are found by structure: names play no part, operands of sums
/// and products may stand in any order and grouping, constants count by value, casts between floating types
/// may stand in between. What somebody else uses, too, stays as it is. Parameters and products are unchanged.
/// \complexity O(operations x composites), times a constant that the formulas bound.
[[nodiscard]] inline operator_graph recognise(const operator_graph& g) {
    operator_graph recognised = g;
    std::vector<bool> gone(g.operations.size(), false);
    formula_matcher match(g);
    const std::vector<index> order = graph::topological_order(dataflow(g)).value();
    // From the end, so that a formula is found before those that it contains.
    for (auto root = order.rbegin(); root != order.rend(); ++root) {
        if (gone[*root] || g.operations[*root].phase != phase::forward) continue;
        for (const composite& what : composites) {
            const auto found = match(*root, what);
            if (!found) continue;
            for (const index v : found->operations) gone[v] = true;
            gone[*root] = false;
            recognised.operations[*root] = detail::composed(g, *root, what, *found);
            break;
        }
    }
    detail::compact(recognised, gone);
    return recognised;
}

} // namespace dovetail::workload

/// \file
/// The same model for another number of samples a pass.
///
/// Shapes are inferred anew from the rescaled inputs; only the constants that spell a shape out (reshape and
/// expand targets) have the old batch baked in, and must follow it. A dimension that changes is the one that
/// holds the batch, so the batch needs no rule an operator: where an operand changes, the new inference
/// shows.

namespace dovetail::workload {

namespace detail {

/// Where the batch stands in a tensor: in dimension `axis`, behind a factor `outer` of that dimension.
struct batch_place {
    std::size_t axis = 0;
    std::int64_t outer = 1;
};

/// One change of the batch of a graph.
class batch_change {
public:
    batch_change(const operator_graph& before, std::int64_t batch)
        : before_(before), after_(before), batch_(batch), places_(before.tensors.size()),
          moves_(before.tensors.size(), false), targets_(before.tensors.size()) {}

    [[nodiscard]] result<operator_graph> run() && {
        if (auto moved = move_inputs(); !moved) return std::move(moved).problem();
        const auto order = graph::topological_order(dataflow(before_));
        if (!order) return order.problem();
        for (const index v : *order)
            if (auto done = infer(v); !done)
                return std::move(done).problem().within(label(before_.operations[v]));
        settle_targets();
        after_.batch = batch_;
        return std::move(after_);
    }

private:
    [[nodiscard]] result<void> move_inputs() {
        bool any = false;
        for (index t = 0; t < after_.tensors.size(); ++t) {
            tensor& x = after_.tensors[t];
            if (x.role != tensor_role::input || x.dims.empty() || x.dims[0] != before_.batch) continue;
            x.dims[0] = batch_;
            moves_[t] = any = true;
            if (auto sound = check_shape(x); !sound) return sound;
        }
        if (any) return {};
        return error{errc::unsupported, before_.name,
                     "no input has the batch of " + to_text(before_.batch) + " as its first dimension",
                     "data inputs start with the batch"};
    }

    /// Infers operation `v` from the operands as they are now.
    [[nodiscard]] result<void> infer(index v) {
        const operation& op = before_.operations[v];
        tensor list; // a rescaled target stands in for the constant until all its uses are known
        std::vector<const tensor*> inputs;
        for (const index t : op.inputs) inputs.push_back(t == none ? nullptr : &after_.tensors[t]);
        if (const std::size_t at = target_position(op); at < op.inputs.size()) {
            auto target = rescaled_target(op, at);
            if (!target) return std::move(target).problem();
            list = after_.tensors[op.inputs[at]];
            list.integers = *target;
            inputs[at] = &list;
            if (list.integers != after_.tensors[op.inputs[at]].integers)
                targets_[op.inputs[at]][*std::move(target)].push_back({v, at});
        }
        auto inferred = descriptor(op.type).infer({.inputs = inputs,
                                                   .outputs = {},
                                                   .attributes = op.attributes,
                                                   .result_count = op.outputs.size()});
        if (!inferred) return std::move(inferred).problem();
        return take_results(op, *inferred);
    }

    [[nodiscard]] result<void> take_results(const operation& op, const std::vector<signature>& results) {
        for (std::size_t r = 0; r < op.outputs.size(); ++r) {
            const signature& s = results[r];
            const index t = op.outputs[r];
            const dimensions& old = before_.tensors[t].dims;
            tensor& x = after_.tensors[t];
            x.dims = s.dims;
            x.integers = s.integers;
            if (auto sound = check_shape(x); !sound) return sound;
            if (x.dims == old) continue;
            std::size_t axis = 0;
            while (axis < old.size() && axis < x.dims.size() && x.dims[axis] == old[axis]) ++axis;
            dimensions expected = old;
            if (axis < old.size()) expected[axis] = old[axis] / before_.batch * batch_;
            if (x.dims != expected)
                return error{errc::unsupported,
                             {},
                             "its result of shape " + op::to_text(old) + " at batch " +
                                 to_text(before_.batch) + " becomes " + op::to_text(x.dims) + " at batch " +
                                 to_text(batch_),
                             "the batch is a factor of one dimension: export the model at the batch wanted"};
            moves_[t] = true;
            places_[t] = {axis, outer_factor(op, axis, old)};
        }
        return {};
    }

    /// The factor of dimension `axis` of the result that stands before the batch.
    [[nodiscard]] std::int64_t outer_factor(const operation& op, std::size_t axis,
                                            const dimensions& dims) const {
        for (const index t : op.inputs) {
            if (t == none || !moves_[t]) continue;
            const dimensions& from = before_.tensors[t].dims;
            if (op.type == type_of<op::reshape> || op.type == type_of<op::flatten>)
                return before_batch(t) / leading(dims, axis);
            if (from[places_[t].axis] == dims[axis]) return places_[t].outer;
        }
        return 1;
    }

    /// The operand of `op` that spells out a shape and is a constant; past the end where there is none.
    [[nodiscard]] std::size_t target_position(const operation& op) const {
        const std::size_t at = op.type == type_of<op::reshape> || op.type == type_of<op::expand> ? 1
                               : op.type == type_of<op::constant_of_shape>                       ? 0
                                                                           : op.inputs.size();
        const bool constant = at < op.inputs.size() && op.inputs[at] != none &&
                              before_.tensors[op.inputs[at]].role == tensor_role::constant;
        return constant ? at : op.inputs.size();
    }

    /// The list that operand `at` of `op` must hold at the new batch.
    [[nodiscard]] result<std::vector<std::int64_t>> rescaled_target(const operation& op,
                                                                    std::size_t at) const {
        std::vector<std::int64_t> list = before_.tensors[op.inputs[at]].integers;
        const dimensions& dims = before_.tensors[op.outputs[0]].dims;
        const index x = at == 1 ? op.inputs[0] : none;
        if (x != none && !moves_[x]) return list;
        std::size_t entry = 0;
        if (op.type == type_of<op::reshape>) {
            entry = reshaped_axis(x, dims);
        } else if (x != none) {
            entry = places_[x].axis + dims.size() - before_.tensors[x].dims.size();
            entry -= std::min(entry, dims.size() - list.size());
            if (list[entry] == 1) return list; // stretched by the operand
        } else if (list.empty() || before_.batch == 1 || list[0] != before_.batch) {
            return list;
        }
        if (entry < list.size() && list[entry] <= 0) return list; // open, or kept from the operand
        if (entry >= list.size() || list[entry] % before_.batch != 0)
            return error{errc::unsupported,
                         {},
                         "the batch of " + to_text(before_.batch) + " cannot be found in the target " +
                             op::to_text(list),
                         "export the model with a dynamic batch, or at the batch wanted"};
        const auto scaled = checked_multiply(list[entry] / before_.batch, batch_);
        if (!scaled)
            return error{errc::overflow,
                         {},
                         "the target " + op::to_text(list) + " leaves 64 bits",
                         "use a smaller batch"};
        list[entry] = *scaled;
        return list;
    }

    /// The dimension of `dims`, a reshape of tensor `x`, that takes up the batch. Row-major order keeps what
    /// stands before the batch. Where that leaves a choice, for a batch of 1, a dimension that is just the
    /// batch, or what stands before it and the batch, goes before one with further factors.
    [[nodiscard]] std::size_t reshaped_axis(index x, const dimensions& dims) const {
        const std::int64_t ahead = before_batch(x);
        const auto holds = [&](std::size_t axis, bool alone) {
            const std::int64_t lead = leading(dims, axis);
            if (lead <= 0 || ahead % lead != 0) return false;
            const std::int64_t least = ahead / lead * before_.batch;
            return alone ? dims[axis] == least : dims[axis] % least == 0 && dims[axis] >= least;
        };
        const std::size_t same = places_[x].axis;
        if (same < dims.size() && leading(dims, same) == ahead && holds(same, true)) return same;
        for (std::size_t axis = dims.size(); axis-- > 0;)
            if (holds(axis, true)) return axis;
        std::size_t axis = 0;
        while (axis < dims.size() && !holds(axis, false)) ++axis;
        return axis;
    }

    /// The elements of tensor `t` that stand before the batch in row-major order, in units of the batch.
    [[nodiscard]] std::int64_t before_batch(index t) const {
        return leading(before_.tensors[t].dims, places_[t].axis) * places_[t].outer;
    }

    [[nodiscard]] static std::int64_t leading(const dimensions& dims, std::size_t axis) {
        return checked_product(std::span(dims).first(axis)).value_or(0);
    }

    /// Writes the rescaled targets: in place where all uses of a constant agree, else into copies.
    void settle_targets() {
        std::vector<std::size_t> uses(before_.tensors.size(), 0);
        for (const operation& op : before_.operations)
            for (const index t : op.inputs)
                if (t != none) ++uses[t];
        for (index t = 0; t < uses.size(); ++t)
            for (auto& [list, users] : targets_[t]) {
                if (users.size() == uses[t]) {
                    after_.tensors[t].integers = list;
                    continue;
                }
                tensor copy = after_.tensors[t];
                copy.name.append("@").append(op::to_text(list));
                copy.integers = list;
                const index fresh = after_.add(std::move(copy));
                for (const use& u : users) after_.operations[u.operation].inputs[u.position] = fresh;
            }
    }

    struct use {
        index operation;
        std::size_t position;
    };

    const operator_graph& before_;
    operator_graph after_;
    std::int64_t batch_;
    std::vector<batch_place> places_;
    std::vector<bool> moves_; ///< whether the tensor holds the batch
    std::vector<std::map<std::vector<std::int64_t>, std::vector<use>>>
        targets_; ///< by constant and new value
};

} // namespace detail

/// `g` for `batch` samples a pass: inputs whose first dimension is the batch of `g` are rescaled, all shapes
/// inferred anew, and constant reshape targets follow the batch, merged with other dimensions or not.
/// \param g forward only, with shapes. \param batch at least 1.
/// \returns errc::out_of_range for a batch below 1, errc::unsupported where the batch cannot be followed,
/// errc::overflow. \complexity O(operands + arcs log operations).
[[nodiscard]] inline result<operator_graph> with_batch(const operator_graph& g, std::int64_t batch) {
    if (batch < 1)
        return error{errc::out_of_range, g.name, "a batch of " + to_text(batch) + " samples",
                     "a batch holds at least one sample"};
    if (batch == g.batch) return g;
    return detail::batch_change(g, batch).run();
}

} // namespace dovetail::workload

/// \file
/// Which axis of every tensor is shared out over the devices of a tensor group, found by propagation.

namespace dovetail::workload {

/// The axis of the result on which a tensor stays shared when its elements are seen in another shape: the
/// axes of both shapes fall into runs of equal products, and a share is a contiguous block only along the
/// outermost axis of its run. \returns nothing where the share would not be such a block.
[[nodiscard]] inline std::optional<std::size_t>
reshaped_axis(std::span<const std::int64_t> from, std::span<const std::int64_t> to, std::size_t axis) {
    const auto first_wide = [](std::span<const std::int64_t> dims, std::size_t begin, std::size_t end) {
        while (begin < end && dims[begin] == 1) ++begin;
        return begin;
    };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < from.size() && j < to.size()) {
        const std::size_t from_begin = i;
        const std::size_t to_begin = j;
        std::int64_t left = from[i++];
        std::int64_t right = to[j++];
        while (left != right) {
            if (left < right && i < from.size())
                left *= from[i++];
            else if (left > right && j < to.size())
                right *= to[j++];
            else
                return std::nullopt;
        }
        if (axis >= i) continue;
        const std::size_t place = first_wide(to, to_begin, j);
        if (first_wide(from, from_begin, i) != axis || place == j) return std::nullopt;
        return place;
    }
    return std::nullopt;
}

/// How a model is shared out over the devices of a tensor group: one axis of some tensors.
struct sharding {
    static constexpr std::size_t whole = static_cast<std::size_t>(-1);

    /// Products that share out the features of their results, and the whole tensor that they read.
    struct column_group {
        index source = none;
        std::vector<index> products{};
    };
    /// A use of a constant or a mask of which every device takes its part.
    struct constant_share {
        index operation = none;
        std::size_t operand = 0;
        std::size_t axis = 0;
    };

    std::vector<std::size_t> axis; ///< for every tensor: the shared axis, or `whole`
    std::vector<bool> operations;  ///< for every operation: whether it works on shares
    std::vector<column_group> columns;
    std::vector<index> rows; ///< products that contract over a shared axis: their results are partial sums
    std::vector<constant_share> constants;
};

namespace detail {

/// Tries every group of products that read the same whole tensor, and follows their shares through the
/// operations behind them. A trial ends well when every path has ended in a product that contracts over the
/// shared axis.
class sharding_search {
public:
    explicit sharding_search(const operator_graph& g)
        : g_(g), order_(execution_order(g)), position_(g.operations.size()), of_(dependences(g)),
          producer_(producers(g)), consumers_(g.tensors.size()), given_(g.tensors.size()) {
        for (std::size_t p = 0; p < order_.size(); ++p) position_[order_[p]] = p;
        for (const index v : order_)
            for (const index t : g.operations[v].inputs)
                if (t != none) consumers_[t].push_back(v);
        for (const index t : g.outputs) given_[t] = true;
        found_.axis.assign(g.tensors.size(), sharding::whole);
        found_.operations.assign(g.operations.size(), false);
    }

    sharding run() && {
        std::vector<bool> tried(g_.tensors.size());
        for (const index v : order_) {
            if (!starts(v) || tried[g_.operations[v].inputs[0]]) continue;
            tried[g_.operations[v].inputs[0]] = true;
            attempt(g_.operations[v].inputs[0]);
        }
        return std::move(found_);
    }

private:
    /// What a trial has changed so far, to take it back.
    struct trial {
        std::vector<index> tensors;
        std::vector<index> operations;
        std::vector<index> rows;
        std::vector<sharding::constant_share> constants;
    };

    [[nodiscard]] std::size_t rank(index t) const { return g_.tensors[t].dims.size(); }
    [[nodiscard]] std::int64_t extent(index t, std::size_t axis) const { return g_.tensors[t].dims[axis]; }
    [[nodiscard]] std::size_t axis(index t) const { return t == none ? sharding::whole : found_.axis[t]; }
    [[nodiscard]] bool shared(index t) const { return axis(t) != sharding::whole; }

    /// Whether `v` may share out the features of its result: a product of whole data and a weight.
    [[nodiscard]] bool starts(index v) const {
        const operation& op = g_.operations[v];
        if (op.type != type_of<op::mat_mul> && op.type != type_of<op::gemm>) return false;
        const index a = op.inputs[0];
        const index b = op.inputs[1];
        return of_.on_data[a] && !shared(a) && of_.on_parameter[b] && !of_.on_data[b] && rank(b) >= 2;
    }

    void attempt(index source) {
        trial_ = {};
        pending_.clear();
        sharding::column_group group{.source = source};
        for (const index v : consumers_[source])
            if (starts(v) && g_.operations[v].inputs[0] == source) group.products.push_back(v);
        bool works =
            std::all_of(group.products.begin(), group.products.end(), [&](index v) { return start(v); });
        while (works && !pending_.empty()) {
            const index v = order_[*pending_.begin()];
            pending_.erase(pending_.begin());
            mark(v);
            works = propagate(v);
        }
        if (!works) {
            for (const index t : trial_.tensors) found_.axis[t] = sharding::whole;
            for (const index v : trial_.operations) found_.operations[v] = false;
            return;
        }
        found_.columns.push_back(std::move(group));
        found_.rows.insert(found_.rows.end(), trial_.rows.begin(), trial_.rows.end());
        found_.constants.insert(found_.constants.end(), trial_.constants.begin(), trial_.constants.end());
    }

    void mark(index v) {
        if (found_.operations[v]) return;
        found_.operations[v] = true;
        trial_.operations.push_back(v);
    }

    /// Shares `t` along `along`; its users follow.
    bool share(index t, std::size_t along) {
        if (shared(t)) return axis(t) == along;
        if (given_[t] || along >= rank(t)) return false;
        found_.axis[t] = along;
        trial_.tensors.push_back(t);
        for (const index v : consumers_[t])
            if (of_.on_data[t]) pending_.insert(position_[v]);
        return true;
    }

    /// Shares the results of `v`.
    bool share_results(index v, std::size_t along) {
        const auto& outputs = g_.operations[v].outputs;
        return std::all_of(outputs.begin(), outputs.end(), [&](index t) { return share(t, along); });
    }

    /// Gives every device its part of operand `i` of `v`, which no propagation reached. A weight must serve
    /// this use alone, seen through transposes at most: else its other users would find it cut.
    bool cut(index v, std::size_t i, std::size_t along) {
        index t = g_.operations[v].inputs[i];
        if (!of_.on_parameter[t]) {
            trial_.constants.push_back({.operation = v, .operand = i, .axis = along});
            return true;
        }
        if (of_.on_data[t]) return false;
        for (;;) {
            if (consumers_[t].size() != 1 || !share(t, along)) return false;
            if (producer_[t] == none) return true;
            const operation& op = g_.operations[producer_[t]];
            if (op.type != type_of<op::transpose>) return false;
            mark(producer_[t]);
            const auto order = op.attributes.integers("perm");
            along = order.empty() ? rank(t) - 1 - along : static_cast<std::size_t>(order[along]);
            t = op.inputs[0];
        }
    }

    bool start(index v) {
        const operation& op = g_.operations[v];
        mark(v);
        const index b = op.inputs[1];
        const bool turned = op.attributes.integer("transB", 0) != 0;
        if (!cut(v, 1, turned ? rank(b) - 2 : rank(b) - 1)) return false;
        if (op.inputs.size() > 2 && op.inputs[2] != none) {
            const index bias = op.inputs[2];
            const bool full = rank(bias) > 0 && extent(bias, rank(bias) - 1) > 1;
            if (!full || !cut(v, 2, rank(bias) - 1)) return false;
        }
        return share_results(v, rank(op.outputs[0]) - 1);
    }

    /// Follows the shares of the operands of `v` to its results. \returns whether it can work on shares.
    bool propagate(index v) {
        const operation& op = g_.operations[v];
        if (std::none_of(op.outputs.begin(), op.outputs.end(), [&](index t) { return of_.on_data[t]; }))
            return true; // shape arithmetic
        const fusion_class fusion = descriptor(op.type).fusion;
        if (op.type == type_of<op::mat_mul> || op.type == type_of<op::gemm>) return product(v, op);
        if (op.type == type_of<op::softmax> || op.type == type_of<op::log_softmax>)
            return along(op, -1) != axis(op.inputs[0]) && share_results(v, axis(op.inputs[0]));
        if (op.type == type_of<op::transpose>) return transposed(v, op);
        if (op.type == type_of<op::concat>) return joined(v, op);
        if (op.type == type_of<op::gather>) return gathered(v, op);
        if (op.type == type_of<op::split>) return share_results(v, axis(op.inputs[0]));
        if (op.type == type_of<op::slice>) {
            const std::size_t a = axis(op.inputs[0]);
            return shared(op.inputs[0]) && extent(op.inputs[0], a) == extent(op.outputs[0], a) &&
                   share_results(v, a);
        }
        if (op.type == type_of<op::expand>) return elementwise(v, op, 1);
        if (fusion == fusion_class::view) {
            if (!shared(op.inputs[0])) return false;
            const auto place = reshaped_axis(g_.tensors[op.inputs[0]].dims, g_.tensors[op.outputs[0]].dims,
                                             axis(op.inputs[0]));
            return place && share_results(v, *place);
        }
        return fusion == fusion_class::elementwise && descriptor(op.type).core == core_type::vector &&
               g_.tensors[op.outputs[0]].elements() > 0 && !moves(op) && elementwise(v, op, op.inputs.size());
    }

    /// Whether an operator of the elementwise fusion class mixes the elements of an axis.
    [[nodiscard]] static bool moves(const operation& op) {
        return op.type == type_of<op::trilu> || op.type == type_of<op::cumulative_sum> ||
               op.type == type_of<op::scatter_nd> || op.type == type_of<op::scatter_elements>;
    }

    /// The attribute "axis" counted from the front.
    [[nodiscard]] std::size_t along(const operation& op, std::int64_t fallback) const {
        const std::int64_t a = op.attributes.integer("axis", fallback);
        return static_cast<std::size_t>(a < 0 ? a + static_cast<std::int64_t>(rank(op.inputs[0])) : a);
    }

    /// The first `count` operands broadcast: all that reach the shared axis must be shared along it.
    bool elementwise(index v, const operation& op, std::size_t count) {
        const std::size_t width = rank(op.outputs[0]);
        std::size_t result = sharding::whole;
        for (std::size_t i = 0; i < count; ++i) {
            const index t = op.inputs[i];
            if (!shared(t)) continue;
            const std::size_t here = axis(t) + width - rank(t);
            if (result != sharding::whole && result != here) return false;
            result = here;
        }
        if (result == sharding::whole) return false;
        for (std::size_t i = 0; i < count; ++i) {
            const index t = op.inputs[i];
            if (t == none || shared(t)) continue;
            const bool reaches = result + rank(t) >= width && extent(t, result + rank(t) - width) > 1;
            if (!reaches && of_.on_parameter[t]) return false; // its gradient would be a partial sum
            if (reaches && !cut(v, i, result + rank(t) - width)) return false;
        }
        return share_results(v, result);
    }

    bool product(index v, const operation& op) {
        const index a = op.inputs[0];
        const index b = op.inputs[1];
        const bool turned_a = op.attributes.integer("transA", 0) != 0;
        const bool turned_b = op.attributes.integer("transB", 0) != 0;
        if (shared(a) && !shared(b) && !of_.on_data[b] && rank(b) >= 2) {
            if (axis(a) != rank(a) - (turned_a ? 2 : 1)) return false;
            trial_.rows.push_back(v);
            return cut(v, 1, rank(b) - (turned_b ? 1 : 2));
        }
        // Both are activations: each device has its own part of the batches, which are the heads.
        const std::size_t width = rank(op.outputs[0]);
        if (!shared(a) || !shared(b) || axis(a) + 2 >= rank(a) || axis(b) + 2 >= rank(b)) return false;
        const std::size_t batch = axis(a) + width - rank(a);
        return batch == axis(b) + width - rank(b) && share_results(v, batch);
    }

    bool transposed(index v, const operation& op) {
        const index x = op.inputs[0];
        const auto order = op.attributes.integers("perm");
        for (std::size_t place = 0; place < rank(x); ++place)
            if ((order.empty() ? rank(x) - 1 - place : static_cast<std::size_t>(order[place])) == axis(x))
                return share_results(v, place);
        return false;
    }

    bool joined(index v, const operation& op) {
        std::size_t result = sharding::whole;
        for (const index t : op.inputs)
            if (shared(t)) result = axis(t);
        const bool across = along(op, 0) == result;
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
            if (shared(op.inputs[i]) ? axis(op.inputs[i]) != result : across || !cut(v, i, result))
                return false;
        }
        return share_results(v, result);
    }

    bool gathered(index v, const operation& op) {
        const std::size_t picked = along(op, 0);
        const std::size_t a = axis(op.inputs[0]);
        if (a == sharding::whole || a == picked || shared(op.inputs[1])) return false;
        return share_results(v, a < picked ? a : a - 1 + rank(op.inputs[1]));
    }

    const operator_graph& g_;
    std::vector<index> order_;
    std::vector<std::size_t> position_; ///< of every operation in the order
    dependence of_;
    std::vector<index> producer_;
    std::vector<std::vector<index>> consumers_;
    std::vector<bool> given_;
    sharding found_;
    trial trial_;
    std::set<std::size_t> pending_; ///< positions of operations with a shared operand
};

} // namespace detail

/// The shares of a model after Megatron-LM (Shoeybi et al., 2019), found in any graph: products of the same
/// whole tensor with weights share out their result features, and the share is followed through elementwise
/// operators, reshapes (features to heads), splits, transposes, products on shared batches and softmax over
/// an axis that is not shared, until products contract over it. Products from which an operator is reached
/// that needs the whole axis (a normalisation over features, a residual sum, the result of the model), or
/// whose weight has other uses (a tied embedding), stay whole; so do embeddings and the head. Extents are not
/// looked at: whether a width divides them is for the caller to say. \complexity O(operands log operations)
/// for each group tried.
[[nodiscard]] inline sharding find_sharding(const operator_graph& g) {
    return detail::sharding_search(g).run();
}

} // namespace dovetail::workload

/// \file
/// Activation memory: what the forward pass keeps for the backward pass, and what passes by on the way.

namespace dovetail::workload {

/// Activations that stay in memory.
struct kept_activations {
    double elements = 0;      ///< of the chip's element size
    double mask_elements = 0; ///< of one byte: where a dropout let through

    [[nodiscard]] constexpr double size_bytes(double element_bytes = 2) const noexcept {
        return elements * element_bytes + mask_elements;
    }
};

namespace detail {

/// The activations of a graph by the memory that they lie in.
class activation_storage {
public:
    explicit activation_storage(const operator_graph& g)
        : order_(execution_order(g)), root_(g.tensors.size()), keeper_(g.tensors.size(), none) {
        const std::vector<bool> on_data = dependences(g).on_data;
        const std::vector<bool> needs = needs_gradient(g, order_);
        for (index t = 0; t < g.tensors.size(); ++t) root_[t] = t;
        for (const index v : order_) {
            const operation& op = g.operations[v];
            if (is_view(op) && op.phase == phase::forward && !op.inputs.empty())
                for (const index t : op.outputs) root_[t] = root_[op.inputs.front()];
        }
        for (const index v : order_) {
            const operation& op = g.operations[v];
            const bool differentiated =
                op.phase == phase::forward && !is_view(op) &&
                std::any_of(op.outputs.begin(), op.outputs.end(), [&](index t) { return needs[t]; });
            if (!differentiated) continue;
            if (op.type == type_of<op::dropout>) {
                masks_.push_back(v);
                continue;
            }
            for (const index t : saved_tensors(op, needs))
                if (on_data[root_[t]] && keeper_[root_[t]] == none) keeper_[root_[t]] = v;
        }
    }

    [[nodiscard]] const std::vector<index>& order() const { return order_; }
    /// The tensor whose memory `t` shows.
    [[nodiscard]] index root(index t) const { return root_[t]; }
    /// The first forward operation whose gradient reads `t`, or none; asked of roots.
    [[nodiscard]] index keeper(index t) const { return keeper_[t]; }
    /// The operations that keep a mask.
    [[nodiscard]] const std::vector<index>& masks() const { return masks_; }

private:
    std::vector<index> order_;
    std::vector<index> root_;
    std::vector<index> keeper_;
    std::vector<index> masks_;
};

[[nodiscard]] inline std::size_t label_count(std::span<const index> labels) {
    std::size_t count = 0;
    for (const index label : labels)
        if (label != none) count = std::max<std::size_t>(count, label + std::size_t{1});
    return count;
}

} // namespace detail

/// What every layer keeps of one forward pass, until its backward pass. `labels` gives the layer of every
/// operation of `g` (of a training graph: the forward operations count); the result has one entry a layer. A
/// tensor is kept once, by the first operation whose gradient reads it; views lie in the memory of what they
/// show; parameters and constants are not activations. Operations without a label must keep nothing.
/// \complexity O(operands).
[[nodiscard]] inline std::vector<kept_activations> stash(const operator_graph& g,
                                                         std::span<const index> labels) {
    DOVETAIL_ASSERT(labels.size() == g.operations.size(), "one label an operation");
    const detail::activation_storage storage(g);
    std::vector<kept_activations> kept(detail::label_count(labels));
    for (index t = 0; t < g.tensors.size(); ++t) {
        const index v = storage.keeper(t);
        if (v == none) continue;
        DOVETAIL_ASSERT(labels[v] != none, "an operation that keeps activations belongs to a layer");
        kept[labels[v]].elements += static_cast<double>(g.tensors[t].elements());
    }
    for (const index v : storage.masks()) {
        DOVETAIL_ASSERT(labels[v] != none, "an operation that keeps activations belongs to a layer");
        kept[labels[v]].mask_elements +=
            static_cast<double>(g.tensors[g.operations[v].outputs[0]].elements());
    }
    return kept;
}

/// For every layer the most elements alive at once, while one of its operations runs, that are neither
/// stashed nor gradients of parameters (those have a place of their own for the whole batch): the working
/// memory of the passes beside the stash. Operations run one at a time in execution order and free what
/// nobody needs any more; fused operators need less. `training` is a training graph with a label for every
/// operation (`training_labels`). \complexity O(operands).
[[nodiscard]] inline std::vector<double> working_elements(const operator_graph& training,
                                                          std::span<const index> labels) {
    DOVETAIL_ASSERT(labels.size() == training.operations.size(), "one label an operation");
    const detail::activation_storage storage(training);
    const std::vector<bool> on_data = dependences(training).on_data;
    const std::size_t tensors = training.tensors.size();

    std::vector<bool> transient(tensors);
    for (const operation& op : training.operations)
        if (op.phase == phase::forward || op.phase == phase::input_gradient)
            for (const index t : op.outputs)
                transient[t] = !is_view(op) && on_data[t] && storage.keeper(t) == none;
    for (const operation& op : training.operations)
        if (op.phase == phase::update) transient[op.inputs[1]] = false;

    // What a gradient takes of the forward pass without its being stashed, it only needs the mask of.
    std::vector<bool> forward_made(tensors, false);
    for (const operation& op : training.operations)
        if (op.phase == phase::forward)
            for (const index t : op.outputs) forward_made[t] = true;
    const auto only_masks = [&](const operation& op, index t) {
        return op.phase != phase::forward && forward_made[t] && storage.keeper(storage.root(t)) == none;
    };

    // A gradient's view may show several tensors, so its uses are uses of all of them.
    std::vector<std::size_t> last_use(tensors, 0);
    const auto& order = storage.order();
    for (std::size_t position = order.size(); position-- > 0;) {
        const operation& op = training.operations[order[position]];
        std::size_t use = position;
        if (is_view(op))
            for (const index t : op.outputs) use = std::max(use, last_use[t]);
        for (const index t : op.inputs)
            if (t != none && !only_masks(op, t)) last_use[t] = std::max(last_use[t], use);
    }

    std::vector<std::vector<index>> dying(order.size());
    std::vector<double> peak(detail::label_count(labels), 0.0);
    double alive = 0;
    for (std::size_t position = 0; position < order.size(); ++position) {
        const index v = order[position];
        for (const index t : training.operations[v].outputs) {
            if (!transient[t]) continue;
            alive += static_cast<double>(training.tensors[t].elements());
            dying[std::max(last_use[t], position)].push_back(t);
        }
        if (labels[v] != none) peak[labels[v]] = std::max(peak[labels[v]], alive);
        for (const index t : dying[position]) alive -= static_cast<double>(training.tensors[t].elements());
    }
    return peak;
}

} // namespace dovetail::workload

/// \file
/// The part of a model that one device of a tensor-parallel group computes, with its collectives.

namespace dovetail::workload {

/// What one of the devices that share a model computes.
struct tensor_slice {
    operator_graph graph;
    std::vector<bool>
        sharded; ///< for every operation of `graph`: whether it works on shares, collectives included
    std::vector<index>
        origin; ///< for every operation of `graph`: the operation of the whole model it belongs to
};

namespace detail {

/// Writes the slice of one of `width` devices.
class slicing {
public:
    slicing(const operator_graph& whole, const sharding& shares, std::int64_t width)
        : whole_(whole), shares_(shares), width_(width), column_source_(whole.operations.size(), none),
          sums_rows_(whole.operations.size(), false), entered_(whole.tensors.size(), none) {
        for (const sharding::column_group& group : shares.columns)
            for (const index v : group.products) column_source_[v] = group.source;
        for (const index v : shares.rows) sums_rows_[v] = true;
        for (const sharding::constant_share& c : shares.constants)
            constant_axis_[{c.operation, c.operand}] = c.axis;
    }

    result<tensor_slice> run() && {
        operator_graph& g = slice_.graph;
        g.name = whole_.name;
        g.tensors = whole_.tensors;
        g.outputs = whole_.outputs;
        g.batch = whole_.batch;
        g.attention_heads = whole_.attention_heads / width_;
        for (index t = 0; t < whole_.tensors.size(); ++t)
            if (shares_.axis[t] != sharding::whole) divide(g.tensors[t], shares_.axis[t]);
        for (index v = 0; v < whole_.operations.size(); ++v) copy(v);
        if (problem_) return *std::move(problem_);
        return std::move(slice_);
    }

private:
    void divide(tensor& t, std::size_t axis) {
        if (t.dims[axis] % width_ != 0 && !problem_)
            problem_ = error{errc::out_of_range, whole_.name + ": tensor '" + t.name + "'",
                             "its axis " + to_text(axis) + " of " + to_text(t.dims[axis]) +
                                 " elements cannot be shared by " + to_text(width_) + " devices",
                             "the tensor width must divide it"};
        t.dims[axis] /= width_;
    }

    /// Adds an operation whose result is a new tensor like `like`. \returns that tensor.
    index append(index origin, operator_type type, std::string name, std::vector<index> inputs, index like) {
        tensor result = slice_.graph.tensors[like];
        result.name = name;
        result.role = tensor_role::activation;
        const index t = slice_.graph.add(std::move(result));
        append(origin,
               operation{.type = type, .name = std::move(name), .inputs = std::move(inputs), .outputs = {t}},
               true);
        return t;
    }
    void append(index origin, operation op, bool sharded) {
        slice_.graph.add(std::move(op));
        slice_.sharded.push_back(sharded);
        slice_.origin.push_back(origin);
    }

    void copy(index v) {
        operation op = whole_.operations[v];
        const bool sharded = shares_.operations[v];
        if (sharded) {
            for (std::size_t i = 0; i < op.inputs.size(); ++i) cut_constant(v, i, op);
            resize(op);
            if (column_source_[v] != none) op.inputs[0] = enter(v, column_source_[v]);
            if (sums_rows_[v]) return reduce(v, std::move(op));
        }
        append(v, std::move(op), sharded);
    }

    void cut_constant(index v, std::size_t i, operation& op) {
        const auto found = constant_axis_.find({v, i});
        if (found == constant_axis_.end()) return;
        tensor part = whole_.tensors[op.inputs[i]];
        part.name += ".share";
        part.role = part.role == tensor_role::activation ? tensor_role::buffer : part.role;
        divide(part, found->second);
        op.inputs[i] = slice_.graph.add(std::move(part));
    }

    /// Megatron's f: the identity whose gradient is summed over the devices; one for all products that read
    /// `source`.
    index enter(index v, index source) {
        if (entered_[source] == none)
            entered_[source] = append(v, type_of<op::all_reduce_backward>,
                                      whole_.tensors[source].name + ".copied", {source}, source);
        return entered_[source];
    }

    /// Megatron's g: partial results are summed over the devices, and a bias comes after that, once.
    void reduce(index v, operation op) {
        const index result = op.outputs[0];
        const index bias = op.inputs.size() > 2 ? op.inputs[2] : none;
        op.inputs.resize(2);
        tensor partial = whole_.tensors[result];
        partial.name += ".partial";
        op.outputs[0] = slice_.graph.add(std::move(partial));
        const std::string name = op.name;
        const index part = op.outputs[0];
        append(v, std::move(op), true);
        index sum = result;
        if (bias != none) {
            tensor reduced = whole_.tensors[result];
            reduced.name += ".reduced";
            sum = slice_.graph.add(std::move(reduced));
        }
        append(v,
               operation{.type = type_of<op::all_reduce_forward>,
                         .name = name + ".reduced",
                         .inputs = {part},
                         .outputs = {sum}},
               true);
        if (bias != none)
            append(v,
                   operation{.type = type_of<op::add>,
                             .name = name + ".bias",
                             .inputs = {sum, bias},
                             .outputs = {result}},
                   false);
    }

    /// Writes the sizes that an operation names itself to fit its shares.
    void resize(operation& op) {
        const index result = op.outputs[0];
        const std::size_t axis = shares_.axis[result];
        if (axis == sharding::whole) return;
        const bool lists = op.type == type_of<op::reshape> || op.type == type_of<op::expand>;
        if (lists && op.inputs.size() > 1) {
            std::vector<std::int64_t> target = whole_.tensors[op.inputs[1]].integers;
            // An Expand may name fewer axes than the result has; 0 and -1 follow from the operand.
            const std::size_t behind = whole_.tensors[result].dims.size() - target.size();
            if (axis >= behind && target[axis - behind] > 1) target[axis - behind] /= width_;
            op.inputs[1] = add_list(op.name + ".share", std::move(target));
        }
        if (op.type == type_of<op::split>) {
            const std::int64_t along = op.attributes.integer("axis", 0);
            const auto rank = static_cast<std::int64_t>(whole_.tensors[result].dims.size());
            if (static_cast<std::size_t>(along < 0 ? along + rank : along) != axis) return;
            if (op.inputs.size() < 2 && op.attributes.integers("split").empty()) return;
            std::vector<std::int64_t> sizes;
            for (const index t : op.outputs) sizes.push_back(slice_.graph.tensors[t].dims[axis]);
            if (op.inputs.size() > 1)
                op.inputs[1] = add_list(op.name + ".share", std::move(sizes));
            else
                op.attributes.set("split", std::move(sizes));
        }
    }

    index add_list(std::string name, std::vector<std::int64_t> values) {
        const auto size = static_cast<std::int64_t>(values.size());
        return slice_.graph.add(tensor{.name = std::move(name),
                                       .role = tensor_role::constant,
                                       .type = element_type::int64,
                                       .dims = {size},
                                       .integers = std::move(values)});
    }

    const operator_graph& whole_;
    const sharding& shares_;
    std::int64_t width_;
    std::vector<index> column_source_; ///< what the group of a column product reads; `none` for the rest
    std::vector<bool> sums_rows_;      ///< whether the operation is a row product
    std::vector<index> entered_;       ///< the copy of a tensor that column products read, once it is there
    std::map<std::pair<index, std::size_t>, std::size_t> constant_axis_;
    tensor_slice slice_;
    std::optional<error> problem_;
};

} // namespace detail

/// The slice of one of `width` devices that share a model with attention (after Megatron-LM, Shoeybi et al.,
/// 2019; see `find_sharding`). Shared tensors have their shared axis divided; an AllReduceBackward stands
/// before the products that share out a whole tensor, an AllReduceForward behind those that contract over
/// shares. Embeddings and the head stay whole on every device. A width of 1 gives the model itself. \returns
/// errc::out_of_range where the width is below 1 or does not divide the heads or another shared axis, and
/// errc::unsupported where the model has no attention or none of its products can be shared out.
[[nodiscard]] inline result<tensor_slice> tensor_parallel(const operator_graph& g, std::int64_t width) {
    if (width < 1)
        return error{errc::out_of_range, g.name, "a tensor width of " + to_text(width), "it is at least 1"};
    if (width == 1) {
        tensor_slice slice{.graph = g,
                           .sharded = std::vector<bool>(g.operations.size()),
                           .origin = std::vector<index>(g.operations.size())};
        std::iota(slice.origin.begin(), slice.origin.end(), index{0});
        return slice;
    }
    if (g.attention_heads == 0)
        return error{errc::unsupported, g.name,
                     "a tensor width of " + to_text(width) + " for a model without attention heads",
                     "use a width of 1"};
    if (g.attention_heads % width != 0)
        return error{errc::out_of_range, g.name,
                     to_text(g.attention_heads) + " attention heads cannot be shared by " + to_text(width) +
                         " devices",
                     "the tensor width must divide the number of heads"};
    const sharding shares = find_sharding(g);
    if (shares.columns.empty())
        return error{errc::unsupported, g.name, "none of its products can be shared out",
                     "use a tensor width of 1"};
    return detail::slicing(g, shares, width).run();
}

} // namespace dovetail::workload

/// \file
/// The graph of a training step: forward pass, loss, both gradients, optimizer.

namespace dovetail::workload {

/// What a training step is made of besides the forward pass.
struct training_options {
    /// Softmax and cross-entropy on the model's first result against labels; without it, the gradients of the
    /// results are data inputs.
    bool loss = true;
};

namespace detail {

/// Appends the backward pass to a forward graph, in reverse execution order.
class differentiation {
public:
    differentiation(const operator_graph& forward, const training_options& options) : g_(forward) {
        if (options.loss) append_loss();
        order_ = execution_order(g_);
        on_data_ = dependences(g_).on_data;
        needs_ = needs_gradient(g_, order_);
        contributions_.resize(g_.tensors.size());
        seed();
    }

    operator_graph run() && {
        for (auto v = order_.rbegin(); v != order_.rend(); ++v) differentiate(*v);
        append_updates();
        return std::move(g_);
    }

private:
    /// Adds the loss of the logits; scores with more than two dimensions are seen as a list of rows, since
    /// the classes are the last dimension of a language model.
    void append_loss() {
        const auto found = std::find_if(g_.outputs.begin(), g_.outputs.end(),
                                        [&](index t) { return is_floating(g_.tensors[t].type); });
        if (found == g_.outputs.end()) return;
        index scores = *found;
        const dimensions dims = g_.tensors[scores].dims;
        const element_type type = g_.tensors[scores].type;
        if (dims.size() < 2) return;
        const std::int64_t classes = dims.back();
        const std::int64_t rows = classes > 0 ? g_.tensors[scores].elements() / classes : 0;
        if (dims.size() > 2) {
            const index shape = g_.add(tensor{.name = "loss.rows.shape",
                                              .role = tensor_role::constant,
                                              .type = element_type::int64,
                                              .dims = {2},
                                              .integers = {-1, classes}});
            scores = append({.type = type_of<op::reshape>, .name = "loss.rows", .inputs = {scores, shape}},
                            {rows, classes}, type);
        }
        const index labels = g_.add(tensor{
            .name = "labels", .role = tensor_role::input, .type = element_type::int64, .dims = {rows}});
        const index loss = append(
            {.type = type_of<op::softmax_cross_entropy_loss>, .name = "loss", .inputs = {scores, labels}}, {},
            type);
        g_.outputs = {loss};
    }

    void seed() {
        for (const index t : g_.outputs) {
            if (!needs_[t]) continue;
            tensor dy = g_.tensors[t];
            dy.name += ".gradient";
            dy.role = dy.dims.empty() ? tensor_role::constant : tensor_role::input;
            if (dy.dims.empty()) dy.reals = {1.0};
            contributions_[t].push_back(g_.add(std::move(dy)));
        }
    }

    void differentiate(index v) {
        const operation op = g_.operations[v]; // a copy: the list grows
        const gradient_rule rule = descriptor(op.type).gradient;
        if (rule == gradient_rule::stops) return;
        std::vector<std::size_t> wanted;
        for (std::size_t i = 0; i < op.inputs.size(); ++i)
            if (op.inputs[i] != none && needs_[op.inputs[i]]) wanted.push_back(i);
        std::vector<index> given;
        for (const index t : op.outputs)
            if (const index dy = gradient(t); dy != none) given.push_back(dy);
        if (wanted.empty() || given.empty()) return;

        if (rule == gradient_rule::product) {
            for (const std::size_t i : wanted) {
                std::vector<index> factors = given;
                if (i == 0) factors.push_back(op.inputs[1]);
                if (i == 1) factors.insert(factors.begin(), op.inputs[0]);
                append_gradient(v, op, {i}, std::move(factors), static_cast<index>(i));
            }
            return;
        }
        if (rule == gradient_rule::elementwise) {
            std::erase_if(wanted, [&](std::size_t i) {
                if (!passes(op, i)) return false;
                contributions_[op.inputs[i]].push_back(given.front());
                return true;
            });
            for (const index t : saved_tensors(op, needs_)) given.push_back(t);
        }
        if (!wanted.empty()) append_gradient(v, op, wanted, std::move(given), none);
    }

    /// Whether the gradient of operand `i` is the gradient of the result itself: no operation is needed.
    [[nodiscard]] bool passes(const operation& op, std::size_t i) const {
        const bool additive = op.type == type_of<op::add> || op.type == type_of<op::sum> ||
                              (op.type == type_of<op::sub> && i == 0);
        return additive && g_.tensors[op.inputs[i]].dims == g_.tensors[op.outputs[0]].dims;
    }

    void append_gradient(index v, const operation& op, const std::vector<std::size_t>& wanted,
                         std::vector<index> inputs, index operand) {
        operation backward{.type = op.type,
                           .phase = phase::weight_gradient,
                           .name = op.name + ".gradient" + (operand == none ? "" : "." + to_text(operand)),
                           .inputs = std::move(inputs),
                           .attributes = op.attributes,
                           .forward = v,
                           .operand = operand};
        for (const std::size_t i : wanted) {
            const index t = op.inputs[i];
            if (on_data_[t]) backward.phase = phase::input_gradient;
            backward.outputs.push_back(add_gradient_of(t));
            contributions_[t].push_back(backward.outputs.back());
        }
        g_.add(std::move(backward));
    }

    /// The gradient of a forward tensor, all of whose consumers are done; `none` where nothing flows back.
    index gradient(index t) {
        std::vector<index>& parts = contributions_[t];
        if (parts.size() > 1) {
            operation sum{.type = type_of<op::sum>,
                          .phase = on_data_[t] ? phase::input_gradient : phase::weight_gradient,
                          .name = g_.tensors[t].name + ".gradient.sum",
                          .inputs = std::move(parts),
                          .forward = home(t)};
            parts = {add_gradient_of(t)};
            sum.outputs = parts;
            g_.add(std::move(sum));
        }
        return parts.empty() ? none : parts.front();
    }

    void append_updates() {
        for (index t = 0; t < contributions_.size(); ++t) {
            if (g_.tensors[t].role != tensor_role::parameter) continue;
            const index dy = gradient(t);
            if (dy == none) continue;
            tensor updated = g_.tensors[t];
            updated.name += ".updated";
            updated.role = tensor_role::activation;
            const index result = g_.add(std::move(updated));
            g_.outputs.push_back(result);
            g_.add(operation{.type = type_of<op::optimizer_step>,
                             .phase = phase::update,
                             .name = g_.tensors[t].name + ".update",
                             .inputs = {t, dy},
                             .outputs = {result},
                             .forward = home(t)});
        }
    }

    /// The forward operation that a tensor belongs to: its producer, or for a parameter its first user.
    index home(index t) {
        if (home_.empty()) {
            home_.assign(contributions_.size(), none);
            for (auto v = order_.rbegin(); v != order_.rend(); ++v)
                for (const index used : g_.operations[*v].inputs)
                    if (used != none) home_[used] = *v;
            for (const index v : order_)
                for (const index given : g_.operations[v].outputs) home_[given] = v;
        }
        return home_[t];
    }

    index add_gradient_of(index t) {
        const tensor& of = g_.tensors[t];
        return g_.add(tensor{.name = of.name + ".gradient", .type = of.type, .dims = of.dims});
    }

    index append(operation op, dimensions dims, element_type type) {
        const index t = g_.add(tensor{.name = op.name, .type = type, .dims = std::move(dims)});
        op.outputs = {t};
        g_.add(std::move(op));
        return t;
    }

    operator_graph g_;
    std::vector<index> order_;
    std::vector<bool> on_data_, needs_;             ///< for every forward tensor
    std::vector<std::vector<index>> contributions_; ///< for every forward tensor
    std::vector<index> home_;
};

} // namespace detail

/// The training step of a forward graph. Tensors and operations of `forward` keep their numbers; behind them
/// come the loss, the gradients in an execution order, and one OptimizerStep for every parameter that the
/// loss depends on. A gradient operation keeps the type of its forward operation, and takes the gradients of
/// its results and then what it reads of the forward pass. A product gives one operation for each operand
/// that needs a gradient: {dY, B} for the first, {A, dY} for the second, {dY} for a bias. Contributions of
/// several consumers are added by a Sum; a sum's gradient is passed on without an operation. The graph's
/// outputs become the loss and the updated parameters. \complexity O(operands).
[[nodiscard]] inline operator_graph training_graph(const operator_graph& forward,
                                                   const training_options& options = {}) {
    return detail::differentiation(forward, options).run();
}

/// Labels of the forward operations (their layers, say) carried over to all operations of their training
/// graph: a gradient or update has the label of its forward operation, the loss that of the operation before
/// it.
[[nodiscard]] inline std::vector<index> training_labels(const operator_graph& training,
                                                        std::span<const index> forward_labels) {
    DOVETAIL_ASSERT(forward_labels.size() <= training.operations.size(), "one label a forward operation");
    const std::vector<index> producer = producers(training);
    std::vector<index> labels(forward_labels.begin(), forward_labels.end());
    for (std::size_t v = labels.size(); v < training.operations.size(); ++v) {
        const operation& op = training.operations[v];
        const index source = op.forward != none ? op.forward : producer[op.inputs.front()];
        labels.push_back(source != none ? labels[source] : none);
    }
    return labels;
}

} // namespace dovetail::workload

/// \file
/// Models by name, built at any batch.

/// \file
/// Encoders with a masked-language-model head: BERT.

/// \file
/// Multi-head attention, with learned or rotary positions.

/// \file
/// The dimensions of a transformer, and the blocks that all of them are made of.

namespace dovetail::workload::zoo {

/// The dimensions of a transformer. Its weights are [in, out]; a pass takes whole sequences.
struct transformer {
    std::string_view name;
    std::int64_t layers = 0;
    std::int64_t hidden = 0;
    std::int64_t heads = 0; ///< divides `hidden`
    std::int64_t sequence = 0;
    std::int64_t feed_forward = 0;
    std::int64_t vocabulary = 0;
    std::int64_t positions = 0;      ///< rows of the learned position table; 0 where positions are rotary
    std::int64_t word_embedding = 0; ///< width of the token table; 0 where it is `hidden`
    bool pre_norm = true;            ///< normalise before each block, else after its residual sum
    bool dropout = true;             ///< as in training: after the attention weights and before residual sums

    [[nodiscard]] constexpr std::int64_t head_dim() const noexcept { return hidden / heads; }
};

/// The attribute of a Transpose.
inline attribute_set permutation(std::vector<std::int64_t> order) {
    attribute_set attributes;
    attributes.set("perm", std::move(order));
    return attributes;
}

/// The attribute of an operator that works along one axis.
inline attribute_set on_axis(std::int64_t axis) {
    attribute_set attributes;
    attributes.set("axis", axis);
    return attributes;
}

/// The weight [in, out] times the last axis of `x`, and a bias.
inline index linear(graph_builder& b, const std::string& name, index x, std::int64_t in, std::int64_t out,
                    bool bias) {
    const index product = b.apply<op::mat_mul>(name, {x, b.parameter(name + ".weight", {in, out})});
    return bias ? b.apply<op::add>(name + ".add", {product, b.parameter(name + ".bias", {out})}) : product;
}

/// A linear layer with a bias.
inline index linear(graph_builder& b, const std::string& name, index x, std::int64_t in, std::int64_t out) {
    return linear(b, name, x, in, out, true);
}

/// Layer normalisation over the last axis.
inline index layer_norm(graph_builder& b, const std::string& name, index x, std::int64_t width) {
    return b.apply<op::layer_normalization>(
        name, {x, b.parameter(name + ".scale", {width}), b.parameter(name + ".bias", {width})});
}

/// Dropout, where the model has it.
inline index dropout(graph_builder& b, const transformer& m, const std::string& name, index x) {
    return m.dropout ? b.apply<op::dropout>(name, {x}) : x;
}

/// A residual sum: `x` and what the block made of it, after dropout.
inline index residual(graph_builder& b, const transformer& m, const std::string& name, index x, index y) {
    return b.apply<op::add>(name, {x, dropout(b, m, name + ".dropout", y)});
}

/// Two linear layers with an activation between them.
template <operator_descriptor Activation>
index feed_forward(graph_builder& b, const transformer& m, const std::string& name, index x) {
    const index wide = linear(b, name + ".up", x, m.hidden, m.feed_forward);
    return linear(b, name + ".down", b.apply<Activation>(name + ".activation", {wide}), m.feed_forward,
                  m.hidden);
}

/// The causal mask: zero up to the diagonal, minus infinity after it.
inline index causal_mask(graph_builder& b, const transformer& m) {
    return b.buffer("mask", {m.sequence, m.sequence});
}

/// Tokens by a table that is returned as well, for a tied head. \returns {embedded tokens, table}.
inline std::pair<index, index> embed(graph_builder& b, const transformer& m, std::int64_t batch) {
    const std::int64_t width = m.word_embedding != 0 ? m.word_embedding : m.hidden;
    const index ids = b.input("input_ids", {batch, m.sequence}, element_type::int64);
    const index table = b.parameter("embedding.word", {m.vocabulary, width});
    return {b.apply<op::gather>("embedding.words", {table, ids}), table};
}

/// The learned positions [sequence, hidden] added to `x`.
inline index add_positions(graph_builder& b, const transformer& m, index x) {
    const index ids = b.buffer("position_ids", {m.sequence}, element_type::int64);
    const index table = b.parameter("embedding.position", {m.positions, m.hidden});
    return b.apply<op::add>("embedding.add", {x, b.apply<op::gather>("embedding.positions", {table, ids})});
}

/// The logits by the token table itself, transposed: it costs nothing and adds no parameter.
inline index tied_head(graph_builder& b, index x, index table) {
    return b.apply<op::mat_mul>("head",
                                {x, b.apply<op::transpose>("head.weight", {table}, permutation({1, 0}))});
}

} // namespace dovetail::workload::zoo

namespace dovetail::workload::zoo {

/// What distinguishes one attention block from another.
struct attention_block {
    bool fused = false; ///< one product gives queries, keys and values
    bool bias = true;
    index mask = none;   ///< added to the scores: [sequence, sequence] or [batch, 1, 1, sequence]
    index cosine = none; ///< rotary table [sequence, head_dim / 2]; none for learned positions
    index sine = none;
};

namespace detail {

/// [batch, sequence, hidden] as [batch, heads, ...] in the given order of the four axes.
inline index to_heads(graph_builder& b, const transformer& m, const std::string& name, index x,
                      std::vector<std::int64_t> order) {
    const index shape = b.integers(name + ".shape", {0, 0, m.heads, m.head_dim()});
    return b.apply<op::transpose>(name + ".heads", {b.apply<op::reshape>(name + ".split", {x, shape})},
                                  permutation(std::move(order)));
}

/// Rotates the two halves of every head by the angle of its position; `x` is [batch, heads, sequence,
/// head_dim].
inline index rotate(graph_builder& b, const transformer& m, const std::string& name, index x,
                    const attention_block& block) {
    const index sizes = b.integers(name + ".sizes", {m.head_dim() / 2, m.head_dim() / 2});
    const std::vector<index> half = b.apply_all<op::split>(name + ".halves", {x, sizes}, on_axis(-1));
    if (half.size() != 2) return none;
    const auto times = [&](const char* part, index a, index table) {
        return b.apply<op::mul>(name + part, {a, table});
    };
    const index real = b.apply<op::sub>(
        name + ".real", {times(".xc", half[0], block.cosine), times(".ys", half[1], block.sine)});
    const index imaginary = b.apply<op::add>(
        name + ".imaginary", {times(".xs", half[0], block.sine), times(".yc", half[1], block.cosine)});
    return b.apply<op::concat>(name + ".rotated", {real, imaginary}, on_axis(-1));
}

/// Queries, keys and values, each [batch, sequence, hidden].
inline std::vector<index> projections(graph_builder& b, const transformer& m, const std::string& name,
                                      index x, const attention_block& block) {
    if (!block.fused)
        return {linear(b, name + ".query", x, m.hidden, m.hidden, block.bias),
                linear(b, name + ".key", x, m.hidden, m.hidden, block.bias),
                linear(b, name + ".value", x, m.hidden, m.hidden, block.bias)};
    const index joined = linear(b, name + ".qkv", x, m.hidden, 3 * m.hidden, block.bias);
    const index sizes = b.integers(name + ".qkv.sizes", {m.hidden, m.hidden, m.hidden});
    std::vector<index> parts = b.apply_all<op::split>(name + ".qkv.parts", {joined, sizes}, on_axis(-1));
    parts.resize(3, none);
    return parts;
}

} // namespace detail

/// Softmax attention and its output projection; `x` and the result are [batch, sequence, hidden].
inline index attention(graph_builder& b, const transformer& m, const std::string& name, index x,
                       const attention_block& block) {
    const std::vector<index> qkv = detail::projections(b, m, name, x, block);
    index query = detail::to_heads(b, m, name + ".query", qkv[0], {0, 2, 1, 3});
    index key = none;
    if (block.cosine == none) {
        key = detail::to_heads(b, m, name + ".key", qkv[1], {0, 2, 3, 1});
    } else {
        query = detail::rotate(b, m, name + ".query", query, block);
        key = detail::to_heads(b, m, name + ".key", qkv[1], {0, 2, 1, 3});
        key = b.apply<op::transpose>(name + ".key.turned", {detail::rotate(b, m, name + ".key", key, block)},
                                     permutation({0, 1, 3, 2}));
    }
    const index value = detail::to_heads(b, m, name + ".value", qkv[2], {0, 2, 1, 3});

    const index scale = b.scalar(name + ".scale", 1 / std::sqrt(static_cast<double>(m.head_dim())));
    index scores =
        b.apply<op::mul>(name + ".scaled", {b.apply<op::mat_mul>(name + ".scores", {query, key}), scale});
    scores = b.apply<op::add>(name + ".masked", {scores, block.mask});
    const index weights = b.apply<op::softmax>(name + ".weights", {scores}, on_axis(-1));
    const index context =
        b.apply<op::mat_mul>(name + ".context", {dropout(b, m, name + ".dropout", weights), value});
    const index turned = b.apply<op::transpose>(name + ".turned", {context}, permutation({0, 2, 1, 3}));
    const index joined = b.apply<op::reshape>(name + ".joined",
                                              {turned, b.integers(name + ".joined.shape", {0, 0, m.hidden})});
    return linear(b, name + ".out", joined, m.hidden, m.hidden, block.bias);
}

} // namespace dovetail::workload::zoo

namespace dovetail::workload::zoo {

/// BERT (Devlin et al., 2019) with its masked-language-model head; the next-sentence head is left out. As
/// published it normalises after the embeddings and after each residual sum. Megatron-LM's (Shoeybi et al.,
/// 2019) normalises before each block and after the last layer instead, and fuses its projections.
/// \returns the graph of one pass over `batch` sequences, or errc::out_of_range for an empty batch.
inline result<operator_graph> bert(const transformer& m, std::int64_t batch) {
    constexpr std::int64_t token_types = 2;
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.fused = m.pre_norm,
                                .mask = b.input("attention_mask", {batch, 1, 1, m.sequence})};
    const auto [words, table] = embed(b, m, batch);
    const index type_ids = b.input("token_type_ids", {batch, m.sequence}, element_type::int64);
    const index types = b.apply<op::gather>(
        "embedding.types", {b.parameter("embedding.type", {token_types, m.hidden}), type_ids});
    index x = b.apply<op::add>("embedding.typed", {add_positions(b, m, words), types});
    if (!m.pre_norm) x = layer_norm(b, "embedding.norm", x, m.hidden);
    x = dropout(b, m, "embedding.dropout", x);
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        const auto before = [&](const char* name, index y) {
            return m.pre_norm ? layer_norm(b, layer + name, y, m.hidden) : y;
        };
        const auto after = [&](const char* name, index y) {
            return m.pre_norm ? y : layer_norm(b, layer + name, y, m.hidden);
        };
        index y = attention(b, m, layer + ".attention", before(".norm1", x), block);
        x = after(".norm1", residual(b, m, layer + ".residual1", x, y));
        y = feed_forward<op::gelu>(b, m, layer + ".mlp", before(".norm2", x));
        x = after(".norm2", residual(b, m, layer + ".residual2", x, y));
    }
    if (m.pre_norm) x = layer_norm(b, "norm", x, m.hidden);
    x = b.apply<op::gelu>("head.gelu", {linear(b, "head.transform", x, m.hidden, m.hidden)});
    const index scores = tied_head(b, layer_norm(b, "head.norm", x, m.hidden), table);
    b.output(b.apply<op::add>("head.add", {scores, b.parameter("head.bias", {m.vocabulary})}));
    return std::move(b).finish();
}

} // namespace dovetail::workload::zoo

/// \file
/// Decoders with learned positions: GPT and OPT.

namespace dovetail::workload::zoo {

/// GPT-2 and GPT-3 (Radford et al., 2019; Brown et al., 2020): fused projections, normalised before each
/// block and once at the end, GELU, tied head. \returns the graph of one pass over `batch` sequences, or
/// errc::out_of_range for an empty batch.
inline result<operator_graph> gpt(const transformer& m, std::int64_t batch) {
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.fused = true, .mask = causal_mask(b, m)};
    const auto [words, table] = embed(b, m, batch);
    index x = dropout(b, m, "embedding.dropout", add_positions(b, m, words));
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        index y = layer_norm(b, layer + ".norm1", x, m.hidden);
        y = attention(b, m, layer + ".attention", y, block);
        x = residual(b, m, layer + ".residual1", x, y);
        y = layer_norm(b, layer + ".norm2", x, m.hidden);
        y = feed_forward<op::gelu>(b, m, layer + ".mlp", y);
        x = residual(b, m, layer + ".residual2", x, y);
    }
    b.output(tied_head(b, layer_norm(b, "norm", x, m.hidden), table));
    return std::move(b).finish();
}

/// OPT (Zhang et al., 2022) at 350M: separate projections, ReLU, normalised after each residual sum, a token
/// table narrower than the hidden size with a projection on either side of the layers, tied head. \returns as
/// `gpt`.
inline result<operator_graph> opt(const transformer& m, std::int64_t batch) {
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.mask = causal_mask(b, m)};
    const auto [words, table] = embed(b, m, batch);
    const index widened = linear(b, "project_in", words, m.word_embedding, m.hidden, false);
    index x = add_positions(b, m, widened);
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        index y = attention(b, m, layer + ".attention", x, block);
        x = layer_norm(b, layer + ".norm1", residual(b, m, layer + ".residual1", x, y), m.hidden);
        y = feed_forward<op::relu>(b, m, layer + ".mlp", x);
        x = layer_norm(b, layer + ".norm2", residual(b, m, layer + ".residual2", x, y), m.hidden);
    }
    b.output(tied_head(b, linear(b, "project_out", x, m.hidden, m.word_embedding, false), table));
    return std::move(b).finish();
}

} // namespace dovetail::workload::zoo

/// \file
/// Decoders with rotary positions and gated feed-forward blocks: Llama.

namespace dovetail::workload::zoo {

/// Llama 2 (Touvron et al., 2023): RMS normalisation before each block, rotary positions, SiLU gate, no
/// biases, a head of its own. \returns the graph of one pass over `batch` sequences, or errc::out_of_range
/// for an empty batch.
inline result<operator_graph> llama(const transformer& m, std::int64_t batch) {
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.bias = false,
                                .mask = causal_mask(b, m),
                                .cosine = b.buffer("rotary.cosine", {m.sequence, m.head_dim() / 2}),
                                .sine = b.buffer("rotary.sine", {m.sequence, m.head_dim() / 2})};
    const auto norm = [&](const std::string& name, index x) {
        return b.apply<op::rms_normalization>(name, {x, b.parameter(name + ".scale", {m.hidden})});
    };
    index x = embed(b, m, batch).first;
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        const index attended = attention(b, m, layer + ".attention", norm(layer + ".norm1", x), block);
        x = residual(b, m, layer + ".residual1", x, attended);
        const index y = norm(layer + ".norm2", x);
        const index gate = b.apply<op::swish>(
            layer + ".mlp.silu", {linear(b, layer + ".mlp.gate", y, m.hidden, m.feed_forward, false)});
        const index up = linear(b, layer + ".mlp.up", y, m.hidden, m.feed_forward, false);
        const index down = linear(b, layer + ".mlp.down", b.apply<op::mul>(layer + ".mlp.gated", {gate, up}),
                                  m.feed_forward, m.hidden, false);
        x = residual(b, m, layer + ".residual2", x, down);
    }
    b.output(linear(b, "head", norm("norm", x), m.hidden, m.vocabulary, false));
    return std::move(b).finish();
}

} // namespace dovetail::workload::zoo

namespace dovetail::workload {

namespace zoo {

/// A model of the zoo: its dimensions, its architecture, and the tensor-parallel widths tried by default.
struct model_entry {
    transformer dimensions;
    result<operator_graph> (*build)(const transformer&, std::int64_t batch) = nullptr;
    std::array<std::int64_t, 4> widths{1};
    std::size_t width_count = 1;
};

/// The models. Dimensions are those of the published configurations; the widths of the Megatron models are
/// those that PHAZE tries (Wang et al., ICML 2024). Megatron pads its vocabularies to a multiple of 128 times
/// the tensor width; here they are padded once: 50,257 to 51,200, and the cased 28,996 to 29,056.
inline constexpr std::array<model_entry, 8> models{{
    {.dimensions = {.name = "bert-large",
                    .layers = 24,
                    .hidden = 1024,
                    .heads = 16,
                    .sequence = 512,
                    .feed_forward = 4096,
                    .vocabulary = 30522,
                    .positions = 512,
                    .pre_norm = false},
     .build = bert},
    {.dimensions = {.name = "gpt2-xl",
                    .layers = 48,
                    .hidden = 1600,
                    .heads = 25,
                    .sequence = 1024,
                    .feed_forward = 6400,
                    .vocabulary = 50257,
                    .positions = 1024},
     .build = gpt},
    {.dimensions = {.name = "opt-350m",
                    .layers = 24,
                    .hidden = 1024,
                    .heads = 16,
                    .sequence = 2048,
                    .feed_forward = 4096,
                    .vocabulary = 50272,
                    .positions = 2050,
                    .word_embedding = 512,
                    .pre_norm = false},
     .build = opt},
    {.dimensions = {.name = "llama2-7b",
                    .layers = 32,
                    .hidden = 4096,
                    .heads = 32,
                    .sequence = 4096,
                    .feed_forward = 11008,
                    .vocabulary = 32000,
                    .dropout = false},
     .build = llama},
    {.dimensions = {.name = "megatron-bert",
                    .layers = 24,
                    .hidden = 1024,
                    .heads = 16,
                    .sequence = 512,
                    .feed_forward = 4096,
                    .vocabulary = 29056,
                    .positions = 512},
     .build = bert,
     .widths = {1, 2, 4, 8},
     .width_count = 4},
    {.dimensions = {.name = "megatron-gpt2-2.5b",
                    .layers = 54,
                    .hidden = 1920,
                    .heads = 20,
                    .sequence = 1024,
                    .feed_forward = 7680,
                    .vocabulary = 51200,
                    .positions = 1024},
     .build = gpt,
     .widths = {1, 2, 4},
     .width_count = 3},
    {.dimensions = {.name = "megatron-gpt2-8.3b",
                    .layers = 72,
                    .hidden = 3072,
                    .heads = 24,
                    .sequence = 1024,
                    .feed_forward = 12288,
                    .vocabulary = 51200,
                    .positions = 1024},
     .build = gpt,
     .widths = {1, 2, 4, 8},
     .width_count = 4},
    {.dimensions = {.name = "gpt3-175b",
                    .layers = 96,
                    .hidden = 12288,
                    .heads = 96,
                    .sequence = 2048,
                    .feed_forward = 49152,
                    .vocabulary = 51200,
                    .positions = 2048},
     .build = gpt,
     .widths = {4, 8},
     .width_count = 2},
}};

/// The entry called `name`, or null.
[[nodiscard]] constexpr const model_entry* find(std::string_view name) {
    const auto found = std::find_if(models.begin(), models.end(),
                                    [&](const model_entry& entry) { return entry.dimensions.name == name; });
    return found == models.end() ? nullptr : &*found;
}

} // namespace zoo

/// The names that `make_model` takes.
[[nodiscard]] inline std::vector<std::string_view> zoo_names() {
    std::vector<std::string_view> names;
    for (const zoo::model_entry& entry : zoo::models) names.push_back(entry.dimensions.name);
    return names;
}

/// The tensor-parallel widths tried for a model of the zoo by default; {1} for any other name.
[[nodiscard]] constexpr std::span<const std::int64_t> default_tensor_widths(std::string_view name) {
    constexpr const std::array<std::int64_t, 4>& unsplit = zoo::models[0].widths;
    const zoo::model_entry* entry = zoo::find(name);
    return entry == nullptr ? std::span(unsplit).first(1)
                            : std::span(entry->widths).first(entry->width_count);
}

/// The forward graph of a model of the zoo, one pass over `batch` sequences.
/// \returns errc::unknown_name with the known names, or errc::out_of_range for an empty batch.
[[nodiscard]] inline result<operator_graph> make_model(std::string_view name, std::int64_t batch) {
    if (const zoo::model_entry* entry = zoo::find(name)) return entry->build(entry->dimensions, batch);
    std::string known;
    for (const std::string_view other : zoo_names())
        known += (known.empty() ? "" : ", ") + std::string(other);
    return error{errc::unknown_name, "model '" + std::string(name) + "'", "no model of the zoo has this name",
                 "known are " + known};
}

} // namespace dovetail::workload

/// \file
/// Families of accelerators, and clusters of them.

/// \file
/// One design: the cores, the global buffer, and nothing else.

namespace dovetail::hardware {

/// A point of a parameter space, with its values known at run time.
///
/// `num_tc` tensor cores are arrays of `depth` x `width` multiply-accumulate units: the reduction runs along
/// the depth, the columns of the result along the width. `num_vc` vector cores have `width_vc` lanes each.
/// All of them share one global buffer.
struct accelerator {
    std::int64_t num_tc = 0;
    std::int64_t num_vc = 0;
    std::int64_t width = 0;
    std::int64_t depth = 0;
    std::int64_t width_vc = 0;
    std::int64_t glb_bytes = 0;

    friend constexpr bool operator==(const accelerator&, const accelerator&) = default;
};

/// Anything with the six axes, as data or as static constants: cost kernels take every model of it.
template <class Chip>
concept accelerator_like = requires(const Chip& chip) {
    { chip.num_tc } -> std::convertible_to<std::int64_t>;
    { chip.num_vc } -> std::convertible_to<std::int64_t>;
    { chip.width } -> std::convertible_to<std::int64_t>;
    { chip.depth } -> std::convertible_to<std::int64_t>;
    { chip.width_vc } -> std::convertible_to<std::int64_t>;
    { chip.glb_bytes } -> std::convertible_to<std::int64_t>;
};

/// A design whose axes are constants of its type, so that kernels fold them into their code.
template <std::int64_t NumTc, std::int64_t NumVc, std::int64_t Width, std::int64_t Depth,
          std::int64_t WidthVc, std::int64_t GlbBytes>
struct fixed_accelerator {
    static constexpr std::int64_t num_tc = NumTc;
    static constexpr std::int64_t num_vc = NumVc;
    static constexpr std::int64_t width = Width;
    static constexpr std::int64_t depth = Depth;
    static constexpr std::int64_t width_vc = WidthVc;
    static constexpr std::int64_t glb_bytes = GlbBytes;
};

/// The design `Point` with its axes as constants of the type.
template <accelerator Point>
using fix =
    fixed_accelerator<Point.num_tc, Point.num_vc, Point.width, Point.depth, Point.width_vc, Point.glb_bytes>;

/// The same design with its axes as data.
template <accelerator_like Chip>
[[nodiscard]] constexpr accelerator as_point(const Chip& chip) noexcept {
    return {.num_tc = chip.num_tc,
            .num_vc = chip.num_vc,
            .width = chip.width,
            .depth = chip.depth,
            .width_vc = chip.width_vc,
            .glb_bytes = chip.glb_bytes};
}

/// Multiply-accumulate units of all tensor cores.
template <accelerator_like Chip>
[[nodiscard]] constexpr std::int64_t tensor_macs(const Chip& chip) noexcept {
    return chip.num_tc * chip.width * chip.depth;
}

/// Lanes of all vector cores.
template <accelerator_like Chip>
[[nodiscard]] constexpr std::int64_t vector_lanes(const Chip& chip) noexcept {
    return chip.num_vc * chip.width_vc;
}

} // namespace dovetail::hardware

/// \file
/// Silicon area of a design, in closed form over the tables of a technology.

/// \file
/// What all designs of a family share: clock, element size, bandwidths, and the memory that comes with a
/// core.

namespace dovetail::hardware {

/// The constants of a family, as static members of a type. A word is one element of `element_bytes`; every
/// on-chip bandwidth is in words a cycle and holds for reading and, through a second port, for writing.
template <class P>
concept platform = requires(std::int64_t macs) {
    { P::clock_hz } -> std::convertible_to<double>;
    { P::element_bytes } -> std::convertible_to<std::int64_t>;
    { P::partial_sum_bytes } -> std::convertible_to<std::int64_t>;
    { P::local_words_per_cycle } -> std::convertible_to<double>;       // of each core
    { P::global_words_per_cycle } -> std::convertible_to<double>;      // of the chip
    { P::hbm_bytes_per_s } -> std::convertible_to<double>;             // of the chip
    { P::tensor_register_bytes } -> std::convertible_to<std::int64_t>; // of each MAC
    { P::vector_register_bytes } -> std::convertible_to<std::int64_t>; // of each lane
    { P::local_buffer_bytes(macs) } -> std::same_as<std::int64_t>;     // of a core of so many MACs or lanes
};

/// The constants of PHAZE (Wang et al., ICML 2024), with bandwidths that a chip of today has.
struct phaze_platform {
    /// PHAZE's cycle; its TPUv4-like point then peaks at TPUv4's public 275 TFLOP/s.
    static constexpr double clock_hz = 1.05e9;
    /// bfloat16 operands and results (PHAZE: 16 bit).
    static constexpr std::int64_t element_bytes = 2;
    /// Products of bfloat16 are summed in float32, as TPUs do (Jouppi et al., ISCA 2021).
    static constexpr std::int64_t partial_sum_bytes = 4;
    /// PHAZE's 64 words read and 64 written, per core rather than per chip: a chip total would make the
    /// number of cores irrelevant.
    static constexpr double local_words_per_cycle = 64;
    /// The global buffer's port in the course edition of PHAZE (sitar-lab, GLB_BUFFER_BW).
    static constexpr double global_words_per_cycle = 4096;
    /// TPUv4's memory: 1,200 GB/s a chip (Jouppi et al., ISCA 2023, table 4).
    static constexpr double hbm_bytes_per_s = 1.2e12;
    /// PHAZE: register file of a multiply-accumulate unit, 16 weights.
    static constexpr std::int64_t tensor_register_bytes = 32;
    /// PHAZE: registers of a vector lane.
    static constexpr std::int64_t vector_register_bytes = 12;

    /// PHAZE's private buffer of a core with `macs` units (width x depth) or lanes (width x 1).
    [[nodiscard]] static constexpr std::int64_t local_buffer_bytes(std::int64_t macs) noexcept {
        return std::max<std::int64_t>(1024, 16 * macs);
    }
};

static_assert(platform<phaze_platform>);

/// The fastest that the tensor cores of `chip` can go, in FLOP/s (a multiply-accumulate is two).
template <platform P, class Chip>
[[nodiscard]] constexpr double peak_flops(const Chip& chip) noexcept {
    return 2.0 * static_cast<double>(chip.num_tc) * static_cast<double>(chip.width) *
           static_cast<double>(chip.depth) * P::clock_hz;
}

} // namespace dovetail::hardware

namespace dovetail::hardware {

/// Areas of the building blocks in um^2. A size that the technology does not know has no area: never zero.
template <class T>
concept technology = requires(std::int64_t bytes) {
    { T::mac_um2 } -> std::convertible_to<double>;                 // one MAC, of a tensor or a vector core
    { T::registers_um2(bytes) } -> std::same_as<double>;           // the register file of one MAC or lane
    { T::sram_um2(bytes) } -> std::same_as<std::optional<double>>; // a buffer of exactly `bytes`
};

/// Where the area of a design goes, in um^2.
struct area_breakdown {
    double tensor_cores_um2 = 0;
    double vector_cores_um2 = 0;
    double global_buffer_um2 = 0;

    [[nodiscard]] constexpr double total_um2() const noexcept {
        return tensor_cores_um2 + vector_cores_um2 + global_buffer_um2;
    }
};

namespace detail {

template <technology T, platform P>
constexpr std::optional<double> core_um2(std::int64_t macs, std::int64_t register_bytes) noexcept {
    const auto buffer = T::sram_um2(P::local_buffer_bytes(macs));
    if (!buffer) return std::nullopt;
    return static_cast<double>(macs) * (T::mac_um2 + T::registers_um2(register_bytes)) + *buffer;
}

} // namespace detail

/// Area of `chip`: cores with their registers and private buffers, and the global buffer; or nothing where
/// the technology has no buffer of a size that occurs. HBM, its interface and the network on chip are not
/// counted. \complexity O(1). Source: PHAZE's sum rule, with the register and buffer sizes of `P`.
template <technology T, platform P, accelerator_like Chip>
[[nodiscard]] constexpr std::optional<area_breakdown> area_of(const Chip& chip) noexcept {
    const auto tensor_core = detail::core_um2<T, P>(chip.width * chip.depth, P::tensor_register_bytes);
    const auto vector_core = detail::core_um2<T, P>(chip.width_vc, P::vector_register_bytes);
    const auto global_buffer = T::sram_um2(chip.glb_bytes);
    if (!tensor_core || !vector_core || !global_buffer) return std::nullopt;
    return area_breakdown{.tensor_cores_um2 = static_cast<double>(chip.num_tc) * *tensor_core,
                          .vector_cores_um2 = static_cast<double>(chip.num_vc) * *vector_core,
                          .global_buffer_um2 = *global_buffer};
}

} // namespace dovetail::hardware

/// \file
/// Axes of a grid of designs, and the map from a position in the grid to a design.

namespace dovetail::hardware {

/// The powers of two from `Largest` down to `Smallest`, both included.
template <std::int64_t Smallest, std::int64_t Largest>
    requires(Smallest > 0 && Smallest <= Largest)
[[nodiscard]] consteval auto powers_of_two() {
    constexpr std::size_t count = [] {
        std::size_t n = 0;
        for (std::int64_t value = Smallest; value <= Largest; value *= 2) ++n;
        return n;
    }();
    std::array<std::int64_t, count> values{};
    std::int64_t value = Smallest;
    for (std::size_t i = count; i-- > 0; value *= 2) values[i] = value;
    return values;
}

/// The axes of a grid in the published order: the first varies slowest. A vector core is as wide as a tensor
/// core, as in PHAZE, so its width is no axis.
struct grid_axes {
    std::span<const std::int64_t> num_tc;
    std::span<const std::int64_t> num_vc;
    std::span<const std::int64_t> width;
    std::span<const std::int64_t> depth;
    std::span<const std::int64_t> glb_bytes;

    /// Designs of the grid.
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        return num_tc.size() * num_vc.size() * width.size() * depth.size() * glb_bytes.size();
    }

    /// The design at `position` < `size()`. \complexity O(axes).
    [[nodiscard]] constexpr accelerator at(std::size_t position) const {
        const auto next = [&](std::span<const std::int64_t> values) {
            const std::int64_t value = values[position % values.size()];
            position /= values.size();
            return value;
        };
        accelerator chip;
        chip.glb_bytes = next(glb_bytes);
        chip.depth = next(depth);
        chip.width = next(width);
        chip.width_vc = chip.width;
        chip.num_vc = next(num_vc);
        chip.num_tc = next(num_tc);
        return chip;
    }
};

} // namespace dovetail::hardware

/// \file
/// Designs known by name, each with its source.

/// \file
/// The family of PHAZE (Wang et al., ICML 2024), written by hand: nothing but the standard library.

/// \file
/// The concept of a family of designs, and what every family offers.

namespace dovetail::hardware {

/// A family of designs: a numbered grid, a rule that keeps some of it, and the constants that all share.
///
/// A hand-written struct serves as well as a family described with ext/hana or one whose axes are known at
/// run time only.
template <class Space>
concept parameter_space = platform<typename Space::platform> && technology<typename Space::technology> &&
    requires(const Space& space, std::size_t position, const accelerator& chip) {
    { space.name() } -> std::convertible_to<std::string_view>;
    { space.size() } -> std::convertible_to<std::size_t>;      // of the grid
    { space[position] } -> std::convertible_to<accelerator>;   // position < size()
    { space.keeps(chip) } -> std::same_as<bool>;               // whether the rule keeps a design
    { space.reference() } -> std::convertible_to<accelerator>; // what others are compared with
};

/// The area of a design of `Space` [um^2], or nothing where its technology lacks a part.
template <parameter_space Space>
[[nodiscard]] constexpr std::optional<double> area_um2(const Space&, const accelerator& chip) {
    const auto parts = area_of<typename Space::technology, typename Space::platform>(chip);
    if (!parts) return std::nullopt;
    return parts->total_um2();
}

/// A design that a family keeps.
struct kept_design {
    std::size_t position = 0; ///< in the grid
    accelerator chip;
    double area_um2 = 0;
};

/// The designs that `space` keeps and that are no larger than `largest_um2`, in the order of the grid.
/// \returns errc::empty_space when there is none, naming what excludes them.
/// \complexity O(size).
template <parameter_space Space>
[[nodiscard]] result<std::vector<kept_design>>
kept_designs(const Space& space, double largest_um2 = std::numeric_limits<double>::infinity()) {
    std::vector<kept_design> kept;
    std::size_t kept_at_any_size = 0;
    double smallest_um2 = std::numeric_limits<double>::infinity();
    for (std::size_t position = 0; position < space.size(); ++position) {
        const accelerator chip = space[position];
        if (!space.keeps(chip)) continue;
        const auto area = area_um2(space, chip);
        if (!area) continue;
        ++kept_at_any_size;
        smallest_um2 = *area < smallest_um2 ? *area : smallest_um2;
        if (*area <= largest_um2) kept.push_back({position, chip, *area});
    }
    if (!kept.empty()) return kept;
    const std::string place = "family " + std::string(space.name());
    if (space.size() == 0)
        return error{errc::empty_space, place, "an axis has no value", "every axis has at least one"};
    if (kept_at_any_size == 0)
        return error{errc::empty_space, place,
                     "its rule keeps none of its " + to_text(space.size()) + " designs",
                     "widen its axes or its limits"};
    return error{errc::empty_space, place,
                 "no design is within the area limit of " + to_text(largest_um2 / um2_per_mm2, 6) + " mm^2",
                 "the smallest takes " + to_text(smallest_um2 / um2_per_mm2, 6) + " mm^2"};
}

} // namespace dovetail::hardware

/// \file
/// The published 22 nm technology of PHAZE: areas of MACs, registers and SRAMs.

namespace dovetail::hardware {

namespace detail {

/// Scales a 45 nm, 32-bit table entry to 22 nm (251/600) and 16 bit (1/2), and rounds it to the six decimals
/// with which the published tables carry it on.
[[nodiscard]] constexpr double published(double table_um2) {
    return static_cast<double>(static_cast<std::int64_t>(table_um2 * (251.0 / 1200.0) * 1e6 + 0.5)) / 1e6;
}

} // namespace detail

/// PHAZE's areas, reproduced exactly so that its 29,360 published configurations come out to the last digit.
///
/// \warning The MAC areas are known to be about 1.66 times too large. The published scale from 45 nm to 22 nm
/// is 251/600, a table interpolated the wrong way round where 0.2517 is right; it is kept here since it is
/// part of the published family, and no other technology should inherit it.
struct phaze_technology {
    /// Accelergy's table plug-in: `intmac`, 45 nm, 32 bit, two stages, 3632 um^2.
    static constexpr double mac_um2 = detail::published(3632.0);

    /// Accelergy's table plug-in: `regfile`, 45 nm, 32 bit, 0.104 um^2 a word; a scaled word has two bytes.
    [[nodiscard]] static constexpr double registers_um2(std::int64_t bytes) noexcept {
        const std::int64_t words = bytes / 2;
        return detail::published(0.104 * static_cast<double>(words));
    }

    /// CACTI 7 at 22 nm: 64-bit words, two read-write ports, four banks, least leakage. Powers of two from
    /// 1 KiB to 128 MiB; nothing for any other size.
    [[nodiscard]] static constexpr std::optional<double> sram_um2(std::int64_t bytes) noexcept {
        constexpr std::array table{6133.98,   8248.43,    12610.5,    22139.9,    38583.0,    63338.4,
                                   115579.0,  204764.0,   446565.0,   897890.0,   1634130.0,  3338220.0,
                                   6078640.0, 11952400.0, 23745200.0, 46750900.0, 88605700.0, 175423000.0};
        if (bytes < kibibyte || !std::has_single_bit(static_cast<std::uint64_t>(bytes))) return std::nullopt;
        const auto entry =
            static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(bytes / kibibyte)));
        if (entry >= table.size()) return std::nullopt;
        return table[entry];
    }
};

static_assert(technology<phaze_technology>);

} // namespace dovetail::hardware

namespace dovetail::hardware {

/// TPUv4-like: 8 tensor cores of 128 x 128, 2 vector cores of 128 lanes, 128 MiB.
inline constexpr accelerator tpuv4_like{
    .num_tc = 8, .num_vc = 2, .width = 128, .depth = 128, .width_vc = 128, .glb_bytes = 128 * mebibyte};

/// PHAZE's rule: no larger than a reference design, and at least 0.3 times as large unless it has a single
/// core of either type.
template <technology T, platform P, accelerator Reference>
struct phaze_rule {
    static constexpr double largest_um2 = area_of<T, P>(Reference)->total_um2();
    static constexpr double smallest_um2 = 0.3 * largest_um2;

    [[nodiscard]] static constexpr bool keeps(const accelerator& chip) {
        const auto area = area_of<T, P>(chip);
        if (!area || area->total_um2() > largest_um2) return false;
        return area->total_um2() >= smallest_um2 || chip.num_tc == 1 || chip.num_vc == 1;
    }
};

/// 75,712 designs, of which the rule keeps 29,360.
struct phaze_family {
    using platform = phaze_platform;
    using technology = phaze_technology;
    using rule = phaze_rule<technology, platform, tpuv4_like>;

    static constexpr auto cores = powers_of_two<1, 4096>();
    static constexpr auto extents = powers_of_two<2, 256>();
    static constexpr auto buffers = powers_of_two<2 * mebibyte, 128 * mebibyte>();
    static constexpr grid_axes axes{
        .num_tc = cores, .num_vc = cores, .width = extents, .depth = extents, .glb_bytes = buffers};

    [[nodiscard]] static constexpr std::string_view name() noexcept { return "phaze"; }
    [[nodiscard]] static constexpr std::size_t size() noexcept { return axes.size(); }
    [[nodiscard]] constexpr accelerator operator[](std::size_t position) const { return axes.at(position); }
    [[nodiscard]] static constexpr bool keeps(const accelerator& chip) { return rule::keeps(chip); }
    [[nodiscard]] static constexpr accelerator reference() noexcept { return tpuv4_like; }
};

static_assert(parameter_space<phaze_family>);

} // namespace dovetail::hardware

namespace dovetail::hardware {

/// A design with a name, and where its numbers come from.
struct known_design {
    std::string_view name;
    accelerator chip;
    std::string_view source;
};

/// The catalogue. The names say "like": the counts and sizes are those of the chip, the template is PHAZE's.
inline constexpr std::array known_designs{
    known_design{
        "tpuv2-like",
        {2, 2, 128, 128, 128, 32 * mebibyte},
        "course edition of PHAZE (sitar-lab, 2026); 2 cores of 128 x 128 as in Jouppi et al., CACM 2020"},
    known_design{
        "tpuv3-like",
        {4, 2, 128, 128, 128, 32 * mebibyte},
        "course edition of PHAZE (sitar-lab, 2026); 4 cores of 128 x 128 as in Jouppi et al., CACM 2020"},
    known_design{"tpuv4-like", tpuv4_like, "PHAZE (Wang et al., ICML 2024): the area cap of its family"}};

/// The design of a name.
/// \returns errc::unknown_name, listing the names that are known.
[[nodiscard]] inline result<accelerator> find_design(std::string_view name) {
    std::string names;
    for (const known_design& known : known_designs) {
        if (known.name == name) return known.chip;
        names += names.empty() ? "" : ", ";
        names += known.name;
    }
    return error{errc::unknown_name, "design '" + std::string(name) + "'", "it is not in the catalogue",
                 "known are " + names};
}

} // namespace dovetail::hardware

/// \file
/// Many equal devices and the links between them.

namespace dovetail::hardware {

/// A cluster without topology: every device sends at `link_bytes_per_s` to any other.
struct cluster {
    std::int64_t devices = 1024;
    double hbm_bytes = 80.0 * static_cast<double>(gibibyte);
    double link_bytes_per_s = 4.0 * static_cast<double>(gibibyte); ///< PHAZE: PCIe 3.0
};

/// \returns errc::out_of_range for no device, or a memory or bandwidth that is not positive and finite.
[[nodiscard]] inline result<void> validate(const cluster& c) {
    if (c.devices < 1)
        return error{errc::out_of_range, "cluster", "it has " + to_text(c.devices) + " devices",
                     "give at least 1"};
    const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
    if (!positive(c.hbm_bytes))
        return error{errc::out_of_range, "cluster",
                     "a device has " + to_text(c.hbm_bytes) + " bytes of memory",
                     "the memory is positive and finite"};
    if (!positive(c.link_bytes_per_s))
        return error{errc::out_of_range, "cluster",
                     "a link sends " + to_text(c.link_bytes_per_s) + " bytes/s",
                     "the bandwidth is positive and finite"};
    return {};
}

} // namespace dovetail::hardware

/// \file
/// A design as text: "num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128".

namespace dovetail::hardware {

/// Reads a design. Every axis is given once, in any order; `width_vc` may be left out and is then the width.
/// \returns errc::parse or errc::out_of_range, naming the axis.
[[nodiscard]] inline result<accelerator> parse_point(std::string_view text) {
    struct axis {
        std::string_view name;
        std::int64_t accelerator::*member;
        std::int64_t unit;
    };
    constexpr std::array<axis, 6> axes{{{"num_tc", &accelerator::num_tc, 1},
                                        {"num_vc", &accelerator::num_vc, 1},
                                        {"width", &accelerator::width, 1},
                                        {"depth", &accelerator::depth, 1},
                                        {"width_vc", &accelerator::width_vc, 1},
                                        {"glb_mib", &accelerator::glb_bytes, mebibyte}}};
    const std::string place = "design '" + std::string(text) + "'";
    accelerator chip;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t comma = rest.find(',');
        const std::string_view item = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        const std::size_t equals = item.find('=');
        const std::string_view name = item.substr(0, equals);
        const axis* found = nullptr;
        for (const axis& a : axes)
            if (a.name == name) found = &a;
        if (found == nullptr || equals == std::string_view::npos)
            return error{errc::parse, place, "'" + std::string(item) + "' is not an axis with a value",
                         "axes are num_tc, num_vc, width, depth, width_vc and glb_mib, each as name=value"};
        const auto value = parse_number<std::int64_t>(item.substr(equals + 1));
        const auto scaled = value && *value > 0 ? checked_multiply(*value, found->unit) : std::nullopt;
        if (!scaled || chip.*found->member != 0)
            return error{errc::out_of_range, place, "'" + std::string(item) + "'",
                         "each axis is given once, as a positive integer"};
        chip.*found->member = *scaled;
    }
    if (chip.width_vc == 0) chip.width_vc = chip.width;
    for (const axis& a : axes)
        if (chip.*a.member == 0)
            return error{errc::parse, place, "the axis " + std::string(a.name) + " is missing",
                         "give every axis"};
    return chip;
}

} // namespace dovetail::hardware

/// \file
/// A family whose axes and limits are known at run time only.

namespace dovetail::hardware {

/// The values of every axis, in any order, and the limits of the area.
struct axis_values {
    std::vector<std::int64_t> num_tc;
    std::vector<std::int64_t> num_vc;
    std::vector<std::int64_t> width;
    std::vector<std::int64_t> depth;
    std::vector<std::int64_t> glb_bytes;
    double smallest_um2 = 0;
    double largest_um2 = std::numeric_limits<double>::infinity();
};

/// The grid over `axis_values`, each axis from largest to smallest, on platform `P` in technology `T`.
template <hardware::platform P, hardware::technology T>
class runtime_space {
public:
    using platform = P;
    using technology = T;

    /// \returns errc::empty_space for an axis without a value, errc::out_of_range for a value below 1 or
    /// given twice.
    [[nodiscard]] static result<runtime_space> make(std::string name, axis_values values,
                                                    const accelerator& reference) {
        runtime_space space(std::move(name), std::move(values), reference);
        const std::array<std::pair<const char*, std::vector<std::int64_t>*>, 5> axes{
            {{"num_tc", &space.values_.num_tc},
             {"num_vc", &space.values_.num_vc},
             {"width", &space.values_.width},
             {"depth", &space.values_.depth},
             {"glb_bytes", &space.values_.glb_bytes}}};
        for (const auto& [axis, list] : axes) {
            const std::string place = "family " + space.name_ + ": axis " + axis;
            if (list->empty()) return error{errc::empty_space, place, "it has no value", "give at least one"};
            std::sort(list->begin(), list->end(), std::greater<>{});
            if (list->back() < 1)
                return error{errc::out_of_range, place, "it has the value " + to_text(list->back()),
                             "values are at least 1"};
            if (const auto twice = std::adjacent_find(list->begin(), list->end()); twice != list->end())
                return error{errc::out_of_range, place, "it has the value " + to_text(*twice) + " twice",
                             "give every value once"};
        }
        if (!(space.values_.smallest_um2 <= space.values_.largest_um2))
            return error{errc::out_of_range, "family " + space.name_,
                         "its area limits are " + to_text(space.values_.smallest_um2) + " and " +
                             to_text(space.values_.largest_um2) + " um^2",
                         "the first is at most the second"};
        return space;
    }

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] std::size_t size() const noexcept { return axes().size(); }
    [[nodiscard]] accelerator operator[](std::size_t position) const { return axes().at(position); }
    [[nodiscard]] bool keeps(const accelerator& chip) const {
        const auto area = area_of<T, P>(chip);
        return area && area->total_um2() >= values_.smallest_um2 && area->total_um2() <= values_.largest_um2;
    }
    [[nodiscard]] accelerator reference() const noexcept { return reference_; }

private:
    runtime_space(std::string name, axis_values values, const accelerator& reference)
        : name_(std::move(name)), values_(std::move(values)), reference_(reference) {}

    [[nodiscard]] grid_axes axes() const noexcept {
        return {values_.num_tc, values_.num_vc, values_.width, values_.depth, values_.glb_bytes};
    }

    std::string name_;
    axis_values values_;
    accelerator reference_;
};

} // namespace dovetail::hardware

/// \file
/// What a workload costs on a piece of hardware.

/// \file
/// Collectives over links of equal bandwidth.

namespace dovetail::cost {

/// Seconds of a ring all-reduce of `bytes` among `devices`, each sending `link_bytes_per_s`: every device
/// sends 2 (n - 1) / n of the data (Patarasuk and Yuan, JPDC 69, 2009). Nothing for a single device.
[[nodiscard]] constexpr double ring_all_reduce_s(double bytes, std::int64_t devices,
                                                 double link_bytes_per_s) {
    DOVETAIL_ASSERT(devices >= 1 && bytes >= 0 && link_bytes_per_s > 0,
                    "a ring has a device and a bandwidth");
    const auto n = static_cast<double>(devices);
    return 2.0 * (n - 1.0) / n * bytes / link_bytes_per_s;
}

/// Seconds to send `bytes` from one device to another.
[[nodiscard]] constexpr double point_to_point_s(double bytes, double link_bytes_per_s) {
    DOVETAIL_ASSERT(bytes >= 0 && link_bytes_per_s > 0, "a link has a bandwidth");
    return bytes / link_bytes_per_s;
}

} // namespace dovetail::cost

/// \file
/// How many cores of its type an operator runs on.

namespace dovetail::cost {

/// An operator runs on one core, or is split over all cores of its types.
enum class core_mode : std::uint8_t { one_core, all_cores };

} // namespace dovetail::cost

/// \file
/// The prices of an operator on all designs of a family whose axes are constants.

/// \file
/// How long an operator, or a fused group, takes on a chip.

namespace dovetail::cost {

/// What an operator waits for.
enum class bound : std::uint8_t { nothing, tensor_core, vector_core, local_buffer, global_buffer, hbm };

/// The name of the bound.
[[nodiscard]] constexpr std::string_view to_string(bound b) noexcept {
    switch (b) {
    case bound::nothing:
        return "nothing";
    case bound::tensor_core:
        return "tensor core";
    case bound::vector_core:
        return "vector core";
    case bound::local_buffer:
        return "local buffer";
    case bound::global_buffer:
        return "global buffer";
    case bound::hbm:
        return "HBM";
    }
    return "unknown";
}

/// The time of an operator, and how long it keeps each part of the chip busy, in seconds.
struct estimate {
    double tensor_s = 0;
    double vector_s = 0;
    double local_s = 0;
    double global_s = 0;
    double hbm_s = 0;
    double fill_s = 0; ///< start-up that nothing overlaps

    double local_bytes = 0;  ///< read and written in the local buffers of all cores
    double global_bytes = 0; ///< read and written in the global buffer
    double hbm_bytes = 0;    ///< read and written in the HBM

    /// All parts work at the same time, double-buffered: the busiest sets the pace.
    [[nodiscard]] constexpr double latency_s() const noexcept {
        return std::max({tensor_s, vector_s, local_s, global_s, hbm_s}) + fill_s;
    }

    /// The busiest part.
    [[nodiscard]] constexpr bound bound_by() const noexcept {
        const double pace_s = latency_s() - fill_s;
        if (!(pace_s > 0)) return bound::nothing;
        if (tensor_s >= pace_s) return bound::tensor_core;
        if (vector_s >= pace_s) return bound::vector_core;
        if (hbm_s >= pace_s) return bound::hbm;
        if (global_s >= pace_s) return bound::global_buffer;
        return bound::local_buffer;
    }
};

/// The least time of several operators on one chip, whatever their order and however they overlap: the busy
/// time of the memories that all cores share.
///
/// An operator on one core is timed as if the global buffer and the HBM were its own. That is right when it
/// runs alone; when others run beside it, the schedule alone would let each of them use the whole bandwidth.
/// Every schedule needs at least the sum of what they move, so the longer of the schedule and of this sum
/// never counts a second of a shared memory twice. \param estimates  of the operators, each in the mode that
/// the schedule chose
[[nodiscard]] constexpr double shared_memory_s(std::span<const estimate> estimates) noexcept {
    double global_s = 0;
    double hbm_s = 0;
    for (const estimate& e : estimates) {
        global_s += e.global_s;
        hbm_s += e.hbm_s;
    }
    return std::max(global_s, hbm_s);
}

/// Prices the work of an operator on any chip. Laws: finite and non-negative; zero for no work; more cores,
/// lanes or buffer never slower; all cores never slower than one; never faster than the peak or than the HBM
/// allows.
template <class Model>
concept latency_model = requires(const Model& model, const workload::operator_work& work,
                                 const hardware::accelerator& chip, core_mode mode) {
    { model(work, chip, mode) } -> std::same_as<estimate>;
    { Model::element_bytes } -> std::convertible_to<double>;
};

} // namespace dovetail::cost

/// \file
/// The library's own latency model: compute, and the traffic of every memory level, in seconds.

/// \file
/// What a product fetches from the HBM again because the global buffer does not hold it.

namespace dovetail::cost {

namespace detail {

/// The largest integer whose square is at most `value` < 2^52. The standard library's square root is no
/// constant expression; both ways end in the same integer.
[[nodiscard]] constexpr double whole_square_root(double value) {
    double root = value;
    if (std::is_constant_evaluated()) {
        for (double next = (root + 1.0) / 2.0; next < root; next = (next + value / next) / 2.0) root = next;
    } else {
        root = std::sqrt(value);
    }
    root = static_cast<double>(static_cast<std::int64_t>(root));
    while (root * root > value) root -= 1.0;
    while ((root + 1.0) * (root + 1.0) <= value) root += 1.0;
    return root;
}

/// Blocks of at most `size` >= 1 that cover `extent`, both whole numbers below 2^53.
[[nodiscard]] constexpr double blocks(double extent, double size) {
    const double count = extent / size;
    const auto whole = static_cast<double>(static_cast<std::int64_t>(count));
    return whole < count ? whole + 1.0 : whole;
}

} // namespace detail

/// How often the operands of a product cross the border to a smaller memory, each counted in whole reads.
struct operand_reads {
    double rows_operand = 1;    ///< of the (rows x reduction) operand
    double columns_operand = 1; ///< of the (reduction x columns) operand
};

/// The fewest reads of the operands through a memory that keeps `kept_elements` of a product at a time, while
/// as many stream through it: the best of keeping a panel of either operand for the whole reduction, or a
/// block of partial sums of `sum_elements` elements each. Once each where an operand fits. \complexity O(1).
[[nodiscard]] constexpr operand_reads reads_through(const workload::contraction& product,
                                                    double kept_elements, double sum_elements) {
    const auto m = static_cast<double>(product.rows);
    const auto k = static_cast<double>(product.reduction);
    const auto n = static_cast<double>(product.columns);
    if (std::min(m, n) * k <= kept_elements) return {};
    operand_reads best;
    double least = std::numeric_limits<double>::infinity();
    const auto consider = [&](double rows_operand, double columns_operand) {
        const double elements = m * k * rows_operand + k * n * columns_operand;
        if (elements >= least) return;
        least = elements;
        best = {rows_operand, columns_operand};
    };
    const double sums = kept_elements / sum_elements;
    const double side = std::max(1.0, detail::whole_square_root(sums));
    // A block that spans all rows may be as much wider as it is lower, and the other way round.
    const auto spanning = [&](double extent) {
        return std::max(side, static_cast<double>(static_cast<std::int64_t>(sums / extent)));
    };
    consider(detail::blocks(n, spanning(m)), detail::blocks(m, spanning(n)));
    const auto panel = static_cast<double>(static_cast<std::int64_t>(kept_elements / k));
    if (panel >= 1) {
        consider(detail::blocks(n, panel), 1.0);
        consider(1.0, detail::blocks(m, panel));
    }
    return best;
}

/// Elements that a product reads from the HBM beyond once each, through a global buffer of `glb_bytes`, half
/// of which keeps a block while the other half streams.
///
/// \param operand_elements  the distinct elements of both operands. An implicit product of a convolution
/// names
///                          an input several times over; the HBM then has only its share.
template <hardware::platform P>
[[nodiscard]] constexpr double refetched_elements(const workload::contraction& product,
                                                  double operand_elements, std::int64_t glb_bytes) {
    constexpr double sum_elements =
        static_cast<double>(P::partial_sum_bytes) / static_cast<double>(P::element_bytes);
    const double kept = static_cast<double>(glb_bytes) / 2.0 / static_cast<double>(P::element_bytes);
    const operand_reads reads = reads_through(product, kept, sum_elements);
    const auto m = static_cast<double>(product.rows);
    const auto n = static_cast<double>(product.columns);
    // Both operands have the reduction and the batch in common: shares of m + n are shares of their elements.
    const double beyond = m * (reads.rows_operand - 1.0) + n * (reads.columns_operand - 1.0);
    return beyond > 0 ? operand_elements * beyond / (m + n) : 0.0;
}

} // namespace dovetail::cost

/// \file
/// Matrix products on weight-stationary arrays: cycles, and words at every level of the chip's memory.

namespace dovetail::cost {

/// Words that the rest of a fused group moves through the global buffer while the product runs.
struct words_beside {
    double read = 0;
    double written = 0;
};

/// What a product takes on the cores that it is mapped to: cycles of the slowest core, words of all of them.
struct product_cost {
    double array_cycles = 0; ///< streaming and weight loads
    double fill_cycles = 0;  ///< first load, fill and drain, which nothing overlaps
    double local_cycles = 0; ///< of each port of a core's buffer
    double local_words = 0;  ///< read from the local buffers; as many are written
    double global_words = 0; ///< read from the global buffer
    double result_words = 0; ///< written to the global buffer

    /// The time of the product, given that its words come in time from the HBM.
    template <hardware::platform P>
    [[nodiscard]] constexpr double cycles(const words_beside& beside = {}) const noexcept {
        const double global_cycles =
            std::max(global_words + beside.read, result_words + beside.written) / P::global_words_per_cycle;
        return std::max({array_cycles, local_cycles, global_cycles}) + fill_cycles;
    }
};

namespace detail {

/// The mappings of one product to arrays of one kind, and the best of them.
///
/// The units of work are the column tiles (`width` columns) of all batches; cores take whole units, and parts
/// of the rows. A core holds a group of weight tiles in one half of its registers, some column tiles by some
/// reduction tiles (`depth` rows of weights), and streams rows through them: a row is read once for all
/// column tiles held, and a partial sum is read and written once for all reduction tiles held. Meanwhile the
/// next group is loaded into the other half, a row of weights a cycle: one fold, the rows through one tile,
/// takes as many cycles as rows, and `depth` at least. An edge tile costs a full fold.
///
/// Everything passes through the local buffer, written by one port and read by the other. Partial sums stay
/// in it between passes; that bounds the block of rows for which a core fetches its weights, unless a single
/// pass covers the reduction. The network on chip sends a word that several cores wait for to all of them at
/// once.
template <hardware::platform P, hardware::accelerator_like Chip>
class array_mapping {
public:
    constexpr array_mapping(const workload::contraction& product, const Chip& chip)
        : product_(product), width_(chip.width), depth_(chip.depth),
          column_tiles_(ceil_div<std::int64_t>(product.columns, chip.width)),
          depth_tiles_(ceil_div<std::int64_t>(product.reduction, chip.depth)) {
        constexpr double sum_words =
            static_cast<double>(P::partial_sum_bytes) / static_cast<double>(P::element_bytes);
        const std::int64_t rows_of_a_tile =
            P::local_buffer_bytes(width_ * depth_) / (P::partial_sum_bytes * width_);
        for (int log_columns = log_held; log_columns >= 0; --log_columns) {
            // With twice as many column tiles as there are, fewer do as well.
            if (log_columns > 0 && (std::int64_t{1} << (log_columns - 1)) >= column_tiles_) continue;
            const std::int64_t passes = shifted_up(depth_tiles_, log_held - log_columns);
            groupings_[grouping_count_++] = {
                .log_columns = log_columns,
                .row_block =
                    passes == 1 ? product_.rows : std::max<std::int64_t>(1, rows_of_a_tile >> log_columns),
                .partial_sum_words = static_cast<double>(passes - 1) * sum_words};
            if (passes == 1) break; // fewer column tiles would only read the rows more often
        }
    }

    /// The best mapping to `cores` cores. Units are dealt out evenly, and rows are halved as often as it
    /// helps; the reduction is never split. More cores only add to the mappings that are compared, and make
    /// none of them slower.
    [[nodiscard]] constexpr product_cost on(std::int64_t cores, const words_beside& beside) const {
        const std::int64_t units = product_.batch * column_tiles_;
        product_cost best;
        double best_cycles = std::numeric_limits<double>::infinity();
        for (int log_parts = 0; (cores >> log_parts) > 0; ++log_parts) {
            const std::int64_t unit_parts = cores >> log_parts;
            const std::int64_t rows = shifted_up(product_.rows, log_parts);
            const std::int64_t core_units = unit_parts >= units ? 1 : ceil_div(units, unit_parts);
            const auto folds = static_cast<double>(core_units * depth_tiles_);
            // Further halves leave each core as many folds or more, none shorter than `depth`.
            if (folds * static_cast<double>(depth_) >= best_cycles) break;
            if (folds * static_cast<double>(rows) >= best_cycles) continue;
            const share busiest{.rows = rows,
                                .units = core_units,
                                .cores = std::min(product_.rows, std::int64_t{1} << log_parts) *
                                         std::min(units, unit_parts)};
            for (std::size_t i = 0; i < grouping_count_; ++i) {
                const product_cost cost = map(groupings_[i], busiest);
                const double cycles = cost.template cycles<P>(beside);
                if (cycles < best_cycles) {
                    best_cycles = cycles;
                    best = cost;
                }
            }
        }
        return best;
    }

private:
    static constexpr std::int64_t held = P::tensor_register_bytes / P::element_bytes / 2;
    static_assert(held >= 1, "a MAC has room for two weights or more: one works while the other is loaded");
    static constexpr auto log_held = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(held))) - 1;

    /// A group of weight tiles that a core holds at once.
    struct grouping {
        int log_columns = 0;          ///< log2 of its column tiles
        std::int64_t row_block = 0;   ///< rows whose partial sums fit into the local buffer
        double partial_sum_words = 0; ///< read, and as many written, for one element of the result
    };

    /// What the busiest core gets, of `cores` that work.
    struct share {
        std::int64_t rows;
        std::int64_t units;
        std::int64_t cores;
    };

    [[nodiscard]] static constexpr std::int64_t shifted_up(std::int64_t value, int log_divisor) {
        return (value + (std::int64_t{1} << log_divisor) - 1) >> log_divisor;
    }

    [[nodiscard]] constexpr product_cost map(const grouping& group, const share& busiest) const {
        const std::int64_t blocks =
            busiest.rows <= group.row_block ? 1 : ceil_div(busiest.rows, group.row_block);
        const std::int64_t last_block = busiest.rows - (blocks - 1) * group.row_block;
        const std::int64_t streamed =
            (blocks - 1) * std::max(group.row_block, depth_) + std::max(last_block, depth_);

        // Column tiles of one batch share their rows; those of different batches do not.
        const std::int64_t whole_batches = busiest.units < column_tiles_ ? 0 : busiest.units / column_tiles_;
        const std::int64_t more_tiles = busiest.units - whole_batches * column_tiles_;
        const std::int64_t batch_passes = shifted_up(column_tiles_, group.log_columns);
        const std::int64_t more_passes = shifted_up(more_tiles, group.log_columns);
        const auto rows = static_cast<double>(busiest.rows);
        const auto reduction = static_cast<double>(product_.reduction);
        const auto columns = static_cast<double>(whole_batches * product_.columns +
                                                 std::min(more_tiles * width_, product_.columns));
        const double core_words =
            rows * reduction * static_cast<double>(whole_batches * batch_passes + more_passes) +
            reduction * columns * static_cast<double>(blocks) +
            rows * columns * (group.partial_sum_words + 1.0);

        const auto batch = static_cast<double>(product_.batch);
        const auto all_rows = static_cast<double>(product_.rows);
        const auto all_columns = static_cast<double>(product_.columns);
        return {
            .array_cycles = static_cast<double>(busiest.units * depth_tiles_) * static_cast<double>(streamed),
            .fill_cycles = static_cast<double>(2 * depth_ + width_ - 2),
            .local_cycles = core_words / P::local_words_per_cycle,
            .local_words = core_words * static_cast<double>(busiest.cores),
            .global_words = batch * reduction *
                            (all_rows * static_cast<double>(whole_batches > 0 ? batch_passes : more_passes) +
                             all_columns * static_cast<double>(blocks)),
            .result_words = batch * all_rows * all_columns};
    }

    workload::contraction product_;
    std::int64_t width_, depth_;
    std::int64_t column_tiles_, depth_tiles_;
    std::array<grouping, static_cast<std::size_t>(log_held) + 1> groupings_{};
    std::size_t grouping_count_ = 0;
};

} // namespace detail

/// What `product` takes on `cores` tensor cores of `chip`, on the best of the mappings that are compared.
///
/// More cores never take more time, nor a larger product less. The array does at most one multiply-accumulate
/// a unit and cycle. An empty product costs nothing. \param beside  what else the global buffer moves
/// meanwhile: it may make a mapping with fewer words the best \complexity O(log cores), no allocation.
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr product_cost cost_of(const workload::contraction& product, const Chip& chip,
                                             std::int64_t cores, const words_beside& beside = {}) {
    DOVETAIL_ASSERT(chip.width > 0 && chip.depth > 0 && cores > 0, "a product needs a core");
    if (product.macs() <= 0) return {};
    return detail::array_mapping<P, Chip>(product, chip).on(cores, beside);
}

} // namespace dovetail::cost

namespace dovetail::cost {

/// A closed-form model on the constants of platform `P`.
///
/// A product runs on the tensor cores (tensor_core.hpp) while its epilogue runs on the vector cores, tile
/// behind tile: the product's result passes between them through the global buffer. Every operand comes from
/// the HBM and every result goes there, since the backward pass needs it; inside a fused group nothing does.
/// One core may use the whole global buffer and HBM: see `shared_memory_s`.
template <hardware::platform P>
struct sound_model {
    static constexpr double element_bytes = static_cast<double>(P::element_bytes);

    template <hardware::accelerator_like Chip = hardware::accelerator>
    [[nodiscard]] constexpr estimate operator()(const workload::operator_work& work, const Chip& chip,
                                                core_mode mode) const {
        const bool all = mode == core_mode::all_cores;
        return put_together(work, product_part(work, chip, all ? chip.num_tc : 1),
                            refetched_part(work, chip.glb_bytes), (all ? chip.num_vc : 1) * chip.width_vc,
                            all ? chip.num_vc : 1);
    }

    /// What depends on the shape of a tensor core and on their number.
    template <hardware::accelerator_like Chip = hardware::accelerator>
    [[nodiscard]] static constexpr product_cost product_part(const workload::operator_work& work,
                                                             const Chip& chip, std::int64_t tensor_cores) {
        return cost_of<P>(work.product, chip, tensor_cores, epilogue_words(work));
    }

    /// What depends on the global buffer: elements that come from the HBM again.
    [[nodiscard]] static constexpr double refetched_part(const workload::operator_work& work,
                                                         std::int64_t glb_bytes) {
        if (!work.uses_tensor_core()) return 0;
        return refetched_elements<P>(work.product, work.product_operand_elements, glb_bytes);
    }

    /// The estimate from its parts, on vector cores with `lanes` lanes together.
    [[nodiscard]] static constexpr estimate put_together(const workload::operator_work& work,
                                                         const product_cost& product, double refetched,
                                                         std::int64_t lanes, std::int64_t vector_cores) {
        estimate e;
        if (!work.uses_tensor_core() && !work.uses_vector_core()) return e;
        constexpr double cycle_s = 1.0 / P::clock_hz;
        const words_beside epilogue = epilogue_words(work);
        const double global_reads = product.global_words + epilogue.read;
        const double global_writes = product.result_words + epilogue.written;
        const double hbm_elements = work.read_elements + work.written_elements + refetched;
        // Of the ports of a local buffer, one takes what the other gives.
        const double vector_words = epilogue.read + epilogue.written;
        e.tensor_s = product.array_cycles * cycle_s;
        e.fill_s = product.fill_cycles * cycle_s;
        e.local_s = product.local_cycles * cycle_s;
        if (work.uses_vector_core()) {
            DOVETAIL_ASSERT(vector_cores > 0 && lanes > 0, "a vector operator needs a vector core");
            e.vector_s = work.lane_cycles / static_cast<double>(lanes) * cycle_s;
            e.local_s = std::max(e.local_s, vector_words / static_cast<double>(vector_cores) /
                                                P::local_words_per_cycle * cycle_s);
        }
        e.global_s = std::max(global_reads, global_writes) / P::global_words_per_cycle * cycle_s;
        e.hbm_s = hbm_elements * element_bytes / P::hbm_bytes_per_s;
        e.local_bytes = 2.0 * (product.local_words + vector_words) * element_bytes;
        e.global_bytes = (global_reads + global_writes) * element_bytes;
        e.hbm_bytes = hbm_elements * element_bytes;
        return e;
    }

private:
    /// What vector cores read from and write to the global buffer.
    [[nodiscard]] static constexpr words_beside epilogue_words(const workload::operator_work& work) {
        if (!work.uses_vector_core()) return {};
        return {.read = work.product_result_elements +
                        std::max(0.0, work.read_elements - work.product_operand_elements),
                .written = work.written_elements};
    }
};

static_assert(latency_model<sound_model<hardware::phaze_platform>>);

} // namespace dovetail::cost

namespace dovetail::cost {

/// A family whose grid is a constant of its type: described with ext/hana, or written by hand.
template <class Family>
concept fixed_grid = hardware::parameter_space<Family> && requires {
    { Family::axes } -> std::convertible_to<hardware::grid_axes>;
    typename std::integral_constant<std::size_t, Family::axes.size()>;
};

/// `sound_model` on every design of `Family`, with each part priced once for the axes that it depends on: the
/// product for every shape and number of tensor cores, what is fetched again for every global buffer. A
/// family that is only seen point by point has to price every point anew.
///
/// The answers are those of the model, to the last bit. The size of an object is known to the compiler, some
/// 40 KiB for 832 combinations of shape and number; nothing is allocated.
template <fixed_grid Family>
class grid_prices {
    static constexpr const hardware::grid_axes& axes = Family::axes;
    using model = sound_model<typename Family::platform>;

public:
    /// Where a design stands on each axis.
    struct place {
        std::size_t num_tc, num_vc, width, depth, glb;
    };

    /// \complexity O(widths * depths * numbers of tensor cores).
    constexpr explicit grid_prices(const workload::operator_work& work) : work_(work) {
        for (std::size_t w = 0; w < axes.width.size(); ++w)
            for (std::size_t d = 0; d < axes.depth.size(); ++d) {
                const hardware::accelerator core{.width = axes.width[w], .depth = axes.depth[d]};
                const std::size_t shape = w * axes.depth.size() + d;
                one_core_[shape] = model::product_part(work, core, 1);
                for (std::size_t n = 0; n < axes.num_tc.size(); ++n)
                    all_cores_[shape * axes.num_tc.size() + n] =
                        model::product_part(work, core, axes.num_tc[n]);
            }
        for (std::size_t g = 0; g < axes.glb_bytes.size(); ++g)
            refetched_[g] = model::refetched_part(work, axes.glb_bytes[g]);
    }

    /// The place of the design at `position` < `Family::size()`. \complexity O(axes).
    [[nodiscard]] static constexpr place at(std::size_t position) {
        const auto next = [&position](std::size_t values) {
            const std::size_t digit = position % values;
            position /= values;
            return digit;
        };
        place p{};
        p.glb = next(axes.glb_bytes.size());
        p.depth = next(axes.depth.size());
        p.width = next(axes.width.size());
        p.num_vc = next(axes.num_vc.size());
        p.num_tc = next(axes.num_tc.size());
        return p;
    }

    /// What the model says of the design at `p`. \complexity O(1).
    [[nodiscard]] constexpr estimate operator()(const place& p, core_mode mode) const {
        const bool all = mode == core_mode::all_cores;
        const std::size_t shape = p.width * axes.depth.size() + p.depth;
        const std::int64_t vector_cores = all ? axes.num_vc[p.num_vc] : 1;
        return model::put_together(work_,
                                   all ? all_cores_[shape * axes.num_tc.size() + p.num_tc] : one_core_[shape],
                                   refetched_[p.glb], vector_cores * axes.width[p.width], vector_cores);
    }

private:
    static constexpr std::size_t shapes = axes.width.size() * axes.depth.size();

    workload::operator_work work_;
    std::array<product_cost, shapes> one_core_{};
    std::array<product_cost, shapes * axes.num_tc.size()> all_cores_{};
    std::array<double, axes.glb_bytes.size()> refetched_{};
};

} // namespace dovetail::cost

/// \file
/// What a parameter costs in training: bytes that stay in memory, bytes that are reduced, and its update.

namespace dovetail::cost {

/// The optimizers of the field's published training set-ups.
enum class optimizer : std::uint8_t {
    adam, ///< mixed precision: bfloat16 weights, float32 gradients, master weights and two moments
    sgd,  ///< PHAZE's: weights and gradients in 16 bit, nothing else
};

/// Bytes and lane cycles a parameter.
struct parameter_cost {
    double resident_bytes = 0; ///< weight, gradient and optimizer state
    double state_bytes = 0;    ///< of these, the optimizer's own, which replicas can share out
    double reduce_bytes = 0;   ///< that the data-parallel replicas add up
    double update_bytes = 0;   ///< moved to and from the HBM by the update
    double update_cycles = 0;  ///< of one vector lane
};

/// Adam: 2 + 4 + 4 + 4 + 4 bytes stay (Rajbhandari et al., ZeRO, SC 2020, with float32 gradients as in
/// Megatron-LM); the update reads gradient, master and moments and writes master, moments and weight.
/// SGD: weight and gradient of 2 bytes; PHAZE charges its reduction 4(d-1)/d times the weight's bytes, which
/// is a ring over twice of them.
[[nodiscard]] constexpr parameter_cost cost_of(optimizer o) noexcept {
    switch (o) {
    case optimizer::adam:
        return {.resident_bytes = 18,
                .state_bytes = 12,
                .reduce_bytes = 4,
                .update_bytes = 30,
                .update_cycles = 36};
    case optimizer::sgd:
        return {
            .resident_bytes = 4, .state_bytes = 0, .reduce_bytes = 4, .update_bytes = 6, .update_cycles = 2};
    }
    return {};
}

/// \returns errc::unknown_name for anything but "adam" and "sgd".
[[nodiscard]] inline result<optimizer> find_optimizer(std::string_view name) {
    if (name == "adam") return optimizer::adam;
    if (name == "sgd") return optimizer::sgd;
    return error{errc::unknown_name, "optimizer '" + std::string(name) + "'", "it is not known",
                 "adam and sgd are"};
}

/// Seconds of the update of `parameters` parameters on all vector cores of `chip`: bound by the HBM or by the
/// lanes.
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr double update_s(optimizer o, double parameters, const Chip& chip) {
    const parameter_cost cost = cost_of(o);
    const auto lanes = static_cast<double>(chip.num_vc * chip.width_vc);
    return std::max(parameters * cost.update_bytes / P::hbm_bytes_per_s,
                    parameters * cost.update_cycles / lanes / P::clock_hz);
}

} // namespace dovetail::cost

/// \file
/// When and on which core every operator runs.

/// \file
/// The tree behind the exact scheduler: one block of tasks, placed by rising start.

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
    double duration_s = 0.0; ///< seconds from start to end
    demand use{};            ///< units held meanwhile

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

    /// Forgets all tasks.
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

    /// Tasks opened so far.
    [[nodiscard]] constexpr std::size_t task_count() const noexcept { return end_.size(); }
    /// Modes of all tasks together.
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

    /// Tasks are numbered below this.
    [[nodiscard]] constexpr std::size_t task_count() const noexcept { return precedence_.vertex_count(); }
    /// Arcs from every task to those that wait for it.
    [[nodiscard]] constexpr const graph::digraph& precedence() const noexcept { return precedence_; }
    /// A topological order of the tasks.
    [[nodiscard]] constexpr std::span<const graph::index> order() const noexcept { return order_; }
    /// Which tasks wait for which, directly or not.
    [[nodiscard]] constexpr const graph::reachability& reaches() const noexcept { return reach_; }
    /// The order cut wherever all tasks before the cut precede all after it, as the end position of every
    /// block. A schedule is one of each block after another: makespans add up, and bounds do.
    [[nodiscard]] constexpr std::span<const graph::index> block_ends() const noexcept { return block_ends_; }
    /// The block of a task, counted from 0.
    [[nodiscard]] constexpr graph::index block(graph::index task) const { return block_[task]; }
    /// Units of every resource.
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
    std::vector<graph::index> block_ends_, block_;
    demand capacity_{};
    mode_table table_;
};

namespace detail {

/// The cuts of a topological order behind which every task waits for all tasks before. O(tasks^2).
[[nodiscard]] constexpr std::vector<graph::index> series_cuts(const graph::reachability& reach,
                                                              std::span<const graph::index> order) {
    std::vector<graph::index> ends;
    std::size_t not_before = 0; // a block that holds the tasks so far ends behind this position
    for (std::size_t position = 0; position < order.size(); ++position) {
        std::size_t last = order.size() - 1;
        while (last > position && reach.reaches(order[position], order[last])) --last;
        not_before = std::max(not_before, last);
        if (not_before == position) ends.push_back(static_cast<graph::index>(position + 1));
    }
    return ends;
}

} // namespace detail

/// Builds the problem from input that nobody has checked.
/// \param precedence arcs from a task to those that must wait for it
/// \param capacity units of every resource; 0 for a resource that does not exist
/// \param table the modes, one row a vertex of `precedence`
/// \returns errc::cycle, or errc::out_of_range as `task_graph::refill`, naming the task.
/// \complexity O((tasks + arcs) log tasks + arcs * tasks / 64 + tasks^2 + modes).
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
    problem.block_ends_ = detail::series_cuts(problem.reach_, problem.order_);
    problem.block_.assign(problem.order_.size(), 0);
    for (graph::index position = 0, block = 0; position < problem.order_.size(); ++position) {
        if (position == problem.block_ends_[block]) ++block;
        problem.block_[problem.order_[position]] = block;
    }
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
    double duration_s = std::numeric_limits<double>::infinity(); ///< of the shortest mode
    work work_s{}; ///< of the mode that works least on the resource

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
    /// The relaxation of `problem`.
    constexpr explicit relaxation(const task_graph& problem) { assign(problem); }

    /// Takes another problem. \complexity O(arcs + modes); no allocation once the memory has grown.
    constexpr void assign(const task_graph& problem) {
        const std::size_t n = problem.task_count();
        shortest_s_.assign(n, 0.0);
        work_s_.assign(n, work{});
        head_s_.assign(n, 0.0);
        tail_s_.assign(n, 0.0);
        load_s_ = {};
        critical_path_s_ = lower_bound_s_ = 0.0;
        block_bound_s_.clear();
        std::size_t begin = 0;
        for (const graph::index end : problem.block_ends()) {
            const std::span<const graph::index> block = problem.order().subspan(begin, end - begin);
            block_bound_s_.push_back(assign_block(problem, block));
            for (const graph::index v : block) head_s_[v] += lower_bound_s_;
            lower_bound_s_ += block_bound_s_.back();
            begin = end;
        }
        double after_s = 0.0;
        std::size_t current = block_bound_s_.size();
        for (auto v = problem.order().rbegin(); v != problem.order().rend(); ++v) {
            for (; problem.block(*v) + 1 < current; --current) after_s += block_bound_s_[current - 1];
            tail_s_[*v] += after_s;
        }
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

    /// Of every resource: the least work of all tasks over the capacity.
    [[nodiscard]] constexpr const work& load_s() const noexcept { return load_s_; }

    /// No schedule is shorter: the sum over the blocks of `task_graph::block_ends` of each one's critical
    /// path or, if larger, its largest load. Here the load counts the smallest head and tail, in the block,
    /// of the tasks that cannot do without the resource: before and after them it idles.
    [[nodiscard]] constexpr double lower_bound_s() const noexcept { return lower_bound_s_; }

    /// Of every block of `task_graph::block_ends`: its part of the bound.
    [[nodiscard]] constexpr std::span<const double> block_bound_s() const noexcept { return block_bound_s_; }

private:
    // The bound of one block; its heads and tails, counted from its own ends.
    constexpr double assign_block(const task_graph& problem, std::span<const graph::index> block) {
        double path_s = 0.0;
        for (const graph::index v : block) {
            const least_needs least(problem.modes(v), problem.capacity());
            shortest_s_[v] = least.duration_s;
            work_s_[v] = least.work_s;
            const double end_s = head_s_[v] + least.duration_s;
            path_s = std::max(path_s, end_s);
            for (const graph::index w : problem.precedence().successors(v))
                if (problem.block(w) == problem.block(v)) head_s_[w] = std::max(head_s_[w], end_s);
        }
        for (auto v = block.rbegin(); v != block.rend(); ++v)
            for (const graph::index w : problem.precedence().successors(*v))
                if (problem.block(w) == problem.block(*v))
                    tail_s_[*v] = std::max(tail_s_[*v], shortest_s_[w] + tail_s_[w]);
        critical_path_s_ += path_s;

        double bound_s = path_s;
        for (std::size_t r = 0; r < max_resources; ++r) {
            double total = 0.0;
            double first_s = std::numeric_limits<double>::infinity();
            double last_s = first_s;
            for (const graph::index v : block) {
                if (work_s_[v][r] == 0.0) continue;
                total += work_s_[v][r];
                first_s = std::min(first_s, head_s_[v]);
                last_s = std::min(last_s, tail_s_[v]);
            }
            if (total == 0.0) continue;
            total /= problem.capacity()[r];
            load_s_[r] += total;
            bound_s = std::max(bound_s, first_s + total + last_s);
        }
        return bound_s;
    }

    std::vector<double> shortest_s_, head_s_, tail_s_;
    std::vector<work> work_s_;
    std::vector<double> block_bound_s_;
    work load_s_{};
    double critical_path_s_ = 0.0;
    double lower_bound_s_ = 0.0;
};

/// A makespan that no schedule of `problem` can beat: see `relaxation::lower_bound_s`.
[[nodiscard]] constexpr double lower_bound_s(const task_graph& problem) {
    return relaxation(problem).lower_bound_s();
}

} // namespace dovetail::schedule

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
    schedule best;                                        ///< the shortest schedule found
    double lower_bound_s = 0.0;                           ///< no schedule is shorter
    std::int64_t nodes = 0; ///< nodes of a search tree; 0 where the bound alone proved the schedule

    /// Whether no schedule is shorter.
    [[nodiscard]] bool proved_optimal() const noexcept { return status == dovetail::status::optimal; }

    /// (makespan - bound) / makespan; 0 for an empty problem.
    [[nodiscard]] double relative_gap() const noexcept {
        return best.makespan_s > 0.0 ? (best.makespan_s - lower_bound_s) / best.makespan_s : 0.0;
    }
};

} // namespace dovetail::schedule

namespace dovetail::schedule::detail {

/// Depth-first search over partial schedules of one block. A child places one more task, in one of its modes,
/// at its earliest start not before the last one placed; every active schedule has such a path, in the order
/// of its starts. Times count from the start of the block. Not placed in the tree are
///  - a mode, where another is neither longer nor larger;
///  - a task that would start when another one could have ended already: that one fits in before;
///  - what its bound shows to be no better than the incumbent;
///  - a partial schedule of the same tasks as one seen before that leaves no more free, at no time (the
///  cut-set
///    rule of Demeulemeester and Herroelen, Management Science 38, 1992, here with modes).
class block_search {
public:
    /// Looks for a schedule of the tasks `block`, all of one block of `problem`, shorter than `incumbent_s`.
    block_search(const task_graph& problem, const relaxation& relaxed, std::span<const graph::index> block,
                 double incumbent_s, std::size_t memory_limit, spending& spent);

    /// Whether the tree was searched to its end.
    bool run() { return explore(0.0); }

    [[nodiscard]] double best_s() const noexcept { return best_s_; }
    /// Starts and modes of the tasks, in the order of the block; empty when nothing beats the incumbent.
    [[nodiscard]] std::span<const double> best_start_s() const noexcept { return best_start_s_; }
    [[nodiscard]] std::span<const std::uint32_t> best_mode() const noexcept { return best_mode_; }

private:
    using local = std::uint32_t; // position in the block

    struct task {
        double shortest_s;
        double tail_s;
        work least_work_s;
        std::vector<local> before, after;
        std::vector<std::uint32_t> candidates; // modes that no other one dominates
        std::span<const mode> modes;
    };
    struct child {
        local task;
        std::uint32_t mode;
        double start_s;
        double bound_s;
    };
    struct held {
        local task;
        double end_s;
        demand use;
    };
    struct state {
        double time_s;
        std::vector<held> running;
    };
    struct word_hash {
        std::size_t operator()(const std::vector<std::uint64_t>& words) const noexcept {
            std::uint64_t h = 0;
            for (const std::uint64_t word : words) h = mix(h ^ word);
            return static_cast<std::size_t>(h);
        }
    };

    bool explore(double time_s);
    void list_children(double time_s);
    void place(const child& c);
    void take_back(local v);
    [[nodiscard]] double earliest_start(double time_s, local v, const mode& m) const;
    [[nodiscard]] double bound(double time_s);
    [[nodiscard]] bool dominated(double time_s);
    void keep();

    const mode& running_mode(local v) const { return tasks_[v].modes[mode_[v]]; }
    bool beaten(double bound_s) const noexcept { return bound_s >= best_s_ * (1.0 - makespan_tolerance); }

    demand capacity_;
    std::vector<task> tasks_;
    spending& spent_;
    std::size_t memory_limit_;

    std::vector<local> placed_; // in the order of their starts
    std::vector<std::uint64_t> is_placed_;
    std::vector<std::uint32_t> waiting_, mode_;
    std::vector<double> start_s_, end_s_, earliest_s_;
    std::vector<child> children_; // of every node on the path, a stack
    std::unordered_map<std::vector<std::uint64_t>, std::vector<state>, word_hash> seen_;
    std::size_t remembered_ = 0;

    double best_s_;
    std::vector<double> best_start_s_;
    std::vector<std::uint32_t> best_mode_;
};

inline block_search::block_search(const task_graph& problem, const relaxation& relaxed,
                                  std::span<const graph::index> block, double incumbent_s,
                                  std::size_t memory_limit, spending& spent)
    : capacity_(problem.capacity()), tasks_(block.size()), spent_(spent), memory_limit_(memory_limit),
      is_placed_((block.size() + 63) / 64, 0), waiting_(block.size()), mode_(block.size()),
      start_s_(block.size()), end_s_(block.size()), earliest_s_(block.size()), best_s_(incumbent_s) {
    std::vector<local> position(problem.task_count());
    for (local v = 0; v < block.size(); ++v) position[block[v]] = v;
    for (local v = 0; v < block.size(); ++v) {
        task& t = tasks_[v];
        const graph::index name = block[v];
        t.shortest_s = relaxed.shortest_s()[name];
        t.tail_s = 0.0;
        t.least_work_s = relaxed.work_s()[name];
        t.modes = problem.modes(name);
        for (const graph::index w : problem.precedence().successors(name)) {
            if (problem.block(w) != problem.block(name)) continue;
            t.after.push_back(position[w]);
            tasks_[position[w]].before.push_back(v);
            ++waiting_[position[w]];
        }
        for (std::uint32_t k = 0; k < t.modes.size(); ++k) {
            const mode& m = t.modes[k];
            bool useful = fits(m.use, capacity_);
            for (std::uint32_t other = 0; other < t.modes.size(); ++other) {
                const mode& o = t.modes[other];
                if (o.duration_s <= m.duration_s && fits(o.use, m.use) && (other < k || o != m) && other != k)
                    useful = false;
            }
            if (useful) t.candidates.push_back(k);
        }
    }
    for (auto t = tasks_.rbegin(); t != tasks_.rend(); ++t)
        for (const local w : t->after)
            t->tail_s = std::max(t->tail_s, tasks_[w].shortest_s + tasks_[w].tail_s);
}

inline bool block_search::explore(double time_s) {
    if (!spent_.spend_node()) return false;
    if (placed_.size() == tasks_.size()) {
        keep();
        return true;
    }
    const std::size_t begin = children_.size();
    list_children(time_s);
    const std::size_t end = children_.size();
    bool complete = true;
    for (std::size_t k = begin; k < end && complete; ++k) {
        const child c = children_[k];
        if (beaten(c.bound_s)) continue;
        place(c);
        if (placed_.size() == tasks_.size() || !dominated(c.start_s)) complete = explore(c.start_s);
        take_back(c.task);
    }
    children_.resize(begin);
    return complete;
}

// The children of the node, best bound first.
inline void block_search::list_children(double time_s) {
    const auto begin = static_cast<std::ptrdiff_t>(children_.size());
    double first_end_s = std::numeric_limits<double>::infinity();
    local first = 0;
    for (local v = 0; v < tasks_.size(); ++v) {
        if (waiting_[v] != 0 || (is_placed_[v / 64] >> (v % 64) & 1) != 0) continue;
        for (const std::uint32_t k : tasks_[v].candidates) {
            const mode& m = tasks_[v].modes[k];
            const double start_s = earliest_start(time_s, v, m);
            children_.push_back({v, k, start_s, 0.0});
            if (start_s + m.duration_s < first_end_s) {
                first_end_s = start_s + m.duration_s;
                first = v;
            }
        }
    }
    const auto too_late = [&](const child& c) { return c.start_s >= first_end_s && c.task != first; };
    children_.erase(std::remove_if(children_.begin() + begin, children_.end(), too_late), children_.end());
    for (auto c = children_.begin() + begin; c != children_.end(); ++c) {
        place(*c);
        c->bound_s = bound(c->start_s);
        take_back(c->task);
    }
    std::stable_sort(children_.begin() + begin, children_.end(), [&](const child& a, const child& b) {
        if (a.bound_s != b.bound_s) return a.bound_s < b.bound_s;
        if (a.start_s != b.start_s) return a.start_s < b.start_s;
        return tasks_[a.task].shortest_s + tasks_[a.task].tail_s >
               tasks_[b.task].shortest_s + tasks_[b.task].tail_s;
    });
}

inline void block_search::place(const child& c) {
    start_s_[c.task] = c.start_s;
    end_s_[c.task] = c.start_s + tasks_[c.task].modes[c.mode].duration_s;
    mode_[c.task] = c.mode;
    placed_.push_back(c.task);
    is_placed_[c.task / 64] |= std::uint64_t{1} << (c.task % 64);
    for (const local w : tasks_[c.task].after) --waiting_[w];
}

inline void block_search::take_back(local v) {
    for (const local w : tasks_[v].after) ++waiting_[w];
    is_placed_[v / 64] &= ~(std::uint64_t{1} << (v % 64));
    placed_.pop_back();
}

// All that is placed starts by `time_s`, so from there on units only come free.
inline double block_search::earliest_start(double time_s, local v, const mode& m) const {
    double start_s = time_s;
    for (const local u : tasks_[v].before) start_s = std::max(start_s, end_s_[u]);
    if (m.duration_s == 0.0) return start_s;
    for (;;) {
        demand needed = m.use;
        double next_s = std::numeric_limits<double>::infinity();
        for (const local u : placed_) {
            if (end_s_[u] <= start_s) continue;
            next_s = std::min(next_s, end_s_[u]);
            for (std::size_t r = 0; r < max_resources; ++r) needed[r] += running_mode(u).use[r];
        }
        if (fits(needed, capacity_)) return start_s;
        start_s = next_s;
    }
}

// Critical path of what is left, and the work that every resource has still to do from `time_s` on.
inline double block_search::bound(double time_s) {
    double bound_s = 0.0;
    work left_s{}, last_s{};
    last_s.fill(std::numeric_limits<double>::infinity());
    for (local v = 0; v < tasks_.size(); ++v) {
        const task& t = tasks_[v];
        if ((is_placed_[v / 64] >> (v % 64) & 1) != 0) {
            earliest_s_[v] = end_s_[v];
            bound_s = std::max(bound_s, end_s_[v] + t.tail_s);
            if (end_s_[v] <= time_s) continue;
            for (std::size_t r = 0; r < max_resources; ++r) {
                if (running_mode(v).use[r] == 0) continue;
                left_s[r] += (end_s_[v] - time_s) * running_mode(v).use[r];
                last_s[r] = std::min(last_s[r], t.tail_s);
            }
            continue;
        }
        // The block is in topological order: what comes before v has its earliest end already.
        double ready_s = time_s;
        for (const local u : t.before) ready_s = std::max(ready_s, earliest_s_[u]);
        earliest_s_[v] = ready_s + t.shortest_s;
        bound_s = std::max(bound_s, earliest_s_[v] + t.tail_s);
        for (std::size_t r = 0; r < max_resources; ++r) {
            if (t.least_work_s[r] == 0.0) continue;
            left_s[r] += t.least_work_s[r];
            last_s[r] = std::min(last_s[r], t.tail_s);
        }
    }
    for (std::size_t r = 0; r < max_resources; ++r)
        if (left_s[r] > 0.0) bound_s = std::max(bound_s, time_s + left_s[r] / capacity_[r] + last_s[r]);
    return bound_s;
}

// Whether a state seen before, of the same tasks, allows whatever this one allows; if not, this one is
// remembered.
inline bool block_search::dominated(double time_s) {
    const auto allows_more = [&](const state& s) {
        return s.time_s <= time_s && std::all_of(s.running.begin(), s.running.end(), [&](const held& h) {
                   return h.end_s <= time_s ||
                          (h.end_s <= end_s_[h.task] && fits(h.use, running_mode(h.task).use));
               });
    };
    const auto found = seen_.find(is_placed_);
    if (found != seen_.end() && std::any_of(found->second.begin(), found->second.end(), allows_more))
        return true;
    if (remembered_ == memory_limit_) return false;
    ++remembered_;
    state now{time_s, {}};
    for (const local v : placed_)
        if (end_s_[v] > time_s) now.running.push_back({v, end_s_[v], running_mode(v).use});
    (found != seen_.end() ? found->second : seen_[is_placed_]).push_back(std::move(now));
    return false;
}

inline void block_search::keep() {
    const double makespan_s = *std::max_element(end_s_.begin(), end_s_.end());
    if (!(makespan_s < best_s_)) return;
    best_s_ = makespan_s;
    best_start_s_ = start_s_;
    best_mode_ = mode_;
}

} // namespace dovetail::schedule::detail

/// \file
/// Which units of every resource a task holds: the colouring of a schedule's intervals.

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
    std::vector<graph::index> by_start(n, 0);
    for (graph::index v = 0; v < n; ++v) by_start[v] = v;
    std::sort(by_start.begin(), by_start.end(), [&](graph::index a, graph::index b) {
        return std::pair(plan.start_s[a], a) < std::pair(plan.start_s[b], b);
    });

    std::vector<std::vector<std::int32_t>> held(n * max_resources, std::vector<std::int32_t>{});
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
/// Optimal schedules with a certificate, without a solver.

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
    priority first = priority::longest_tail;     ///< the order of the list
    mode_choice run = mode_choice::earliest_end; ///< how each of its tasks runs
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
    bool justify = true; ///< whether a schedule that misses the bound is justified

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
/// The schedule that an order and a choice of modes stand for: each task in turn, as early as it can.

namespace dovetail::schedule {

/// The topological order that always takes, of the tasks whose predecessors are taken, the one with the
/// smallest key (of equals, the smallest task). Keys that rounding left slightly out of order still give an
/// order. \param key one entry a task, such as its start \complexity O(tasks^2 + arcs).
[[nodiscard]] constexpr std::vector<graph::index> order_by(const task_graph& problem,
                                                           std::span<const double> key) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(key.size() == n, "one key a task");
    std::vector<std::size_t> waiting(n, 0);
    std::vector<graph::index> free;
    for (graph::index v = 0; v < n; ++v) {
        waiting[v] = problem.precedence().predecessors(v).size();
        if (waiting[v] == 0) free.push_back(v);
    }
    std::vector<graph::index> order;
    order.reserve(n);
    while (!free.empty()) {
        const auto next = std::min_element(free.begin(), free.end(), [&](graph::index a, graph::index b) {
            return key[a] < key[b] || (key[a] == key[b] && a < b);
        });
        const graph::index v = *next;
        free.erase(next);
        order.push_back(v);
        for (const graph::index w : problem.precedence().successors(v))
            if (--waiting[w] == 0) free.push_back(w);
    }
    return order;
}

/// Places the tasks one after another, each at the earliest start among those placed before. Taken in the
/// order of the starts of some schedule with the same modes, the result ends no later than that schedule.
/// \param order a topological order of the tasks
/// \param modes of every task, one that stays within the capacities
/// \complexity O(arcs + tasks * steps) with fewer than 2 * tasks steps.
[[nodiscard]] constexpr schedule serial_schedule(const task_graph& problem,
                                                 std::span<const graph::index> order,
                                                 std::span<const std::uint32_t> modes) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(order.size() == n && modes.size() == n, "an order and one mode a task");
    schedule plan;
    plan.start_s.assign(n, 0.0);
    plan.mode.assign(modes.begin(), modes.end());
    std::vector<double> end_s(n, 0.0);
    profile free;
    free.assign(problem.capacity());
    for (const graph::index v : order) {
        const mode& m = problem.modes(v)[modes[v]];
        double ready_s = 0.0;
        for (const graph::index u : problem.precedence().predecessors(v))
            ready_s = std::max(ready_s, end_s[u]);
        plan.start_s[v] = free.earliest_start(ready_s, m);
        end_s[v] = plan.start_s[v] + m.duration_s;
        plan.makespan_s = std::max(plan.makespan_s, end_s[v]);
        free.place(plan.start_s[v], m);
    }
    return plan;
}

} // namespace dovetail::schedule

namespace dovetail::schedule {

namespace detail {

/// When the first of `tasks` starts and the last one ends.
struct extent {
    double start_s = std::numeric_limits<double>::infinity();
    double end_s = 0.0;

    extent(const task_graph& problem, const schedule& plan, std::span<const graph::index> tasks) {
        for (const graph::index v : tasks) {
            start_s = std::min(start_s, plan.start_s[v]);
            end_s = std::max(end_s, plan.start_s[v] + problem.modes(v)[plan.mode[v]].duration_s);
        }
    }
};

} // namespace detail

/// Branch and bound, for several modes and resources. A list schedule comes first; each block of the problem
/// (see `task_graph::block_ends`) whose part of it misses its bound is then searched by itself, so that the
/// work grows with the largest block and not with the whole. Deterministic, but for a limit in seconds.
struct branch_and_bound {
    budget limits{};                      ///< over all blocks together
    std::size_t memory_limit = 1'000'000; ///< partial schedules remembered in one block
    list_scheduler incumbent{};           ///< gives the first schedule

    /// \returns the best schedule found and the bound: `status::optimal` when they meet, `status::budget`
    /// when the limits ended the search first. \complexity exponential in the largest block at worst.
    [[nodiscard]] certificate operator()(const task_graph& problem) const {
        certificate answer = incumbent(problem);
        if (answer.proved_optimal()) return answer;

        const relaxation relaxed(problem);
        spending spent(limits);
        std::vector<double> start_s = answer.best.start_s;
        std::vector<std::uint32_t> modes = answer.best.mode;
        double bound_s = 0.0;
        bool complete = true;
        std::size_t begin = 0;
        for (std::size_t block = 0; block < problem.block_ends().size(); ++block) {
            const std::size_t end = problem.block_ends()[block];
            const std::span<const graph::index> tasks = problem.order().subspan(begin, end - begin);
            const detail::extent listed(problem, answer.best, tasks);
            const double makespan_s = listed.end_s - listed.start_s;
            const double block_bound_s = relaxed.block_bound_s()[block];
            begin = end;
            if (meets(makespan_s, block_bound_s)) {
                bound_s += makespan_s;
                continue;
            }
            detail::block_search search(problem, relaxed, tasks, makespan_s, memory_limit, spent);
            const bool finished = search.run();
            bound_s += finished ? search.best_s() : block_bound_s;
            complete &= finished;
            if (search.best_start_s().empty()) continue;
            for (std::size_t k = 0; k < tasks.size(); ++k) {
                start_s[tasks[k]] = listed.start_s + search.best_start_s()[k];
                modes[tasks[k]] = search.best_mode()[k];
            }
        }
        // Blocks start where the one before ends: placing the tasks again in order closes the gaps between
        // them.
        answer.best = serial_schedule(problem, order_by(problem, start_s), modes);
        answer.nodes = spent.nodes();
        answer.lower_bound_s = complete ? answer.best.makespan_s : bound_s;
        answer.status = complete ? dovetail::status::optimal : dovetail::status::budget;
        return answer;
    }
};

} // namespace dovetail::schedule

/// \file
/// PHAZE's way through its integer program: cores are counted after solving, and constrained only where
/// short.

/// \file
/// PHAZE's integer program: who ends before whom, pair by pair, without time-indexed variables.

/// \file
/// PHAZE's own operator scheduling problem, stricter than the library's, and an independent check of its
/// schedules.

namespace dovetail::schedule::formulation {

/// Which cores an operator runs on.
enum class core_type : std::uint8_t { tensor, vector, fused };

/// An operator on one core of its type (of each type, where it is fused) or on all of them.
struct phaze_operator {
    core_type runs_on = core_type::tensor; ///< the cores that it needs
    double one_s = 0.0;                    ///< on one core
    double all_s = 0.0;                    ///< on all cores of its type

    /// Whether it needs a tensor core.
    [[nodiscard]] constexpr bool uses_tensor() const noexcept { return runs_on != core_type::vector; }
    /// Whether it needs a vector core.
    [[nodiscard]] constexpr bool uses_vector() const noexcept { return runs_on != core_type::tensor; }
};

/// Operators of one layer on a chip, as PHAZE (Wang et al., ICML 2024) schedules them: one that runs on all
/// cores overlaps with no other operator of whatever type, and one that is fused takes a tensor core and the
/// vector core of the same number. To minimise: the makespan.
struct phaze_problem {
    graph::digraph precedence;                         ///< arcs to the operators that wait
    std::vector<phaze_operator> operators;             ///< one a vertex
    std::int32_t num_tc = 1;                           ///< tensor cores of the chip
    std::int32_t num_vc = 1;                           ///< vector cores of the chip
    graph::reachability reaches{graph::digraph{}, {}}; ///< who waits for whom, directly or not

    /// Operators are numbered below this.
    [[nodiscard]] std::size_t size() const noexcept { return operators.size(); }
};

/// Builds the problem from input that nobody has checked.
/// \returns errc::cycle; errc::out_of_range for a latency that is not finite or not above 0, a core count
/// below 1, or another number of operators than vertices.
[[nodiscard]] inline result<phaze_problem> make_phaze_problem(graph::digraph precedence,
                                                              std::vector<phaze_operator> operators,
                                                              std::int32_t num_tc, std::int32_t num_vc) {
    const auto bad = [](std::string place, std::string wrong, std::string expected) {
        return error{errc::out_of_range, "PHAZE problem: " + std::move(place), std::move(wrong),
                     std::move(expected)};
    };
    result<std::vector<graph::index>> order = graph::topological_order(precedence);
    if (!order) return std::move(order).problem().within("PHAZE problem");
    if (operators.size() != precedence.vertex_count())
        return bad("operators", "there are " + to_text(operators.size()),
                   "the graph has " + to_text(precedence.vertex_count()) + " vertices");
    if (num_tc < 1 || num_vc < 1)
        return bad("cores",
                   "there are " + to_text(num_tc) + " tensor and " + to_text(num_vc) + " vector cores",
                   "there is at least one of each");
    for (std::size_t i = 0; i < operators.size(); ++i)
        for (const double latency_s : {operators[i].one_s, operators[i].all_s})
            if (!(latency_s > 0.0 && latency_s <= std::numeric_limits<double>::max()))
                return bad("operator " + to_text(i), "a latency is " + to_text(latency_s) + " s",
                           "a latency is finite and above 0");
    graph::reachability reaches(precedence, *order);
    return phaze_problem{std::move(precedence), std::move(operators), num_tc, num_vc, std::move(reaches)};
}

/// The same operators as the library's own problem sees them: they conflict only over cores, which a fused
/// one pairs at will. Its optimum is never longer. Resource 0 is the tensor cores, resource 1 the vector
/// cores; mode 0 is one core, mode 1 all.
[[nodiscard]] inline task_graph own_problem(const phaze_problem& problem) {
    mode_table table;
    for (const phaze_operator& op : problem.operators) {
        const bool tensor = op.uses_tensor();
        const bool vector = op.uses_vector();
        table.add_task({op.one_s, {tensor ? 1 : 0, vector ? 1 : 0}});
        table.add_mode({op.all_s, {tensor ? problem.num_tc : 0, vector ? problem.num_vc : 0}});
    }
    return make_task_graph(problem.precedence, {problem.num_tc, problem.num_vc}, std::move(table)).value();
}

/// When and where each operator of a `phaze_problem` runs.
struct phaze_schedule {
    static constexpr std::int32_t no_core = -1; ///< "not on one core of the type"

    std::vector<double> start_s;            ///< one entry an operator, from 0
    std::vector<std::uint8_t> on_all_cores; ///< 1 for an operator on all cores of its type
    std::vector<std::int32_t> tensor_core;  ///< the core of an operator on one; `no_core` for the others
    std::vector<std::int32_t> vector_core;  ///< likewise, of the vector cores
    double makespan_s = 0.0;                ///< the end of the operator that ends last
};

/// Checks a schedule against the strict problem, from its definition alone.
/// \returns the first violation. \complexity O(arcs + operators^2).
[[nodiscard]] inline result<void> verify(const phaze_problem& problem, const phaze_schedule& plan) {
    const auto bad = [](std::size_t i, std::string wrong, std::string expected) {
        return error{errc::out_of_range, "PHAZE schedule: operator " + to_text(i), std::move(wrong),
                     std::move(expected)};
    };
    const std::size_t n = problem.size();
    if (plan.start_s.size() != n || plan.on_all_cores.size() != n || plan.tensor_core.size() != n ||
        plan.vector_core.size() != n)
        return error{errc::out_of_range, "PHAZE schedule", "its lists differ in length",
                     "each has one entry an operator"};
    std::vector<double> end_s(n);
    double last_end_s = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        const phaze_operator& op = problem.operators[i];
        if (!(plan.start_s[i] >= 0.0))
            return bad(i, "it starts at " + to_text(plan.start_s[i]) + " s", "not before 0");
        end_s[i] = plan.start_s[i] + (plan.on_all_cores[i] != 0 ? op.all_s : op.one_s);
        last_end_s = std::max(last_end_s, end_s[i]);
        const auto wants = [&](bool uses, std::int32_t core, std::int32_t count) {
            return uses && plan.on_all_cores[i] == 0 ? core >= 0 && core < count
                                                     : core == phaze_schedule::no_core;
        };
        if (!wants(op.uses_tensor(), plan.tensor_core[i], problem.num_tc))
            return bad(i, "its tensor core is " + to_text(plan.tensor_core[i]),
                       "one of the chip's if it runs on one tensor core, else none");
        if (!wants(op.uses_vector(), plan.vector_core[i], problem.num_vc))
            return bad(i, "its vector core is " + to_text(plan.vector_core[i]),
                       "one of the chip's if it runs on one vector core, else none");
        if (op.runs_on == core_type::fused && plan.tensor_core[i] != plan.vector_core[i])
            return bad(i,
                       "it is fused on tensor core " + to_text(plan.tensor_core[i]) + " and vector core " +
                           to_text(plan.vector_core[i]),
                       "their numbers are the same");
    }
    for (const graph::arc& a : problem.precedence.arcs())
        if (plan.start_s[a.target] < end_s[a.source])
            return bad(a.target, "it starts at " + to_text(plan.start_s[a.target]) + " s",
                       "operator " + to_text(a.source) + " before it ends at " + to_text(end_s[a.source]) +
                           " s");
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < i; ++j) {
            if (!(plan.start_s[i] < end_s[j] && plan.start_s[j] < end_s[i])) continue;
            if (plan.on_all_cores[i] != 0 || plan.on_all_cores[j] != 0)
                return bad(i, "it overlaps with operator " + to_text(j),
                           "one of them runs on all cores, so nothing may overlap");
            const auto shares = [&](const std::vector<std::int32_t>& core) {
                return core[i] != phaze_schedule::no_core && core[i] == core[j];
            };
            if (shares(plan.tensor_core) || shares(plan.vector_core))
                return bad(i, "it shares a core with operator " + to_text(j) + " at the same time",
                           "a core serves one operator at a time");
        }
    if (plan.makespan_s != last_end_s)
        return error{errc::out_of_range, "PHAZE schedule: makespan",
                     "it is given as " + to_text(plan.makespan_s) + " s",
                     "the last operator ends at " + to_text(last_end_s) + " s"};
    return {};
}

} // namespace dovetail::schedule::formulation

namespace dovetail::schedule::formulation {

/// The formulation of PHAZE (Wang et al., ICML 2024; equation numbers of its published solver). Per operator
/// i a start t_i, a duration p_i and y_i (1: on all cores); per ordered pair x_ij (1: i ends before j
/// starts); the makespan T.
///
///     (3)  T >= t_i + p_i                      (4)  p_i = y_i all_i + (1 - y_i) one_i
///     (5)  x_ij + x_ji <= 1                    (6)  x_ik >= x_ij + x_jk - 1
///     (7-9)   i before j by precedence: x_ij = 1, x_ji = 0, t_i + p_i <= t_j
///     (10)    else: t_i + p_i - H (1 - x_ij) <= t_j
///     (11)    else: x_ij + x_ji >= y_i
///
/// and for a type of core, added on demand, z_ic (1: i runs on core c alone):
///
///     (12) sum_c z_ic + y_i = 1 for operators that use the type; (13, 14) the others have no z
///     (17) a fused operator has the same z on both types, for the cores that both have
///     (18) x_ij + x_ji >= z_ic + z_jc - 1 where precedence says nothing
///
/// H is the sum of min(one_i, all_i): all operators one after another, each in its faster way, is a schedule,
/// so that no optimal one ends later, and (10) with x_ij = 0 cuts off none of those. It is at most the
/// published min(sum one_i, sum all_i). Times in the model are multiples of `unit_s`, the largest latency.
/// Rows of (6) that the fixed x satisfy by themselves are left out.
class phaze_pairwise {
public:
    /// Equations (3) to (11): rows grow with the cube of the operators.
    explicit phaze_pairwise(const phaze_problem& problem);

    /// Adds (12) to (14) and (18) for the tensor cores or the vector cores, and (17) when both are there.
    void add_core_rows(core_type type);

    /// Whether `add_core_rows` was called for the type.
    [[nodiscard]] bool has_core_rows(core_type type) const {
        return !(type == core_type::tensor ? on_tensor_ : on_vector_).empty();
    }
    /// The program as it stands.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// Seconds in one unit of time of the model.
    [[nodiscard]] double unit_s() const noexcept { return unit_s_; }

    /// y_i.
    [[nodiscard]] ilp::variable on_all_cores(std::size_t i) const { return all_[i]; }
    /// x_ij, for i other than j.
    [[nodiscard]] ilp::variable before(std::size_t i, std::size_t j) const {
        DOVETAIL_ASSERT(i != j, "an operator is not before itself");
        return before_[i * problem_->size() + j];
    }
    /// z_ic of the type, which has its rows and which i uses.
    [[nodiscard]] ilp::variable on_core(core_type type, std::size_t i, std::int32_t core) const {
        const auto& z = type == core_type::tensor ? on_tensor_ : on_vector_;
        return z[i][static_cast<std::size_t>(core)];
    }

private:
    using cores_of_operators = std::vector<std::vector<ilp::variable>>;

    void add_order();
    void add_transitivity();
    [[nodiscard]] bool free_pair(std::size_t i, std::size_t j) const {
        return problem_->reaches.incomparable(static_cast<graph::index>(i), static_cast<graph::index>(j));
    }
    // 0 or 1 where precedence decides x_ij, else something between.
    [[nodiscard]] double known(std::size_t i, std::size_t j) const {
        return free_pair(i, j)                                                                         ? 0.5
               : problem_->reaches.reaches(static_cast<graph::index>(i), static_cast<graph::index>(j)) ? 1.0
                                                                                                       : 0.0;
    }
    static std::string name(const char* what, std::size_t i) { return what + ("_" + to_text(i)); }
    static std::string name(const char* what, std::size_t i, std::size_t j) {
        return name(what, i) + "_" + to_text(j);
    }

    const phaze_problem* problem_; // outlives the formulation
    ilp::model model_;
    double unit_s_ = 0.0;
    ilp::variable makespan_;
    std::vector<ilp::variable> start_, duration_, all_, before_;
    cores_of_operators on_tensor_, on_vector_;
};

inline phaze_pairwise::phaze_pairwise(const phaze_problem& problem) : problem_(&problem) {
    double horizon_s = 0.0;
    for (const phaze_operator& op : problem.operators) {
        horizon_s += std::min(op.one_s, op.all_s);
        unit_s_ = std::max({unit_s_, op.one_s, op.all_s});
    }
    if (unit_s_ == 0.0) unit_s_ = 1.0;
    const double horizon = horizon_s / unit_s_;
    makespan_ = model_.add_continuous(0.0, horizon, "T");
    model_.minimize(makespan_);
    for (std::size_t i = 0; i < problem.size(); ++i) {
        const double one = problem.operators[i].one_s / unit_s_;
        const double all = problem.operators[i].all_s / unit_s_;
        start_.push_back(model_.add_continuous(0.0, horizon, name("t", i)));
        duration_.push_back(model_.add_continuous(0.0, std::max(one, all), name("p", i)));
        all_.push_back(model_.add_binary(name("y", i)));
        model_.add_constraint(makespan_ >= start_[i] + duration_[i], name("end", i));
        model_.add_constraint(duration_[i] == all * all_[i] + one * (1.0 - all_[i]), name("duration", i));
    }
    add_order();
    add_transitivity();
    // (9) and (10): one row, since H (1 - x_ij) vanishes where precedence fixes x_ij to 1.
    for (std::size_t i = 0; i < problem.size(); ++i)
        for (std::size_t j = 0; j < problem.size(); ++j)
            if (i != j && known(i, j) != 0.0)
                model_.add_constraint(start_[i] + duration_[i] - horizon * (1.0 - before(i, j)) <= start_[j],
                                      name("apart", i, j));
}

inline void phaze_pairwise::add_order() {
    const std::size_t n = problem_->size();
    before_.resize(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            if (i == j) continue;
            const double x = known(i, j);
            const bool open = free_pair(i, j);
            before_[i * n + j] =
                model_.add_variable(ilp::domain::binary, open ? 0.0 : x, open ? 1.0 : x, name("x", i, j));
        }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            if (!free_pair(i, j)) continue;
            if (i < j) model_.add_constraint(before(i, j) + before(j, i) <= 1.0, name("order", i, j));
            model_.add_constraint(before(i, j) + before(j, i) >= all_[i], name("alone", i, j));
        }
}

inline void phaze_pairwise::add_transitivity() {
    const std::size_t n = problem_->size();
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < n; ++k) {
                if (i == j || j == k || i == k) continue;
                if (known(i, j) == 0.0 || known(j, k) == 0.0 || known(i, k) == 1.0) continue;
                model_.add_constraint(before(i, k) >= before(i, j) + before(j, k) - 1.0,
                                      name("chain", i, j) + "_" + to_text(k));
            }
}

inline void phaze_pairwise::add_core_rows(core_type type) {
    DOVETAIL_ASSERT(type != core_type::fused, "a core is a tensor core or a vector core");
    DOVETAIL_ASSERT(!has_core_rows(type), "the rows of a type are added once");
    const bool tensor = type == core_type::tensor;
    const auto cores = static_cast<std::size_t>(tensor ? problem_->num_tc : problem_->num_vc);
    const char* const z_name = tensor ? "tc" : "vc";
    cores_of_operators& z = tensor ? on_tensor_ : on_vector_;
    z.resize(problem_->size());
    for (std::size_t i = 0; i < z.size(); ++i) {
        const phaze_operator& op = problem_->operators[i];
        if (tensor ? !op.uses_tensor() : !op.uses_vector()) continue;
        ilp::expression somewhere = all_[i];
        for (std::size_t c = 0; c < cores; ++c) {
            z[i].push_back(model_.add_binary(name(z_name, i, c)));
            somewhere += z[i][c];
        }
        model_.add_constraint(somewhere == 1.0, name(tensor ? "on_tc" : "on_vc", i));
        for (std::size_t j = 0; j < i; ++j) {
            if (z[j].empty() || !free_pair(i, j)) continue;
            for (std::size_t c = 0; c < cores; ++c)
                model_.add_constraint(before(i, j) + before(j, i) >= z[i][c] + z[j][c] - 1.0,
                                      name(tensor ? "share_tc" : "share_vc", i, j) + "_" + to_text(c));
        }
    }
    if (on_tensor_.empty() || on_vector_.empty()) return;
    for (std::size_t i = 0; i < z.size(); ++i)
        for (std::size_t c = 0; c < std::min(on_tensor_[i].size(), on_vector_[i].size()); ++c)
            model_.add_constraint(on_tensor_[i][c] == on_vector_[i][c], name("pair", i, c));
}

} // namespace dovetail::schedule::formulation

namespace dovetail::schedule::formulation {

/// What the procedure gives.
struct phaze_answer {
    dovetail::status status = dovetail::status::budget; ///< `optimal` where the solver proved every program
    phaze_schedule plan;                                ///< obeys the strict problem: `verify` says so
    double lower_bound_s = 0.0;                         ///< no schedule of the strict problem is shorter
    int solves = 0;                                     ///< integer programs solved
    bool tensor_rows = false;                           ///< whether the tensor cores had to be constrained
    bool vector_rows = false;                           ///< whether the vector cores had to be constrained
};

namespace detail {

/// Every operator as early as the order x allows, without cores: PHAZE's event queue comes to the same.
[[nodiscard]] inline phaze_schedule replay(const phaze_problem& problem, const phaze_pairwise& program,
                                           const ilp::solution& found) {
    const std::size_t n = problem.size();
    const auto before = [&](std::size_t i, std::size_t j) {
        return i != j && found[program.before(i, j)] > 0.5;
    };
    phaze_schedule plan;
    plan.start_s.assign(n, 0.0);
    plan.on_all_cores.assign(n, 0);
    plan.tensor_core.assign(n, phaze_schedule::no_core);
    plan.vector_core.assign(n, phaze_schedule::no_core);
    // x is transitive, so that whoever comes before has fewer before itself.
    std::vector<std::size_t> earlier(n, 0), order(n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) earlier[j] += before(i, j) ? 1U : 0U;
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return earlier[a] < earlier[b]; });
    for (const std::size_t i : order) {
        plan.on_all_cores[i] = found[program.on_all_cores(i)] > 0.5 ? 1 : 0;
        const phaze_operator& op = problem.operators[i];
        const double end_s = plan.start_s[i] + (plan.on_all_cores[i] != 0 ? op.all_s : op.one_s);
        plan.makespan_s = std::max(plan.makespan_s, end_s);
        for (std::size_t j = 0; j < n; ++j)
            if (before(i, j)) plan.start_s[j] = std::max(plan.start_s[j], end_s);
    }
    return plan;
}

/// Numbers the cores of a replayed schedule: first fit by start, with a bounded number of second thoughts
/// because the pairs of fused operators may stand in the way. False where it finds none, which is no proof.
class core_numbering {
public:
    core_numbering(const phaze_problem& problem, phaze_schedule& plan) : problem_(problem), plan_(plan) {
        for (std::size_t i = 0; i < problem.size(); ++i) {
            end_s_.push_back(plan.start_s[i] + problem.operators[i].one_s);
            if (plan.on_all_cores[i] == 0) by_start_.push_back(i);
        }
        std::stable_sort(by_start_.begin(), by_start_.end(),
                         [&](std::size_t a, std::size_t b) { return plan.start_s[a] < plan.start_s[b]; });
    }

    bool run() { return number(0); }

private:
    bool number(std::size_t position) {
        if (position == by_start_.size()) return true;
        if (++tries_ > try_limit) return false;
        const std::size_t i = by_start_[position];
        const phaze_operator& op = problem_.operators[i];
        const std::int32_t cores = op.runs_on == core_type::tensor ? problem_.num_tc
                                   : op.runs_on == core_type::vector
                                       ? problem_.num_vc
                                       : std::min(problem_.num_tc, problem_.num_vc);
        for (std::int32_t core = 0; core < cores; ++core) {
            if (op.uses_tensor() && taken(plan_.tensor_core, i, core, position)) continue;
            if (op.uses_vector() && taken(plan_.vector_core, i, core, position)) continue;
            plan_.tensor_core[i] = op.uses_tensor() ? core : phaze_schedule::no_core;
            plan_.vector_core[i] = op.uses_vector() ? core : phaze_schedule::no_core;
            if (number(position + 1)) return true;
        }
        plan_.tensor_core[i] = plan_.vector_core[i] = phaze_schedule::no_core;
        return false;
    }

    [[nodiscard]] bool taken(const std::vector<std::int32_t>& core_of, std::size_t i, std::int32_t core,
                             std::size_t position) const {
        for (std::size_t k = 0; k < position; ++k) {
            const std::size_t j = by_start_[k];
            if (core_of[j] == core && plan_.start_s[i] < end_s_[j] && plan_.start_s[j] < end_s_[i])
                return true;
        }
        return false;
    }

    static constexpr int try_limit = 10'000;

    const phaze_problem& problem_;
    phaze_schedule& plan_;
    std::vector<double> end_s_;
    std::vector<std::size_t> by_start_;
    int tries_ = 0;
};

/// The most operators on one core each of the type that run at one time; 0 for all-cores operators, which are
/// alone anyway.
[[nodiscard]] inline std::int32_t peak_use(const phaze_problem& problem, const phaze_schedule& plan,
                                           bool tensor) {
    const auto uses = [&](std::size_t i) {
        const phaze_operator& op = problem.operators[i];
        return plan.on_all_cores[i] == 0 && (tensor ? op.uses_tensor() : op.uses_vector());
    };
    std::int32_t peak = 0;
    for (std::size_t i = 0; i < problem.size(); ++i) {
        std::int32_t running = 0;
        for (std::size_t j = 0; j < problem.size(); ++j)
            if (uses(j) && plan.start_s[j] <= plan.start_s[i] &&
                plan.start_s[i] < plan.start_s[j] + problem.operators[j].one_s)
                ++running;
        peak = std::max(peak, running);
    }
    return peak;
}

/// All operators one after another, each in its faster way, on core 0: the schedule behind the horizon H.
[[nodiscard]] inline phaze_schedule one_after_another(const phaze_problem& problem,
                                                      const std::vector<graph::index>& order) {
    const std::size_t n = problem.size();
    phaze_schedule plan{std::vector<double>(n), std::vector<std::uint8_t>(n, 0),
                        std::vector<std::int32_t>(n, phaze_schedule::no_core),
                        std::vector<std::int32_t>(n, phaze_schedule::no_core), 0.0};
    for (const graph::index i : order) {
        const phaze_operator& op = problem.operators[i];
        plan.start_s[i] = plan.makespan_s;
        plan.on_all_cores[i] = op.all_s < op.one_s ? 1 : 0;
        plan.makespan_s += std::min(op.all_s, op.one_s);
        if (plan.on_all_cores[i] != 0) continue;
        if (op.uses_tensor()) plan.tensor_core[i] = 0;
        if (op.uses_vector()) plan.vector_core[i] = 0;
    }
    return plan;
}

} // namespace detail

/// Solves without core constraints, replays the order, counts the cores in use at one time, adds the rows of
/// every type that has too few, and solves again: at most three programs. Where the counts fit but the pairs
/// of fused operators find no numbers, which the published procedure does not look at, all missing rows are
/// added. Every program is a relaxation of the strict problem, so the first schedule that obeys it is optimal
/// if the solver's answer is.
template <ilp::solver Solver>
struct phaze_lazy {
    Solver solver{}; ///< solves each program

    /// \returns the schedule and its bound; when the solver's budget ends without values, the operators one
    /// after another. An error of the solver comes back as it is; errc::unsupported for values that break the
    /// model.
    [[nodiscard]] result<phaze_answer> operator()(const phaze_problem& problem) const {
        phaze_answer answer;
        answer.plan =
            detail::one_after_another(problem, graph::topological_order(problem.precedence).value());
        if (problem.size() == 0) {
            answer.status = dovetail::status::optimal;
            return answer;
        }
        phaze_pairwise program(problem);
        for (;;) {
            ++answer.solves;
            result<ilp::solution> found = solver(program.model());
            if (!found) return std::move(found).problem().within("PHAZE formulation");
            const bool has_values = found->has_values();
            answer.lower_bound_s = std::max(answer.lower_bound_s, found->bound * program.unit_s());
            if (!has_values) {
                if (found->ending == ilp::verdict::budget) return answer;
                return broken("the solver calls the program " + std::string(to_string(found->ending)));
            }
            phaze_schedule plan = detail::replay(problem, program, *found);
            bool short_of_tensor = detail::peak_use(problem, plan, true) > problem.num_tc;
            bool short_of_vector = detail::peak_use(problem, plan, false) > problem.num_vc;
            if (!short_of_tensor && !short_of_vector) {
                if (number_cores(problem, program, *found, plan)) {
                    answer.plan = std::move(plan);
                    answer.status = found->ending == ilp::verdict::optimal    ? dovetail::status::optimal
                                    : found->ending == ilp::verdict::feasible ? dovetail::status::feasible
                                                                              : dovetail::status::budget;
                    if (answer.status == dovetail::status::optimal)
                        answer.lower_bound_s = answer.plan.makespan_s;
                    return answer;
                }
                short_of_tensor = short_of_vector = true;
            }
            const bool add_tensor = short_of_tensor && !answer.tensor_rows;
            const bool add_vector = short_of_vector && !answer.vector_rows;
            if (!add_tensor && !add_vector) return broken("more cores are in use than its rows allow");
            if (add_tensor) program.add_core_rows(core_type::tensor);
            if (add_vector) program.add_core_rows(core_type::vector);
            answer.tensor_rows |= add_tensor;
            answer.vector_rows |= add_vector;
        }
    }

private:
    [[nodiscard]] static error broken(std::string wrong) {
        return {errc::unsupported, "PHAZE formulation", std::move(wrong),
                "try a solver with a finer tolerance"};
    }

    // From z where both types have it, else by search.
    [[nodiscard]] static bool number_cores(const phaze_problem& problem, const phaze_pairwise& program,
                                           const ilp::solution& found, phaze_schedule& plan) {
        if (!program.has_core_rows(core_type::tensor) || !program.has_core_rows(core_type::vector))
            return detail::core_numbering(problem, plan).run();
        const auto read = [&](core_type type, std::size_t i, std::int32_t cores) {
            for (std::int32_t c = 0; c < cores; ++c)
                if (found[program.on_core(type, i, c)] > 0.5) return c;
            return phaze_schedule::no_core;
        };
        for (std::size_t i = 0; i < problem.size(); ++i) {
            const phaze_operator& op = problem.operators[i];
            if (op.uses_tensor()) plan.tensor_core[i] = read(core_type::tensor, i, problem.num_tc);
            if (op.uses_vector()) plan.vector_core[i] = read(core_type::vector, i, problem.num_vc);
        }
        return true;
    }
};

} // namespace dovetail::schedule::formulation

/// \file
/// The library's own scheduling problem as an integer program: units of a resource flow from task to task.

namespace dovetail::schedule::formulation {

/// The flow formulation of Artigues, Michelon and Reusser (EJOR 149, 2003), here with several modes. Per task
/// i a start t_i and y_im (1: mode m); per ordered pair without precedence x_ij (1: i ends before j starts);
/// per resource r a flow f_ijr of units that j takes over from i; the makespan T.
///
///     sum_m y_im = 1,   p_i = sum_m y_im d_im,   u_ir = sum_m y_im use_imr
///     T >= t_i + p_i + tail_i
///     t_j >= t_i + p_i                              i before j by precedence
///     t_j >= t_i + p_i - (H - tail_i - head_j) (1 - x_ij)   else
///     x_ij + x_ji <= 1
///     sum_j f_ijr = sum_j f_jir = u_ir              the source's share among the latter
///     sum_j f_source,j,r <= capacity_r
///     f_ijr <= min(largest u_ir, largest u_jr) x_ij
///
/// H is the makespan of a list schedule: no start after H - tail_i - p_i is of use, which makes each factor
/// of (1 - x_ij) valid. Modes of no duration hold nothing. Times in the model are multiples of `unit_s`.
class resource_flow {
public:
    /// \complexity O(tasks^2 * resources) rows and columns.
    explicit resource_flow(const task_graph& problem);

    /// The program.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// Seconds in one unit of time of the model.
    [[nodiscard]] double unit_s() const noexcept { return unit_s_; }

    /// The schedule that the values of the model stand for, each task as early as their order allows.
    [[nodiscard]] schedule decode(const ilp::solution& found) const {
        DOVETAIL_ASSERT(found.has_values(), "a solution without values is no schedule");
        std::vector<double> start(problem_->task_count());
        std::vector<std::uint32_t> modes(start.size());
        for (std::size_t i = 0; i < start.size(); ++i) {
            start[i] = found[tasks_[i].start];
            for (const choice& c : tasks_[i].choices)
                if (found[c.chosen] > 0.5) modes[i] = c.mode;
        }
        return serial_schedule(*problem_, order_by(*problem_, start), modes);
    }

private:
    struct choice {
        std::uint32_t mode;
        ilp::variable chosen;
    };
    struct task {
        ilp::variable start;
        std::vector<choice> choices;
        ilp::expression duration;
        std::array<ilp::expression, max_resources> use;
        demand largest{};
    };

    void add_tasks(const relaxation& relaxed, double horizon_s);
    void add_order(const relaxation& relaxed, double horizon_s);
    void add_flow(std::size_t resource);

    [[nodiscard]] ilp::variable before(std::size_t i, std::size_t j) const {
        return before_[i * tasks_.size() + j];
    }
    static std::string name(const char* what, std::size_t i) { return what + ("_" + to_text(i)); }
    static std::string name(const char* what, std::size_t i, std::size_t j) {
        return name(what, i) + "_" + to_text(j);
    }

    const task_graph* problem_; // outlives the formulation
    ilp::model model_;
    double unit_s_ = 1.0;
    ilp::variable makespan_;
    std::vector<task> tasks_;
    std::vector<ilp::variable> before_;
};

inline resource_flow::resource_flow(const task_graph& problem) : problem_(&problem) {
    const certificate listed = list_scheduler{}(problem);
    const double horizon_s = listed.best.makespan_s;
    for (graph::index i = 0; i < problem.task_count(); ++i)
        for (const mode& m : problem.modes(i))
            unit_s_ = i == 0 ? m.duration_s : std::max(unit_s_, m.duration_s);
    if (!(unit_s_ > 0.0)) unit_s_ = 1.0;
    makespan_ =
        model_.add_continuous(std::min(listed.lower_bound_s, horizon_s) / unit_s_, horizon_s / unit_s_, "T");
    model_.minimize(makespan_);
    const relaxation relaxed(problem);
    add_tasks(relaxed, horizon_s);
    add_order(relaxed, horizon_s);
    for (std::size_t r = 0; r < max_resources; ++r) add_flow(r);
}

inline void resource_flow::add_tasks(const relaxation& relaxed, double horizon_s) {
    tasks_.resize(problem_->task_count());
    for (graph::index i = 0; i < tasks_.size(); ++i) {
        task& t = tasks_[i];
        const double head = relaxed.head_s()[i] / unit_s_;
        const double tail = relaxed.tail_s()[i] / unit_s_;
        const double latest = horizon_s / unit_s_ - tail - relaxed.shortest_s()[i] / unit_s_;
        t.start = model_.add_continuous(std::max(0.0, std::min(head, latest)), std::max(head, latest),
                                        name("t", i));
        ilp::expression one;
        for (std::uint32_t k = 0; k < problem_->modes(i).size(); ++k) {
            const mode& m = problem_->modes(i)[k];
            if (!fits(m.use, problem_->capacity())) continue;
            const ilp::variable y = model_.add_binary(name("y", i, k));
            t.choices.push_back({k, y});
            one += y;
            t.duration += m.duration_s / unit_s_ * y;
            if (m.duration_s == 0.0) continue;
            for (std::size_t r = 0; r < max_resources; ++r) {
                if (m.use[r] == 0) continue;
                t.use[r] += m.use[r] * y;
                t.largest[r] = std::max(t.largest[r], m.use[r]);
            }
        }
        model_.add_constraint(one == 1.0, name("mode", i));
        model_.add_constraint(makespan_ >= t.start + t.duration + tail, name("end", i));
    }
    for (const graph::arc& a : problem_->precedence().arcs())
        model_.add_constraint(tasks_[a.target].start >= tasks_[a.source].start + tasks_[a.source].duration,
                              name("after", a.source, a.target));
}

inline void resource_flow::add_order(const relaxation& relaxed, double horizon_s) {
    const std::size_t n = tasks_.size();
    before_.resize(n * n);
    const auto share = [&](std::size_t i, std::size_t j) {
        for (std::size_t r = 0; r < max_resources; ++r)
            if (tasks_[i].largest[r] > 0 && tasks_[j].largest[r] > 0) return true;
        return false;
    };
    for (graph::index i = 0; i < n; ++i)
        for (graph::index j = 0; j < i; ++j) {
            if (!problem_->reaches().incomparable(i, j) || !share(i, j)) continue;
            for (const auto& [a, b] : {graph::arc{i, j}, graph::arc{j, i}}) {
                const ilp::variable x = before_[a * n + b] = model_.add_binary(name("x", a, b));
                const double slack = (horizon_s - relaxed.tail_s()[a] - relaxed.head_s()[b]) / unit_s_;
                model_.add_constraint(tasks_[b].start >=
                                          tasks_[a].start + tasks_[a].duration - slack * (1.0 - x),
                                      name("apart", a, b));
            }
            model_.add_constraint(before(i, j) + before(j, i) <= 1.0, name("order", j, i));
        }
}

inline void resource_flow::add_flow(std::size_t resource) {
    const std::string suffix = "_r" + to_text(resource);
    std::vector<graph::index> users;
    for (graph::index i = 0; i < tasks_.size(); ++i)
        if (tasks_[i].largest[resource] > 0) users.push_back(i);
    if (users.empty()) return;
    std::vector<ilp::expression> taken(tasks_.size()), passed(tasks_.size());
    ilp::expression supplied;
    for (const graph::index i : users) {
        const auto largest = static_cast<double>(tasks_[i].largest[resource]);
        const ilp::variable from_source = model_.add_continuous(0.0, largest, name("source", i) + suffix);
        const ilp::variable to_sink = model_.add_continuous(0.0, largest, name("sink", i) + suffix);
        supplied += from_source;
        taken[i] += from_source;
        passed[i] += to_sink;
        for (const graph::index j : users) {
            if (i == j || problem_->reaches().reaches(j, i)) continue;
            const double most = std::min(tasks_[i].largest[resource], tasks_[j].largest[resource]);
            const ilp::variable flow = model_.add_continuous(0.0, most, name("f", i, j) + suffix);
            passed[i] += flow;
            taken[j] += flow;
            if (problem_->reaches().incomparable(i, j))
                model_.add_constraint(flow <= most * before(i, j), name("only_if", i, j) + suffix);
        }
    }
    for (const graph::index i : users) {
        model_.add_constraint(taken[i] == tasks_[i].use[resource], name("take", i) + suffix);
        model_.add_constraint(passed[i] == tasks_[i].use[resource], name("pass", i) + suffix);
    }
    model_.add_constraint(supplied <= problem_->capacity()[resource], "capacity" + suffix);
}

} // namespace dovetail::schedule::formulation

/// \file
/// An independent check of a schedule, from the definition of the problem alone.

namespace dovetail::schedule {

namespace detail {

[[nodiscard]] inline error broken(std::string place, std::string wrong, std::string expected) {
    return {errc::out_of_range, "schedule: " + std::move(place), std::move(wrong), std::move(expected)};
}

// Start and end of a task whose mode is known to exist.
struct interval {
    double start_s;
    double end_s;

    interval(const task_graph& problem, const schedule& plan, graph::index task)
        : start_s(plan.start_s[task]),
          end_s(plan.start_s[task] + problem.modes(task)[plan.mode[task]].duration_s) {}

    [[nodiscard]] bool runs_at(double time_s) const noexcept { return start_s <= time_s && time_s < end_s; }
};

} // namespace detail

/// Checks every start, mode, precedence, capacity at all times, and the makespan. Times must hold exactly: a
/// task may start at the very number at which another ends, not before. \returns the first violation, with
/// tasks, times and resource. \complexity O(arcs + tasks^2).
[[nodiscard]] inline result<void> verify(const task_graph& problem, const schedule& plan) {
    using detail::broken;
    using detail::interval;
    const std::size_t n = problem.task_count();
    if (plan.start_s.size() != n || plan.mode.size() != n)
        return broken("size",
                      "it holds " + to_text(plan.start_s.size()) + " starts and " +
                          to_text(plan.mode.size()) + " modes",
                      "the problem has " + to_text(n) + " tasks");
    double last_end_s = 0.0;
    for (graph::index v = 0; v < n; ++v) {
        if (plan.mode[v] >= problem.modes(v).size())
            return broken("task " + to_text(v), "it runs in mode " + to_text(plan.mode[v]),
                          "it has " + to_text(problem.modes(v).size()));
        if (!(plan.start_s[v] >= 0.0 && plan.start_s[v] <= std::numeric_limits<double>::max()))
            return broken("task " + to_text(v), "it starts at " + to_text(plan.start_s[v]) + " s",
                          "a start is finite and at least 0");
        last_end_s = std::max(last_end_s, interval(problem, plan, v).end_s);
    }
    for (const graph::arc& a : problem.precedence().arcs()) {
        const double end_s = interval(problem, plan, a.source).end_s;
        if (plan.start_s[a.target] < end_s)
            return broken("task " + to_text(a.target),
                          "it starts at " + to_text(plan.start_s[a.target]) + " s",
                          "its predecessor " + to_text(a.source) + " ends at " + to_text(end_s) + " s");
    }
    // What is held grows only where a task starts, so those times are enough.
    for (graph::index v = 0; v < n; ++v) {
        std::array<std::int64_t, max_resources> held{};
        const double time_s = plan.start_s[v];
        for (graph::index u = 0; u < n; ++u) {
            if (!interval(problem, plan, u).runs_at(time_s)) continue;
            for (std::size_t r = 0; r < max_resources; ++r) held[r] += problem.modes(u)[plan.mode[u]].use[r];
        }
        for (std::size_t r = 0; r < max_resources; ++r)
            if (held[r] > problem.capacity()[r])
                return broken("resource " + to_text(r),
                              to_text(held[r]) + " units are held at " + to_text(time_s) + " s",
                              "there are " + to_text(problem.capacity()[r]));
    }
    if (plan.makespan_s != last_end_s)
        return broken("makespan", "it is given as " + to_text(plan.makespan_s) + " s",
                      "the last task ends at " + to_text(last_end_s) + " s");
    return {};
}

/// Checks a schedule together with its cores: each task holds as many different units as its mode asks for,
/// within the capacity, and no unit serves two tasks at once. A task of no duration needs none. \complexity
/// O(tasks^2 * capacity).
[[nodiscard]] inline result<void> verify(const task_graph& problem, const schedule& plan,
                                         const core_assignment& cores) {
    using detail::broken;
    using detail::interval;
    if (result<void> sound = verify(problem, plan); !sound) return sound;
    const std::size_t n = problem.task_count();
    for (graph::index v = 0; v < n; ++v) {
        const interval time = interval(problem, plan, v);
        for (std::size_t r = 0; r < max_resources; ++r) {
            const std::span<const std::int32_t> units = cores.units(v, r);
            const std::int32_t needed = time.end_s > time.start_s ? problem.modes(v)[plan.mode[v]].use[r] : 0;
            const std::string place = "task " + to_text(v) + ", resource " + to_text(r);
            if (units.size() != static_cast<std::size_t>(needed))
                return broken(place, "it holds " + to_text(units.size()) + " units",
                              "its mode needs " + to_text(needed));
            for (std::size_t k = 0; k < units.size(); ++k) {
                if (units[k] < 0 || units[k] >= problem.capacity()[r])
                    return broken(place, "it holds unit " + to_text(units[k]),
                                  "units are numbered below " + to_text(problem.capacity()[r]));
                if (std::count(units.begin(), units.end(), units[k]) != 1)
                    return broken(place, "it holds unit " + to_text(units[k]) + " twice",
                                  "its units must differ");
            }
            for (graph::index u = 0; u < v; ++u) {
                const interval other = interval(problem, plan, u);
                if (!(other.start_s < time.end_s && time.start_s < other.end_s)) continue;
                for (const std::int32_t unit : cores.units(u, r))
                    if (std::find(units.begin(), units.end(), unit) != units.end())
                        return broken(
                            place, "it holds unit " + to_text(unit) + " while task " + to_text(u) + " does",
                            "a unit serves one task at a time");
            }
        }
    }
    return {};
}

} // namespace dovetail::schedule

/// \file
/// Which devices hold which layers.

/// \file
/// The exact placement of a chain of layers: data, pipeline and tensor parallelism together.

/// \file
/// Every possible stage of a chain of layers, its load, memory and tail in constant time from prefix sums.

/// \file
/// The problem of placement: weighted layers, the bytes between them, and the devices to spread them over.

/// \file
/// Where placement keeps its sequences: vectors that grow, or arrays whose sizes are part of the type.

namespace dovetail::placement {

/// A vector of at most `Capacity` elements that lives where it is declared.
template <class T, std::size_t Capacity>
class fixed_vector {
public:
    using value_type = T;

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T* data() noexcept { return elements_.data(); }
    [[nodiscard]] constexpr const T* data() const noexcept { return elements_.data(); }
    [[nodiscard]] constexpr T* begin() noexcept { return data(); }
    [[nodiscard]] constexpr const T* begin() const noexcept { return data(); }
    [[nodiscard]] constexpr T* end() noexcept { return data() + size_; }
    [[nodiscard]] constexpr const T* end() const noexcept { return data() + size_; }
    [[nodiscard]] constexpr T& operator[](std::size_t i) { return elements_[i]; }
    [[nodiscard]] constexpr const T& operator[](std::size_t i) const { return elements_[i]; }
    [[nodiscard]] constexpr const T& back() const { return elements_[size_ - 1]; }

    constexpr void clear() noexcept { size_ = 0; }
    constexpr void push_back(const T& value) {
        DOVETAIL_ASSERT(size_ < Capacity, "the fixed vector is full");
        elements_[size_++] = value;
    }
    constexpr void resize(std::size_t size, const T& value) {
        DOVETAIL_ASSERT(size <= Capacity, "the fixed vector is too small");
        while (size_ < size) elements_[size_++] = value;
        size_ = size;
    }

private:
    std::array<T, Capacity> elements_{};
    std::size_t size_ = 0;
};

/// Any number of layers, edges and widths, on the heap.
struct dynamic_storage {
    template <class T>
    using per_layer = std::vector<T>;
    template <class T>
    using per_edge = std::vector<T>;
    template <class T>
    using per_width = std::vector<T>;
    /// Up to one element a layer, and one more.
    template <class T>
    using up_to_layers = std::vector<T>;
    /// One element for every number of stages and of them on a single device.
    template <class T>
    using per_row = std::vector<T>;
    /// A row of `layers + 1` elements for each of those.
    template <class T>
    using per_cell = std::vector<T>;
};

/// A chain of exactly `Layers` layers costed for exactly `Widths` tensor widths, without allocation.
template <std::size_t Layers, std::size_t Widths>
struct fixed_storage {
    static_assert(Layers > 0 && Widths > 0, "a chain has a layer and a tensor width");

    template <class T>
    using per_layer = std::array<T, Layers>;
    template <class T>
    using per_edge = std::array<T, Layers - 1>;
    template <class T>
    using per_width = std::array<T, Widths>;
    template <class T>
    using up_to_layers = fixed_vector<T, Layers + 1>;
    template <class T>
    using per_row = fixed_vector<T, (Layers + 1) * (Layers + 2) / 2>;
    template <class T>
    using per_cell = fixed_vector<T, (Layers + 1) * (Layers + 1) * (Layers + 2) / 2>;
};

} // namespace dovetail::placement

namespace dovetail::placement {

/// What one layer costs on one of the devices that share it, for one micro-batch. Sums of bytes are exact
/// as long as the bytes are whole and below 2^53, and then "it fits" is exact too.
struct layer {
    double forward_s = 0.0;
    double backward_s = 0.0;
    double update_s = 0.0;         ///< the optimizer's step, once a batch
    double resident_bytes = 0.0;   ///< weights, gradients and optimizer state
    double reduce_bytes = 0.0;     ///< gradients that the data-parallel replicas add up
    double activation_bytes = 0.0; ///< working set of the micro-batch that is being computed
    double stash_bytes = 0.0;      ///< kept for every further micro-batch in flight, without recomputation
    bool tensor_parallel = false;  ///< split over the tensor width; otherwise it runs on one device

    // Parts of the above, which only a `plan_space` wider than PHAZE's asks for.
    double weight_gradient_s = 0.0;     ///< of `backward_s`: nobody waits for it
    double attention_forward_s = 0.0;   ///< of `forward_s`: what selective recomputation repeats
    double attention_stash_bytes = 0.0; ///< of `stash_bytes`: what it need not keep for that
    double optimizer_bytes = 0.0;       ///< of `resident_bytes`: state that replicas can share out

    friend constexpr bool operator==(const layer&, const layer&) = default;
};

/// The layers and edges of a graph as one tensor width makes them.
template <class Storage>
struct basic_width_costs {
    std::int64_t width = 1; ///< devices that share each tensor-parallel layer
    typename Storage::template per_layer<layer> layers{};
    typename Storage::template per_edge<double> edge_bytes{}; ///< for one micro-batch, aligned with `edges`
};

/// A model to be cut into stages. The layers are numbered in a topological order: every edge leads from a
/// lower to a higher number. Edges are sorted by source, then target. In fixed storage the graph is a chain.
template <class Storage>
struct basic_layer_graph {
    using storage = Storage;

    typename Storage::template per_edge<graph::arc> edges{};
    typename Storage::template per_width<basic_width_costs<Storage>> widths{}; ///< by ascending width
    std::int64_t devices = 1;
    std::int64_t micro_batches = 1;                             ///< in the global batch, over all replicas
    double hbm_bytes = std::numeric_limits<double>::infinity(); ///< memory of one device
    double link_bytes_per_s = std::numeric_limits<double>::infinity();
    bool recompute = false; ///< stages but the last keep their inputs only, and repeat the forward pass

    [[nodiscard]] constexpr std::size_t layer_count() const {
        return widths.size() == 0 ? 0 : widths[0].layers.size();
    }
};

using width_costs = basic_width_costs<dynamic_storage>;
using layer_graph = basic_layer_graph<dynamic_storage>;

/// A chain whose layers and widths are counted in its type: its programs need no heap.
template <std::size_t Layers, std::size_t Widths = 1>
using fixed_layer_chain = basic_layer_graph<fixed_storage<Layers, Widths>>;

/// Fills `edges` with the arcs 0 -> 1 -> … of a chain.
template <class Edges>
constexpr void link_as_chain(Edges& edges) {
    for (std::size_t e = 0; e < edges.size(); ++e)
        edges[e] = {static_cast<graph::index>(e), static_cast<graph::index>(e + 1)};
}

/// Whether the edges are exactly 0 -> 1 -> … over all layers. \complexity O(layers).
template <class Storage>
[[nodiscard]] constexpr bool is_chain(const basic_layer_graph<Storage>& problem) {
    if (problem.edges.size() + 1 != problem.layer_count()) return false;
    for (std::size_t e = 0; e < problem.edges.size(); ++e)
        if (problem.edges[e].source != e || problem.edges[e].target != e + 1) return false;
    return true;
}

namespace detail {

[[nodiscard]] inline error out_of_range(std::string place, double value, std::string_view expected) {
    return {errc::out_of_range, std::move(place), "it is " + to_text(value), std::string(expected)};
}

[[nodiscard]] inline result<void> check_width(const width_costs& costs, std::size_t layers,
                                              std::size_t edges) {
    const std::string place = "width " + to_text(costs.width);
    if (costs.layers.size() != layers || costs.edge_bytes.size() != edges)
        return error{errc::shape, place,
                     "it has " + to_text(costs.layers.size()) + " layers and " +
                         to_text(costs.edge_bytes.size()) + " edges",
                     "every width has the same " + to_text(layers) + " layers and " + to_text(edges) +
                         " edges"};
    constexpr std::string_view expected = "it must be a finite number, 0 or more";
    const auto bad = [](double x) { return !(x >= 0.0) || !std::isfinite(x); };
    for (std::size_t v = 0; v < layers; ++v) {
        const layer& l = costs.layers[v];
        const std::string at = place + ": layer " + to_text(v) + ": ";
        const std::array<std::pair<const char*, double>, 7> fields{{{"forward_s", l.forward_s},
                                                                    {"backward_s", l.backward_s},
                                                                    {"update_s", l.update_s},
                                                                    {"resident_bytes", l.resident_bytes},
                                                                    {"reduce_bytes", l.reduce_bytes},
                                                                    {"activation_bytes", l.activation_bytes},
                                                                    {"stash_bytes", l.stash_bytes}}};
        for (const auto& [name, value] : fields)
            if (bad(value)) return out_of_range(at + name, value, expected);
        const std::array<std::tuple<const char*, double, double>, 4> parts{
            {{"weight_gradient_s", l.weight_gradient_s, l.backward_s},
             {"attention_forward_s", l.attention_forward_s, l.forward_s},
             {"attention_stash_bytes", l.attention_stash_bytes, l.stash_bytes},
             {"optimizer_bytes", l.optimizer_bytes, l.resident_bytes}}};
        for (const auto& [name, value, whole] : parts)
            if (bad(value) || value > whole)
                return out_of_range(at + name, value, "it must be from 0 to the whole, " + to_text(whole));
    }
    for (std::size_t e = 0; e < edges; ++e)
        if (bad(costs.edge_bytes[e]))
            return out_of_range(place + ": edge " + to_text(e) + ": bytes", costs.edge_bytes[e], expected);
    return {};
}

} // namespace detail

/// Checks everything that the programs take for granted about a problem that nobody has checked.
/// \returns errc::empty_space without a layer or a width, errc::out_of_range for a number outside its range,
/// errc::shape where widths disagree or edges are not in topological order and sorted.
[[nodiscard]] inline result<void> validate(const layer_graph& problem) {
    if (problem.layer_count() == 0)
        return error{errc::empty_space, "layer graph", "it has no layer",
                     "there must be a tensor width with at least one layer"};
    if (problem.devices < 1)
        return detail::out_of_range("devices", static_cast<double>(problem.devices), "it must be 1 or more");
    if (problem.micro_batches < 1)
        return detail::out_of_range("micro_batches", static_cast<double>(problem.micro_batches),
                                    "it must be 1 or more");
    if (!(problem.hbm_bytes > 0.0))
        return detail::out_of_range("hbm_bytes", problem.hbm_bytes, "it must be positive");
    if (!(problem.link_bytes_per_s > 0.0))
        return detail::out_of_range("link_bytes_per_s", problem.link_bytes_per_s, "it must be positive");
    const std::size_t layers = problem.layer_count();
    for (std::size_t e = 0; e < problem.edges.size(); ++e) {
        const graph::arc& a = problem.edges[e];
        const graph::arc& last = problem.edges[e == 0 ? 0 : e - 1];
        const bool sorted = last.source < a.source || (last.source == a.source && last.target <= a.target);
        if (a.source >= a.target || a.target >= layers || !sorted)
            return error{errc::shape, "edge " + to_text(e),
                         "it leads from layer " + to_text(a.source) + " to layer " + to_text(a.target),
                         "edges lead to a higher layer below " + to_text(layers) +
                             ", and are sorted by source and target"};
    }
    std::int64_t narrower = 0;
    for (const width_costs& costs : problem.widths) {
        if (costs.width <= narrower)
            return detail::out_of_range("width", static_cast<double>(costs.width),
                                        "widths are 1 or more and ascend");
        narrower = costs.width;
        if (auto checked = detail::check_width(costs, layers, problem.edges.size()); !checked) return checked;
    }
    return {};
}

} // namespace dovetail::placement

/// \file
/// The table of the exact programs: for every suffix of the layers and number of stages, the least largest
/// cost of a stage.

namespace dovetail::placement::detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// Which stages a search looks at: every one, those that hold no split layer and run on a single device, or
/// those that hold one.
enum class stage_kind { any, single, split };

/// One cell of the table.
struct table_cell {
    double value = infinity;        ///< the least largest cost from this state on
    double least_before = infinity; ///< the least value of this state and of all before it in the row
};

/// A finished row; only the states [begin, end) can have a finite value.
struct table_row {
    const table_cell* cells;
    std::size_t begin;
    std::size_t end;
};

/// A stage and the value that it leads to.
template <class StageRef>
struct choice {
    double value;
    StageRef stage;
};

/// What a stage of a plan costs.
struct stage_figures {
    double load_s = 0.0;
    double memory_bytes = 0.0;
    double reduce_bytes = 0.0;
    double update_s = 0.0;
};

/// Row (s, q) holds, for every state, the least largest cost of cutting all that remains from it into exactly
/// s stages of which q are of the single kind. Rows are added a number of stages at a time; there is no
/// dimension for devices, which s and q determine.
template <class Storage>
class stage_table {
public:
    /// Starts over with the row of no stage: nothing remains in the last state, and only there.
    constexpr void start(std::size_t states, std::size_t max_singles) {
        states_ = states;
        max_singles_ = max_singles;
        stages_ = 0;
        grow(1);
        for (std::size_t k = 0; k + 1 < states; ++k) cells_[k] = {};
        cells_[states - 1] = {0.0, 0.0};
        windows_[0] = {states - 1, states};
    }

    /// The largest number of stages that has its rows.
    [[nodiscard]] constexpr std::size_t stages() const { return stages_; }
    [[nodiscard]] constexpr std::size_t max_singles(std::size_t stages) const {
        return std::min(stages, max_singles_);
    }
    [[nodiscard]] constexpr table_row row(std::size_t stages, std::size_t singles) const {
        const std::size_t r = row_number(stages, singles);
        return {cells_.data() + r * states_, windows_[r].begin, windows_[r].end};
    }
    /// The least largest cost of cutting everything into `stages` stages.
    [[nodiscard]] constexpr double whole(std::size_t stages, std::size_t singles) const {
        return row(stages, singles).cells[0].value;
    }

    /// Adds the rows of one more stage. `rule` prices stages at that place in the pipeline; `limit(q)` gives
    /// for each row a function of the state: values that reach it are of no use, and become infinite.
    /// \returns whether any cell is finite.
    template <class Space, class Rule, class Limit>
    constexpr bool add_stage(const Space& space, const Rule& rule, const Limit& limit) {
        ++stages_;
        const std::size_t singles = max_singles(stages_);
        grow(row_number(stages_, singles) + 1);
        bool any = false;
        for (std::size_t q = 0; q <= singles; ++q) any = fill_row(space, rule, q, limit(q)) || any;
        return any;
    }

    /// The first stage of a best cut of what remains from state `k` into `stages` stages, `singles` of them
    /// single; lowers `singles` where that stage is one.
    template <class Space, class Rule>
    [[nodiscard]] constexpr auto first_stage(const Space& space, const Rule& rule, std::size_t stages,
                                             std::size_t& singles, std::size_t k) const {
        stages_behind behind = rows_behind(stages, singles);
        behind.guess = behind.guess_single = k + 1;
        const auto best = best_stage(space, rule, behind, k, infinity);
        DOVETAIL_ASSERT(best.value < infinity, "there is no such cut");
        if (max_singles_ > 0 && space.single(best.stage)) --singles;
        return best.stage;
    }

private:
    struct window {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    [[nodiscard]] constexpr std::size_t row_number(std::size_t stages, std::size_t singles) const {
        // min(i, max_singles) + 1 rows for every smaller number i of stages.
        const std::size_t rising = std::min(stages, max_singles_);
        return rising * (rising + 1) / 2 + (stages - rising) * (max_singles_ + 1) + singles;
    }

    // What a former problem left in the rows is overwritten, never read.
    constexpr void grow(std::size_t rows) {
        if (cells_.size() < rows * states_) cells_.resize(rows * states_, {});
        if (windows_.size() < rows) windows_.resize(rows, {});
    }

    // The rows that a stage can stand in front of, and where its end is looked for first.
    struct stages_behind {
        stage_kind kind = stage_kind::any;
        table_row row{nullptr, 0, 0};
        table_row row_single{nullptr, 0, 0}; // empty where no stage is counted as single
        std::size_t guess = 0;
        std::size_t guess_single = 0;
    };

    [[nodiscard]] constexpr stages_behind rows_behind(std::size_t stages, std::size_t singles) const {
        stages_behind behind;
        if (singles <= max_singles(stages - 1)) behind.row = row(stages - 1, singles);
        if (max_singles_ > 0) behind.kind = stage_kind::split;
        if (singles > 0) behind.row_single = row(stages - 1, singles - 1);
        behind.guess = behind.guess_single = states_ - 1;
        return behind;
    }

    template <class Space, class Rule>
    [[nodiscard]] static constexpr auto best_stage(const Space& space, const Rule& rule,
                                                   stages_behind& behind, std::size_t k, double limit) {
        const auto best = space.best_stage(rule, behind.kind, k, behind.row, limit, behind.guess);
        if (behind.row_single.begin >= behind.row_single.end) return best;
        const auto single =
            space.best_stage(rule, stage_kind::single, k, behind.row_single, best.value, behind.guess_single);
        return single.value < best.value ? single : best;
    }

    template <class Space, class Rule, class RowLimit>
    constexpr bool fill_row(const Space& space, const Rule& rule, std::size_t q, const RowLimit& limit) {
        const std::size_t r = row_number(stages_, q);
        table_cell* const cells = cells_.data() + r * states_;
        stages_behind behind = rows_behind(stages_, q);
        window finite{states_, 0};
        // A state with s stages to come is s states from the end at least.
        for (std::size_t k = states_ - 1; k + 1 > states_ - stages_; --k) cells[k].value = infinity;
        for (std::size_t k = states_ - stages_; k-- > 0;) {
            const double cap = limit(k);
            double value = infinity;
            if (cap > 0.0) {
                const auto best = best_stage(space, rule, behind, k, cap);
                if (best.value < cap) {
                    value = best.value;
                    finite.begin = k;
                    finite.end = std::max(finite.end, k + 1);
                }
            }
            cells[k].value = value;
        }
        double least = infinity;
        for (std::size_t k = 0; k < states_; ++k)
            cells[k].least_before = least = std::min(least, cells[k].value);
        windows_[r] = finite;
        return finite.begin < finite.end;
    }

    std::size_t states_ = 0;
    std::size_t max_singles_ = 0;
    std::size_t stages_ = 0;
    typename Storage::template per_cell<table_cell> cells_{};
    typename Storage::template per_row<window> windows_{};
};

} // namespace dovetail::placement::detail

namespace dovetail::placement::detail {

/// The stages of a chain for one tensor width. State k stands for "the layers from k on remain"; the stage
/// from state k to state j > k holds the layers [k, j).
template <class Storage>
class chain_stages {
public:
    struct stage_ref {
        std::size_t begin;
        std::size_t end;
    };

    /// Reads one width of a chain. \complexity O(layers).
    constexpr void prepare(const basic_layer_graph<Storage>& problem,
                           const basic_width_costs<Storage>& costs) {
        const std::size_t n = costs.layers.size();
        layers_ = n;
        recompute_ = problem.recompute;
        sums_.resize(n + 1, {});
        sums_[0] = {};
        least_entering_s_ = n > 1 ? infinity : 0.0;
        for (std::size_t v = 0; v < n; ++v) {
            const layer& l = costs.layers[v];
            const sums_before& before = sums_[v];
            const double bytes = v + 1 < n ? costs.edge_bytes[v] : 0.0;
            sums_[v + 1] = {.work_s =
                                before.work_s + (recompute_ ? 2.0 * l.forward_s : l.forward_s) + l.backward_s,
                            .forward_s = before.forward_s + l.forward_s,
                            .fixed_bytes = before.fixed_bytes + l.resident_bytes + l.activation_bytes,
                            .stash_bytes = before.stash_bytes + (recompute_ ? 0.0 : l.stash_bytes),
                            .reduce_bytes = before.reduce_bytes + l.reduce_bytes,
                            .update_s = before.update_s + l.update_s,
                            .entering_s = bytes / problem.link_bytes_per_s,
                            .entering_bytes = recompute_ ? bytes : 0.0};
            if (v + 1 < n) least_entering_s_ = std::min(least_entering_s_, sums_[v + 1].entering_s);
        }
        next_split_.resize(n + 1, 0);
        next_split_[n] = static_cast<std::uint32_t>(n);
        single_layers_ = 0;
        for (std::size_t v = n; v-- > 0;) {
            const bool split = costs.layers[v].tensor_parallel;
            next_split_[v] = split ? static_cast<std::uint32_t>(v) : next_split_[v + 1];
            single_layers_ += split ? 0 : 1;
        }
    }

    [[nodiscard]] constexpr std::size_t states() const { return layers_ + 1; }
    [[nodiscard]] constexpr std::size_t max_stages() const { return layers_; }
    [[nodiscard]] constexpr std::size_t split_layers() const { return layers_ - single_layers_; }
    [[nodiscard]] constexpr std::size_t single_layers() const { return single_layers_; }

    /// Work that any stages covering the layers before state `k` must share: a bound on the sum of their
    /// loads.
    [[nodiscard]] constexpr double work_before_s(std::size_t k) const { return sums_[k].work_s; }

    /// A bound on the largest load of any `stages` stages: together they do all work, and what crosses a cut
    /// is received, and sent unless that may hide behind a repeated forward pass. The last stage repeats
    /// nothing, which is less than its load.
    [[nodiscard]] constexpr double least_load_s(std::size_t stages) const {
        const auto s = static_cast<double>(stages);
        const double cut_s = (s - 1.0) * least_entering_s_;
        const double all_s = sums_[layers_].work_s;
        if (!recompute_) return (all_s + 2.0 * cut_s) / s;
        const double once_s = all_s - sums_[layers_].forward_s;
        return std::max((once_s + cut_s) / s, (all_s + cut_s) / (s + 1.0));
    }
    /// A bound on the bytes that the first stage reduces.
    [[nodiscard]] constexpr double least_first_reduce_bytes() const { return sums_[1].reduce_bytes; }

    [[nodiscard]] constexpr bool single(stage_ref s) const { return s.end <= next_split_[s.begin]; }
    /// The load without the transfers behind the stage: it never falls when the stage grows at its end.
    [[nodiscard]] constexpr double load_floor_s(stage_ref s, bool last) const {
        const sums_before& begin = sums_[s.begin];
        const sums_before& end = sums_[s.end];
        const double work = end.work_s - begin.work_s + begin.entering_s;
        return last && recompute_ ? work - (end.forward_s - begin.forward_s) : work;
    }
    [[nodiscard]] constexpr double load_s(stage_ref s, bool last) const {
        double leaving = sums_[s.end].entering_s;
        // Gradients arrive while the forward pass is being repeated.
        if (recompute_)
            leaving = std::max(0.0, leaving - (sums_[s.end].forward_s - sums_[s.begin].forward_s));
        return load_floor_s(s, last) + leaving;
    }
    /// `behind` is the number of stages behind this one: the micro-batches whose inputs it keeps.
    [[nodiscard]] constexpr double memory_bytes(stage_ref s, std::size_t behind) const {
        const sums_before& begin = sums_[s.begin];
        const sums_before& end = sums_[s.end];
        const double stash = end.stash_bytes - begin.stash_bytes + begin.entering_bytes;
        return end.fixed_bytes - begin.fixed_bytes + static_cast<double>(behind) * stash;
    }
    [[nodiscard]] constexpr double reduce_bytes(stage_ref s) const {
        return sums_[s.end].reduce_bytes - sums_[s.begin].reduce_bytes;
    }
    [[nodiscard]] constexpr double update_s(stage_ref s) const {
        return sums_[s.end].update_s - sums_[s.begin].update_s;
    }

    /// The stage of the given kind from state `k` that makes the larger of its value and of the value of the
    /// row `behind` at its end smallest, where that is below `limit`.
    ///
    /// Starts at `guess`, which it leaves where the search ended, and walks both ways. To the right it stops
    /// where the stage no longer fits, or where what it costs at least reaches the best found; to the left,
    /// where the least value of all earlier ends does. Exact whatever the costs; amortised O(1) steps where
    /// values fall along the row behind.
    template <class Rule>
    [[nodiscard]] constexpr choice<stage_ref> best_stage(const Rule& rule, stage_kind kind, std::size_t k,
                                                         table_row behind, double limit,
                                                         std::size_t& guess) const {
        const auto [first, past] = ends(kind, k, behind);
        choice<stage_ref> best{limit, {k, k}};
        if (first >= past || !rule.fits({k, first})) return best;
        std::size_t pivot = std::clamp(guess, first, past - 1);
        while (!rule.fits({k, pivot})) --pivot;
        guess = pivot;
        const auto consider = [&](std::size_t end) {
            const double behind_it = behind.cells[end].value;
            if (behind_it >= best.value) return;
            const double value = std::max(rule.value({k, end}), behind_it);
            if (value < best.value) best = {value, {k, guess = end}};
        };
        for (std::size_t end = pivot; end < past && rule.floor({k, end}) < best.value; ++end) {
            if (end > pivot && !rule.fits({k, end})) break;
            consider(end);
        }
        for (std::size_t end = pivot; end-- > first && behind.cells[end].least_before < best.value;)
            consider(end);
        return best;
    }

    /// Calls `visit(stage)` for every fitting stage of a kind from state `k` whose floor is below `limit()`.
    template <class Rule, class Limit, class Visit>
    constexpr void for_each_stage(const Rule& rule, stage_kind kind, std::size_t k, table_row behind,
                                  const Limit& limit, const Visit& visit) const {
        const auto [first, past] = ends(kind, k, behind);
        for (std::size_t end = first; end < past; ++end) {
            if (!rule.fits({k, end}) || rule.floor({k, end}) >= limit()) return;
            visit(stage_ref{k, end});
        }
    }

    /// The figures of a stage added up layer by layer: differences of prefix sums lose digits where a small
    /// stage follows a large one.
    [[nodiscard]] constexpr stage_figures figures(const basic_width_costs<Storage>& costs, stage_ref s,
                                                  std::size_t behind) const {
        double forward_s = 0.0;
        double backward_s = 0.0;
        double stash_bytes = sums_[s.begin].entering_bytes;
        stage_figures sum{};
        for (std::size_t v = s.begin; v < s.end; ++v) {
            const layer& l = costs.layers[v];
            forward_s += l.forward_s;
            backward_s += l.backward_s;
            sum.memory_bytes += l.resident_bytes + l.activation_bytes;
            stash_bytes += recompute_ ? 0.0 : l.stash_bytes;
            sum.reduce_bytes += l.reduce_bytes;
            sum.update_s += l.update_s;
        }
        const double repeated_s = recompute_ && behind > 0 ? forward_s : 0.0;
        sum.load_s = sums_[s.begin].entering_s + forward_s + std::max(repeated_s, sums_[s.end].entering_s) +
                     backward_s;
        sum.memory_bytes += static_cast<double>(behind) * stash_bytes;
        return sum;
    }

    /// Appends the layers of a stage to a plan's order.
    template <class Order>
    constexpr void append_layers(stage_ref s, Order& order) const {
        for (std::size_t v = s.begin; v < s.end; ++v) order.push_back(static_cast<graph::index>(v));
    }

private:
    struct range {
        std::size_t first;
        std::size_t past;
    };

    [[nodiscard]] constexpr range ends(stage_kind kind, std::size_t k, table_row behind) const {
        const std::size_t split_from = next_split_[k] + std::size_t{1};
        const std::size_t first = kind == stage_kind::split ? split_from : k + 1;
        const std::size_t past = kind == stage_kind::single ? split_from : layers_ + 1;
        return {std::max(first, behind.begin), std::min(past, behind.end)};
    }

    // What all layers before one add up to, and what enters it: a line of a processor's cache.
    struct sums_before {
        double work_s = 0.0;
        double forward_s = 0.0;
        double fixed_bytes = 0.0;
        double stash_bytes = 0.0;
        double reduce_bytes = 0.0;
        double update_s = 0.0;
        double entering_s = 0.0;
        double entering_bytes = 0.0;
    };

    std::size_t layers_ = 0;
    std::size_t single_layers_ = 0;
    bool recompute_ = false;
    double least_entering_s_ = 0.0; // over all cuts
    typename Storage::template up_to_layers<sums_before> sums_{};
    typename Storage::template up_to_layers<std::uint32_t> next_split_{};
};

} // namespace dovetail::placement::detail

/// \file
/// The exact search over numbers of stages, cuts and data-parallel degrees, for one tensor width at a time.

/// \file
/// The time of one batch: what a pipeline's heaviest stage and the data-parallel reduction add up to.

namespace dovetail::placement {

/// Who pays for the work that follows the last micro-batch of a batch.
enum class objective : std::uint8_t {
    /// PHAZE (Wang et al., ICML 2024): the first stage alone adds up its gradients; the update is free.
    phaze,
    /// Every stage adds up its gradients and updates its weights, all of them at once: the slowest counts.
    every_stage,
};

/// The name of the objective.
[[nodiscard]] constexpr std::string_view to_string(objective o) noexcept {
    switch (o) {
    case objective::phaze:
        return "phaze";
    case objective::every_stage:
        return "every stage";
    }
    return "unknown";
}

/// Seconds of a ring all-reduce of `bytes` among `degree` devices, each sending `link_bytes_per_s`:
/// 2 (degree - 1) / degree * bytes / link_bytes_per_s.
[[nodiscard]] constexpr double ring_all_reduce_s(double bytes, std::int64_t degree, double link_bytes_per_s) {
    const auto d = static_cast<double>(degree);
    return 2.0 * (d - 1.0) * bytes / (d * link_bytes_per_s);
}

/// How many times the heaviest stage's load a batch takes when a pipeline of `stages` stages in each of
/// `data_parallel` replicas is filled, kept busy and drained: ceil(micro_batches / data_parallel) + stages
/// - 1.
[[nodiscard]] constexpr std::int64_t pipeline_slots(std::int64_t micro_batches, std::int64_t data_parallel,
                                                    std::int64_t stages) {
    return ceil_div(micro_batches, data_parallel) + stages - 1;
}

} // namespace dovetail::placement

/// \file
/// A placement: which layers form a stage, how wide, how often replicated, and what that costs.

namespace dovetail::placement {

/// What a stage keeps of a forward pass for the backward pass, and what it computes again instead.
enum class recomputation : std::uint8_t {
    none,      ///< keeps everything
    selective, ///< repeats the inside of attention, where little work makes many bytes
    full,      ///< keeps its inputs and repeats the whole forward pass
};

/// All of them, the least work first.
inline constexpr std::array every_recomputation{recomputation::none, recomputation::selective,
                                                recomputation::full};

/// The name of a way to recompute.
[[nodiscard]] constexpr std::string_view to_string(recomputation r) noexcept {
    switch (r) {
    case recomputation::none:
        return "none";
    case recomputation::selective:
        return "selective";
    case recomputation::full:
        return "full";
    }
    return "unknown";
}

/// One stage of a pipeline: the layers at the positions [begin, end) of the plan's order.
struct stage {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::int64_t devices = 1; ///< of one replica: the tensor width, or 1 where no layer is split
    double load_s = 0.0;      ///< one micro-batch, forward and backward, transfers and recomputation included
    double memory_bytes = 0.0; ///< at its peak, on each device
    double tail_s = 0.0;       ///< its own gradient reduction and update, after the last micro-batch
    recomputation repeats = recomputation::none;

    friend constexpr bool operator==(const stage&, const stage&) = default;
};

/// The answer to a placement problem. `outcome` is `optimal` or `infeasible`; an infeasible plan has no stage
/// and an infinite time.
template <class Storage>
struct basic_plan {
    status outcome = status::infeasible;
    std::int64_t tensor_parallel = 0;  ///< the tensor width
    std::int64_t data_parallel = 0;    ///< replicas of the whole pipeline
    std::size_t stages_per_device = 1; ///< the stages s, s + p, s + 2 p, … share devices, of p in all
    double time_per_batch_s = std::numeric_limits<double>::infinity();
    typename Storage::template up_to_layers<stage> stages{};       ///< first to last
    typename Storage::template up_to_layers<graph::index> order{}; ///< the layers, stage by stage

    /// The layers of stage `s`, in topological order.
    [[nodiscard]] constexpr std::span<const graph::index> layers(std::size_t s) const {
        return std::span<const graph::index>(order.data(), order.size())
            .subspan(stages[s].begin, stages[s].end - stages[s].begin);
    }

    /// Devices that the plan occupies, over all replicas.
    [[nodiscard]] constexpr std::int64_t devices() const {
        std::int64_t replica = 0;
        for (const stage& s : stages) replica += s.devices;
        return replica / static_cast<std::int64_t>(stages_per_device) * data_parallel;
    }

    /// The first of the stages with the largest load: it sets the pace of the pipeline.
    [[nodiscard]] constexpr std::size_t heaviest_stage() const {
        std::size_t heaviest = 0;
        for (std::size_t s = 1; s < stages.size(); ++s)
            if (stages[s].load_s > stages[heaviest].load_s) heaviest = s;
        return heaviest;
    }
};

using plan = basic_plan<dynamic_storage>;

} // namespace dovetail::placement

/// \file
/// How many devices a replica of a pipeline takes.

namespace dovetail::placement::detail {

/// How many devices a replica takes, by its number of stages and how many of them hold no split layer.
struct replica_shape {
    std::int64_t stage_devices = 1; ///< of a stage with a split layer
    std::size_t max_singles = 0;    ///< stages on one device are counted only where that saves devices

    template <class Space>
    [[nodiscard]] static constexpr replica_shape of(const Space& space, std::int64_t width) {
        if (space.split_layers() == 0 || width == 1) return {};
        return {width, space.single_layers()};
    }
    [[nodiscard]] constexpr std::int64_t devices(std::size_t stages, std::size_t singles) const {
        return stage_devices * static_cast<std::int64_t>(stages - singles) +
               static_cast<std::int64_t>(singles);
    }
};

} // namespace dovetail::placement::detail

/// \file
/// What a table makes small, and which stages it may use: one rule for each question that the programs ask.

namespace dovetail::placement::detail {

/// A rule prices a stage that has `behind` stages behind it. Where states are the cuts of a chain, `floor`
/// never falls and `fits` never comes back as a stage grows at its end, and `floor` is at most `value`.

/// Least load, within the memory of a device.
template <class Space>
struct load_rule {
    using stage_ref = typename Space::stage_ref;

    const Space& space;
    std::size_t behind;
    double hbm_bytes;

    [[nodiscard]] constexpr double value(stage_ref s) const { return space.load_s(s, behind == 0); }
    [[nodiscard]] constexpr double floor(stage_ref s) const { return space.load_floor_s(s, behind == 0); }
    [[nodiscard]] constexpr bool fits(stage_ref s) const {
        return space.memory_bytes(s, behind) <= hbm_bytes;
    }
};

/// Seconds of gradient reduction and update of a stage; `reduce_s_per_byte` depends on the number of
/// replicas.
template <class Space>
[[nodiscard]] constexpr double tail_s(const Space& space, typename Space::stage_ref s,
                                      double reduce_s_per_byte) {
    return reduce_s_per_byte * space.reduce_bytes(s) + space.update_s(s);
}

/// Least load among stages that fit and whose tail stays below a cap.
template <class Space>
struct load_under_tail_rule {
    using stage_ref = typename Space::stage_ref;

    load_rule<Space> load;
    double reduce_s_per_byte;
    double tail_cap_s;

    [[nodiscard]] constexpr double value(stage_ref s) const { return load.value(s); }
    [[nodiscard]] constexpr double floor(stage_ref s) const { return load.floor(s); }
    [[nodiscard]] constexpr bool fits(stage_ref s) const {
        return load.fits(s) && tail_s(load.space, s, reduce_s_per_byte) < tail_cap_s;
    }
};

/// Least tail among stages that fit and whose load is at most a cap.
template <class Space>
struct tail_under_load_rule {
    using stage_ref = typename Space::stage_ref;

    load_rule<Space> load;
    double reduce_s_per_byte;
    double load_cap_s;

    [[nodiscard]] constexpr double value(stage_ref s) const {
        return load.value(s) <= load_cap_s ? floor(s) : infinity;
    }
    [[nodiscard]] constexpr double floor(stage_ref s) const {
        return tail_s(load.space, s, reduce_s_per_byte);
    }
    [[nodiscard]] constexpr bool fits(stage_ref s) const {
        return load.fits(s) && load.floor(s) <= load_cap_s;
    }
};

/// Least memory.
template <class Space>
struct memory_rule {
    using stage_ref = typename Space::stage_ref;

    const Space& space;
    std::size_t behind;

    [[nodiscard]] constexpr double value(stage_ref s) const { return space.memory_bytes(s, behind); }
    [[nodiscard]] constexpr double floor(stage_ref s) const { return value(s); }
    [[nodiscard]] constexpr bool fits(stage_ref) const { return true; }
};

} // namespace dovetail::placement::detail

namespace dovetail::placement::detail {

/// What a number of stages, and of single ones among them, promises at best.
struct row_promise {
    double time_s = infinity;
    double load_s = infinity;
    double tail_s = infinity; ///< on d replicas at least this times (1 - 1 / d)
    std::size_t stages = 0;
    std::size_t singles = 0;
};

/// The tables and the path of a program, kept from one problem to the next.
template <class Space, class Storage>
struct stage_program_memory {
    stage_table<Storage> loads{};
    stage_table<Storage> tails{};
    stage_table<Storage> trial{};
    typename Storage::template per_row<row_promise> promises{};
    typename Storage::template up_to_layers<double> least_times{}; ///< of plans with as many stages or more
    typename Storage::template up_to_layers<typename Space::stage_ref> path{};
};

/// Finds the best plan over the widths that it is called with, one after the other.
///
/// The tables hold no devices: a replica of s stages, q of them single, occupies a fixed number of them, and
/// only the numbers of replicas at which ceil(micro_batches / replicas) changes can be best. For a plan with
/// largest load X on d replicas ceil(N / d) >= N / d bounds its time by a line in 1 / d, which ends the
/// search over d early; and every stage still to come in front of a suffix adds devices and pipeline slots in
/// proportion to the work that it takes over, which discards cells of the table.
template <class Space, class Storage>
class stage_program {
public:
    using stage_ref = typename Space::stage_ref;

    constexpr stage_program(const Space& space, const basic_layer_graph<Storage>& problem, objective charge,
                            stage_program_memory<Space, Storage>& memory, basic_plan<Storage>& best)
        : space_(space), memory_(memory), best_(best), charge_(charge), devices_(problem.devices),
          micro_batches_(problem.micro_batches), hbm_bytes_(problem.hbm_bytes),
          link_bytes_per_s_(problem.link_bytes_per_s), recompute_(problem.recompute) {
        best_.outcome = status::infeasible;
        best_.tensor_parallel = best_.data_parallel = 0;
        best_.time_per_batch_s = infinity;
        best_.stages.clear();
        best_.order.clear();
    }

    /// Improves the plan with what a width offers; the space must have been prepared for it.
    constexpr void operator()(const basic_width_costs<Storage>& costs) {
        shape_ = replica_shape::of(space_, costs.width);
        improved_ = false;
        auto& loads = memory_.loads;
        loads.start(space_.states(), shape_.max_singles);
        memory_.tails.start(space_.states(), shape_.max_singles);
        memory_.promises.clear();
        bound_times();
        for (std::size_t stages = 1; stages <= space_.max_stages(); ++stages) {
            if (memory_.least_times[stages] >= best_.time_per_batch_s) break;
            if (shape_.devices(stages, loads.max_singles(stages)) > devices_) break;
            const bool alive =
                loads.add_stage(space_, load(stages), [&](std::size_t q) { return load_limit(stages, q); });
            if (!alive) break;
            for (std::size_t q = loads.max_singles(stages) + 1; q-- > 0;)
                if (charge_ == objective::phaze)
                    cut_first_stage(stages, q);
                else
                    promise(stages, q);
        }
        keep_promises();
        if (improved_) write_plan(costs);
    }

private:
    [[nodiscard]] constexpr load_rule<Space> load(std::size_t stages) const {
        return {space_, stages - 1, hbm_bytes_};
    }

    /// For every number of stages, a bound on the time of all plans with as many or more.
    constexpr void bound_times() {
        auto& least = memory_.least_times;
        const std::size_t most = space_.max_stages();
        least.resize(most + 1, infinity);
        const double reduce_s = 2.0 * space_.least_first_reduce_bytes() / link_bytes_per_s_;
        double from = infinity;
        for (std::size_t stages = most; stages > 0; --stages) {
            const std::size_t singles = std::min(stages, shape_.max_singles);
            const std::int64_t replicas = most_replicas(stages, singles);
            // Sums carry rounding errors that must not discard a perfectly even cut.
            if (replicas > 0)
                from = std::min(from, least_time(space_.least_load_s(stages), stages, replicas, reduce_s) *
                                          (1.0 - 1e-12));
            least[stages] = from;
        }
    }

    /// Loads from which on a suffix of `stages` stages cannot be part of a better plan, by state. Let it need
    /// A devices, and r >= 1 more stages in front of it at least a devices each. Then a batch takes
    /// X (N (A + r a) / D + stages + r - 1) at least, and X r covers the work in front.
    [[nodiscard]] constexpr auto load_limit(std::size_t stages, std::size_t singles) const {
        const std::int64_t replica = shape_.devices(stages, singles);
        const double per_device = static_cast<double>(micro_batches_) / static_cast<double>(devices_);
        const auto s = static_cast<double>(stages);
        double slots = per_device * static_cast<double>(replica) + s - 1.0;
        double slots_a_stage =
            per_device * static_cast<double>(shape_.max_singles > 0 ? 1 : shape_.stage_devices) + 1.0;
        if (slots < s) { // every replica sees a micro-batch
            slots = s;
            slots_a_stage = 1.0;
        }
        const double time = replica > devices_ ? 0.0 : best_.time_per_batch_s;
        return [this, time, slots_a_stage, scale = 1.0 / slots](std::size_t state) {
            return (time - slots_a_stage * space_.work_before_s(state)) * scale;
        };
    }

    [[nodiscard]] constexpr std::int64_t most_replicas(std::size_t stages, std::size_t singles) const {
        return std::min(micro_batches_, devices_ / shape_.devices(stages, singles));
    }

    /// A bound on the time of a batch on at most `replicas` replicas whose tail is at least
    /// `tail_s * (1 - 1 / d)` on d replicas: linear in 1 / d, hence least at an end.
    [[nodiscard]] constexpr double least_time(double load_s, std::size_t stages, std::int64_t replicas,
                                              double tail_s) const {
        const double all_s = load_s * static_cast<double>(micro_batches_);
        const double d = all_s > tail_s ? static_cast<double>(replicas) : 1.0;
        return load_s * static_cast<double>(stages - 1) + tail_s + (all_s - tail_s) / d;
    }

    /// Calls `visit(d, slots)` for every number of replicas d that can be best, most replicas first, as long
    /// as `least_time` leaves room below `limit_s`, which may fall meanwhile.
    template <class Visit>
    constexpr void for_each_degree(double load_s, std::size_t stages, std::int64_t replicas, double tail_s,
                                   const double& limit_s, const Visit& visit) const {
        for (std::int64_t d = replicas; d > 0; --d) {
            if (least_time(load_s, stages, d, tail_s) >= limit_s) return;
            const std::int64_t each = ceil_div(micro_batches_, d);
            d = ceil_div(micro_batches_, each); // fewer replicas for as many micro-batches each
            visit(d, static_cast<double>(each + static_cast<std::int64_t>(stages) - 1));
        }
    }

    /// `objective::phaze`: every first stage with the best cut behind it.
    constexpr void cut_first_stage(std::size_t stages, std::size_t singles) {
        const double least_load_s = memory_.loads.whole(stages, singles);
        if (least_load_s == infinity) return;
        const std::int64_t replicas = most_replicas(stages, singles);
        if (least_time(least_load_s, stages, replicas, 0.0) >= best_.time_per_batch_s) return;
        const auto try_kind = [&](stage_kind kind, std::size_t singles_behind) {
            const table_row behind = memory_.loads.row(stages - 1, singles_behind);
            const auto limit = [&] { return best_.time_per_batch_s / static_cast<double>(stages); };
            space_.for_each_stage(load(stages), kind, 0, behind, limit, [&](stage_ref first) {
                const double load_s = std::max(load(stages).value(first), behind.cells[first.end].value);
                if (load_s == infinity) return;
                const double reduce_s = 2.0 * space_.reduce_bytes(first) / link_bytes_per_s_;
                const auto try_degree = [&](std::int64_t d, double slots) {
                    const double time = load_s * slots + reduce_s * (1.0 - 1.0 / static_cast<double>(d));
                    if (time >= best_.time_per_batch_s) return;
                    accept(time, d);
                    memory_.path.clear();
                    memory_.path.push_back(first);
                    stages_ = stages;
                    singles_behind_ = singles_behind;
                };
                for_each_degree(load_s, stages, replicas, reduce_s, best_.time_per_batch_s, try_degree);
            });
        };
        if (shape_.max_singles == 0) return try_kind(stage_kind::any, 0);
        if (singles > 0) try_kind(stage_kind::single, singles - 1);
        if (singles <= memory_.loads.max_singles(stages - 1)) try_kind(stage_kind::split, singles);
    }

    /// `objective::every_stage`: notes what a row promises. The first row of all is settled at once: any plan
    /// at all prunes the rows to come.
    constexpr void promise(std::size_t stages, std::size_t singles) {
        const double load_s = memory_.loads.whole(stages, singles);
        if (load_s == infinity) return;
        const double tail_s = least_tail(stages, singles);
        if (tail_s == infinity) return;
        row_promise row{best_.time_per_batch_s, load_s, tail_s, stages, singles};
        const auto lower = [&](std::int64_t d, double slots) {
            row.time_s = std::min(row.time_s, least_time_on(row, d, slots));
        };
        for_each_degree(load_s, stages, most_replicas(stages, singles), tail_s, row.time_s, lower);
        if (row.time_s >= best_.time_per_batch_s) return;
        if (best_.time_per_batch_s == infinity)
            settle(row);
        else
            memory_.promises.push_back(row);
    }

    /// Settles the rows by what they promise, the best first, until none promises anything better.
    constexpr void keep_promises() {
        while (true) {
            row_promise* best = nullptr;
            for (row_promise& row : memory_.promises)
                if (row.time_s < (best == nullptr ? best_.time_per_batch_s : best->time_s)) best = &row;
            if (best == nullptr) return;
            settle(*best);
            best->time_s = infinity;
        }
    }

    /// Tries every degree of a row that can still lead to a better plan.
    constexpr void settle(const row_promise& row) {
        const auto try_degree = [&](std::int64_t d, double slots) {
            if (least_time_on(row, d, slots) < best_.time_per_batch_s)
                trade_load_for_tail({row.stages, row.singles, d, slots}, row.load_s, least_tail_on(row, d));
        };
        for_each_degree(row.load_s, row.stages, most_replicas(row.stages, row.singles), row.tail_s,
                        best_.time_per_batch_s, try_degree);
    }

    [[nodiscard]] static constexpr double least_tail_on(const row_promise& row, std::int64_t replicas) {
        return row.tail_s * (1.0 - 1.0 / static_cast<double>(replicas));
    }
    [[nodiscard]] static constexpr double least_time_on(const row_promise& row, std::int64_t replicas,
                                                        double slots) {
        return row.load_s * slots + least_tail_on(row, replicas);
    }

    /// A number such that the largest tail of a better plan's cut is at least that number times (1 - 1 / d).
    [[nodiscard]] constexpr double least_tail(std::size_t stages, std::size_t singles) {
        auto& tails = memory_.tails;
        while (tails.stages() < stages) {
            const std::size_t s = tails.stages() + 1;
            const tail_under_load_rule<Space> rule{load(s), 2.0 / link_bytes_per_s_, infinity};
            // A suffix that no better plan has, by its load, needs no tail.
            tails.add_stage(space_, rule, [&](std::size_t q) {
                return [loads = memory_.loads.row(s, q)](std::size_t state) {
                    return loads.cells[state].value < infinity ? infinity : 0.0;
                };
            });
        }
        return tails.whole(stages, singles);
    }

    struct trial {
        std::size_t stages;
        std::size_t singles;
        std::int64_t replicas;
        double slots;
    };

    /// Walks along the cuts that no other beats in both load and tail, from the least load on, as long as one
    /// of them can still be better than the best plan.
    constexpr void trade_load_for_tail(const trial& t, double load_s, double tail_floor_s) {
        const double per_byte = ring_all_reduce_s(1.0, t.replicas, link_bytes_per_s_);
        const auto least_tail_rule = [&](std::size_t stages) {
            return tail_under_load_rule<Space>{load(stages), per_byte, load_s};
        };
        double tail_cap_s = best_.time_per_batch_s - load_s * t.slots;
        while (true) {
            // The sums of work carry rounding errors that must not discard a perfectly even cut.
            const double tail = solve_trial(t, least_tail_rule, load_s * (1.0 + 1e-12), tail_cap_s);
            if (tail < infinity && load_s * t.slots + tail < best_.time_per_batch_s) {
                accept(load_s * t.slots + tail, t.replicas);
                record_trial(t, least_tail_rule);
            }
            tail_cap_s = std::min({tail_cap_s, tail, best_.time_per_batch_s - load_s * t.slots});
            const double load_cap_s = (best_.time_per_batch_s - tail_floor_s) / t.slots;
            const auto rule = [&](std::size_t stages) {
                return load_under_tail_rule<Space>{load(stages), per_byte, tail_cap_s};
            };
            load_s = solve_trial(t, rule, load_cap_s, load_cap_s);
            if (load_s == infinity) return;
            tail_cap_s = std::min(tail_cap_s, best_.time_per_batch_s - load_s * t.slots);
        }
    }

    /// The least largest value of a rule over the cuts with the trial's stages and no load above
    /// `load_cap_s`, if below `value_cap`.
    template <class RuleOf>
    constexpr double solve_trial(const trial& t, const RuleOf& rule_of, double load_cap_s, double value_cap) {
        auto& table = memory_.trial;
        table.start(space_.states(), shape_.max_singles);
        while (table.stages() < t.stages) {
            const std::size_t in_front = t.stages - table.stages() - 1;
            const double work_cap_s = load_cap_s * static_cast<double>(in_front);
            const auto limit = [&, in_front, work_cap_s](std::size_t q) {
                const bool useful = q <= t.singles && t.singles - q <= in_front;
                return [&, in_front, work_cap_s, useful](std::size_t state) {
                    const bool open = in_front == 0 ? state == 0 : space_.work_before_s(state) <= work_cap_s;
                    return useful && open ? value_cap : 0.0;
                };
            };
            if (!table.add_stage(space_, rule_of(table.stages() + 1), limit)) return infinity;
        }
        return table.whole(t.stages, t.singles);
    }

    template <class RuleOf>
    constexpr void record_trial(const trial& t, const RuleOf& rule_of) {
        memory_.path.clear();
        follow(memory_.trial, rule_of, t.stages, t.singles, 0);
        stages_ = t.stages;
    }

    /// Appends the best cut of all that remains from `state` to the path.
    template <class RuleOf>
    constexpr void follow(const stage_table<Storage>& table, const RuleOf& rule_of, std::size_t stages,
                          std::size_t singles, std::size_t state) {
        for (; stages > 0; --stages) {
            const stage_ref s = table.first_stage(space_, rule_of(stages), stages, singles, state);
            memory_.path.push_back(s);
            state = s.end;
        }
    }

    constexpr void accept(double time, std::int64_t replicas) {
        best_.outcome = status::optimal;
        best_.time_per_batch_s = time;
        best_.data_parallel = replicas;
        improved_ = true;
    }

    constexpr void write_plan(const basic_width_costs<Storage>& costs) {
        auto& path = memory_.path;
        if (charge_ == objective::phaze)
            follow(
                memory_.loads, [&](std::size_t stages) { return load(stages); }, stages_ - 1, singles_behind_,
                path[0].end);
        best_.tensor_parallel = costs.width;
        best_.stages.clear();
        best_.order.clear();
        const double per_byte = ring_all_reduce_s(1.0, best_.data_parallel, link_bytes_per_s_);
        double load_s = 0.0;
        double tail = 0.0;
        for (std::size_t i = 0; i < path.size(); ++i) {
            const stage_ref s = path[i];
            const std::size_t behind = path.size() - 1 - i;
            stage out{};
            out.begin = static_cast<std::uint32_t>(best_.order.size());
            space_.append_layers(s, best_.order);
            out.end = static_cast<std::uint32_t>(best_.order.size());
            out.devices = space_.single(s) ? 1 : shape_.stage_devices;
            const stage_figures figures = space_.figures(costs, s, behind);
            out.load_s = figures.load_s;
            out.memory_bytes = figures.memory_bytes;
            if (recompute_ && behind > 0) out.repeats = recomputation::full;
            out.tail_s = per_byte * figures.reduce_bytes + figures.update_s;
            best_.stages.push_back(out);
            load_s = std::max(load_s, out.load_s);
            if (charge_ == objective::every_stage)
                tail = std::max(tail, out.tail_s);
            else if (i == 0)
                tail = per_byte * figures.reduce_bytes;
        }
        best_.time_per_batch_s =
            tail + load_s * static_cast<double>(pipeline_slots(micro_batches_, best_.data_parallel,
                                                               static_cast<std::int64_t>(path.size())));
    }

    const Space& space_;
    stage_program_memory<Space, Storage>& memory_;
    basic_plan<Storage>& best_;
    objective charge_;
    std::int64_t devices_;
    std::int64_t micro_batches_;
    double hbm_bytes_;
    double link_bytes_per_s_;
    bool recompute_;

    replica_shape shape_{};
    bool improved_ = false;
    std::size_t stages_ = 0;         // of the best plan
    std::size_t singles_behind_ = 0; // of the best plan, behind its first stage
};

} // namespace dovetail::placement::detail

namespace dovetail::placement {

/// The memory of a `chain_program`, to be kept from call to call: once it has seen the largest problem, no
/// call allocates. One a thread.
template <class Storage>
struct basic_chain_workspace {
    basic_plan<Storage> plan{}; ///< the answer of the last call
    detail::chain_stages<Storage> stages{};
    detail::stage_program_memory<detail::chain_stages<Storage>, Storage> memory{};
};

using chain_workspace = basic_chain_workspace<dynamic_storage>;

/// Finds a plan with the least time per batch for a chain, over all tensor widths, all cuts into stages and
/// all data-parallel degrees. Exact whatever the costs.
///
/// Among plans of equal time it keeps the narrowest, then the one with the fewest stages, then with the
/// fewest devices a replica, then the first found. Works in constant expressions and, with
/// `fixed_layer_chain`, without allocation.
///
/// \complexity About O(widths * layers * stages) where loads grow with their stages, whatever the number of
/// devices; times the number of unsplit stages that save devices. At worst one more factor `layers`.
/// \source The problem is that of PHAZE (Wang et al., ICML 2024), for which it suffices.
struct chain_program {
    objective charge = objective::every_stage; ///< who pays for the reduction

    /// Solves a valid problem whose edges form a chain.
    template <class Storage>
    [[nodiscard]] constexpr basic_plan<Storage> operator()(const basic_layer_graph<Storage>& problem) const {
        basic_chain_workspace<Storage> workspace{};
        (*this)(problem, workspace);
        return std::move(workspace.plan);
    }

    /// The same in memory that is kept; the answer lives in the workspace until the next call.
    template <class Storage>
    constexpr const basic_plan<Storage>& operator()(const basic_layer_graph<Storage>& problem,
                                                    basic_chain_workspace<Storage>& workspace) const {
        DOVETAIL_ASSERT(is_chain(problem), "the edges must form the chain 0 -> 1 -> ...");
        detail::stage_program<detail::chain_stages<Storage>, Storage> improve(
            workspace.stages, problem, charge, workspace.memory, workspace.plan);
        for (const auto& costs : problem.widths) {
            workspace.stages.prepare(problem, costs);
            improve(costs);
        }
        return workspace.plan;
    }
};

} // namespace dovetail::placement

/// \file
/// What must share a device: the nodes of a device graph contracted into classes, and what classes cost.

/// \file
/// The problem of placing operators on accelerators and CPUs: a weighted graph whose nodes cost one time on
/// the one and another on the other, whose outputs cost a transfer where they leave a device.

namespace dovetail::placement {

/// One operator or layer, for one sample. Sums of bytes are exact as long as the bytes are whole and below
/// 2^53, and then "it fits" is exact too.
struct device_node {
    double cpu_s = 0.0;
    double accelerator_s = 0.0;        ///< means nothing where `supported` is false
    double size_bytes = 0.0;           ///< memory that it takes on an accelerator
    double output_s = 0.0;             ///< moves its output between an accelerator and the memory of the host
    bool supported = true;             ///< an accelerator can run it
    bool backward = false;             ///< belongs to the backward pass of training
    graph::index colour = graph::none; ///< nodes of one colour share a device; `none`: free

    friend constexpr bool operator==(const device_node&, const device_node&) = default;
};

/// Nodes to spread over accelerators and CPUs. The nodes are numbered in a topological order: every edge
/// leads from a lower to a higher number. Edges are sorted by source, then target, and all different.
struct device_graph {
    std::vector<device_node> nodes{};
    std::vector<graph::arc> edges{};
    std::int64_t accelerators = 0;
    std::int64_t cpus = 0;
    double memory_bytes = std::numeric_limits<double>::infinity(); ///< of one accelerator
};

/// Checks everything that the planners take for granted about a problem that nobody has checked.
/// \returns errc::empty_space without a node, errc::out_of_range for a number outside its range, errc::shape
/// where edges are not in topological order and sorted, repeat, or lead from a backward to a forward node.
[[nodiscard]] inline result<void> validate(const device_graph& problem) {
    const auto out_of_range = [](std::string place, auto value, std::string expected) {
        return error{errc::out_of_range, std::move(place), "it is " + to_text(value), std::move(expected)};
    };
    const std::size_t n = problem.nodes.size();
    if (n == 0)
        return error{errc::empty_space, "device graph", "it has no node", "there must be one at least"};
    if (problem.accelerators < 0)
        return out_of_range("accelerators", problem.accelerators, "it must be 0 or more");
    if (problem.cpus < 0) return out_of_range("cpus", problem.cpus, "it must be 0 or more");
    if (!(problem.memory_bytes >= 0.0))
        return out_of_range("memory_bytes", problem.memory_bytes, "it must be 0 or more");
    for (std::size_t v = 0; v < n; ++v) {
        const device_node& node = problem.nodes[v];
        const std::array<std::pair<const char*, double>, 4> fields{{{"cpu_s", node.cpu_s},
                                                                    {"accelerator_s", node.accelerator_s},
                                                                    {"size_bytes", node.size_bytes},
                                                                    {"output_s", node.output_s}}};
        const std::string place = "node " + to_text(v) + ": ";
        for (const auto& [name, value] : fields)
            if (!(value >= 0.0) || !std::isfinite(value))
                return out_of_range(place + name, value, "it must be a finite number, 0 or more");
        if (node.colour != graph::none && node.colour >= n)
            return out_of_range(place + "colour", node.colour, "colours are numbered below " + to_text(n));
    }
    for (std::size_t e = 0; e < problem.edges.size(); ++e) {
        const auto [source, target] = problem.edges[e];
        const auto wrong = [&, from = source, to = target](std::string expected) {
            return error{errc::shape, "edge " + to_text(e),
                         "it leads from node " + to_text(from) + " to node " + to_text(to),
                         std::move(expected)};
        };
        const graph::arc last = e == 0 ? graph::arc{0, 0} : problem.edges[e - 1];
        const bool sorted = last.source < source || (last.source == source && last.target < target);
        if (source >= target || target >= n || !sorted)
            return wrong("edges lead to a higher node below " + to_text(n) +
                         ", are sorted by source and target, and differ");
        if (problem.nodes[source].backward && !problem.nodes[target].backward)
            return wrong("no edge leads from a backward to a forward node");
    }
    return {};
}

} // namespace dovetail::placement

namespace dovetail::placement {

/// Nodes that share a device, forward and backward, and their sums.
struct device_class {
    std::vector<graph::index> nodes{}; ///< ascending
    double cpu_s = 0.0;
    double accelerator_s = 0.0;
    double size_bytes = 0.0;
    bool supported = true; ///< every node of it is
};

/// Tensors between classes. An accelerator pays `cost_s` where it holds some of `classes`, but not all: the
/// sender and every receiver alike.
struct transfer {
    std::vector<graph::index> classes{}; ///< of the sender and of all receivers: two or more, ascending
    double cost_s = 0.0;
};

/// The contracted problem. Classes are numbered in a topological order of `order`, whose arcs are all
/// different.
struct device_classes {
    std::vector<device_class> classes{};
    graph::digraph order{};            ///< u -> v: the device of u is no later in the pipeline than that of v
    std::vector<transfer> transfers{}; ///< with different sets of classes, none of which is free
};

namespace detail {

/// The partition of the nodes of one problem as it grows coarser.
class contraction {
public:
    explicit contraction(const device_graph& problem) : problem_(problem), sets_(problem.nodes.size()) {
        join_colours();
        precede();
        join_cycles();
        join_free_leaves();
    }

    [[nodiscard]] device_classes classes() {
        device_classes result;
        const std::vector<graph::arc> arcs = arcs_between_sets();
        const std::size_t n = problem_.nodes.size();
        // Only the smallest members stand for sets; the other vertices are bare.
        const graph::digraph order(n, arcs);
        std::vector<graph::index> number(n, graph::none);
        for (const graph::index v : *graph::topological_order(order))
            if (sets_.find(v) == v) {
                number[v] = static_cast<graph::index>(result.classes.size());
                result.classes.emplace_back();
            }
        for (graph::index v = 0; v < n; ++v) {
            const device_node& node = problem_.nodes[v];
            device_class& c = result.classes[number[v] = number[sets_.find(v)]];
            c.nodes.push_back(v);
            c.cpu_s += node.cpu_s;
            c.accelerator_s += node.accelerator_s;
            c.size_bytes += node.size_bytes;
            c.supported = c.supported && node.supported;
        }
        std::vector<graph::arc> renumbered;
        for (const graph::arc& a : arcs) renumbered.push_back({number[a.source], number[a.target]});
        std::sort(renumbered.begin(), renumbered.end(), by_ends);
        result.order = graph::digraph(result.classes.size(), renumbered);
        result.transfers = transfers_between(number);
        return result;
    }

private:
    [[nodiscard]] static bool by_ends(const graph::arc& a, const graph::arc& b) {
        return std::pair(a.source, a.target) < std::pair(b.source, b.target);
    }
    [[nodiscard]] bool forward(graph::index v) const { return !problem_.nodes[v].backward; }

    void join_colours() {
        std::vector<graph::index> first(problem_.nodes.size(), graph::none);
        for (graph::index v = 0; v < problem_.nodes.size(); ++v) {
            const graph::index colour = problem_.nodes[v].colour;
            if (colour == graph::none) continue;
            if (first[colour] == graph::none) first[colour] = v;
            sets_.unite(first[colour], v);
        }
    }

    // Forward edges order the devices. A class without a forward node is ordered by its backward edges,
    // mirrored: what it would be if the forward node that it belongs to were there.
    void precede() {
        std::vector<bool> has_forward(problem_.nodes.size(), false);
        for (graph::index v = 0; v < problem_.nodes.size(); ++v)
            if (forward(v)) has_forward[sets_.find(v)] = true;
        for (const auto [source, target] : problem_.edges) {
            if (forward(source) && forward(target)) before_.push_back({source, target});
            if (!forward(source) && !forward(target) &&
                (!has_forward[sets_.find(source)] || !has_forward[sets_.find(target)]))
                before_.push_back({target, source});
        }
    }

    // `before_` between the sets as they are now, sorted and unique.
    [[nodiscard]] std::vector<graph::arc> arcs_between_sets() {
        std::vector<graph::arc> arcs;
        for (const auto [source, target] : before_) {
            const graph::arc a{sets_.find(source), sets_.find(target)};
            if (a.source != a.target) arcs.push_back(a);
        }
        std::sort(arcs.begin(), arcs.end(), by_ends);
        arcs.erase(std::unique(arcs.begin(), arcs.end()), arcs.end());
        return arcs;
    }

    void join_cycles() {
        const std::vector<graph::index> component =
            graph::strong_components(graph::digraph(problem_.nodes.size(), arcs_between_sets()));
        std::vector<graph::index> first(component.size(), graph::none);
        for (graph::index v = 0; v < component.size(); ++v) {
            if (first[component[v]] == graph::none) first[component[v]] = v;
            sets_.unite(first[component[v]], v);
        }
    }

    // A set that costs no time and hangs on a single other one is cheapest there. It may take memory.
    void join_free_leaves() {
        const std::size_t n = problem_.nodes.size();
        std::vector<bool> free(n, true);
        for (graph::index v = 0; v < n; ++v)
            if (problem_.nodes[v].cpu_s != 0.0 || problem_.nodes[v].accelerator_s != 0.0)
                free[sets_.find(v)] = false;
        for (const auto [source, target] : problem_.edges)
            if (forward(source) && !forward(target)) free[sets_.find(source)] = false;
        std::vector<std::vector<graph::index>> neighbours(n);
        for (const auto [source, target] : arcs_between_sets()) {
            neighbours[source].push_back(target);
            neighbours[target].push_back(source);
        }
        std::vector<graph::index> leaves;
        for (graph::index v = 0; v < n; ++v)
            if (free[v] && neighbours[v].size() == 1) leaves.push_back(v);
        while (!leaves.empty()) {
            const graph::index leaf = leaves.back();
            leaves.pop_back();
            if (neighbours[leaf].empty()) continue; // its neighbour was a leaf too, and joined it
            const graph::index stem = neighbours[leaf].front();
            sets_.unite(leaf, stem);
            neighbours[leaf].clear();
            std::erase(neighbours[stem], leaf);
            if (free[stem] && neighbours[stem].size() == 1) leaves.push_back(stem);
        }
    }

    [[nodiscard]] std::vector<transfer> transfers_between(const std::vector<graph::index>& class_of) const {
        std::vector<transfer> all;
        const graph::digraph edges(problem_.nodes.size(), problem_.edges);
        for (graph::index v = 0; v < problem_.nodes.size(); ++v) {
            if (problem_.nodes[v].output_s == 0.0) continue;
            transfer t{.classes = {class_of[v]}, .cost_s = problem_.nodes[v].output_s};
            for (const graph::index w : edges.successors(v)) t.classes.push_back(class_of[w]);
            std::sort(t.classes.begin(), t.classes.end());
            t.classes.erase(std::unique(t.classes.begin(), t.classes.end()), t.classes.end());
            if (t.classes.size() > 1) all.push_back(std::move(t));
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const transfer& a, const transfer& b) { return a.classes < b.classes; });
        std::vector<transfer> merged;
        for (transfer& t : all) {
            if (!merged.empty() && merged.back().classes == t.classes)
                merged.back().cost_s += t.cost_s;
            else
                merged.push_back(std::move(t));
        }
        return merged;
    }

    const device_graph& problem_;
    graph::disjoint_sets sets_;
    std::vector<graph::arc> before_; // between nodes: the device of the source is no later
};

} // namespace detail

/// Contracts a valid problem (`validate`) as the format asks: the nodes of a colour; then, where that makes
/// cycles of forward classes, their strongly connected components; then every forward class that costs no
/// time, forward or backward, has no edge to the backward pass and a single neighbour, into that neighbour,
/// repeatedly. A backward class without a forward node is ordered by its backward edges, mirrored.
/// \complexity O((nodes + edges) log nodes) but for a leaf of a hub, which costs the hub's degree.
[[nodiscard]] inline device_classes contract(const device_graph& problem) {
    return detail::contraction(problem).classes();
}

} // namespace dovetail::placement

/// \file
/// A placement on accelerators and CPUs.

namespace dovetail::placement {

/// The two kinds of devices.
enum class device_kind : std::uint8_t { accelerator, cpu };

/// The word for a kind in plans and messages.
[[nodiscard]] constexpr std::string_view to_string(device_kind kind) noexcept {
    return kind == device_kind::cpu ? "cpu" : "accelerator";
}

/// What one device holds.
struct device_share {
    device_kind kind = device_kind::accelerator;
    std::vector<graph::index> nodes{}; ///< ascending, one at least
    double load_s = 0.0;
    double memory_bytes = 0.0; ///< of its nodes; limited on accelerators

    friend bool operator==(const device_share&, const device_share&) = default;
};

/// Devices in the order of the pipeline, without those that hold nothing.
struct device_plan {
    status outcome = status::infeasible;
    std::vector<device_share> devices{}; ///< empty: no plan is known
    double max_load_s = 0.0;
    double lower_bound_s = 0.0; ///< no plan has a smaller largest load

    friend bool operator==(const device_plan&, const device_plan&) = default;

    /// The first device with the largest load of a plan that has one.
    [[nodiscard]] std::size_t busiest_device() const {
        const auto busiest = std::max_element(
            devices.begin(), devices.end(),
            [](const device_share& a, const device_share& b) { return a.load_s < b.load_s; });
        return static_cast<std::size_t>(busiest - devices.begin());
    }
};

} // namespace dovetail::placement

/// \file
/// All downsets of an acyclic graph, and which one each vertex leads to.

namespace dovetail::placement::detail {

/// The downsets of a graph whose arcs lead to higher vertices, numbered so that a set comes after all its
/// subsets; number 0 is empty. No set is stored: each is its `parent` and its highest vertex.
///
/// A set is found once, by adding its vertices in ascending order, and the highest next vertex is followed
/// first. So of two nested sets the smaller one's way turns off earlier or higher: it comes first.
class downset_lattice {
public:
    /// A vertex that can join a downset, and the downset that this makes.
    struct step {
        graph::index vertex = 0;
        graph::index downset = graph::none;
    };

    /// Enumerates the downsets. \returns nothing where there are more than `limit` or the budget ends.
    /// \complexity O(steps + downsets * degree) time, 8 bytes a step and 12 a downset.
    [[nodiscard]] static std::optional<downset_lattice> make(const graph::digraph& g, std::size_t limit,
                                                             spending& effort) {
        downset_lattice lattice;
        if (!lattice.enumerate(g, limit, effort)) return std::nullopt;
        lattice.link();
        return lattice;
    }

    [[nodiscard]] std::size_t size() const { return parent_.size(); }
    [[nodiscard]] graph::index parent(graph::index set) const { return parent_[set]; }
    [[nodiscard]] graph::index highest(graph::index set) const { return highest_[set]; }

    /// The ways on from a downset, by ascending vertex.
    [[nodiscard]] std::span<const step> steps(graph::index set) const {
        return std::span(steps_).subspan(first_step_[set], first_step_[set + 1] - first_step_[set]);
    }

    /// The downset of all vertices: the last way on, taken as long as there is one, adds them all.
    [[nodiscard]] graph::index whole() const {
        graph::index set = 0;
        while (first_step_[set] != first_step_[set + 1]) set = steps_[first_step_[set + 1] - 1].downset;
        return set;
    }

private:
    [[nodiscard]] bool enumerate(const graph::digraph& g, std::size_t limit, spending& effort) {
        std::vector<graph::index> missing; // predecessors of a vertex outside the current set
        parent_.push_back(graph::none);
        highest_.push_back(graph::none);
        first_step_.push_back(0);
        for (graph::index v = 0; v < g.vertex_count(); ++v) {
            missing.push_back(static_cast<graph::index>(g.predecessors(v).size()));
            if (missing[v] == 0) steps_.push_back({v});
        }
        first_step_.push_back(steps_.size());
        struct visit {
            graph::index set;
            std::size_t next; // one behind the step to take
        };
        std::vector<visit> way{{0, steps_.size()}};
        while (!way.empty()) {
            visit& here = way.back();
            const graph::index set = here.set;
            const bool done =
                here.next == first_step_[set] || (set != 0 && steps_[here.next - 1].vertex < highest_[set]);
            if (done) {
                if (set != 0)
                    for (const graph::index w : g.successors(highest_[set])) ++missing[w];
                way.pop_back();
                continue;
            }
            const std::size_t taken = --here.next;
            if (parent_.size() >= limit || !effort.spend_node()) return false;
            steps_[taken].downset = static_cast<graph::index>(parent_.size());
            append(g, set, steps_[taken].vertex, missing);
            way.push_back({steps_[taken].downset, steps_.size()});
        }
        return true;
    }

    // The set that `v` makes of `set`; its ways on are those of `set` and what `v` frees, merged.
    void append(const graph::digraph& g, graph::index set, graph::index v,
                std::vector<graph::index>& missing) {
        parent_.push_back(set);
        highest_.push_back(v);
        std::span<const graph::index> successors = g.successors(v);
        const auto next_free = [&] {
            while (!successors.empty()) {
                const graph::index w = successors.front();
                successors = successors.subspan(1);
                if (--missing[w] == 0) return w;
            }
            return graph::none;
        };
        graph::index free = next_free();
        for (std::size_t s = first_step_[set]; s < first_step_[set + 1]; ++s) {
            const graph::index other = steps_[s].vertex;
            if (other == v) continue;
            for (; free < other; free = next_free()) steps_.push_back({free});
            steps_.push_back({other});
        }
        for (; free != graph::none; free = next_free()) steps_.push_back({free});
        first_step_.push_back(steps_.size());
    }

    // Fills the steps by vertices below the highest: past the parent, that vertex first.
    void link() {
        for (graph::index set = 1; set < size(); ++set) {
            const graph::index v = highest_[set];
            std::size_t of_parent = first_step_[parent_[set]];
            for (std::size_t s = first_step_[set]; s < first_step_[set + 1] && steps_[s].vertex < v; ++s) {
                while (steps_[of_parent].vertex != steps_[s].vertex) ++of_parent;
                std::size_t across = first_step_[steps_[of_parent].downset];
                while (steps_[across].vertex != v) ++across;
                steps_[s].downset = steps_[across].downset;
            }
        }
    }

    std::vector<graph::index> parent_;
    std::vector<graph::index> highest_;
    std::vector<std::size_t> first_step_;
    std::vector<step> steps_;
};

} // namespace dovetail::placement::detail

/// \file
/// Every possible stage of a general graph of layers: the differences of nested downsets.

namespace dovetail::placement::detail {

/// The stages of a graph for one tensor width at a time. State k stands for "all but the k-th downset
/// remains", smallest downsets first; a stage leads from a downset to a larger one that contains it.
class downset_stages {
public:
    struct stage_ref {
        std::size_t end = 0;
        std::size_t slot = 0;
    };

    downset_stages() = default;

    /// Enumerates downsets and stages. \returns errc::unsupported for more than `downset_limit` downsets.
    [[nodiscard]] static result<downset_stages> make(const layer_graph& problem, std::size_t downset_limit) {
        downset_stages space;
        space.graph_ = graph::digraph(problem.layer_count(), problem.edges);
        space.layers_ = problem.layer_count();
        space.words_ = (space.layers_ + 63) / 64;
        if (!space.enumerate(downset_limit))
            return error{errc::unsupported, "layer graph",
                         "it has more than " + to_text(downset_limit) + " downsets",
                         "the limit on downsets must be raised, or the graph be closer to a chain"};
        space.link_states();
        return space;
    }

    /// Costs all stages for one width of the graph that the space was made for.
    /// \complexity O(downsets * edges + stages * layers).
    void prepare(const layer_graph& problem, const width_costs& costs) {
        single_layers_ = 0;
        for (const layer& l : costs.layers) single_layers_ += l.tensor_parallel ? 0 : 1;
        const std::size_t n = layers_;
        std::vector<double> after_s(states() * n), after_with_transfers_s(states() * n);
        for (std::size_t k = 0; k < states(); ++k)
            measure_backward(problem, costs, k, std::span(after_s).subspan(k * n, n),
                             std::span(after_with_transfers_s).subspan(k * n, n));
        entry_costs entry{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
        for (std::size_t k = 0; k < states(); ++k) {
            measure_forward(problem, costs, k, entry);
            for (std::size_t slot = first_slot_[k]; slot < first_slot_[k + 1]; ++slot) {
                const std::size_t end = stages_[slot].end * n;
                measure_stage(problem, costs, k, slot, entry, std::span(after_s).subspan(end, n),
                              std::span(after_with_transfers_s).subspan(end, n));
            }
        }
    }

    [[nodiscard]] std::size_t states() const { return sizes_.size(); }
    [[nodiscard]] std::size_t max_stages() const { return layers_; }
    [[nodiscard]] std::size_t split_layers() const { return layers_ - single_layers_; }
    [[nodiscard]] std::size_t single_layers() const { return single_layers_; }

    /// Layers side by side overlap, so their work says nothing about loads.
    [[nodiscard]] double work_before_s(std::size_t) const { return 0.0; }
    [[nodiscard]] double least_load_s(std::size_t) const { return 0.0; }
    [[nodiscard]] double least_first_reduce_bytes() const { return 0.0; }

    [[nodiscard]] bool single(stage_ref s) const { return stages_[s.slot].single; }
    [[nodiscard]] double load_s(stage_ref s, bool last) const {
        return last ? stages_[s.slot].last_load_s : stages_[s.slot].load_s;
    }
    [[nodiscard]] double load_floor_s(stage_ref s, bool last) const { return load_s(s, last); }
    [[nodiscard]] double memory_bytes(stage_ref s, std::size_t behind) const {
        return stages_[s.slot].fixed_bytes + static_cast<double>(behind) * stages_[s.slot].stash_bytes;
    }
    [[nodiscard]] double reduce_bytes(stage_ref s) const { return stages_[s.slot].reduce_bytes; }
    [[nodiscard]] double update_s(stage_ref s) const { return stages_[s.slot].update_s; }
    [[nodiscard]] stage_figures figures(const width_costs&, stage_ref s, std::size_t behind) const {
        return {load_s(s, behind == 0), memory_bytes(s, behind), reduce_bytes(s), update_s(s)};
    }

    /// The stage of the given kind from state `k` that makes the larger of its value and of the value of the
    /// row `behind` at its end smallest, where that is below `limit`.
    template <class Rule>
    [[nodiscard]] choice<stage_ref> best_stage(const Rule& rule, stage_kind kind, std::size_t k,
                                               table_row behind, double limit, std::size_t&) const {
        choice<stage_ref> best{limit, {}};
        for_each_stage(
            rule, kind, k, behind, [&] { return best.value; },
            [&](stage_ref s) {
                const double value = std::max(rule.value(s), behind.cells[s.end].value);
                if (value < best.value) best = {value, s};
            });
        return best;
    }

    /// Calls `visit(stage)` for every fitting stage of a kind from state `k` whose floor is below `limit()`.
    template <class Rule, class Limit, class Visit>
    void for_each_stage(const Rule& rule, stage_kind kind, std::size_t k, table_row behind,
                        const Limit& limit, const Visit& visit) const {
        for (std::size_t slot = first_slot_[k]; slot < first_slot_[k + 1]; ++slot) {
            const stage_ref s{stages_[slot].end, slot};
            if (s.end < behind.begin || s.end >= behind.end) continue;
            if (kind != stage_kind::any && single(s) != (kind == stage_kind::single)) continue;
            if (rule.floor(s) < limit() && rule.fits(s)) visit(s);
        }
    }

    /// Appends the layers of a stage, in topological order, to a plan's order.
    template <class Order>
    void append_layers(stage_ref s, Order& order) const {
        for_each_layer(stages_[s.slot].begin, s.end,
                       [&](std::size_t v) { order.push_back(static_cast<graph::index>(v)); });
    }

private:
    using word = std::uint64_t;

    struct stage_costs {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        double load_s = 0.0;
        double last_load_s = 0.0;
        double fixed_bytes = 0.0;
        double stash_bytes = 0.0;
        double reduce_bytes = 0.0;
        double update_s = 0.0;
        bool single = true;
    };

    // For every layer outside a downset: when its forward pass ends with and without transfers out of the
    // downset, and the bytes that come out of it. None of it depends on where the stage ends.
    struct entry_costs {
        std::vector<double> end_with_transfers_s;
        std::vector<double> end_s;
        std::vector<double> bytes;
    };

    [[nodiscard]] const word* set(std::size_t k) const { return sets_.data() + k * words_; }
    [[nodiscard]] bool holds(std::size_t k, std::size_t v) const {
        return (set(k)[v / 64] >> (v % 64) & 1) != 0;
    }

    template <class Visit>
    void for_each_layer(std::size_t begin, std::size_t end, const Visit& visit) const {
        for (std::size_t w = 0; w < words_; ++w)
            for (word rest = set(end)[w] & ~set(begin)[w]; rest != 0; rest &= rest - 1)
                visit(w * 64 + static_cast<std::size_t>(std::countr_zero(rest)));
    }

    // Adding layers by ascending number alone makes every downset exactly once: all before the largest layer
    // of a downset is a downset.
    [[nodiscard]] bool enumerate(std::size_t limit) {
        std::vector<word> found(words_, 0);
        std::vector<std::size_t> next{0}; // the first layer that each set found may still take
        std::vector<std::size_t> size{0};
        for (std::size_t k = 0; k < next.size(); ++k)
            for (std::size_t v = next[k]; v < layers_; ++v) {
                const auto& needed = graph_.predecessors(static_cast<graph::index>(v));
                const bool free = std::all_of(needed.begin(), needed.end(), [&](graph::index u) {
                    return (found[k * words_ + u / 64] >> (u % 64) & 1) != 0;
                });
                if (!free) continue;
                if (next.size() == limit) return false;
                found.resize(found.size() + words_);
                std::copy_n(found.begin() + static_cast<std::ptrdiff_t>(k * words_), words_,
                            found.end() - static_cast<std::ptrdiff_t>(words_));
                found[next.size() * words_ + v / 64] |= word{1} << (v % 64);
                next.push_back(v + 1);
                size.push_back(size[k] + 1);
            }
        std::vector<std::size_t> by_size(next.size());
        std::iota(by_size.begin(), by_size.end(), std::size_t{0});
        std::stable_sort(by_size.begin(), by_size.end(),
                         [&](std::size_t a, std::size_t b) { return size[a] < size[b]; });
        for (const std::size_t k : by_size) {
            sizes_.push_back(size[k]);
            sets_.insert(sets_.end(), found.begin() + static_cast<std::ptrdiff_t>(k * words_),
                         found.begin() + static_cast<std::ptrdiff_t>((k + 1) * words_));
        }
        return true;
    }

    void link_states() {
        for (std::size_t k = 0; k < states(); ++k) {
            first_slot_.push_back(stages_.size());
            for (std::size_t end = k + 1; end < states(); ++end) {
                bool inside = sizes_[end] > sizes_[k];
                for (std::size_t w = 0; w < words_ && inside; ++w) inside = (set(k)[w] & ~set(end)[w]) == 0;
                if (!inside) continue;
                stages_.push_back({});
                stages_.back().begin = static_cast<std::uint32_t>(k);
                stages_.back().end = static_cast<std::uint32_t>(end);
            }
        }
        first_slot_.push_back(stages_.size());
    }

    void measure_forward(const layer_graph& problem, const width_costs& costs, std::size_t k,
                         entry_costs& entry) const {
        for (graph::index v = 0; v < layers_; ++v) {
            if (holds(k, v)) continue;
            double start_s = 0.0;
            double start_with_transfers_s = 0.0;
            entry.bytes[v] = 0.0;
            for (const graph::index e : graph_.in_edges(v)) {
                const graph::index u = problem.edges[e].source;
                if (holds(k, u)) {
                    start_with_transfers_s =
                        std::max(start_with_transfers_s, costs.edge_bytes[e] / problem.link_bytes_per_s);
                    entry.bytes[v] += costs.edge_bytes[e];
                } else {
                    start_s = std::max(start_s, entry.end_s[u]);
                    start_with_transfers_s = std::max(start_with_transfers_s, entry.end_with_transfers_s[u]);
                }
            }
            entry.end_s[v] = start_s + costs.layers[v].forward_s;
            entry.end_with_transfers_s[v] = start_with_transfers_s + costs.layers[v].forward_s;
        }
    }

    // For every layer of downset `k`, when its backward pass ends if no layer outside the downset shares its
    // stage, without and with transfers into the downset. None of it depends on where the stage begins.
    void measure_backward(const layer_graph& problem, const width_costs& costs, std::size_t k,
                          std::span<double> after_s, std::span<double> after_with_transfers_s) const {
        for (auto v = static_cast<graph::index>(layers_); v-- > 0;) {
            if (!holds(k, v)) continue;
            double start_s = 0.0;
            double start_with_transfers_s = 0.0;
            for (const graph::index e : graph_.out_edges(v)) {
                const graph::index w = problem.edges[e].target;
                if (holds(k, w)) {
                    start_s = std::max(start_s, after_s[w]);
                    start_with_transfers_s = std::max(start_with_transfers_s, after_with_transfers_s[w]);
                } else {
                    start_with_transfers_s =
                        std::max(start_with_transfers_s, costs.edge_bytes[e] / problem.link_bytes_per_s);
                }
            }
            after_s[v] = start_s + costs.layers[v].backward_s;
            after_with_transfers_s[v] = start_with_transfers_s + costs.layers[v].backward_s;
        }
    }

    void measure_stage(const layer_graph& problem, const width_costs& costs, std::size_t begin,
                       std::size_t slot, const entry_costs& entry, std::span<const double> after_s,
                       std::span<const double> after_with_transfers_s) {
        double forward_s = 0.0;
        double repeat_s = 0.0;
        double backward_s = 0.0;
        double backward_with_transfers_s = 0.0;
        stage_costs sum{};
        sum.begin = static_cast<std::uint32_t>(begin);
        sum.end = stages_[slot].end;
        for_each_layer(begin, sum.end, [&](std::size_t v) {
            const layer& l = costs.layers[v];
            forward_s = std::max(forward_s, entry.end_with_transfers_s[v]);
            repeat_s = std::max(repeat_s, entry.end_s[v]);
            backward_s = std::max(backward_s, after_s[v]);
            backward_with_transfers_s = std::max(backward_with_transfers_s, after_with_transfers_s[v]);
            sum.fixed_bytes += l.resident_bytes + l.activation_bytes;
            sum.stash_bytes += problem.recompute ? entry.bytes[v] : l.stash_bytes;
            sum.reduce_bytes += l.reduce_bytes;
            sum.update_s += l.update_s;
            sum.single = sum.single && !l.tensor_parallel;
        });
        sum.last_load_s = sum.load_s = forward_s + backward_with_transfers_s;
        // The backward pass waits for the repeated forward pass, and gradients arrive meanwhile.
        if (problem.recompute)
            sum.load_s = forward_s + std::max(repeat_s + backward_s, backward_with_transfers_s);
        stages_[slot] = sum;
    }

    graph::digraph graph_;
    std::size_t layers_ = 0;
    std::size_t words_ = 0;
    std::size_t single_layers_ = 0;
    std::vector<word> sets_;         // `words_` a downset
    std::vector<std::size_t> sizes_; // layers of each downset
    std::vector<std::size_t> first_slot_;
    std::vector<stage_costs> stages_; // by the downset that they begin at
};

} // namespace dovetail::placement::detail

/// \file
/// The exact placement of any graph of layers: a chain by prefix sums, all else by downsets.

namespace dovetail::placement {

/// Finds a plan with the least time per batch for any graph, branches and skipping edges included. Ties are
/// broken as by `chain_program`, which solves the chains.
struct exact_program {
    objective charge = objective::every_stage; ///< who pays for the reduction
    std::size_t downset_limit = 2048; ///< of a graph that is no chain; its memory grows by the square

    /// Solves a valid problem. \returns errc::unsupported for more downsets than the limit.
    /// \complexity For a graph with d downsets and p nested pairs of them O(widths * (p * layers + p *
    /// stages)).
    [[nodiscard]] result<plan> operator()(const layer_graph& problem) const {
        if (is_chain(problem)) return chain_program{charge}(problem);
        auto space = detail::downset_stages::make(problem, downset_limit);
        if (!space) return space.problem();
        plan best;
        detail::stage_program_memory<detail::downset_stages, dynamic_storage> memory;
        detail::stage_program improve(*space, problem, charge, memory, best);
        for (const width_costs& costs : problem.widths) {
            space->prepare(problem, costs);
            improve(costs);
        }
        return best;
    }
};

} // namespace dovetail::placement

/// \file
/// What binds a plan, and what a little more of everything would buy: by solving again, not by guessing.

namespace dovetail::placement {

/// What keeps a plan from being faster.
enum class bottleneck : std::uint8_t {
    compute, ///< neither more memory nor faster links would help
    memory,  ///< devices without a limit on memory would help, and more than links without one
    network, ///< links without a limit would help, and at least as much
};

/// The name of a bottleneck.
[[nodiscard]] constexpr std::string_view to_string(bottleneck b) noexcept {
    switch (b) {
    case bottleneck::compute:
        return "compute";
    case bottleneck::memory:
        return "memory";
    case bottleneck::network:
        return "network";
    }
    return "unknown";
}

/// Why a plan takes as long as it does. Every time is that of a best plan of a changed problem, in seconds
/// per batch.
struct explanation {
    bottleneck binding = bottleneck::compute;
    std::size_t stage = 0; ///< with the largest load; of a plan bound by memory, the fullest
    double time_s = 0.0;   ///< of the plan itself

    double unlimited_memory_s = 0.0;
    double unlimited_links_s = 0.0;
    double one_more_gib_s = 0.0;      ///< of memory, on every device
    double one_more_gb_per_s_s = 0.0; ///< 10^9 bytes a second, on every link between devices or nodes
    double one_more_device_s = 0.0;   ///< in the whole cluster

    /// What the change that leads to `changed_s` saves, as a share of the time of the plan.
    [[nodiscard]] constexpr double gain(double changed_s) const {
        return time_s > 0.0 ? 1.0 - changed_s / time_s : 0.0;
    }
};

/// Explains the best plan of a valid problem.
/// \param best what `solve` gives for `problem`; it must hold stages
/// \param solve an exact program: called with five changed problems, gives a `plan` or a `result<plan>`
/// \returns the first error of `solve`.
template <class Solve>
[[nodiscard]] result<explanation> explain(const layer_graph& problem, const plan& best, const Solve& solve) {
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    explanation why{.time_s = best.time_per_batch_s};
    layer_graph memory = problem, links = problem, gib = problem, gb = problem, device = problem;
    memory.hbm_bytes = unlimited;
    links.link_bytes_per_s = unlimited;
    gib.hbm_bytes += static_cast<double>(gibibyte);
    gb.link_bytes_per_s += 1e9;
    device.devices += 1;
    const std::array<std::pair<const layer_graph*, double explanation::*>, 5> changes{
        {{&memory, &explanation::unlimited_memory_s},
         {&links, &explanation::unlimited_links_s},
         {&gib, &explanation::one_more_gib_s},
         {&gb, &explanation::one_more_gb_per_s_s},
         {&device, &explanation::one_more_device_s}}};
    for (const auto& [changed, time] : changes) {
        const result<plan> answer = solve(*changed);
        if (!answer) return answer.problem();
        // The plan at hand stays one of the changed problem: a later digit of another sum is no loss.
        why.*time = std::min(answer->time_per_batch_s, why.time_s);
    }
    constexpr double noticeable = 1e-9;
    const double by_memory = why.gain(why.unlimited_memory_s);
    const double by_links = why.gain(why.unlimited_links_s);
    if (std::max(by_memory, by_links) > noticeable)
        why.binding = by_memory > by_links ? bottleneck::memory : bottleneck::network;
    why.stage = best.heaviest_stage();
    if (why.binding == bottleneck::memory) {
        const auto fuller = [](const stage& a, const stage& b) { return a.memory_bytes < b.memory_bytes; };
        why.stage = static_cast<std::size_t>(
            std::max_element(best.stages.begin(), best.stages.end(), fuller) - best.stages.begin());
    }
    return why;
}

} // namespace dovetail::placement

/// \file
/// The downsets of a problem's units, the steps between them, and what an accelerator between two of them
/// costs.

/// \file
/// What the search for a latency moves at once: nodes that some best plan keeps together.

namespace dovetail::placement::detail {

/// A zero-time sink that is on the host, unless it is on the accelerator of its only producer.
struct hanging_sinks {
    double size_bytes = 0.0;
    double accelerator_s = 0.0;
    bool supported = true;
    std::vector<graph::index> nodes{};
};

/// The nodes of a problem in units. A unit takes its place in a plan as a whole: all its nodes on one
/// accelerator, or one after another on the host. Units are numbered in a topological order.
///
/// Three reductions, none of which loses every best plan:
/// 1. Nodes of one colour become a unit where each node with a producer outside reaches, inside, each node
///    with a consumer outside. A plan that keeps them apart on the host has an order of its parts in which
///    they follow one another: a way out of the unit and back would be a way from one of its nodes to itself.
///    Elsewhere the colour keeps several units, tied: an accelerator takes all of them, or none.
/// 2. A node without work on the host, without producers and with a free output stays there: it delays
///    nothing and costs nobody a transfer.
/// 3. A node without work on the host, without consumers and with one producer is there, or where its
///    producer is: anywhere else it only takes room.
class latency_units {
public:
    explicit latency_units(const device_graph& problem)
        : edges_(problem.nodes.size(), problem.edges), unit_of_(problem.nodes.size()),
          sinks_of_(problem.nodes.size(), graph::none) {
        std::iota(unit_of_.begin(), unit_of_.end(), graph::index{0});
        contract_colours(problem);
        settle_sources(problem);
        hang_sinks(problem);
        number_units(problem);
    }

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const graph::digraph& edges() const { return edges_; }
    /// The nodes of a unit, ascending.
    [[nodiscard]] const std::vector<graph::index>& nodes(std::size_t unit) const { return nodes_[unit]; }
    /// The unit of a node; `none` for those that reductions 2 and 3 settle.
    [[nodiscard]] graph::index unit_of(graph::index node) const { return unit_of_[node]; }
    /// The tied units of a unit, itself included; empty for a unit that is all of its colour.
    [[nodiscard]] const std::vector<graph::index>& tied(std::size_t unit) const { return tied_[unit]; }
    /// The sinks that hang on a node, or null.
    [[nodiscard]] const hanging_sinks* sinks_of(graph::index node) const {
        return sinks_of_[node] == graph::none ? nullptr : &sinks_[sinks_of_[node]];
    }

private:
    using index = graph::index;

    // Whether the nodes may become one unit (reduction 1).
    [[nodiscard]] bool acts_as_one(const std::vector<index>& members) const {
        const auto inside = [&](index v) { return std::binary_search(members.begin(), members.end(), v); };
        std::vector<index> exits;
        for (const index v : members) {
            const auto out = edges_.successors(v);
            if (!std::all_of(out.begin(), out.end(), inside)) exits.push_back(v);
        }
        for (const index entry : members) {
            const auto in = edges_.predecessors(entry);
            if (std::all_of(in.begin(), in.end(), inside)) continue;
            std::vector<index> reached{entry};
            for (std::size_t next = 0; next < reached.size(); ++next)
                for (const index w : edges_.successors(reached[next]))
                    if (inside(w) && std::find(reached.begin(), reached.end(), w) == reached.end())
                        reached.push_back(w);
            for (const index exit : exits)
                if (std::find(reached.begin(), reached.end(), exit) == reached.end()) return false;
        }
        return true;
    }

    void contract_colours(const device_graph& problem) {
        colours_.resize(problem.nodes.size());
        for (index v = 0; v < problem.nodes.size(); ++v)
            if (problem.nodes[v].colour != graph::none) colours_[problem.nodes[v].colour].push_back(v);
        for (const std::vector<index>& members : colours_) {
            std::vector<std::vector<index>> parts;
            if (acts_as_one(members)) {
                parts.push_back(members);
            } else {
                for (const index v : members) parts.push_back({v});
                while (merge_two(parts)) {
                }
            }
            for (const std::vector<index>& part : parts)
                for (const index v : part) unit_of_[v] = part.front();
        }
    }

    [[nodiscard]] bool merge_two(std::vector<std::vector<index>>& parts) const {
        for (std::size_t a = 0; a < parts.size(); ++a)
            for (std::size_t b = a + 1; b < parts.size(); ++b) {
                std::vector<index> both;
                std::merge(parts[a].begin(), parts[a].end(), parts[b].begin(), parts[b].end(),
                           std::back_inserter(both));
                if (!acts_as_one(both)) continue;
                parts[a] = std::move(both);
                parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(b));
                return true;
            }
        return false;
    }

    [[nodiscard]] bool alone(const device_graph& problem, index v) const {
        const index colour = problem.nodes[v].colour;
        return colour == graph::none || colours_[colour].size() == 1;
    }

    void settle_sources(const device_graph& problem) {
        for (index v = 0; v < problem.nodes.size(); ++v) {
            const device_node& node = problem.nodes[v];
            const auto in = edges_.predecessors(v);
            const bool settled =
                std::all_of(in.begin(), in.end(), [&](index u) { return unit_of_[u] == graph::none; });
            if (settled && alone(problem, v) && node.cpu_s == 0.0 && node.output_s == 0.0)
                unit_of_[v] = graph::none;
        }
    }

    void hang_sinks(const device_graph& problem) {
        std::vector<std::pair<index, index>> hung;
        for (index v = 0; v < problem.nodes.size(); ++v) {
            if (unit_of_[v] == graph::none || !alone(problem, v) || problem.nodes[v].cpu_s != 0.0 ||
                !edges_.successors(v).empty())
                continue;
            std::vector<index> producers;
            for (const index u : edges_.predecessors(v))
                if (unit_of_[u] != graph::none) producers.push_back(u);
            if (producers.size() == 1) hung.emplace_back(v, producers.front());
        }
        for (const auto& [v, producer] : hung) {
            unit_of_[v] = graph::none;
            if (sinks_of_[producer] == graph::none) {
                sinks_of_[producer] = static_cast<index>(sinks_.size());
                sinks_.emplace_back();
            }
            hanging_sinks& sinks = sinks_[sinks_of_[producer]];
            sinks.size_bytes += problem.nodes[v].size_bytes;
            sinks.accelerator_s += problem.nodes[v].accelerator_s;
            sinks.supported = sinks.supported && problem.nodes[v].supported;
            sinks.nodes.push_back(v);
        }
    }

    void number_units(const device_graph& problem) {
        const std::size_t n = problem.nodes.size();
        std::vector<graph::arc> between;
        for (const graph::arc& a : problem.edges) {
            const index from = unit_of_[a.source];
            const index to = unit_of_[a.target];
            if (from != graph::none && to != graph::none && from != to) between.push_back({from, to});
        }
        const auto order = graph::topological_order(graph::digraph(n, between));
        DOVETAIL_ASSERT(order.has_value(), "units form a cycle");
        std::vector<index> number(n, graph::none);
        index units = 0;
        for (const index v : *order)
            if (unit_of_[v] == v) number[v] = units++;
        nodes_.resize(units);
        tied_.resize(units);
        for (index v = 0; v < n; ++v) {
            if (unit_of_[v] == graph::none) continue;
            unit_of_[v] = number[unit_of_[v]];
            nodes_[unit_of_[v]].push_back(v);
        }
        for (const std::vector<index>& members : colours_) {
            std::vector<index> parts;
            for (const index v : members)
                if (unit_of_[v] != graph::none && nodes_[unit_of_[v]].front() == v)
                    parts.push_back(unit_of_[v]);
            if (parts.size() > 1)
                for (const index part : parts) tied_[part] = parts;
        }
    }

    graph::digraph edges_;
    std::vector<index> unit_of_, sinks_of_;
    std::vector<std::vector<index>> colours_, nodes_, tied_;
    std::vector<hanging_sinks> sinks_;
};

} // namespace dovetail::placement::detail

/// \file
/// The knapsack problem, exactly, for a handful of items.

namespace dovetail::placement::detail {

struct knapsack_item {
    double value = 0.0;
    double weight = 0.0;
    std::size_t id = 0; ///< the caller's
};

/// The items that are worth most within `room`.
/// \returns the ids of the items, in no order, and what they are worth.
/// \complexity 2^items at worst; linear where all of them fit.
class small_knapsack {
public:
    small_knapsack(std::vector<knapsack_item> items, double room) : items_(std::move(items)) {
        std::sort(items_.begin(), items_.end(), [](const knapsack_item& a, const knapsack_item& b) {
            return a.value * b.weight > b.value * a.weight;
        });
        chosen_.assign(items_.size(), false);
        descend(0, 0.0, room);
    }

    [[nodiscard]] double value() const { return best_value_; }
    [[nodiscard]] std::vector<std::size_t> ids() const {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < best_.size(); ++i)
            if (best_[i]) all.push_back(items_[i].id);
        return all;
    }

private:
    // What the items from `i` on could add if the last of them could be cut.
    [[nodiscard]] double promise(std::size_t i, double room) const {
        double sum = 0.0;
        for (; i < items_.size() && items_[i].weight <= room; ++i) {
            sum += items_[i].value;
            room -= items_[i].weight;
        }
        return i == items_.size() ? sum : sum + items_[i].value * (room / items_[i].weight);
    }

    void descend(std::size_t i, double value, double room) {
        if (value > best_value_) {
            best_value_ = value;
            best_ = chosen_;
        }
        if (i == items_.size() || value + promise(i, room) <= best_value_) return;
        if (items_[i].weight <= room) {
            chosen_[i] = true;
            descend(i + 1, value + items_[i].value, room - items_[i].weight);
            chosen_[i] = false;
        }
        descend(i + 1, value, room);
    }

    std::vector<knapsack_item> items_;
    std::vector<bool> chosen_, best_;
    double best_value_ = 0.0;
};

} // namespace dovetail::placement::detail

namespace dovetail::placement::detail {

/// Which downsets to look at: all, or, where `order` lists the units in a topological order, those that lack
/// no unit `breadth` places or more before one that they hold. A breadth of 1 leaves the prefixes of the
/// order.
struct downset_family {
    std::vector<graph::index> order{};
    std::size_t breadth = 1;
};

/// The downsets of the units: sets that hold the producers of what they hold. Downsets are numbered by
/// ascending size, 0 is empty and the last one is full.
///
/// The frontier of a downset lists its nodes with consumers outside, ascending. Where a unit outside has no
/// producer the frontier begins with `start`, which is done at time 0 and costs no transfer: so every node
/// outside has a producer in the frontier or outside.
class latency_downsets {
public:
    using index = graph::index;

    struct step {
        index unit = 0;
        index target = 0; ///< the downset with the unit
    };

    /// Enumerates the downsets of a family. \returns errc::unsupported for more than `limit`.
    /// \complexity O(downsets * units / 64 + steps * frontier).
    [[nodiscard]] static result<latency_downsets> make(const device_graph& problem,
                                                       const latency_units& units, std::size_t limit,
                                                       const downset_family& family = {}) {
        latency_downsets space(problem, units);
        space.restrict(family);
        if (!space.enumerate(limit))
            return error{errc::unsupported, "device graph",
                         "it has more than " + to_text(limit) + " downsets",
                         "the limit on downsets must be raised, or the graph be closer to a chain"};
        return space;
    }

    [[nodiscard]] std::size_t size() const { return first_step_.size() - 1; }
    [[nodiscard]] std::size_t units_in(std::size_t d) const { return units_in_[d]; }
    [[nodiscard]] index start() const { return start_; }
    [[nodiscard]] const latency_units& units() const { return *units_; }
    [[nodiscard]] const device_graph& problem() const { return *problem_; }

    [[nodiscard]] std::span<const step> steps(std::size_t d) const {
        return std::span(steps_).subspan(first_step_[d], first_step_[d + 1] - first_step_[d]);
    }
    [[nodiscard]] std::span<const index> frontier(std::size_t d) const {
        return std::span(frontier_).subspan(first_frontier_[d], first_frontier_[d + 1] - first_frontier_[d]);
    }
    [[nodiscard]] std::size_t frontier_begin(std::size_t d) const { return first_frontier_[d]; }
    [[nodiscard]] std::size_t frontier_total() const { return frontier_.size(); }

    [[nodiscard]] bool holds(std::size_t d, std::size_t unit) const {
        return (bits_[d * words_ + unit / 64] >> (unit % 64) & 1) != 0;
    }

    /// Whether a node stands before another in frontiers.
    [[nodiscard]] bool ahead(index a, index b) const {
        return a != b && (a == start_ || (b != start_ && a < b));
    }

    /// The producers of a node that are not settled; `start` for a node without a unit that must wait.
    [[nodiscard]] std::span<const index> producers(index node) const { return producers_[node]; }
    /// The units that consume a node's output, without its own; not those of settled nodes.
    [[nodiscard]] std::span<const index> consumers(index node) const { return consumers_[node]; }

    /// A downset on the way from one to another, and the place in the order of the last unit added.
    struct visit_state {
        index downset = 0;
        index rank = 0;
    };

    /// Calls `visit(target)` for every downset that one accelerator reaches from `d`: each once, its units
    /// added in their order.
    /// \param stack scratch
    template <class Visit>
    void for_each_group(std::size_t d, std::vector<visit_state>& stack, const Visit& visit) const {
        stack.assign(1, {static_cast<index>(d), 0});
        while (!stack.empty()) {
            const visit_state from = stack.back();
            stack.pop_back();
            if (from.downset != d && keeps_ties(d, from.downset)) visit(from.downset);
            for (const step& s : steps(from.downset)) {
                if (rank_[s.unit] < from.rank || !supported_[s.unit]) continue;
                if (size_bytes_[s.target] - size_bytes_[d] <= problem_->memory_bytes)
                    stack.push_back({s.target, rank_[s.unit] + 1});
            }
        }
    }

    /// An accelerator that takes a downset to a larger one.
    struct group {
        double load_s = 0.0;
        std::vector<char> consumed; ///< by the frontier it starts from: the group needs it
        std::vector<index> from; ///< by the frontier it ends at: the place in the other, `none`: in the group
        std::vector<index>
            waiting; ///< the consumers outside of the frontier it starts from, one after another
        std::vector<index> first_waiting;
        std::vector<index> place;     ///< by node: in the frontier it starts from
        std::vector<double> charge_s; ///< by node: what its output costs where the group makes it
        std::size_t start = 0;        ///< the downset it starts from
    };

    /// Prepares `g` for groups from `d` on.
    void begin_groups(std::size_t d, group& g) const {
        if (g.place.empty()) {
            g.place.assign(outputs_s_.size(), graph::none);
            g.charge_s = outputs_s_;
        }
        for (const index v : frontier(g.start)) {
            g.place[v] = graph::none;
            g.charge_s[v] = outputs_s_[v];
        }
        g.start = d;
        g.waiting.clear();
        g.first_waiting.assign(1, 0);
        index place = 0;
        for (const index v : frontier(d)) {
            g.place[v] = place++;
            g.charge_s[v] = 0.0;
            for (const index unit : consumers_[v])
                if (!holds(d, unit)) g.waiting.push_back(unit);
            g.first_waiting.push_back(static_cast<index>(g.waiting.size()));
        }
        g.consumed.resize(frontier(d).size());
    }

    /// What the group from `d` to `target` costs. \complexity O(frontiers + waiting consumers).
    void measure(std::size_t target, group& g) const {
        const std::size_t d = g.start;
        const auto before = frontier(d);
        const auto after = frontier(target);
        const word* const bits = bits_.data() + target * words_;
        // Without branches: which way they would go is hard to tell.
        double load_s = accelerator_s_[target] - accelerator_s_[d];
        index w = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            word consumed = 0;
            for (; w < g.first_waiting[i + 1]; ++w)
                consumed |= bits[g.waiting[w] / 64] >> (g.waiting[w] % 64);
            g.consumed[i] = static_cast<char>(consumed & 1);
            load_s += outputs_s_[before[i]] * static_cast<double>(consumed & 1);
        }
        g.from.resize(after.size());
        for (std::size_t k = 0; k < after.size(); ++k) {
            g.from[k] = g.place[after[k]];
            load_s += g.charge_s[after[k]];
        }
        g.load_s = load_s;
        if (!hooks_.empty()) g.load_s += charge_sinks(d, target, nullptr);
    }

    /// The hanging sinks that the group from `d` to `target` takes along.
    [[nodiscard]] std::vector<index> sinks(std::size_t d, std::size_t target) const {
        std::vector<index> taken;
        if (!hooks_.empty()) (void)charge_sinks(d, target, &taken);
        return taken;
    }

private:
    using word = std::uint64_t;

    latency_downsets(const device_graph& problem, const latency_units& units)
        : problem_(&problem), units_(&units), start_(static_cast<index>(problem.nodes.size())),
          words_(std::max<std::size_t>(1, (units.size() + 63) / 64)),
          outputs_s_(problem.nodes.size() + 1, 0.0), producers_(problem.nodes.size()),
          consumers_(problem.nodes.size() + 1), supported_(units.size(), 1) {
        for (index v = 0; v < start_; ++v) outputs_s_[v] = problem.nodes[v].output_s;
        const auto settled = [&](index v) { return units.unit_of(v) == graph::none; };
        for (std::size_t u = 0; u < units.size(); ++u) {
            std::vector<index> needed;
            for (const index v : units.nodes(u)) {
                supported_[u] = supported_[u] && problem.nodes[v].supported;
                for (const index p : units.edges().predecessors(v)) {
                    if (settled(p)) continue;
                    producers_[v].push_back(p);
                    if (units.unit_of(p) != u) needed.push_back(units.unit_of(p));
                }
                for (const index w : units.edges().successors(v))
                    if (!settled(w) && units.unit_of(w) != u) consumers_[v].push_back(units.unit_of(w));
                sort_unique(consumers_[v]);
                if (units.sinks_of(v) != nullptr) hooks_.push_back(v);
            }
            if (!units.tied(u).empty()) tied_.push_back(static_cast<index>(u));
            sort_unique(needed);
            if (needed.empty()) consumers_[start_].push_back(static_cast<index>(u));
            needed_.push_back(std::move(needed));
        }
        for (std::size_t u = 0; u < units.size(); ++u)
            for (const index v : units.nodes(u))
                if (producers_[v].empty() && needed_[u].empty()) producers_[v].push_back(start_);
    }

    // Has units wait for others beyond their producers.
    void restrict(const downset_family& family) {
        for (std::size_t i = family.breadth; i < family.order.size(); ++i)
            needed_[family.order[i]].push_back(family.order[i - family.breadth]);
        rank_.resize(needed_.size());
        std::iota(rank_.begin(), rank_.end(), index{0});
        for (std::size_t i = 0; i < family.order.size(); ++i) rank_[family.order[i]] = static_cast<index>(i);
        wanted_by_.resize(needed_.size());
        for (std::size_t u = 0; u < needed_.size(); ++u) {
            sort_unique(needed_[u]);
            for (const index p : needed_[u]) wanted_by_[p].push_back(static_cast<index>(u));
        }
    }

    static void sort_unique(std::vector<index>& list) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }

    [[nodiscard]] std::span<const word> row(std::size_t d) const {
        return std::span(bits_).subspan(d * words_, words_);
    }

    [[nodiscard]] bool enumerate(std::size_t limit) {
        std::unordered_multimap<word, index> known;
        const auto hash = [&](std::span<const word> set) {
            word h = 0;
            for (const word w : set) h = hash_append(h, w);
            return h;
        };
        std::vector<std::vector<index>> ready(1);
        bits_.assign(words_, 0);
        for (std::size_t u = 0; u < needed_.size(); ++u)
            if (needed_[u].empty()) ready[0].push_back(static_cast<index>(u));
        known.emplace(hash(row(0)), index{0});
        units_in_.push_back(0);
        size_bytes_.push_back(0.0);
        accelerator_s_.push_back(0.0);
        first_frontier_.push_back(0);
        std::vector<word> set(words_);
        for (std::size_t d = 0; d < ready.size(); ++d) {
            append_frontier(d);
            first_step_.push_back(steps_.size());
            std::vector<index> free = std::move(ready[d]);
            std::sort(free.begin(), free.end(), [&](index a, index b) { return rank_[a] < rank_[b]; });
            for (const index unit : free) {
                std::copy_n(row(d).begin(), words_, set.begin());
                set[unit / 64] |= word{1} << (unit % 64);
                const word h = hash(set);
                index target = graph::none;
                for (auto [it, end] = known.equal_range(h); it != end; ++it)
                    if (std::equal(set.begin(), set.end(), row(it->second).begin())) target = it->second;
                if (target == graph::none) {
                    if (ready.size() >= limit) return false;
                    target = static_cast<index>(ready.size());
                    known.emplace(h, target);
                    bits_.insert(bits_.end(), set.begin(), set.end());
                    ready.emplace_back();
                    for (const index other : free)
                        if (other != unit) ready.back().push_back(other);
                    for (const index other : wanted_by_[unit])
                        if (std::all_of(needed_[other].begin(), needed_[other].end(),
                                        [&](index p) { return holds(target, p); }))
                            ready.back().push_back(other);
                    units_in_.push_back(units_in_[d] + 1);
                    size_bytes_.push_back(size_bytes_[d]);
                    accelerator_s_.push_back(accelerator_s_[d]);
                    for (const index v : units_->nodes(unit)) {
                        size_bytes_.back() += problem_->nodes[v].size_bytes;
                        accelerator_s_.back() += problem_->nodes[v].accelerator_s;
                    }
                }
                steps_.push_back({unit, target});
            }
        }
        first_step_.push_back(steps_.size());
        return true;
    }

    void append_frontier(std::size_t d) {
        const auto open = [&](index v) {
            return std::any_of(consumers_[v].begin(), consumers_[v].end(),
                               [&](index unit) { return !holds(d, unit); });
        };
        if (open(start_)) frontier_.push_back(start_);
        for (std::size_t u = 0; u < units_->size(); ++u)
            if (holds(d, u))
                for (const index v : units_->nodes(u))
                    if (open(v)) frontier_.push_back(v);
        std::sort(frontier_.begin() + static_cast<std::ptrdiff_t>(first_frontier_[d]), frontier_.end(),
                  [&](index a, index b) { return ahead(a, b); });
        first_frontier_.push_back(frontier_.size());
    }

    // A group that takes one of several tied units takes them all.
    [[nodiscard]] bool keeps_ties(std::size_t d, std::size_t target) const {
        for (const index u : tied_) {
            if (holds(d, u) || !holds(target, u)) continue;
            for (const index other : units_->tied(u))
                if (holds(d, other) || !holds(target, other)) return false;
        }
        return true;
    }

    // Nodes whose only consumers outside a group are hanging sinks either pay for their output or take the
    // sinks along: a knapsack, over what memory is left.
    [[nodiscard]] double charge_sinks(std::size_t d, std::size_t target, std::vector<index>* taken) const {
        std::vector<knapsack_item> items;
        double charged_s = 0.0;
        for (const index v : hooks_) {
            const index unit = units_->unit_of(v);
            if (holds(d, unit) || !holds(target, unit)) continue;
            if (std::any_of(consumers_[v].begin(), consumers_[v].end(),
                            [&](index other) { return !holds(target, other); }))
                continue; // in the frontier, and charged there
            charged_s += outputs_s_[v];
            const hanging_sinks& s = *units_->sinks_of(v);
            if (s.supported && outputs_s_[v] > s.accelerator_s)
                items.push_back({outputs_s_[v] - s.accelerator_s, s.size_bytes, v});
        }
        const double room = problem_->memory_bytes - (size_bytes_[target] - size_bytes_[d]);
        const small_knapsack packed(std::move(items), room);
        if (taken != nullptr)
            for (const std::size_t v : packed.ids()) {
                const std::vector<index>& nodes = units_->sinks_of(static_cast<index>(v))->nodes;
                taken->insert(taken->end(), nodes.begin(), nodes.end());
            }
        return charged_s - packed.value();
    }

    const device_graph* problem_;
    const latency_units* units_;
    index start_;
    std::size_t words_;
    std::vector<double> outputs_s_; // by node
    std::vector<std::vector<index>> producers_, consumers_;
    std::vector<char> supported_;
    std::vector<std::vector<index>> needed_, wanted_by_; // by unit: those before it, and after
    std::vector<index> rank_;                            // by unit: its place in the order
    std::vector<index> hooks_;                           // nodes with hanging sinks
    std::vector<index> tied_;                            // units that a colour ties to others
    std::vector<word> bits_;
    std::vector<index> units_in_;
    std::vector<double> size_bytes_, accelerator_s_; // by downset: of all it holds
    std::vector<std::size_t> first_step_, first_frontier_;
    std::vector<step> steps_;
    std::vector<index> frontier_;
};

} // namespace dovetail::placement::detail

/// \file
/// Placements for latency that take no search: accelerators filled one after another along an order.

namespace dovetail::placement::detail {

/// A topological order of the units that goes on with the consumers of the last one where it can, in an order
/// drawn from `random`.
[[nodiscard]] inline std::vector<graph::index> depth_first_order(const latency_units& units,
                                                                 random_source& random) {
    std::vector<std::vector<graph::index>> consumers(units.size());
    std::vector<std::size_t> waits(units.size(), 0);
    for (std::size_t u = 0; u < units.size(); ++u)
        for (const graph::index v : units.nodes(u))
            for (const graph::index w : units.edges().successors(v)) {
                const graph::index to = units.unit_of(w);
                if (to == graph::none || to == u) continue;
                consumers[u].push_back(to);
                ++waits[to];
            }
    std::vector<graph::index> ready, order;
    for (std::size_t u = units.size(); u-- > 0;)
        if (waits[u] == 0) ready.push_back(static_cast<graph::index>(u));
    while (!ready.empty()) {
        const graph::index u = ready.back();
        ready.pop_back();
        order.push_back(u);
        const std::size_t first = ready.size();
        for (const graph::index w : consumers[u])
            if (--waits[w] == 0) ready.push_back(w);
        for (std::size_t i = ready.size(); i > first + 1; --i) {
            const auto j = static_cast<std::size_t>(
                random.integer(static_cast<std::int64_t>(first), static_cast<std::int64_t>(i) - 1));
            std::swap(ready[i - 1], ready[j]);
        }
    }
    return order;
}

/// A placement and its latency.
struct timed_placement {
    double latency_s = 0.0;
    std::vector<graph::index> device{}; ///< by node
};

/// Takes the units in order and puts as many on an accelerator as it can run and hold, then turns to the next
/// one; what is left over stays on the host.
class latency_fill {
public:
    latency_fill(const device_graph& problem, const latency_units& units)
        : problem_(problem), units_(units) {}

    /// \complexity O(units + edges).
    [[nodiscard]] timed_placement operator()(const std::vector<graph::index>& order,
                                             std::size_t accelerators) const {
        timed_placement answer{0.0, std::vector<graph::index>(problem_.nodes.size(), graph::none)};
        std::vector<double> done_s(problem_.nodes.size(), 0.0);
        graph::index used = 0;
        for (std::size_t begin = 0; begin < order.size();) {
            const std::size_t end = used < accelerators ? group_end(order, begin) : begin;
            std::vector<graph::index> nodes;
            for (std::size_t i = begin; i < std::max(end, begin + 1); ++i)
                nodes.insert(nodes.end(), units_.nodes(order[i]).begin(), units_.nodes(order[i]).end());
            if (end == begin) {
                for (const graph::index v : nodes) done_s[v] = ready_s(v, done_s) + problem_.nodes[v].cpu_s;
            } else {
                with_sinks(nodes);
                for (const graph::index v : nodes) answer.device[v] = used;
                run(nodes, answer.device, done_s);
                ++used;
            }
            for (const graph::index v : nodes) answer.latency_s = std::max(answer.latency_s, done_s[v]);
            begin = std::max(end, begin + 1);
        }
        return answer;
    }

private:
    // The end of the longest group that begins at a place of the order; the place itself where there is none.
    [[nodiscard]] std::size_t group_end(const std::vector<graph::index>& order, std::size_t begin) const {
        double size_bytes = 0.0;
        std::size_t end = begin;
        std::vector<graph::index> missing; // tied units of those taken
        std::vector<graph::index> taken;
        for (std::size_t i = begin; i < order.size(); ++i) {
            for (const graph::index v : units_.nodes(order[i])) {
                size_bytes += problem_.nodes[v].size_bytes;
                if (!problem_.nodes[v].supported) return end;
            }
            if (size_bytes > problem_.memory_bytes) return end;
            taken.push_back(order[i]);
            std::erase(missing, order[i]);
            for (const graph::index other : units_.tied(order[i]))
                if (std::find(taken.begin(), taken.end(), other) == taken.end() &&
                    std::find(missing.begin(), missing.end(), other) == missing.end())
                    missing.push_back(other);
            if (missing.empty()) end = i + 1;
        }
        return end;
    }

    // Takes along the sinks that hang on the nodes of a group, as far as they fit.
    void with_sinks(std::vector<graph::index>& nodes) const {
        double room = problem_.memory_bytes;
        for (const graph::index v : nodes) room -= problem_.nodes[v].size_bytes;
        for (std::size_t i = nodes.size(); i-- > 0;) {
            const hanging_sinks* sinks = units_.sinks_of(nodes[i]);
            if (sinks == nullptr || !sinks->supported || sinks->size_bytes > room) continue;
            room -= sinks->size_bytes;
            nodes.insert(nodes.end(), sinks->nodes.begin(), sinks->nodes.end());
        }
    }

    [[nodiscard]] double ready_s(graph::index v, const std::vector<double>& done_s) const {
        double start_s = 0.0;
        for (const graph::index u : units_.edges().predecessors(v)) start_s = std::max(start_s, done_s[u]);
        return start_s;
    }

    void run(const std::vector<graph::index>& nodes, const std::vector<graph::index>& device,
             std::vector<double>& done_s) const {
        const graph::index here = device[nodes.front()];
        std::vector<graph::index> producers;
        double start_s = 0.0;
        double load_s = 0.0;
        for (const graph::index v : nodes) {
            load_s += problem_.nodes[v].accelerator_s;
            for (const graph::index u : units_.edges().predecessors(v))
                if (device[u] != here) {
                    producers.push_back(u);
                    start_s = std::max(start_s, done_s[u]);
                }
            const auto out = units_.edges().successors(v);
            if (std::any_of(out.begin(), out.end(), [&](graph::index w) { return device[w] != here; }))
                load_s += problem_.nodes[v].output_s;
        }
        std::sort(producers.begin(), producers.end());
        producers.erase(std::unique(producers.begin(), producers.end()), producers.end());
        for (const graph::index u : producers) load_s += problem_.nodes[u].output_s;
        for (const graph::index v : nodes) done_s[v] = start_s + load_s;
    }

    const device_graph& problem_;
    const latency_units& units_;
};

} // namespace dovetail::placement::detail

/// \file
/// The search for a plan of least latency: partial plans by downset, bounded by their tails.

/// \file
/// A lower bound on what must still follow a node, by downset and accelerators left.

namespace dovetail::placement::detail {

/// tail(d, i, a): no plan whose nodes outside downset `d` use `a` accelerators ends earlier than this after
/// the i-th node of the frontier of `d`. The minimum over the plans is taken for every node of the frontier
/// by itself, so that the bound on the whole is exact where frontiers hold one node and optimistic where they
/// hold more.
///
/// It is a dynamic program from the full downset down. A plan of the rest begins with a unit on the host or
/// with a group on an accelerator, which leads to a larger downset e; node i then waits for what follows in
/// e, for the step that consumes it and what follows its outputs in e, whichever is longer.
class latency_tails {
public:
    /// \param counted false grants every plan as many accelerators as it likes: a table of one column, which
    /// bounds less tightly where accelerators are few
    latency_tails(const latency_downsets& space, std::size_t accelerators, bool counted = true)
        : space_(space), accelerators_(accelerators), columns_(counted ? accelerators + 1 : 1),
          step_(counted ? 1 : 0),
          tails_(space.frontier_total() * columns_, std::numeric_limits<double>::infinity()) {}

    /// Fills the table. \returns false when the budget ended first.
    /// \complexity O(groups * frontier * (consumers + accelerators)).
    [[nodiscard]] bool run(std::size_t threads, spending& spent) {
        std::vector<worker> workers(std::max<std::size_t>(threads, 1));
        // Downsets of one size do not lead to one another.
        for (std::size_t end = space_.size() - 1; end > 0;) {
            std::size_t begin = end - 1;
            while (begin > 0 && space_.units_in(begin - 1) == space_.units_in(begin)) --begin;
            begin = std::max(begin, end > chunk ? end - chunk : 0); // the clock is read after each chunk
            parallel_for(end - begin, threads, 4,
                         [&](std::size_t w, std::size_t i) { fill(begin + i, workers[w]); });
            for (worker& w : workers)
                for (; w.visited > 0; --w.visited)
                    if (!spent.spend_node()) return false;
            end = begin;
        }
        return true;
    }

    /// The tail of a node of the frontier of `d` when `left` accelerators are.
    [[nodiscard]] double operator()(std::size_t d, std::size_t place, std::size_t left) const {
        return row(d, place)[step_ * left];
    }

    /// The bound on the whole: nothing is placed yet.
    [[nodiscard]] double latency_s() const { return space_.size() == 1 ? 0.0 : row(0, 0)[columns_ - 1]; }

private:
    static constexpr std::size_t chunk = 64;

    struct worker {
        std::vector<latency_downsets::visit_state> stack;
        latency_downsets::group group;
        std::vector<double> inner, after;
        std::vector<double> open; // by place in the frontier: its tails after a group
        std::size_t visited = 0;
    };

    void fill(std::size_t d, worker& w) {
        w.inner.resize(space_.problem().nodes.size());
        for (const auto& s : space_.steps(d)) follow_host(d, s, w.inner);
        ++w.visited;
        if (accelerators_ == 0) return;
        space_.begin_groups(d, w.group);
        space_.for_each_group(d, w.stack, [&](std::size_t e) {
            space_.measure(e, w.group);
            follow_group(d, e, w.group, w);
            ++w.visited;
        });
    }

    // By column.
    [[nodiscard]] const double* row(std::size_t d, std::size_t place) const {
        return tails_.data() + (space_.frontier_begin(d) + place) * columns_;
    }
    [[nodiscard]] double* cells(std::size_t d, std::size_t place) {
        return tails_.data() + (space_.frontier_begin(d) + place) * columns_;
    }

    // After a unit on the host.
    void follow_host(std::size_t d, const latency_downsets::step& s, std::vector<double>& inner) {
        const auto before = space_.frontier(d);
        const auto after = space_.frontier(s.target);
        const auto& nodes = space_.units().nodes(s.unit);
        for (std::size_t a = 0; a < columns_; ++a) {
            // inner[v]: from the start of v on.
            for (const graph::index v : nodes) inner[v] = 0.0;
            for (std::size_t k = 0; k < after.size(); ++k)
                if (after[k] != space_.start() && space_.units().unit_of(after[k]) == s.unit)
                    inner[after[k]] = row(s.target, k)[a];
            for (auto v = nodes.rbegin(); v != nodes.rend(); ++v) {
                inner[*v] += space_.problem().nodes[*v].cpu_s;
                for (const graph::index p : space_.producers(*v))
                    if (p != space_.start() && space_.units().unit_of(p) == s.unit)
                        inner[p] = std::max(inner[p], inner[*v]);
            }
            std::size_t k = 0;
            for (std::size_t i = 0; i < before.size(); ++i) {
                double longest = 0.0;
                for (const graph::index v : nodes) {
                    const auto in = space_.producers(v);
                    if (std::find(in.begin(), in.end(), before[i]) != in.end())
                        longest = std::max(longest, inner[v]);
                }
                while (k < after.size() && space_.ahead(after[k], before[i])) ++k;
                if (k < after.size() && after[k] == before[i])
                    longest = std::max(longest, row(s.target, k)[a]);
                double& cell = cells(d, i)[a];
                cell = std::min(cell, longest);
            }
        }
    }

    void follow_group(std::size_t d, std::size_t e, const latency_downsets::group& g, worker& w) {
        const std::size_t n = g.consumed.size();
        const double* tail = row(e, 0);
        if (columns_ == 1) {
            // As below, in fewer steps: the largest graphs spend their time here.
            double after = 0.0;
            w.open.assign(n, 0.0);
            for (const graph::index place : g.from) {
                if (place != graph::none)
                    w.open[place] = *tail++;
                else
                    after = std::max(after, *tail++);
            }
            double* const cell = cells(d, 0);
            for (std::size_t i = 0; i < n; ++i)
                cell[i] = std::min(cell[i], std::max(g.consumed[i] ? g.load_s + after : 0.0, w.open[i]));
            return;
        }
        w.after.assign(columns_, 0.0);
        w.open.assign(n * columns_, 0.0);
        for (const graph::index place : g.from) {
            if (place != graph::none)
                std::copy_n(tail, columns_, w.open.begin() + static_cast<std::ptrdiff_t>(place * columns_));
            else
                for (std::size_t a = 0; a < columns_; ++a) w.after[a] = std::max(w.after[a], tail[a]);
            tail += columns_;
        }
        double* cell = cells(d, 0);
        for (std::size_t i = 0; i < n; ++i, cell += columns_)
            for (std::size_t a = 1; a < columns_; ++a) {
                const double longest = g.consumed[i] ? g.load_s + w.after[a - 1] : 0.0;
                cell[a] = std::min(cell[a], std::max(longest, w.open[i * columns_ + a - 1]));
            }
    }

    const latency_downsets& space_;
    std::size_t accelerators_;
    std::size_t columns_;
    std::size_t step_; // from a group's column to that of what follows
    std::vector<double> tails_;
};

} // namespace dovetail::placement::detail

namespace dovetail::placement::detail {

/// A pass over the downsets. A label is a plan of the nodes of a downset: the accelerators that it uses and
/// when the nodes of the frontier are done. Of two labels of a downset, one that uses no more accelerators
/// and is nowhere later beats the other: whatever completes the other completes it, no later.
class latency_labels {
public:
    latency_labels(const latency_downsets& space, const latency_tails& tails, std::size_t accelerators)
        : space_(space), tails_(tails), accelerators_(accelerators) {}

    /// Looks for plans that take less than `limit_s`, keeping at most `width` labels for each downset and
    /// number of accelerators: those that promise most.
    /// \returns false when the budget ended first; then nothing is found.
    [[nodiscard]] bool run(std::size_t width, double limit_s, spending& spent) {
        pools_.assign(space_.size(), {});
        dropped_s_ = best_s_ = std::numeric_limits<double>::infinity();
        width_ = width;
        limit_s_ = limit_s;
        done_.resize(space_.problem().nodes.size() + 1);
        times_.assign(space_.frontier(0).size(), 0.0);
        insert({tails_.latency_s(), 0, 0, 0}, 0);
        for (std::size_t d = 0; d + 1 < space_.size(); ++d)
            if (!pools_[d].labels.empty() && !extend(d, spent)) return false;
        for (const label& l : pools_.back().labels) best_s_ = std::min(best_s_, l.floor_s);
        return true;
    }

    /// The best latency found; infinite where nothing was.
    [[nodiscard]] double best_s() const { return best_s_; }
    /// No plan that fell to `width` takes less.
    [[nodiscard]] double dropped_s() const { return dropped_s_; }

    /// By node: its accelerator, in the best plan found.
    [[nodiscard]] std::vector<graph::index> device() const {
        std::vector<graph::index> device(space_.problem().nodes.size(), graph::none);
        const auto& last = pools_.back().labels;
        const label* l = &*std::min_element(
            last.begin(), last.end(), [](const label& a, const label& b) { return a.floor_s < b.floor_s; });
        for (std::size_t d = space_.size() - 1; d != 0;) {
            const label& parent = pools_[l->parent].labels[l->parent_label];
            if (l->used != parent.used) {
                for (std::size_t u = 0; u < space_.units().size(); ++u)
                    if (space_.holds(d, u) && !space_.holds(l->parent, u))
                        for (const graph::index v : space_.units().nodes(u)) device[v] = parent.used;
                for (const graph::index v : space_.sinks(l->parent, d)) device[v] = parent.used;
            }
            d = l->parent;
            l = &parent;
        }
        return device;
    }

private:
    struct label {
        double floor_s = 0.0; ///< no plan that begins like this ends earlier
        graph::index parent = 0;
        graph::index parent_label = 0;
        graph::index used = 0; ///< accelerators
    };
    struct pool {
        std::vector<label> labels;
        std::vector<double> times; // by label: of the frontier
    };

    [[nodiscard]] bool extend(std::size_t d, spending& spent) {
        for (const auto& s : space_.steps(d))
            if (!extend_host(d, s, spent)) return false;
        const auto& labels = pools_[d].labels;
        if (std::none_of(labels.begin(), labels.end(),
                         [&](const label& l) { return l.used < accelerators_; }))
            return true;
        space_.begin_groups(d, group_);
        bool in_time = true;
        space_.for_each_group(d, stack_, [&](std::size_t e) {
            if (!in_time) return;
            space_.measure(e, group_);
            in_time = extend_group(d, e, spent);
        });
        return in_time;
    }

    [[nodiscard]] bool extend_host(std::size_t d, const latency_downsets::step& s, spending& spent) {
        const auto before = space_.frontier(d);
        const auto after = space_.frontier(s.target);
        times_.resize(after.size());
        for (std::size_t l = 0; l < pools_[d].labels.size(); ++l) {
            if (!spent.spend_node()) return false;
            for (std::size_t i = 0; i < before.size(); ++i)
                done_[before[i]] = pools_[d].times[l * before.size() + i];
            const label& from = pools_[d].labels[l];
            double floor_s = from.floor_s;
            for (const graph::index v : space_.units().nodes(s.unit)) {
                double start = 0.0;
                for (const graph::index p : space_.producers(v)) start = std::max(start, done_[p]);
                done_[v] = start + space_.problem().nodes[v].cpu_s;
                floor_s = std::max(floor_s, done_[v]);
            }
            for (std::size_t k = 0; k < after.size(); ++k) times_[k] = done_[after[k]];
            insert({floor_s, static_cast<graph::index>(d), static_cast<graph::index>(l), from.used},
                   s.target);
        }
        return true;
    }

    [[nodiscard]] bool extend_group(std::size_t d, std::size_t e, spending& spent) {
        const std::size_t n = group_.consumed.size();
        times_.resize(group_.from.size());
        for (std::size_t l = 0; l < pools_[d].labels.size(); ++l) {
            const label& from = pools_[d].labels[l];
            if (from.used == accelerators_) continue;
            if (!spent.spend_node()) return false;
            const double* const now = pools_[d].times.data() + l * n;
            double start = 0.0;
            for (std::size_t i = 0; i < n; ++i)
                if (group_.consumed[i]) start = std::max(start, now[i]);
            const double end = start + group_.load_s;
            for (std::size_t k = 0; k < times_.size(); ++k)
                times_[k] = group_.from[k] == graph::none ? end : now[group_.from[k]];
            insert({std::max(from.floor_s, end), static_cast<graph::index>(d), static_cast<graph::index>(l),
                    from.used + 1},
                   e);
        }
        return true;
    }

    // Adds a label of downset `e` whose times are `times_`, unless it is of no use.
    void insert(label l, std::size_t e) {
        const std::size_t n = times_.size();
        for (std::size_t k = 0; k < n; ++k)
            l.floor_s = std::max(l.floor_s, times_[k] + tails_(e, k, accelerators_ - l.used));
        if (l.floor_s >= limit_s_) return;
        pool& at = pools_[e];
        std::size_t same = 0;
        std::size_t worst = 0;
        for (std::size_t i = 0; i < at.labels.size();) {
            const label& other = at.labels[i];
            const double* const t = at.times.data() + i * n;
            const auto no_later = [](double a, double b) { return a <= b; };
            if (other.used <= l.used && other.floor_s <= l.floor_s &&
                std::equal(t, t + n, times_.begin(), no_later))
                return;
            if (other.used >= l.used && other.floor_s >= l.floor_s &&
                std::equal(times_.begin(), times_.end(), t, no_later)) {
                remove(at, i, n);
                continue;
            }
            if (other.used == l.used) {
                if (same == 0 || at.labels[worst].floor_s < other.floor_s) worst = i;
                ++same;
            }
            ++i;
        }
        if (same >= width_) {
            if (at.labels[worst].floor_s <= l.floor_s) {
                dropped_s_ = std::min(dropped_s_, l.floor_s);
                return;
            }
            dropped_s_ = std::min(dropped_s_, at.labels[worst].floor_s);
            remove(at, worst, n);
        }
        at.labels.push_back(l);
        at.times.insert(at.times.end(), times_.begin(), times_.end());
    }

    // The last label takes the place of label `i`.
    static void remove(pool& at, std::size_t i, std::size_t n) {
        at.labels[i] = at.labels.back();
        std::copy_n(at.times.end() - static_cast<std::ptrdiff_t>(n), n,
                    at.times.begin() + static_cast<std::ptrdiff_t>(i * n));
        at.labels.pop_back();
        at.times.resize(at.times.size() - n);
    }

    const latency_downsets& space_;
    const latency_tails& tails_;
    std::size_t accelerators_;
    std::size_t width_ = 1;
    double limit_s_ = 0.0;
    double dropped_s_ = 0.0;
    double best_s_ = 0.0;
    std::vector<pool> pools_; // by downset; complete before its first label is extended
    std::vector<latency_downsets::visit_state> stack_;
    latency_downsets::group group_;
    std::vector<double> done_;  // by node
    std::vector<double> times_; // of the label that is about to be inserted
};

} // namespace dovetail::placement::detail

/// \file
/// A placement for latency: where every node of a device graph runs, and when the last one is done.

namespace dovetail::placement {

/// Where one sample's way through a device graph is spent. Every accelerator runs once, on a set of nodes: it
/// starts when the last producer outside the set is done, fetches what they hand over, computes node after
/// node, hands over its own outputs, and then all its nodes are done. A node on the host starts when its
/// producers are done. The host has as many cores as it takes: `device_graph::cpus` says nothing here.
///
/// `outcome` is `optimal`, or `budget` where `lower_bound_s` is smaller than `latency_s`. There is always a
/// plan, all on the host at worst.
struct latency_plan {
    status outcome = status::budget;
    double latency_s = std::numeric_limits<double>::infinity();
    double lower_bound_s = 0.0;         ///< proved: no plan is shorter
    std::vector<graph::index> device{}; ///< by node: the number of its accelerator; `none`: on the host

    friend bool operator==(const latency_plan&, const latency_plan&) = default;
};

} // namespace dovetail::placement

/// \file
/// The placement of a device graph for the least latency of one sample.

namespace dovetail::placement {

namespace detail {

/// What bounds a search.
struct latency_effort {
    budget limits{};
    std::size_t max_downsets = 0;
    std::size_t threads = 1;
    std::uint64_t seed = 1;
};

class latency_search {
public:
    latency_search(const device_graph& problem, const latency_effort& effort)
        : problem_(problem), effort_(effort), units_(problem), spent_(effort.limits),
          accelerators_(static_cast<std::size_t>(
              std::min(problem.accelerators, static_cast<std::int64_t>(units_.size())))) {}

    [[nodiscard]] latency_plan operator()() {
        random_source random(effort_.seed);
        std::vector<downset_family> families(orders);
        const latency_fill fill(problem_, units_);
        for (downset_family& family : families) {
            family.order = depth_first_order(units_, random);
            for (const std::size_t accelerators : {std::size_t{0}, accelerators_})
                keep(fill(family.order, accelerators));
        }
        raise(critical_path_s());
        // Everything at once where that is little work. Else along orders first, then everything with as many
        // accelerators as it takes, then along ever broader orders.
        if (open() && !explore({}, small_space, true)) {
            for (downset_family& family : families) explore(family, large_space, true);
            if (open()) explore({}, large_space, false);
            for (std::size_t breadth = 2; breadth < units_.size() && open(); breadth *= 2)
                for (downset_family& family : families) {
                    family.breadth = breadth;
                    explore(family, large_space, true);
                }
            if (open()) explore({}, large_space, true);
        }
        best_.outcome = closed() ? status::optimal : status::budget;
        if (closed()) best_.lower_bound_s = best_.latency_s;
        return std::move(best_);
    }

private:
    static constexpr std::size_t orders = 4;
    static constexpr double small_space = 5e6; ///< groups
    static constexpr double large_space = 1e12;
    static constexpr double rounding = 1e-12;
    static constexpr double first_excess = 1e-3;
    static constexpr std::size_t first_width = 64;

    [[nodiscard]] bool closed() const {
        return best_.latency_s - best_.lower_bound_s <= rounding * best_.latency_s;
    }
    [[nodiscard]] bool open() const { return !closed() && !spent_.exhausted(); }
    void keep(timed_placement found) {
        if (found.latency_s >= best_.latency_s) return;
        best_.latency_s = found.latency_s;
        best_.device = std::move(found.device);
    }
    void raise(double bound_s) { best_.lower_bound_s = std::max(best_.lower_bound_s, bound_s); }

    // Every way through the graph takes its nodes' shorter times at least.
    [[nodiscard]] double critical_path_s() const {
        std::vector<double> done_s(problem_.nodes.size(), 0.0);
        double longest_s = 0.0;
        for (graph::index v = 0; v < problem_.nodes.size(); ++v) {
            const device_node& node = problem_.nodes[v];
            const bool choice =
                node.supported && accelerators_ > 0 && node.size_bytes <= problem_.memory_bytes;
            for (const graph::index u : units_.edges().predecessors(v))
                done_s[v] = std::max(done_s[v], done_s[u]);
            done_s[v] += choice ? std::min(node.cpu_s, node.accelerator_s) : node.cpu_s;
            longest_s = std::max(longest_s, done_s[v]);
        }
        return longest_s;
    }

    // Searches the plans whose partial plans are downsets of a family, unless they are too many. Returns
    // whether it has. Without `counted` the bound on them ignores how many accelerators there are.
    bool explore(const downset_family& family, double max_groups, bool counted) {
        const auto space = latency_downsets::make(problem_, units_, effort_.max_downsets, family);
        if (!space || groups(*space) > max_groups) return false;
        latency_tails tails(*space, accelerators_, counted);
        if (!tails.run(effort_.threads, spent_)) return false;
        const bool all = family.order.empty();
        if (all) raise(tails.latency_s());
        latency_labels labels(*space, tails, accelerators_);
        // Plans of little more than the bound are few; the limit rises until there is one.
        std::size_t width = first_width;
        double floor_s = tails.latency_s();
        double excess = rounding;
        while (open() && floor_s < best_.latency_s * (1 - rounding)) {
            const double limit_s = std::min(best_.latency_s, tails.latency_s() * (1 + excess) + rounding);
            if (!labels.run(width, limit_s, spent_)) return false;
            const double proved_s = std::min({limit_s, labels.best_s(), labels.dropped_s()});
            floor_s = std::max(floor_s, proved_s);
            if (all) raise(floor_s);
            if (labels.best_s() < best_.latency_s) keep({labels.best_s(), labels.device()});
            if (proved_s >= limit_s) {
                excess = std::max(first_excess, 2 * excess);
            } else if (labels.dropped_s() < labels.best_s()) {
                if (!all || !counted) return true; // there is a better way to go on
                width *= 4;
            }
        }
        return true;
    }

    // About how many groups a space has: those of a few downsets, for all.
    [[nodiscard]] static double groups(const latency_downsets& space) {
        constexpr std::size_t samples = 64;
        const std::size_t stride = std::max<std::size_t>(1, space.size() / samples);
        std::vector<latency_downsets::visit_state> stack;
        std::size_t count = 0;
        for (std::size_t d = 0; d < space.size(); d += stride)
            space.for_each_group(d, stack, [&](std::size_t) { ++count; });
        return static_cast<double>(count) * static_cast<double>(stride);
    }

    const device_graph& problem_;
    const latency_effort& effort_;
    latency_units units_;
    spending spent_;
    std::size_t accelerators_;
    latency_plan best_;
};

} // namespace detail

/// Finds a placement of least latency.
struct latency_program {
    budget limits{};                    ///< of the search, in labels and groups; the rest is short
    std::size_t max_downsets = 200'000; ///< to look at, of the whole graph
    std::size_t threads = 1;
    std::uint64_t seed = 1; ///< of the orders to search along where the whole is too large

    /// \returns what `validate` finds wrong; else the best plan and bound within the limits, which is exact
    /// (`status::optimal`) where bound and plan meet up to rounding.
    [[nodiscard]] result<latency_plan> operator()(const device_graph& problem) const {
        if (auto valid = validate(problem); !valid) return std::move(valid).problem();
        const detail::latency_effort effort{limits, max_downsets, threads, seed};
        return detail::latency_search(problem, effort)();
    }
};

} // namespace dovetail::placement

/// \file
/// The contracted problem of placement by largest load, in whole numbers.

namespace dovetail::placement::detail {

/// Seconds as whole multiples of a power of two of a second: sums are exact in any order, and so a load is
/// the same number however it is reached. The unit is so small that all costs together stay below 2^61;
/// rounding to it moves a cost by less than 2^-60 of their sum.
using ticks = std::int64_t;

/// Classes in a topological order that puts much work ahead first, with costs in ticks.
struct max_load_costs {
    std::vector<graph::index> class_of{}; ///< by vertex: its number in `device_classes`
    graph::digraph order{};               ///< arcs lead to higher vertices
    std::vector<ticks> accelerator{};     ///< 0 where not supported
    std::vector<ticks> cpu{};
    std::vector<double> bytes{};
    std::vector<std::uint8_t> supported{};
    std::vector<ticks> transfer_cost{};
    std::vector<graph::index> transfer_size{}; ///< vertices of each
    std::vector<std::size_t> first_transfer{};
    std::vector<graph::index> transfers{}; ///< those of vertex v begin at `first_transfer[v]`
    std::vector<ticks> work_from{};        ///< accelerator work of a vertex and all that it precedes
    ticks work = 0;                        ///< accelerator work of all
    ticks unlimited = 1;                   ///< above any load
    std::size_t accelerators = 0;          ///< no more than there are classes
    std::size_t cpus = 0;
    double memory_bytes = 0.0;
    bool memory_binds = false; ///< an accelerator cannot hold everything
    double work_per_cpu = 0.0; ///< the most accelerator work that a CPU can take over in a tick
    int exponent = 0;          ///< a second has 2^exponent ticks

    max_load_costs(const device_graph& problem, const device_classes& contracted) {
        const std::vector<device_class>& classes = contracted.classes;
        accelerators = fewer(problem.accelerators, classes.size());
        cpus = fewer(problem.cpus, classes.size());
        memory_bytes = problem.memory_bytes;
        choose_exponent(contracted);
        number_classes(contracted);
        double all_bytes = 0.0;
        for (std::size_t v = 0; v < classes.size(); ++v) {
            const device_class& c = classes[class_of[v]];
            accelerator.push_back(c.supported ? to_ticks(c.accelerator_s) : 0);
            cpu.push_back(to_ticks(c.cpu_s));
            bytes.push_back(c.size_bytes);
            supported.push_back(c.supported ? 1 : 0);
            work += accelerator[v];
            unlimited += accelerator[v] + cpu[v];
            all_bytes += c.size_bytes;
            if (accelerator[v] > 0)
                work_per_cpu =
                    std::max(work_per_cpu, static_cast<double>(accelerator[v]) / static_cast<double>(cpu[v]));
        }
        memory_binds = all_bytes > memory_bytes;
        list_transfers(contracted);
        const graph::reachability below(order, identity(classes.size()));
        for (graph::index v = 0; v < classes.size(); ++v)
            work_from.push_back(accelerator[v] + sum_of(below, v));
    }

    [[nodiscard]] std::size_t size() const { return class_of.size(); }
    [[nodiscard]] double to_seconds(ticks t) const { return std::ldexp(static_cast<double>(t), -exponent); }
    [[nodiscard]] std::span<const graph::index> transfers_of(graph::index v) const {
        return std::span(transfers).subspan(first_transfer[v], first_transfer[v + 1] - first_transfer[v]);
    }

    /// What has to be done once `free_accelerators` and `free_cpus` are left, for loads below `limit`, at
    /// least; negative where even transfers can be afforded. A little less than exact arithmetic has it.
    [[nodiscard]] ticks least_done(std::size_t free_accelerators, std::size_t free_cpus, ticks limit) const {
        const double capacity = static_cast<double>(limit) *
                                (static_cast<double>(free_accelerators) +
                                 (free_cpus == 0 ? 0.0 : static_cast<double>(free_cpus) * work_per_cpu));
        const double least = static_cast<double>(work) * (1.0 - 1e-12) - capacity * (1.0 + 1e-12);
        return static_cast<ticks>(std::max(least, -static_cast<double>(unlimited))) - 1;
    }

private:
    [[nodiscard]] static std::size_t fewer(std::int64_t devices, std::size_t classes) {
        return static_cast<std::size_t>(std::min(devices, static_cast<std::int64_t>(classes)));
    }
    [[nodiscard]] static std::vector<graph::index> identity(std::size_t n) {
        std::vector<graph::index> numbers(n);
        std::iota(numbers.begin(), numbers.end(), graph::index{0});
        return numbers;
    }
    [[nodiscard]] ticks to_ticks(double seconds) const {
        return static_cast<ticks>(std::llround(std::ldexp(seconds, exponent)));
    }

    void choose_exponent(const device_classes& contracted) {
        const std::size_t costs = 2 * contracted.classes.size() + contracted.transfers.size();
        const int shift = static_cast<int>(std::bit_width(costs)); // so that the sum is finite
        double sum = 0.0;
        for (const device_class& c : contracted.classes)
            sum += std::ldexp(c.cpu_s, -shift) + (c.supported ? std::ldexp(c.accelerator_s, -shift) : 0.0);
        for (const transfer& t : contracted.transfers) sum += std::ldexp(t.cost_s, -shift);
        if (sum > 0.0) exponent = 59 - std::ilogb(sum) - shift;
    }

    // By falling work of all that follows: a topological order, as ties keep theirs, and one in which leaving
    // out an early vertex leaves little to add.
    void number_classes(const device_classes& contracted) {
        const std::size_t n = contracted.classes.size();
        const graph::reachability below(contracted.order, identity(n));
        class_of = identity(n);
        for (const device_class& c : contracted.classes)
            accelerator.push_back(c.supported ? to_ticks(c.accelerator_s) : 0);
        std::vector<ticks> ahead(n);
        for (graph::index v = 0; v < n; ++v) ahead[v] = accelerator[v] + sum_of(below, v);
        accelerator.clear();
        std::stable_sort(class_of.begin(), class_of.end(),
                         [&](graph::index a, graph::index b) { return ahead[a] > ahead[b]; });
        std::vector<graph::index> number(n);
        for (graph::index v = 0; v < n; ++v) number[class_of[v]] = v;
        std::vector<graph::arc> arcs;
        for (const auto [source, target] : contracted.order.arcs())
            arcs.push_back({number[source], number[target]});
        std::sort(arcs.begin(), arcs.end(), [](const graph::arc& a, const graph::arc& b) {
            return std::pair(a.source, a.target) < std::pair(b.source, b.target);
        });
        order = graph::digraph(n, arcs);
    }

    void list_transfers(const device_classes& contracted) {
        const std::size_t n = size();
        std::vector<graph::index> number(n);
        for (graph::index v = 0; v < n; ++v) number[class_of[v]] = v;
        std::vector<std::vector<graph::index>> of(n);
        for (const transfer& t : contracted.transfers) {
            for (const graph::index c : t.classes)
                of[number[c]].push_back(static_cast<graph::index>(transfer_cost.size()));
            transfer_cost.push_back(to_ticks(t.cost_s));
            transfer_size.push_back(static_cast<graph::index>(t.classes.size()));
            unlimited += transfer_cost.back();
        }
        for (const std::vector<graph::index>& row : of) {
            first_transfer.push_back(transfers.size());
            transfers.insert(transfers.end(), row.begin(), row.end());
        }
        first_transfer.push_back(transfers.size());
    }

    [[nodiscard]] ticks sum_of(const graph::reachability& below, graph::index v) const {
        ticks sum = 0;
        const std::span<const std::uint64_t> words = below.descendants(v);
        for (std::size_t k = 0; k < words.size(); ++k)
            for (std::uint64_t bits = words[k]; bits != 0; bits &= bits - 1)
                sum += accelerator[64 * k + static_cast<std::size_t>(std::countr_zero(bits))];
        return sum;
    }
};

/// A part of a plan before its figures are known.
struct draft_share {
    device_kind kind = device_kind::accelerator;
    std::vector<graph::index> vertices{}; ///< of `max_load_costs`
};

} // namespace dovetail::placement::detail

/// \file
/// A first plan for placement by largest load: the best one that cuts a single topological order.

namespace dovetail::placement::detail {

/// Cuts the order of the vertices' numbers into devices. Fewer devices than there are may be used where the
/// table would grow large; the plan is a start, and need not be the best.
class max_load_line {
public:
    max_load_line(const max_load_costs& costs, spending& effort)
        : costs_(costs), cpus_(std::min<std::size_t>(costs.cpus, 8)),
          accelerators_(
              std::min(costs.accelerators, std::size_t{1'000'000} / (costs.size() + 1) / (cpus_ + 1))),
          slots_((accelerators_ + 1) * (cpus_ + 1)), table_((costs.size() + 1) * slots_) {
        std::fill_n(table_.begin(), slots_, cell{0, 0, false});
        for (std::size_t begin = 0; begin < costs.size(); ++begin) extend(begin, effort);
    }

    /// The largest load of the plan; `unlimited` where there is none.
    [[nodiscard]] ticks load() const { return std::min(table_.back().load, costs_.unlimited); }

    /// The plan, in order; only where there is one.
    [[nodiscard]] std::vector<draft_share> plan() const {
        std::vector<draft_share> shares;
        std::size_t slot = slots_ - 1;
        for (std::size_t end = costs_.size(); end > 0;) {
            const cell& c = table_[end * slots_ + slot];
            draft_share share{c.cpu ? device_kind::cpu : device_kind::accelerator, {}};
            for (std::size_t v = c.begin; v < end; ++v)
                share.vertices.push_back(static_cast<graph::index>(v));
            if (!share.vertices.empty()) shares.push_back(std::move(share));
            slot -= c.cpu ? 1 : cpus_ + 1;
            end = c.begin;
        }
        std::reverse(shares.begin(), shares.end());
        return shares;
    }

private:
    // The best that ends before a vertex with up to so many devices; slot = accelerators * (cpus + 1) + cpus.
    struct cell {
        ticks load = std::numeric_limits<ticks>::max();
        std::uint32_t begin = 0; // of its last device
        bool cpu = false;
    };

    // All devices that hold vertices from `begin` on.
    void extend(std::size_t begin, spending& effort) {
        std::vector<graph::index>& seen = seen_;
        seen.assign(costs_.transfer_cost.size(), 0);
        ticks accelerator = 0;
        ticks cpu = 0;
        double bytes = 0.0;
        bool fits = true;
        const cell* const from = &table_[begin * slots_];
        for (std::size_t v = begin; v < costs_.size() && effort.spend_node(); ++v) {
            accelerator += costs_.accelerator[v];
            cpu += costs_.cpu[v];
            bytes += costs_.bytes[v];
            fits = fits && costs_.supported[v] != 0 && bytes <= costs_.memory_bytes;
            for (const graph::index t : costs_.transfers_of(static_cast<graph::index>(v))) {
                if (seen[t]++ == 0) accelerator += costs_.transfer_cost[t];
                if (seen[t] == costs_.transfer_size[t]) accelerator -= costs_.transfer_cost[t];
            }
            cell* const to = &table_[(v + 1) * slots_];
            for (std::size_t slot = 0; slot < slots_; ++slot) {
                if (fits && slot > cpus_)
                    improve(to[slot], from[slot - cpus_ - 1].load, accelerator, begin, false);
                if (slot % (cpus_ + 1) != 0) improve(to[slot], from[slot - 1].load, cpu, begin, true);
            }
        }
    }

    static void improve(cell& c, ticks before, ticks load, std::size_t begin, bool cpu) {
        load = std::max(before, load);
        if (load < c.load) c = {load, static_cast<std::uint32_t>(begin), cpu};
    }

    const max_load_costs& costs_;
    std::size_t cpus_;
    std::size_t accelerators_;
    std::size_t slots_;
    std::vector<cell> table_;
    std::vector<graph::index> seen_; // vertices of each transfer that the device holds
};

} // namespace dovetail::placement::detail

/// \file
/// The exact placement on accelerators and CPUs by the least largest load.

/// \file
/// Whether a plan keeps every load below a limit: the decision behind the least largest load.

namespace dovetail::placement::detail {

/// Fills devices one after the other along the pipeline. What the devices so far hold is a downset, and of
/// the ways to one only the numbers of devices count, so a downset keeps the pairs of numbers that are not
/// dominated. From each, the next device grows vertex by vertex, in ascending order so that no set comes
/// twice, and its load changes by what touches the new vertex.
///
/// It stops growing once its work and the transfers that no vertex can undo reach the limit, or once it has
/// passed over so much that the devices left could not do the rest.
///
/// It does not end where one more vertex v still fits and is safe: v's transfers, were it to leave the rest,
/// cost no more than its work. For whichever later device holds v then is no busier without it. Loads are
/// submodular in the set held, so where v does not raise the load either, it never will, whatever joins
/// first, and v is taken at once.
class max_load_search {
public:
    enum class verdict : std::uint8_t { found, none, stopped };

    max_load_search(const max_load_costs& costs, const downset_lattice& lattice, spending& effort)
        : costs_(costs), lattice_(lattice), effort_(effort), whole_(lattice.whole()),
          held_before_(costs.transfer_cost.size()), held_(costs.transfer_cost.size()) {
        measure();
    }

    /// Looks for a plan whose loads are all below `limit`.
    [[nodiscard]] verdict operator()(ticks limit) {
        limit_ = limit;
        ways_.clear();
        first_way_.assign(lattice_.size(), none);
        path_.clear();
        std::fill(held_before_.begin(), held_before_.end(), graph::index{0});
        way_of_plan_ = none;
        record(0, {});
        for (graph::index set = 0; set < whole_; ++set) {
            if (set != 0) {
                return_to_parent(set);
                step_into(set);
            }
            if (first_way_[set] == none) continue;
            choose_ways(set);
            begin_ = set;
            if (can_add_accelerator_ && !grow_accelerator(set, 0, -cut_[set], 0, 0)) break;
            if (can_add_cpu_ && !grow_cpu(set, 0, 0)) break;
        }
        if (way_of_plan_ != none) return verdict::found;
        return effort_.exhausted() ? verdict::stopped : verdict::none;
    }

    /// The plan that was found.
    [[nodiscard]] std::vector<draft_share> plan() const {
        std::vector<draft_share> shares;
        std::vector<std::uint8_t> before(costs_.size());
        for (std::uint32_t way = way_of_plan_; ways_[way].from != none; way = ways_[way].from) {
            const way_here& end = ways_[way];
            const way_here& start = ways_[end.from];
            std::fill(before.begin(), before.end(), std::uint8_t{0});
            for (graph::index s = start.set; s != 0; s = lattice_.parent(s)) before[lattice_.highest(s)] = 1;
            draft_share share{end.cpus > start.cpus ? device_kind::cpu : device_kind::accelerator, {}};
            for (graph::index s = end.set; s != 0; s = lattice_.parent(s))
                if (before[lattice_.highest(s)] == 0) share.vertices.push_back(lattice_.highest(s));
            shares.push_back(std::move(share));
        }
        std::reverse(shares.begin(), shares.end());
        return shares;
    }

private:
    static constexpr std::uint32_t none = graph::none;

    // How many devices reach a downset, and from where.
    struct way_here {
        std::uint32_t from = none;
        std::uint32_t next = none; // another way to the same downset
        std::uint32_t accelerators = 0;
        std::uint32_t cpus = 0;
        graph::index set = 0;
    };
    struct growth {
        ticks base; // transfers that cross the limits of the device, less those that cross the downset's
        ticks lasting;
        ticks load;
        bool fits;
    };

    // Work, bytes and crossing transfers of every downset.
    void measure() {
        const std::size_t n = lattice_.size();
        work_.resize(n);
        cut_.resize(n);
        bytes_.resize(n);
        for (graph::index set = 1; set < n; ++set) {
            return_to_parent(set);
            const graph::index parent = lattice_.parent(set);
            const graph::index v = lattice_.highest(set);
            work_[set] = work_[parent] + costs_.accelerator[v];
            bytes_[set] = bytes_[parent] + costs_.bytes[v];
            cut_[set] = cut_[parent];
            for (const graph::index t : costs_.transfers_of(v)) {
                if (held_before_[t] == 0) cut_[set] += costs_.transfer_cost[t];
                if (held_before_[t] + 1 == costs_.transfer_size[t]) cut_[set] -= costs_.transfer_cost[t];
            }
            step_into(set);
        }
    }

    // Two halves of the walk over all downsets by number, in which `held_before_` keeps up.
    void return_to_parent(graph::index set) {
        for (; !path_.empty() && path_.back() != lattice_.parent(set); path_.pop_back())
            for (const graph::index t : costs_.transfers_of(lattice_.highest(path_.back())))
                --held_before_[t];
    }
    void step_into(graph::index set) {
        for (const graph::index t : costs_.transfers_of(lattice_.highest(set))) ++held_before_[t];
        path_.push_back(set);
    }

    [[nodiscard]] static bool dominates(const way_here& a, const way_here& b) {
        return a.accelerators <= b.accelerators && a.cpus <= b.cpus;
    }

    // Keeps a way to `set` unless it is dominated or leaves too much. False once a plan is complete.
    bool record(graph::index set, way_here way) {
        const std::size_t accelerators = costs_.accelerators - way.accelerators;
        const std::size_t cpus = costs_.cpus - way.cpus;
        // Without a CPU left, some accelerator still pays for every transfer that crosses the downset.
        const ticks paid = cpus == 0 ? cut_[set] : 0;
        if (work_[set] - paid < costs_.least_done(accelerators, cpus, limit_)) return true;
        for (std::uint32_t w = first_way_[set]; w != none; w = ways_[w].next)
            if (dominates(ways_[w], way)) return true;
        way.next = first_way_[set];
        way.set = set;
        first_way_[set] = static_cast<std::uint32_t>(ways_.size());
        ways_.push_back(way);
        if (set == whole_) way_of_plan_ = first_way_[set];
        return set != whole_;
    }

    // The ways to `set` that no other dominates, and what must be done once they have one device less.
    void choose_ways(graph::index set) {
        chosen_.clear();
        can_add_accelerator_ = can_add_cpu_ = false;
        need_ = costs_.work;
        for (std::uint32_t w = first_way_[set]; w != none; w = ways_[w].next) {
            const way_here& way = ways_[w];
            bool dominated = false;
            for (std::uint32_t o = first_way_[set]; o != none; o = ways_[o].next)
                dominated = dominated || (o != w && dominates(ways_[o], way));
            if (dominated) continue;
            chosen_.push_back(w);
            const std::size_t accelerators = costs_.accelerators - way.accelerators;
            const std::size_t cpus = costs_.cpus - way.cpus;
            if (accelerators > 0) {
                can_add_accelerator_ = true;
                need_ = std::min(need_, costs_.least_done(accelerators - 1, cpus, limit_));
            }
            if (cpus > 0) {
                can_add_cpu_ = true;
                need_ = std::min(need_, costs_.least_done(accelerators, cpus - 1, limit_));
            }
        }
    }

    bool end_device(graph::index set, device_kind kind) {
        for (const std::uint32_t w : chosen_) {
            way_here way = ways_[w];
            way.from = w;
            std::uint32_t& used = kind == device_kind::cpu ? way.cpus : way.accelerators;
            if (used == (kind == device_kind::cpu ? costs_.cpus : costs_.accelerators)) continue;
            ++used;
            if (!record(set, way)) return false;
        }
        return true;
    }

    // Whether a later device that holds `v` is no busier when `v` leaves it for the device that ends at
    // `set`.
    [[nodiscard]] bool safe(graph::index set, const downset_lattice::step& s) const {
        return costs_.supported[s.vertex] == 0 || cut_[s.downset] - cut_[set] <= costs_.accelerator[s.vertex];
    }

    [[nodiscard]] growth grown(const downset_lattice::step& s, ticks base, ticks lasting) const {
        growth g{base, lasting, 0, false};
        for (const graph::index t : costs_.transfers_of(s.vertex)) {
            if (held_before_[t] == 0) continue;
            if (held_[t] == 0) {
                g.base += costs_.transfer_cost[t];
                g.lasting += costs_.transfer_cost[t];
            }
            if (held_before_[t] + held_[t] + 1 == costs_.transfer_size[t]) g.base += costs_.transfer_cost[t];
        }
        const ticks work = work_[s.downset] - work_[begin_];
        g.load = work + g.base + cut_[s.downset];
        g.fits = costs_.supported[s.vertex] != 0 &&
                 bytes_[s.downset] - bytes_[begin_] <= costs_.memory_bytes && work + g.lasting < limit_ &&
                 need_ - work_[begin_] + g.lasting < limit_;
        return g;
    }

    // Continues the accelerator that began at `begin_` and now ends at `set`, with vertices above `last`.
    // \returns false when the search is over
    bool grow_accelerator(graph::index set, graph::index last, ticks base, ticks lasting, ticks load) {
        if (!effort_.spend_node()) return false;
        const auto steps = lattice_.steps(set);
        const std::size_t first = growths_.size();
        std::size_t from = 0;
        std::size_t to = steps.size();
        bool may_end = load < limit_ && set != begin_;
        bool taken = false;
        for (std::size_t k = 0; k < steps.size() && !taken; ++k) {
            const growth g = grown(steps[k], base, lasting);
            growths_.push_back(g);
            if (!g.fits || g.load >= limit_ || !safe(set, steps[k])) continue;
            may_end = false;
            if (g.load > load || (costs_.memory_binds && costs_.bytes[steps[k].vertex] > 0.0)) continue;
            taken = true;
            from = k;
            to = k + 1;
        }
        // A vertex to take at once that was passed over before: every set from here on lacks it.
        if (taken && steps[from].vertex < last) {
            growths_.resize(first);
            return true;
        }
        bool more = !may_end || end_device(set, device_kind::accelerator);
        for (std::size_t k = from; k < to && more; ++k) {
            const graph::index v = steps[k].vertex;
            if (v < last) continue;
            const growth g = growths_[first + k];
            if (g.fits) {
                for (const graph::index t : costs_.transfers_of(v)) ++held_[t];
                more = grow_accelerator(steps[k].downset, taken ? last : v, g.base, g.lasting, g.load);
                for (const graph::index t : costs_.transfers_of(v)) --held_[t];
            }
            // From here on `v` and all that it precedes stay out.
            if (!taken && costs_.work - costs_.work_from[v] < need_) break;
        }
        growths_.resize(first);
        return more;
    }

    // The same for a CPU, whose load is a sum.
    bool grow_cpu(graph::index set, graph::index last, ticks load) {
        if (!effort_.spend_node()) return false;
        const auto steps = lattice_.steps(set);
        bool may_end = set != begin_;
        std::size_t from = 0;
        std::size_t to = steps.size();
        bool taken = false;
        for (std::size_t k = 0; k < steps.size() && !taken; ++k) {
            const ticks cost = costs_.cpu[steps[k].vertex];
            if (load + cost >= limit_ || !safe(set, steps[k])) continue;
            may_end = false;
            if (cost > 0) continue;
            taken = true;
            from = k;
            to = k + 1;
        }
        if (taken && steps[from].vertex < last) return true;
        if (may_end && !end_device(set, device_kind::cpu)) return false;
        for (std::size_t k = from; k < to; ++k) {
            const graph::index v = steps[k].vertex;
            if (v < last) continue;
            const ticks grown = load + costs_.cpu[v];
            if (grown < limit_ && !grow_cpu(steps[k].downset, taken ? last : v, grown)) return false;
            if (!taken && costs_.work - costs_.work_from[v] < need_) break;
        }
        return true;
    }

    const max_load_costs& costs_;
    const downset_lattice& lattice_;
    spending& effort_;
    graph::index whole_;
    std::vector<ticks> work_; // by downset, as are the next two
    std::vector<ticks> cut_;  // transfers with vertices on both sides
    std::vector<double> bytes_;
    std::vector<graph::index> path_; // of the walk: downsets, each the parent of the next
    std::vector<graph::index>
        held_before_;                // vertices of each transfer in the downset where the device begins
    std::vector<graph::index> held_; // and in the device
    ticks limit_ = 0;
    std::vector<way_here> ways_;
    std::vector<std::uint32_t> first_way_; // by downset
    std::uint32_t way_of_plan_ = none;
    graph::index begin_ = 0;
    std::vector<std::uint32_t> chosen_;
    bool can_add_accelerator_ = false;
    bool can_add_cpu_ = false;
    ticks need_ = 0;              // accelerator work of a downset where the next device may end, at least
    std::vector<growth> growths_; // of the steps tried, a stack
};

} // namespace dovetail::placement::detail

namespace dovetail::placement {

namespace detail {

/// What is known of one problem: a plan, if any, and how far from the best it can be.
class max_load_bracket {
public:
    max_load_bracket(const device_graph& problem, spending& effort)
        : problem_(problem), contracted_(contract(problem)), costs_(problem, contracted_), effort_(effort) {
        const max_load_line line(costs_, effort_);
        upper_ = line.load();
        if (upper_ < costs_.unlimited) shares_ = line.plan();
        lower_ = std::min(work_bound(), upper_);
    }

    /// Asks for plans below the best and below the middle of what is open by turns, until nothing is open.
    /// False where downsets or the budget run out first.
    [[nodiscard]] bool close(std::size_t downset_limit) {
        if (closed()) return true;
        const auto lattice = downset_lattice::make(costs_.order, downset_limit, effort_);
        if (!lattice) return false;
        max_load_search search(costs_, *lattice, effort_);
        for (bool middle = false; !closed(); middle = !middle) {
            const ticks limit = middle ? upper_ - (upper_ - lower_) / 2 : upper_;
            const auto verdict = search(limit);
            if (verdict == max_load_search::verdict::stopped) return false;
            if (verdict == max_load_search::verdict::none) {
                lower_ = limit;
                continue;
            }
            shares_ = search.plan();
            upper_ = 0;
            for (const draft_share& share : shares_) upper_ = std::max(upper_, load(share));
        }
        return true;
    }

    /// The plan, with its figures from the nodes themselves.
    [[nodiscard]] device_plan plan() const {
        device_plan best;
        for (const draft_share& share : shares_) best.devices.push_back(measured(share));
        for (const device_share& device : best.devices)
            best.max_load_s = std::max(best.max_load_s, device.load_s);
        best.lower_bound_s = costs_.to_seconds(lower_);
        if (closed() && !shares_.empty()) best.lower_bound_s = best.max_load_s;
        if (!shares_.empty()) best.lower_bound_s = std::min(best.lower_bound_s, best.max_load_s);
        return best;
    }

private:
    [[nodiscard]] bool closed() const { return lower_ >= upper_; }

    // All work shared out evenly, and the cheapest device for the dearest class.
    [[nodiscard]] ticks work_bound() const {
        const double capacity =
            static_cast<double>(costs_.accelerators) +
            (costs_.cpus == 0 ? 0.0 : static_cast<double>(costs_.cpus) * costs_.work_per_cpu);
        ticks bound = 0;
        if (capacity > 0.0)
            bound = static_cast<ticks>(static_cast<double>(costs_.work) / capacity * (1.0 - 1e-12));
        for (std::size_t v = 0; v < costs_.size(); ++v) {
            ticks cheapest = costs_.unlimited;
            if (costs_.cpus > 0) cheapest = costs_.cpu[v];
            if (costs_.accelerators > 0 && costs_.supported[v] != 0 && costs_.bytes[v] <= costs_.memory_bytes)
                cheapest = std::min(cheapest, costs_.accelerator[v]);
            bound = std::max(bound, cheapest);
        }
        return bound;
    }

    [[nodiscard]] ticks load(const draft_share& share) const {
        ticks sum = 0;
        std::vector<graph::index> held(costs_.transfer_cost.size());
        for (const graph::index v : share.vertices) {
            sum += share.kind == device_kind::cpu ? costs_.cpu[v] : costs_.accelerator[v];
            for (const graph::index t : costs_.transfers_of(v)) ++held[t];
        }
        for (std::size_t t = 0; t < held.size() && share.kind == device_kind::accelerator; ++t)
            if (held[t] > 0 && held[t] < costs_.transfer_size[t]) sum += costs_.transfer_cost[t];
        return sum;
    }

    [[nodiscard]] device_share measured(const draft_share& share) const {
        device_share device{.kind = share.kind};
        for (const graph::index v : share.vertices) {
            const std::vector<graph::index>& nodes = contracted_.classes[costs_.class_of[v]].nodes;
            device.nodes.insert(device.nodes.end(), nodes.begin(), nodes.end());
        }
        std::sort(device.nodes.begin(), device.nodes.end());
        std::vector<std::uint8_t> held(problem_.nodes.size());
        for (const graph::index v : device.nodes) {
            held[v] = 1;
            device.memory_bytes += problem_.nodes[v].size_bytes;
            device.load_s +=
                share.kind == device_kind::cpu ? problem_.nodes[v].cpu_s : problem_.nodes[v].accelerator_s;
        }
        if (share.kind == device_kind::cpu) return device;
        graph::index charged = graph::none; // edges of one source stand together
        for (const auto [source, target] : problem_.edges)
            if (held[source] != held[target] && std::exchange(charged, source) != source)
                device.load_s += problem_.nodes[source].output_s;
        return device;
    }

    const device_graph& problem_;
    device_classes contracted_;
    max_load_costs costs_;
    spending& effort_;
    std::vector<draft_share> shares_; // empty: no plan is known
    ticks upper_ = 0;                 // its load; above any where there is none
    ticks lower_ = 0;                 // every plan has at least this load
};

} // namespace detail

/// Finds a plan with the least largest load among all that keep colours and the contractions together, fit,
/// and let forward edges lead to the same or a later device (`contract` says which backward edges count,
/// mirrored). Loads are compared after rounding every cost to 2^-60 of the sum of all.
struct max_load_program {
    budget limits{};                       ///< nodes are steps of any part of the search
    std::size_t downset_limit = 2'000'000; ///< of the contracted graph; each takes about 100 bytes

    /// Solves a valid problem (`validate`). The outcome is `budget`, with the best plan so far, if any, where
    /// time or nodes end or there are more downsets than the limit.
    /// \complexity At worst O(pairs of nested downsets * degree) a decision; in practice a small part of it.
    [[nodiscard]] device_plan operator()(const device_graph& problem) const {
        spending effort(limits);
        detail::max_load_bracket bracket(problem, effort);
        const bool proved = bracket.close(downset_limit);
        device_plan best = bracket.plan();
        best.outcome = !proved ? status::budget : best.devices.empty() ? status::infeasible : status::optimal;
        return best;
    }
};

} // namespace dovetail::placement

/// \file
/// The timeline of a pipeline: when each stage works on each micro-batch.

/// \file
/// Pipeline schedules as policies: the order in which a device works through its passes, and what that order
/// costs in closed form where all stages are alike.

namespace dovetail::placement {

/// Seconds that a stage takes for one micro-batch.
struct stage_times {
    double forward_s = 0;
    double backward_s = 0;        ///< both gradients
    double weight_gradient_s = 0; ///< the part of the backward pass that nobody waits for

    [[nodiscard]] constexpr double input_gradient_s() const { return backward_s - weight_gradient_s; }
    [[nodiscard]] constexpr double total_s() const { return forward_s + backward_s; }
};

/// What a pass computes. Schedules that split the backward pass in two have `input_gradient` and
/// `weight_gradient` passes instead of `backward` ones.
enum class pass_kind : std::uint8_t { forward, backward, input_gradient, weight_gradient };

/// One entry of a device's order.
struct pass_step {
    pass_kind kind = pass_kind::forward;
    std::size_t micro_batch = 0;
    std::size_t chunk = 0; ///< which of the device's stages, where it has several

    friend constexpr bool operator==(const pass_step&, const pass_step&) = default;
};

/// What a program makes small under a schedule. A batch takes `slots` times the largest pace of a stage, plus
/// the largest rest, plus the longest tail: the reduction and update that follow the last micro-batch. With
/// even stages the first two are the closed form; with uneven ones each term counts its own heaviest stage.
/// That bounds the time from above for 1F1B (pace: forward and backward pass together), GPipe and interleaved
/// stages (pace: the forward pass, rest: the backward passes), and is an estimate for the zero-bubble
/// schedules. `has_rest` says whether a schedule has any, `rest_grows` whether it never falls as passes get
/// longer.
struct pipeline_charge {
    double slots = 0;
    double pace_s = 0;
    double rest_s = 0;
};

/// A schedule of a pipeline of `devices` devices, device 0 first, for `micro_batches` micro-batches. Device s
/// holds the stages s, s + devices, s + 2 devices, …, `chunks()` of them.
///
/// With even stages a batch binds a device for m (f + b) + `bubble_s` seconds, first pass to last: the next
/// batch follows at that pace. `in_flight` counts the stages' worth of activations that a device holds at its
/// peak; divided by `chunks()` these are micro-batches. Both hold where `admits` does. `least_in_flight` is
/// what it is at least where micro-batches abound, by the number of stages behind.
template <class P>
concept pipeline_policy = requires(const P& p, std::size_t n, const stage_times& times) {
    { P::name } -> std::convertible_to<std::string_view>;
    { P::has_rest } -> std::convertible_to<bool>;
    { P::rest_grows } -> std::convertible_to<bool>;
    { p.chunks() } -> std::same_as<std::size_t>;
    { p.admits(n, n) } -> std::same_as<bool>;
    { p.bubble_s(times, n) } -> std::same_as<double>;
    { p.in_flight(n, n, n) } -> std::same_as<std::size_t>;
    { p.least_in_flight(n) } -> std::same_as<std::size_t>;
    { p.charge(times, n, n) } -> std::same_as<pipeline_charge>;
    { p.order(n, n, n) } -> std::same_as<std::vector<pass_step>>;
};

/// All forward passes, then all backward passes.
/// \source Huang et al., GPipe, NeurIPS 2019.
struct gpipe {
    static constexpr std::string_view name = "gpipe";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = true;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t, std::size_t) const { return true; }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        return static_cast<double>(devices - 1) * t.total_s();
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t, std::size_t micro_batches) const {
        return micro_batches;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t) const { return 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        const auto slots = static_cast<double>(micro_batches + devices - 1);
        return {slots, t.forward_s, slots * t.backward_s};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t, std::size_t,
                                                         std::size_t micro_batches) const {
        std::vector<pass_step> steps;
        for (std::size_t i = 0; i < micro_batches; ++i) steps.push_back({pass_kind::forward, i});
        for (std::size_t i = 0; i < micro_batches; ++i) steps.push_back({pass_kind::backward, i});
        return steps;
    }
};

/// One forward, one backward, with a flush: device s of p runs p - 1 - s forward passes ahead, then
/// alternates, then drains.
/// \source PipeDream-flush: Narayanan et al., ICML 2021.
struct one_forward_one_backward {
    static constexpr std::string_view name = "1f1b";
    static constexpr bool has_rest = false;
    static constexpr bool rest_grows = true;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t, std::size_t) const { return true; }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        return static_cast<double>(devices - 1) * t.total_s();
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(devices - device, micro_batches);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices) const {
        return devices - device;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t behind) const { return behind + 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        return {static_cast<double>(micro_batches + devices - 1), t.total_s(), 0.0};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        const std::size_t ahead = std::min(devices - 1 - device, micro_batches);
        std::vector<pass_step> steps;
        for (std::size_t i = 0; i < ahead; ++i) steps.push_back({pass_kind::forward, i});
        for (std::size_t i = ahead; i < micro_batches; ++i) {
            steps.push_back({pass_kind::forward, i});
            steps.push_back({pass_kind::backward, i - ahead});
        }
        for (std::size_t i = micro_batches - ahead; i < micro_batches; ++i)
            steps.push_back({pass_kind::backward, i});
        return steps;
    }
};

/// One forward, one backward, where every device holds `stages_per_device` stages of the model and works
/// through groups of p micro-batches, stage by stage: the bubble shrinks by that number.
/// \source Narayanan et al., Megatron-LM, SC 2021.
struct interleaved {
    static constexpr std::string_view name = "interleaved";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = true;

    std::size_t stages_per_device = 2; ///< 2 or more

    [[nodiscard]] constexpr std::size_t chunks() const { return stages_per_device; }
    /// The micro-batches come in whole groups.
    [[nodiscard]] constexpr bool admits(std::size_t devices, std::size_t micro_batches) const {
        return micro_batches % devices == 0;
    }
    [[nodiscard]] constexpr double bubble_s(const stage_times& stage, std::size_t devices) const {
        return static_cast<double>(devices - 1) * stage.total_s();
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(ahead(device, devices) + 1, micro_batches * stages_per_device);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices) const {
        return ahead(device, devices) + 1;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t) const { return stages_per_device; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        const auto slots = static_cast<double>(stages_per_device * micro_batches + devices - 1);
        return {slots, t.forward_s, slots * t.backward_s};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        DOVETAIL_ASSERT(admits(devices, micro_batches), "the micro-batches are whole groups");
        const std::size_t group = devices * stages_per_device;
        const auto step = [&](pass_kind kind, std::size_t k) {
            const std::size_t chunk = k % group / devices;
            return pass_step{kind, k / group * devices + k % devices,
                             kind == pass_kind::forward ? chunk : stages_per_device - 1 - chunk};
        };
        const std::size_t total = micro_batches * stages_per_device;
        const std::size_t warm_up = std::min(ahead(device, devices), total);
        std::vector<pass_step> steps;
        for (std::size_t k = 0; k < warm_up; ++k) steps.push_back(step(pass_kind::forward, k));
        for (std::size_t k = warm_up; k < total; ++k) {
            steps.push_back(step(pass_kind::forward, k));
            steps.push_back(step(pass_kind::backward, k - warm_up));
        }
        for (std::size_t k = total - warm_up; k < total; ++k) steps.push_back(step(pass_kind::backward, k));
        return steps;
    }

private:
    [[nodiscard]] constexpr std::size_t ahead(std::size_t device, std::size_t devices) const {
        return 2 * (devices - 1 - device) + (stages_per_device - 1) * devices;
    }
};

namespace detail {

/// The backward pass in two: `ahead` forward passes first; then input gradients, each followed by the weight
/// gradient that is `delay` micro-batches older and by the next forward pass.
[[nodiscard]] constexpr std::vector<pass_step> zero_bubble_order(std::size_t ahead, std::size_t delay,
                                                                 std::size_t micro_batches) {
    std::vector<pass_step> steps;
    std::size_t forward = 0;
    std::size_t weight = 0;
    while (forward < std::min(ahead, micro_batches)) steps.push_back({pass_kind::forward, forward++});
    for (std::size_t i = 0; i < micro_batches; ++i) {
        steps.push_back({pass_kind::input_gradient, i});
        if (i >= delay) steps.push_back({pass_kind::weight_gradient, weight++});
        if (forward < micro_batches) steps.push_back({pass_kind::forward, forward++});
    }
    while (weight < micro_batches) steps.push_back({pass_kind::weight_gradient, weight++});
    return steps;
}

} // namespace detail

/// Zero-bubble schedule with the memory of 1F1B's first stage on every device: weight gradients fill what the
/// input gradients leave idle. The bubble is a third of that of 1F1B where all three passes are alike.
/// \source Qi et al., Zero Bubble Pipeline Parallelism, ICLR 2024. The bubble for passes that differ,
/// (p - 1) max(b, f + b - w), is our own; it equals theirs, (p - 1) (f + b - w), while w <= f.
struct zero_bubble_h1 {
    static constexpr std::string_view name = "zb-h1";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = false;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t devices, std::size_t micro_batches) const {
        return micro_batches >= devices;
    }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        const double b = t.input_gradient_s();
        return static_cast<double>(devices - 1) * std::max(b, t.forward_s + b - t.weight_gradient_s);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(devices, micro_batches);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices) const { return devices; }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t behind) const { return behind + 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        return {static_cast<double>(micro_batches), t.total_s(), bubble_s(t, devices)};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        return detail::zero_bubble_order(devices - device, device, micro_batches);
    }
};

/// Zero-bubble schedule with nearly twice that memory: no bubble at all where all three passes are alike and
/// each device starts the next batch as soon as it is done with its own part of this one.
/// \source Qi et al., ICLR 2024. The bubble for passes that differ, (p - 1) max(0, b - f, f + b - 2 w), is
/// our own; it equals theirs, (p - 1) (f + b - 2 w), where that is the largest.
struct zero_bubble_h2 {
    static constexpr std::string_view name = "zb-h2";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = false;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t devices, std::size_t micro_batches) const {
        return micro_batches + 1 >= 2 * devices;
    }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        const double b = t.input_gradient_s();
        return static_cast<double>(devices - 1) *
               std::max({0.0, b - t.forward_s, t.forward_s + b - 2.0 * t.weight_gradient_s});
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(2 * devices - 1, micro_batches);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices) const {
        return 2 * devices - 1;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t behind) const { return behind + 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        return {static_cast<double>(micro_batches), t.total_s(), bubble_s(t, devices)};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        return detail::zero_bubble_order(2 * (devices - device) - 1, 2 * device, micro_batches);
    }
};

} // namespace dovetail::placement

namespace dovetail::placement {

/// One pass of one micro-batch through one stage.
struct pipeline_pass {
    std::size_t stage = 0;
    std::size_t micro_batch = 0;
    pass_kind kind = pass_kind::forward;
    double start_s = 0;
    double end_s = 0;

    friend constexpr bool operator==(const pipeline_pass&, const pipeline_pass&) = default;
};

/// What a pipeline does in one batch.
struct pipeline_timeline {
    std::vector<std::vector<pipeline_pass>> devices; ///< the passes of each, in order of time

    /// When the last pass ends.
    [[nodiscard]] constexpr double end_s() const {
        double latest = 0;
        for (const auto& passes : devices)
            if (!passes.empty()) latest = std::max(latest, passes.back().end_s);
        return latest;
    }
    /// Seconds that the batch binds the device that it binds longest, first pass to last: batches follow one
    /// another at that pace where every device updates its own weights when it is done.
    [[nodiscard]] constexpr double period_s() const {
        double longest = 0;
        for (const auto& passes : devices)
            if (!passes.empty()) longest = std::max(longest, passes.back().end_s - passes.front().start_s);
        return longest;
    }
    /// The most stages' worth of activations that a device holds at one time: from a forward pass to the end
    /// of the last pass that reads them.
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device) const {
        std::size_t held = 0;
        std::size_t most = 0;
        for (const pipeline_pass& pass : devices[device]) {
            if (pass.kind == pass_kind::forward) most = std::max(most, ++held);
            if (pass.kind == pass_kind::backward || pass.kind == pass_kind::weight_gradient) --held;
        }
        return most;
    }
};

/// Runs a schedule: every pass starts as soon as its device is free and its input is there.
/// \param stages the times of each, first to last; with several chunks a device, a whole number of them each
/// \complexity O(stages * micro_batches * devices) time at worst, O(stages * micro_batches) memory.
template <pipeline_policy Policy>
[[nodiscard]] constexpr pipeline_timeline simulate(const Policy& policy, std::span<const stage_times> stages,
                                                   std::size_t micro_batches) {
    DOVETAIL_ASSERT(stages.size() % policy.chunks() == 0, "every device has as many stages");
    const std::size_t devices = stages.size() / policy.chunks();
    const std::size_t m = micro_batches;
    pipeline_timeline timeline;
    timeline.devices.resize(devices);
    std::vector<std::vector<pass_step>> orders;
    for (std::size_t s = 0; s < devices; ++s) orders.push_back(policy.order(s, devices, m));

    constexpr double not_yet = -1;
    std::vector<double> forward_end(stages.size() * m, not_yet);
    std::vector<double> gradient_end(stages.size() * m, not_yet); // of the stage's input
    std::vector<double> free_from(devices, 0);
    const auto inputs_ready = [&](std::size_t stage, const pass_step& step) {
        const std::size_t i = step.micro_batch;
        if (step.kind == pass_kind::forward) return stage == 0 ? 0.0 : forward_end[(stage - 1) * m + i];
        if (step.kind == pass_kind::weight_gradient) return gradient_end[stage * m + i];
        return stage + 1 < stages.size() ? gradient_end[(stage + 1) * m + i] : forward_end[stage * m + i];
    };
    const auto seconds_of = [&](const stage_times& t, pass_kind kind) {
        DOVETAIL_ASSERT(t.forward_s >= 0 && t.weight_gradient_s >= 0 && t.input_gradient_s() >= 0,
                        "times are not negative");
        switch (kind) {
        case pass_kind::forward:
            return t.forward_s;
        case pass_kind::backward:
            return t.backward_s;
        case pass_kind::input_gradient:
            return t.input_gradient_s();
        case pass_kind::weight_gradient:
            break;
        }
        return t.weight_gradient_s;
    };
    // Sweeps over the devices until none can go on: each sweep runs every device as far as its inputs reach.
    for (bool advanced = true; advanced;) {
        advanced = false;
        for (std::size_t s = 0; s < devices; ++s)
            for (auto& done = timeline.devices[s]; done.size() < orders[s].size();) {
                const pass_step& step = orders[s][done.size()];
                const std::size_t stage = step.chunk * devices + s;
                const double ready = inputs_ready(stage, step);
                if (ready == not_yet) break;
                const double start = std::max(ready, free_from[s]);
                const double end = start + seconds_of(stages[stage], step.kind);
                free_from[s] = end;
                if (step.kind == pass_kind::forward)
                    forward_end[stage * m + step.micro_batch] = end;
                else if (step.kind != pass_kind::weight_gradient)
                    gradient_end[stage * m + step.micro_batch] = end;
                done.push_back({stage, step.micro_batch, step.kind, start, end});
                advanced = true;
            }
    }
    for (std::size_t s = 0; s < devices; ++s)
        DOVETAIL_ASSERT(timeline.devices[s].size() == orders[s].size(), "the schedule has no deadlock");
    return timeline;
}

/// An upper bound on the pace at which batches follow one another: the closed form with the longest forward
/// pass, input gradient and weight gradient of all stages. A cycle of passes that wait for one another sets
/// the pace, and no cycle gets longer when a pass gets shorter. Holds for every schedule, where it admits.
template <pipeline_policy Policy>
[[nodiscard]] constexpr double period_bound_s(const Policy& policy, std::span<const stage_times> stages,
                                              std::size_t micro_batches) {
    stage_times longest;
    double input_gradient_s = 0;
    for (const stage_times& t : stages) {
        longest.forward_s = std::max(longest.forward_s, t.forward_s);
        longest.weight_gradient_s = std::max(longest.weight_gradient_s, t.weight_gradient_s);
        input_gradient_s = std::max(input_gradient_s, t.input_gradient_s());
    }
    longest.backward_s = input_gradient_s + longest.weight_gradient_s;
    const std::size_t devices = stages.size() / policy.chunks();
    return static_cast<double>(micro_batches * policy.chunks()) * longest.total_s() +
           policy.bubble_s(longest, devices);
}

} // namespace dovetail::placement

/// \file
/// The exact placement of a chain of layers under any pipeline schedule, over the whole plan space.

/// \file
/// The shapes that a pipeline can have for one tensor width: stages, devices, replicas.

/// \file
/// What a plan may choose beyond PHAZE's problem, and the network that it runs on.

namespace dovetail::placement {

/// Devices that share a faster network. A tensor group stays inside a node unless told otherwise; the
/// replicas of a stage stand next to one another, so that stages are linked through the slower network unless
/// the whole plan fits in a node.
struct node_layout {
    std::int64_t devices = 0;      ///< of one node; 0: the network is flat
    double link_bytes_per_s = 0.0; ///< of a device, to others of its node: never slower than between nodes
    bool tensor_across = false;    ///< whether a tensor group may span nodes

    /// Bytes a second inside a node, given those between nodes.
    [[nodiscard]] constexpr double inside_bytes_per_s(double between_bytes_per_s) const {
        return std::max(link_bytes_per_s, between_bytes_per_s);
    }
    /// Tensor groups of `width` devices that a node holds, or 1 where a group spans nodes.
    [[nodiscard]] constexpr std::int64_t groups(std::int64_t width) const {
        return std::max<std::int64_t>(1, devices / width);
    }
    /// Of `total` devices, those that groups of `width` can use.
    [[nodiscard]] constexpr std::int64_t usable(std::int64_t total, std::int64_t width) const {
        if (devices == 0 || tensor_across) return total;
        return (total / devices * (devices / width) + total % devices / width) * width;
    }
};

/// The extensions of PHAZE's problem, each off by default: then a program finds PHAZE's optimum exactly.
struct plan_space {
    objective charge = objective::every_stage; ///< who pays for the work after the last micro-batch
    /// Every stage chooses its own recomputation, the last one too; off, `layer_graph::recompute` decides.
    bool choose_recomputation = false;
    /// The replicas share out the optimizer's state and its step (ZeRO stage 1: Rajbhandari et al., SC 2020).
    /// The bytes that they exchange stay the same: a reduce-scatter and an all-gather make an all-reduce.
    bool shard_optimizer = false;
    /// The reduction runs beside the last micro-batch's backward pass; what outlasts it is charged.
    bool overlap_reduction = false;
    /// A stage keeps no more micro-batches than its replica has; off, one for every stage behind it.
    bool count_short_batches = false;
    node_layout node{};
};

/// Seconds of adding up `bytes` over `replicas` replicas of a stage on `width` devices each: a ring over
/// `link_bytes_per_s`, or, with nodes, a reduce-scatter inside each node, an all-reduce of the shares between
/// the nodes, and an all-gather inside.
[[nodiscard]] constexpr double reduction_s(double bytes, std::int64_t replicas, std::int64_t width,
                                           double link_bytes_per_s, const node_layout& node) {
    if (node.devices == 0) return ring_all_reduce_s(bytes, replicas, link_bytes_per_s);
    const std::int64_t inside = std::min(replicas, node.groups(width));
    return ring_all_reduce_s(bytes, inside, node.inside_bytes_per_s(link_bytes_per_s)) +
           ring_all_reduce_s(bytes / static_cast<double>(inside), ceil_div(replicas, inside),
                             link_bytes_per_s);
}

/// Bytes a second between two stages of a plan on `devices` devices.
[[nodiscard]] constexpr double stage_link_bytes_per_s(std::int64_t devices, double link_bytes_per_s,
                                                      const node_layout& node) {
    return devices <= node.devices ? node.inside_bytes_per_s(link_bytes_per_s) : link_bytes_per_s;
}

/// \returns errc::out_of_range for a node of a negative size or without a link.
[[nodiscard]] inline result<void> validate(const plan_space& space) {
    if (space.node.devices < 0)
        return error{errc::out_of_range, "node.devices", "it is " + to_text(space.node.devices),
                     "it must be 0 (a flat network) or more"};
    if (space.node.devices > 0 && !(space.node.link_bytes_per_s > 0.0))
        return error{errc::out_of_range, "node.link_bytes_per_s",
                     "it is " + to_text(space.node.link_bytes_per_s), "it must be positive"};
    return {};
}

} // namespace dovetail::placement

/// \file
/// What a stage costs in a pipeline of a given shape, under any schedule and plan space.

/// \file
/// What any interval of a chain of layers adds up to, in constant time from prefix sums.

namespace dovetail::placement::detail {

/// The layers of a stage added up, and the bytes that cross its ends.
struct stage_sum {
    layer total{};
    double entering_bytes = 0.0;
    double leaving_bytes = 0.0;
};

/// The numbers of a layer, so that sums need not list them.
inline constexpr double layer::*layer_numbers[] = {&layer::forward_s,
                                                   &layer::backward_s,
                                                   &layer::update_s,
                                                   &layer::resident_bytes,
                                                   &layer::reduce_bytes,
                                                   &layer::activation_bytes,
                                                   &layer::stash_bytes,
                                                   &layer::weight_gradient_s,
                                                   &layer::attention_forward_s,
                                                   &layer::attention_stash_bytes,
                                                   &layer::optimizer_bytes};

/// Sums over all intervals of the chain of one tensor width.
template <class Storage>
class stage_sums {
public:
    /// \complexity O(layers).
    constexpr void prepare(const basic_width_costs<Storage>& costs) {
        const std::size_t n = costs.layers.size();
        before_.resize(n + 1, {});
        entering_bytes_.resize(n + 1, 0.0);
        before_[0] = {};
        entering_bytes_[0] = entering_bytes_[n] = 0.0;
        for (std::size_t v = 0; v < n; ++v) {
            for (const auto number : layer_numbers)
                before_[v + 1].*number = before_[v].*number + costs.layers[v].*number;
            if (v + 1 < n) entering_bytes_[v + 1] = costs.edge_bytes[v];
        }
    }

    /// The layers [begin, end).
    [[nodiscard]] constexpr stage_sum of(std::size_t begin, std::size_t end) const {
        stage_sum sum{{}, entering_bytes_[begin], entering_bytes_[end]};
        for (const auto number : layer_numbers)
            sum.total.*number = before_[end].*number - before_[begin].*number;
        return sum;
    }
    /// Forward and backward passes of all layers before `end`.
    [[nodiscard]] constexpr double work_before_s(std::size_t end) const {
        return before_[end].forward_s + before_[end].backward_s;
    }

private:
    typename Storage::template up_to_layers<layer> before_{};
    typename Storage::template up_to_layers<double> entering_bytes_{};
};

/// The same, layer by layer: differences of prefix sums lose digits where a small stage follows a large one.
template <class Storage>
[[nodiscard]] constexpr stage_sum add_up(const basic_width_costs<Storage>& costs, std::size_t begin,
                                         std::size_t end) {
    stage_sum sum;
    for (std::size_t v = begin; v < end; ++v)
        for (const auto number : layer_numbers) sum.total.*number += costs.layers[v].*number;
    if (begin > 0) sum.entering_bytes = costs.edge_bytes[begin - 1];
    if (end < costs.layers.size()) sum.leaving_bytes = costs.edge_bytes[end - 1];
    return sum;
}

} // namespace dovetail::placement::detail

namespace dovetail::placement::detail {

/// What one stage costs with one way to recompute.
struct stage_price {
    stage_times times{};
    double pace_s = 0.0;    ///< counts once for every slot of the schedule
    double rest_s = 0.0;    ///< counts once
    double charged_s = 0.0; ///< counts once: of the tail, what the objective charges to this stage
    double tail_s = 0.0;
    double memory_bytes = 0.0;
};

/// A pipeline of `devices` devices, each with `policy.chunks()` stages, on `replicas` replicas.
template <pipeline_policy Policy>
struct stage_pricing {
    Policy policy{};
    plan_space space{};
    bool recompute = false; ///< the problem's
    std::size_t devices = 1;
    std::int64_t replicas = 1;
    std::size_t micro_batches = 1;  ///< of one replica
    std::int64_t stage_devices = 1; ///< of a stage that is not single
    double stage_link_bytes_per_s = 0.0;
    double reduce_link_bytes_per_s = 0.0;

    [[nodiscard]] constexpr std::size_t stages() const { return devices * policy.chunks(); }
    [[nodiscard]] constexpr double slots() const { return policy.charge({}, devices, micro_batches).slots; }

    /// Stages that share devices take as many as the widest of them.
    [[nodiscard]] constexpr std::int64_t devices_of(bool single) const {
        return single && policy.chunks() == 1 ? 1 : stage_devices;
    }

    /// Whether a stage with `behind` stages behind it may recompute so.
    [[nodiscard]] constexpr bool allows(recomputation repeats, std::size_t behind) const {
        if (space.choose_recomputation) return true;
        return repeats == (recompute && behind > 0 ? recomputation::full : recomputation::none);
    }

    /// Stages' worth of activations that the stage's device holds besides those being computed.
    [[nodiscard]] constexpr std::size_t further(std::size_t behind) const {
        const std::size_t device = devices - 1 - behind % devices;
        if constexpr (requires { policy.in_flight(device, devices); })
            if (!space.count_short_batches) return policy.in_flight(device, devices) - 1;
        return policy.in_flight(device, devices, micro_batches) - 1;
    }

    /// Memory of a device whose stages are all like this one, `further` more activations held.
    [[nodiscard]] constexpr double memory_bytes(const stage_sum& s, std::size_t further,
                                                recomputation repeats) const {
        double stash = s.total.stash_bytes;
        if (repeats == recomputation::selective) stash -= s.total.attention_stash_bytes;
        if (repeats == recomputation::full) stash = s.entering_bytes;
        double resident = s.total.resident_bytes;
        if (space.shard_optimizer)
            resident -= s.total.optimizer_bytes * (1.0 - 1.0 / static_cast<double>(replicas));
        return static_cast<double>(policy.chunks()) * resident + s.total.activation_bytes +
               static_cast<double>(further) * stash;
    }

    [[nodiscard]] constexpr stage_times times(const stage_sum& s, recomputation repeats) const {
        const double leaving = s.leaving_bytes / stage_link_bytes_per_s;
        stage_times t{s.entering_bytes / stage_link_bytes_per_s + s.total.forward_s,
                      leaving + s.total.backward_s, s.total.weight_gradient_s};
        if (repeats == recomputation::selective) t.backward_s += s.total.attention_forward_s;
        // Gradients arrive while the forward pass is being repeated.
        if (repeats == recomputation::full)
            t.backward_s = std::max(s.total.forward_s, leaving) + s.total.backward_s;
        return t;
    }

    /// What the batch is charged for the stage after its last micro-batch, given its reduction.
    [[nodiscard]] constexpr double charged_s(const stage_sum& s, double reduce_s, std::size_t behind) const {
        const double all = static_cast<double>(policy.chunks());
        if (space.charge == objective::every_stage) return all * (reduce_s + update_s(s));
        return behind + 1 == stages() ? all * reduce_s : 0.0;
    }

    [[nodiscard]] constexpr stage_price price(const stage_sum& s, std::size_t behind, bool single,
                                              recomputation repeats) const {
        stage_price p;
        p.times = times(s, repeats);
        const pipeline_charge charge = policy.charge(p.times, devices, micro_batches);
        const double reduce = reduce_s(s, single);
        p.tail_s = reduce + update_s(s);
        p.pace_s = charge.pace_s;
        p.rest_s = charge.rest_s;
        p.charged_s = charged_s(s, reduce, behind);
        p.memory_bytes = memory_bytes(s, further(behind), repeats);
        return p;
    }

    /// Bounds that never fall when a stage grows at its end: no transfer behind it, nothing repeated, no
    /// reduction that the backward pass may hide.
    [[nodiscard]] constexpr stage_price floor(const stage_sum& s, std::size_t behind, bool single) const {
        const pipeline_charge charge = policy.charge(
            {s.entering_bytes / stage_link_bytes_per_s + s.total.forward_s, s.total.backward_s, 0.0}, devices,
            micro_batches);
        return {.pace_s = charge.pace_s,
                .rest_s = Policy::rest_grows ? charge.rest_s : 0.0,
                .charged_s = charged_s(s, space.overlap_reduction ? 0.0 : reduce_s(s, single), behind)};
    }

private:
    [[nodiscard]] constexpr double reduce_s(const stage_sum& s, bool single) const {
        const double all = reduction_s(s.total.reduce_bytes, replicas, devices_of(single),
                                       reduce_link_bytes_per_s, space.node);
        return space.overlap_reduction ? std::max(0.0, all - s.total.backward_s) : all;
    }
    [[nodiscard]] constexpr double update_s(const stage_sum& s) const {
        return space.shard_optimizer ? s.total.update_s / static_cast<double>(replicas) : s.total.update_s;
    }
};

/// The part of a price that a table makes small.
using price_part = double stage_price::*;

/// A number that a part of a price may not pass, or, if strict, not even reach.
struct price_cap {
    double value = infinity;
    bool strict = false;

    [[nodiscard]] constexpr bool admits(double x) const { return strict ? x < value : x <= value; }
};

/// A cap on every part that counts.
struct price_caps {
    price_cap pace{};
    price_cap rest{};
    price_cap charged{};

    [[nodiscard]] constexpr bool admit(const stage_price& p) const {
        return pace.admits(p.pace_s) && rest.admits(p.rest_s) && charged.admits(p.charged_s);
    }
};

/// A rule of `stage_table`: the least of one part of a stage's price, over all ways to recompute that fit and
/// keep to the caps.
template <class Policy, class Storage>
struct pricing_rule {
    using stage_ref = typename chain_stages<Storage>::stage_ref;

    const stage_pricing<Policy>& pricing;
    const chain_stages<Storage>& chain;
    const stage_sums<Storage>& sums;
    double hbm_bytes;
    std::size_t behind;
    std::size_t further;
    price_part part;
    price_caps caps;

    /// Calls `visit(repeats, price)` for every such way.
    template <class Visit>
    constexpr void for_each_way(stage_ref ref, const Visit& visit) const {
        const stage_sum s = sums.of(ref.begin, ref.end);
        for (const auto repeats : every_recomputation) {
            if (!fits(s, repeats)) continue;
            const stage_price price = pricing.price(s, behind, chain.single(ref), repeats);
            if (caps.admit(price)) visit(repeats, price);
        }
    }

    [[nodiscard]] constexpr double value(stage_ref ref) const {
        double least = infinity;
        for_each_way(ref, [&](recomputation, const stage_price& p) { least = std::min(least, p.*part); });
        return least;
    }
    [[nodiscard]] constexpr double floor(stage_ref ref) const { return floor_of(ref).*part; }
    [[nodiscard]] constexpr bool fits(stage_ref ref) const {
        if (!caps.admit(floor_of(ref))) return false;
        const stage_sum s = sums.of(ref.begin, ref.end);
        return std::any_of(every_recomputation.begin(), every_recomputation.end(),
                           [&](recomputation repeats) { return fits(s, repeats); });
    }

private:
    [[nodiscard]] constexpr stage_price floor_of(stage_ref ref) const {
        return pricing.floor(sums.of(ref.begin, ref.end), behind, chain.single(ref));
    }
    [[nodiscard]] constexpr bool fits(const stage_sum& s, recomputation repeats) const {
        return pricing.allows(repeats, behind) && pricing.memory_bytes(s, further, repeats) <= hbm_bytes;
    }
};

/// A rule of `stage_table`: the fewest bytes to reduce, among the stages that another rule lets fit.
template <class Policy, class Storage>
struct reduction_rule {
    using stage_ref = typename chain_stages<Storage>::stage_ref;

    const pricing_rule<Policy, Storage>& within;

    [[nodiscard]] constexpr double value(stage_ref ref) const { return floor(ref); }
    [[nodiscard]] constexpr double floor(stage_ref ref) const {
        return within.sums.of(ref.begin, ref.end).total.reduce_bytes;
    }
    [[nodiscard]] constexpr bool fits(stage_ref ref) const { return within.fits(ref); }
};

} // namespace dovetail::placement::detail

namespace dovetail::placement::detail {

/// Pipelines of `stages` stages, `singles` of them on a single device, on so many replicas.
template <class Policy, class Storage>
struct pipeline_shapes {
    const Policy& policy;
    const plan_space& space;
    const basic_layer_graph<Storage>& problem;
    replica_shape shape{};
    std::int64_t usable = 0; ///< devices

    constexpr pipeline_shapes(const Policy& policy_of, const plan_space& space_of,
                              const basic_layer_graph<Storage>& problem_of,
                              const chain_stages<Storage>& chain, std::int64_t width)
        : policy(policy_of), space(space_of), problem(problem_of), shape(replica_shape::of(chain, width)) {
        if (policy.chunks() > 1) shape.max_singles = 0;
        usable = space.node.usable(problem.devices, shape.stage_devices);
    }

    /// Devices of a replica whose pipeline has `stages` stages.
    [[nodiscard]] constexpr std::int64_t replica_devices(std::size_t stages, std::size_t singles) const {
        return shape.devices(stages / policy.chunks(), singles);
    }

    [[nodiscard]] constexpr stage_pricing<Policy> priced(std::size_t stages, std::int64_t replicas,
                                                         std::size_t singles) const {
        const double link = problem.link_bytes_per_s;
        return {.policy = policy,
                .space = space,
                .recompute = problem.recompute,
                .devices = stages / policy.chunks(),
                .replicas = replicas,
                .micro_batches = static_cast<std::size_t>(ceil_div(problem.micro_batches, replicas)),
                .stage_devices = shape.stage_devices,
                .stage_link_bytes_per_s =
                    stage_link_bytes_per_s(replicas * replica_devices(stages, singles), link, space.node),
                .reduce_link_bytes_per_s = link};
    }

    /// Every number of replicas that can be best, most first. Fewer replicas for as many micro-batches each
    /// have less to reduce; only where they share out the optimizer can more of them be worth it.
    template <class Visit>
    constexpr void for_each_degree(std::size_t stages, std::size_t singles, const Visit& visit) const {
        std::int64_t d = std::min(problem.micro_batches, usable / replica_devices(stages, singles));
        for (; d > 0; --d) {
            const std::int64_t each = ceil_div(problem.micro_batches, d);
            if (!space.shard_optimizer) d = ceil_div(problem.micro_batches, each);
            if (policy.admits(stages / policy.chunks(), static_cast<std::size_t>(each))) visit(d);
        }
    }
};

} // namespace dovetail::placement::detail

namespace dovetail::placement {

namespace detail {

/// A number of stages, and of single ones among them, by the least time that it promises.
struct shape_promise {
    double time_s = infinity;
    double pace_s = infinity;
    double reduce_bytes = 0.0; ///< of some stage at least
    std::size_t stages = 0;
    std::size_t singles = 0;
};

/// A stage of the best plan.
template <class StageRef>
struct chosen_stage {
    StageRef ref;
    recomputation repeats;
};

} // namespace detail

/// The memory of a `pipeline_program`, to be kept from call to call. One a thread.
template <class Storage>
struct basic_pipeline_workspace {
    using stage_ref = typename detail::chain_stages<Storage>::stage_ref;

    basic_plan<Storage> plan{}; ///< the answer of the last call
    detail::chain_stages<Storage> chain{};
    detail::stage_sums<Storage> sums{};
    detail::stage_table<Storage> paces{};
    detail::stage_table<Storage> reductions{};
    detail::stage_table<Storage> trial{};
    typename Storage::template per_row<detail::shape_promise> promises{};
    typename Storage::template up_to_layers<detail::chosen_stage<stage_ref>> path{};
};

using pipeline_workspace = basic_pipeline_workspace<dynamic_storage>;

namespace detail {

/// The search for one tensor width: every shape by what it promises, the best first; in each, every number of
/// replicas that can still win; for each, the cuts that no other beats in pace, rest and tail.
template <class Policy, class Storage>
class pipeline_search {
public:
    constexpr pipeline_search(const Policy& policy, const plan_space& space,
                              const basic_layer_graph<Storage>& problem,
                              const basic_width_costs<Storage>& costs,
                              basic_pipeline_workspace<Storage>& memory)
        : policy_(policy), space_(space), problem_(problem), costs_(costs),
          memory_(prepared(memory, problem, costs)), best_(memory.plan),
          shapes_(policy, space, problem, memory.chain, costs.width) {}

    constexpr void operator()() {
        promise_shapes();
        while (true) {
            shape_promise* first = nullptr;
            for (shape_promise& p : memory_.promises)
                if (p.time_s < (first == nullptr ? best_.time_per_batch_s : first->time_s)) first = &p;
            if (first == nullptr) break;
            shapes_.for_each_degree(first->stages, first->singles, [&](std::int64_t replicas) {
                const auto pricing = shapes_.priced(first->stages, replicas, first->singles);
                const least_time least = least_time_of(*first, pricing);
                if (least.total_s() < best_.time_per_batch_s) settle(*first, pricing, least);
            });
            first->time_s = infinity;
        }
        if (improved_) write_plan();
    }

private:
    using stage_ref = typename chain_stages<Storage>::stage_ref;
    using rule = pricing_rule<Policy, Storage>;

    static constexpr auto& prepared(basic_pipeline_workspace<Storage>& memory,
                                    const basic_layer_graph<Storage>& problem,
                                    const basic_width_costs<Storage>& costs) {
        memory.chain.prepare(problem, costs);
        memory.sums.prepare(costs);
        return memory;
    }

    /// What no plan of a shape on so many replicas falls below.
    struct least_time {
        double paced_s = 0.0; ///< all slots together
        double rest_s = 0.0;
        double tail_s = 0.0;

        [[nodiscard]] constexpr double total_s() const { return paced_s + rest_s + tail_s; }
    };

    /// No pace is below the relaxed one, no reduction below the least that some stage must have, and nothing
    /// below what an even share of all work costs.
    [[nodiscard]] constexpr least_time least_time_of(const shape_promise& shape,
                                                     const stage_pricing<Policy>& pricing) const {
        const auto stages = static_cast<double>(shape.stages);
        const layer all = memory_.sums.of(0, memory_.chain.max_stages()).total;
        const stage_times share{all.forward_s / stages, all.backward_s / stages, 0.0};
        const pipeline_charge charge = policy_.charge(share, pricing.devices, pricing.micro_batches);
        least_time least{.paced_s = charge.slots * std::max(shape.pace_s, charge.pace_s)};
        if (Policy::rest_grows) least.rest_s = charge.rest_s;
        if (space_.charge == objective::every_stage) {
            // Running beside the backward passes hides no more than all of them take.
            const double hidden_s = space_.overlap_reduction ? share.backward_s : 0.0;
            const double bytes = space_.overlap_reduction ? all.reduce_bytes / stages : shape.reduce_bytes;
            const double reduce_s =
                reduction_s(bytes, pricing.replicas, 1, problem_.link_bytes_per_s, space_.node) - hidden_s;
            least.tail_s = std::max(0.0, static_cast<double>(policy_.chunks()) * reduce_s);
        }
        // Sums carry rounding errors that must not discard a perfectly even cut.
        for (double least_time::*part : {&least_time::paced_s, &least_time::rest_s, &least_time::tail_s})
            least.*part *= 1.0 - 1e-12;
        return least;
    }

    /// One table each for paces and reductions serves all shapes: with the least memory that any of them can
    /// ask for.
    constexpr void promise_shapes() {
        memory_.promises.clear();
        auto& table = memory_.paces;
        table.start(memory_.chain.states(), shapes_.shape.max_singles);
        memory_.reductions.start(memory_.chain.states(), shapes_.shape.max_singles);
        stage_pricing<Policy> lenient = shapes_.priced(policy_.chunks(), 1, 0);
        lenient.replicas = problem_.micro_batches;
        if (space_.node.devices > 0)
            lenient.stage_link_bytes_per_s =
                std::max(problem_.link_bytes_per_s, space_.node.link_bytes_per_s);
        for (std::size_t stages = 1; stages <= memory_.chain.max_stages(); ++stages) {
            if (shapes_.replica_devices(stages, table.max_singles(stages)) > shapes_.usable) break;
            const std::size_t behind = stages - 1;
            const std::size_t held =
                space_.count_short_batches ? policy_.chunks() : policy_.least_in_flight(behind);
            const rule paced{lenient, memory_.chain, memory_.sums,         problem_.hbm_bytes,
                             behind,  held - 1,      &stage_price::pace_s, {}};
            const auto no_limit = [](std::size_t) { return [](std::size_t) { return infinity; }; };
            if (!table.add_stage(memory_.chain, paced, no_limit)) break;
            memory_.reductions.add_stage(memory_.chain, reduction_rule<Policy, Storage>{paced}, no_limit);
            if (stages % policy_.chunks() != 0) continue;
            for (std::size_t q = 0; q <= table.max_singles(stages); ++q) {
                shape_promise shape{infinity, table.whole(stages, q), memory_.reductions.whole(stages, q),
                                    stages, q};
                if (shape.pace_s == infinity) continue;
                shapes_.for_each_degree(stages, q, [&](std::int64_t replicas) {
                    shape.time_s = std::min(
                        shape.time_s, least_time_of(shape, shapes_.priced(stages, replicas, q)).total_s());
                });
                if (shape.time_s < best_.time_per_batch_s) memory_.promises.push_back(shape);
            }
        }
    }

    /// The best of the cuts of a shape, if it beats the best plan. Shorter and shorter tails are asked for,
    /// as long as what they leave of pace and rest can still win.
    constexpr void settle(const shape_promise& shape, const stage_pricing<Policy>& pricing,
                          const least_time& least) {
        price_caps caps{.charged = {best_.time_per_batch_s - least.paced_s - least.rest_s, true}};
        while (true) {
            const paced_cut cut = least_pace_and_rest(shape, pricing, caps, least);
            if (cut.pace_s == infinity) return;
            const double time = pricing.slots() * cut.pace_s + cut.rest_s;
            const double room = best_.time_per_batch_s - time;
            if (!(room > 0.0)) return;
            const price_caps kept{{cut.pace_s}, {cut.rest_s}, {std::min(caps.charged.value, room), true}};
            const double tail = solve(shape, pricing, &stage_price::charged_s, kept);
            if (tail < infinity) accept(shape, pricing, kept, time + tail);
            caps.charged.value = std::min(kept.charged.value, tail);
        }
    }

    struct paced_cut {
        double pace_s = infinity;
        double rest_s = infinity;
    };

    /// The least time but for the tail over the cuts of a shape that keep to a cap on tails, where it leaves
    /// room for the least tail: walks along the cuts that no other beats in both pace and rest.
    constexpr paced_cut least_pace_and_rest(const shape_promise& shape, const stage_pricing<Policy>& pricing,
                                            price_caps caps, const least_time& least) {
        const double slots = pricing.slots();
        double limit = best_.time_per_batch_s - least.tail_s;
        paced_cut best;
        caps.rest = {limit - least.paced_s, true};
        while (true) {
            caps.pace = {(limit - least.rest_s) / slots, false};
            const double pace = solve(shape, pricing, &stage_price::pace_s, caps);
            if (pace == infinity) return best;
            if (!Policy::has_rest) return {pace, 0.0};
            price_caps paced = caps;
            paced.pace = {pace, false};
            paced.rest.value = std::min(caps.rest.value, limit - pace * slots);
            const double rest = solve(shape, pricing, &stage_price::rest_s, paced);
            if (pace * slots + rest < limit) {
                best = {pace, rest};
                limit = pace * slots + rest;
            }
            caps.rest.value = std::min(paced.rest.value, rest);
        }
    }

    /// The least largest part of a price over the cuts of a shape whose stages all keep to the caps.
    constexpr double solve(const shape_promise& shape, const stage_pricing<Policy>& pricing, price_part part,
                           const price_caps& caps) {
        auto& table = memory_.trial;
        table.start(memory_.chain.states(), shapes_.shape.max_singles);
        while (table.stages() < shape.stages) {
            const std::size_t in_front = shape.stages - table.stages() - 1;
            // No stage passes the cap on paces, which bounds the work in front of any stage.
            const double work_cap_s =
                in_front == 0 ? infinity : caps.pace.value * static_cast<double>(in_front) * (1.0 + 1e-12);
            const auto limit = [&, in_front, work_cap_s](std::size_t q) {
                const bool useful = q <= shape.singles && shape.singles - q <= in_front;
                return [&, in_front, work_cap_s, useful](std::size_t state) {
                    const bool open =
                        in_front == 0 ? state == 0 : pace_before_s(pricing, state) <= work_cap_s;
                    return useful && open ? infinity : 0.0;
                };
            };
            if (!table.add_stage(memory_.chain, rule_for(pricing, table.stages(), part, caps), limit))
                return infinity;
        }
        return table.whole(shape.stages, shape.singles);
    }

    [[nodiscard]] constexpr double pace_before_s(const stage_pricing<Policy>& pricing,
                                                 std::size_t state) const {
        const layer& before = memory_.sums.of(0, state).total;
        return policy_.charge({before.forward_s, before.backward_s, 0.0}, 1, pricing.micro_batches).pace_s;
    }

    [[nodiscard]] constexpr rule rule_for(const stage_pricing<Policy>& pricing, std::size_t behind,
                                          price_part part, const price_caps& caps) const {
        return {pricing, memory_.chain,           memory_.sums, problem_.hbm_bytes,
                behind,  pricing.further(behind), part,         caps};
    }

    /// Takes over the plan that the trial table holds: of the least tail under the caps.
    constexpr void accept(const shape_promise& shape, const stage_pricing<Policy>& pricing,
                          const price_caps& caps, double time) {
        if (!(time < best_.time_per_batch_s)) return;
        best_.outcome = status::optimal;
        best_.time_per_batch_s = time;
        best_.data_parallel = pricing.replicas;
        improved_ = true;
        pricing_ = pricing;
        memory_.path.clear();
        std::size_t singles = shape.singles;
        std::size_t state = 0;
        for (std::size_t stages = shape.stages; stages > 0; --stages) {
            const rule least_tail = rule_for(pricing, stages - 1, &stage_price::charged_s, caps);
            const stage_ref ref =
                memory_.trial.first_stage(memory_.chain, least_tail, stages, singles, state);
            chosen_stage<stage_ref> chosen{ref, recomputation::none};
            double least = infinity;
            least_tail.for_each_way(ref, [&](recomputation repeats, const stage_price& price) {
                if (price.charged_s >= least) return;
                least = price.charged_s;
                chosen.repeats = repeats;
            });
            memory_.path.push_back(chosen);
            state = ref.end;
        }
    }

    constexpr void write_plan() {
        best_.tensor_parallel = costs_.width;
        best_.stages_per_device = policy_.chunks();
        best_.stages.clear();
        best_.order.clear();
        stage_price largest;
        std::size_t behind = memory_.path.size();
        for (const auto& [ref, repeats] : memory_.path) {
            --behind;
            const bool single = memory_.chain.single(ref);
            const stage_price price =
                pricing_.price(add_up(costs_, ref.begin, ref.end), behind, single, repeats);
            best_.stages.push_back({.begin = static_cast<std::uint32_t>(ref.begin),
                                    .end = static_cast<std::uint32_t>(ref.end),
                                    .devices = pricing_.devices_of(single),
                                    .load_s = price.times.total_s(),
                                    .memory_bytes = price.memory_bytes,
                                    .tail_s = price.tail_s,
                                    .repeats = repeats});
            memory_.chain.append_layers(ref, best_.order);
            for (const price_part part :
                 {&stage_price::pace_s, &stage_price::rest_s, &stage_price::charged_s})
                largest.*part = std::max(largest.*part, price.*part);
        }
        best_.time_per_batch_s = pricing_.slots() * largest.pace_s + largest.rest_s + largest.charged_s;
    }

    const Policy& policy_;
    const plan_space& space_;
    const basic_layer_graph<Storage>& problem_;
    const basic_width_costs<Storage>& costs_;
    basic_pipeline_workspace<Storage>& memory_;
    basic_plan<Storage>& best_;
    pipeline_shapes<Policy, Storage> shapes_;
    bool improved_ = false;
    stage_pricing<Policy> pricing_{}; // of the best plan
};

} // namespace detail

/// Finds a plan with the least time per batch for a chain, over all tensor widths, cuts, data-parallel
/// degrees and what the plan space offers, as the schedule's `charge` counts it. Exact whatever the costs.
///
/// With `one_forward_one_backward` and a default `space` the problem is PHAZE's, and the answer that of
/// `chain_program`, which is faster by far. Interleaved stages that share devices are charged as if each were
/// as heavy as the heaviest, in memory and reduction.
///
/// \complexity A table of O(layers * stages) cells, mostly O(1) each, for every shape and number of replicas
/// whose bound does not rule it out, times the cuts that trade pace for rest or tail.
template <pipeline_policy Policy = one_forward_one_backward>
struct pipeline_program {
    Policy schedule{};
    plan_space space{};

    /// Solves a valid problem whose edges form a chain; `space` must be valid.
    template <class Storage>
    [[nodiscard]] constexpr basic_plan<Storage> operator()(const basic_layer_graph<Storage>& problem) const {
        basic_pipeline_workspace<Storage> workspace{};
        (*this)(problem, workspace);
        return std::move(workspace.plan);
    }

    /// The same in memory that is kept; the answer lives in the workspace until the next call.
    template <class Storage>
    constexpr const basic_plan<Storage>& operator()(const basic_layer_graph<Storage>& problem,
                                                    basic_pipeline_workspace<Storage>& workspace) const {
        DOVETAIL_ASSERT(is_chain(problem), "the edges must form the chain 0 -> 1 -> ...");
        workspace.plan = {};
        for (const auto& costs : problem.widths)
            detail::pipeline_search<Policy, Storage>(schedule, space, problem, costs, workspace)();
        return workspace.plan;
    }
};

} // namespace dovetail::placement

/// \file
/// Why nothing fits on the accelerators, and how much memory would.

namespace dovetail::placement {

/// The memory that every accelerator needs where accelerators alone hold everything, whatever they support:
/// the least largest sum of bytes, found as a load. A plan with the outcome `infeasible` where there is no
/// accelerator; in all others read bytes for seconds.
[[nodiscard]] inline device_plan smallest_device_memory(const device_graph& problem,
                                                        const max_load_program& solve = {}) {
    const device_classes contracted = contract(problem);
    device_graph by_memory{.accelerators = problem.accelerators};
    for (const device_class& c : contracted.classes)
        by_memory.nodes.push_back({.cpu_s = c.size_bytes, .accelerator_s = c.size_bytes});
    by_memory.edges.assign(contracted.order.arcs().begin(), contracted.order.arcs().end());
    return solve(by_memory);
}

} // namespace dovetail::placement

/// \file
/// Why nothing fits: the smallest memory of a device that would do, and the stage that needs it.

namespace dovetail::placement {

/// What stands in the way of any plan at all.
enum class constraint : std::uint8_t {
    memory,  ///< there are enough devices for a replica, but each has too little memory
    devices, ///< a single replica, cut in whatever way, takes more devices than there are
};

/// The name of the constraint.
[[nodiscard]] constexpr std::string_view to_string(constraint c) noexcept {
    switch (c) {
    case constraint::memory:
        return "memory";
    case constraint::devices:
        return "devices";
    }
    return "unknown";
}

/// The least memory of a device with which the problem has a plan, and the plan's shape.
struct hbm_need {
    double bytes = std::numeric_limits<double>::infinity(); ///< infinite where the devices do not suffice
    std::int64_t tensor_parallel = 0;
    std::size_t stages = 0;          ///< the fewest that make do with so little
    std::size_t stage = 0;           ///< the one that needs it, counted from the first
    std::int64_t fewest_devices = 0; ///< of a replica, over all plans

    [[nodiscard]] constexpr constraint binding() const {
        return tensor_parallel == 0 ? constraint::devices : constraint::memory;
    }
};

namespace detail {

template <class Space>
void lower_hbm_need(const Space& space, std::int64_t width, std::int64_t devices,
                    stage_program_memory<Space, dynamic_storage>& memory, hbm_need& need) {
    const replica_shape shape = replica_shape::of(space, width);
    // Any cut that holds a split layer takes the width, and a single stage takes no more.
    const std::int64_t fewest = shape.stage_devices;
    need.fewest_devices = need.fewest_devices == 0 ? fewest : std::min(need.fewest_devices, fewest);
    const auto rule = [&](std::size_t stages) { return memory_rule<Space>{space, stages - 1}; };
    auto& table = memory.loads;
    table.start(space.states(), shape.max_singles);
    std::size_t best_singles = 0;
    bool improved = false;
    for (std::size_t stages = 1; stages <= space.max_stages(); ++stages) {
        const auto limit = [&](std::size_t singles) {
            const double cap = shape.devices(stages, singles) <= devices ? need.bytes : -infinity;
            return [cap](std::size_t) { return cap; };
        };
        if (!table.add_stage(space, rule(stages), limit)) break;
        for (std::size_t singles = 0; singles <= table.max_singles(stages); ++singles) {
            if (!(table.whole(stages, singles) < need.bytes)) continue;
            need = {table.whole(stages, singles), width, stages, 0, need.fewest_devices};
            best_singles = singles;
            improved = true;
        }
    }
    if (!improved) return;
    double most = -infinity;
    std::size_t state = 0;
    for (std::size_t left = need.stages; left > 0; --left) {
        const auto s = table.first_stage(space, rule(left), left, best_singles, state);
        if (const double bytes = space.memory_bytes(s, left - 1); bytes > most) {
            most = bytes;
            need.stage = need.stages - left;
        }
        state = s.end;
    }
}

} // namespace detail

/// Finds the smallest memory of a device with which a valid problem, otherwise unchanged, has a plan: exactly
/// what its layers add up to, so that a problem given that much is feasible and given less is not.
/// \returns errc::unsupported for a graph that is no chain and has more downsets than the limit.
/// \complexity As `exact_program`.
[[nodiscard]] inline result<hbm_need> smallest_hbm(const layer_graph& problem,
                                                   std::size_t downset_limit = 2048) {
    hbm_need need;
    const auto over_widths = [&](auto& space) {
        detail::stage_program_memory<std::remove_reference_t<decltype(space)>, dynamic_storage> memory;
        for (const width_costs& costs : problem.widths) {
            space.prepare(problem, costs);
            detail::lower_hbm_need(space, costs.width, problem.devices, memory, need);
        }
    };
    if (is_chain(problem)) {
        detail::chain_stages<dynamic_storage> space;
        over_widths(space);
        return need;
    }
    auto space = detail::downset_stages::make(problem, downset_limit);
    if (!space) return space.problem();
    over_widths(*space);
    return need;
}

} // namespace dovetail::placement

/// \file
/// The smallest memory of a device with which a chain fits, under any schedule and plan space.

namespace dovetail::placement {

namespace detail {

/// A rule of `stage_table`: the least memory of a stage, over all ways to recompute.
template <class Policy>
struct pipeline_memory_rule {
    using stage_ref = typename chain_stages<dynamic_storage>::stage_ref;

    const stage_pricing<Policy>& pricing;
    const stage_sums<dynamic_storage>& sums;
    std::size_t behind;

    [[nodiscard]] constexpr double value(stage_ref ref) const {
        double least = infinity;
        for (const auto repeats : every_recomputation)
            if (pricing.allows(repeats, behind))
                least = std::min(least, pricing.memory_bytes(sums.of(ref.begin, ref.end),
                                                             pricing.further(behind), repeats));
        return least;
    }
    [[nodiscard]] constexpr double floor(stage_ref ref) const { return value(ref); }
    [[nodiscard]] constexpr bool fits(stage_ref) const { return true; }
};

} // namespace detail

/// Finds the smallest memory of a device with which a valid chain, otherwise unchanged, has a plan.
/// \complexity O(widths * layers * stages^2), times the number of unsplit stages that save devices.
template <pipeline_policy Policy>
[[nodiscard]] hbm_need smallest_hbm(const layer_graph& problem, const pipeline_program<Policy>& program) {
    hbm_need need;
    pipeline_workspace memory;
    for (const width_costs& costs : problem.widths) {
        memory.chain.prepare(problem, costs);
        memory.sums.prepare(costs);
        const detail::pipeline_shapes shapes(program.schedule, program.space, problem, memory.chain,
                                             costs.width);
        const std::size_t max_singles = shapes.shape.max_singles;
        const std::int64_t fewest = shapes.shape.stage_devices;
        need.fewest_devices = need.fewest_devices == 0 ? fewest : std::min(need.fewest_devices, fewest);
        for (std::size_t stages = program.schedule.chunks(); stages <= problem.layer_count();
             stages += program.schedule.chunks())
            for (std::size_t singles = 0; singles <= std::min(stages, max_singles); ++singles) {
                // More replicas have fewer micro-batches each and share out more: the first needs least.
                std::int64_t replicas = 0;
                shapes.for_each_degree(stages, singles,
                                       [&](std::int64_t d) { replicas = std::max(replicas, d); });
                if (replicas == 0) continue;
                const auto pricing = shapes.priced(stages, replicas, singles);
                const auto rule = [&](std::size_t behind) {
                    return detail::pipeline_memory_rule<Policy>{pricing, memory.sums, behind};
                };
                auto& table = memory.trial;
                table.start(memory.chain.states(), max_singles);
                const auto limit = [&](std::size_t) { return [&](std::size_t) { return need.bytes; }; };
                bool alive = true;
                while (alive && table.stages() < stages)
                    alive = table.add_stage(memory.chain, rule(table.stages()), limit);
                if (!alive || !(table.whole(stages, singles) < need.bytes)) continue;
                need = {table.whole(stages, singles), costs.width, stages, 0, need.fewest_devices};
                std::size_t state = 0;
                std::size_t left_singles = singles;
                for (std::size_t left = stages; left > 0; --left) {
                    const auto s = table.first_stage(memory.chain, rule(left - 1), left, left_singles, state);
                    if (rule(left - 1).value(s) >= need.bytes) {
                        need.stage = stages - left;
                        break;
                    }
                    state = s.end;
                }
            }
    }
    return need;
}

} // namespace dovetail::placement

/// \file
/// An independent check of a plan: every number recomputed from the plan's layers and the problem alone.

namespace dovetail::placement {

/// Evaluates assignments of layers to stages straight from the definitions, one layer at a time.
class plan_evaluator {
public:
    /// \param problem a valid problem \param costs one of its widths
    /// \param stage_of the stage of every layer, 0 first \param stages their number
    plan_evaluator(const layer_graph& problem, const width_costs& costs,
                   std::span<const std::size_t> stage_of, std::size_t stages)
        : problem_(problem), costs_(costs), stage_of_(stage_of), stages_(stages) {}

    /// One micro-batch through stage `s`: forward and backward, each layer as soon as its inputs are there,
    /// and with recomputation the forward pass again in between, without transfers.
    [[nodiscard]] double load_s(std::size_t s) const {
        const double forward = forward_s(s, true);
        if (!problem_.recompute || s + 1 == stages_) return forward + backward_s(s, 0.0);
        return forward + backward_s(s, forward_s(s, false));
    }

    /// Memory of a device of stage `s`, which keeps something of every micro-batch that is further on.
    [[nodiscard]] double memory_bytes(std::size_t s) const {
        double bytes = 0.0;
        double stash = 0.0;
        for (std::size_t v = 0; v < costs_.layers.size(); ++v)
            if (stage_of_[v] == s) {
                bytes += costs_.layers[v].resident_bytes + costs_.layers[v].activation_bytes;
                if (!problem_.recompute) stash += costs_.layers[v].stash_bytes;
            }
        if (problem_.recompute)
            for (std::size_t e = 0; e < problem_.edges.size(); ++e)
                if (stage_of_[problem_.edges[e].target] == s && stage_of_[problem_.edges[e].source] != s)
                    stash += costs_.edge_bytes[e];
        return bytes + static_cast<double>(stages_ - 1 - s) * stash;
    }

    /// Devices of one replica of stage `s`.
    [[nodiscard]] std::int64_t devices(std::size_t s) const {
        for (std::size_t v = 0; v < costs_.layers.size(); ++v)
            if (stage_of_[v] == s && costs_.layers[v].tensor_parallel) return costs_.width;
        return 1;
    }

    /// Seconds in which stage `s` adds up its gradients over `replicas` replicas, and, if asked, updates.
    [[nodiscard]] double tail_s(std::size_t s, std::int64_t replicas, bool update) const {
        double bytes = 0.0;
        double seconds = 0.0;
        for (std::size_t v = 0; v < costs_.layers.size(); ++v)
            if (stage_of_[v] == s) {
                bytes += costs_.layers[v].reduce_bytes;
                if (update) seconds += costs_.layers[v].update_s;
            }
        const auto d = static_cast<double>(replicas);
        return seconds + 2.0 * (d - 1.0) / d * bytes / problem_.link_bytes_per_s;
    }

    /// Time of a batch on `replicas` replicas.
    [[nodiscard]] double time_per_batch_s(std::int64_t replicas, objective charge) const {
        double load = 0.0;
        double tail = charge == objective::phaze ? tail_s(0, replicas, false) : 0.0;
        for (std::size_t s = 0; s < stages_; ++s) {
            load = std::max(load, load_s(s));
            if (charge == objective::every_stage) tail = std::max(tail, tail_s(s, replicas, true));
        }
        const double each =
            std::ceil(static_cast<double>(problem_.micro_batches) / static_cast<double>(replicas));
        return load * (each + static_cast<double>(stages_) - 1.0) + tail;
    }

private:
    [[nodiscard]] double forward_s(std::size_t s, bool with_transfers) const {
        std::vector<double> finish(costs_.layers.size(), 0.0);
        double end = 0.0;
        for (std::size_t v = 0; v < finish.size(); ++v) {
            if (stage_of_[v] != s) continue;
            double start = 0.0;
            for (std::size_t e = 0; e < problem_.edges.size(); ++e) {
                if (problem_.edges[e].target != v) continue;
                const std::size_t u = problem_.edges[e].source;
                if (stage_of_[u] == s)
                    start = std::max(start, finish[u]);
                else if (with_transfers)
                    start = std::max(start, costs_.edge_bytes[e] / problem_.link_bytes_per_s);
            }
            end = std::max(end, finish[v] = start + costs_.layers[v].forward_s);
        }
        return end;
    }

    [[nodiscard]] double backward_s(std::size_t s, double from_s) const {
        std::vector<double> finish(costs_.layers.size(), 0.0);
        double end = from_s;
        for (std::size_t v = finish.size(); v-- > 0;) {
            if (stage_of_[v] != s) continue;
            double start = from_s;
            for (std::size_t e = 0; e < problem_.edges.size(); ++e) {
                if (problem_.edges[e].source != v) continue;
                const std::size_t w = problem_.edges[e].target;
                start = std::max(start, stage_of_[w] == s ? finish[w]
                                                          : costs_.edge_bytes[e] / problem_.link_bytes_per_s);
            }
            end = std::max(end, finish[v] = start + costs_.layers[v].backward_s);
        }
        return end;
    }

    const layer_graph& problem_;
    const width_costs& costs_;
    std::span<const std::size_t> stage_of_;
    std::size_t stages_;
};

namespace detail {

[[nodiscard]] inline error broken_plan(std::string place, std::string wrong, std::string expected) {
    return {errc::out_of_range, "plan: " + std::move(place), std::move(wrong), std::move(expected)};
}

[[nodiscard]] inline bool nearly_equal(double a, double b) {
    return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

// The stage of every layer, or what is wrong with the plan's lists.
[[nodiscard]] inline result<std::vector<std::size_t>> stages_of_layers(const layer_graph& problem,
                                                                       const plan& answer) {
    const std::size_t n = problem.layer_count();
    const std::size_t nowhere = answer.stages.size();
    std::vector<std::size_t> stage_of(n, nowhere);
    std::size_t position = 0;
    for (std::size_t s = 0; s < answer.stages.size(); ++s) {
        const stage& part = answer.stages[s];
        if (part.begin != position || part.end <= part.begin || part.end > answer.order.size())
            return broken_plan("stage " + to_text(s),
                               "it takes the positions " + to_text(part.begin) + " to " + to_text(part.end),
                               "stages follow one another from position 0 on and are not empty");
        for (; position < part.end; ++position) {
            const graph::index v = answer.order[position];
            if (v >= n || stage_of[v] != nowhere)
                return broken_plan("stage " + to_text(s), "it holds layer " + to_text(v),
                                   "every layer below " + to_text(n) + " is in one stage");
            stage_of[v] = s;
        }
    }
    if (position != n || answer.order.size() != n)
        return broken_plan("stages", "they hold " + to_text(position) + " layers", "there are " + to_text(n));
    // Edges that never lead to an earlier stage leave no way out of a stage and back.
    for (const graph::arc& a : problem.edges)
        if (stage_of[a.source] > stage_of[a.target])
            return broken_plan("layer " + to_text(a.target),
                               "it is in stage " + to_text(stage_of[a.target]) + ", and needs layer " +
                                   to_text(a.source) + " of stage " + to_text(stage_of[a.source]),
                               "layers need nothing from later stages");
    return stage_of;
}

} // namespace detail

/// Checks a plan that holds stages: each layer in one stage, no edge back, devices, memory, and every figure
/// within 1e-9 of its own. \returns the first violation. \complexity O(stages * layers * edges).
[[nodiscard]] inline result<void> verify(const layer_graph& problem, const plan& answer, objective charge) {
    using detail::broken_plan;
    if (answer.outcome == status::infeasible) {
        if (!answer.stages.empty() || std::isfinite(answer.time_per_batch_s))
            return broken_plan("outcome", "it is infeasible, with stages or a time",
                               "an infeasible plan has neither");
        return {};
    }
    const auto costs = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const width_costs& w) { return w.width == answer.tensor_parallel; });
    if (costs == problem.widths.end())
        return broken_plan("tensor_parallel", "it is " + to_text(answer.tensor_parallel),
                           "it is one of the problem's widths");
    const auto stage_of = detail::stages_of_layers(problem, answer);
    if (!stage_of) return stage_of.problem();
    if (answer.data_parallel < 1 || answer.data_parallel > problem.micro_batches)
        return broken_plan("data_parallel", "it is " + to_text(answer.data_parallel),
                           "it is from 1 to the " + to_text(problem.micro_batches) + " micro-batches");

    const plan_evaluator evaluate(problem, *costs, *stage_of, answer.stages.size());
    std::int64_t replica = 0;
    for (std::size_t s = 0; s < answer.stages.size(); ++s) {
        const stage& part = answer.stages[s];
        const std::string place = "stage " + to_text(s);
        replica += evaluate.devices(s);
        if (part.devices != evaluate.devices(s))
            return broken_plan(place, "it takes " + to_text(part.devices) + " devices",
                               "its layers take " + to_text(evaluate.devices(s)));
        const double memory = evaluate.memory_bytes(s);
        if (memory > problem.hbm_bytes * (1.0 + 1e-12))
            return broken_plan(place, "it needs " + to_text(memory) + " bytes",
                               "a device has " + to_text(problem.hbm_bytes));
        const std::pair<std::string, std::pair<double, double>> figures[] = {
            {"memory_bytes", {part.memory_bytes, memory}},
            {"load_s", {part.load_s, evaluate.load_s(s)}},
            {"tail_s", {part.tail_s, evaluate.tail_s(s, answer.data_parallel, true)}}};
        for (const auto& [name, values] : figures)
            if (!detail::nearly_equal(values.first, values.second))
                return broken_plan(place, name + " is " + to_text(values.first),
                                   "its layers make it " + to_text(values.second));
    }
    if (answer.data_parallel > problem.devices / replica)
        return broken_plan("devices", "it takes " + to_text(answer.data_parallel) + " x " + to_text(replica),
                           "there are " + to_text(problem.devices));
    const double time = evaluate.time_per_batch_s(answer.data_parallel, charge);
    if (!detail::nearly_equal(answer.time_per_batch_s, time))
        return broken_plan("time_per_batch_s", "it is " + to_text(answer.time_per_batch_s),
                           "its stages make it " + to_text(time));
    return {};
}

} // namespace dovetail::placement

/// \file
/// An independent check of a placement on devices: all of it recomputed from the nodes and edges alone.

namespace dovetail::placement {

/// Checks that a plan with devices places every node of a valid problem once, on no more devices than there
/// are; keeps colours together; puts on accelerators what they support and hold; lets no forward edge lead
/// back to an earlier device, nor, mirrored, a backward edge of nodes that belong to no forward node; and
/// that its figures are right, to a relative 1e-9.
/// \returns errc::shape or errc::out_of_range with the device, node or edge at fault.
[[nodiscard]] inline result<void> verify(const device_graph& problem, const device_plan& answer) {
    const std::size_t n = problem.nodes.size();
    const auto wrong = [](std::string place, std::string what, std::string expected) {
        return error{errc::shape, std::move(place), std::move(what), std::move(expected)};
    };
    const auto same = [](double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(a, b); };

    std::vector<std::size_t> device_of(n, answer.devices.size());
    std::int64_t accelerators = 0;
    std::int64_t cpus = 0;
    for (std::size_t d = 0; d < answer.devices.size(); ++d) {
        ++(answer.devices[d].kind == device_kind::cpu ? cpus : accelerators);
        if (answer.devices[d].nodes.empty())
            return wrong("device " + to_text(d), "it holds nothing", "it must hold a node");
        for (const graph::index v : answer.devices[d].nodes) {
            if (v >= n || device_of[v] != answer.devices.size())
                return wrong("device " + to_text(d), "it holds node " + to_text(v),
                             "every node below " + to_text(n) + " must be held once");
            device_of[v] = d;
        }
    }
    for (std::size_t v = 0; v < n; ++v)
        if (device_of[v] == answer.devices.size())
            return wrong("node " + to_text(v), "no device holds it", "every node must be held once");
    if (accelerators > problem.accelerators)
        return error{errc::out_of_range, "accelerators", "the plan uses " + to_text(accelerators),
                     "there are " + to_text(problem.accelerators)};
    if (cpus > problem.cpus)
        return error{errc::out_of_range, "cpus", "the plan uses " + to_text(cpus),
                     "there are " + to_text(problem.cpus)};

    std::vector<std::size_t> device_of_colour(n, answer.devices.size());
    std::vector<bool> forward_colour(n, false);
    for (std::size_t v = 0; v < n; ++v) {
        const graph::index colour = problem.nodes[v].colour;
        if (colour == graph::none) continue;
        std::size_t& shared = device_of_colour[colour];
        if (shared == answer.devices.size()) shared = device_of[v];
        if (shared != device_of[v])
            return wrong("node " + to_text(v), "it is on device " + to_text(device_of[v]),
                         "its colour is on device " + to_text(shared));
        if (!problem.nodes[v].backward) forward_colour[colour] = true;
    }
    const auto belongs_to_forward = [&](graph::index v) {
        return problem.nodes[v].colour != graph::none && forward_colour[problem.nodes[v].colour];
    };
    for (std::size_t e = 0; e < problem.edges.size(); ++e) {
        const auto [source, target] = problem.edges[e];
        const bool forward = !problem.nodes[source].backward && !problem.nodes[target].backward;
        const bool mirrored = problem.nodes[source].backward && problem.nodes[target].backward &&
                              !(belongs_to_forward(source) && belongs_to_forward(target));
        if ((forward && device_of[source] > device_of[target]) ||
            (mirrored && device_of[source] < device_of[target]))
            return wrong("edge " + to_text(e),
                         "it leads from device " + to_text(device_of[source]) + " to device " +
                             to_text(device_of[target]),
                         "devices must follow one another");
    }

    double max_load_s = 0.0;
    for (std::size_t d = 0; d < answer.devices.size(); ++d) {
        const device_share& device = answer.devices[d];
        double load_s = 0.0;
        double bytes = 0.0;
        std::vector<bool> pays(n, false);
        for (const auto [source, target] : problem.edges)
            if ((device_of[source] == d) != (device_of[target] == d)) pays[source] = true;
        for (std::size_t v = 0; v < n; ++v) {
            const device_node& node = problem.nodes[v];
            if (device.kind == device_kind::accelerator && pays[v]) load_s += node.output_s;
            if (device_of[v] != d) continue;
            bytes += node.size_bytes;
            load_s += device.kind == device_kind::cpu ? node.cpu_s : node.accelerator_s;
            if (device.kind == device_kind::accelerator && !node.supported)
                return wrong("device " + to_text(d), "it holds node " + to_text(v),
                             "no accelerator can run this node");
        }
        if (device.kind == device_kind::accelerator && bytes > problem.memory_bytes)
            return error{errc::out_of_range, "device " + to_text(d), "it holds " + to_text(bytes) + " bytes",
                         "it has " + to_text(problem.memory_bytes)};
        if (!same(load_s, device.load_s) || !same(bytes, device.memory_bytes))
            return wrong("device " + to_text(d),
                         "the plan has it at " + to_text(device.load_s) + " s and " +
                             to_text(device.memory_bytes) + " bytes",
                         "it is at " + to_text(load_s) + " s and " + to_text(bytes) + " bytes");
        max_load_s = std::max(max_load_s, load_s);
    }
    if (!same(answer.max_load_s, max_load_s) || answer.lower_bound_s > answer.max_load_s)
        return wrong("plan",
                     "its largest load is " + to_text(answer.max_load_s) + " s, its bound " +
                         to_text(answer.lower_bound_s) + " s",
                     "the largest load is " + to_text(max_load_s) + " s, which bounds the bound");
    return {};
}

} // namespace dovetail::placement

/// \file
/// Checks placements for latency against the original graph alone. Shares no code with the search.

namespace dovetail::placement {

/// The latency of a placement, straight from the definition (`latency_plan`).
/// \param device by node: the number of its accelerator, or `none`
/// \returns errc::out_of_range where a device does not exist, cannot run a node or hold its nodes, where a
/// colour is on two devices, or where an accelerator would wait for itself: the nodes of one that are not
/// contiguous, or of several that are not so together. \complexity O((accelerators + nodes) * edges).
[[nodiscard]] inline result<double> latency_of(const device_graph& problem,
                                               const std::vector<graph::index>& device) {
    const std::size_t n = problem.nodes.size();
    if (device.size() != n)
        return detail::broken_plan("device", "it has " + to_text(device.size()) + " entries",
                                   "there are " + to_text(n) + " nodes");
    std::vector<graph::index> of_colour(n, graph::none);
    std::vector<bool> coloured(n, false);
    // The tasks: every node on the host, and every accelerator, after them.
    std::vector<std::size_t> task(n);
    std::vector<double> load_s(n, 0.0), size_bytes;
    for (std::size_t v = 0; v < n; ++v) {
        const device_node& node = problem.nodes[v];
        const std::string place = "node " + to_text(v);
        if (node.colour != graph::none) {
            if (coloured[node.colour] && of_colour[node.colour] != device[v])
                return detail::broken_plan(place, "it is apart from another node of its colour",
                                           "a colour is on one device");
            coloured[node.colour] = true;
            of_colour[node.colour] = device[v];
        }
        if (device[v] == graph::none) {
            task[v] = v;
            load_s[v] = node.cpu_s;
            continue;
        }
        if (device[v] >= problem.accelerators)
            return detail::broken_plan(place, "it is on accelerator " + to_text(device[v]),
                                       "there are " + to_text(problem.accelerators));
        if (!node.supported)
            return detail::broken_plan(place, "it is on an accelerator", "it can only run on the host");
        task[v] = n + device[v];
        if (load_s.size() <= task[v]) load_s.resize(task[v] + 1, 0.0);
        if (size_bytes.size() <= device[v]) size_bytes.resize(device[v] + std::size_t{1}, 0.0);
        load_s[task[v]] += node.accelerator_s;
        size_bytes[device[v]] += node.size_bytes;
    }
    for (std::size_t a = 0; a < size_bytes.size(); ++a)
        if (size_bytes[a] > problem.memory_bytes * (1 + 1e-12))
            return detail::broken_plan("accelerator " + to_text(a),
                                       "its nodes take " + to_text(size_bytes[a]) + " bytes",
                                       "it has " + to_text(problem.memory_bytes));

    // Transfers: an accelerator pays for an output once, whoever on the other side takes it.
    for (std::size_t u = 0; u < n; ++u) {
        std::vector<std::size_t> takers;
        for (const graph::arc& e : problem.edges)
            if (e.source == u && task[e.target] != task[u]) takers.push_back(task[e.target]);
        if (takers.empty()) continue;
        if (task[u] >= n) load_s[task[u]] += problem.nodes[u].output_s;
        std::sort(takers.begin(), takers.end());
        takers.erase(std::unique(takers.begin(), takers.end()), takers.end());
        for (const std::size_t t : takers)
            if (t >= n) load_s[t] += problem.nodes[u].output_s;
    }

    // A task is done its load after the last task that it waits for; tasks in a cycle never are.
    std::vector<std::size_t> waits(load_s.size(), 0);
    for (const graph::arc& e : problem.edges)
        if (task[e.source] != task[e.target]) ++waits[task[e.target]];
    std::vector<double> start_s(load_s.size(), 0.0);
    std::vector<std::size_t> ready;
    for (std::size_t t = 0; t < load_s.size(); ++t)
        if (waits[t] == 0) ready.push_back(t);
    double latency_s = 0.0;
    for (std::size_t next = 0; next < ready.size(); ++next) {
        const std::size_t t = ready[next];
        const double done_s = start_s[t] + load_s[t];
        latency_s = std::max(latency_s, done_s);
        for (const graph::arc& e : problem.edges) {
            const std::size_t after = task[e.target];
            if (task[e.source] != t || after == t) continue;
            start_s[after] = std::max(start_s[after], done_s);
            if (--waits[after] == 0) ready.push_back(after);
        }
    }
    for (std::size_t a = n; a < load_s.size(); ++a)
        if (waits[a] != 0)
            return detail::broken_plan("accelerator " + to_text(a - n),
                                       "it waits for itself, or for one that does",
                                       "no way leads out of an accelerator and back");
    return latency_s;
}

/// Checks a plan: its devices, its latency within 1e-9 of its own, and its claim to be the best.
/// \returns the first violation.
[[nodiscard]] inline result<void> verify(const device_graph& problem, const latency_plan& answer) {
    const auto latency_s = latency_of(problem, answer.device);
    if (!latency_s) return latency_s.problem();
    const double tolerance_s = 1e-9 * *latency_s;
    if (!(std::abs(answer.latency_s - *latency_s) <= tolerance_s))
        return detail::broken_plan("latency_s", "it is " + to_text(answer.latency_s),
                                   "its devices make it " + to_text(*latency_s));
    if (!(answer.lower_bound_s <= answer.latency_s))
        return detail::broken_plan("lower_bound_s", "it is " + to_text(answer.lower_bound_s),
                                   "the plan takes " + to_text(answer.latency_s));
    if (answer.outcome != status::optimal && answer.outcome != status::budget)
        return detail::broken_plan("outcome", "it is " + std::string(to_string(answer.outcome)),
                                   "it is optimal or budget");
    if (answer.outcome == status::optimal && answer.latency_s - answer.lower_bound_s > tolerance_s)
        return detail::broken_plan("outcome",
                                   "it is optimal above a bound of " + to_text(answer.lower_bound_s),
                                   "an optimal plan meets its bound");
    return {};
}

} // namespace dovetail::placement

/// \file
/// An independent check of a plan under any schedule and plan space, from its layers and the problem alone.

namespace dovetail::placement {

/// Evaluates plans of a chain of layers straight from the definitions, one layer at a time.
template <pipeline_policy Policy>
class pipeline_evaluator {
public:
    pipeline_evaluator(const Policy& policy, const plan_space& space, const layer_graph& problem,
                       const width_costs& costs)
        : policy_(policy), space_(space), problem_(problem), costs_(costs) {}

    /// Computes the figures of `plan`, of which it reads stages (begin, end, repeats) and replicas.
    /// \returns the plan with every figure filled in, or why it is none.
    [[nodiscard]] result<plan> operator()(plan answer) const {
        const std::size_t stages = answer.stages.size();
        const std::size_t p = stages / policy_.chunks();
        if (stages == 0 || stages % policy_.chunks() != 0)
            return wrong("stages", "there are " + to_text(stages), "every device has as many");
        const std::int64_t d = answer.data_parallel;
        if (d < 1 || d > problem_.micro_batches)
            return wrong("data_parallel", "it is " + to_text(d), "every replica has a micro-batch");
        const std::int64_t m = (problem_.micro_batches + d - 1) / d;
        if (!policy_.admits(p, static_cast<std::size_t>(m)))
            return wrong("micro-batches", "a replica has " + to_text(m), "the schedule must admit them");

        std::int64_t replica = 0;
        for (std::size_t i = 0; i < stages; ++i) replica += answer.stages[i].devices = devices_of(answer, i);
        replica /= static_cast<std::int64_t>(policy_.chunks());
        if (replica * d > usable())
            return wrong("devices", "it takes " + to_text(replica * d), "there are " + to_text(usable()));
        const double link =
            replica * d <= space_.node.devices ? inside_bytes_per_s() : problem_.link_bytes_per_s;

        double pace = 0;
        double rest = 0;
        double tail = 0;
        double slots = 0;
        for (std::size_t i = 0; i < stages; ++i) {
            stage& s = answer.stages[i];
            const bool last = i + 1 == stages;
            if (!space_.choose_recomputation &&
                s.repeats != (problem_.recompute && !last ? recomputation::full : recomputation::none))
                return wrong("stage " + to_text(i), "it recomputes otherwise than the problem",
                             "it has no choice");
            double fw = 0, bw = 0, weight = 0, attention = 0, update = 0, reduce = 0;
            double resident = 0, activation = 0, stash = 0;
            for (std::size_t v = s.begin; v < s.end; ++v) {
                const layer& l = costs_.layers[v];
                fw += l.forward_s, bw += l.backward_s, weight += l.weight_gradient_s;
                attention += l.attention_forward_s;
                update += space_.shard_optimizer ? l.update_s / static_cast<double>(d) : l.update_s;
                reduce += l.reduce_bytes;
                resident += l.resident_bytes;
                if (space_.shard_optimizer)
                    resident -= l.optimizer_bytes - l.optimizer_bytes / static_cast<double>(d);
                activation += l.activation_bytes;
                stash += s.repeats == recomputation::full        ? 0.0
                         : s.repeats == recomputation::selective ? l.stash_bytes - l.attention_stash_bytes
                                                                 : l.stash_bytes;
            }
            const double in_bytes = i == 0 ? 0.0 : costs_.edge_bytes[s.begin - 1];
            const double out_s = last ? 0.0 : costs_.edge_bytes[s.end - 1] / link;
            if (s.repeats == recomputation::full) stash += in_bytes;
            stage_times t{in_bytes / link + fw, out_s + bw, weight};
            if (s.repeats == recomputation::selective) t.backward_s += attention;
            if (s.repeats == recomputation::full) t.backward_s = (out_s > fw ? out_s : fw) + bw;

            s.load_s = t.forward_s + t.backward_s;
            s.memory_bytes = static_cast<double>(policy_.chunks()) * resident + activation +
                             static_cast<double>(in_flight(i, stages, m) - 1) * stash;
            if (s.memory_bytes > problem_.hbm_bytes * (1 + 1e-12))
                return wrong("stage " + to_text(i), "it needs " + to_text(s.memory_bytes) + " bytes",
                             "a device has " + to_text(problem_.hbm_bytes));
            double reduction = all_reduce_s(reduce, d, s.devices);
            if (space_.overlap_reduction) reduction = reduction > bw ? reduction - bw : 0.0;
            s.tail_s = reduction + update;
            const double charged = space_.charge == objective::every_stage ? s.tail_s
                                   : i == 0                                ? reduction
                                                                           : 0.0;
            const pipeline_charge charge = policy_.charge(t, p, static_cast<std::size_t>(m));
            slots = charge.slots;
            pace = std::max(pace, charge.pace_s);
            rest = std::max(rest, charge.rest_s);
            tail = std::max(tail, static_cast<double>(policy_.chunks()) * charged);
        }
        answer.time_per_batch_s = slots * pace + rest + tail;
        return answer;
    }

private:
    [[nodiscard]] static error wrong(std::string place, std::string what, std::string expected) {
        return detail::broken_plan(std::move(place), std::move(what), std::move(expected));
    }

    [[nodiscard]] bool splits(const stage& s) const {
        for (std::size_t v = s.begin; v < s.end; ++v)
            if (costs_.layers[v].tensor_parallel) return true;
        return false;
    }
    [[nodiscard]] std::int64_t devices_of(const plan& answer, std::size_t i) const {
        if (policy_.chunks() == 1) return splits(answer.stages[i]) ? costs_.width : 1;
        for (const stage& s : answer.stages)
            if (splits(s)) return costs_.width;
        return 1;
    }
    [[nodiscard]] std::int64_t usable() const {
        bool any = false;
        for (const layer& l : costs_.layers) any = any || l.tensor_parallel;
        const std::int64_t group = any ? costs_.width : 1;
        const std::int64_t node = space_.node.devices;
        if (node == 0 || space_.node.tensor_across) return problem_.devices;
        std::int64_t devices = 0;
        for (std::int64_t left = problem_.devices; left > 0; left -= node)
            devices += std::min(left, node) / group * group;
        return devices;
    }
    [[nodiscard]] std::size_t in_flight(std::size_t i, std::size_t stages, std::int64_t m) const {
        const std::size_t p = stages / policy_.chunks();
        const std::size_t device = i % p;
        if constexpr (requires { policy_.in_flight(device, p); })
            if (!space_.count_short_batches) return policy_.in_flight(device, p);
        return policy_.in_flight(device, p, static_cast<std::size_t>(m));
    }
    [[nodiscard]] double inside_bytes_per_s() const {
        return space_.node.link_bytes_per_s > problem_.link_bytes_per_s ? space_.node.link_bytes_per_s
                                                                        : problem_.link_bytes_per_s;
    }
    [[nodiscard]] double all_reduce_s(double bytes, std::int64_t d, std::int64_t width) const {
        const auto ring = [](double b, std::int64_t n, double link) {
            return 2 * static_cast<double>(n - 1) / static_cast<double>(n) * b / link;
        };
        if (space_.node.devices == 0) return ring(bytes, d, problem_.link_bytes_per_s);
        std::int64_t inside = 1;
        while (inside < d && (inside + 1) * width <= space_.node.devices) ++inside;
        return ring(bytes, inside, inside_bytes_per_s()) + ring(bytes / static_cast<double>(inside),
                                                                (d + inside - 1) / inside,
                                                                problem_.link_bytes_per_s);
    }

    const Policy& policy_;
    const plan_space& space_;
    const layer_graph& problem_;
    const width_costs& costs_;
};

/// Checks a plan of a chain: its cut, devices, memory, and every figure within 1e-9 of its own.
/// \returns the first violation. \complexity O(layers + stages).
template <pipeline_policy Policy>
[[nodiscard]] result<void> verify(const layer_graph& problem, const plan& answer, const Policy& policy,
                                  const plan_space& space) {
    if (answer.outcome == status::infeasible) return verify(problem, answer, space.charge);
    const auto costs = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const width_costs& w) { return w.width == answer.tensor_parallel; });
    if (costs == problem.widths.end())
        return detail::broken_plan("tensor_parallel", "it is " + to_text(answer.tensor_parallel),
                                   "it is one of the problem's widths");
    if (auto lists = detail::stages_of_layers(problem, answer); !lists) return std::move(lists).problem();
    const auto found = pipeline_evaluator<Policy>(policy, space, problem, *costs)(answer);
    if (!found) return found.problem();
    using detail::nearly_equal;
    for (std::size_t i = 0; i < answer.stages.size(); ++i) {
        const stage& a = answer.stages[i];
        const stage& b = found->stages[i];
        if (a.devices != b.devices || !nearly_equal(a.load_s, b.load_s) ||
            !nearly_equal(a.memory_bytes, b.memory_bytes) || !nearly_equal(a.tail_s, b.tail_s))
            return detail::broken_plan("stage " + to_text(i),
                                       "it says " + to_text(a.load_s) + " s, " + to_text(a.memory_bytes) +
                                           " bytes, " + to_text(a.tail_s) + " s on " + to_text(a.devices),
                                       "its layers make it " + to_text(b.load_s) + " s, " +
                                           to_text(b.memory_bytes) + " bytes, " + to_text(b.tail_s) +
                                           " s on " + to_text(b.devices));
    }
    if (!nearly_equal(answer.time_per_batch_s, found->time_per_batch_s))
        return detail::broken_plan("time_per_batch_s", "it is " + to_text(answer.time_per_batch_s),
                                   "its stages make it " + to_text(found->time_per_batch_s));
    return {};
}

} // namespace dovetail::placement

/// \file
/// The best accelerator together with its plan.

/// \file
/// PHAZE's search: designs from large to small, until throughput no longer grows.

/// \file
/// From evaluated chips to an outcome: the part of every strategy that is not its own.

/// \file
/// What all strategies share: evaluating a list of chips on all threads, and turning the best into an
/// outcome.

/// \file
/// The one place where costs become tasks and layers: what a chip can do for a model on a cluster.

/// \file
/// What a joint search may choose from, and how long it may take.

namespace dovetail::search {

/// The choices of a training plan besides the chip. Defaults are those of PHAZE's published search
/// (Wang et al., ICML 2024).
struct plan_options {
    std::vector<std::int64_t> micro_batches{1, 2, 4, 8};
    std::vector<double> hbm_gib{32, 64, 80};
    std::vector<int> recompute{0, 1};
    std::vector<std::int64_t> tensor_widths{1, 2, 4, 8};
    std::int64_t devices = 1024;
    std::int64_t global_batch = 4096;
    double link_gib_per_s = 4;

    static constexpr auto table() {
        using o = plan_options;
        return std::tuple{
            option<o, std::vector<std::int64_t>>{"micro-batches", "samples in a micro-batch",
                                                 &o::micro_batches, 1, 1 << 20},
            option<o, std::vector<double>>{"hbm-gib", "memory of a device [GiB]", &o::hbm_gib, 1e-3, 1e6},
            option<o, std::vector<int>>{"recompute", "0 keeps activations, 1 recomputes them", &o::recompute,
                                        0, 1},
            option<o, std::vector<std::int64_t>>{"tensor-widths",
                                                 "devices that share a layer, where the heads divide",
                                                 &o::tensor_widths, 1, 1 << 20},
            option<o, std::int64_t>{"devices", "devices in the cluster", &o::devices, 1, 1e9},
            option<o, std::int64_t>{"global-batch", "samples in a batch", &o::global_batch, 1, 1e12},
            option<o, double>{"link-gib", "bandwidth of a device's link [GiB/s]", &o::link_gib_per_s, 1e-6,
                              1e9},
        };
    }
};

/// How a space of designs is walked.
struct space_options {
    double max_area_mm2 = std::numeric_limits<double>::infinity();
    int hysteresis = 5;
    std::int64_t samples = 1000;
    double time_limit_s = std::numeric_limits<double>::infinity();
    std::uint64_t seed = 1;
    std::int64_t threads = 0;

    static constexpr auto table() {
        using o = space_options;
        return std::tuple{
            option<o, double>{"max-area", "largest area of a chip [mm^2]", &o::max_area_mm2, 0},
            option<o, int>{"hysteresis", "area-ordered: buckets without a gain before it stops",
                           &o::hysteresis, 1, 1e9},
            option<o, std::int64_t>{"samples", "random: designs to draw", &o::samples, 1, 1e12},
            option<o, double>{"time-limit", "seconds before the best so far is returned", &o::time_limit_s,
                              0},
            option<o, std::uint64_t>{"seed", "of every random choice", &o::seed, 0},
            option<o, std::int64_t>{"threads", "worker threads; 0 takes all", &o::threads, 0, 4096},
        };
    }
};

} // namespace dovetail::search

/// \file
/// Costs become tasks: how long a chip takes for one pass through a layer.

/// \file
/// A model as a search sees it: the demands of every distinct layer, for each micro-batch and tensor width.
/// Everything here is the same for all chips, and is computed once.

namespace dovetail::search {

/// The tasks of one pass through a layer: what each fused group of operators asks, and the order among them.
struct pass_profile {
    std::vector<workload::operator_work> groups;
    std::vector<std::string> names; ///< of the groups' leading operators
    graph::digraph precedence;      ///< over the groups
};

/// A layer structure on one of the devices that share it. Elements become bytes by the chip's element size.
struct layer_profile {
    pass_profile forward;
    pass_profile backward; ///< input and weight gradients
    double parameters = 0;
    double working_elements = 0; ///< largest live set of one micro-batch beyond the stash
    double stash_elements = 0;   ///< kept from the forward to the backward pass of a micro-batch
    double mask_elements = 0;    ///< kept as well, one byte each
    bool tensor_parallel = false;
};

/// The chain of layers that one micro-batch size and one tensor width make of the model.
struct slice_profile {
    std::int64_t micro_batch = 1;
    std::int64_t tensor_width = 1;
    std::vector<layer_profile> structures; ///< the distinct layers
    std::vector<graph::index> chain;       ///< the layers from input to output, as structures
    std::vector<double> boundary_elements; ///< between layer i and i + 1
};

/// A model, ready to be searched.
struct workload_profile {
    std::string model;
    std::vector<std::string> layer_names; ///< of the chain, for people
    std::vector<std::int64_t> micro_batches;
    std::vector<std::int64_t> tensor_widths;
    std::vector<slice_profile> slices; ///< micro-batches outside, widths inside

    [[nodiscard]] const slice_profile& slice(std::size_t micro_batch, std::size_t width) const {
        return slices[micro_batch * tensor_widths.size() + width];
    }
};

} // namespace dovetail::search

namespace dovetail::search {

/// The resources of a chip, in the order in which a schedule numbers them.
enum class resource : std::uint8_t { tensor_core, vector_core, link };

/// So many units of every resource.
[[nodiscard]] constexpr schedule::demand units(std::int64_t tensor_cores, std::int64_t vector_cores,
                                               std::int64_t links) {
    schedule::demand d{};
    d[static_cast<std::size_t>(resource::tensor_core)] = static_cast<std::int32_t>(tensor_cores);
    d[static_cast<std::size_t>(resource::vector_core)] = static_cast<std::int32_t>(vector_cores);
    d[static_cast<std::size_t>(resource::link)] = static_cast<std::int32_t>(links);
    return d;
}

/// What the devices that share a layer are, besides their chips.
struct tensor_group {
    std::int64_t width = 1;
    double link_bytes_per_s = 1;
};

/// The time of one pass, and what is proved about its schedule.
struct pass_time {
    double latency_s = 0;       ///< the longer of the schedule and the busy time of the shared memories
    double makespan_s = 0;      ///< of the schedule
    double lower_bound_s = 0;   ///< no schedule of these tasks is shorter
    double shared_memory_s = 0; ///< busy time of the HBM or of the global buffer, whichever is longer
};

/// Times one pass through a layer on any number of chips; the order of its tasks is prepared once. One a
/// thread.
class pass_timer {
public:
    explicit pass_timer(const pass_profile& pass) : pass_(&pass) {
        schedule::mode_table table;
        for (std::size_t i = 0; i < pass.groups.size(); ++i) table.add_task(schedule::mode{});
        auto tasks = schedule::make_task_graph(pass.precedence, units(1, 1, 1), std::move(table));
        DOVETAIL_ASSERT(tasks, "the groups of a layer are acyclic");
        tasks_ = std::move(tasks).value();
    }

    /// Schedules the pass on `chip`: a group takes one core of each type that it needs, or all of them; a
    /// collective takes the link. \complexity that of the list scheduler; allocates nothing once warm.
    template <cost::latency_model Model, hardware::accelerator_like Chip>
    pass_time operator()(const Model& model, const Chip& chip, const tensor_group& group,
                         schedule::workspace& memory) {
        table_.clear();
        busy_.clear();
        for (const workload::operator_work& work : pass_->groups) add_task(model, work, chip, group);
        const auto filled = tasks_.refill(units(chip.num_tc, chip.num_vc, 1), table_);
        DOVETAIL_ASSERT(filled, "a latency model gives finite durations");
        const schedule::certificate& found = schedule::list_scheduler{}(tasks_, memory);

        double hbm_s = 0;
        double global_s = 0;
        for (graph::index v = 0; v < pass_->groups.size(); ++v) {
            const shared_busy& b = busy_[2 * v + found.best.mode[v]];
            hbm_s += b.hbm_s;
            global_s += b.global_s;
        }
        pass_time time{.makespan_s = found.best.makespan_s,
                       .lower_bound_s = found.lower_bound_s,
                       .shared_memory_s = std::max(hbm_s, global_s)};
        time.latency_s = std::max(time.makespan_s, time.shared_memory_s);
        return time;
    }

    /// The problem that was solved last.
    [[nodiscard]] const schedule::task_graph& tasks() const noexcept { return tasks_; }

private:
    struct shared_busy {
        double hbm_s = 0;
        double global_s = 0;
    };

    template <class Model, class Chip>
    void add_task(const Model& model, const workload::operator_work& work, const Chip& chip,
                  const tensor_group& group) {
        table_.add_task();
        shared_busy one_core;
        shared_busy all_cores;
        if (work.uses_link()) {
            const double bytes = work.reduced_elements * Model::element_bytes;
            table_.add_mode(
                {cost::ring_all_reduce_s(bytes, group.width, group.link_bytes_per_s), units(0, 0, 1)});
        } else if (work.empty()) {
            table_.add_mode({});
        } else {
            const auto tensor = static_cast<std::int64_t>(work.uses_tensor_core());
            const auto vector = static_cast<std::int64_t>(work.uses_vector_core());
            const cost::estimate one = model(work, chip, cost::core_mode::one_core);
            table_.add_mode({one.latency_s(), units(tensor, vector, 0)});
            one_core = {one.hbm_s, one.global_s};
            if (tensor * chip.num_tc > 1 || vector * chip.num_vc > 1) {
                const cost::estimate all = model(work, chip, cost::core_mode::all_cores);
                table_.add_mode({all.latency_s(), units(tensor * chip.num_tc, vector * chip.num_vc, 0)});
                all_cores = {all.hbm_s, all.global_s};
            }
        }
        busy_.push_back(one_core);
        busy_.push_back(all_cores);
    }

    const pass_profile* pass_;
    schedule::task_graph tasks_;
    schedule::mode_table table_;
    std::vector<shared_busy> busy_; // two a group: by mode
};

} // namespace dovetail::search

namespace dovetail::search {

/// One combination of the choices that are neither the chip's nor the placement's.
struct setting {
    std::size_t micro_batch = 0; ///< a position in `workload_profile::micro_batches`
    double hbm_bytes = 0;
    bool recompute = false;

    friend constexpr bool operator==(const setting&, const setting&) = default;
};

/// All combinations that `options` offers: micro-batches outside, then memories, then recomputation.
[[nodiscard]] inline std::vector<setting> settings_of(const plan_options& options) {
    std::vector<setting> settings;
    for (std::size_t m = 0; m < options.micro_batches.size(); ++m)
        for (const double gib : options.hbm_gib)
            for (const int recompute : options.recompute)
                settings.push_back({m, gib * static_cast<double>(gibibyte), recompute != 0});
    return settings;
}

/// The best that a chip reached. A throughput of 0 means that no plan fits.
struct evaluation {
    double throughput_samples_per_s = 0;
    std::size_t setting = 0; ///< a position in the settings that were asked

    [[nodiscard]] constexpr bool feasible() const noexcept { return throughput_samples_per_s > 0; }
};

/// Evaluates chips for one model: prices every distinct layer once, then places for every setting.
template <cost::latency_model Model, hardware::platform Platform>
class evaluator {
public:
    /// `profile` must outlive the evaluator. `charge` says who pays for the gradient reduction.
    evaluator(const workload_profile& profile, const plan_options& options, cost::optimizer optimizer,
              placement::objective charge = placement::objective::every_stage, Model model = {})
        : profile_(&profile), options_(options), optimizer_(optimizer), place_{.charge = charge},
          model_(std::move(model)) {}

    /// The memory of one worker: it is warm after the first chip and then allocates nothing.
    class memory {
    public:
        explicit memory(const evaluator& e) {
            for (const slice_profile& slice : e.profile_->slices) {
                std::vector<layer_timer>& timers = slices_.emplace_back();
                for (const layer_profile& layer : slice.structures)
                    timers.push_back({pass_timer(layer.forward), pass_timer(layer.backward)});
            }
        }

        /// The problem of the last `place`, and its answer.
        [[nodiscard]] const placement::layer_graph& problem() const noexcept { return problem_; }
        [[nodiscard]] const placement::plan& plan() const noexcept { return placed_.plan; }

    private:
        friend evaluator;
        struct layer_timer {
            pass_timer forward;
            pass_timer backward;
        };

        std::vector<std::vector<layer_timer>> slices_;
        std::vector<placement::layer> structures_;
        schedule::workspace scheduled_;
        placement::layer_graph problem_;
        placement::chain_workspace placed_;
    };

    /// The best over `settings`; the first of equals. \complexity of one micro-batch after the other: its
    /// layers' schedules, then one placement a setting.
    template <hardware::accelerator_like Chip>
    evaluation operator()(const Chip& chip, std::span<const setting> settings, memory& m) const {
        evaluation best;
        std::size_t priced = profile_->micro_batches.size();
        for (std::size_t s = 0; s < settings.size(); ++s) {
            if (settings[s].micro_batch != priced) {
                priced = settings[s].micro_batch;
                price(chip, priced, m);
            }
            const placement::plan& plan = place(settings[s], m);
            if (plan.outcome != status::optimal) continue;
            const double throughput = static_cast<double>(options_.global_batch) / plan.time_per_batch_s;
            if (throughput > best.throughput_samples_per_s) best = {throughput, s};
        }
        return best;
    }

    /// Prices and places one setting; the problem and the plan are left in `m`.
    template <hardware::accelerator_like Chip>
    const placement::plan& operator()(const Chip& chip, const setting& s, memory& m) const {
        price(chip, s.micro_batch, m);
        return place(s, m);
    }

    [[nodiscard]] const workload_profile& profile() const noexcept { return *profile_; }
    [[nodiscard]] const plan_options& options() const noexcept { return options_; }
    [[nodiscard]] const Model& model() const noexcept { return model_; }
    [[nodiscard]] double link_bytes_per_s() const noexcept {
        return options_.link_gib_per_s * static_cast<double>(gibibyte);
    }

private:
    // Fills the layers of every tensor width of one micro-batch.
    template <class Chip>
    void price(const Chip& chip, std::size_t micro_batch, memory& m) const {
        placement::layer_graph& problem = m.problem_;
        problem.devices = options_.devices;
        problem.link_bytes_per_s = link_bytes_per_s();
        problem.micro_batches = ceil_div(options_.global_batch, profile_->micro_batches[micro_batch]);
        problem.widths.resize(profile_->tensor_widths.size());
        for (std::size_t w = 0; w < problem.widths.size(); ++w) {
            const slice_profile& slice = profile_->slice(micro_batch, w);
            price_structures(chip, slice, m.slices_[micro_batch * problem.widths.size() + w], m);
            placement::width_costs& costs = problem.widths[w];
            costs.width = slice.tensor_width;
            costs.layers.resize(slice.chain.size());
            for (std::size_t i = 0; i < slice.chain.size(); ++i)
                costs.layers[i] = m.structures_[slice.chain[i]];
            costs.edge_bytes.resize(slice.boundary_elements.size());
            for (std::size_t i = 0; i < slice.boundary_elements.size(); ++i)
                costs.edge_bytes[i] = slice.boundary_elements[i] * Model::element_bytes;
            problem.edges.resize(slice.boundary_elements.size());
        }
        placement::link_as_chain(problem.edges);
    }

    template <class Chip, class Timers>
    void price_structures(const Chip& chip, const slice_profile& slice, Timers& timers, memory& m) const {
        const tensor_group group{slice.tensor_width, link_bytes_per_s()};
        const cost::parameter_cost parameter = cost::cost_of(optimizer_);
        m.structures_.resize(slice.structures.size());
        for (std::size_t k = 0; k < slice.structures.size(); ++k) {
            const layer_profile& layer = slice.structures[k];
            const double stash_bytes = layer.stash_elements * Model::element_bytes + layer.mask_elements;
            m.structures_[k] = {.forward_s = timers[k].forward(model_, chip, group, m.scheduled_).latency_s,
                                .backward_s = timers[k].backward(model_, chip, group, m.scheduled_).latency_s,
                                .update_s = cost::update_s<Platform>(optimizer_, layer.parameters, chip),
                                .resident_bytes = layer.parameters * parameter.resident_bytes,
                                .reduce_bytes = layer.parameters * parameter.reduce_bytes,
                                .activation_bytes =
                                    stash_bytes + layer.working_elements * Model::element_bytes,
                                .stash_bytes = stash_bytes,
                                .tensor_parallel = layer.tensor_parallel,
                                .optimizer_bytes = layer.parameters * parameter.state_bytes};
        }
    }

    const placement::plan& place(const setting& s, memory& m) const {
        m.problem_.hbm_bytes = s.hbm_bytes;
        m.problem_.recompute = s.recompute;
        return place_(m.problem_, m.placed_);
    }

    const workload_profile* profile_;
    plan_options options_;
    cost::optimizer optimizer_;
    placement::chain_program place_;
    Model model_;
};

} // namespace dovetail::search

/// \file
/// Hooks that a search calls while it runs; a caller gives those that it wants.

namespace dovetail::search {

/// How far a search is.
struct progress {
    std::size_t done = 0;
    std::size_t total = 0;
    double seconds = 0;
    double best_throughput_samples_per_s = 0;
};

/// An observer without hooks.
struct silent {};

/// Calls `observer.on_progress(p)` where there is such a hook, always from the thread that searches.
template <class Observer>
void notify(Observer& observer, const progress& p) {
    if constexpr (requires { observer.on_progress(p); }) observer.on_progress(p);
}

} // namespace dovetail::search

/// \file
/// What a joint search returns: the best chip with its plan, what it was compared with, and how it was found.

namespace dovetail::search {

/// A chip with its best plan. Without a plan the throughput is 0.
struct solution {
    hardware::accelerator chip;
    double area_um2 = 0;
    double throughput_samples_per_s = 0;
    search::setting setting;
    std::int64_t micro_batch = 0;
    placement::layer_graph problem; ///< what was placed
    placement::plan plan;

    [[nodiscard]] bool feasible() const noexcept { return throughput_samples_per_s > 0; }
};

/// A chip that was evaluated.
struct evaluated_design {
    std::size_t position = 0; ///< in the family's grid
    double area_um2 = 0;
    double throughput_samples_per_s = 0; ///< 0 where no plan fits
};

/// How a search went.
struct search_record {
    std::string_view strategy;
    std::size_t evaluated = 0; ///< chips that were priced and placed
    std::size_t pruned = 0;    ///< chips left out, by a bound or by the strategy's rule
    double seconds = 0;
    bool complete = false; ///< no chip of the space can be better
};

/// The outcome of a joint search over a family of chips and the plans of a model.
struct outcome {
    dovetail::status status = dovetail::status::infeasible;
    solution best;
    solution baseline;                     ///< the family's reference chip with its own best plan
    std::vector<evaluated_design> designs; ///< in the order of the grid
    search_record search;
    std::string binding; ///< infeasible: the constraint that nothing satisfies
};

/// The designs that no smaller or equal one matches, by rising area: what area buys.
/// \complexity O(n log n).
[[nodiscard]] inline std::vector<evaluated_design> frontier(std::span<const evaluated_design> designs) {
    std::vector<evaluated_design> sorted(designs.begin(), designs.end());
    std::sort(sorted.begin(), sorted.end(), [](const evaluated_design& a, const evaluated_design& b) {
        if (a.area_um2 != b.area_um2) return a.area_um2 < b.area_um2;
        if (a.throughput_samples_per_s != b.throughput_samples_per_s)
            return a.throughput_samples_per_s > b.throughput_samples_per_s;
        return a.position < b.position;
    });
    std::vector<evaluated_design> front;
    for (const evaluated_design& d : sorted)
        if (d.throughput_samples_per_s > (front.empty() ? 0.0 : front.back().throughput_samples_per_s))
            front.push_back(d);
    return front;
}

} // namespace dovetail::search

namespace dovetail::search {

/// One search under way. Chips are evaluated in batches; within a batch the threads only take turns, so that
/// the answer does not depend on their number.
template <class Evaluator, class Observer>
class campaign {
public:
    campaign(const Evaluator& evaluate, const space_options& options, std::size_t total, Observer& observer)
        : evaluate_(&evaluate), time_limit_s_(options.time_limit_s), total_(total), observer_(&observer) {
        const std::size_t threads =
            options.threads > 0 ? static_cast<std::size_t>(options.threads) : hardware_threads();
        workers_.reserve(threads);
        for (std::size_t t = 0; t < threads; ++t) workers_.emplace_back(evaluate);
    }

    /// Evaluates `chips` under `settings`; one answer a chip. Fewer when the time limit ends it: then every
    /// chip of the answer is evaluated, and those behind it are not.
    [[nodiscard]] std::vector<evaluation> operator()(std::span<const hardware::kept_design> chips,
                                                     std::span<const setting> settings) {
        constexpr std::size_t batch = 256;
        std::vector<evaluation> answers;
        answers.reserve(chips.size());
        while (answers.size() < chips.size() && !out_of_time()) {
            const std::size_t begin = answers.size();
            const std::size_t count = std::min(batch, chips.size() - begin);
            answers.resize(begin + count);
            parallel_for(count, workers_.size(), 4, [&](std::size_t worker, std::size_t i) {
                answers[begin + i] = (*evaluate_)(chips[begin + i].chip, settings, workers_[worker]);
            });
            for (std::size_t i = begin; i < answers.size(); ++i)
                best_ = std::max(best_, answers[i].throughput_samples_per_s);
            done_ += count;
            notify(*observer_, progress{done_, total_, clock_.seconds(), best_});
        }
        return answers;
    }

    [[nodiscard]] bool out_of_time() const { return clock_.seconds() > time_limit_s_; }
    [[nodiscard]] double seconds() const { return clock_.seconds(); }

    /// The whole answer for one chip and one setting.
    [[nodiscard]] solution solve(const hardware::kept_design& design, const setting& s) {
        typename Evaluator::memory& m = workers_.front();
        solution found{.chip = design.chip,
                       .area_um2 = design.area_um2,
                       .throughput_samples_per_s = 0,
                       .setting = s,
                       .micro_batch = evaluate_->profile().micro_batches[s.micro_batch],
                       .problem = {},
                       .plan = (*evaluate_)(design.chip, s, m)};
        found.problem = m.problem();
        if (found.plan.outcome == status::optimal)
            found.throughput_samples_per_s =
                static_cast<double>(evaluate_->options().global_batch) / found.plan.time_per_batch_s;
        return found;
    }

    /// A chip with its best plan over `settings`; without one, the first setting's problem.
    [[nodiscard]] solution solve_best(const hardware::kept_design& design,
                                      std::span<const setting> settings) {
        const evaluation best = (*evaluate_)(design.chip, settings, workers_.front());
        return solve(design, settings[best.setting]);
    }

private:
    const Evaluator* evaluate_;
    std::vector<typename Evaluator::memory> workers_;
    stopwatch clock_;
    double time_limit_s_;
    std::size_t total_;
    Observer* observer_;
    std::size_t done_ = 0;
    double best_ = 0;
};

/// The better of two evaluated chips: more samples a second, then less area, then earlier in the grid.
[[nodiscard]] constexpr bool better(const evaluated_design& a, const evaluated_design& b) noexcept {
    if (a.throughput_samples_per_s != b.throughput_samples_per_s)
        return a.throughput_samples_per_s > b.throughput_samples_per_s;
    if (a.area_um2 != b.area_um2) return a.area_um2 < b.area_um2;
    return a.position < b.position;
}

} // namespace dovetail::search

/// \file
/// Why no plan fits, in a line.

namespace dovetail::search {

/// Names the constraint that no setting satisfies, from the setting that comes closest: too few devices for a
/// single replica, or the memory that the leanest plan needs and the stage that needs it.
/// \param problem the layers as priced for the smallest micro-batch; memory is the same for every chip
/// \complexity a few placements.
[[nodiscard]] inline std::string binding_constraint(placement::layer_graph problem,
                                                    std::span<const setting> settings) {
    placement::hbm_need least;
    double largest_offered = 0;
    for (const setting& s : settings) largest_offered = std::max(largest_offered, s.hbm_bytes);
    for (const bool recompute : {false, true}) {
        if (std::none_of(settings.begin(), settings.end(),
                         [&](const setting& s) { return s.recompute == recompute; }))
            continue;
        problem.recompute = recompute;
        const auto need = placement::smallest_hbm(problem);
        if (need && (least.fewest_devices == 0 || need->bytes < least.bytes)) least = *need;
    }
    if (least.binding() == placement::constraint::devices)
        return "devices: there are " + to_text(problem.devices) + ", and a single replica takes at least " +
               to_text(least.fewest_devices);
    const auto gib = [](double bytes) { return to_text(bytes / static_cast<double>(gibibyte), 6) + " GiB"; };
    return "memory: a device has at most " + gib(largest_offered) + ", and the leanest plan needs " +
           gib(least.bytes) + " for stage " + to_text(least.stage + 1) + " of " + to_text(least.stages);
}

} // namespace dovetail::search

namespace dovetail::search {

/// What a strategy found out about every candidate: its best evaluation, or nothing where it was left out.
using findings = std::vector<std::optional<evaluation>>;

/// Merges an evaluation of one setting into what is known of a chip; `setting` is its position among all.
inline void keep_best(std::optional<evaluation>& known, evaluation found, std::size_t setting) {
    found.setting = setting;
    if (!known || found.throughput_samples_per_s > known->throughput_samples_per_s) known = found;
}

/// Runs `explore(campaign, candidates, settings)`, which gives `findings`, and draws the conclusions: the
/// best chip, the reference chip with its own best plan, and what is proved. \returns errc::empty_space when
/// the family keeps no design, or the first option outside its range.
template <hardware::parameter_space Space, class Evaluator, class Observer, class Explore>
[[nodiscard]] result<outcome> run_strategy(std::string_view name, const Space& space,
                                           const Evaluator& evaluate, const space_options& options,
                                           Observer& observer, const Explore& explore) {
    if (auto valid = validate(options); !valid) return std::move(valid).problem();
    auto kept = hardware::kept_designs(space);
    if (!kept) return std::move(kept).problem();
    std::vector<hardware::kept_design> candidates;
    double smallest_um2 = std::numeric_limits<double>::infinity();
    for (const hardware::kept_design& design : *kept) {
        smallest_um2 = std::min(smallest_um2, design.area_um2);
        if (design.area_um2 <= options.max_area_mm2 * um2_per_mm2) candidates.push_back(design);
    }
    const std::vector<setting> settings = settings_of(evaluate.options());
    campaign<Evaluator, Observer> run(evaluate, options, candidates.size(), observer);

    outcome answer;
    answer.search.strategy = name;
    const auto reference_area = hardware::area_um2(space, space.reference());
    answer.baseline = run.solve_best({0, space.reference(), reference_area.value_or(0)}, settings);
    if (candidates.empty()) {
        answer.binding = "area: the limit is " + to_text(options.max_area_mm2, 6) +
                         " mm^2, the smallest chip of the family takes " +
                         to_text(smallest_um2 / um2_per_mm2, 6) + " mm^2";
        answer.search.complete = true;
        answer.search.seconds = run.seconds();
        return answer;
    }
    if (answer.baseline.plan.outcome == status::infeasible) {
        // Memory does not depend on the chip: where no plan fits on one, none fits on any. The smallest
        // micro-batch needs least of it.
        const auto& sizes = evaluate.profile().micro_batches;
        const auto leanest =
            std::min_element(settings.begin(), settings.end(), [&](const auto& a, const auto& b) {
                return sizes[a.micro_batch] < sizes[b.micro_batch];
            });
        const solution closest = run.solve({0, space.reference(), answer.baseline.area_um2}, *leanest);
        answer.binding = binding_constraint(closest.problem, settings);
        answer.search.pruned = candidates.size();
        answer.search.complete = true;
        answer.search.seconds = run.seconds();
        return answer;
    }

    const findings found =
        explore(run, std::span<const hardware::kept_design>(candidates), std::span<const setting>(settings));
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (!found[i]) continue;
        answer.designs.push_back(
            {candidates[i].position, candidates[i].area_um2, found[i]->throughput_samples_per_s});
        if (found[i]->feasible() &&
            (!best || better(answer.designs.back(), {candidates[*best].position, candidates[*best].area_um2,
                                                     found[*best]->throughput_samples_per_s})))
            best = i;
    }
    answer.search.evaluated = answer.designs.size();
    answer.search.pruned = candidates.size() - answer.designs.size();
    answer.search.complete = answer.search.pruned == 0;
    if (best) {
        answer.best = run.solve(candidates[*best], settings[found[*best]->setting]);
        answer.status = answer.search.complete ? status::optimal
                        : run.out_of_time()    ? status::budget
                                               : status::feasible;
    } else {
        answer.status = answer.search.complete ? status::infeasible : status::budget;
    }
    answer.search.seconds = run.seconds();
    return answer;
}

} // namespace dovetail::search

namespace dovetail::search {

/// For each setting by itself, walks over buckets of 10,000 um^2 from the largest and stops once the best
/// throughputs of the last `hysteresis` buckets do not rise from one to the next (Wang et al., ICML 2024).
/// Fast, and without any proof: near the area cap most buckets hold a single design.
struct area_ordered {
    static constexpr std::string_view name = "area-ordered";
    static constexpr double bucket_um2 = 10'000;
    space_options options = {};

    /// \returns as `run_strategy`.
    template <hardware::parameter_space Space, class Evaluator, class Observer = silent>
    [[nodiscard]] result<outcome> operator()(const Space& space, const Evaluator& evaluate,
                                             Observer&& observer = {}) const {
        return run_strategy(name, space, evaluate, options, observer,
                            [&](auto& run, std::span<const hardware::kept_design> designs,
                                std::span<const setting> settings) {
                                findings found(designs.size());
                                const std::vector<std::size_t> order = from_large_to_small(designs);
                                for (std::size_t s = 0; s < settings.size() && !run.out_of_time(); ++s)
                                    walk(run, designs, order, settings.subspan(s, 1), s, found);
                                return found;
                            });
    }

private:
    [[nodiscard]] static std::int64_t bucket(const hardware::kept_design& design) {
        return static_cast<std::int64_t>(std::floor(design.area_um2 / bucket_um2));
    }

    [[nodiscard]] static std::vector<std::size_t>
    from_large_to_small(std::span<const hardware::kept_design> designs) {
        std::vector<std::size_t> order(designs.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return bucket(designs[a]) > bucket(designs[b]);
        });
        return order;
    }

    template <class Campaign>
    void walk(Campaign& run, std::span<const hardware::kept_design> designs,
              std::span<const std::size_t> order, std::span<const setting> only, std::size_t position,
              findings& found) const {
        constexpr double infeasible = -1;
        std::vector<double> bests;
        std::vector<hardware::kept_design> members;
        for (std::size_t begin = 0; begin < order.size();) {
            std::size_t end = begin;
            members.clear();
            while (end < order.size() && bucket(designs[order[end]]) == bucket(designs[order[begin]]))
                members.push_back(designs[order[end++]]);
            const std::vector<evaluation> answers = run(members, only);
            if (answers.size() < members.size()) return; // out of time
            double best = infeasible;
            for (std::size_t i = 0; i < answers.size(); ++i) {
                keep_best(found[order[begin + i]], answers[i], position);
                if (answers[i].feasible()) best = std::max(best, answers[i].throughput_samples_per_s);
            }
            bests.push_back(best);
            if (stopped_rising(bests)) return;
            begin = end;
        }
    }

    [[nodiscard]] bool stopped_rising(std::span<const double> bests) const {
        const auto window = static_cast<std::size_t>(options.hysteresis);
        if (bests.size() < window) return false;
        const auto last = bests.last(window);
        return std::is_sorted(last.rbegin(), last.rend());
    }
};

} // namespace dovetail::search

/// \file
/// Where the time of a batch goes, and what every stage of the pipeline spends it on.

namespace dovetail::search {

/// The seconds of one batch, by what they are spent on; they add up to the plan's time per batch.
struct batch_breakdown {
    double forward_s = 0;
    double backward_s = 0;
    double recompute_s = 0;
    double transfer_s = 0;  ///< waiting for activations and gradients between stages
    double bubble_s = 0;    ///< filling and draining the pipeline
    double reduction_s = 0; ///< adding up gradients over the replicas
    double update_s = 0;    ///< the optimizer's step

    [[nodiscard]] double total_s() const noexcept {
        return forward_s + backward_s + recompute_s + transfer_s + bubble_s + reduction_s + update_s;
    }
};

/// The layers of a problem as the plan's tensor width makes them. The plan must be a plan of the problem.
[[nodiscard]] inline const placement::width_costs& costs_of(const placement::layer_graph& problem,
                                                            const placement::plan& plan) {
    const auto found = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const auto& costs) { return costs.width == plan.tensor_parallel; });
    DOVETAIL_ASSERT(found != problem.widths.end(), "the plan's width is one of the problem's");
    return *found;
}

/// The passes of one micro-batch through every stage; together they are the stage's load.
[[nodiscard]] inline std::vector<placement::stage_times> times_of(const placement::layer_graph& problem,
                                                                  const placement::plan& plan) {
    const placement::width_costs& costs = costs_of(problem, plan);
    std::vector<placement::stage_times> times;
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        const auto layers = plan.layers(s);
        double forward_s = 0;
        for (const graph::index v : layers) forward_s += costs.layers[v].forward_s;
        for (std::size_t e = 0; e < problem.edges.size(); ++e)
            if (problem.edges[e].target == layers.front() && layers.front() != 0)
                forward_s += costs.edge_bytes[e] / problem.link_bytes_per_s;
        forward_s = std::min(forward_s, plan.stages[s].load_s);
        times.push_back({.forward_s = forward_s, .backward_s = plan.stages[s].load_s - forward_s});
    }
    return times;
}

/// Splits the time of a batch: the heaviest stage sets the pace, the slowest reduction and update end it.
[[nodiscard]] inline batch_breakdown break_down(const placement::layer_graph& problem,
                                                const placement::plan& plan) {
    const placement::width_costs& costs = costs_of(problem, plan);
    const std::size_t pace = plan.heaviest_stage();
    const bool last = pace + 1 == plan.stages.size();
    const auto batches = static_cast<double>(ceil_div(problem.micro_batches, plan.data_parallel));
    batch_breakdown parts;
    for (const graph::index v : plan.layers(pace)) {
        parts.forward_s += costs.layers[v].forward_s * batches;
        parts.backward_s += costs.layers[v].backward_s * batches;
    }
    if (problem.recompute && !last) parts.recompute_s = parts.forward_s;
    parts.transfer_s = std::max(0.0, plan.stages[pace].load_s * batches - parts.forward_s - parts.backward_s -
                                         parts.recompute_s);
    parts.bubble_s = plan.stages[pace].load_s * static_cast<double>(plan.stages.size() - 1);

    const auto slowest = std::max_element(plan.stages.begin(), plan.stages.end(),
                                          [](const auto& a, const auto& b) { return a.tail_s < b.tail_s; });
    for (const graph::index v : plan.layers(static_cast<std::size_t>(slowest - plan.stages.begin())))
        parts.update_s += costs.layers[v].update_s;
    parts.update_s = std::min(parts.update_s, slowest->tail_s);
    parts.reduction_s = slowest->tail_s - parts.update_s;
    return parts;
}

} // namespace dovetail::search

/// \file
/// Every design of a family.

namespace dovetail::search {

/// Evaluates all designs that the family keeps, each under every setting. Optimal when it is not cut short.
struct exhaustive {
    static constexpr std::string_view name = "exhaustive";
    space_options options = {};

    /// \returns as `run_strategy`.
    template <hardware::parameter_space Space, class Evaluator, class Observer = silent>
    [[nodiscard]] result<outcome> operator()(const Space& space, const Evaluator& evaluate,
                                             Observer&& observer = {}) const {
        return run_strategy(
            name, space, evaluate, options, observer,
            [](auto& run, std::span<const hardware::kept_design> designs, std::span<const setting> settings) {
                const std::vector<evaluation> answers = run(designs, settings);
                findings found(designs.size());
                for (std::size_t i = 0; i < answers.size(); ++i) found[i] = answers[i];
                return found;
            });
    }
};

} // namespace dovetail::search

/// \file
/// One numbering for the groups of a pass, so that equal layers have equal profiles.

namespace dovetail::search {

namespace detail {

[[nodiscard]] inline std::uint64_t hash_work(const workload::operator_work& work) {
    std::uint64_t hash = 0;
    for (const std::int64_t extent :
         {work.product.batch, work.product.rows, work.product.reduction, work.product.columns})
        hash = hash_append(hash, static_cast<std::uint64_t>(extent));
    for (const double amount : {work.lane_cycles, work.product_operand_elements, work.product_result_elements,
                                work.read_elements, work.written_elements, work.reduced_elements})
        hash = hash_append(hash, std::bit_cast<std::uint64_t>(amount));
    return hash;
}

/// Colours every vertex by its own colour and those of all that lead to it, whatever their order.
template <class Before>
[[nodiscard]] std::vector<std::uint64_t> refine(std::span<const graph::index> order,
                                                const std::vector<std::uint64_t>& own, const Before& before) {
    std::vector<std::uint64_t> colour = own;
    std::vector<std::uint64_t> around;
    for (const graph::index v : order) {
        around.clear();
        for (const graph::index u : before(v)) around.push_back(colour[u]);
        std::sort(around.begin(), around.end());
        for (const std::uint64_t c : around) colour[v] = hash_append(colour[v], c);
    }
    return colour;
}

} // namespace detail

/// Numbers the groups by their depth and then by what they ask and what surrounds them. Groups that this
/// leaves equal are interchangeable, so that layers of equal structure get equal profiles however their
/// operations were numbered. \complexity O(arcs log arcs).
[[nodiscard]] inline pass_profile in_canonical_order(const pass_profile& pass) {
    const std::size_t n = pass.groups.size();
    const graph::digraph& g = pass.precedence;
    const auto sorted = graph::topological_order(g);
    DOVETAIL_ASSERT(sorted, "the groups of a pass are acyclic");
    const std::vector<graph::index>& order = *sorted;
    const std::vector<graph::index> reversed(order.rbegin(), order.rend());
    std::vector<std::uint64_t> own;
    for (const workload::operator_work& work : pass.groups) own.push_back(detail::hash_work(work));
    const auto above = detail::refine(order, own, [&](graph::index v) { return g.predecessors(v); });
    const auto below = detail::refine(reversed, above, [&](graph::index v) { return g.successors(v); });
    std::vector<graph::index> depth(n, 0);
    for (const graph::index v : order)
        for (const graph::index w : g.successors(v)) depth[w] = std::max(depth[w], depth[v] + 1);

    // Level by level, so that groups which look alike follow the order of those that they wait for.
    std::vector<std::vector<graph::index>> levels(n);
    for (graph::index v = 0; v < n; ++v) levels[depth[v]].push_back(v);
    std::vector<graph::index> rank(n);
    std::vector<std::vector<graph::index>> ranks_before(n);
    pass_profile ordered;
    for (std::vector<graph::index>& level : levels) {
        for (const graph::index v : level) {
            for (const graph::index u : g.predecessors(v)) ranks_before[v].push_back(rank[u]);
            std::sort(ranks_before[v].begin(), ranks_before[v].end());
        }
        std::sort(level.begin(), level.end(), [&](graph::index a, graph::index b) {
            return std::tie(below[a], ranks_before[a], a) < std::tie(below[b], ranks_before[b], b);
        });
        for (const graph::index v : level) {
            rank[v] = static_cast<graph::index>(ordered.groups.size());
            ordered.groups.push_back(pass.groups[v]);
            ordered.names.push_back(pass.names[v]);
        }
    }
    std::vector<graph::arc> arcs;
    for (const graph::arc& a : g.arcs()) arcs.push_back({rank[a.source], rank[a.target]});
    std::sort(arcs.begin(), arcs.end(), [](const graph::arc& a, const graph::arc& b) {
        return std::tuple(a.source, a.target) < std::tuple(b.source, b.target);
    });
    ordered.precedence = graph::digraph(n, arcs);
    return ordered;
}

} // namespace dovetail::search

/// \file
/// From an operator graph to what a search needs of it: layers, their passes, their memory.

namespace dovetail::search {

namespace detail {

using workload::index;
using workload::operator_graph;
using workload::phase;

/// What a group is called in a picture: the type of its leading operator, and which gradient it is.
[[nodiscard]] inline std::string group_name(const workload::operation& op) {
    std::string name(workload::descriptor(op.type).name);
    if (op.phase == phase::input_gradient) name += " dX";
    if (op.phase == phase::weight_gradient) name += " dW";
    return name;
}

[[nodiscard]] inline pass_profile profile_pass(const operator_graph& g, const workload::fusion& fused,
                                               const workload::layer_pass& pass,
                                               const workload::demand& price) {
    pass_profile profile;
    for (const index k : pass.groups) {
        profile.groups.push_back(price(fused.groups[k].operations));
        profile.names.push_back(group_name(g.operations[fused.groups[k].head]));
    }
    profile.precedence = pass.precedence;
    return in_canonical_order(profile);
}

/// Distinct trained elements that every layer uses; a layer that shares a tensor has a copy of it.
[[nodiscard]] inline std::vector<double>
parameters_by_layer(const operator_graph& g, std::span<const index> labels, std::size_t layers) {
    std::vector<std::vector<index>> used(layers);
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].inputs)
            if (t != workload::none && g.tensors[t].role == workload::tensor_role::parameter)
                used[labels[v]].push_back(t);
    std::vector<double> parameters(layers, 0.0);
    for (std::size_t l = 0; l < layers; ++l) {
        std::sort(used[l].begin(), used[l].end());
        used[l].erase(std::unique(used[l].begin(), used[l].end()), used[l].end());
        for (const index t : used[l]) parameters[l] += static_cast<double>(g.tensors[t].elements());
    }
    return parameters;
}

[[nodiscard]] inline bool same_pass(const pass_profile& a, const pass_profile& b) {
    return a.groups == b.groups && std::equal(a.precedence.arcs().begin(), a.precedence.arcs().end(),
                                              b.precedence.arcs().begin(), b.precedence.arcs().end());
}

/// Whether two layers cost the same on every chip.
[[nodiscard]] inline bool same_costs(const layer_profile& a, const layer_profile& b) {
    return a.parameters == b.parameters && a.working_elements == b.working_elements &&
           a.stash_elements == b.stash_elements && a.mask_elements == b.mask_elements &&
           a.tensor_parallel == b.tensor_parallel && same_pass(a.forward, b.forward) &&
           same_pass(a.backward, b.backward);
}

/// The profile of one slice of the whole graph `g`, whose layers are known.
[[nodiscard]] inline slice_profile profile_slice(const operator_graph& g,
                                                 const workload::layer_structure& layers,
                                                 const workload::tensor_slice& slice, std::int64_t width) {
    std::vector<index> forward_labels;
    for (const index origin : slice.origin) forward_labels.push_back(layers.layer_of[origin]);
    const operator_graph training = workload::training_graph(slice.graph);
    const std::vector<index> labels = workload::training_labels(training, forward_labels);
    const workload::fusion fused = workload::fuse(training, labels);
    const workload::demand price(training);
    const std::size_t count = layers.layers.size();
    auto forward = workload::passes(training, fused, labels, phase::forward, phase::forward);
    auto backward = workload::passes(training, fused, labels, phase::input_gradient, phase::weight_gradient);
    auto kept = workload::stash(training, labels);
    auto working = workload::working_elements(training, labels);
    forward.resize(count);
    backward.resize(count);
    kept.resize(count);
    working.resize(count);
    const std::vector<double> parameters = parameters_by_layer(slice.graph, forward_labels, count);
    std::vector<bool> split(count, false);
    for (index v = 0; v < slice.sharded.size(); ++v)
        if (slice.sharded[v]) split[forward_labels[v]] = true;

    slice_profile profile{.micro_batch = g.batch,
                          .tensor_width = width,
                          .structures = {},
                          .chain = {},
                          .boundary_elements = {}};
    for (std::size_t l = 0; l < count; ++l) {
        layer_profile layer{.forward = profile_pass(training, fused, forward[l], price),
                            .backward = profile_pass(training, fused, backward[l], price),
                            .parameters = parameters[l],
                            .working_elements = working[l],
                            .stash_elements = kept[l].elements,
                            .mask_elements = kept[l].mask_elements,
                            .tensor_parallel = split[l]};
        const auto same = std::find_if(profile.structures.begin(), profile.structures.end(),
                                       [&](const layer_profile& other) { return same_costs(layer, other); });
        profile.chain.push_back(static_cast<index>(same - profile.structures.begin()));
        if (same == profile.structures.end()) profile.structures.push_back(std::move(layer));
    }
    for (const std::vector<index>& crossing : layers.boundaries) {
        double elements = 0;
        for (const index t : crossing) elements += static_cast<double>(g.tensors[t].elements());
        profile.boundary_elements.push_back(elements);
    }
    return profile;
}

} // namespace detail

/// Prepares `model`, a forward graph whose composites are recognised, for a search with `options`. Tensor
/// widths that do not divide the attention heads are left out, as are all but 1 for a model without
/// attention. \returns the first error of rescaling the batch or of slicing the model where no width is left.
/// \complexity micro-batches x widths x O(operands log operands).
[[nodiscard]] inline result<workload_profile> profile_workload(const workload::operator_graph& model,
                                                               const plan_options& options) {
    if (auto valid = validate(options); !valid) return std::move(valid).problem();
    workload_profile profile{.model = model.name,
                             .layer_names = {},
                             .micro_batches = options.micro_batches,
                             .tensor_widths = {},
                             .slices = {}};
    std::vector<std::int64_t> widths = options.tensor_widths;
    std::sort(widths.begin(), widths.end());
    widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
    std::optional<error> refused;
    for (const std::int64_t width : widths) {
        auto slice = workload::tensor_parallel(model, width);
        if (slice)
            profile.tensor_widths.push_back(width);
        else if (!refused)
            refused = std::move(slice).problem();
    }
    if (profile.tensor_widths.empty()) return *std::move(refused);

    for (const std::int64_t micro_batch : options.micro_batches) {
        auto scaled = workload::with_batch(model, micro_batch);
        if (!scaled) return std::move(scaled).problem();
        const workload::layer_structure layers = workload::detect_layers(*scaled, workload::fuse(*scaled));
        if (profile.layer_names.empty())
            for (std::size_t l = 0; l < layers.layers.size(); ++l) profile.layer_names.push_back(to_text(l));
        for (const std::int64_t width : profile.tensor_widths) {
            auto slice = workload::tensor_parallel(*scaled, width);
            if (!slice) return std::move(slice).problem();
            profile.slices.push_back(detail::profile_slice(*scaled, layers, *slice, width));
        }
    }
    return profile;
}

} // namespace dovetail::search

/// \file
/// A seeded sample of a family: the baseline that any cleverer strategy must beat.

namespace dovetail::search {

/// Evaluates `options.samples` designs drawn without replacement, each under every setting.
struct random_sample {
    static constexpr std::string_view name = "random";
    space_options options = {};

    /// \returns as `run_strategy`.
    template <hardware::parameter_space Space, class Evaluator, class Observer = silent>
    [[nodiscard]] result<outcome> operator()(const Space& space, const Evaluator& evaluate,
                                             Observer&& observer = {}) const {
        return run_strategy(name, space, evaluate, options, observer,
                            [&](auto& run, std::span<const hardware::kept_design> designs,
                                std::span<const setting> settings) {
                                const std::vector<std::size_t> drawn = draw(designs.size());
                                std::vector<hardware::kept_design> sample;
                                for (const std::size_t i : drawn) sample.push_back(designs[i]);
                                const std::vector<evaluation> answers = run(sample, settings);
                                findings found(designs.size());
                                for (std::size_t i = 0; i < answers.size(); ++i) found[drawn[i]] = answers[i];
                                return found;
                            });
    }

private:
    // The first entries of a Fisher-Yates shuffle.
    [[nodiscard]] std::vector<std::size_t> draw(std::size_t population) const {
        random_source random(options.seed);
        std::vector<std::size_t> drawn(population);
        std::iota(drawn.begin(), drawn.end(), std::size_t{0});
        const std::size_t count = std::min(population, static_cast<std::size_t>(options.samples));
        for (std::size_t i = 0; i < count; ++i) {
            const auto last = static_cast<std::int64_t>(population - 1);
            std::swap(drawn[i],
                      drawn[static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(i), last))]);
        }
        drawn.resize(count);
        return drawn;
    }
};

} // namespace dovetail::search

/// \file
/// The winner seen closely: the operator schedules of its layers.

namespace dovetail::search {

/// One group of operators on the cores that it holds.
struct scheduled_group {
    std::string name;
    double start_s = 0;
    double end_s = 0;
    std::vector<std::int32_t> tensor_cores;
    std::vector<std::int32_t> vector_cores;
    bool link = false;
};

/// The schedule of one pass through one layer.
struct scheduled_pass {
    pass_time time;
    std::vector<scheduled_group> groups; ///< in the order of their starts
};

/// Schedules one pass on a chip and gives every group its cores.
template <cost::latency_model Model>
[[nodiscard]] scheduled_pass schedule_pass(const pass_profile& pass, const Model& model,
                                           const hardware::accelerator& chip, const tensor_group& group) {
    pass_timer timer(pass);
    schedule::workspace memory;
    scheduled_pass scheduled{.time = timer(model, chip, group, memory), .groups = {}};
    const schedule::schedule best = schedule::list_scheduler{}(timer.tasks(), memory).best;
    const schedule::core_assignment cores = schedule::assign_cores(timer.tasks(), best);
    const auto held = [&](graph::index v, resource r) {
        const auto numbers = cores.units(v, static_cast<std::size_t>(r));
        return std::vector<std::int32_t>(numbers.begin(), numbers.end());
    };
    for (graph::index v = 0; v < pass.groups.size(); ++v) {
        const double duration_s = timer.tasks().modes(v)[best.mode[v]].duration_s;
        if (!(duration_s > 0)) continue;
        scheduled.groups.push_back({.name = pass.names[v],
                                    .start_s = best.start_s[v],
                                    .end_s = best.start_s[v] + duration_s,
                                    .tensor_cores = held(v, resource::tensor_core),
                                    .vector_cores = held(v, resource::vector_core),
                                    .link = !held(v, resource::link).empty()});
    }
    std::stable_sort(scheduled.groups.begin(), scheduled.groups.end(),
                     [](const auto& a, const auto& b) { return a.start_s < b.start_s; });
    return scheduled;
}

/// The slice of the model that a solution runs.
[[nodiscard]] inline const slice_profile& slice_of(const workload_profile& profile, const solution& found) {
    const auto width =
        std::find(profile.tensor_widths.begin(), profile.tensor_widths.end(), found.plan.tensor_parallel);
    return profile.slice(found.setting.micro_batch,
                         static_cast<std::size_t>(width - profile.tensor_widths.begin()));
}

/// The structure whose layers take most of the time of a micro-batch.
[[nodiscard]] inline graph::index heaviest_structure(const slice_profile& slice,
                                                     const placement::width_costs& costs) {
    std::vector<double> seconds(slice.structures.size(), 0.0);
    for (std::size_t i = 0; i < slice.chain.size(); ++i)
        seconds[slice.chain[i]] += costs.layers[i].forward_s + costs.layers[i].backward_s;
    return static_cast<graph::index>(std::max_element(seconds.begin(), seconds.end()) - seconds.begin());
}

} // namespace dovetail::search

/// \file
/// Outcomes for people and programs to read.

/// \file
/// Axes: round tick values, and the map from values to pixels.

/// \file
/// Numbers as people read them.

namespace dovetail::report {

/// `value` rounded to `digits` significant digits, and to no fewer than its whole part has: plain, without
/// needless zeros, with a comma between thousands ("33,427.1"). Below 1e-6 and from 1e15 on as `to_text`.
[[nodiscard]] inline std::string readable(double value, int digits) {
    const double size = std::abs(value);
    if (value == 0) return "0";
    if (!(size >= 1e-6 && size < 1e15)) return to_text(value, digits);
    const int whole =
        static_cast<int>(std::floor(std::log10(size))) + 1; // digits of it; below 1 of a fraction
    const int decimals = digits > whole ? digits - whole : 0;
    std::array<char, 64> buffer;
    const auto [end, code] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), size, std::chars_format::fixed, decimals);
    if (code != std::errc{}) return to_text(value);
    std::string text(buffer.data(), end);
    if (decimals > 0) text.resize(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    std::size_t place = text.find('.') == std::string::npos ? text.size() : text.find('.');
    for (; place > 3; place -= 3) text.insert(place - 3, 1, ',');
    return value < 0 ? '-' + text : text;
}

} // namespace dovetail::report

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
        text_ =
            "<svg viewBox=\"0 0 " + w + ' ' + h + "\" role=\"img\"><title>" + escaped(title) + "</title>\n";
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
        picture.label({left - 6, y + 4}, readable(tick, 6), "tick", "end");
    }
    for (const double tick : horizontal.ticks()) {
        const double x = horizontal.pixel(tick);
        picture.line({x, bottom}, {x, bottom + 4}, "grid");
        picture.label({x, bottom + 17}, readable(tick, 6), "tick", "middle");
    }
    picture.label({(left + right) / 2, bottom + 36}, horizontal_name, "name", "middle");
    picture.upright_label({left - 56, (top + bottom) / 2}, vertical_name, "name");
}

} // namespace dovetail::report

/// \file
/// The four pictures of a joint search.

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
        picture.label({x, bottom + 15}, readable(tick, 6), "tick", "middle");
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

namespace detail {

/// Where the label of a mark at `p` goes: beside it, and above or below by as much as keeps it inside `frame`
/// and off the labels in `occupied`; above where nothing is free.
[[nodiscard]] inline box place_of_label(point p, std::string_view words, bool to_the_left, const box& frame,
                                        std::span<const box> occupied) {
    constexpr double pixels_a_letter = 7;
    constexpr double height = 15;
    const double width = pixels_a_letter * static_cast<double>(words.size());
    box place{to_the_left ? p.x - 9 - width : p.x + 9, 0, width, height};
    const auto overlaps = [&](const box& other) {
        return place.x < other.x + other.width && other.x < place.x + place.width &&
               place.y < other.y + other.height && other.y < place.y + place.height;
    };
    for (const double offset : {-19.0, 4.0, -34.0, 19.0, -49.0, 34.0}) {
        place.y = p.y + offset;
        if (place.y >= frame.y && place.y + height <= frame.y + frame.height &&
            std::none_of(occupied.begin(), occupied.end(), overlaps))
            return place;
    }
    place.y = std::max(frame.y, p.y - 19);
    return place;
}

} // namespace detail

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
    std::vector<box> occupied;
    for (const marked_sample& m : chart.marks) {
        const point p{horizontal.pixel(m.at.x), vertical.pixel(m.at.y)};
        picture.circle(p, 5, m.style, m.label);
        const bool to_the_left = p.x > (left + right) / 2;
        const box place = detail::place_of_label(p, m.label, to_the_left,
                                                 {left, top, right - left, bottom - top}, occupied);
        occupied.push_back(place);
        picture.label({place.x + (to_the_left ? place.width : 0.0), place.y + 11}, m.label, "mark",
                      to_the_left ? "end" : "start");
    }
    return std::move(picture).take();
}

} // namespace dovetail::report

namespace dovetail::report {

/// What to call the chip that others are compared with.
[[nodiscard]] inline std::string reference_name(const search::outcome& outcome) {
    return outcome.baseline.chip == hardware::tpuv4_like ? "TPUv4-like" : "reference";
}

/// Throughput against area: every design, the frontier, the best and the reference.
[[nodiscard]] inline std::string throughput_against_area(const search::outcome& outcome) {
    const auto at = [](double area_um2, double throughput) {
        return sample{area_um2 / um2_per_mm2, throughput};
    };
    std::vector<sample> cloud;
    for (const search::evaluated_design& d : outcome.designs)
        cloud.push_back(at(d.area_um2, d.throughput_samples_per_s));
    std::vector<sample> front;
    for (const search::evaluated_design& d : search::frontier(outcome.designs))
        front.push_back(at(d.area_um2, d.throughput_samples_per_s));
    std::vector<marked_sample> marks;
    if (outcome.baseline.feasible())
        marks.push_back(
            {at(outcome.baseline.area_um2, outcome.baseline.throughput_samples_per_s), "reference",
             reference_name(outcome) + ": " + readable(outcome.baseline.throughput_samples_per_s, 4)});
    if (outcome.best.feasible())
        marks.push_back({at(outcome.best.area_um2, outcome.best.throughput_samples_per_s), "best",
                         "best: " + readable(outcome.best.throughput_samples_per_s, 4)});
    return draw(scatter{.title = "Throughput against chip area",
                        .x_name = "chip area [mm²]",
                        .y_name = "throughput [samples/s]",
                        .cloud = cloud,
                        .frontier = front,
                        .marks = marks});
}

/// The first micro-batches of a batch through the pipeline: enough of them to see it fill, run and drain.
[[nodiscard]] inline std::string pipeline_timeline(const search::solution& found) {
    const auto times = search::times_of(found.problem, found.plan);
    const auto all =
        static_cast<std::size_t>(ceil_div(found.problem.micro_batches, found.plan.data_parallel));
    const std::size_t shown = std::min(all, 2 * times.size() + 4);
    std::vector<std::string> rows;
    for (std::size_t s = 0; s < times.size(); ++s) rows.push_back("stage " + to_text(s + 1));
    std::vector<bar> bars;
    const auto timeline = placement::simulate(placement::one_forward_one_backward{}, times, shown);
    for (const auto& passes : timeline.devices)
        for (const placement::pipeline_pass& pass : passes) {
            const std::string kind = pass.kind == placement::pass_kind::forward ? "forward" : "backward";
            bars.push_back({.row = pass.stage,
                            .rows = 1,
                            .start = pass.start_s * 1e3,
                            .end = pass.end_s * 1e3,
                            .style = kind,
                            .label = to_text(pass.micro_batch + 1),
                            .hint = kind + " pass of micro-batch " + to_text(pass.micro_batch + 1) + ": " +
                                    readable((pass.end_s - pass.start_s) * 1e3, 4) + " ms"});
        }
    return gantt("The pipeline's timeline", rows, bars,
                 "time [ms], " + to_text(shown) + " of " + to_text(all) + " micro-batches");
}

/// What fills the memory of every stage, against the HBM of a device.
[[nodiscard]] inline std::string memory_by_stage(const search::solution& found) {
    const placement::width_costs& costs = search::costs_of(found.problem, found.plan);
    const auto gib = [](double bytes) { return bytes / static_cast<double>(gibibyte); };
    std::vector<std::string> rows;
    std::vector<bar> bars;
    for (std::size_t s = 0; s < found.plan.stages.size(); ++s) {
        rows.push_back("stage " + to_text(s + 1));
        double resident = 0;
        for (const graph::index v : found.plan.layers(s)) resident += costs.layers[v].resident_bytes;
        const double total = found.plan.stages[s].memory_bytes;
        bars.push_back({s, 1, 0, gib(resident), "resident", "weights, gradients, optimizer",
                        readable(gib(resident), 4) + " GiB of weights, gradients and optimizer state"});
        bars.push_back({s, 1, gib(resident), gib(total), "activation", "activations",
                        readable(gib(total - resident), 4) + " GiB of activations"});
        bars.push_back({s, 1, gib(total), gib(found.setting.hbm_bytes), "unused", "",
                        readable(gib(found.setting.hbm_bytes - total), 4) + " GiB free"});
    }
    return gantt("Memory of every stage", rows, bars,
                 "memory of a device [GiB]; HBM " + readable(gib(found.setting.hbm_bytes), 4) + " GiB");
}

/// One pass through a layer, by core. Cores that hold nothing are left out; runs of cores that hold the same
/// are one row.
[[nodiscard]] inline std::string operator_schedule(std::string_view title,
                                                   const search::scheduled_pass& pass) {
    // Cores of one type that run the same groups at the same times share a row.
    std::vector<std::pair<std::vector<std::size_t>, std::vector<std::int32_t>>> kinds[2];
    bool link = false;
    const auto collect = [&](std::size_t type, auto member) {
        std::int32_t highest = -1;
        for (const auto& g : pass.groups)
            for (const std::int32_t c : g.*member) highest = std::max(highest, c);
        for (std::int32_t core = 0; core <= highest; ++core) {
            std::vector<std::size_t> runs;
            for (std::size_t i = 0; i < pass.groups.size(); ++i) {
                const auto& held = pass.groups[i].*member;
                if (std::find(held.begin(), held.end(), core) != held.end()) runs.push_back(i);
            }
            const auto same = std::find_if(kinds[type].begin(), kinds[type].end(),
                                           [&](const auto& kind) { return kind.first == runs; });
            if (same == kinds[type].end())
                kinds[type].push_back({std::move(runs), {core}});
            else
                same->second.push_back(core);
        }
    };
    collect(0, &search::scheduled_group::tensor_cores);
    collect(1, &search::scheduled_group::vector_cores);
    std::vector<std::string> rows;
    std::vector<bar> bars;
    const auto add = [&](const search::scheduled_group& g, std::size_t row, std::string_view style) {
        bars.push_back({row, 1, g.start_s * 1e6, g.end_s * 1e6, std::string(style), g.name,
                        g.name + ": " + readable((g.end_s - g.start_s) * 1e6, 4) + " µs"});
    };
    for (std::size_t type = 0; type < 2; ++type)
        for (const auto& [runs, cores] : kinds[type]) {
            const std::string many = to_text(cores.size());
            rows.push_back((type == 0 ? "tensor " : "vector ") +
                           (cores.size() == 1 ? to_text(cores.front() + 1) : "×" + many));
            for (const std::size_t i : runs)
                add(pass.groups[i], rows.size() - 1, type == 0 ? "tensor" : "vector");
        }
    for (const auto& g : pass.groups) link = link || g.link;
    if (link) {
        rows.push_back("link");
        for (const auto& g : pass.groups)
            if (g.link) add(g, rows.size() - 1, "link");
    }
    return gantt(title, rows, bars, "time [µs]");
}

} // namespace dovetail::report

/// \file
/// The outcome of a joint search as JSON, with the keys that scripts rely on.

namespace dovetail::report {

namespace detail {

inline void write_accelerator(json_writer& json, const hardware::accelerator& chip, double area_um2) {
    json.begin_object()
        .member("num_tc", chip.num_tc)
        .member("num_vc", chip.num_vc)
        .member("width", chip.width)
        .member("depth", chip.depth)
        .member("width_vc", chip.width_vc)
        .member("glb_bytes", chip.glb_bytes)
        .member("area_um2", area_um2)
        .end_object();
}

inline void write_plan(json_writer& json, const search::solution& found) {
    const placement::plan& plan = found.plan;
    json.begin_object().key("stages").begin_array();
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        const placement::stage& stage = plan.stages[s];
        json.begin_object().key("layers").begin_array();
        for (const graph::index v : plan.layers(s)) json.value(v);
        json.end_array()
            .member("devices", stage.devices)
            .member("load_s", stage.load_s)
            .member("memory_bytes", stage.memory_bytes)
            .end_object();
    }
    json.end_array()
        .member("data_parallel", plan.data_parallel)
        .member("tensor_parallel", plan.tensor_parallel)
        .member("micro_batch", found.micro_batch)
        .member("recompute", found.setting.recompute)
        .member("hbm_bytes", found.setting.hbm_bytes)
        .member("time_per_batch_s", plan.time_per_batch_s)
        .end_object();
}

inline void write_breakdown(json_writer& json, const search::batch_breakdown& parts) {
    json.begin_object()
        .member("forward", parts.forward_s)
        .member("backward", parts.backward_s)
        .member("recompute", parts.recompute_s)
        .member("transfer", parts.transfer_s)
        .member("bubble", parts.bubble_s)
        .member("reduction", parts.reduction_s)
        .member("update", parts.update_s)
        .end_object();
}

/// A chip and its plan; null where there is none.
inline void write_solution(json_writer& json, const search::solution& found) {
    if (!found.feasible()) {
        json.null();
        return;
    }
    json.begin_object().key("accelerator");
    write_accelerator(json, found.chip, found.area_um2);
    json.key("plan");
    write_plan(json, found);
    json.key("breakdown_s");
    write_breakdown(json, search::break_down(found.problem, found.plan));
    json.member("throughput_samples_per_s", found.throughput_samples_per_s).end_object();
}

} // namespace detail

/// Writes the outcome of a search of `profile`. Numbers are in SI units or bytes, as their names say; `best`
/// and `baseline` are null where no plan fits.
[[nodiscard]] inline std::string to_json(const search::outcome& outcome,
                                         const search::workload_profile& profile) {
    json_writer json;
    json.begin_object()
        .member("status", to_string(outcome.status))
        .member("model", profile.model)
        .key("best");
    detail::write_solution(json, outcome.best);
    json.key("baseline");
    detail::write_solution(json, outcome.baseline);
    json.key("frontier").begin_array();
    for (const search::evaluated_design& d : search::frontier(outcome.designs))
        json.begin_object()
            .member("area_um2", d.area_um2)
            .member("throughput_samples_per_s", d.throughput_samples_per_s)
            .end_object();
    json.end_array().key("search").begin_object();
    json.member("strategy", outcome.search.strategy)
        .member("evaluated", outcome.search.evaluated)
        .member("pruned", outcome.search.pruned)
        .member("seconds", outcome.search.seconds)
        .member("complete", outcome.search.complete)
        .end_object();
    if (!outcome.binding.empty()) json.member("binding", outcome.binding);
    json.end_object();
    return std::move(json).take();
}

} // namespace dovetail::report

/// \file
/// One self-contained page about a joint search: no script, no font, no file beside it.

namespace dovetail::report {

namespace detail {

inline constexpr std::string_view style_sheet = R"(
:root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --line: #e3e6ec; --paper: #ffffff;
  --a: #2f6fde; --b: #e0782f; --c: #2f9e77; --d: #b3478f; --e: #98a2b3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #98a2b3; --line: #30363f; --paper: #14171c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .2rem; }
p { color: var(--soft); margin: .2rem 0 .6rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.grid { stroke: var(--line); } svg .tick { fill: var(--soft); font-size: 11px; } svg .name { fill: var(--soft); }
.cloud { fill: var(--e); opacity: .45; } .frontier { fill: none; stroke: var(--a); stroke-width: 2; }
.best { fill: var(--a); stroke: var(--paper); } .reference { fill: var(--b); stroke: var(--paper); }
svg .mark { font-weight: 600; } svg .inside { fill: #fff; font-size: 11px; }
.forward, .tensor { fill: var(--a); } .backward, .vector { fill: var(--b); } .link { fill: var(--d); }
.resident { fill: var(--c); } .activation { fill: var(--a); } .unused { fill: var(--line); opacity: .6; }
rect { stroke: var(--paper); stroke-width: .5; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .3em 0 1em; }
.key.forward, .key.tensor, .key.activation { background: var(--a); }
.key.backward, .key.vector { background: var(--b); } .key.resident { background: var(--c); }
.key.link { background: var(--d); } .key.unused { background: var(--line); }
)";

[[nodiscard]] inline std::string row(std::string_view name, const std::string& best,
                                     const std::string& baseline) {
    return "<tr><td>" + escaped(name) + "</td><td>" + escaped(best) + "</td><td>" + escaped(baseline) +
           "</td></tr>\n";
}

[[nodiscard]] inline std::string count(std::size_t number) {
    return readable(static_cast<double>(number), 15);
}

[[nodiscard]] inline std::string chip_text(const hardware::accelerator& c) {
    return to_text(c.num_tc) + " TC " + to_text(c.width) + "×" + to_text(c.depth) + ", " + to_text(c.num_vc) +
           " VC ×" + to_text(c.width_vc) + ", " + to_text(c.glb_bytes / mebibyte) + " MiB";
}

[[nodiscard]] inline std::string plan_text(const search::solution& s) {
    return to_text(s.plan.data_parallel) + " × " + to_text(s.plan.stages.size()) + " × " +
           to_text(s.plan.tensor_parallel);
}

/// Rows of the comparison; a column without a plan stays empty.
[[nodiscard]] inline std::string comparison(const search::outcome& outcome) {
    const search::solution& best = outcome.best;
    const search::solution& reference = outcome.baseline;
    std::string table = "<table><tr><th></th><th>best</th><th>" + reference_name(outcome) + "</th></tr>\n";
    const auto add = [&](std::string_view name, auto text) {
        table += row(name, best.feasible() ? text(best) : "–", reference.feasible() ? text(reference) : "–");
    };
    const auto milliseconds = [](double seconds) { return readable(seconds * 1e3, 4) + " ms"; };
    add("chip", [](const auto& s) { return chip_text(s.chip); });
    add("area", [](const auto& s) { return readable(s.area_um2 / um2_per_mm2, 4) + " mm²"; });
    add("data × pipeline × tensor", [](const auto& s) { return plan_text(s); });
    add("micro-batch", [](const auto& s) { return to_text(s.micro_batch); });
    add("recomputation", [](const auto& s) { return std::string(s.setting.recompute ? "on" : "off"); });
    add("HBM", [](const auto& s) {
        return readable(s.setting.hbm_bytes / static_cast<double>(gibibyte), 4) + " GiB";
    });
    add("throughput", [](const auto& s) { return readable(s.throughput_samples_per_s, 4) + " samples/s"; });
    if (reference.feasible())
        add("ratio to " + reference_name(outcome), [&](const auto& s) {
            return readable(s.throughput_samples_per_s / reference.throughput_samples_per_s, 3);
        });
    add("time per batch", [&](const auto& s) { return milliseconds(s.plan.time_per_batch_s); });
    const auto part = [&](std::string_view name, double search::batch_breakdown::*member) {
        add(name, [&](const auto& s) {
            const double seconds = search::break_down(s.problem, s.plan).*member;
            return milliseconds(seconds) + ", " +
                   to_text(std::round(100 * seconds / s.plan.time_per_batch_s)) + " %";
        });
    };
    part("· forward", &search::batch_breakdown::forward_s);
    part("· backward", &search::batch_breakdown::backward_s);
    part("· recomputation", &search::batch_breakdown::recompute_s);
    part("· transfers between stages", &search::batch_breakdown::transfer_s);
    part("· pipeline bubble", &search::batch_breakdown::bubble_s);
    part("· gradient reduction", &search::batch_breakdown::reduction_s);
    part("· optimizer step", &search::batch_breakdown::update_s);
    return table + "</table>\n";
}

/// How long a pass takes, and how close that is to proved best.
[[nodiscard]] inline std::string pass_caption(std::string_view pass,
                                              const search::scheduled_pass& scheduled) {
    const search::pass_time& time = scheduled.time;
    std::string words = std::string(pass) + ": " + readable(time.makespan_s * 1e6, 4) + " µs, ";
    if (time.makespan_s <= time.lower_bound_s * (1 + 1e-9))
        words += "proved shortest";
    else
        words += "no schedule is below " + readable(time.lower_bound_s * 1e6, 4) + " µs";
    if (time.shared_memory_s > time.makespan_s)
        words += "; the shared memories are busy for " + readable(time.shared_memory_s * 1e6, 4) +
                 " µs, which counts";
    return "<p>" + escaped(words) + "</p>\n";
}

[[nodiscard]] inline std::string key(std::string_view style, std::string_view words) {
    return "<span class=\"key " + std::string(style) + "\"></span>" + escaped(words);
}

} // namespace detail

/// The page of a search that found a plan. `forward` and `backward` are the schedules of the winner's
/// heaviest layer, `layer` its name.
[[nodiscard]] inline std::string to_html(const search::outcome& outcome,
                                         const search::workload_profile& profile, std::string_view layer,
                                         const search::scheduled_pass& forward,
                                         const search::scheduled_pass& backward) {
    using detail::key;
    const search::search_record& record = outcome.search;
    std::string page =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>Dovetail: " +
        escaped(profile.model) +
        "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>" +
        std::string(detail::style_sheet) + "</style></head><body>\n";
    page += "<h1>" + escaped(profile.model) + "</h1>\n<p>" + detail::count(record.evaluated) +
            " chips evaluated, " + detail::count(record.pruned) + " left out, in " +
            readable(record.seconds, 3) + " s (" + escaped(record.strategy) + "; " +
            std::string(record.complete ? "complete" : "not complete") + ")</p>\n";
    page += detail::comparison(outcome);
    page += "<h2>Throughput against area</h2>\n<p>Every dot is a chip with its own best plan; the line is "
            "the best that a chip of that area or less reaches.</p>\n" +
            throughput_against_area(outcome);
    page += "<h2>The pipeline</h2>\n<p>One forward, one backward, with flush." + key("forward", "forward") +
            key("backward", "backward, recomputation included") + "</p>\n" + pipeline_timeline(outcome.best);
    page += "<h2>Memory</h2>\n<p>" + key("resident", "weights, gradients, optimizer state") +
            key("activation", "activations") + key("unused", "free") + "</p>\n" +
            memory_by_stage(outcome.best);
    const std::string name(layer);
    page += "<h2>Operators of " + escaped(layer) + "</h2>\n<p>By core; cores that run the same share a row." +
            key("tensor", "tensor cores") + key("vector", "vector cores") + key("link", "link") + "</p>\n" +
            detail::pass_caption("Forward", forward) + operator_schedule("Forward pass of " + name, forward) +
            detail::pass_caption("Backward", backward) +
            operator_schedule("Backward pass of " + name, backward);
    return page + "</body></html>\n";
}

} // namespace dovetail::report

// clang-format on

#if defined(DOVETAIL_HANA)
/// \file
/// The door to Boost.Hana.

/// \file
/// Axes of a family as Hana sequences: which member of a design they set, and the values, all constants.

#include <boost/hana/integral_constant.hpp>
#include <boost/hana/tuple.hpp>

namespace dovetail::ext::hana {

/// The axis of one member of a design. Call it with the values to describe it: `width(values<128, 64>)`.
template <std::int64_t hardware::accelerator::*Member>
struct axis_name {
    /// An axis with its values, a Hana sequence of integral constants.
    template <class Values>
    struct axis {
        using name = axis_name;
        Values values;
    };

    template <class Values>
    [[nodiscard]] constexpr axis<Values> operator()(const Values& values) const {
        return {values};
    }
};

inline constexpr axis_name<&hardware::accelerator::num_tc> num_tc{};       ///< tensor cores
inline constexpr axis_name<&hardware::accelerator::num_vc> num_vc{};       ///< vector cores
inline constexpr axis_name<&hardware::accelerator::width> width{};         ///< columns of an array, and lanes
inline constexpr axis_name<&hardware::accelerator::depth> depth{};         ///< rows of an array
inline constexpr axis_name<&hardware::accelerator::glb_bytes> glb_bytes{}; ///< global buffer

/// The values of an axis, in any order.
template <std::int64_t... Values>
inline constexpr boost::hana::tuple<boost::hana::integral_constant<std::int64_t, Values>...> values{};

namespace detail {

template <std::int64_t Smallest, std::size_t... Exponents>
constexpr auto doublings(std::index_sequence<Exponents...>) {
    return values<(Smallest << Exponents)...>;
}

/// How often `smallest` doubles without passing `largest`, and once more.
constexpr std::size_t doubling_count(std::int64_t smallest, std::int64_t largest) {
    std::size_t count = 0;
    for (; smallest <= largest; smallest *= 2) ++count;
    return count;
}

} // namespace detail

/// `Smallest` and its doublings up to `Largest`.
template <std::int64_t Smallest, std::int64_t Largest>
    requires(Smallest > 0 && Smallest <= Largest)
inline constexpr auto powers_of_two =
    detail::doublings<Smallest>(std::make_index_sequence<detail::doubling_count(Smallest, Largest)>{});

} // namespace dovetail::ext::hana

/// \file
/// A family of designs described with Boost.Hana: axes, limits and constants, all known to the compiler.

#include <boost/hana/bool.hpp>
#include <boost/hana/filter.hpp>
#include <boost/hana/front.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/unpack.hpp>

namespace dovetail::ext::hana {

/// The axes of a family: one for each of num_tc, num_vc, width, depth and glb_bytes, in any order.
template <class... Axes>
[[nodiscard]] constexpr auto axes(const Axes&... described) {
    return boost::hana::make_tuple(described...);
}

/// The limits of a family: predicates of a design and its area in um^2, all of which must hold.
template <class... Predicates>
    requires(std::is_invocable_r_v<bool, const Predicates&, const hardware::accelerator&, double>&&...)
[[nodiscard]] constexpr auto limits(const Predicates&... predicates) {
    return boost::hana::make_tuple(predicates...);
}

/// The limit of an area between two bounds [um^2].
[[nodiscard]] constexpr auto area_between(double smallest_um2, double largest_um2) {
    return [=](const hardware::accelerator&, double area_um2) {
        return area_um2 >= smallest_um2 && area_um2 <= largest_um2;
    };
}

namespace detail {

/// The values of the axis `Name` in `Axes`, from largest to smallest.
template <class Name, class Axes>
constexpr auto sorted_values(const Axes& described) {
    const auto named = boost::hana::filter(described, [](const auto& axis) {
        return boost::hana::bool_c<std::is_same_v<typename std::remove_cvref_t<decltype(axis)>::name, Name>>;
    });
    constexpr std::size_t found = decltype(boost::hana::length(named))::value;
    static_assert(found != 0,
                  "dovetail: a family lacks an axis; give num_tc, num_vc, width, depth, glb_bytes");
    static_assert(found < 2, "dovetail: a family has an axis twice");
    return boost::hana::unpack(boost::hana::front(named).values, [](auto... constants) {
        static_assert(sizeof...(constants) > 0, "dovetail: an axis of a family has no value");
        static_assert(((decltype(constants)::value > 0) && ...),
                      "dovetail: values of an axis are at least 1");
        std::array<std::int64_t, sizeof...(constants)> values{decltype(constants)::value...};
        std::ranges::sort(values, std::greater<>{});
        return values;
    });
}

} // namespace detail

/// A model of `hardware::parameter_space` whose type knows its axes: size and points are constant
/// expressions. Make one with `family`.
template <hardware::platform P, hardware::technology T, class Axes, class Limits>
class described_family {
    template <class Name>
    static constexpr auto values = detail::sorted_values<Name>(Axes{});

public:
    using platform = P;
    using technology = T;

    constexpr described_family(std::string_view name, const Limits& limits,
                               const hardware::accelerator& reference)
        : name_(name), limits_(limits), reference_(reference) {}

    /// The grid, each axis from largest to smallest.
    static constexpr hardware::grid_axes axes{.num_tc = values<std::remove_const_t<decltype(num_tc)>>,
                                              .num_vc = values<std::remove_const_t<decltype(num_vc)>>,
                                              .width = values<std::remove_const_t<decltype(width)>>,
                                              .depth = values<std::remove_const_t<decltype(depth)>>,
                                              .glb_bytes = values<std::remove_const_t<decltype(glb_bytes)>>};

    [[nodiscard]] constexpr std::string_view name() const noexcept { return name_; }
    [[nodiscard]] static constexpr std::size_t size() noexcept { return axes.size(); }
    [[nodiscard]] constexpr hardware::accelerator operator[](std::size_t position) const {
        return axes.at(position);
    }
    [[nodiscard]] constexpr bool keeps(const hardware::accelerator& chip) const {
        const auto area = hardware::area_of<T, P>(chip);
        if (!area) return false;
        const double area_um2 = area->total_um2();
        return boost::hana::unpack(limits_,
                                   [&](const auto&... limit) { return (limit(chip, area_um2) && ...); });
    }
    [[nodiscard]] constexpr hardware::accelerator reference() const noexcept { return reference_; }

private:
    std::string_view name_;
    Limits limits_;
    hardware::accelerator reference_;
};

/// Describes a family on the platform `P` in the technology `T`.
///
/// \param name       a literal, for people
/// \param described  what `axes` returns; a missing, doubled or empty axis does not compile
/// \param limited    what `limits` returns
/// \param reference  the design that others are compared with; it need not be in the grid
template <hardware::platform P, hardware::technology T, class Axes, class Limits>
[[nodiscard]] constexpr auto family(std::string_view name, [[maybe_unused]] const Axes& described,
                                    const Limits& limited, const hardware::accelerator& reference) {
    return described_family<P, T, Axes, Limits>(name, limited, reference);
}

} // namespace dovetail::ext::hana

/// \file
/// A loop over a small family, unrolled: every design is a type with its axes as constants.

#include <boost/hana/for_each.hpp>
#include <boost/hana/range.hpp>

namespace dovetail::ext::hana {

/// The number of designs that the constant `Family` keeps.
template <const auto& Family>
inline constexpr std::size_t kept_count = [] {
    std::size_t kept = 0;
    for (std::size_t position = 0; position < Family.size(); ++position)
        if (Family.keeps(Family[position])) ++kept;
    return kept;
}();

/// The designs that the constant `Family` keeps, in the order of its grid.
template <const auto& Family>
inline constexpr std::array<hardware::accelerator, kept_count<Family>> kept_points = [] {
    std::array<hardware::accelerator, kept_count<Family>> points{};
    std::size_t kept = 0;
    for (std::size_t position = 0; position < Family.size(); ++position) {
        const hardware::accelerator point = Family[position];
        if (Family.keeps(point)) points[kept++] = point;
    }
    return points;
}();

/// The design at `Index` in `kept_points<Family>`, with its axes as constants of the type.
template <const auto& Family, std::size_t Index>
struct kept_design {
    static constexpr hardware::accelerator point = kept_points<Family>[Index];
    using type = hardware::fixed_accelerator<point.num_tc, point.num_vc, point.width, point.depth,
                                             point.width_vc, point.glb_bytes>;
};

/// Calls `visit(chip)` for every design that `Family` keeps, in the order of its grid; `chip` is a
/// `hardware::fixed_accelerator`, so that what `visit` computes from it is specialised on that design.
///
/// \tparam Family  a constant with static storage that models `hardware::parameter_space`. Every kept design
///                 instantiates `visit` once more: up to some hundreds are reasonable.
template <const auto& Family, class Visitor>
constexpr void for_each_design(Visitor&& visit) {
    namespace bh = boost::hana;
    bh::for_each(bh::make_range(bh::size_c<0>, bh::size_c<kept_count<Family>>), [&visit](auto index) {
        visit(typename kept_design<Family, decltype(index)::value>::type{});
    });
}

} // namespace dovetail::ext::hana

/// \file
/// The family of PHAZE described with Hana: the example of a large family, equal to the hand-written one.

namespace dovetail::ext::hana {

/// 75,712 designs, of which 29,360 are kept: `hardware::phaze_family`, point by point.
inline constexpr auto phaze = family<hardware::phaze_platform, hardware::phaze_technology>(
    "phaze",
    axes(num_tc(powers_of_two<1, 4096>), num_vc(powers_of_two<1, 4096>), width(powers_of_two<2, 256>),
         depth(powers_of_two<2, 256>), glb_bytes(powers_of_two<2 * mebibyte, 128 * mebibyte>)),
    limits([](const hardware::accelerator& chip, double area_um2) {
        using rule = hardware::phaze_family::rule;
        return area_um2 <= rule::largest_um2 &&
               (area_um2 >= rule::smallest_um2 || chip.num_tc == 1 || chip.num_vc == 1);
    }),
    hardware::tpuv4_like);

static_assert(phaze.size() == 75'712);

} // namespace dovetail::ext::hana

#endif

#if defined(DOVETAIL_GLPK)
/// \file
/// The door to GLPK.

/// \file
/// GLPK as a solver of models: simplex, branch and cut.

#include <glpk.h>

#include <csetjmp>
#include <memory>

namespace dovetail::ext::glpk {

namespace detail {

/// GLPK keeps an environment for each thread; this frees it when the thread ends.
struct environment {
    ~environment() { glp_free_env(); }
};

/// Silences the terminal of this thread's environment for as long as it lives.
class silence {
public:
    silence() : before_(glp_term_out(GLP_OFF)) {
        // After the first call into GLPK, so that it is destroyed before what that call made.
        thread_local const environment of_this_thread;
        static_cast<void>(of_this_thread);
    }
    silence(const silence&) = delete;
    silence& operator=(const silence&) = delete;
    ~silence() { glp_term_out(before_); }

private:
    int before_;
};

struct delete_problem {
    void operator()(glp_prob* p) const noexcept { glp_delete_prob(p); }
};
using problem = std::unique_ptr<glp_prob, delete_problem>;

[[nodiscard]] inline int bounds_kind(double lower, double upper) noexcept {
    if (lower == upper) return GLP_FX;
    if (lower == -ilp::infinity) return upper == ilp::infinity ? GLP_FR : GLP_UP;
    return upper == ilp::infinity ? GLP_LO : GLP_DB;
}

/// The model as GLPK holds it: rows and columns count from 1. The model passed `check`.
[[nodiscard]] inline problem load(const ilp::model& m) {
    problem p(glp_create_prob());
    glp_set_obj_dir(p.get(), m.sense() == ilp::direction::minimize ? GLP_MIN : GLP_MAX);
    glp_set_obj_coef(p.get(), 0, m.offset());
    const int columns = static_cast<int>(m.columns().size());
    const int rows = static_cast<int>(m.rows().size());
    if (columns > 0) glp_add_cols(p.get(), columns);
    if (rows > 0) glp_add_rows(p.get(), rows);
    for (int j = 1; j <= columns; ++j) {
        const ilp::column& c = m.columns()[static_cast<std::size_t>(j - 1)];
        if (c.kind != ilp::domain::continuous) glp_set_col_kind(p.get(), j, GLP_IV);
        // GLPK wants whole bounds on a whole variable.
        const double lower = c.kind == ilp::domain::continuous ? c.lower : std::ceil(c.lower);
        const double upper = c.kind == ilp::domain::continuous ? c.upper : std::floor(c.upper);
        glp_set_col_bnds(p.get(), j, bounds_kind(lower, upper), lower, upper);
        glp_set_obj_coef(p.get(), j, c.cost);
    }
    std::vector<int> index;
    std::vector<double> value;
    for (int i = 1; i <= rows; ++i) {
        const ilp::row& r = m.rows()[static_cast<std::size_t>(i - 1)];
        index.assign(1, 0);
        value.assign(1, 0.0);
        for (const ilp::entry& e : r.entries) {
            index.push_back(static_cast<int>(e.column) + 1);
            value.push_back(e.coefficient);
        }
        glp_set_mat_row(p.get(), i, static_cast<int>(r.entries.size()), index.data(), value.data());
        const int kind = r.sense == ilp::relation::equal        ? GLP_FX
                         : r.sense == ilp::relation::less_equal ? GLP_UP
                                                                : GLP_LO;
        glp_set_row_bnds(p.get(), i, kind, r.right_side, r.right_side);
    }
    return p;
}

/// What the callback of the tree keeps.
struct progress {
    std::int64_t node_limit;
    std::int64_t nodes = 0;
    double bound;
};

inline void watch(glp_tree* tree, void* info) {
    auto& seen = *static_cast<progress*>(info);
    int total = 0;
    glp_ios_tree_size(tree, nullptr, nullptr, &total);
    seen.nodes = total;
    if (const int best = glp_ios_best_node(tree); best != 0) seen.bound = glp_ios_node_bound(tree, best);
    if (seen.nodes > seen.node_limit) glp_ios_terminate(tree);
}

/// Runs `call`, which does nothing but call GLPK; false when GLPK gave up on an assertion of its own, where
/// it would print and end the program. Nothing of the thread's environment can be used then but
/// `glp_free_env`.
template <class Call>
[[nodiscard]] bool survives(const Call& call) {
    std::jmp_buf back;
    glp_error_hook([](void* info) { std::longjmp(*static_cast<std::jmp_buf*>(info), 1); }, &back);
    glp_term_hook([](void*, const char*) { return 1; }, nullptr);
    const bool returned = setjmp(back) == 0;
    if (returned) call();
    glp_term_hook(nullptr, nullptr);
    glp_error_hook(nullptr, nullptr);
    return returned;
}

/// How GLPK ended: the code that its routine returned, and the status of what it holds.
struct ending {
    int code = 0;
    int status = GLP_UNDEF;
};

} // namespace detail

/// GLPK's branch and cut with presolve and all its cuts; for a model without integer variables its simplex
/// method alone. Silent, safe from several threads at once (each has its own GLPK environment, freed when the
/// thread ends), deterministic but for the time limit. Models `ilp::solver`.
struct solver {
    double time_limit_s = std::numeric_limits<double>::infinity();      ///< wall-clock seconds
    std::int64_t node_limit = std::numeric_limits<std::int64_t>::max(); ///< nodes of the tree
    double relative_gap = 0.0;           ///< stop when bound and best values are this close
    double integrality_tolerance = 1e-9; ///< how far from whole a relaxed value counts as whole, in (0, 1)
    bool presolve = true;                ///< simplify the model first
    bool cuts = true;                    ///< Gomory, rounding, cover and clique cuts

    /// \returns what `ilp::model::check` finds wrong; errc::out_of_range for options that make no sense;
    /// errc::unsupported when GLPK breaks down over the numbers.
    [[nodiscard]] result<ilp::solution> operator()(const ilp::model& m) const;
};

static_assert(ilp::solver<solver>);

namespace detail {

[[nodiscard]] inline result<void> check(const solver& options) {
    const auto bad = [](const char* name, double value, const char* expected) {
        return error{errc::out_of_range, std::string("GLPK: ") + name, "it is " + to_text(value), expected};
    };
    if (!(options.time_limit_s >= 0.0))
        return bad("time limit", options.time_limit_s, "seconds are at least 0");
    if (!(options.relative_gap >= 0.0))
        return bad("relative gap", options.relative_gap, "a gap is at least 0");
    if (!(options.integrality_tolerance > 0.0 && options.integrality_tolerance < 1.0))
        return bad("integrality tolerance", options.integrality_tolerance, "it lies between 0 and 1");
    return {};
}

[[nodiscard]] inline int milliseconds(double seconds) noexcept {
    constexpr double most = std::numeric_limits<int>::max();
    return static_cast<int>(std::min(most, std::ceil(seconds * 1000.0)));
}

[[nodiscard]] inline ending simplex(glp_prob* p, const solver& options) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.presolve = options.presolve ? GLP_ON : GLP_OFF;
    how.tm_lim = milliseconds(options.time_limit_s);
    const int code = glp_simplex(p, &how);
    return {code, glp_get_status(p)};
}

[[nodiscard]] inline ending branch_and_cut(glp_prob* p, const solver& options, progress& seen) {
    if (!options.presolve) {
        // The tree then starts from the optimum of the relaxation, which is for the caller to provide.
        const ending root = simplex(p, options);
        if (root.code != 0 || root.status != GLP_OPT) return root;
    }
    glp_iocp how;
    glp_init_iocp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.presolve = options.presolve ? GLP_ON : GLP_OFF;
    how.gmi_cuts = how.mir_cuts = how.cov_cuts = how.clq_cuts = options.cuts ? GLP_ON : GLP_OFF;
    how.tm_lim = milliseconds(options.time_limit_s);
    how.mip_gap = options.relative_gap;
    how.tol_int = options.integrality_tolerance;
    how.cb_func = watch;
    how.cb_info = &seen;
    const int code = glp_intopt(p, &how);
    return {code, glp_mip_status(p)};
}

/// One try at a model that passed `check`; nothing when GLPK gave up.
[[nodiscard]] inline std::optional<result<ilp::solution>> attempt(const ilp::model& m,
                                                                  const solver& options) {
    const bool down = m.sense() == ilp::direction::minimize;
    const auto whole = [](const ilp::column& c) { return c.kind != ilp::domain::continuous; };
    const bool has_integers = std::any_of(m.columns().begin(), m.columns().end(), whole);

    ilp::solution answer;
    answer.objective = down ? ilp::infinity : -ilp::infinity;
    answer.bound = -answer.objective;
    const silence quiet;
    problem p = load(m);
    progress seen{options.node_limit, 0, answer.bound};
    ending how;
    const auto solve = [&] {
        how = has_integers ? branch_and_cut(p.get(), options, seen) : simplex(p.get(), options);
    };
    const auto give_up = [&] {
        static_cast<void>(p.release()); // freed with the environment
        glp_free_env();
        return std::nullopt;
    };
    if (!survives(solve)) return give_up();
    answer.nodes = seen.nodes;

    if (how.code == GLP_ENODFS || (how.code == 0 && how.status == GLP_UNBND)) {
        // No bound on the relaxed objective: unbounded, unless there is nothing feasible at all.
        for (int j = 0; j <= glp_get_num_cols(p.get()); ++j) glp_set_obj_coef(p.get(), j, 0.0);
        if (!survives(solve)) return give_up();
        if (how.code == 0 && (how.status == GLP_OPT || how.status == GLP_FEAS)) {
            answer.ending = ilp::verdict::unbounded;
            answer.bound = -answer.objective;
            return answer;
        }
    }
    if (how.code == GLP_ENOPFS || how.code == GLP_ENODFS ||
        (how.code == 0 && (how.status == GLP_NOFEAS || how.status == GLP_UNDEF))) {
        answer.ending = ilp::verdict::infeasible;
        answer.bound = answer.objective;
        return answer;
    }
    const bool limited = how.code == GLP_ETMLIM || how.code == GLP_ESTOP || how.code == GLP_EITLIM;
    if (how.code != 0 && how.code != GLP_EMIPGAP && !limited)
        return error{errc::unsupported, "GLPK", "it broke down with code " + to_text(how.code),
                     "scale the model, or try other options"};

    const bool proved = how.code == 0 || (how.code == GLP_EMIPGAP && options.relative_gap == 0.0);
    answer.ending = proved ? ilp::verdict::optimal : limited ? ilp::verdict::budget : ilp::verdict::feasible;
    answer.bound = seen.bound;
    const bool holds_values =
        has_integers ? how.status == GLP_OPT || how.status == GLP_FEAS : how.status == GLP_OPT;
    if (!holds_values) return answer;
    answer.objective = m.offset();
    for (int j = 1; j <= glp_get_num_cols(p.get()); ++j) {
        const ilp::column& c = m.columns()[static_cast<std::size_t>(j - 1)];
        const double value = has_integers ? glp_mip_col_val(p.get(), j) : glp_get_col_prim(p.get(), j);
        answer.values.push_back(whole(c) ? std::round(value) : value);
        answer.objective += c.cost * answer.values.back();
    }
    if (proved) answer.bound = answer.objective;
    return answer;
}

} // namespace detail

inline result<ilp::solution> solver::operator()(const ilp::model& m) const {
    if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
    if (result<void> sound = detail::check(*this); !sound) return std::move(sound).problem();
    for (const ilp::column& c : m.columns())
        if (c.kind != ilp::domain::continuous && std::ceil(c.lower) > std::floor(c.upper)) {
            const double worst = m.sense() == ilp::direction::minimize ? ilp::infinity : -ilp::infinity;
            return ilp::solution{.ending = ilp::verdict::infeasible,
                                 .objective = worst,
                                 .bound = worst,
                                 .values = {},
                                 .nodes = 0};
        }
    // GLPK 5.0 gives up in its cover cuts where presolve leaves rows but no columns.
    for (solver options = *this;; options.cuts = false) {
        if (std::optional<result<ilp::solution>> answer = detail::attempt(m, options))
            return *std::move(answer);
        if (!options.cuts)
            return error{errc::unsupported, "GLPK", "it gave up on the model with an error of its own",
                         "try without presolve, or another solver"};
    }
}

} // namespace dovetail::ext::glpk

#endif

#if defined(DOVETAIL_JSON)
/// \file
/// The door to nlohmann/json.

/// \file
/// The instances of Tarnawski et al. (NeurIPS 2020) for placing operators on accelerators and CPUs.

/// \file
/// What the readers of placement instances share: members into fields, one problem after the other.

/// \file
/// Reading JSON that nobody has checked: every wrong turn is an `error` that names its place.

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace dovetail::ext::json {

namespace detail {

// Accepts every event; only to learn where the text stops being JSON.
struct error_locator {
    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    std::size_t byte = 0;

    bool null() { return true; }
    bool boolean(bool) { return true; }
    bool number_integer(number_integer_t) { return true; }
    bool number_unsigned(number_unsigned_t) { return true; }
    bool number_float(number_float_t, const string_t&) { return true; }
    bool string(string_t&) { return true; }
    bool binary(binary_t&) { return true; }
    bool start_object(std::size_t) { return true; }
    bool key(string_t&) { return true; }
    bool end_object() { return true; }
    bool start_array(std::size_t) { return true; }
    bool end_array() { return true; }
    template <class Exception>
    bool parse_error(std::size_t position, const std::string&, const Exception&) {
        byte = position;
        return false;
    }
};

} // namespace detail

/// Parses `text`, whose errors are reported for `name`. \returns errc::parse with the byte at which it stops
/// being JSON: for truncated text, the byte after the last.
[[nodiscard]] inline result<nlohmann::json> parse(std::string_view text, std::string_view name) {
    nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    if (!value.is_discarded()) return value;
    detail::error_locator locator;
    nlohmann::json::sax_parse(text, &locator);
    const bool truncated = locator.byte > text.size();
    return error{errc::parse, std::string(name) + ": byte " + to_text(locator.byte),
                 truncated ? "the text ends too early" : "the text is not JSON from here on",
                 "it must be one complete JSON value"};
}

/// The whole of a file. \returns errc::io when it cannot be read.
[[nodiscard]] inline result<std::string> read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    if (!file.is_open() || file.bad() || text.fail())
        return error{errc::io, path.string(), "it cannot be read", "name a file that exists and can be read"};
    return std::move(text).str();
}

/// A value inside a JSON document together with the way to it. The document must outlive it.
class place {
public:
    /// The root of a document; `name` is what errors call it, a file's path as a rule.
    place(const nlohmann::json& root, std::string name) : place(root, std::move(name), true) {}

    /// "file.json: nodes.8[3].id".
    [[nodiscard]] const std::string& path() const { return path_; }

    /// An error about this very place.
    [[nodiscard]] error wrong(errc code, std::string what, std::string expected) const {
        return {code, path_, std::move(what), std::move(expected)};
    }

    /// The member `key` of an object. \returns errc::parse when there is none, or this is no object.
    [[nodiscard]] result<place> member(std::string_view key) const {
        if (!value_->is_object()) return of_another_type("an object");
        const auto found = value_->find(key);
        if (found == value_->end())
            return wrong(errc::parse, "the key '" + std::string(key) + "' is missing", "the format needs it");
        return inside(*found, key);
    }

    /// Whether this is an object with a member `key`: for members that the format leaves open.
    [[nodiscard]] bool has(std::string_view key) const {
        return value_->is_object() && value_->contains(key);
    }

    /// The members of an object with their keys, in the order of their keys. \returns errc::parse otherwise.
    [[nodiscard]] result<std::vector<std::pair<std::string, place>>> members() const {
        if (!value_->is_object()) return of_another_type("an object");
        std::vector<std::pair<std::string, place>> all;
        for (const auto& [key, value] : value_->items()) all.emplace_back(key, inside(value, key));
        return all;
    }

    /// The elements of an array. \returns errc::parse otherwise.
    [[nodiscard]] result<std::vector<place>> elements() const {
        if (!value_->is_array()) return of_another_type("an array");
        std::vector<place> all;
        for (const nlohmann::json& value : *value_)
            all.push_back({value, path_ + (root_ ? ": [" : "[") + to_text(all.size()) + "]", false});
        return all;
    }

    /// A finite number, `least` or more. \returns errc::parse for no number, errc::out_of_range otherwise.
    [[nodiscard]] result<double> number(double least = std::numeric_limits<double>::lowest()) const {
        if (!value_->is_number()) return of_another_type("a number");
        const auto x = value_->get<double>();
        if (!std::isfinite(x) || x < least)
            return wrong(errc::out_of_range, "it is " + to_text(x),
                         "it must be a finite number, " + to_text(least) + " or more");
        return x;
    }

    /// A whole number in [least, most], written with or without a fraction of zero; both bounds lie within
    /// 2^53. \returns errc::parse for no number, errc::out_of_range otherwise.
    [[nodiscard]] result<std::int64_t> integer(std::int64_t least, std::int64_t most) const {
        if (!value_->is_number()) return of_another_type("a number");
        const auto x = value_->get<double>();
        if (!(x >= static_cast<double>(least) && x <= static_cast<double>(most)) || x != std::floor(x))
            return wrong(errc::out_of_range, "it is " + to_text(x),
                         "it must be a whole number from " + to_text(least) + " to " + to_text(most));
        return static_cast<std::int64_t>(x);
    }

    /// \returns errc::parse for anything but true and false.
    [[nodiscard]] result<bool> boolean() const {
        if (!value_->is_boolean()) return of_another_type("true or false");
        return value_->get<bool>();
    }

    /// \returns errc::parse for anything but a string.
    [[nodiscard]] result<std::string> text() const {
        if (!value_->is_string()) return of_another_type("a string");
        return value_->get<std::string>();
    }

private:
    // Where the path is only a file's name yet, keys follow after a colon.
    place(const nlohmann::json& value, std::string path, bool root)
        : value_(&value), path_(std::move(path)), root_(root) {}

    [[nodiscard]] place inside(const nlohmann::json& value, std::string_view key) const {
        return {value, path_ + (root_ ? ": " : ".") + std::string(key), false};
    }
    [[nodiscard]] error of_another_type(std::string_view expected) const {
        return wrong(errc::parse, "it is of type " + std::string(value_->type_name()),
                     "it must be " + std::string(expected));
    }

    const nlohmann::json* value_;
    std::string path_;
    bool root_;
};

} // namespace dovetail::ext::json

namespace dovetail::ext::json::detail {

inline constexpr std::int64_t exact_integers = std::int64_t{1} << 53;
inline constexpr std::int64_t most_devices = 1'000'000'000'000;

// Reads the member `key` of `where` with `read`, into `target`.
template <class Target, class Read>
[[nodiscard]] result<void> read_member(const place& where, std::string_view key, Target& target, Read read) {
    const auto member = where.member(key);
    if (!member) return member.problem();
    auto value = read(*member);
    if (!value) return std::move(value).problem();
    target = std::move(*value);
    return {};
}

// The first problem of several steps, each a result<void>, or none; later steps run all the same.
template <class... Steps>
[[nodiscard]] result<void> first_problem(Steps... steps) {
    result<void> outcome;
    static_cast<void>(((outcome = std::move(steps), outcome.has_value()) && ...));
    return outcome;
}

[[nodiscard]] inline auto at_least(double least) {
    return [least](const place& p) { return p.number(least); };
}
[[nodiscard]] inline auto from_to(std::int64_t least, std::int64_t most) {
    return [least, most](const place& p) { return p.integer(least, most); };
}
[[nodiscard]] inline auto positive() {
    return [](const place& p) -> result<double> {
        auto x = p.number(0.0);
        if (x && *x == 0.0) return p.wrong(errc::out_of_range, "it is 0", "it must be positive");
        return x;
    };
}

} // namespace dovetail::ext::json::detail

#include <filesystem>

namespace dovetail::ext::json {

/// A problem of placement on devices and what its file calls the nodes.
struct device_placement {
    placement::device_graph problem;
    std::vector<std::int64_t> node_ids; ///< by node of the problem
};

namespace detail {

// A node or an edge as the file lists it, before nodes are renumbered.
struct listed_node {
    std::int64_t id = 0;
    placement::device_node node;
};

// Instances write yes and no as true and false or as 1 and 0, both in one file at times.
[[nodiscard]] inline result<bool> yes_or_no(const place& p) {
    if (const auto truth = p.boolean()) return truth;
    const auto number = p.integer(0, 1);
    if (!number)
        return error{number.problem().code, p.path(), number.problem().wrong,
                     "it must be true or false, or 1 or 0"};
    return *number == 1;
}

[[nodiscard]] inline auto any_id() { return from_to(-exact_integers, exact_integers); }

// \param colours the number of each colour, in the order in which the file first names them
[[nodiscard]] inline result<listed_node> read_node(const place& where,
                                                   std::unordered_map<std::int64_t, graph::index>& colours) {
    listed_node listed;
    placement::device_node& node = listed.node;
    std::int64_t colour = 0;
    if (auto read = first_problem(
            read_member(where, "id", listed.id, any_id()),
            read_member(where, "supportedOnFpga", node.supported, yes_or_no),
            read_member(where, "cpuLatency", node.cpu_s, at_least(0.0)),
            read_member(where, "fpgaLatency", node.accelerator_s, at_least(0.0)),
            read_member(where, "isBackwardNode", node.backward, yes_or_no),
            where.has("size") ? read_member(where, "size", node.size_bytes, at_least(0.0)) : result<void>{},
            where.has("colorClass") ? read_member(where, "colorClass", colour, any_id()) : result<void>{});
        !read)
        return read.problem();
    if (where.has("colorClass"))
        node.colour = colours.emplace(colour, static_cast<graph::index>(colours.size())).first->second;
    return listed;
}

[[nodiscard]] inline result<std::vector<listed_node>> read_nodes(const place& list) {
    const auto elements = list.elements();
    if (!elements) return elements.problem();
    if (elements->empty())
        return list.wrong(errc::empty_space, "it lists no node", "it must list one at least");
    std::vector<listed_node> nodes;
    std::unordered_map<std::int64_t, graph::index> colours;
    for (const place& element : *elements) {
        auto node = read_node(element, colours);
        if (!node) return std::move(node).problem();
        nodes.push_back(*std::move(node));
    }
    return nodes;
}

// Reads the edges; what one costs is a cost of its source, which keeps it.
[[nodiscard]] inline result<std::vector<graph::arc>>
read_edges_of_devices(const place& list, const std::unordered_map<std::int64_t, graph::index>& position,
                      std::vector<listed_node>& nodes) {
    const auto elements = list.elements();
    if (!elements) return elements.problem();
    std::vector<graph::arc> edges;
    std::vector<std::optional<double>> charged(nodes.size());
    for (const place& element : *elements) {
        std::int64_t source = 0;
        std::int64_t target = 0;
        double cost = 0.0;
        if (auto read = first_problem(read_member(element, "sourceId", source, any_id()),
                                      read_member(element, "destId", target, any_id()),
                                      read_member(element, "cost", cost, at_least(0.0)));
            !read)
            return read.problem();
        for (const std::int64_t id : {source, target})
            if (!position.contains(id))
                return element.wrong(errc::unknown_name, "it joins node " + to_text(id),
                                     "edges join nodes that 'nodes' lists");
        const graph::arc ends{position.at(source), position.at(target)};
        if (nodes[ends.source].node.backward && !nodes[ends.target].node.backward)
            return element.wrong(errc::shape,
                                 "it leads from backward node " + to_text(source) + " to forward node " +
                                     to_text(target),
                                 "no edge leads from a backward to a forward node");
        // One tensor has one cost; the last digits may differ where a program computed it edge by edge.
        const double first = charged[ends.source].value_or(cost);
        if (std::abs(cost - first) > 1e-9 * std::max(cost, first))
            return element.wrong(errc::shape,
                                 "its cost is " + to_text(cost) + ", but " + to_text(first) +
                                     " on another edge out of node " + to_text(source),
                                 "all edges out of one node carry the same cost");
        charged[ends.source] = nodes[ends.source].node.output_s = first;
        edges.push_back(ends);
    }
    return edges;
}

} // namespace detail

/// Reads an instance from its text; errors call it `name`. Nodes are renumbered topologically, colours from
/// 0 on; an edge that is listed twice is kept once.
/// \returns errc::parse, errc::out_of_range, errc::unknown_name, errc::shape, errc::empty_space or
/// errc::cycle, with the way to the value at fault.
[[nodiscard]] inline result<device_placement> read_device_placement(std::string_view text,
                                                                    std::string_view name) {
    using namespace detail;
    const auto document = parse(text, name);
    if (!document) return document.problem();
    const place root(*document, std::string(name));
    device_placement instance;
    placement::device_graph& problem = instance.problem;
    if (auto read =
            first_problem(read_member(root, "maxSizePerFPGA", problem.memory_bytes, at_least(0.0)),
                          read_member(root, "maxFPGAs", problem.accelerators, from_to(0, most_devices)),
                          read_member(root, "maxCPUs", problem.cpus, from_to(0, most_devices)));
        !read)
        return read.problem();
    const auto node_list = root.member("nodes");
    if (!node_list) return node_list.problem();
    auto nodes = read_nodes(*node_list);
    if (!nodes) return std::move(nodes).problem();
    std::unordered_map<std::int64_t, graph::index> position;
    for (std::size_t v = 0; v < nodes->size(); ++v)
        if (!position.emplace((*nodes)[v].id, static_cast<graph::index>(v)).second)
            return node_list->wrong(errc::shape, "it lists node " + to_text((*nodes)[v].id) + " twice",
                                    "every node has an id of its own");
    const auto edge_list = root.member("edges");
    if (!edge_list) return edge_list.problem();
    auto arcs = read_edges_of_devices(*edge_list, position, *nodes);
    if (!arcs) return std::move(arcs).problem();

    const graph::digraph edges(nodes->size(), *arcs);
    const auto order = graph::topological_order(edges);
    if (!order) {
        const std::vector<graph::index> cycle = graph::find_cycle(edges);
        std::string way;
        for (const graph::index v : cycle) way += to_text((*nodes)[v].id) + " -> ";
        return edge_list->wrong(errc::cycle, "they form a cycle: " + way + to_text((*nodes)[cycle[0]].id),
                                "no node may need itself");
    }
    std::vector<graph::index> number(nodes->size());
    for (const graph::index v : *order) {
        number[v] = static_cast<graph::index>(problem.nodes.size());
        problem.nodes.push_back((*nodes)[v].node);
        instance.node_ids.push_back((*nodes)[v].id);
    }
    for (const graph::arc& a : *arcs) problem.edges.push_back({number[a.source], number[a.target]});
    std::sort(problem.edges.begin(), problem.edges.end(), [](const graph::arc& a, const graph::arc& b) {
        return std::pair(a.source, a.target) < std::pair(b.source, b.target);
    });
    problem.edges.erase(std::unique(problem.edges.begin(), problem.edges.end()), problem.edges.end());
    if (auto valid = placement::validate(problem); !valid) return error(valid.problem()).within(root.path());
    return instance;
}

/// Reads an instance from a file. \returns what `read_device_placement` returns, or errc::io.
[[nodiscard]] inline result<device_placement> load_device_placement(const std::filesystem::path& path) {
    const auto text = read_text(path);
    if (!text) return text.problem();
    return read_device_placement(*text, path.string());
}

} // namespace dovetail::ext::json

/// \file
/// The stage planner's instances of PHAZE (Wang et al., ICML 2024) as a placement problem.

#include <filesystem>

namespace dovetail::ext::json {

/// A placement problem and what its file calls the layers.
struct phaze_placement {
    placement::layer_graph problem;
    std::vector<std::int64_t> layer_ids; ///< by layer of the problem
};

namespace detail {

struct phaze_edge {
    std::int64_t source = 0;
    std::int64_t target = 0;
    double bytes = 0.0;

    [[nodiscard]] auto ends() const { return std::tie(source, target); }
};

// One tensor width as the file lists it.
struct phaze_width {
    std::int64_t width = 0;
    std::string path;
    std::vector<std::int64_t> ids;
    std::vector<placement::layer> layers;
    std::vector<phaze_edge> edges;
};

// \param copies of the parameters that stay resident: weights, gradients and the optimizer's own
[[nodiscard]] inline result<void> read_layers(const place& list, double copies, phaze_width& into) {
    const auto nodes = list.elements();
    if (!nodes) return nodes.problem();
    if (nodes->empty())
        return list.wrong(errc::empty_space, "it lists no layer", "it must list one at least");
    for (const place& node : *nodes) {
        std::int64_t id = 0;
        double parameters = 0.0;
        placement::layer l;
        if (auto read = first_problem(
                read_member(node, "id", id, from_to(-exact_integers, exact_integers)),
                read_member(node, "parameterSize", parameters, at_least(0.0)),
                read_member(node, "activationSize", l.activation_bytes, at_least(0.0)),
                read_member(node, "optimalLatencyFw", l.forward_s, at_least(0.0)),
                read_member(node, "optimalLatencyBw", l.backward_s, at_least(0.0)),
                read_member(node, "isTensorParallelized", l.tensor_parallel, std::mem_fn(&place::boolean)));
            !read)
            return read;
        l.resident_bytes = copies * parameters;
        l.optimizer_bytes = (copies - 2.0) * parameters; // all but weights and gradients
        // The format times the backward pass as a whole: its two gradients do the same arithmetic.
        l.weight_gradient_s = 0.5 * l.backward_s;
        l.reduce_bytes = 2.0 * parameters; // the format charges 4 (d - 1) / d of the parameters for a ring
        l.stash_bytes = l.activation_bytes;
        into.ids.push_back(id);
        into.layers.push_back(l);
    }
    return {};
}

[[nodiscard]] inline result<void> read_edges(const place& list, phaze_width& into) {
    const auto edges = list.elements();
    if (!edges) return edges.problem();
    for (const place& edge : *edges) {
        phaze_edge e;
        if (auto read = first_problem(
                read_member(edge, "sourceId", e.source, from_to(-exact_integers, exact_integers)),
                read_member(edge, "destId", e.target, from_to(-exact_integers, exact_integers)),
                read_member(edge, "communicationCost", e.bytes, at_least(0.0)));
            !read)
            return read;
        for (const std::int64_t id : {e.source, e.target})
            if (std::find(into.ids.begin(), into.ids.end(), id) == into.ids.end())
                return edge.wrong(errc::unknown_name, "it joins layer " + to_text(id),
                                  "edges join layers that '" + into.path + "' lists");
        into.edges.push_back(e);
    }
    std::stable_sort(into.edges.begin(), into.edges.end(),
                     [](const phaze_edge& a, const phaze_edge& b) { return a.ends() < b.ends(); });
    return {};
}

[[nodiscard]] inline result<std::vector<phaze_width>> read_widths(const place& root, double copies) {
    const auto nodes = root.member("nodes");
    if (!nodes) return nodes.problem();
    const auto edges = root.member("edges");
    if (!edges) return edges.problem();
    const auto lists = nodes->members();
    if (!lists) return lists.problem();
    if (lists->empty())
        return nodes->wrong(errc::empty_space, "it has no tensor width", "it must have one at least");
    std::vector<phaze_width> widths;
    for (const auto& [key, list] : *lists) {
        const auto width = parse_number<std::int64_t>(key);
        if (!width || *width < 1 || *width > most_devices)
            return list.wrong(errc::out_of_range, "the tensor width is '" + key + "'",
                              "it must be a whole number from 1 to " + to_text(most_devices));
        phaze_width& into = widths.emplace_back();
        into.width = *width;
        into.path = list.path();
        if (auto read = read_layers(list, copies, into); !read) return read.problem();
        const auto edge_list = edges->member(key);
        if (!edge_list) return edge_list.problem();
        if (auto read = read_edges(*edge_list, into); !read) return read.problem();
    }
    std::sort(widths.begin(), widths.end(),
              [](const phaze_width& a, const phaze_width& b) { return a.width < b.width; });
    return widths;
}

// Positions of the layers of `ids` by id, or the id that stands there twice.
[[nodiscard]] inline result<std::map<std::int64_t, graph::index>> number_layers(const phaze_width& w) {
    std::map<std::int64_t, graph::index> number;
    for (std::size_t v = 0; v < w.ids.size(); ++v)
        if (!number.emplace(w.ids[v], static_cast<graph::index>(v)).second)
            return error{errc::shape, w.path, "it lists layer " + to_text(w.ids[v]) + " twice",
                         "every layer has an id of its own"};
    return number;
}

// Checks that a width has the layers and edges of the first one.
[[nodiscard]] inline result<void> check_agreement(const phaze_width& first, const phaze_width& other) {
    const auto differ = [&](const std::string& what) {
        return error{errc::shape, other.path, "its " + what + " differ from those of '" + first.path + "'",
                     "every tensor width has the same layers and edges"};
    };
    std::vector<std::int64_t> a = first.ids;
    std::vector<std::int64_t> b = other.ids;
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    if (a != b) return differ("layers");
    const auto same = [](const phaze_edge& x, const phaze_edge& y) { return x.ends() == y.ends(); };
    if (!std::equal(first.edges.begin(), first.edges.end(), other.edges.begin(), other.edges.end(), same))
        return differ("edges");
    return {};
}

} // namespace detail

/// Reads an instance from its text; errors call it `name`. Layers are renumbered topologically, widths
/// sorted. What the format says about an expert's plan (`fixedPP` and its kin) is no part of the problem.
/// \returns errc::parse, errc::out_of_range, errc::unknown_name, errc::shape or errc::cycle, with the way to
/// the value at fault.
[[nodiscard]] inline result<phaze_placement> read_phaze_placement(std::string_view text,
                                                                  std::string_view name) {
    using namespace detail;
    const auto document = parse(text, name);
    if (!document) return document.problem();
    const place root(*document, std::string(name));
    phaze_placement instance;
    placement::layer_graph& problem = instance.problem;
    std::string optimizer;
    if (auto read = first_problem(
            read_member(root, "maxMemoryPerDevice", problem.hbm_bytes, positive()),
            read_member(root, "maxDevices", problem.devices, from_to(1, most_devices)),
            read_member(root, "bandwidth", problem.link_bytes_per_s, positive()),
            read_member(root, "mbsInBatch", problem.micro_batches, from_to(1, most_devices)),
            read_member(root, "activationRecomputation", problem.recompute, std::mem_fn(&place::boolean)),
            read_member(root, "optimizerAlgorithm", optimizer, std::mem_fn(&place::text)));
        !read)
        return read.problem();
    if (optimizer != "SGD" && optimizer != "Adam")
        return error{errc::unknown_name, root.path() + ": optimizerAlgorithm", "it is '" + optimizer + "'",
                     "it must be 'SGD' or 'Adam'"};
    const auto widths = read_widths(root, optimizer == "Adam" ? 3.0 : 2.0);
    if (!widths) return widths.problem();

    const phaze_width& first = widths->front();
    const auto listed = number_layers(first);
    if (!listed) return listed.problem();
    std::vector<graph::arc> arcs;
    for (const phaze_edge& e : first.edges) arcs.push_back({listed->at(e.source), listed->at(e.target)});
    const graph::digraph edges(first.ids.size(), arcs);
    const auto order = graph::topological_order(edges);
    if (!order) {
        const std::vector<graph::index> cycle = graph::find_cycle(edges);
        std::string way;
        for (const graph::index v : cycle) way += to_text(first.ids[v]) + " -> ";
        return error{errc::cycle, first.path,
                     "its layers form a cycle: " + way + to_text(first.ids[cycle[0]]),
                     "no layer may need itself"};
    }
    std::map<std::int64_t, graph::index> number;
    for (const graph::index v : *order) {
        number.emplace(first.ids[v], static_cast<graph::index>(number.size()));
        instance.layer_ids.push_back(first.ids[v]);
    }

    for (const phaze_width& w : *widths) {
        if (auto agreed = check_agreement(first, w); !agreed) return agreed.problem();
        placement::width_costs& costs = problem.widths.emplace_back();
        costs.width = w.width;
        costs.layers.resize(w.layers.size());
        for (std::size_t v = 0; v < w.ids.size(); ++v) costs.layers[number.at(w.ids[v])] = w.layers[v];
        std::vector<std::pair<std::pair<graph::index, graph::index>, double>> numbered;
        for (const phaze_edge& e : w.edges)
            numbered.push_back({{number.at(e.source), number.at(e.target)}, e.bytes});
        std::stable_sort(numbered.begin(), numbered.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        problem.edges.clear();
        for (const auto& [ends, bytes] : numbered) {
            problem.edges.push_back({ends.first, ends.second});
            costs.edge_bytes.push_back(bytes);
        }
    }
    if (auto valid = placement::validate(problem); !valid) return error(valid.problem()).within(root.path());
    return instance;
}

/// Reads an instance from a file. \returns what `read_phaze_placement` returns, or errc::io.
[[nodiscard]] inline result<phaze_placement> load_phaze_placement(const std::filesystem::path& path) {
    const auto text = read_text(path);
    if (!text) return text.problem();
    return read_phaze_placement(*text, path.string());
}

} // namespace dovetail::ext::json

#endif

#if defined(DOVETAIL_ONNX)
/// \file
/// The door to ONNX.

/// \file
/// Attributes of ONNX nodes, with the numbers of element types made ours.

/// \file
/// Element types and small constants of ONNX files.

#include <onnx/onnx_pb.h>

namespace dovetail::ext::onnx {

/// The largest constant whose value is kept: axes, reshape targets and scalars are far below, weights above.
inline constexpr std::int64_t largest_known_value = 64;

/// The element type behind the number `type` of an ONNX file (TensorProto.DataType).
/// \returns errc::unsupported for strings, complex numbers and whatever is newer.
[[nodiscard]] inline result<workload::element_type> to_element_type(std::int64_t type) {
    using workload::element_type;
    using file = ::onnx::TensorProto;
    switch (type) {
    case file::FLOAT:
        return element_type::float32;
    case file::DOUBLE:
        return element_type::float64;
    case file::FLOAT16:
        return element_type::float16;
    case file::BFLOAT16:
        return element_type::bfloat16;
    case file::INT8:
        return element_type::int8;
    case file::UINT8:
        return element_type::uint8;
    case file::INT16:
        return element_type::int16;
    case file::UINT16:
        return element_type::uint16;
    case file::INT32:
        return element_type::int32;
    case file::UINT32:
        return element_type::uint32;
    case file::INT64:
        return element_type::int64;
    case file::UINT64:
        return element_type::uint64;
    case file::BOOL:
        return element_type::boolean;
    default:
        return error{errc::unsupported,
                     {},
                     "element type " + to_text(type) + " is not supported",
                     "use floating, integer or boolean tensors"};
    }
}

namespace detail {

/// The little-endian words of `bytes`; a last incomplete word is left out.
template <std::unsigned_integral Word>
[[nodiscard]] std::vector<Word> words(const std::string& bytes) {
    std::vector<Word> all;
    for (std::size_t begin = 0; begin + sizeof(Word) <= bytes.size(); begin += sizeof(Word)) {
        std::uint64_t word = 0;
        for (std::size_t i = sizeof(Word); i-- > 0;)
            word = word << 8U | static_cast<unsigned char>(bytes[begin + i]);
        all.push_back(static_cast<Word>(word));
    }
    return all;
}

/// A number of `exponent_bits` and `fraction_bits` (IEEE 754 binary16, bfloat16).
[[nodiscard]] inline double short_float(std::uint16_t bits, int exponent_bits, int fraction_bits) {
    const int largest = (1 << exponent_bits) - 1;
    const int exponent = (bits >> fraction_bits) & largest;
    const int fraction = bits & ((1 << fraction_bits) - 1);
    const int bias = largest / 2;
    double magnitude = 0;
    if (exponent == largest)
        magnitude = fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                                  : std::numeric_limits<double>::infinity();
    else if (exponent == 0)
        magnitude = std::ldexp(fraction, 1 - bias - fraction_bits);
    else
        magnitude = std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
    return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

/// The values of `proto`, whose words are `Word`s: raw, or else one by one in the field `listed`.
template <class Value, std::unsigned_integral Word, class List, class Convert>
[[nodiscard]] std::vector<Value> values(const ::onnx::TensorProto& proto, const List& listed,
                                        Convert convert) {
    std::vector<Value> all;
    if (proto.has_raw_data())
        for (const Word word : words<Word>(proto.raw_data())) all.push_back(convert(word));
    else
        for (const auto& entry : listed) {
            if constexpr (std::is_floating_point_v<std::remove_cvref_t<decltype(entry)>>)
                all.push_back(static_cast<Value>(entry));
            else
                all.push_back(convert(static_cast<Word>(entry)));
        }
    return all;
}

/// Integers stored as two's complement words of the width of `Stored`.
template <std::integral Stored, class List>
[[nodiscard]] std::vector<std::int64_t> integers(const ::onnx::TensorProto& proto, const List& listed) {
    using word = std::make_unsigned_t<Stored>;
    return values<std::int64_t, word>(
        proto, listed, [](word bits) { return static_cast<std::int64_t>(static_cast<Stored>(bits)); });
}

inline void read_values(const ::onnx::TensorProto& proto, workload::tensor& t) {
    using workload::element_type;
    switch (t.type) {
    case element_type::float32:
        t.reals = values<double, std::uint32_t>(proto, proto.float_data(), [](std::uint32_t bits) {
            return static_cast<double>(std::bit_cast<float>(bits));
        });
        return;
    case element_type::float64:
        t.reals = values<double, std::uint64_t>(
            proto, proto.double_data(), [](std::uint64_t bits) { return std::bit_cast<double>(bits); });
        return;
    case element_type::float16:
        t.reals = values<double, std::uint16_t>(proto, proto.int32_data(),
                                                [](std::uint16_t bits) { return short_float(bits, 5, 10); });
        return;
    case element_type::bfloat16:
        t.reals = values<double, std::uint16_t>(proto, proto.int32_data(),
                                                [](std::uint16_t bits) { return short_float(bits, 8, 7); });
        return;
    case element_type::int8:
        t.integers = integers<std::int8_t>(proto, proto.int32_data());
        return;
    case element_type::uint8:
    case element_type::boolean:
        t.integers = integers<std::uint8_t>(proto, proto.int32_data());
        return;
    case element_type::int16:
        t.integers = integers<std::int16_t>(proto, proto.int32_data());
        return;
    case element_type::uint16:
        t.integers = integers<std::uint16_t>(proto, proto.int32_data());
        return;
    case element_type::int32:
        t.integers = integers<std::int32_t>(proto, proto.int32_data());
        return;
    case element_type::uint32:
        t.integers = integers<std::uint32_t>(proto, proto.uint64_data());
        return;
    case element_type::int64:
        t.integers = integers<std::int64_t>(proto, proto.int64_data());
        return;
    case element_type::uint64:
        t.integers = integers<std::uint64_t>(proto, proto.uint64_data());
        return;
    }
}

} // namespace detail

/// The shape and type of a stored tensor, and its value where it is small and inside the file. What is
/// outside (external data) or stripped is not looked for: shapes are enough to price a weight.
/// \returns errc::out_of_range or errc::overflow for extents that no tensor has, errc::unsupported for other
/// element types, errc::parse where a small value has not the announced number of elements.
[[nodiscard]] inline result<workload::tensor> read_tensor(const ::onnx::TensorProto& proto) {
    workload::tensor t{.name = proto.name(), .role = workload::tensor_role::constant};
    for (const std::int64_t extent : proto.dims()) {
        if (extent < 0)
            return error{
                errc::out_of_range, {}, "an extent is " + to_text(extent), "extents are not negative"};
        t.dims.push_back(extent);
    }
    const auto type = to_element_type(proto.data_type());
    if (!type) return type.problem();
    t.type = *type;
    const auto elements = checked_product(t.dims);
    if (!elements) return error{errc::overflow, {}, "it has 2^63 elements or more", "a tensor has fewer"};
    if (*elements > largest_known_value || proto.data_location() == ::onnx::TensorProto::EXTERNAL) return t;
    detail::read_values(proto, t);
    const std::size_t stored = t.integers.size() + t.reals.size();
    if (stored != 0 && stored != static_cast<std::size_t>(*elements))
        return error{errc::parse,
                     {},
                     "it stores " + to_text(stored) + " elements where its shape announces " +
                         to_text(*elements),
                     "the file may be damaged: export it again"};
    return t;
}

} // namespace dovetail::ext::onnx

namespace dovetail::ext::onnx {

/// The attributes of `node`, which is of type `type`: integers, numbers, texts and lists of integers under
/// their own names. The element type that a `Cast` or a `ConstantOfShape` gives becomes `to`, a
/// workload::element_type; the integer that fills a `ConstantOfShape` becomes `integer_value`. No descriptor
/// asks for lists of numbers or texts, which are left out.
/// \returns errc::unsupported for a graph as an attribute and for element types without an equal, errc::parse
/// for a `Cast` that does not say to what.
[[nodiscard]] inline result<workload::attribute_set> read_attributes(const ::onnx::NodeProto& node,
                                                                     workload::operator_type type) {
    namespace op = workload::op;
    using file = ::onnx::AttributeProto;
    workload::attribute_set attributes;
    for (const ::onnx::AttributeProto& a : node.attribute()) {
        switch (a.type()) {
        case file::INT:
            attributes.set(a.name(), a.i());
            break;
        case file::FLOAT:
            attributes.set(a.name(), static_cast<double>(a.f()));
            break;
        case file::STRING:
            attributes.set(a.name(), a.s());
            break;
        case file::INTS:
            attributes.set(a.name(), std::vector<std::int64_t>(a.ints().begin(), a.ints().end()));
            break;
        case file::TENSOR:
            if (type == workload::type_of<op::constant_of_shape> && a.name() == "value") {
                const auto fill = read_tensor(a.t());
                if (!fill) return fill.problem();
                attributes.set("to", static_cast<std::int64_t>(fill->type));
                if (!fill->integers.empty()) attributes.set("integer_value", fill->integers.front());
            }
            break;
        case file::GRAPH:
        case file::GRAPHS:
            return error{errc::unsupported,
                         {},
                         "its attribute '" + a.name() + "' is a graph",
                         "export the model without control flow"};
        default:
            break;
        }
    }
    if (type == workload::type_of<op::cast>) {
        if (!attributes.contains("to"))
            return error{errc::parse,
                         {},
                         "its attribute 'to' is missing",
                         "a Cast names the element type that it gives"};
        const auto target = to_element_type(attributes.integer("to", 0));
        if (!target) return target.problem();
        attributes.set("to", static_cast<std::int64_t>(*target));
    }
    return attributes;
}

/// The tensor that a `Constant` node gives. \returns errc::unsupported for sparse and text constants, and
/// what read_tensor returns.
[[nodiscard]] inline result<workload::tensor> read_constant(const ::onnx::NodeProto& node) {
    using workload::element_type;
    for (const ::onnx::AttributeProto& a : node.attribute()) {
        if (a.name() == "value") return read_tensor(a.t());
        workload::tensor t{.name = {}, .role = workload::tensor_role::constant, .type = element_type::int64};
        if (a.name() == "value_int") {
            t.integers = {a.i()};
            return t;
        }
        if (a.name() == "value_ints") {
            t.dims = {a.ints_size()};
            if (a.ints_size() <= largest_known_value) t.integers.assign(a.ints().begin(), a.ints().end());
            return t;
        }
        t.type = element_type::float32;
        if (a.name() == "value_float") {
            t.reals = {static_cast<double>(a.f())};
            return t;
        }
        if (a.name() == "value_floats") {
            t.dims = {a.floats_size()};
            if (a.floats_size() <= largest_known_value) t.reals.assign(a.floats().begin(), a.floats().end());
            return t;
        }
    }
    return error{errc::unsupported,
                 {},
                 "it has no value, or one of another kind",
                 "a constant is a dense tensor of numbers"};
}

} // namespace dovetail::ext::onnx

/// \file
/// What an ONNX file declares about its tensors: roles, shapes, and dimensions without a value.

namespace dovetail::ext::onnx {

/// How to import.
struct import_options {
    /// Samples that one pass takes; 0 keeps the batch of the file, or 1 where the file leaves it open.
    std::int64_t batch = 0;
    /// Values of other open dimensions: by name, {"sequence", 128}, or by place, {"input_ids:1", 128}.
    std::map<std::string, std::int64_t> dimensions{};
};

namespace detail {

using tensor_names = std::unordered_map<std::string, workload::index>;

/// The roles of the graph's inputs, from the metadata of files without weights.
class layout {
public:
    explicit layout(const ::onnx::ModelProto& model) {
        for (const ::onnx::StringStringEntryProto& entry : model.metadata_props()) {
            if (entry.key() == "data_inputs") data_ = names(entry.value());
            if (entry.key() == "non_parameter_inputs") buffers_ = names(entry.value());
            if (entry.key() == "batch") batch_ = parse_number<std::int64_t>(entry.value()).value_or(0);
        }
    }

    /// Whether the file tells data from weights; where it does not, every input is data.
    [[nodiscard]] bool names_data() const { return !data_.empty(); }
    /// The batch that the metadata tell, or 0.
    [[nodiscard]] std::int64_t batch() const { return batch_; }

    [[nodiscard]] workload::tensor_role role(const std::string& input) const {
        using workload::tensor_role;
        if (!names_data() || data_.contains(input)) return tensor_role::input;
        return buffers_.contains(input) ? tensor_role::buffer : tensor_role::parameter;
    }

private:
    /// The names of a list that commas separate.
    static std::set<std::string> names(std::string_view list) {
        std::set<std::string> all;
        while (!list.empty()) {
            const std::size_t end = std::min(list.find(','), list.size());
            if (end > 0) all.emplace(list.substr(0, end));
            list.remove_prefix(std::min(end + 1, list.size()));
        }
        return all;
    }

    std::set<std::string> data_, buffers_;
    std::int64_t batch_ = 0;
};

/// The value of the open dimension `axis` of the input `name`.
[[nodiscard]] inline result<std::int64_t> open_extent(const ::onnx::TensorShapeProto::Dimension& dim,
                                                      std::size_t axis, const std::string& name,
                                                      workload::tensor_role role, const layout& file,
                                                      const import_options& options) {
    const std::string place = name + ":" + to_text(axis);
    const std::string& key = dim.dim_param().empty() ? place : dim.dim_param();
    auto given = options.dimensions.find(place);
    if (given == options.dimensions.end()) given = options.dimensions.find(key);
    if (given != options.dimensions.end()) {
        if (given->second >= 1) return given->second;
        return error{errc::out_of_range,
                     {},
                     "dimension '" + given->first + "' is set to " + to_text(given->second),
                     "a dimension has at least one element"};
    }
    if (axis == 0 && role == workload::tensor_role::input) {
        if (options.batch > 0) return options.batch;
        if (file.batch() > 0) return file.batch();
        if (!dim.dim_param().empty()) return std::int64_t{1};
    }
    return error{errc::dynamic_shape,
                 {},
                 "its dimension " + to_text(axis) +
                     (dim.dim_param().empty() ? "" : ", '" + dim.dim_param() + "',") + " has no value",
                 "give it one, as in --dimension " + key + "=128"};
}

/// An input of the graph as a tensor of role `role`; the first dimension of data is the batch.
[[nodiscard]] inline result<workload::tensor> read_input(const ::onnx::ValueInfoProto& info,
                                                         workload::tensor_role role, const layout& file,
                                                         const import_options& options) {
    if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape())
        return error{errc::unsupported,
                     {},
                     "it is not a tensor with a known number of dimensions",
                     "inputs are tensors with a shape"};
    const auto& declared = info.type().tensor_type();
    const auto type = to_element_type(declared.elem_type());
    if (!type) return type.problem();
    workload::tensor t{.name = info.name(), .role = role, .type = *type};
    for (const auto& dim : declared.shape().dim()) {
        if (dim.has_dim_value()) {
            if (dim.dim_value() < 1)
                return error{errc::out_of_range,
                             {},
                             "its dimension " + to_text(t.dims.size()) + " is " +
                                 to_text(std::int64_t{dim.dim_value()}),
                             "a dimension has at least one element"};
            t.dims.push_back(dim.dim_value());
            continue;
        }
        const auto extent = open_extent(dim, t.dims.size(), info.name(), role, file, options);
        if (!extent) return extent.problem();
        t.dims.push_back(*extent);
    }
    return t;
}

/// Compares the shapes that the file declares for results with those that were inferred. Dimensions that the
/// file leaves open agree with everything.
[[nodiscard]] inline result<void> check_declared(const ::onnx::GraphProto& file, const tensor_names& names,
                                                 const workload::operator_graph& g) {
    for (const auto* list : {&file.value_info(), &file.output()})
        for (const ::onnx::ValueInfoProto& info : *list) {
            const auto found = names.find(info.name());
            if (found == names.end() || !info.type().has_tensor_type() ||
                !info.type().tensor_type().has_shape())
                continue;
            const workload::dimensions& dims = g.tensors[found->second].dims;
            const auto& declared = info.type().tensor_type().shape();
            bool agrees = static_cast<std::size_t>(declared.dim_size()) == dims.size();
            std::string text;
            for (int i = 0; i < declared.dim_size(); ++i) {
                const auto& dim = declared.dim(i);
                agrees =
                    agrees && (!dim.has_dim_value() || dim.dim_value() == dims[static_cast<std::size_t>(i)]);
                if (i > 0) text += ',';
                text += dim.has_dim_value() ? to_text(std::int64_t{dim.dim_value()}) : "?";
            }
            if (!agrees)
                return error{errc::shape, "tensor '" + info.name() + "'",
                             "the file declares the shape [" + text + "], but the operators give " +
                                 workload::op::to_text(dims),
                             "both agree"};
        }
    return {};
}

} // namespace detail

} // namespace dovetail::ext::onnx

/// \file
/// ONNX files as operator graphs, through the official protobuf messages.

/// \file
/// Which stored tensors of an ordinary ONNX file are trained.
///
/// The format does not say: weights, running statistics, masks, position tables and scalars are all stored
/// tensors. What an operation does with one decides.

namespace dovetail::ext::onnx {

namespace detail {

/// What an operation would make of a stored floating tensor as its operand `position`.
enum class use {
    none,    ///< a fixed value
    weight,  ///< trained where the operation sees a signal
    table,   ///< trained whatever the other operands are: looked up by integers, or scaling a normalised one
    forward, ///< what it is shows further down
};

[[nodiscard]] inline use use_of(workload::operator_type type, std::size_t position,
                                const workload::tensor& t) {
    using namespace workload;
    const auto wide = [](std::int64_t extent) { return extent > 1; };
    const auto axes = std::count_if(t.dims.begin(), t.dims.end(), wide);
    const descriptor_record& d = descriptor(type);
    if (d.fusion == fusion_class::view) return position == 0 ? use::forward : use::none;
    if (d.gradient == gradient_rule::product) return use::weight;
    if (d.fusion == fusion_class::normalization)
        return position == 1 || position == 2 ? use::table : use::none;
    if (type == type_of<op::gather>) return position == 0 && axes > 0 ? use::table : use::none;
    if (type == type_of<op::concat>) return axes == 1 ? use::weight : use::none;
    if (d.fusion != fusion_class::elementwise || d.gradient != gradient_rule::elementwise) return use::none;
    if (type == type_of<op::where> || axes == 0) return use::none;
    if (axes == 1) return use::weight; // biases and scales
    // Embeddings of positions are added; attention masks are too, but have a row and a column for each
    // position. Products with larger tables are rotations, which are computed.
    const std::size_t rank = t.dims.size();
    const bool square = t.dims[rank - 1] == t.dims[rank - 2];
    return type == type_of<op::add> && !square ? use::weight : use::none;
}

} // namespace detail

/// Gives every floating constant of more than one element the role of a parameter or of a buffer. A constant
/// is trained where it, or a view of it, is a factor of a product, a bias, a scale, a table of embeddings or
/// the affine part of a normalization, and where the other operands depend on trained tensors or on floating
/// data: what meets only integers (positions) is a computed table. Running statistics are buffers.
/// \param g acyclic, with shapes. \complexity O(operands + arcs log operations).
inline void assign_roles(workload::operator_graph& g) {
    using namespace workload;
    using detail::use;
    const auto order = graph::topological_order(dataflow(g));
    DOVETAIL_ASSERT(order.has_value(), "the graph is acyclic");
    std::vector<index> stored(g.tensors.size(), none); // the constant that a tensor is a view of
    std::vector<bool> signal(g.tensors.size());        // depends on trained tensors or floating data
    for (index t = 0; t < g.tensors.size(); ++t) {
        tensor& x = g.tensors[t];
        signal[t] = x.role == tensor_role::input && is_floating(x.type);
        if (x.role != tensor_role::constant || !is_floating(x.type) || x.elements() <= 1) continue;
        stored[t] = t;
        x.role = tensor_role::buffer;
    }
    for (const index v : *order) {
        const operation& op = g.operations[v];
        const auto carries = [&](index t) { return t != none && signal[t]; };
        bool sees_signal = std::any_of(op.inputs.begin(), op.inputs.end(), carries);
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
            const index source = op.inputs[i] == none ? none : stored[op.inputs[i]];
            if (source == none) continue;
            const use u = detail::use_of(op.type, i, g.tensors[source]);
            if (u == use::forward)
                for (const index t : op.outputs) stored[t] = source;
            if (u == use::table || (u == use::weight && sees_signal)) {
                g.tensors[source].role = tensor_role::parameter;
                sees_signal = true;
            }
        }
        for (const index t : op.outputs) signal[t] = sees_signal;
    }
}

} // namespace dovetail::ext::onnx

#include <google/protobuf/stubs/logging.h>

#include <filesystem>
#include <fstream>

namespace dovetail::ext::onnx {

namespace detail {

/// The oldest operator set whose operators broadcast as all later ones do.
inline constexpr std::int64_t oldest_opset = 7;

/// One file on its way to an operator graph.
class importer {
public:
    importer(const ::onnx::ModelProto& model, const import_options& options)
        : model_(model), file_(model.graph()), layout_(model), options_(options) {}

    [[nodiscard]] result<workload::operator_graph> run() && {
        using step = result<void> (importer::*)();
        for (const step next : {&importer::check_header, &importer::add_stored, &importer::add_inputs,
                                &importer::add_operations, &importer::add_outputs})
            if (auto done = (this->*next)(); !done) return std::move(done).problem();
        if (auto sound = workload::validate(graph_); !sound) return std::move(sound).problem();
        if (auto inferred = workload::infer_shapes(graph_); !inferred) return std::move(inferred).problem();
        if (auto agrees = check_declared(file_, tensors_, graph_); !agrees)
            return std::move(agrees).problem();
        if (!layout_.names_data()) assign_roles(graph_);
        graph_.attention_heads = workload::find_attention_heads(graph_);
        if (options_.batch > 0 && options_.batch != graph_.batch)
            return workload::with_batch(graph_, options_.batch);
        return std::move(graph_);
    }

private:
    result<void> check_header() {
        if (options_.batch < 0)
            return error{errc::out_of_range,
                         {},
                         "a batch of " + to_text(options_.batch) + " samples",
                         "a batch holds at least one sample"};
        if (!model_.has_graph() || file_.node().empty())
            return error{errc::parse, {}, "it holds no ONNX graph", "give a model in the ONNX format"};
        for (const auto& set : model_.opset_import())
            if ((set.domain().empty() || set.domain() == "ai.onnx") && set.version() < oldest_opset)
                return error{errc::unsupported,
                             {},
                             "it uses operator set " + to_text(std::int64_t{set.version()}),
                             "export it with operator set " + to_text(oldest_opset) + " or newer"};
        if (!file_.sparse_initializer().empty())
            return error{errc::unsupported, {}, "it stores sparse tensors", "store them as dense ones"};
        return {};
    }

    result<void> add_stored() {
        for (const ::onnx::TensorProto& proto : file_.initializer()) {
            auto t = read_tensor(proto);
            const std::string place = "tensor '" + proto.name() + "'";
            if (!t) return std::move(t).problem().within(place);
            if (auto added = add(*std::move(t)); !added) return std::move(added).problem().within(place);
        }
        return {};
    }

    result<void> add_inputs() {
        bool batch_known = false;
        if (layout_.batch() > 0) graph_.batch = layout_.batch();
        for (const ::onnx::ValueInfoProto& info : file_.input()) {
            if (stored(info.name())) continue; // its value may be overridden, which nobody does here
            const std::string place = "input '" + info.name() + "'";
            const workload::tensor_role role = layout_.role(info.name());
            auto t = read_input(info, role, layout_, options_);
            if (!t) return std::move(t).problem().within(place);
            if (auto sound = workload::check_shape(*t); !sound) return std::move(sound).problem();
            if (role == workload::tensor_role::input && !t->dims.empty() && !batch_known) {
                graph_.batch = t->dims.front();
                batch_known = true;
            }
            if (auto added = add(*std::move(t)); !added) return std::move(added).problem().within(place);
        }
        return {};
    }

    result<void> add_operations() {
        graph_.name = file_.name();
        // Constants first: nodes may stand in any order, and what a constant is its users need not ask.
        for (const bool constants : {true, false})
            for (const ::onnx::NodeProto& node : file_.node()) {
                if ((node.op_type() == "Constant") != constants) continue;
                const std::string& name =
                    node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
                auto added = constants ? add_constant(node) : add_operation(node, name);
                if (!added)
                    return std::move(added).problem().within("node '" + name + "' (" + node.op_type() + ")");
            }
        return {};
    }

    result<void> add_constant(const ::onnx::NodeProto& node) {
        auto t = read_constant(node);
        if (!t) return std::move(t).problem();
        if (node.output_size() != 1)
            return error{errc::parse,
                         {},
                         "it has " + to_text(node.output_size()) + " results",
                         "a constant is one tensor"};
        t->name = node.output(0);
        return add(*std::move(t));
    }

    result<void> add_operation(const ::onnx::NodeProto& node, const std::string& name) {
        const auto type = find_type(node);
        if (!type) return type.problem();
        auto attributes = read_attributes(node, *type);
        if (!attributes) return std::move(attributes).problem();
        workload::operation op{.type = *type, .name = name, .attributes = *std::move(attributes)};
        for (const std::string& input : node.input())
            op.inputs.push_back(input.empty() ? workload::none : tensor_named(input));
        for (const std::string& output : node.output())
            op.outputs.push_back(output.empty() ? graph_.add(workload::tensor{}) : tensor_named(output));
        while (!op.outputs.empty() && node.output(static_cast<int>(op.outputs.size()) - 1).empty())
            op.outputs.pop_back();
        while (!op.inputs.empty() && op.inputs.back() == workload::none) op.inputs.pop_back();
        if (op.outputs.empty())
            return error{errc::parse, {}, "it has no result", "every operation gives a tensor"};
        graph_.add(std::move(op));
        return {};
    }

    [[nodiscard]] result<workload::operator_type> find_type(const ::onnx::NodeProto& node) const {
        const std::string& name = node.op_type();
        for (const std::string_view control : {"If", "Loop", "Scan", "SequenceMap"})
            if (name == control)
                return error{errc::unsupported,
                             {},
                             "control flow is not supported",
                             "export the model by tracing it with example data"};
        for (const auto& function : model_.functions())
            if (function.name() == name && function.domain() == node.domain())
                return error{errc::unsupported,
                             {},
                             "functions of the model are not supported",
                             "inline them (onnx.inliner) before the import"};
        const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
        return workload::find_operator(standard ? name : node.domain() + "::" + name);
    }

    result<void> add_outputs() {
        for (const ::onnx::ValueInfoProto& info : file_.output()) {
            const auto found = tensors_.find(info.name());
            if (found == tensors_.end())
                return error{errc::parse, "output '" + info.name() + "'", "nothing gives it",
                             "every output is the result of a node"};
            graph_.outputs.push_back(found->second);
        }
        return {};
    }

    result<void> add(workload::tensor t) {
        if (tensors_.contains(t.name))
            return error{errc::parse, {}, "its name is given twice", "names of tensors are unique"};
        const std::string name = t.name;
        tensors_.emplace(name, graph_.add(std::move(t)));
        return {};
    }

    [[nodiscard]] bool stored(const std::string& name) const {
        const auto found = tensors_.find(name);
        return found != tensors_.end() &&
               graph_.tensors[found->second].role == workload::tensor_role::constant;
    }

    workload::index tensor_named(const std::string& name) {
        const auto [place, added] = tensors_.emplace(name, workload::none);
        if (added) place->second = graph_.add(workload::tensor{.name = name});
        return place->second;
    }

    const ::onnx::ModelProto& model_;
    const ::onnx::GraphProto& file_;
    const layout layout_;
    const import_options& options_;
    workload::operator_graph graph_;
    tensor_names tensors_;
};

} // namespace detail

/// The operator graph of the ONNX model in `bytes`.
///
/// Stored tensors keep shape and type, small ones their value. Files whose metadata name their
/// `data_inputs` and `non_parameter_inputs` are taken at their word; elsewhere `assign_roles` finds what is
/// trained. `Constant` nodes become tensors. All shapes are inferred, and compared with those in the file.
/// \returns the graph with its structure validated, or the first mistake: errc::parse,
/// errc::unknown_operator, errc::dynamic_shape, errc::cycle, errc::shape, errc::overflow, errc::out_of_range
/// or errc::unsupported, with the node, input or tensor as its place.
/// \complexity linear in the file but for a logarithm.
[[nodiscard]] inline result<workload::operator_graph> import_onnx(std::string_view bytes,
                                                                  const import_options& options = {}) {
    if (bytes.empty()) return error{errc::parse, {}, "it is empty", "give a model in the ONNX format"};
    ::onnx::ModelProto model;
    const google::protobuf::LogSilencer silence; // the message travels as an error
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return error{errc::unsupported,
                     {},
                     "it has " + to_text(bytes.size()) + " bytes",
                     "a protobuf has less than 2 GiB: store the weights as external data, or strip them"};
    if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return error{errc::parse,
                     {},
                     "its " + to_text(bytes.size()) + " bytes are not a complete ONNX model",
                     "the file may be truncated or of another format: export it again"};
    return detail::importer(model, options).run();
}

/// The operator graph of the ONNX model in the file `path`. \returns as `import_onnx`, with the file in front
/// of the place, or errc::io.
[[nodiscard]] inline result<workload::operator_graph> import_onnx_file(const std::filesystem::path& path,
                                                                       const import_options& options = {}) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes;
    std::array<char, 65536> chunk;
    while (file.read(chunk.data(), chunk.size()) || file.gcount() > 0)
        bytes.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
    if (!file.is_open() || file.bad())
        return error{errc::io, path.string(), "it cannot be read", "name a file that exists and can be read"};
    auto graph = import_onnx(bytes, options);
    if (!graph) return std::move(graph).problem().within(path.string());
    if (graph->name.empty()) graph->name = path.stem().string();
    return graph;
}

} // namespace dovetail::ext::onnx

#endif
