// dovetail price: what operators cost on hardware.

#include "price.hpp"
#include "command.hpp"

namespace cli {

void add_price(command_syntax app, int& status) {
    const command_syntax command = app.add_subcommand("price", "what operators cost on hardware");
    add_price_systolic(command, status);
    add_price_mapping(command, status);
    add_price_vector(command, status);
    add_price_layer(command, status);
}

} // namespace cli
