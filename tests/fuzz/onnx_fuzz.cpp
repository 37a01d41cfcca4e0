// doors: onnx
// No bytes may crash the import; a graph that it accepts is sound, and stays so at another batch.
#include <dovetail/ext/onnx/import.hpp>

#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/rescale.hpp>
#include <dovetail/workload/validate.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dovetail;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto graph = ext::onnx::import_onnx(bytes, {.batch = 2, .dimensions = {{"sequence", 8}}});
    if (!graph) {
        if (graph.problem().wrong.empty() || graph.problem().line().find('\n') != std::string::npos)
            std::abort();
        return 0;
    }
    if (!workload::validate(*graph)) std::abort();
    if (!(workload::count_macs(*graph) >= 0) || workload::count_parameters(*graph) < 0) std::abort();
    if (const auto wider = workload::with_batch(*graph, 3); wider && !workload::validate(*wider))
        std::abort();
    return 0;
}
