#pragma once
/// \file
/// The named settings of an operation: axes, strides, permutations.

#include <dovetail/core/array_view.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

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
    [[nodiscard]] array_view<const std::int64_t> integers(std::string_view name) const {
        const auto* value = find(name);
        const auto* list = value != nullptr ? std::get_if<std::vector<std::int64_t>>(value) : nullptr;
        return list != nullptr ? array_view<const std::int64_t>(*list) : array_view<const std::int64_t>();
    }

    [[nodiscard]] array_view<const std::pair<std::string, attribute_value>> entries() const {
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
