#pragma once
/// \file
/// What every model of `latency_model` obeys, as a typed suite: instantiate it with a `priced_on`.

#include <dovetail/core/random.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/workload/work.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace dovetail::test {

/// A model together with the platform whose limits it must respect.
template <cost::latency_model Model, hardware::platform Platform>
struct priced_on {
    using model = Model;
    using platform = Platform;
};

/// A product of its own, with nothing fused to it.
inline workload::operator_work product_work(const workload::contraction& p) {
    const auto elements = [](std::int64_t a, std::int64_t b, std::int64_t c) {
        return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
    };
    workload::operator_work work;
    work.product = p;
    work.product_operand_elements =
        elements(p.batch, p.rows, p.reduction) + elements(p.batch, p.reduction, p.columns);
    work.product_result_elements = elements(p.batch, p.rows, p.columns);
    work.read_elements = work.product_operand_elements;
    work.written_elements = work.product_result_elements;
    return work;
}

/// A product of skewed sizes, a vector operator, or a product with an epilogue that reads another operand;
/// some of them with masks or tokens.
inline workload::operator_work random_work(random_source& random) {
    const auto extent = [&](int log2) {
        return random.integer(1, std::int64_t{1} << random.integer(0, log2));
    };
    workload::operator_work work;
    const std::int64_t kind = random.integer(0, 2);
    if (kind != 1) work = product_work({extent(5), extent(13), extent(13), extent(13)});
    if (kind != 0) {
        const double elements = kind == 1 ? static_cast<double>(extent(24)) : work.product_result_elements;
        work.lane_cycles = elements * static_cast<double>(random.integer(1, 30));
        work.read_elements += elements;
        work.written_elements = elements;
        if (random.integer(0, 1) == 0) {
            work.read_discrete_bytes = 8 * static_cast<double>(extent(10));
            work.written_discrete_bytes = elements;
        }
    }
    return work;
}

inline hardware::accelerator random_chip(random_source& random) {
    const auto power = [&](int least, int most) { return std::int64_t{1} << random.integer(least, most); };
    return {.num_tc = random.integer(0, 3) == 0 ? random.integer(1, 4096) : power(0, 12),
            .num_vc = random.integer(0, 3) == 0 ? random.integer(1, 4096) : power(0, 12),
            .width = power(1, 8),
            .depth = power(1, 8),
            .width_vc = power(1, 8),
            .glb_bytes = power(21, 27)};
}

template <class PricedOn>
class latency_model_laws : public ::testing::Test {
protected:
    using model_type = typename PricedOn::model;
    using platform = typename PricedOn::platform;
    static constexpr std::array modes{cost::core_mode::one_core, cost::core_mode::all_cores};

    [[nodiscard]] double latency_s(const workload::operator_work& work, const hardware::accelerator& chip,
                                   cost::core_mode mode) const {
        return model(work, chip, mode).latency_s();
    }

    /// Calls `body(work, chip, mode)` for many of them.
    template <class Body>
    void over_many(Body body) {
        for (int i = 0; i < 4000; ++i) {
            const workload::operator_work work = random_work(random);
            const hardware::accelerator chip = random_chip(random);
            for (const cost::core_mode mode : modes) {
                body(work, chip, mode);
                if (this->HasFatalFailure()) return;
            }
        }
    }

    model_type model{};
    random_source random{2024};
};

TYPED_TEST_SUITE_P(latency_model_laws);

TYPED_TEST_P(latency_model_laws, no_work_takes_no_time) {
    for (const cost::core_mode mode : this->modes) {
        const cost::estimate e = this->model({}, random_chip(this->random), mode);
        EXPECT_EQ(e.latency_s(), 0);
        EXPECT_EQ(e.bound_by(), cost::bound::nothing);
        EXPECT_EQ(e.hbm_bytes, 0);
    }
}

TYPED_TEST_P(latency_model_laws, time_is_finite_and_positive_and_explained) {
    this->over_many([&](const auto& work, const auto& chip, cost::core_mode mode) {
        const cost::estimate e = this->model(work, chip, mode);
        ASSERT_TRUE(std::isfinite(e.latency_s()) && e.latency_s() > 0);
        for (const double part : {e.tensor_s, e.vector_s, e.local_s, e.global_s, e.hbm_s, e.fill_s})
            ASSERT_TRUE(part >= 0 && part <= e.latency_s());
        ASSERT_NE(e.bound_by(), cost::bound::nothing);
    });
}

