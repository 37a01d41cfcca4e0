#pragma once
/// \file
/// The fused operators of one transformer layer, forward: what the benchmarks price.

#include <dovetail/workload/work.hpp>

#include <array>
#include <cstdint>

namespace dovetail::bench {

/// A product with `epilogue_cycles` for every element of its result.
constexpr workload::operator_work product(const workload::contraction& p, double epilogue_cycles) {
    const double batch = static_cast<double>(p.batch);
    workload::operator_work work;
    work.product = p;
    work.product_operand_elements = batch * static_cast<double>(p.reduction * (p.rows + p.columns));
    work.product_result_elements = batch * static_cast<double>(p.rows * p.columns);
    work.read_elements = work.product_operand_elements;
    work.written_elements = work.product_result_elements;
    work.lane_cycles = work.product_result_elements * epilogue_cycles;
    return work;
}

/// GPT-2 124M, eight sequences of 1,024: norm, QKV, scores and softmax, context, projection, norm, FFN.
inline constexpr std::array layer = [] {
    constexpr std::int64_t tokens = 8 * 1024;
    workload::operator_work norm;
    norm.lane_cycles = tokens * 768 * 4.0;
    norm.read_elements = norm.written_elements = tokens * 768;
    return std::array{norm,
                      product({1, tokens, 768, 2304}, 1),
                      product({96, 1024, 64, 1024}, 20),
                      product({96, 1024, 1024, 64}, 0),
                      product({1, tokens, 768, 768}, 2),
                      norm,
                      product({1, tokens, 768, 3072}, 14),
                      product({1, tokens, 3072, 768}, 2)};
}();

} // namespace dovetail::bench
