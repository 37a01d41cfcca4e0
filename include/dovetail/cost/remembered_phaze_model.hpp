#pragma once
/// \file
/// PHAZE's model with a memory: chips that share their tensor cores share the search for mappings.

#include <dovetail/core/hash.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/cost/phaze_model.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/workload/work.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace dovetail::cost {

/// `phaze_model`, to the last bit, with the costs of products kept in a table that all copies and all threads
/// share. A product that falls into the place of another takes it: the memory does not grow.
template <mapping_objective Goal = mapping_objective::edp>
class remembered_phaze_model {
public:
    using pure = phaze_model<Goal>;
    static constexpr double element_bytes = pure::element_bytes;

    remembered_phaze_model() : remembered_phaze_model(std::size_t{1} << 17) {}
    /// `places` is rounded up to a power of two; one takes 136 bytes.
    explicit remembered_phaze_model(std::size_t places)
        : table_(std::make_shared<table>(std::bit_ceil(places))) {}

    template <hardware::accelerator_like Chip = hardware::accelerator>
    [[nodiscard]] estimate operator()(const workload::operator_work& work, const Chip& chip,
                                      core_mode mode) const {
        const bool all = mode == core_mode::all_cores;
        const key wanted{work.product, chip.width, chip.depth, chip.glb_bytes, all ? chip.num_tc : 1};
        const mapping_cost product = work.product.macs() > 0 ? table_->find(wanted) : mapping_cost{};
        return pure::put_together(work, product, (all ? chip.num_vc : 1) * chip.width_vc);
    }

private:
    /// All that the cost of a product depends on.
    struct key {
        workload::contraction product;
        std::int64_t width = 0, depth = 0, glb_bytes = 0, cores = 0;

        friend bool operator==(const key&, const key&) = default;

        [[nodiscard]] std::uint64_t hash() const noexcept {
            std::uint64_t h = 0;
            for (const std::int64_t part : {product.batch, product.rows, product.reduction, product.columns,
                                            width, depth, glb_bytes, cores})
                h = hash_append(h, static_cast<std::uint64_t>(part));
            return h;
        }
    };

    class table {
    public:
        explicit table(std::size_t places) : places_(places) {}

        mapping_cost find(const key& wanted) {
            const std::size_t at = wanted.hash() & (places_.size() - 1);
            entry& place = places_[at];
            std::mutex& guard = guards_[at % guards_.size()];
            {
                const std::lock_guard lock(guard);
                if (place.of == wanted) return place.cost;
            }
            const hardware::accelerator chip{
                .width = wanted.width, .depth = wanted.depth, .glb_bytes = wanted.glb_bytes};
            const mapping_cost cost = pure::product_part(wanted.product, chip, wanted.cores);
            const std::lock_guard lock(guard);
            place = {wanted, cost};
            return cost;
        }

    private:
        struct entry {
            key of;
            mapping_cost cost;
        };
        std::vector<entry> places_;
        std::array<std::mutex, 64> guards_; // one for all places of the same remainder
    };

    std::shared_ptr<table> table_;
};

static_assert(latency_model<remembered_phaze_model<>>);

} // namespace dovetail::cost
