#pragma once
/// \file
/// The project files of PSPLIB, with one mode or several, as scheduling problems.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/schedule/mode_table.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// A project of PSPLIB. Job j of the file is task j - 1; one of its periods counts as one second.
struct psplib_project {
    task_graph problem;
    double horizon_s = 0.0; ///< what the file says that no good schedule exceeds
};

namespace detail {

// The lines that say something, one after another, in words.
class psplib_lines {
public:
    psplib_lines(std::string_view text, std::string_view name) : text_(text), name_(name) {}

    // Takes the next line that is neither empty nor a rule of stars or hyphens; false behind the last.
    bool next() {
        words_.clear();
        while (words_.empty() && !text_.empty()) {
            const std::size_t end = std::min(text_.find('\n'), text_.size());
            line_ = text_.substr(0, end);
            text_.remove_prefix(std::min(end + 1, text_.size()));
            ++number_;
            if (line_.find_first_not_of("*- \t\r") != std::string_view::npos) split();
        }
        if (words_.empty()) line_ = {};
        return !words_.empty();
    }

    [[nodiscard]] const std::vector<std::string_view>& words() const noexcept { return words_; }
    [[nodiscard]] bool starts_with(std::string_view title) const noexcept {
        return line_.substr(std::min(line_.find_first_not_of(' '), line_.size())).substr(0, title.size()) ==
               title;
    }

    [[nodiscard]] error wrong(errc code, std::string what, std::string expected) const {
        return {code, name_ + ": line " + to_text(number_), std::move(what), std::move(expected)};
    }
    // About a line of which nothing can be read.
    [[nodiscard]] error missing(std::string expected) const {
        if (words_.empty()) return wrong(errc::parse, "the file ends here", std::move(expected));
        return wrong(errc::parse, "it starts with '" + std::string(words_.front()) + "'",
                     std::move(expected));
    }

    // The whole number in [least, most] that is word `k`; `meaning` is its name in errors.
    [[nodiscard]] result<std::int32_t> integer(std::size_t k, std::string_view meaning, std::int32_t least,
                                               std::int32_t most) const {
        const std::string expected = std::string(meaning) + " is expected: a whole number from " +
                                     readable(least) + " to " + readable(most);
        if (words_.empty()) return missing(expected);
        if (k >= words_.size())
            return wrong(errc::parse, "it has " + to_text(words_.size()) + " words", expected);
        const std::optional<std::int32_t> value = parse_number<std::int32_t>(words_[k]);
        if (!value || *value < least || *value > most)
            return wrong(value ? errc::out_of_range : errc::parse,
                         "word " + to_text(k + 1) + " is '" + std::string(words_[k]) + "'", expected);
        return *value;
    }

private:
    void split() {
        for (std::size_t at = 0; at < line_.size();) {
            const std::size_t begin = std::min(line_.find_first_not_of(" \t\r", at), line_.size());
            at = std::min(line_.find_first_of(" \t\r", begin), line_.size());
            if (at > begin) words_.push_back(line_.substr(begin, at - begin));
        }
    }

    std::string_view text_, line_;
    std::string name_;
    std::vector<std::string_view> words_;
    std::size_t number_ = 0;
};

// Reads the parts of a file in their order; each call leaves the last line of its part as the current one.
class psplib_reader {
public:
    psplib_reader(std::string_view text, std::string_view name) : lines_(text, name), name_(name) {}

    [[nodiscard]] result<psplib_project> read() {
        if (result<void> done = read_header(); !done) return std::move(done).problem();
        if (result<void> done = read_precedence(); !done) return std::move(done).problem();
        if (result<void> done = read_modes(); !done) return std::move(done).problem();
        if (result<void> done = read_capacities(); !done) return std::move(done).problem();
        result<task_graph> problem =
            make_task_graph(graph::digraph(static_cast<std::size_t>(jobs_), arcs_), capacity_, table_);
        if (!problem) return std::move(problem).problem().within(name_);
        return psplib_project{std::move(problem).value(), static_cast<double>(horizon_)};
    }

private:
    static constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();

    // One line a fact, "title: value"; those that no one needs here are passed over.
    result<void> read_header() {
        struct fact {
            std::string_view title;
            std::int32_t* value;
            std::int32_t least, most;
        };
        std::int32_t projects = 0, nonrenewable = 0, doubly_constrained = 0;
        const fact facts[] = {{"projects", &projects, 1, 1},
                              {"jobs", &jobs_, 1, most},
                              {"horizon", &horizon_, 0, most},
                              {"- renewable", &resources_, 0, static_cast<std::int32_t>(max_resources)},
                              {"- nonrenewable", &nonrenewable, 0, 0},
                              {"- doubly constrained", &doubly_constrained, 0, 0}};
        for (const fact& f : facts) {
            do {
                if (!lines_.next() || lines_.starts_with("PRECEDENCE"))
                    return lines_.missing("a line '" + std::string(f.title) + " : <count>' comes first");
            } while (!lines_.starts_with(f.title));
            const auto& words = lines_.words();
            const std::size_t colon = static_cast<std::size_t>(
                std::find_if(words.begin(), words.end(),
                             [](std::string_view word) { return word.back() == ':'; }) -
                words.begin());
            const auto value = lines_.integer(colon + 1, f.title, f.least, most);
            if (!value) return value.problem();
            if (*value > f.most)
                return lines_.wrong(errc::unsupported, "it counts " + to_text(*value),
                                    "at most " + readable(f.most) + " can be handled");
            *f.value = *value;
        }
        return skip_to("PRECEDENCE RELATIONS");
    }

