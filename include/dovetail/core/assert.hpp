#pragma once
/// \file
/// The one assertion macro: it guards against a caller's bug, never against bad input.

#include <cstdio>
#include <cstdlib>

namespace dovetail::detail {

[[noreturn]] inline void assertion_failed(const char* condition, const char* message, const char* file,
                                          int line) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, condition, message);
    std::abort();
}

} // namespace dovetail::detail

/// Checks a precondition that only a bug of the caller can break. Define it before the first include to
/// route failures elsewhere; it vanishes under `NDEBUG`. In a constant expression a failure does not compile.
#ifndef DOVETAIL_ASSERT
#ifdef NDEBUG
#define DOVETAIL_ASSERT(condition, message) static_cast<void>(sizeof(!(condition)))
#else
#define DOVETAIL_ASSERT(condition, message)                                                                  \
    ((condition) ? static_cast<void>(0)                                                                      \
                 : ::dovetail::detail::assertion_failed(#condition, message, __FILE__, __LINE__))
#endif
#endif
