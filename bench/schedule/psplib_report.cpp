// How fast the exact schedulers prove the optima of PSPLIB's J30 projects, on one core:
//     psplib_report FOLDER [NODES]
// where FOLDER holds j30_optimum.csv and j30/*.sm. `tightened_search` is what the command line runs,
// `branch_and_bound` learns from the start. Times are processor time. Exits with 1 where a schedule, a bound
// or a published optimum is contradicted, or the first leaves a project open.
#include <dovetail/core/text.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/psplib.hpp>
#include <dovetail/schedule/tightened_search.hpp>
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

namespace {

using namespace dovetail;

// What one scheduler made of all projects.
class tally {
public:
    explicit tally(const char* name) : name_(name) {}

    template <class Scheduler>
    void add(const std::string& file, const schedule::task_graph& problem, double optimum,
             const Scheduler& solve) {
        const std::clock_t begin = std::clock();
        const schedule::certificate answer = solve(problem);
        const double spent_s = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        const bool sound = schedule::verify(problem, answer.best) && answer.best.makespan_s >= optimum &&
                           answer.lower_bound_s <= optimum &&
                           (!answer.proved_optimal() || answer.best.makespan_s == optimum);
        seconds_.push_back(spent_s);
        nodes_ += answer.nodes;
        proved_ += answer.proved_optimal() ? 1U : 0U;
        wrong_ += sound ? 0U : 1U;
        if (!sound || !answer.proved_optimal() || spent_s >= 1.0)
            std::printf("%-17s %-12s optimum %g, found %g, bound %g, %lld nodes, %.2f s%s\n", name_,
                        file.c_str(), optimum, answer.best.makespan_s, answer.lower_bound_s,
                        static_cast<long long>(answer.nodes), spent_s, sound ? "" : ": WRONG");
    }

    // Whether nothing was contradicted.
    bool sound() const { return wrong_ == 0; }
    bool complete() const { return proved_ == seconds_.size(); }
    bool empty() const { return seconds_.empty(); }

    void print() {
        std::sort(seconds_.begin(), seconds_.end());
        double sum_s = 0.0;
        for (const double s : seconds_) sum_s += s;
        const auto share = [&](double part) {
            return seconds_[static_cast<std::size_t>(part * static_cast<double>(seconds_.size() - 1))];
        };
        std::printf("%-17s %zu of %zu proved, %zu wrong, %lld nodes, %.1f s; median %.4f s, 90 %% %.4f s, "
                    "95 %% %.4f s, 99 %% %.3f s, longest %.2f s\n",
                    name_, proved_, seconds_.size(), wrong_, static_cast<long long>(nodes_), sum_s,
                    share(0.5), share(0.9), share(0.95), share(0.99), seconds_.back());
    }

private:
    const char* name_;
    std::vector<double> seconds_;
    std::size_t proved_ = 0, wrong_ = 0;
    std::int64_t nodes_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: psplib_report FOLDER [NODES]\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const budget limits{.nodes = argc > 2 ? parse_number<std::int64_t>(argv[2]).value_or(0)
                                          : std::numeric_limits<std::int64_t>::max()};
    std::ifstream published(folder / "j30_optimum.csv");
    std::string line;
    std::getline(published, line);
    tally tightened("tightened_search"), learning("branch_and_bound");
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
        tightened.add(file, project->problem, optimum, schedule::tightened_search{.limits = limits});
        learning.add(file, project->problem, optimum, schedule::branch_and_bound{.limits = limits});
    }
    if (tightened.empty()) {
        std::fprintf(stderr, "%s: it has no j30_optimum.csv with projects\n", argv[1]);
        return 2;
    }
    tightened.print();
    learning.print();
    return tightened.sound() && learning.sound() && tightened.complete() ? 0 : 1;
}
