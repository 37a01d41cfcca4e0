#include "interruption.hpp"

#include "command.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace cli {

namespace {

dovetail::stop_request interruption;
// When the first signal came, in milliseconds; -1 before. A signal may come to any thread.
std::atomic<std::int64_t> first_signal_ms{-1};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

constexpr std::array heeded{SIGINT, SIGTERM, SIGHUP};

std::int64_t now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

// Only what is safe in a signal handler: clock_gettime, atomics without locks, sigaction, raise.
void on_signal(int number) {
    constexpr std::int64_t within_ms = 50;
    const std::int64_t now = now_ms();
    std::int64_t first = -1;
    if (first_signal_ms.compare_exchange_strong(first, now)) {
        interruption.ask();
        return;
    }
    if (now - first < within_ms) return;
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    sigaction(number, &usual, nullptr);
    raise(number);
}

} // namespace

flag_syntax time_limit::add_to(command_syntax command) {
    add_options(command, *this);
    return command.option("--time-limit");
}

dovetail::budget time_limit::begin() const {
    struct sigaction heed {};
    heed.sa_handler = on_signal;
    heed.sa_flags = SA_RESTART;
    for (const int number : heeded) sigaddset(&heed.sa_mask, number);
    for (const int number : heeded) {
        struct sigaction old {};
        sigaction(number, nullptr, &old);
        if (old.sa_handler != SIG_IGN) sigaction(number, &heed, nullptr);
    }
    return {.seconds = seconds, .stop = &interruption};
}

} // namespace cli
