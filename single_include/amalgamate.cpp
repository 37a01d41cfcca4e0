// Writes what is generated from the headers: the umbrella of each room and door, dovetail.hpp, and the single
// header. Same headers, same bytes: no date, no path, no order that a file system chose.
//
//     amalgamate [--check] ROOT
//
// With --check nothing is written: the first line that differs is printed and the exit status is 1.

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct folder {
    std::string_view name;
    std::string_view purpose;
};

constexpr std::array rooms{
    folder{"core", "What every room stands on."},
    folder{"graph", "Directed graphs, without a word of any domain."},
    folder{"ilp", "Integer linear programs as data."},
    folder{"workload", "Models as graphs of operators."},
    folder{"hardware", "Families of accelerators, and clusters of them."},
    folder{"kernel", "Performance models of single instructions."},
    folder{"cost", "What a workload costs on a piece of hardware."},
    folder{"schedule", "When and on which core every operator runs."},
    folder{"placement", "Which devices hold which layers."},
    folder{"search", "The best accelerator together with its plan."},
    folder{"report", "Outcomes for people and programs to read."},
};

constexpr std::array doors{
    folder{"hana", "The door to Boost.Hana."}, folder{"glpk", "The door to GLPK."},
    folder{"eigen", "The door to Eigen."},     folder{"json", "The door to nlohmann/json."},
    folder{"onnx", "The door to ONNX."},       folder{"mpi", "The door to MPI."},
};

[[noreturn]] void fail(const std::string& message) {
    std::cerr << "amalgamate: " << message << '\n';
    std::exit(2);
}

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// Follows a file line by line to tell directives from text that only looks like one, inside a comment or a
// raw string.
class lexer {
public:
    [[nodiscard]] bool in_code() const { return state_ == state::code; }
    [[nodiscard]] bool in_raw_string() const { return state_ == state::raw_string; }

    void advance(std::string_view line) {
        for (std::size_t i = 0; i < line.size();) {
            switch (state_) {
            case state::comment:
                i = leave(line, i, "*/");
                break;
            case state::raw_string:
                i = leave(line, i, raw_end_);
                break;
            case state::code:
                if (line.substr(i, 2) == "//") return;
                i = step(line, i);
                break;
            }
        }
    }

private:
    enum class state { code, comment, raw_string };

    std::size_t leave(std::string_view line, std::size_t from, std::string_view end) {
        const std::size_t at = line.find(end, from);
        if (at == line.npos) return line.size();
        state_ = state::code;
        return at + end.size();
    }

    std::size_t step(std::string_view line, std::size_t i) {
        if (line.substr(i, 2) == "/*") {
            state_ = state::comment;
            return i + 2;
        }
        if (line.substr(i, 2) == "R\"") {
            const std::size_t open = line.find('(', i);
            if (open == line.npos) fail("a raw string does not open on its line");
            raw_end_.assign(1, ')').append(line.substr(i + 2, open - i - 2)).append(1, '"');
            state_ = state::raw_string;
            return open + 1;
        }
        const bool separates_digits =
            line[i] == '\'' && i > 0 && std::isxdigit(static_cast<unsigned char>(line[i - 1]));
        if (line[i] == '"' || (line[i] == '\'' && !separates_digits)) {
            std::size_t end = i + 1;
            while (end < line.size() && line[end] != line[i]) end += line[end] == '\\' ? 2U : 1U;
            return end + 1;
        }
        return i + 1;
    }

    state state_ = state::code;
    std::string raw_end_;
};

struct directive {
    std::string name; // empty when the line is not one
    std::string rest;
};

directive parse_directive(std::string_view line) {
    const auto skip_blanks = [&] {
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) return {};
    line.remove_prefix(1);
    skip_blanks();
    const std::size_t end = std::min(line.find_first_of(" \t<\"("), line.size());
    const std::string name(line.substr(0, end));
    line.remove_prefix(end);
    skip_blanks();
    return {name, std::string(line)};
}

// What an #include names, without its brackets or quotes.
std::string included(const directive& d) {
    if (d.rest.empty()) return {};
    const char close = d.rest.front() == '<' ? '>' : '"';
    return d.rest.substr(1, d.rest.find(close, 1) - 1);
}

bool is_standard(std::string_view header) { return header.find_first_of("./") == header.npos; }

using conditions = std::vector<std::string>;

bool covers(const conditions& outer, const conditions& inner) {
    return outer.size() <= inner.size() && std::equal(outer.begin(), outer.end(), inner.begin());
}

// Expands each header of the project where it is first included.
class amalgamation {
public:
    explicit amalgamation(fs::path include_root) : root_(std::move(include_root)) {}

    void expand(const std::string& header) {
        if (!first_time(header)) return;
        const std::size_t depth = open_.size();
        lexer lex;
        for (const std::string& line : lines_of(read(root_ / header))) {
            const bool verbatim = lex.in_raw_string();
            const directive d = lex.in_code() ? parse_directive(line) : directive{};
            lex.advance(line);
            if (d.name == "pragma" && d.rest == "once") continue;
            if (d.name == "include") {
                include(header, line, included(d));
                continue;
            }
            follow(d);
            body_.push_back({line, {}, verbatim});
        }
        if (open_.size() != depth) fail(header + ": #if without #endif");
        body_.push_back({});
    }

    [[nodiscard]] std::string text(std::string_view preamble) const {
        std::string result(preamble);
        for (const std::string& header : hoisted_) result += "#include <" + header + ">\n";
        bool blank = false;
        for (const output& line : body_) {
            if (hoisted_.contains(line.standard)) continue;
            const bool was_blank = std::exchange(blank, line.text.empty() && !line.verbatim);
            if (blank && was_blank) continue;
            result += line.text + '\n';
        }
        while (result.ends_with("\n\n")) result.pop_back();
        return result;
    }

private:
    struct output {
        std::string text;
        std::string standard; // the standard header that this line includes, if any
        bool verbatim = false;
    };

