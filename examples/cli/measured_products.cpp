// Matrix products that somebody measured.

#include "measured_products.hpp"

#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/hardware/system.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace cli {

namespace {

namespace hardware = dovetail::hardware;
using dovetail::csv_field;
using dovetail::csv_table;

// "a=1, b=x" as a map.
std::map<std::string, std::string, std::less<>> pairs_of(std::string_view text) {
    std::map<std::string, std::string, std::less<>> pairs;
    while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        const std::size_t equals = one.find('=');
        if (equals == one.npos) continue;
        const std::size_t first = std::min(one.find_first_not_of(' '), equals);
        pairs.emplace(one.substr(first, equals - first), one.substr(equals + 1));
    }
    return pairs;
}

// Reads the members of a shape, and remembers the first that is missing or wrong.
class shape_reader {
public:
    explicit shape_reader(const csv_field& field) : pairs_(pairs_of(field.text)) {}

    std::int64_t extent(std::string_view name) {
        const auto at = pairs_.find(name);
        const auto value =
            at == pairs_.end() ? std::nullopt : dovetail::parse_number<std::int64_t>(at->second);
        if (value && *value >= 1) return *value;
        if (wrong_.empty()) wrong_ = name;
        return 1;
    }
    std::string_view text(std::string_view name) const {
        const auto at = pairs_.find(name);
        return at == pairs_.end() ? std::string_view{} : std::string_view(at->second);
    }
    const std::string& wrong() const { return wrong_; }

private:
    std::map<std::string, std::string, std::less<>> pairs_;
    std::string wrong_;
};

hardware::precision precision_of(std::string_view name) {
    return name == "fp32" ? hardware::precision::fp32 : hardware::precision::bf16;
}

dovetail::cost::gemm product_of(shape_reader& shape) {
    return {.m = shape.extent("m"),
            .n = shape.extent("n"),
            .k = shape.extent("k"),
            .batch = shape.extent("b"),
            .result = precision_of(shape.text("out_dtype")),
            .accumulate = shape.text("accumulate") == "True"};
}

// The products of all groups at once: forward, and the gradients of activations and of weights.
dovetail::cost::gemm grouped_product_of(shape_reader& shape) {
    const std::int64_t rows = shape.extent("M");
    const std::int64_t columns = shape.extent("N");
    const std::int64_t depth = shape.extent("K");
    dovetail::cost::gemm product{.m = rows,
                                 .n = columns,
                                 .k = depth,
                                 .batch = shape.extent("ng"),
                                 .result = precision_of(shape.text("out_dtype")),
                                 .accumulate = shape.text("accumulate") == "True"};
    if (shape.text("stage") == "bwd_grad_act") std::swap(product.n, product.k);
    if (shape.text("stage") == "bwd_grad_w") {
        product.m = columns;
        product.n = depth;
        product.k = rows;
        product.result = precision_of(shape.text("main_grad_dtype"));
    }
    return product;
}

dovetail::error too_large(const csv_table& table, const csv_field& field) {
    return {dovetail::errc::out_of_range, table.place(field), "an extent of the product is too large",
            "it must be at most " + dovetail::readable(dovetail::cost::gemm::most_extent) + ", of at most " +
                dovetail::readable(dovetail::cost::gemm::most_batch) + " products"};
}

} // namespace

std::string_view catalogue_name(std::string_view text) {
    struct alias {
        std::string_view word;
        std::string_view name;
    };
    // The first that occurs, so that the longer word stands first.
    static constexpr std::array<alias, 11> aliases{{{"a100_pcie", "a100-pcie-80"},
                                                    {"a100-pcie", "a100-pcie-80"},
                                                    {"a100-sxm-40", "a100-sxm-40"},
                                                    {"a100", "a100-sxm-80"},
                                                    {"h100", "h100-sxm"},
                                                    {"h200", "h200-sxm"},
                                                    {"b200", "b200-sxm"},
                                                    {"v100", "v100"},
                                                    {"mi210", "mi210"},
                                                    {"tpu-v4", "tpu-v4"},
                                                    {"tpuv4", "tpu-v4"}}};
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const alias& known : aliases)
        if (lower.find(known.word) != lower.npos) return known.name;
    return {};
}

dovetail::result<std::vector<measured_product_row>> read_products(const csv_table& table) {
    std::vector<measured_product_row> rows;
    for (const auto& fields : table.rows) {
        const auto at = [&](std::string_view column) -> const csv_field& {
            return fields[*table.find(column)];
        };
        measured_product_row row{.line = fields.front().line, .system = table.name};
        row.product.operands = row.product.result = hardware::precision::fp16;
        for (const auto& [column, extent] : {std::pair{"m", &row.product.m}, std::pair{"n", &row.product.n},
                                             std::pair{"k", &row.product.k}}) {
            const auto value = table.number<std::int64_t>(at(column), column, 1);
            if (!value) return value.problem();
            *extent = *value;
        }
        if (!row.product.in_range()) return too_large(table, fields.front());
        const auto time_ms = table.positive(at("time_ms"), "time_ms");
        if (!time_ms) return time_ms.problem();
        row.time_s = *time_ms * 1e-3;
        rows.push_back(std::move(row));
    }
    return rows;
}

dovetail::result<std::vector<measured_product_row>> read_efficiencies(const csv_table& table) {
    std::vector<measured_product_row> rows;
    for (const auto& fields : table.rows) {
        const auto at = [&](std::string_view column) -> const csv_field& {
            return fields[*table.find(column)];
        };
        measured_product_row row{.line = fields.front().line, .system = at("system").text};
        const std::string& operation = at("op").text;
        if (operation != "matmul" && operation != "group_matmul") {
            row.why_not = "operation '" + operation + "' is no matrix product";
            rows.push_back(std::move(row));
            continue;
        }
        shape_reader shape(at("shape_key"));
        row.product = operation == "matmul" ? product_of(shape) : grouped_product_of(shape);
        if (!shape.wrong().empty())
            return dovetail::error{dovetail::errc::parse, table.place(at("shape_key")),
                                   "shape_key has no extent '" + shape.wrong() + "'",
                                   "give it as " + shape.wrong() + "=NUMBER, at least 1"};
        if (!row.product.in_range()) return too_large(table, at("shape_key"));
        const auto peak = table.positive(at("peak_tflops"), "peak_tflops");
        if (!peak) return peak.problem();
        const auto efficiency = table.positive(at("measured_eff"), "measured_eff");
        if (!efficiency) return efficiency.problem();
        row.peak_flop_per_s = *peak * 1e12;
        row.time_s = row.product.flops() / (row.peak_flop_per_s * *efficiency);
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace cli
