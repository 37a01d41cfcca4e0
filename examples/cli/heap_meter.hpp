#pragma once
// How much memory a piece of this program holds at its peak, counted by its own allocations.

#include <cstddef>

namespace cli {

/// Counts what is allocated between its construction and its destruction, by all threads, with `new`. One at
/// a time: a meter started while another counts counts nothing.
class heap_meter {
public:
    heap_meter();
    ~heap_meter();
    heap_meter(const heap_meter&) = delete;
    heap_meter& operator=(const heap_meter&) = delete;

    /// The most bytes that were held at one time, of those allocated since the construction.
    [[nodiscard]] std::size_t peak_bytes() const;

private:
    bool counts_;
};

} // namespace cli
