#pragma once
/// \file
/// How far a solver is: what it tells whoever watches.

#include <cstdint>

namespace dovetail::ilp {

/// A moment of a search.
struct progress {
    double best = 0.0;      ///< objective of the incumbent; infinite, on the bad side, while there is none
    double bound = 0.0;     ///< no values do better; infinite where nothing is known
    std::int64_t nodes = 0; ///< of the search tree so far
    double seconds = 0.0;   ///< since the search began
};

/// Something with a hook that a solver calls: `on_incumbent(p)` whenever it finds better values, `on_node(p)`
/// at every node of its tree, or both. A hook is called from the thread that solves; it does not throw, and
/// does not call the same solver in turn.
template <class Observer>
concept observer = requires(Observer& o, const progress& p) {
    o.on_incumbent(p);
}
|| requires(Observer& o, const progress& p) { o.on_node(p); };

} // namespace dovetail::ilp
