#pragma once
/// \file
/// Whether a plan keeps every load below a limit: reachability over downsets and devices used.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/class_pipeline.hpp>
#include <dovetail/placement/stage_walk.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

// A downset is reached with so many accelerators and CPUs: fewer are never worse. What cannot be completed
// for want of work that the devices left could do below the limit is dropped. Downsets that use the most
// devices, and waste the least of them, go first, so that a plan is found early where there is one.
class max_load_search {
public:
    struct stage {
        device_kind kind;
        std::vector<graph::index> classes;
    };

    explicit max_load_search(const class_pipeline& problem)
        : problem_(problem), walk_(problem), words_((problem.size() + 63) / 64) {}

    enum class answer : std::uint8_t { yes, no, budget };

    // Whether all loads can stay below `limit`; `stages()` are the witness.
    [[nodiscard]] answer operator()(double limit, spending& spent) {
        limit_ = limit;
        cpu_work_.clear();
        for (std::int64_t c = 0; c <= problem_.cpus; ++c) cpu_work_.push_back(problem_.work_for_cpus(c, limit));
        sets_.clear();
        newest_.clear();
        entries_.clear();
        heap_.clear();
        table_.assign(64, graph::none);
        reach(std::vector<std::uint64_t>(words_, 0), class_sums{}, 0.0, 0, 0, graph::none,
              device_kind::accelerator);
        while (!heap_.empty()) {
            std::pop_heap(heap_.begin(), heap_.end());
            const graph::index e = heap_.back().entry;
            heap_.pop_back();
            if (entries_[e].beaten) continue;
            if (complete_ != graph::none) return finish();
            if (!expand(e, spent)) return answer::budget;
        }
        return complete_ != graph::none ? finish() : answer::no;
    }

    [[nodiscard]] const std::vector<stage>& stages() const { return stages_; }
    [[nodiscard]] std::size_t downsets() const { return newest_.size(); }

private:
    struct entry {
        graph::index set;
        graph::index from; // the entry whose stage led here
        graph::index older; // of the same set
        std::int32_t accelerators;
        std::int32_t cpus;
        device_kind kind;
        bool beaten; // the set is reached with fewer devices
    };
    struct waiting {
        std::int32_t devices;
        double margin_s;
        graph::index entry;

        friend bool operator<(const waiting& a, const waiting& b) {
            return std::pair(a.devices, a.margin_s) < std::pair(b.devices, b.margin_s);
        }
    };

    [[nodiscard]] std::span<const std::uint64_t> set(graph::index s) const {
        return std::span(sets_).subspan(words_ * s, words_);
    }

    // The least work that a downset must hold when so many devices are used.
    [[nodiscard]] double needed_work(std::int32_t accelerators, std::int32_t cpus) const {
        const double by_accelerators =
            accelerators == problem_.accelerators
                ? 0.0
                : static_cast<double>(problem_.accelerators - accelerators) * limit_;
        return problem_.total.work_s - by_accelerators -
               cpu_work_[static_cast<std::size_t>(problem_.cpus - cpus)];
    }

    // How far a downset is from being hopeless; negative where it is.
    [[nodiscard]] double margin(const class_sums& sums, double cut_s, std::int32_t accelerators,
                                std::int32_t cpus) const {
        const double rounding = 1e-9 * (1.0 + problem_.total.work_s + problem_.total.cpu_s);
        const double cpu_room = static_cast<double>(problem_.cpus - cpus) * limit_;
        const double stranded = problem_.total.stranded_s - sums.stranded_s;
        if (problem_.cpus > cpus) {
            if (stranded > cpu_room + rounding) return -1.0;
            if (accelerators == problem_.accelerators &&
                problem_.total.cpu_s - sums.cpu_s > cpu_room + rounding)
                return -1.0;
            cut_s = 0.0; // a CPU may hold all that the transfers lead to
        } else {
            const auto left = static_cast<double>(problem_.accelerators - accelerators);
            const double bytes = problem_.total.size_bytes - sums.size_bytes;
            if (stranded > rounding) return -1.0;
            if (problem_.memory_binds && bytes > left * problem_.memory_bytes * (1.0 + 1e-9)) return -1.0;
        }
        return sums.work_s - cut_s - needed_work(accelerators, cpus) + rounding;
    }

