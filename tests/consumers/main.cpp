// What a user of the library might write first: every consumer builds and runs it.
#include <dovetail/dovetail.hpp>

#include <cstdio>
#include <vector>

int main() {
    using namespace dovetail;
    const std::vector<graph::arc> arcs{{0, 1}, {1, 2}, {0, 2}};
    const std::vector<graph::index> order{0, 1, 2};
    const std::vector<double> latency_s{1.0, 2.0, 4.0};

    const result<graph::digraph> chain = graph::make_digraph(3, arcs);
    if (!chain) return 1;
    const double makespan_s = graph::longest_path(*chain, order, latency_s);
    std::printf("dovetail " DOVETAIL_VERSION_STRING ": %g s\n", makespan_s);
    return makespan_s == 7.0 && !graph::make_digraph(2, arcs) ? 0 : 1;
}