    // A line a job: number, modes, count of successors, successors.
    result<void> read_precedence() {
        if (result<void> done = skip_to("jobnr."); !done) return done;
        for (std::int32_t job = 1; job <= jobs_; ++job) {
            lines_.next();
            if (result<void> done = expect_job(job); !done) return done;
            const auto modes = lines_.integer(1, "the number of modes", 1, most);
            if (!modes) return modes.problem();
            const auto count = lines_.integer(2, "the number of successors", 0, jobs_);
            if (!count) return count.problem();
            if (result<void> done = expect_words(3 + static_cast<std::size_t>(*count)); !done) return done;
            mode_counts_.push_back(*modes);
            for (std::size_t k = 3; k < lines_.words().size(); ++k) {
                const auto next = lines_.integer(k, "a successor", 1, jobs_);
                if (!next) return next.problem();
                arcs_.push_back({static_cast<graph::index>(job - 1), static_cast<graph::index>(*next - 1)});
            }
        }
        return skip_to("REQUESTS/DURATIONS");
    }

    // A line a mode: the job, in its first line, then the mode's number, its duration and its demands.
    result<void> read_modes() {
        if (result<void> done = skip_to("jobnr."); !done) return done;
        for (std::int32_t job = 1; job <= jobs_; ++job) {
            table_.add_task();
            for (std::int32_t number = 1; number <= mode_counts_[static_cast<std::size_t>(job - 1)];
                 ++number) {
                lines_.next();
                std::size_t at = 0;
                if (number == 1) {
                    if (result<void> done = expect_job(job); !done) return done;
                    at = 1;
                }
                const auto named = lines_.integer(at, "the number of the mode", number, number);
                if (!named) return named.problem();
                const auto duration = lines_.integer(at + 1, "a duration", 0, most);
                if (!duration) return duration.problem();
                mode m{static_cast<double>(*duration), {}};
                if (result<void> done = read_units(at + 2, m.use); !done) return done;
                table_.add_mode(m);
            }
        }
        return skip_to("RESOURCEAVAILABILITIES");
    }

    result<void> read_capacities() {
        if (resources_ == 0) return {};
        if (result<void> done = skip_to("R "); !done) return done;
        lines_.next();
        return read_units(0, capacity_);
    }

    // The rest of the line from word `at` on: the units of every resource.
    result<void> read_units(std::size_t at, demand& into) {
        const auto resources = static_cast<std::size_t>(resources_);
        for (std::size_t r = 0; r < resources; ++r) {
            const auto units = lines_.integer(at + r, "the number of units of R " + to_text(r + 1), 0, most);
            if (!units) return units.problem();
            into[r] = *units;
        }
        return expect_words(at + resources);
    }

    result<void> expect_job(std::int32_t job) const {
        if (lines_.words().empty()) return lines_.missing("the line of job " + to_text(job) + " comes next");
        const auto named = lines_.integer(0, "the number of the job", job, job);
        return named ? result<void>{} : named.problem();
    }
    result<void> expect_words(std::size_t count) const {
        if (lines_.words().size() == count) return {};
        return lines_.wrong(errc::parse, "it has " + to_text(lines_.words().size()) + " words",
                            "it must have " + to_text(count));
    }
    result<void> skip_to(std::string_view title) {
        while (lines_.next())
            if (lines_.starts_with(title)) return {};
        return lines_.missing("a line '" + std::string(title) + "' must follow");
    }

    psplib_lines lines_;
    std::string name_;
    std::int32_t jobs_ = 0, horizon_ = 0, resources_ = 0;
    std::vector<graph::arc> arcs_;
    std::vector<std::int32_t> mode_counts_;
    mode_table table_;
    demand capacity_{};
};

} // namespace detail

/// Reads a project of PSPLIB (Kolisch and Sprecher, EJOR 96, 1997): the text of an `.sm` file, or of an `.mm`
/// file without nonrenewable resources, of which the problem knows none. Every job has its line or lines, in
/// order, in two tables; release and due dates are not read.
/// \param name what errors call the text, a file's path as a rule
/// \returns errc::parse or errc::out_of_range with the line and what it should be; errc::unsupported for
/// several projects, too many resources or nonrenewable ones; else what `make_task_graph` says of the jobs.
/// \complexity as `make_task_graph`, and O(length of the text).
[[nodiscard]] inline result<psplib_project> read_psplib(std::string_view text, std::string_view name) {
    if (text.empty())
        return error{errc::parse, std::string(name), "it is empty", "give a project in the layout of PSPLIB"};
    return detail::psplib_reader(text, name).read();
}

} // namespace dovetail::schedule
