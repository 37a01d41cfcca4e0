// dovetail price mapping: the best mapping of a matrix product to the tensor cores of a chip.

#include "command.hpp"
#include "price.hpp"

#include <dovetail/core/checked.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/cost/mapping_bound.hpp>
#include <dovetail/cost/mapping_objective.hpp>
#include <dovetail/cost/mapping_search.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/hardware/point.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/workload/work.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace cost = dovetail::cost;

/// The product, `batch` times (m x k) by (k x n). All but the batch must be given.
struct product_extents {
    std::int64_t m = 1;
    std::int64_t n = 1;
    std::int64_t k = 1;
    std::int64_t batch = 1;

    static constexpr auto table() {
        using o = product_extents;
        constexpr double most = 1 << 30;
        return std::tuple{
            dovetail::option<o, std::int64_t>{"m", "rows of the product", &o::m, 1, most},
            dovetail::option<o, std::int64_t>{"n", "columns of the product", &o::n, 1, most},
            dovetail::option<o, std::int64_t>{"k", "reduction of the product", &o::k, 1, most},
            dovetail::option<o, std::int64_t>{"batch", "products of their own operands", &o::batch, 1, most},
        };
    }
};

std::string_view name_of(cost::stays operand) {
    switch (operand) {
    case cost::stays::weights:
        return "weights";
    case cost::stays::inputs:
        return "inputs";
    case cost::stays::sums:
        break;
    }
    return "sums";
}

constexpr dovetail::report::answer_basis basis{.prices = dovetail::report::pricing::mapping};

struct price_mapping_command {
    common_options common;
    product_extents extents;
    std::string point;
    std::string objective = "edp";

    exit_status run() {
        if (auto begun = common.begin({}); !begun) return complain(begun.problem());
        const auto chip = dovetail::hardware::parse_point(point);
        if (!chip) return complain(chip.problem());
        const auto goal = cost::find_mapping_objective(objective);
        if (!goal) return complain(goal.problem());
        const std::array factors{extents.batch, extents.m, extents.k, extents.n, std::int64_t{2}};
        if (!dovetail::checked_product(factors))
            return complain({dovetail::errc::overflow, "product", "its multiply-accumulates leave 62 bits",
                             "it must be smaller"});
        const dovetail::workload::contraction product{extents.batch, extents.m, extents.k, extents.n};
        const cost::mapping_hardware hardware = cost::phaze_mapping_hardware(*chip, chip->num_tc);
        const cost::mapped_product mapped(product);
        const cost::mapping_outcome found = cost::mapping_search{*goal}(hardware, mapped);
        const cost::mapping_limit limit = cost::mapping_bound(hardware, mapped);
        common.put_json([&](dovetail::json_writer& json) { write(json, found, limit); });
        print(common.people(), found, limit);
        return common.finish(exit_of(found.outcome));
    }

    void write(dovetail::json_writer& json, const cost::mapping_outcome& found,
               const cost::mapping_limit& limit) const {
        const cost::mapping& m = found.best;
        const auto moved = [&json](std::string_view level, const cost::moved_words& words) {
            json.key(level)
                .begin_object()
                .member("read_words", words.read)
                .member("written_words", words.written)
                .end_object();
        };
        json.member("status", to_string(found.outcome)).member("objective", objective);
        write_assumptions(json, dovetail::report::assumptions_of(basis));
        if (found.outcome == dovetail::status::infeasible) return;
        json.member("cycles", found.cost.cycles)
            .member("compute_cycles", found.cost.compute_cycles)
            .member("seconds", found.cost.cycles / cost::published_platform::clock_hz)
            .member("energy_pj", found.cost.energy_pj)
            .member("edp", found.cost.edp())
            .key("lower_bound")
            .begin_object()
            .member("cycles", limit.cycles)
            .member("energy_pj", limit.energy_pj)
            .member("edp", limit.edp())
            .end_object();
        moved("local", found.cost.local);
        moved("global", found.cost.global);
        moved("dram", found.cost.dram);
        json.key("mapping")
            .begin_object()
            .member("turned", m.turned)
            .key("tile")
            .begin_object()
            .member("rows", m.tile_rows)
            .member("column_folds", m.tile_columns)
            .member("reduction_folds", m.tile_reduction)
            .end_object()
            .key("block")
            .begin_object()
            .member("rows", m.block_rows)
            .member("column_tiles", m.block_columns)
            .member("reduction_tiles", m.block_reduction)
            .end_object()
            .member("stays_in_block", name_of(m.in_block))
            .member("stays_in_dram", name_of(m.in_dram))
            .end_object();
    }

    static void print(std::ostream& out, const cost::mapping_outcome& found,
                      const cost::mapping_limit& limit) {
        using dovetail::readable;
        const cost::mapping& m = found.best;
        if (found.outcome == dovetail::status::infeasible) {
            out << to_string(found.outcome) << ": not even a tile of one row and one fold fits\n";
            return;
        }
        out << readable(found.cost.cycles, 12) << " cycles, at least " << readable(limit.cycles, 12)
            << " for any mapping; " << readable(found.cost.energy_pj * 1e-6, 5) << " uJ, at least "
            << readable(limit.energy_pj * 1e-6, 5) << "\n  tile: " << readable(m.tile_rows) << " rows, "
            << readable(m.tile_columns) << " column and " << readable(m.tile_reduction)
            << " reduction folds of an array" << (m.turned ? " (turned)" : "")
            << "\n  block: " << readable(m.block_rows) << " rows, " << readable(m.block_columns)
            << " column and " << readable(m.block_reduction) << " reduction tiles\n  " << name_of(m.in_block)
            << " stay in the local buffers, " << name_of(m.in_dram) << " in the global buffer\n"
            << dovetail::report::assumption_line(dovetail::report::assumptions_of(basis)) << '\n';
    }
};

} // namespace

void add_price_mapping(command_syntax price, int& status) {
    const command_syntax command = price.add_subcommand(
        "mapping", "the best mapping of a matrix product to PHAZE's tensor cores and memories");
    const auto options = std::make_shared<price_mapping_command>();
    command.add_example("dovetail price mapping --m 4096 --k 4096 --n 11008 --point "
                        "num_tc=1,num_vc=1,width=128,depth=128,glb_mib=128",
                        "the mapping of least energy times delay, and a bound");
    command.add_example("dovetail price mapping --m 512 --k 768 --n 768 --objective latency --point "
                        "num_tc=8,num_vc=2,width=128,depth=128,glb_mib=128",
                        "the fastest on eight cores");
    add_options(command, options->extents);
    for (const char* extent : {"--m", "--n", "--k"}) command.option(extent).required().default_text("");
    command
        .add_option("--point", options->point, "the chip: num_tc=8,num_vc=2,width=128,depth=128,glb_mib=128")
        .required();
    std::vector<std::string> objectives;
    for (const auto& [name, goal] : cost::mapping_objective_names) objectives.emplace_back(name);
    command.add_option("--objective", options->objective, "what is least").one_of(objectives);
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