    // Include-once is only right when what was seen first is seen whenever this place is.
    bool first_time(const std::string& header) {
        const auto [entry, is_new] = seen_.try_emplace(header, open_);
        if (is_new) return true;
        if (!covers(entry->second, open_))
            fail(header + " is first included under a condition, and later without it");
        return false;
    }

    void include(const std::string& from, const std::string& line, const std::string& header) {
        if (header.starts_with("dovetail/")) return expand(header);
        if (!is_standard(header)) {
            if (open_.empty())
                fail(from + ": <" + header + "> is a third party and needs the #if of its door");
            const auto [entry, is_new] = third_party_.try_emplace(header, open_);
            if (is_new || !covers(entry->second, open_)) body_.push_back({line, {}, false});
        } else if (open_.empty()) {
            hoisted_.insert(header);
        } else {
            body_.push_back({line, header, false});
        }
    }

    void follow(const directive& d) {
        if (d.name.starts_with("if")) {
            open_.push_back(d.name + ' ' + d.rest);
        } else if (d.name.starts_with("el")) {
            open_.back() += '\n' + d.name + ' ' + d.rest;
        } else if (d.name == "endif") {
            open_.pop_back();
        }
    }

    fs::path root_;
    conditions open_;
    std::map<std::string, conditions> seen_;
    std::map<std::string, conditions> third_party_;
    std::set<std::string> hoisted_;
    std::vector<output> body_;
};

using files = std::vector<std::pair<fs::path, std::string>>;

// The umbrella of one folder: its headers in the order of their names. Empty for a folder without any.
std::string umbrella(const fs::path& include_root, const std::string& folder_path, std::string_view purpose) {
    std::set<std::string> headers;
    const fs::path path = include_root / folder_path;
    if (fs::is_directory(path))
        for (const auto& entry : fs::recursive_directory_iterator(path))
            if (entry.path().extension() == ".hpp")
                headers.insert(entry.path().lexically_relative(include_root).generic_string());
    if (headers.empty()) return {};
    std::string text = "#pragma once\n/// \\file\n/// " + std::string(purpose) + "\n\n";
    for (const std::string& header : headers) text += "#include <" + header + ">\n";
    return text;
}

// Every umbrella, the one of everything last.
files umbrellas(const fs::path& root) {
    const fs::path include_root = root / "include";
    files result;
    std::string everything =
        "#pragma once\n/// \\file\n/// All of Dovetail, in the order of its layers; a third party "
        "only where its macro is defined.\n\n#include <dovetail/version.hpp>\n\n// clang-format off\n";
    const auto add = [&](const folder& f, const std::string& parent) {
        const std::string path = parent + std::string(f.name);
        const std::string text = umbrella(include_root, path, f.purpose);
        if (text.empty()) return false;
        result.emplace_back(fs::path("include") / (path + ".hpp"), text);
        return true;
    };
    for (const folder& room : rooms)
        if (add(room, "dovetail/")) everything += "#include <dovetail/" + std::string(room.name) + ".hpp>\n";
    everything += "// clang-format on\n";
    for (const folder& door : doors) {
        if (!add(door, "dovetail/ext/")) continue;
        std::string macro = "DOVETAIL_";
        for (const char c : door.name)
            macro += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        everything += "\n#if defined(" + macro + ")\n#include <dovetail/ext/" + std::string(door.name) +
                      ".hpp>\n#endif\n";
    }
    result.emplace_back("include/dovetail/dovetail.hpp", everything);
    return result;
}

constexpr std::string_view preamble =
    "// Dovetail in one header, made from include/ by single_include/amalgamate.cpp: edit those, not this.\n"
    "// Distributed under the Boost Software License, Version 1.0: https://www.boost.org/LICENSE_1_0.txt\n"
    "#pragma once\n\n";

void write(const fs::path& path, const std::string& text) {
    if (fs::exists(path) && read(path) == text) return;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    std::cout << "wrote " << path.generic_string() << '\n';
}

bool same(const fs::path& root, const fs::path& name, const std::string& expected) {
    const std::vector<std::string> want = lines_of(expected);
    const std::vector<std::string> have =
        fs::exists(root / name) ? lines_of(read(root / name)) : std::vector<std::string>{};
    const auto [w, h] = std::mismatch(want.begin(), want.end(), have.begin(), have.end());
    if (w == want.end() && h == have.end()) return true;
    const auto shown = [](auto at, auto end) { return at == end ? std::string("(end of file)") : *at; };
    std::cerr << name.generic_string() << ':' << w - want.begin() + 1
              << ": is out of date: run ./dev amalgamate\n  have: " << shown(h, have.end())
              << "\n  want: " << shown(w, want.end()) << '\n';
    return false;
}

} // namespace

int main(int argc, char** argv) {
    const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
    if (argc != 2 && !check) fail("usage: amalgamate [--check] ROOT");
    const fs::path root = argv[argc - 1];

    // The single header is made of the umbrellas on disk, so they come first.
    for (const auto& [name, text] : umbrellas(root)) {
        if (!check)
            write(root / name, text);
        else if (!same(root, name, text))
            return 1;
    }
    amalgamation single(root / "include");
    single.expand("dovetail/dovetail.hpp");
    const fs::path name = "single_include/dovetail/dovetail.hpp";
    if (!check)
        write(root / name, single.text(preamble));
    else if (!same(root, name, single.text(preamble)))
        return 1;
}