TYPED_TEST_P(latency_model_laws, no_operator_beats_the_peak_or_the_memories) {
    this->over_many([&](const auto& work, const auto& chip, cost::core_mode mode) {
        const bool all = mode == cost::core_mode::all_cores;
        const double macs = static_cast<double>(chip.width * chip.depth * (all ? chip.num_tc : 1));
        const double lanes = static_cast<double>(chip.width_vc * (all ? chip.num_vc : 1));
        const double least_bytes = (work.read_elements + work.written_elements) *
                                       static_cast<double>(TestFixture::platform::element_bytes) +
                                   work.read_discrete_bytes + work.written_discrete_bytes;
        const cost::estimate e = this->model(work, chip, mode);
        constexpr double slack = 1 - 1e-12;
        ASSERT_GE(e.latency_s(), work.product.macs() / macs / TestFixture::platform::clock_hz * slack);
        ASSERT_GE(e.latency_s(), work.lane_cycles / lanes / TestFixture::platform::clock_hz * slack);
        ASSERT_GE(e.latency_s(), least_bytes / TestFixture::platform::hbm_bytes_per_s * slack);
        ASSERT_GE(e.hbm_bytes, least_bytes * slack);
        ASSERT_GE(e.global_bytes, least_bytes * slack);
        ASSERT_GE(e.local_bytes, least_bytes * slack);
    });
}

TYPED_TEST_P(latency_model_laws, more_hardware_is_never_slower) {
    this->over_many([&](const auto& work, const auto& chip, cost::core_mode mode) {
        const double before_s = this->latency_s(work, chip, mode);
        hardware::accelerator more = chip;
        more.num_tc += this->random.integer(1, chip.num_tc);
        ASSERT_LE(this->latency_s(work, more, mode), before_s)
            << chip.num_tc << " to " << more.num_tc << " cores";
        more = chip;
        more.num_vc += this->random.integer(1, chip.num_vc);
        ASSERT_LE(this->latency_s(work, more, mode), before_s);
        more = chip;
        more.width_vc *= 2;
        ASSERT_LE(this->latency_s(work, more, mode), before_s);
        more = chip;
        more.glb_bytes += this->random.integer(1, chip.glb_bytes);
        ASSERT_LE(this->latency_s(work, more, mode), before_s);
    });
}

TYPED_TEST_P(latency_model_laws, all_cores_are_never_slower_than_one) {
    this->over_many([&](const auto& work, const auto& chip, cost::core_mode) {
        ASSERT_LE(this->latency_s(work, chip, cost::core_mode::all_cores),
                  this->latency_s(work, chip, cost::core_mode::one_core));
    });
}

TYPED_TEST_P(latency_model_laws, a_larger_operator_is_never_faster) {
    this->over_many([&](const auto& work, const auto& chip, cost::core_mode mode) {
        const double before_s = this->latency_s(work, chip, mode) * (1 - 1e-12);
        workload::operator_work larger = work;
        larger.lane_cycles *= 1.5;
        larger.read_elements *= 1.5;
        larger.written_elements *= 1.5;
        larger.read_discrete_bytes *= 1.5;
        larger.written_discrete_bytes *= 1.5;
        ASSERT_GE(this->latency_s(larger, chip, mode), before_s);
        if (!work.uses_tensor_core() || work.uses_vector_core()) return;
        for (std::int64_t workload::contraction::*const extent :
             {&workload::contraction::batch, &workload::contraction::rows, &workload::contraction::reduction,
              &workload::contraction::columns}) {
            workload::contraction product = work.product;
            product.*extent += this->random.integer(1, product.*extent);
            ASSERT_GE(this->latency_s(product_work(product), chip, mode), before_s)
                << product.batch << ' ' << product.rows << ' ' << product.reduction << ' ' << product.columns;
        }
    });
}

TYPED_TEST_P(latency_model_laws, a_design_as_a_type_costs_the_same) {
    using fixed = hardware::fixed_accelerator<6, 2, 64, 32, 64, (8 << 20)>;
    for (int i = 0; i < 1000; ++i) {
        const workload::operator_work work = random_work(this->random);
        for (const cost::core_mode mode : this->modes)
            ASSERT_EQ(this->model(work, fixed{}, mode).latency_s(),
                      this->latency_s(work, hardware::as_point(fixed{}), mode));
    }
}

REGISTER_TYPED_TEST_SUITE_P(latency_model_laws, no_work_takes_no_time,
                            time_is_finite_and_positive_and_explained,
                            no_operator_beats_the_peak_or_the_memories, more_hardware_is_never_slower,
                            all_cores_are_never_slower_than_one, a_larger_operator_is_never_faster,
                            a_design_as_a_type_costs_the_same);

} // namespace dovetail::test
