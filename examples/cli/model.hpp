#pragma once
/// \file
/// Models by name or file, for every command that takes one.

#include "command_syntax.hpp"

#include <dovetail/core/result.hpp>
#include <dovetail/search/options.hpp>
#include <dovetail/search/profile.hpp>
#include <dovetail/workload/operator_graph.hpp>

#include <string>
#include <vector>

namespace cli {

/// The flags that choose a model.
struct model_options {
    std::string model;                   ///< a name of the zoo, or an ONNX file
    std::vector<std::string> dimensions; ///< "name=value" of open dimensions

    /// As an argument by its place, or as a flag `--model`: required, unless the caller says otherwise of the
    /// option returned.
    flag_syntax add_to(command_syntax command);

    /// The graph as it is written; composites are not recognised yet.
    [[nodiscard]] dovetail::result<dovetail::workload::operator_graph> load() const;
    /// What a search with `plan` needs of the graph, its composites recognised.
    [[nodiscard]] dovetail::result<dovetail::search::workload_profile>
    profile(const dovetail::search::plan_options& plan) const;
};

} // namespace cli
