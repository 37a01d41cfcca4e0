// No bytes may crash the reader of PSPLIB's projects; what it accepts is a problem whose schedules are valid.
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/psplib.hpp>
#include <dovetail/schedule/verify.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dovetail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto project = schedule::read_psplib(text, "project");
    if (!project) {
        if (project.problem().wrong.empty() || project.problem().line().find('\n') != std::string::npos)
            std::abort();
        return 0;
    }
    if (!schedule::verify(project->problem, schedule::list_scheduler{}(project->problem).best)) std::abort();
    return 0;
}
