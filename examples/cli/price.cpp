// dovetail price: what an operator costs on hardware.

#include "price.hpp"
#include "command.hpp"

namespace cli {

void add_price(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("price", "what an operator costs on hardware");
    command->require_subcommand(1);
    add_price_systolic(*command, status);
    add_price_mapping(*command, status);
}

} // namespace cli
