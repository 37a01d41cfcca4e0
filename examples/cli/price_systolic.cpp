// dovetail price systolic: cycles of a matrix product on one systolic array.

#include "command.hpp"
#include "price.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/cost/systolic.hpp>
#include <dovetail/report/assumptions.hpp>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace cli {

namespace {

/// The extents of the array and of the product (m x k) by (k x n). All of them must be given.
struct systolic_problem {
    std::int64_t rows = 1;
    std::int64_t cols = 1;
    std::int64_t m = 1;
    std::int64_t n = 1;
    std::int64_t k = 1;

    static constexpr auto table() {
        using o = systolic_problem;
        return std::tuple{
            dovetail::option<o, std::int64_t>{"rows", "rows of the array", &o::rows, 1},
            dovetail::option<o, std::int64_t>{"cols", "columns of the array", &o::cols, 1},
            dovetail::option<o, std::int64_t>{"m", "rows of the product", &o::m, 1},
            dovetail::option<o, std::int64_t>{"n", "columns of the product", &o::n, 1},
            dovetail::option<o, std::int64_t>{"k", "reduction of the product", &o::k, 1},
        };
    }
};

struct price_systolic_command {
    common_options common;
    systolic_problem problem;
    std::string dataflow;

    exit_status run() {
        using dovetail::readable;
        if (auto begun = common.begin({}); !begun) return complain(begun.problem());
        const auto flow = dovetail::cost::find_dataflow(dataflow);
        if (!flow) return complain(flow.problem());
        const dovetail::workload::contraction product{
            .batch = 1, .rows = problem.m, .reduction = problem.k, .columns = problem.n};
        const auto time =
            dovetail::cost::systolic_cycles(product, {.rows = problem.rows, .columns = problem.cols}, *flow);
        if (!time) return complain(time.problem());
        const double unit_cycles = static_cast<double>(problem.rows) * static_cast<double>(problem.cols) *
                                   (static_cast<double>(time->cycles) + 1);
        const double utilisation = product.macs() / unit_cycles;
        const auto held = dovetail::report::assumptions_of({.prices = dovetail::report::pricing::array});
        common.put_json([&](dovetail::json_writer& json) {
            json.member("dataflow", dataflow)
                .member("cycles", time->cycles)
                .member("folds", time->folds)
                .member("cycles_per_fold", time->fold_cycles)
                .member("utilisation", utilisation);
            write_assumptions(json, held);
        });
        common.people() << readable(time->cycles) << " cycles: " << readable(time->folds) << " folds of "
                        << readable(time->fold_cycles) << ", the array is " << readable(100 * utilisation, 3)
                        << "% busy\n"
                        << dovetail::report::assumption_line(held) << '\n';
        return common.finish(solved);
    }
};

} // namespace

void add_price_systolic(command_syntax price, int& status) {
    const command_syntax command =
        price.add_subcommand("systolic", "cycles of a matrix product on one systolic array");
    const auto options = std::make_shared<price_systolic_command>();
    command.add_example("dovetail price systolic --rows 128 --cols 64 --m 197 --n 768 --k 576 --dataflow ws",
                        "the weights stay");
    command.add_example(
        "dovetail price systolic --rows 32 --cols 32 --m 64 --n 64 --k 64 --dataflow os --json -",
        "the outputs stay; for a program");
    add_options(command, options->problem);
    for (const char* extent : {"--rows", "--cols", "--m", "--n", "--k"})
        command.option(extent).required().default_text("");
    std::vector<std::string> dataflows;
    for (const auto& [name, flow] : dovetail::cost::dataflow_names) dataflows.emplace_back(name);
    command.add_option("--dataflow", options->dataflow, "what stays in the array: weights, outputs or inputs")
        .one_of(dataflows)
        .required();
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
