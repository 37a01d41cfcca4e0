// doors: json
// No bytes may crash the reader of instances for devices; what it accepts is a valid problem.
#include <dovetail/ext/json/device_placement.hpp>

#include <dovetail/placement/device_graph.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dovetail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto instance = ext::json::read_device_placement(text, "instance");
    if (!instance) {
        if (instance.problem().wrong.empty() || instance.problem().line().find('\n') != std::string::npos)
            std::abort();
        return 0;
    }
    if (!placement::validate(instance->problem)) std::abort();
    if (instance->node_ids.size() != instance->problem.nodes.size()) std::abort();
    return 0;
}
