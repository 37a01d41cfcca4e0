// The global allocation functions, replaced: malloc and free, counted while a meter is there.

#include "heap_meter.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> metered{false};
std::atomic<std::ptrdiff_t> held_bytes{0};
std::atomic<std::ptrdiff_t> most_bytes{0};

void count_allocation(void* block) {
    if (!metered.load(std::memory_order_relaxed)) return;
    const auto bytes = static_cast<std::ptrdiff_t>(malloc_usable_size(block));
    const std::ptrdiff_t held = held_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::ptrdiff_t most = most_bytes.load(std::memory_order_relaxed);
    while (held > most && !most_bytes.compare_exchange_weak(most, held, std::memory_order_relaxed)) {
    }
}

void count_release(void* block) {
    if (block == nullptr || !metered.load(std::memory_order_relaxed)) return;
    held_bytes.fetch_sub(static_cast<std::ptrdiff_t>(malloc_usable_size(block)), std::memory_order_relaxed);
}

void* allocate(std::size_t bytes, std::size_t alignment) {
    void* block = nullptr;
    if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__)
        block = std::malloc(std::max<std::size_t>(1, bytes));
    else if (posix_memalign(&block, alignment, std::max<std::size_t>(1, bytes)) != 0)
        block = nullptr;
    if (block != nullptr) count_allocation(block);
    return block;
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
    if (void* const block = allocate(bytes, alignment)) return block;
    throw std::bad_alloc();
}

void release(void* block) noexcept {
    count_release(block);
    std::free(block);
}

} // namespace

// The forms for arrays call these; those that do not throw would in the standard library, but sanitizers
// bring their own, whose blocks are not for this `delete`.
void* operator new(std::size_t bytes) { return allocate_or_throw(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { release(block); }

namespace cli {

heap_meter::heap_meter() : counts_(!metered.load()) {
    if (!counts_) return;
    held_bytes = 0;
    most_bytes = 0;
    metered = true;
}

heap_meter::~heap_meter() {
    if (counts_) metered = false;
}

std::size_t heap_meter::peak_bytes() const {
    return counts_ ? static_cast<std::size_t>(most_bytes.load()) : 0;
}

} // namespace cli
