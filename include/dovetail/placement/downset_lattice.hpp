#pragma once
/// \file
/// All downsets of an acyclic graph, and which one each vertex leads to.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/graph/digraph.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

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
        if (!lattice.link(effort)) return std::nullopt;
        return lattice;
    }

    [[nodiscard]] std::size_t size() const { return parent_.size(); }
    [[nodiscard]] graph::index parent(graph::index set) const { return parent_[set]; }
    [[nodiscard]] graph::index highest(graph::index set) const { return highest_[set]; }

    /// The ways on from a downset, by ascending vertex.
    [[nodiscard]] array_view<const step> steps(graph::index set) const {
        return array_view(steps_).subspan(first_step_[set], first_step_[set + 1] - first_step_[set]);
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
        array_view<const graph::index> successors = g.successors(v);
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
    [[nodiscard]] bool link(spending& effort) {
        for (graph::index set = 1; set < size(); ++set) {
            if (set % 1024 == 0 && effort.late()) return false;
            const graph::index v = highest_[set];
            std::size_t of_parent = first_step_[parent_[set]];
            for (std::size_t s = first_step_[set]; s < first_step_[set + 1] && steps_[s].vertex < v; ++s) {
                while (steps_[of_parent].vertex != steps_[s].vertex) ++of_parent;
                std::size_t across = first_step_[steps_[of_parent].downset];
                while (steps_[across].vertex != v) ++across;
                steps_[s].downset = steps_[across].downset;
            }
        }
        return true;
    }

    std::vector<graph::index> parent_;
    std::vector<graph::index> highest_;
    std::vector<std::size_t> first_step_;
    std::vector<step> steps_;
};

} // namespace dovetail::placement::detail
