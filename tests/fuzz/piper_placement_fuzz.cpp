// doors: json
// No bytes may crash the reader of Piper's instances; what it accepts is a valid problem, and a small one has
// a plan that the verifier accepts, or none.
#include <dovetail/ext/json/piper_placement.hpp>

#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_program.hpp>
#include <dovetail/placement/verify_variants.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dovetail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto instance = ext::json::read_piper_placement(text, "instance");
    if (!instance) {
        if (instance.problem().wrong.empty() || instance.problem().line().find('\n') != std::string::npos)
            std::abort();
        return 0;
    }
    const placement::variant_graph& problem = instance->problem;
    if (!placement::validate(problem)) std::abort();
    if (instance->layer_ids.size() != problem.layers.size()) std::abort();
    if (problem.devices > 64 || problem.layers.size() > 12) return 0;
    const auto plan = placement::variant_program{.seconds = 1.0, .downset_limit = 512}(problem);
    // Sums of the largest numbers overflow, and nothing can be said of infinite times.
    if (plan && plan->time_s < 1e100 && !placement::verify(problem, *plan)) std::abort();
    return 0;
}
