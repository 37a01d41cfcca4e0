// dovetail price: what operators cost on hardware.

#include "price.hpp"
#include "command.hpp"

#include <CLI/CLI.hpp>

#include <vector>

namespace cli {

void add_price(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("price", "what operators cost on hardware");
    command->require_subcommand(0, 1);
    add_price_systolic(*command, status);
    add_price_mapping(*command, status);
    add_price_vector(*command, status);
    const std::vector<CLI::App*> parts = command->get_subcommands({});
    add_price_layer(*command, status);
    for (CLI::App* part : parts)
        for (CLI::Option* option : command->get_options()) part->excludes(option);
}

} // namespace cli
