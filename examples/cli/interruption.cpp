#include "interruption.hpp"

#include "command.hpp"

#include <array>
#include <csignal>
#include <ctime>

namespace cli {

namespace {

dovetail::stop_request interruption;
// Written by the first handler before it asks to stop; no other signal that is heeded comes between.
timespec first_signal{};

constexpr std::array heeded{SIGINT, SIGTERM, SIGHUP};

bool same_as_first() {
    constexpr long within_ms = 50;
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long ms =
        (now.tv_sec - first_signal.tv_sec) * 1000 + (now.tv_nsec - first_signal.tv_nsec) / 1000000;
    return ms < within_ms;
}

// Only what is safe in a signal handler: clock_gettime, a flag, sigaction, raise.
void on_signal(int number) {
    if (!interruption.asked()) {
        clock_gettime(CLOCK_MONOTONIC, &first_signal);
        interruption.ask();
        return;
    }
    if (same_as_first()) return;
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
