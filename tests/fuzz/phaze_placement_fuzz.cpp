// doors: json
// No bytes may crash the reader of placement instances; what it accepts is a valid problem.
#include <dovetail/ext/json/phaze_placement.hpp>

#include <dovetail/placement/evaluate.hpp>
#include <dovetail/placement/layer_graph.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dovetail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto instance = ext::json::read_phaze_placement(text, "instance");
    if (!instance) {
        if (instance.problem().wrong.empty() || instance.problem().line().find('\n') != std::string::npos)
            std::abort();
        return 0;
    }
    if (!placement::validate(instance->problem)) std::abort();
    if (instance->layer_ids.size() != instance->problem.layer_count()) std::abort();
    if (!instance->expert || instance->expert->pipeline > 1000) return 0;
    auto cut = ext::json::cut_of_fixed_plan(*instance);
    if (!cut) return 0;
    const auto plan = placement::evaluate(instance->problem, *std::move(cut), placement::objective::phaze);
    if (plan && plan->stages.size() != static_cast<std::size_t>(instance->expert->pipeline)) std::abort();
    return 0;
}
