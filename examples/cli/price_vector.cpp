// dovetail price vector: a vector operator on the vector cores of a chip, row by row.

#include "command.hpp"
#include "layer_choice.hpp"
#include "price.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/cost/energy_model.hpp>
#include <dovetail/cost/operator_price.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/cost/vector_operator.hpp>
#include <dovetail/cost/vector_price.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/number.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace cost = dovetail::cost;
namespace hardware = dovetail::hardware;
using platform = hardware::phaze_platform;
using sound = cost::sound_model<platform>;

/// The extents of the operator.
struct vector_extents {
    std::int64_t rows = 1;
    std::int64_t length = 1;
    std::int64_t entries = 1;

    static constexpr auto table() {
        using o = vector_extents;
        constexpr double most = 1 << 30;
        return std::tuple{
            dovetail::option<o, std::int64_t>{"rows", "rows: tokens of an embedding", &o::rows, 1, most},
            dovetail::option<o, std::int64_t>{"length", "elements of a row", &o::length, 1, most},
            dovetail::option<o, std::int64_t>{"entries", "rows of the table of an embedding", &o::entries, 1,
                                              most},
        };
    }
};

/// An operator by its name on the command line.
struct named_operator {
    std::string_view name;
    cost::row_operator (*of)(const vector_extents&);
};

template <cost::optimizer O>
cost::row_operator step_of(const vector_extents& e) {
    return cost::optimizer_step<platform>(O, e.rows * e.length);
}

constexpr std::array operators{
    named_operator{"reduction", [](const vector_extents& e) { return cost::reduction(e.rows, e.length); }},
    named_operator{"softmax", [](const vector_extents& e) { return cost::softmax(e.rows, e.length); }},
    named_operator{"online-softmax",
                   [](const vector_extents& e) { return cost::online_softmax(e.rows, e.length); }},
    named_operator{"layer-norm",
                   [](const vector_extents& e) { return cost::layer_normalization(e.rows, e.length); }},
    named_operator{"rms-norm",
                   [](const vector_extents& e) { return cost::rms_normalization(e.rows, e.length); }},
    named_operator{"softmax-gradient",
                   [](const vector_extents& e) { return cost::softmax_gradient(e.rows, e.length); }},
    named_operator{
        "layer-norm-gradient",
        [](const vector_extents& e) { return cost::layer_normalization_gradient(e.rows, e.length); }},
    named_operator{
        "rms-norm-gradient",
        [](const vector_extents& e) { return cost::rms_normalization_gradient(e.rows, e.length); }},
    named_operator{
        "embedding",
        [](const vector_extents& e) { return cost::embedding<platform>(e.rows, e.entries, e.length); }},
    named_operator{"embedding-gradient",
                   [](const vector_extents& e) {
                       return cost::embedding_gradient<platform>(e.rows, e.entries, e.length);
                   }},
    named_operator{"dropout",
                   [](const vector_extents& e) { return cost::dropout<platform>(e.rows * e.length); }},
    named_operator{"adam", step_of<cost::optimizer::adam>},
    named_operator{"sgd", step_of<cost::optimizer::sgd>},
    named_operator{"momentum", step_of<cost::optimizer::momentum>},
};

struct price_vector_command {
    common_options common;
    vector_extents extents;
    std::string name, point, family = "phaze", cores = "all";

    exit_status run() {
        if (auto begun = common.begin({}); !begun) return complain(begun.problem());
        const auto at = chip_at(point);
        if (!at) return complain(at.problem());
        const hardware::accelerator& chip = *at;
        cost::row_operator op;
        for (const named_operator& known : operators)
            if (known.name == name) op = known.of(extents);
        const cost::core_mode mode = cores == "all" ? cost::core_mode::all_cores : cost::core_mode::one_core;
        const cost::row_walk<platform> walk(op, cores == "all" ? chip.num_vc : 1, chip.width_vc,
                                            chip.glb_bytes);
        const cost::row_layout layout = walk.best();
        const cost::estimate e = walk(layout);
        const double least_s = sound{}(op.work(), chip, mode).latency_s();
        const double used = cost::utilization<platform>(op.work(), e, chip, mode);
        std::optional<double> energy_j;
        if (const auto events = energies_in<platform>(family, chip))
            energy_j = cost::energy_of<sound>(op.work(), e, *events).total_j();
        using technology = dovetail::report::shown_technology;
        const auto held =
            dovetail::report::assumptions_of({.prices = dovetail::report::pricing::rows,
                                              .energies = !energy_j        ? technology::none
                                                          : family == "n7" ? technology::n7
                                                                           : technology::phaze});
        common.put_json([&](dovetail::json_writer& json) {
            json.member("operator", name).member("latency_s", e.latency_s()).key("energy_j");
            if (energy_j)
                json.value(*energy_j);
            else
                json.null();
            json.member("bound_by", to_string(e.bound_by()))
                .member("utilization", used)
                .member("even_rows_latency_s", least_s)
                .key("bytes")
                .begin_object()
                .member("registers", cost::register_bytes<platform>(op.work()))
                .member("local", e.local_bytes)
                .member("global", e.global_bytes)
                .member("hbm", e.hbm_bytes)
                .end_object()
                .key("layout")
                .begin_object()
                .member("lanes_a_row", layout.team)
                .member("rows_at_once", layout.in_flight)
                .end_object();
            write_assumptions(json, held);
        });
        using dovetail::report::readable;
        common.people() << readable(e.latency_s() * 1e6, 5) << " us, bound by the " << to_string(e.bound_by())
                        << ", lanes " << readable(used * 100, 3) << "% used, "
                        << (energy_j ? readable(*energy_j * 1e6, 5) + " uJ" : "energy unknown")
                        << "\n  rows on " << readable(layout.team) << (layout.team == 1 ? " lane" : " lanes")
                        << " each, " << readable(layout.in_flight)
                        << " at once; even rows that are kept would take " << readable(least_s * 1e6, 5)
                        << " us\n  KiB: local " << readable(e.local_bytes / 1024, 5) << ", global "
                        << readable(e.global_bytes / 1024, 5) << ", HBM " << readable(e.hbm_bytes / 1024, 5)
                        << '\n'
                        << dovetail::report::assumption_line(held) << '\n';
        return common.finish(solved);
    }
};

} // namespace

void add_price_vector(command_syntax price, int& status) {
    const command_syntax command =
        price.add_subcommand("vector", "a vector operator, row by row, on the vector cores");
    const auto options = std::make_shared<price_vector_command>();
    command.add_example("dovetail price vector --operator softmax --rows 98304 --length 1024",
                        "on the family's reference");
    command.add_example("dovetail price vector --operator embedding --rows 512 --length 768 --entries 30522 "
                        "--cores one",
                        "a table of 30,522 rows, on one core");
    std::vector<std::string> names;
    for (const named_operator& known : operators) names.emplace_back(known.name);
    command.add_option("--operator", options->name, "what is done with the rows").one_of(names).required();
    add_options(command, options->extents);
    for (const char* extent : {"--rows", "--length"}) command.option(extent).required().default_text("");
    command.option("--entries")
        .default_text("")
        .only_with("--operator", {"embedding", "embedding-gradient"})
        .required_with("--operator", {"embedding", "embedding-gradient"});
    command.add_option("--family", options->family, "the family of chips").one_of({"phaze", "n7"});
    command.add_option("--point", options->point,
                       "the chip: num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128; the "
                       "family's reference if not given");
    command.add_option("--cores", options->cores, "on one vector core or on all").one_of({"one", "all"});
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
