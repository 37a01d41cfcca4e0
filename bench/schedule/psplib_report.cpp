// How fast the exact scheduler proves the optima of PSPLIB's J30 projects, on one core:
//     psplib_report FOLDER [NODES]
// where FOLDER holds j30_optimum.csv and j30/*.sm. Times are processor time. Exits with 1 where a schedule, a
// bound or a published optimum is contradicted, or a project is left open.
#include <dovetail/core/text.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/psplib.hpp>
#include <dovetail/schedule/verify.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    using namespace dovetail;
    if (argc < 2) {
        std::fprintf(stderr, "usage: psplib_report FOLDER [NODES]\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const std::int64_t nodes =
        argc > 2 ? parse_number<std::int64_t>(argv[2]).value_or(0) : std::numeric_limits<std::int64_t>::max();
    std::ifstream published(folder / "j30_optimum.csv");
    std::string line;
    std::getline(published, line);
    std::vector<double> seconds;
    std::size_t proved = 0, wrong = 0;
    std::int64_t all_nodes = 0;
    double sum_s = 0.0;
    while (std::getline(published, line)) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        const std::size_t comma = std::min(line.find(','), line.size());
        const std::string file = line.substr(0, comma);
        const double optimum =
            parse_number<double>(line.substr(std::min(comma + 1, line.size()))).value_or(-1.0);
        std::ifstream in(folder / "j30" / file, std::ios::binary);
        const auto project = schedule::read_psplib(std::string{std::istreambuf_iterator<char>(in), {}}, file);
        if (!project) {
            std::fprintf(stderr, "%s\n", project.problem().line().c_str());
            return 2;
        }
        const std::clock_t begin = std::clock();
        const schedule::certificate answer =
            schedule::branch_and_bound{.limits = {.nodes = nodes}}(project->problem);
        seconds.push_back(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
        sum_s += seconds.back();
        all_nodes += answer.nodes;
        const bool sound = schedule::verify(project->problem, answer.best) &&
                           answer.best.makespan_s >= optimum && answer.lower_bound_s <= optimum &&
                           (!answer.proved_optimal() || answer.best.makespan_s == optimum);
        proved += answer.proved_optimal() ? 1U : 0U;
        wrong += sound ? 0U : 1U;
        if (!sound || !answer.proved_optimal() || seconds.back() >= 1.0)
            std::printf("%-12s optimum %g, found %g, bound %g, %lld nodes, %.2f s%s\n", file.c_str(), optimum,
                        answer.best.makespan_s, answer.lower_bound_s, static_cast<long long>(answer.nodes),
                        seconds.back(), sound ? "" : ": WRONG");
    }
    if (seconds.empty()) {
        std::fprintf(stderr, "%s: it has no j30_optimum.csv with projects\n", argv[1]);
        return 2;
    }
    std::sort(seconds.begin(), seconds.end());
    const auto share = [&](double part) {
        return seconds[static_cast<std::size_t>(part * static_cast<double>(seconds.size() - 1))];
    };
    std::printf("%zu of %zu proved, %zu wrong, %lld nodes, %.1f s\n", proved, seconds.size(), wrong,
                static_cast<long long>(all_nodes), sum_s);
    std::printf("median %.4f s, 90 %% %.4f s, 95 %% %.4f s, 99 %% %.3f s, longest %.2f s\n", share(0.5),
                share(0.9), share(0.95), share(0.99), seconds.back());
    return proved == seconds.size() && wrong == 0 ? 0 : 1;
}
