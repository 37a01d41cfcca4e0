#pragma once
/// \file
/// The rules that the headers of a tree obey, and the violations that a tree has.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::test {

/// A room and the rooms that its headers may include.
struct layer {
    std::string_view room;
    std::set<std::string_view> below;
};

/// Every room, in the order of the umbrella of everything.
inline const std::vector<layer>& layers() {
    static const std::vector<layer> table{
        {"core", {}},
        {"graph", {"core"}},
        {"ilp", {"core"}},
        {"workload", {"core", "graph"}},
        {"hardware", {"core"}},
        {"kernel", {"core", "graph", "hardware"}},
        {"cost", {"core", "graph", "workload", "hardware", "kernel"}},
        {"schedule", {"core", "graph", "ilp"}},
        {"placement", {"core", "graph", "ilp"}},
        {"search", {"core", "graph", "workload", "hardware", "cost", "schedule", "placement"}},
        {"report", {"core", "graph", "workload", "hardware", "cost", "schedule", "placement", "search"}},
    };
    return table;
}

/// The third parties that have a door. A door may include every room, and no other door.
inline const std::vector<std::string_view>& doors() {
    static const std::vector<std::string_view> names{"hana", "glpk", "eigen", "json", "onnx", "mpi"};
    return names;
}

/// The standard headers that a room may include. Left out: those that fail on the oldest compilers, those
/// that are slow to compile, and those that throw or print.
inline const std::set<std::string_view>& standard_headers() {
    static const std::set<std::string_view> names{"algorithm",
                                                  "any",
                                                  "array",
                                                  "atomic",
                                                  "barrier",
                                                  "bit",
                                                  "bitset",
                                                  "cassert",
                                                  "cctype",
                                                  "cerrno",
                                                  "cfloat",
                                                  "charconv",
                                                  "chrono",
                                                  "climits",
                                                  "cmath",
                                                  "compare",
                                                  "complex",
                                                  "concepts",
                                                  "condition_variable",
                                                  "cstddef",
                                                  "cstdint",
                                                  "cstdio",
                                                  "cstdlib",
                                                  "cstring",
                                                  "ctime",
                                                  "deque",
                                                  "filesystem",
                                                  "fstream",
                                                  "functional",
                                                  "future",
                                                  "initializer_list",
                                                  "iterator",
                                                  "latch",
                                                  "limits",
                                                  "list",
                                                  "map",
                                                  "memory",
                                                  "memory_resource",
                                                  "mutex",
                                                  "new",
                                                  "numbers",
                                                  "numeric",
                                                  "optional",
                                                  "queue",
                                                  "random",
                                                  "ranges",
                                                  "ratio",
                                                  "semaphore",
                                                  "set",
                                                  "shared_mutex",
                                                  "span",
                                                  "stack",
                                                  "stop_token",
                                                  "string",
                                                  "string_view",
                                                  "system_error",
                                                  "thread",
                                                  "tuple",
                                                  "type_traits",
                                                  "typeinfo",
                                                  "unordered_map",
                                                  "unordered_set",
                                                  "utility",
                                                  "valarray",
                                                  "variant",
                                                  "vector",
                                                  "version"};
    return names;
}

/// Past this many lines a header holds more than one concept.
inline constexpr std::size_t longest_header = 400;

/// A line of a header that includes something.
struct include_line {
    std::size_t number;
    std::string target;
    bool angled;
};

/// A header, named as it is included: `dovetail/graph/order.hpp`.
struct header {
    std::string name;
    std::vector<std::string> lines;
    std::vector<include_line> includes;
};

/// The folder that owns a header: `graph`, `ext/glpk`; an umbrella belongs to the folder that it opens, and
/// the headers of the whole library to the empty one.
inline std::string owner(std::string_view name) {
    const std::string path =
        std::filesystem::path(name).lexically_relative("dovetail").replace_extension().generic_string();
    if (path == "dovetail" || path == "version") return {};
    std::size_t end = path.find('/');
    if (path.starts_with("ext/")) end = path.find('/', 4);
    return path.substr(0, end);
}

/// Whether a header only opens a folder, or the whole library.
inline bool is_umbrella(std::string_view name) {
    const std::string path =
        std::filesystem::path(name).lexically_relative("dovetail").replace_extension().generic_string();
    return path == owner(name) || path == "dovetail";
}

/// Every header below `include_root`, by name.
inline std::map<std::string, header> read_headers(const std::filesystem::path& include_root) {
    std::map<std::string, header> headers;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(include_root)) {
        if (!entry.is_regular_file()) continue;
        header h{entry.path().lexically_relative(include_root).generic_string(), {}, {}};
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            h.lines.push_back(line);
            const std::size_t open = line.find_first_of("<\"");
            if (line.starts_with("#include") && open != line.npos)
                h.includes.push_back({h.lines.size(),
                                      line.substr(open + 1, line.find_first_of(">\"", open + 1) - open - 1),
                                      line[open] == '<'});
        }
        headers.emplace(h.name, std::move(h));
    }
    return headers;
}

