#pragma once
/// \file
/// GLPK's state of a thread: silent, freed with the thread, and left alive when GLPK gives up.

#include <glpk.h>

#include <csetjmp>

namespace dovetail::ext::glpk::detail {

/// GLPK keeps an environment for each thread; this frees it when the thread ends.
struct environment {
    ~environment() { glp_free_env(); }
};

/// Silences the terminal of this thread's environment for as long as it lives.
class silence {
public:
    silence() : before_(glp_term_out(GLP_OFF)) {
        // After the first call into GLPK, so that it is destroyed before what that call made.
        thread_local const environment of_this_thread;
        static_cast<void>(of_this_thread);
    }
    silence(const silence&) = delete;
    silence& operator=(const silence&) = delete;
    ~silence() { glp_term_out(before_); }

private:
    int before_;
};

/// Runs `call`, which does nothing but call GLPK; false when GLPK gave up on an assertion of its own, where
/// it would print and end the program. Nothing of the thread's environment can be used then but
/// `glp_free_env`.
template <class Call>
[[nodiscard]] bool survives(const Call& call) {
    std::jmp_buf back;
    glp_error_hook([](void* info) { std::longjmp(*static_cast<std::jmp_buf*>(info), 1); }, &back);
    glp_term_hook([](void*, const char*) { return 1; }, nullptr);
    const bool returned = setjmp(back) == 0;
    if (returned) call();
    glp_term_hook(nullptr, nullptr);
    glp_error_hook(nullptr, nullptr);
    return returned;
}

} // namespace dovetail::ext::glpk::detail
