// The global allocation functions, replaced: malloc and free, counted while a meter is there.

#include "heap_meter.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace {

std::atomic<bool> metered{false};
std::atomic<std::ptrdiff_t> held_bytes{0};
std::atomic<std::ptrdiff_t> most_bytes{0};

void count(std::ptrdiff_t bytes) {
    if (!metered.load(std::memory_order_relaxed)) return;
    const std::ptrdiff_t held = held_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::ptrdiff_t most = most_bytes.load(std::memory_order_relaxed);
    while (held > most && !most_bytes.compare_exchange_weak(most, held, std::memory_order_relaxed)) {
    }
}

// Every block is preceded by its size: what the allocator adds to a block depends on those freed before it,
// and the same solve must count the same bytes.
constexpr std::size_t room_before(std::size_t alignment) {
    return std::max<std::size_t>(__STDCPP_DEFAULT_NEW_ALIGNMENT__, alignment);
}

void* allocate(std::size_t bytes, std::size_t alignment) {
    const std::size_t before = room_before(alignment);
    if (bytes > std::numeric_limits<std::size_t>::max() / 2 - before) return nullptr;
    void* whole = nullptr;
    if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__)
        whole = std::malloc(before + bytes);
    else if (posix_memalign(&whole, alignment, before + bytes) != 0)
        whole = nullptr;
    if (whole == nullptr) return nullptr;
    auto* const block = static_cast<std::byte*>(whole) + before;
    std::memcpy(block - sizeof bytes, &bytes, sizeof bytes);
    count(static_cast<std::ptrdiff_t>(bytes));
    return block;
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
    if (void* const block = allocate(bytes, alignment)) return block;
    throw std::bad_alloc();
}

void release(void* block, std::size_t alignment) noexcept {
    if (block == nullptr) return;
    auto* const start = static_cast<std::byte*>(block);
    std::size_t bytes = 0;
    std::memcpy(&bytes, start - sizeof bytes, sizeof bytes);
    count(-static_cast<std::ptrdiff_t>(bytes));
    std::free(start - room_before(alignment));
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
void operator delete(void* block) noexcept { release(block, 0); }
void operator delete(void* block, std::size_t) noexcept { release(block, 0); }
void operator delete(void* block, std::align_val_t alignment) noexcept {
    release(block, static_cast<std::size_t>(alignment));
}
void operator delete(void* block, std::size_t, std::align_val_t alignment) noexcept {
    release(block, static_cast<std::size_t>(alignment));
}

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