/// Collects what is wrong with a tree of headers, one line each.
class rule_book {
public:
    explicit rule_book(const std::filesystem::path& include_root) : headers_(read_headers(include_root)) {
        for (const auto& [name, h] : headers_) {
            check_place(h);
            check_form(h);
            for (const include_line& line : h.includes) check_include(h, line);
        }
        check_umbrellas();
        for (const auto& [name, h] : headers_) find_cycle(name);
    }

    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
    [[nodiscard]] std::size_t header_count() const { return headers_.size(); }

private:
    void report(const std::string& place, const std::string& what) {
        violations_.push_back(place + ": " + what);
    }

    static const layer* find_layer(std::string_view room) {
        const auto at = std::ranges::find(layers(), room, &layer::room);
        return at == layers().end() ? nullptr : &*at;
    }

    static bool is_door(std::string_view folder) {
        return folder.starts_with("ext/") && std::ranges::count(doors(), folder.substr(4)) == 1;
    }

    void check_place(const header& h) {
        if (!h.name.starts_with("dovetail/")) return report(h.name, "every header lies in dovetail/");
        if (!h.name.ends_with(".hpp")) report(h.name, "a header's name ends in .hpp");
        const std::string folder = owner(h.name);
        if (!folder.empty() && find_layer(folder) == nullptr && !is_door(folder))
            report(h.name, "'" + folder + "' is no room and no door");
    }

    void check_form(const header& h) {
        if (h.lines.size() > longest_header)
            report(h.name, "has " + std::to_string(h.lines.size()) + " lines, more than " +
                               std::to_string(longest_header));
        if (h.lines.size() < 3 || h.lines[0] != "#pragma once" || h.lines[1] != "/// \\file" ||
            !h.lines[2].starts_with("/// "))
            report(h.name, "opens with #pragma once, /// \\file and a line of purpose");
    }

    void check_include(const header& h, const include_line& line) {
        const std::string place = h.name + ":" + std::to_string(line.number);
        const std::string from = owner(h.name);
        if (!line.angled) report(place, "includes with quotes");
        if (!line.target.starts_with("dovetail/")) {
            if (!is_door(from) && !standard_headers().contains(line.target))
                report(place, "a room may not include <" + line.target + ">");
            return;
        }
        if (!headers_.contains(line.target)) return report(place, "there is no <" + line.target + ">");
        if (is_umbrella(h.name)) return;
        if (is_umbrella(line.target))
            report(place, "only an umbrella includes the umbrella <" + line.target + ">");
        const std::string to = owner(line.target);
        const layer* const room = find_layer(from);
        const bool allowed = to == from || to.empty() || (is_door(from) && find_layer(to) != nullptr) ||
                             (room != nullptr && room->below.contains(to));
        if (!allowed) report(place, from + " may not include " + to);
    }

    // An umbrella includes all headers of its folder in the order of their names, and nothing else.
    void check_umbrellas() {
        std::map<std::string, std::vector<std::string>> members;
        for (const auto& [name, h] : headers_)
            if (!is_umbrella(name) && !owner(name).empty()) members[owner(name)].push_back(name);
        std::vector<std::string> all{"dovetail/version.hpp"};
        for (const layer& l : layers())
            if (members.contains(std::string(l.room)))
                all.push_back("dovetail/" + std::string(l.room) + ".hpp");
        for (const std::string_view door : doors())
            if (members.contains("ext/" + std::string(door)))
                all.push_back("dovetail/ext/" + std::string(door) + ".hpp");
        for (const auto& [folder, names] : members) check_umbrella("dovetail/" + folder + ".hpp", names);
        check_umbrella("dovetail/dovetail.hpp", all);
    }

    void check_umbrella(const std::string& name, const std::vector<std::string>& expected) {
        const auto at = headers_.find(name);
        if (at == headers_.end()) return report(name, "is missing");
        std::vector<std::string> included;
        for (const include_line& line : at->second.includes) included.push_back(line.target);
        const auto [i, e] = std::ranges::mismatch(included, expected);
        if (i == included.end() && e == expected.end()) return;
        report(name,
               e == expected.end() ? "includes <" + *i + "> and must not" : "must include <" + *e + "> next");
    }

    // Depth first: an edge to a header that is still open closes a cycle.
    void find_cycle(const std::string& name) {
        if (!visited_.insert(name).second) return;
        open_.push_back(name);
        for (const include_line& line : headers_.at(name).includes) {
            if (!headers_.contains(line.target)) continue;
            const auto first = std::ranges::find(open_, line.target);
            if (first == open_.end()) {
                find_cycle(line.target);
                continue;
            }
            std::string path;
            for (auto at = first; at != open_.end(); ++at) path += *at + " -> ";
            report(name + ":" + std::to_string(line.number), "a cycle: " + path + line.target);
        }
        open_.pop_back();
    }

    std::map<std::string, header> headers_;
    std::vector<std::string> violations_;
    std::set<std::string> visited_;
    std::vector<std::string> open_;
};

} // namespace dovetail::test
