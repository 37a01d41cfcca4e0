// An integer program written as equations and printed in the LP format, which every solver reads; no solver
// is needed for that. Which of three layers stay in a buffer of 12 MiB?
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/lp_text.hpp>

#include <array>
#include <cstddef>
#include <cstdio>

using namespace dovetail;

int main() {
    constexpr std::array<double, 3> size_mib{4, 7, 6};
    constexpr std::array<double, 3> saved_us{30, 60, 50};
    ilp::model m;
    ilp::expression used, saved;
    for (std::size_t i = 0; i < size_mib.size(); ++i) {
        const ilp::variable keep = m.add_binary("keep_" + to_text(i));
        used += size_mib[i] * keep;
        saved += saved_us[i] * keep;
    }
    m.add_constraint(used <= 12, "buffer");
    m.maximize(saved);
    const auto text = ilp::lp_text(m);
    if (!text) return std::puts(text.problem().line().c_str()), 1;
    std::fputs(text->c_str(), stdout);
}
