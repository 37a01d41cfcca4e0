// dovetail space: the designs of a family.

#include "command.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/hardware/n7_family.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/phaze_family.hpp>

#include <memory>
#include <ostream>
#include <string>
#include <utility>

namespace cli {

namespace {

struct space_command {
    common_options common;
    std::string family = "phaze";
    output csv;

    exit_status run() {
        if (auto begun = common.begin({}); !begun) return complain(begun.problem());
        if (family == "n7") return run(dovetail::hardware::n7_family{});
        return run(dovetail::hardware::phaze_family{});
    }

    template <class Family>
    exit_status run(const Family& space) {
        const auto kept = dovetail::hardware::kept_designs(space);
        if (!kept) return complain(kept.problem());
        if (csv.wanted()) {
            std::string table = "num_tc,num_vc,width,depth,width_vc,glb_bytes,area_um2\n";
            for (const dovetail::hardware::kept_design& design : *kept) {
                const dovetail::hardware::accelerator& chip = design.chip;
                for (const auto axis :
                     {chip.num_tc, chip.num_vc, chip.width, chip.depth, chip.width_vc, chip.glb_bytes})
                    table += dovetail::to_text(axis) + ',';
                table += dovetail::to_text(design.area_um2) + '\n';
            }
            common.put(csv, table);
        }
        common.put_json([&](dovetail::json_writer& json) {
            json.member("family", family).member("designs", space.size()).member("kept", kept->size());
        });
        common.people() << family << ": " << dovetail::readable(space.size()) << " designs, "
                        << dovetail::readable(kept->size()) << " kept\n";
        return common.finish(solved);
    }
};

} // namespace

void add_space(command_syntax app, int& status) {
    const command_syntax command = app.add_subcommand("space", "the designs that a family keeps");
    const auto options = std::make_shared<space_command>();
    command.add_option("--family", options->family, "the family").one_of({"phaze", "n7"});
    command.add_example("dovetail space --family n7", "how many designs there are, and are kept");
    command.add_example("dovetail space --csv family.csv", "all that are kept, with their areas");
    options->common.add_output(command, options->csv, "--csv",
                               "write the designs to this file, - for standard output");
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
