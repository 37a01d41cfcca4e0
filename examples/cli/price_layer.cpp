// dovetail price --model: what every operator of a pass through a layer costs on a chip.

#include "command.hpp"
#include "inputs.hpp"
#include "layer_choice.hpp"
#include "price.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/cost/collective.hpp>
#include <dovetail/cost/energy_model.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/operator_price.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/cost/phaze_model.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iomanip>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace cost = dovetail::cost;
namespace hardware = dovetail::hardware;
using dovetail::report::readable;

/// One line of the answer: an operator, or all of them.
struct price_row {
    std::string name;
    std::string_view bound_by;
    double latency_s = 0;
    double energy_j = 0;
    double register_bytes = 0, local_bytes = 0, global_bytes = 0, hbm_bytes = 0;
    double utilization = 0;
    double macs = 0, lane_cycles = 0;
    dovetail::workload::contraction product;
    cost::estimate time; ///< how long each part of the chip is busy
};

struct price_layer_command {
    common_options common;
    layer_request request;
    std::string cost_model = "sound", cores = "all";

    exit_status run() {
        if (cost_model == "phaze" && request.family != "phaze")
            return complain({dovetail::errc::unsupported, "option --cost-model",
                             "phaze prices the family phaze only", "give sound, or leave out --family"});
        if (auto begun = common.begin(sources_of_model(request.model.model)); !begun)
            return complain(begun.problem());
        const auto chosen = choose(request);
        if (!chosen) return complain(chosen.problem());
        if (cost_model == "phaze") return tell<cost::published_platform>(cost::phaze_model<>{}, *chosen);
        return tell<hardware::phaze_platform>(cost::sound_model<hardware::phaze_platform>{}, *chosen);
    }

private:
    template <hardware::platform P, cost::latency_model Model>
    exit_status tell(const Model& model, const chosen_layer& chosen) {
        const auto events = energies_in<P>(request.family, chosen.chip);
        const cost::core_mode mode = cores == "all" ? cost::core_mode::all_cores : cost::core_mode::one_core;
        std::vector<price_row> rows;
        price_row total{.name = "all, one after another", .bound_by = {}, .product = {}, .time = {}};
        for (std::size_t i = 0; i < chosen.pass().groups.size(); ++i) {
            const dovetail::workload::operator_work& work = chosen.pass().groups[i];
            price_row row{.name = chosen.pass().names[i], .bound_by = {}, .product = {}, .time = {}};
            if (work.uses_link()) {
                row.bound_by = "link";
                row.latency_s = cost::ring_all_reduce_s(work.reduced_elements * Model::element_bytes,
                                                        chosen.group.width, chosen.group.link_bytes_per_s);
            } else {
                row.time = model(work, chosen.chip, mode);
                row.bound_by = to_string(row.time.bound_by());
                row.latency_s = row.time.latency_s();
                if (events) row.energy_j = cost::energy_of<Model>(work, row.time, *events).total_j();
                row.register_bytes = cost::register_bytes<P>(work);
                row.local_bytes = row.time.local_bytes;
                row.global_bytes = row.time.global_bytes;
                row.hbm_bytes = row.time.hbm_bytes;
                row.utilization = cost::utilization<P>(work, row.time, chosen.chip, mode);
                row.macs = work.product.macs();
                row.lane_cycles = work.lane_cycles;
                row.product = work.product;
            }
            for (double price_row::*const sum :
                 {&price_row::latency_s, &price_row::energy_j, &price_row::register_bytes,
                  &price_row::local_bytes, &price_row::global_bytes, &price_row::hbm_bytes, &price_row::macs,
                  &price_row::lane_cycles})
                total.*sum += row.*sum;
            rows.push_back(std::move(row));
        }
        const auto held = dovetail::report::assumptions_of(basis(chosen, events.has_value()));
        common.put_json(
            [&](dovetail::json_writer& json) { write(json, chosen, rows, total, events.has_value(), held); });
        print(common.people(), chosen, rows, total, events.has_value(), held);
        return common.finish(solved);
    }

    /// What the prices of `chosen` rest on.
    [[nodiscard]] dovetail::report::answer_basis basis(const chosen_layer& chosen,
                                                       bool energies_known) const {
        using dovetail::report::pricing;
        using technology = dovetail::report::shown_technology;
        return {.prices = cost_model == "phaze" ? pricing::phaze : pricing::sound,
                .attention = chosen.layer().attention,
                .flat_network = chosen.group.width > 1,
                .energies = !energies_known          ? technology::none
                            : request.family == "n7" ? technology::n7
                                                     : technology::phaze};
    }

    /// A collective has no energy here, since links are no part of a chip; nor has anything on a chip with
    /// a buffer of a size that the technology does not know.
    static bool has_energy(const price_row& row, bool known) { return known && row.bound_by != "link"; }