    [[nodiscard]] bool expand(graph::index e, spending& spent) {
        const entry from = entries_[e];
        from_.assign(set(from.set).begin(), set(from.set).end());
        const auto reach_by = [&](device_kind kind) {
            return [this, &from, e, kind](std::span<const graph::index> added, const class_sums& sums,
                                          double cut_s) {
                const bool cpu = kind == device_kind::cpu;
                const std::int32_t accelerators = from.accelerators + (cpu ? 0 : 1);
                const std::int32_t cpus = from.cpus + (cpu ? 1 : 0);
                if (margin(sums, cut_s, accelerators, cpus) < 0.0) return;
                to_ = from_;
                for (const graph::index v : added) to_[v / 64] |= std::uint64_t{1} << (v % 64);
                reach(to_, sums, cut_s, accelerators, cpus, e, kind);
            };
        };
        constexpr auto accelerator = device_kind::accelerator;
        if (from.accelerators < problem_.accelerators &&
            !walk_.run<accelerator>(from_, limit_, needed_work(from.accelerators + 1, from.cpus), spent,
                                    reach_by(accelerator)))
            return false;
        return from.cpus >= problem_.cpus ||
               walk_.run<device_kind::cpu>(from_, limit_, needed_work(from.accelerators, from.cpus + 1), spent,
                                           reach_by(device_kind::cpu));
    }

    void reach(const std::vector<std::uint64_t>& bits, const class_sums& sums, double cut_s,
               std::int32_t accelerators, std::int32_t cpus, graph::index from, device_kind kind) {
        const graph::index s = find_or_add(bits);
        for (graph::index o = newest_[s]; o != graph::none; o = entries_[o].older) {
            if (entries_[o].accelerators <= accelerators && entries_[o].cpus <= cpus) return;
            if (entries_[o].accelerators >= accelerators && entries_[o].cpus >= cpus)
                entries_[o].beaten = true;
        }
        const auto e = static_cast<graph::index>(entries_.size());
        entries_.push_back({s, from, newest_[s], accelerators, cpus, kind, false});
        newest_[s] = e;
        heap_.push_back({accelerators + cpus, margin(sums, cut_s, accelerators, cpus), e});
        std::push_heap(heap_.begin(), heap_.end());
        std::size_t members = 0;
        for (const std::uint64_t w : bits) members += static_cast<std::size_t>(std::popcount(w));
        if (members == problem_.size()) complete_ = e;
    }

    // The number of the set, by open addressing.
    [[nodiscard]] graph::index find_or_add(const std::vector<std::uint64_t>& bits) {
        if (2 * (newest_.size() + 1) > table_.size()) {
            table_.assign(2 * table_.size(), graph::none);
            for (graph::index s = 0; s < newest_.size(); ++s) table_[slot_of(set(s))] = s;
        }
        const std::size_t slot = slot_of(bits);
        if (table_[slot] == graph::none) {
            table_[slot] = static_cast<graph::index>(newest_.size());
            newest_.push_back(graph::none);
            sets_.insert(sets_.end(), bits.begin(), bits.end());
        }
        return table_[slot];
    }

    [[nodiscard]] std::size_t slot_of(std::span<const std::uint64_t> bits) const {
        std::uint64_t hash = 0;
        for (const std::uint64_t w : bits) hash = hash_append(hash, w);
        std::size_t slot = hash & (table_.size() - 1);
        while (table_[slot] != graph::none &&
               !std::equal(bits.begin(), bits.end(), set(table_[slot]).begin()))
            slot = (slot + 1) & (table_.size() - 1);
        return slot;
    }

    [[nodiscard]] answer finish() {
        stages_.clear();
        for (graph::index e = complete_; entries_[e].from != graph::none; e = entries_[e].from) {
            stage& made = stages_.emplace_back();
            made.kind = entries_[e].kind;
            const auto to = set(entries_[e].set);
            const auto from = set(entries_[entries_[e].from].set);
            for (graph::index v = 0; v < problem_.size(); ++v)
                if ((to[v / 64] >> (v % 64) & 1) != 0 && (from[v / 64] >> (v % 64) & 1) == 0)
                    made.classes.push_back(v);
        }
        std::reverse(stages_.begin(), stages_.end());
        complete_ = graph::none;
        return answer::yes;
    }

    const class_pipeline& problem_;
    stage_walk walk_;
    std::size_t words_;
    double limit_ = 0.0;
    std::vector<double> cpu_work_;     // by CPUs left: what they can take over
    std::vector<std::uint64_t> sets_;  // `words_` a downset
    std::vector<graph::index> newest_; // by downset: its newest entry
    std::vector<graph::index> table_;  // hash table of the downsets
    std::vector<entry> entries_;
    std::vector<waiting> heap_;
    std::vector<std::uint64_t> from_, to_;
    graph::index complete_ = graph::none;
    std::vector<stage> stages_;
};

} // namespace dovetail::placement::detail
