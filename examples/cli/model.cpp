#include "model.hpp"

#include "command.hpp"

#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/onnx.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/workload/recognise.hpp>
#include <dovetail/workload/zoo.hpp>

#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

namespace cli {

using dovetail::errc;
using dovetail::error;
using dovetail::result;
using dovetail::workload::operator_graph;

flag_syntax model_options::add_to(command_syntax command) {
    const auto names = dovetail::workload::zoo_names();
    const flag_syntax named = command.add_option("model", model, "an ONNX file, or a model of the zoo")
                                  .type_name("MODEL")
                                  .such_as({names.begin(), names.end()})
                                  .required();
    command.add_option("--dimension", dimensions, "value of an open dimension of the file; may be repeated")
        .type_name("NAME=VALUE")
        .goes_on_while([](std::string_view word) { return word.find('=') != std::string_view::npos; })
        .may_repeat();
    return named;
}

namespace {

// The model in a file, or in what comes through standard input.
result<operator_graph> import_model(const std::string& model,
                                    const dovetail::ext::onnx::import_options& with) {
    if (model != "-") return dovetail::ext::onnx::import_onnx_file(model, with);
    const auto bytes = read_file(model);
    if (!bytes) return bytes.problem();
    auto graph = dovetail::ext::onnx::import_onnx(*bytes, with);
    if (!graph) return std::move(graph).problem().within(input_name(model));
    return graph;
}

} // namespace

result<operator_graph> model_options::load() const {
    if (dovetail::workload::zoo::find(model) != nullptr) {
        if (!dimensions.empty())
            return error{errc::unsupported, "option --dimension", "'" + model + "' is a model of the zoo",
                         "it must be left out: only files have open dimensions"};
        return dovetail::workload::make_model(model, 1);
    }
    const bool piped = model == "-";
    std::error_code unknown;
    if (!piped && !std::filesystem::exists(model, unknown)) {
        const auto names = dovetail::workload::zoo_names();
        std::string zoo;
        for (const std::string_view name : names) zoo.append(zoo.empty() ? "" : ", ").append(name);
        const std::string near = dovetail::did_you_mean(model, names, {});
        return error{errc::io, model, "there is no such file, nor a model of that name",
                     (near.empty() ? "give" : near + " Give") + " an ONNX file or one of: " + zoo};
    }
    if (!piped && std::filesystem::is_directory(model, unknown))
        return error{errc::io, model, "it is a folder", "name the ONNX file in it"};
    dovetail::ext::onnx::import_options options;
    for (const std::string& given : dimensions) {
        const std::size_t equals = given.rfind('=');
        const auto value =
            equals == std::string::npos || equals == 0
                ? std::nullopt
                : dovetail::parse_number<std::int64_t>(std::string_view(given).substr(equals + 1));
        if (!value || *value < 1)
            return error{errc::parse, "option --dimension", "its value is '" + given + "'",
                         "it must be name=value with a positive integer"};
        if (const std::string name = given.substr(0, equals);
            !options.dimensions.emplace(name, *value).second)
            return error{errc::parse, "option --dimension", "'" + name + "' is given twice",
                         "give every dimension one value"};
    }
    auto graph = import_model(model, options);
    if (graph) graph->name = std::filesystem::path(input_name(model)).stem().string();
    return graph;
}

result<dovetail::search::workload_profile>
model_options::profile(const dovetail::search::plan_options& plan) const {
    const auto graph = load();
    if (!graph) return graph.problem();
    return dovetail::search::profile_workload(dovetail::workload::recognise(*graph), plan);
}

} // namespace cli