    static void add_costs(dovetail::json_writer& json, const price_row& row, bool has_energy) {
        json.member("latency_s", row.latency_s).key("energy_j");
        if (has_energy)
            json.value(row.energy_j);
        else
            json.null();
        json.key("bytes")
            .begin_object()
            .member("registers", row.register_bytes)
            .member("local", row.local_bytes)
            .member("global", row.global_bytes)
            .member("hbm", row.hbm_bytes)
            .end_object()
            .member("macs", row.macs)
            .member("lane_cycles", row.lane_cycles);
    }

    void write(dovetail::json_writer& json, const chosen_layer& chosen, const std::vector<price_row>& rows,
               const price_row& total, bool energies_known,
               std::span<const dovetail::report::assumption> held) const {
        json.member("problem", chosen.title)
            .member("layer", chosen.number)
            .member("cost_model", cost_model)
            .member("cores", cores)
            .key("operators")
            .begin_array();
        for (const price_row& row : rows) {
            json.begin_object().member("name", row.name);
            add_costs(json, row, has_energy(row, energies_known));
            if (!row.product.empty())
                json.key("product")
                    .begin_object()
                    .member("batch", row.product.batch)
                    .member("rows", row.product.rows)
                    .member("reduction", row.product.reduction)
                    .member("columns", row.product.columns)
                    .end_object();
            json.member("bound_by", row.bound_by)
                .member("utilization", row.utilization)
                .key("busy_s")
                .begin_object()
                .member("tensor_cores", row.time.tensor_s)
                .member("vector_cores", row.time.vector_s)
                .member("local", row.time.local_s)
                .member("global", row.time.global_s)
                .member("hbm", row.time.hbm_s)
                .member("fill", row.time.fill_s)
                .end_object()
                .end_object();
        }
        json.end_array().key("total").begin_object();
        add_costs(json, total, energies_known);
        json.end_object();
        write_assumptions(json, held);
    }

    /// The operator with its product: "MatMul 16 x (512 x 64 x 512)", rows, reduction and columns.
    static std::string title(const price_row& row) {
        const dovetail::workload::contraction& p = row.product;
        if (p.empty()) return row.name;
        const std::string extents =
            readable(p.rows) + " x " + readable(p.reduction) + " x " + readable(p.columns);
        return row.name + ' ' + (p.batch == 1 ? extents : readable(p.batch) + " x (" + extents + ')');
    }

    static void print(std::ostream& out, const chosen_layer& chosen, const std::vector<price_row>& rows,
                      const price_row& total, bool energies_known,
                      std::span<const dovetail::report::assumption> held) {
        out << chosen.title << '\n' << chosen.subtitle << '\n';
        std::size_t widest = total.name.size();
        for (const price_row& row : rows) widest = std::max(widest, title(row).size());
        const auto line = [&](std::string_view name, const std::array<std::string, 7>& cells,
                              std::string_view bound_by) {
            out << std::left << std::setw(static_cast<int>(widest)) << name << std::right;
            for (const std::string& cell : cells) out << ' ' << std::setw(11) << cell;
            out << "  " << bound_by << '\n';
        };
        line("operator", {"time us", "energy uJ", "regs KiB", "local KiB", "global KiB", "HBM KiB", "used %"},
             "bound by");
        const auto of = [&](const price_row& row, bool has_energy, std::string used) {
            const auto kib = [](double bytes) { return readable(bytes / 1024, 5); };
            return std::array<std::string, 7>{readable(row.latency_s * 1e6, 5),
                                              has_energy ? readable(row.energy_j * 1e6, 5) : "unknown",
                                              kib(row.register_bytes),
                                              kib(row.local_bytes),
                                              kib(row.global_bytes),
                                              kib(row.hbm_bytes),
                                              std::move(used)};
        };
        for (const price_row& row : rows)
            line(title(row), of(row, has_energy(row, energies_known), readable(row.utilization * 100, 3)),
                 row.bound_by);
        line(total.name, of(total, energies_known, ""), "");
        out << dovetail::report::assumption_line(held) << '\n';
    }
};

} // namespace

void add_price_layer(command_syntax price, int& status) {
    const auto options = std::make_shared<price_layer_command>();
    price.add_example("dovetail price gpt2-xl --layer 1", "every operator of a layer on the reference chip");
    price.add_example("dovetail price bert-large --layer 1 --pass backward --tensor-width 2 --family n7",
                      "a layer that two chips share, in 7 nm");
    options->request.model.add_to(price);
    options->request.add_to(price, {});
    price
        .add_option("--cost-model", options->cost_model,
                    "how operators are priced: soundly, or with PHAZE's constants")
        .one_of({"sound", "phaze"});
    price.add_option("--cores", options->cores, "an operator runs on one core of each type, or on all")
        .one_of({"one", "all"});
    options->common.add_to(price);
    price.callback([options, &status] { status = options->run(); });
}

} // namespace cli
