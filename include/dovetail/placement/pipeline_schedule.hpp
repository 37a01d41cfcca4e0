#pragma once
/// \file
/// Pipeline schedules as policies: the order in which a device works through its passes, and what that order
/// costs in closed form where all stages are alike.

#include <dovetail/core/assert.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dovetail::placement {

/// Seconds that a stage takes for one micro-batch.
struct stage_times {
    double forward_s = 0;
    double backward_s = 0;        ///< both gradients
    double weight_gradient_s = 0; ///< the part of the backward pass that nobody waits for

    [[nodiscard]] constexpr double input_gradient_s() const { return backward_s - weight_gradient_s; }
    [[nodiscard]] constexpr double total_s() const { return forward_s + backward_s; }
};

/// What a pass computes. Schedules that split the backward pass in two have `input_gradient` and
/// `weight_gradient` passes instead of `backward` ones.
enum class pass_kind : std::uint8_t { forward, backward, input_gradient, weight_gradient };

/// One entry of a device's order.
struct pass_step {
    pass_kind kind = pass_kind::forward;
    std::size_t micro_batch = 0;
    std::size_t chunk = 0; ///< which of the device's stages, where it has several

    friend constexpr bool operator==(const pass_step&, const pass_step&) = default;
};

/// What a program makes small under a schedule. A batch takes `slots` times the largest pace of a stage, plus
/// the largest rest, plus the longest tail: the reduction and update that follow the last micro-batch. With
/// even stages the first two are the closed form; with uneven ones each term counts its own heaviest stage.
/// That bounds the time from above for 1F1B (pace: forward and backward pass together), GPipe and interleaved
/// stages (pace: the forward pass, rest: the backward passes), and is an estimate for the zero-bubble
/// schedules. `has_rest` says whether a schedule has any, `rest_grows` whether it never falls as passes get
/// longer.
struct pipeline_charge {
    double slots = 0;
    double pace_s = 0;
    double rest_s = 0;
};

/// A schedule of a pipeline of `devices` devices, device 0 first, for `micro_batches` micro-batches. Device s
/// holds the stages s, s + devices, s + 2 devices, …, `chunks()` of them.
///
/// With even stages a batch binds a device for m (f + b) + `bubble_s` seconds, first pass to last: the next
/// batch follows at that pace. `in_flight` counts the stages' worth of activations that a device holds at its
/// peak; divided by `chunks()` these are micro-batches. Both hold where `admits` does. `least_in_flight` is
/// what it is at least where micro-batches abound, by the number of stages behind.
template <class P>
concept pipeline_policy = requires(const P& p, std::size_t n, const stage_times& times) {
    { P::name } -> std::convertible_to<std::string_view>;
    { P::has_rest } -> std::convertible_to<bool>;
    { P::rest_grows } -> std::convertible_to<bool>;
    { p.chunks() } -> std::same_as<std::size_t>;
    { p.admits(n, n) } -> std::same_as<bool>;
    { p.bubble_s(times, n) } -> std::same_as<double>;
    { p.in_flight(n, n, n) } -> std::same_as<std::size_t>;
    { p.least_in_flight(n) } -> std::same_as<std::size_t>;
    { p.charge(times, n, n) } -> std::same_as<pipeline_charge>;
    { p.order(n, n, n) } -> std::same_as<std::vector<pass_step>>;
};

/// All forward passes, then all backward passes.
/// \source Huang et al., GPipe, NeurIPS 2019.
struct gpipe {
    static constexpr std::string_view name = "gpipe";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = true;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t, std::size_t) const { return true; }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        return static_cast<double>(devices - 1) * t.total_s();
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t, std::size_t micro_batches) const {
        return micro_batches;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t) const { return 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        const auto slots = static_cast<double>(micro_batches + devices - 1);
        return {slots, t.forward_s, slots * t.backward_s};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t, std::size_t,
                                                         std::size_t micro_batches) const {
        std::vector<pass_step> steps;
        for (std::size_t i = 0; i < micro_batches; ++i) steps.push_back({pass_kind::forward, i});
        for (std::size_t i = 0; i < micro_batches; ++i) steps.push_back({pass_kind::backward, i});
        return steps;
    }
};

/// One forward, one backward, with a flush: device s of p runs p - 1 - s forward passes ahead, then
/// alternates, then drains.
/// \source PipeDream-flush: Narayanan et al., ICML 2021.
struct one_forward_one_backward {
    static constexpr std::string_view name = "1f1b";
    static constexpr bool has_rest = false;
    static constexpr bool rest_grows = true;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t, std::size_t) const { return true; }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        return static_cast<double>(devices - 1) * t.total_s();
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(devices - device, micro_batches);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices) const {
        return devices - device;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t behind) const { return behind + 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        return {static_cast<double>(micro_batches + devices - 1), t.total_s(), 0.0};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        const std::size_t ahead = std::min(devices - 1 - device, micro_batches);
        std::vector<pass_step> steps;
        for (std::size_t i = 0; i < ahead; ++i) steps.push_back({pass_kind::forward, i});
        for (std::size_t i = ahead; i < micro_batches; ++i) {
            steps.push_back({pass_kind::forward, i});
            steps.push_back({pass_kind::backward, i - ahead});
        }
        for (std::size_t i = micro_batches - ahead; i < micro_batches; ++i)
            steps.push_back({pass_kind::backward, i});
        return steps;
    }
};

/// One forward, one backward, where every device holds `stages_per_device` stages of the model and works
/// through groups of p micro-batches, stage by stage: the bubble shrinks by that number.
/// \source Narayanan et al., Megatron-LM, SC 2021.
struct interleaved {
    static constexpr std::string_view name = "interleaved";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = true;

    std::size_t stages_per_device = 2; ///< 2 or more

    [[nodiscard]] constexpr std::size_t chunks() const { return stages_per_device; }
    /// The micro-batches come in whole groups.
    [[nodiscard]] constexpr bool admits(std::size_t devices, std::size_t micro_batches) const {
        return micro_batches % devices == 0;
    }
    [[nodiscard]] constexpr double bubble_s(const stage_times& stage, std::size_t devices) const {
        return static_cast<double>(devices - 1) * stage.total_s();
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(ahead(device, devices) + 1, micro_batches * stages_per_device);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device, std::size_t devices) const {
        return ahead(device, devices) + 1;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t) const { return stages_per_device; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        const auto slots = static_cast<double>(stages_per_device * micro_batches + devices - 1);
        return {slots, t.forward_s, slots * t.backward_s};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        DOVETAIL_ASSERT(admits(devices, micro_batches), "the micro-batches are whole groups");
        const std::size_t group = devices * stages_per_device;
        const auto step = [&](pass_kind kind, std::size_t k) {
            const std::size_t chunk = k % group / devices;
            return pass_step{kind, k / group * devices + k % devices,
                             kind == pass_kind::forward ? chunk : stages_per_device - 1 - chunk};
        };
        const std::size_t total = micro_batches * stages_per_device;
        const std::size_t warm_up = std::min(ahead(device, devices), total);
        std::vector<pass_step> steps;
        for (std::size_t k = 0; k < warm_up; ++k) steps.push_back(step(pass_kind::forward, k));
        for (std::size_t k = warm_up; k < total; ++k) {
            steps.push_back(step(pass_kind::forward, k));
            steps.push_back(step(pass_kind::backward, k - warm_up));
        }
        for (std::size_t k = total - warm_up; k < total; ++k) steps.push_back(step(pass_kind::backward, k));
        return steps;
    }

private:
    [[nodiscard]] constexpr std::size_t ahead(std::size_t device, std::size_t devices) const {
        return 2 * (devices - 1 - device) + (stages_per_device - 1) * devices;
    }
};

namespace detail {

/// The backward pass in two: `ahead` forward passes first; then input gradients, each followed by the weight
/// gradient that is `delay` micro-batches older and by the next forward pass.
[[nodiscard]] constexpr std::vector<pass_step> zero_bubble_order(std::size_t ahead, std::size_t delay,
                                                                 std::size_t micro_batches) {
    std::vector<pass_step> steps;
    std::size_t forward = 0;
    std::size_t weight = 0;
    while (forward < std::min(ahead, micro_batches)) steps.push_back({pass_kind::forward, forward++});
    for (std::size_t i = 0; i < micro_batches; ++i) {
        steps.push_back({pass_kind::input_gradient, i});
        if (i >= delay) steps.push_back({pass_kind::weight_gradient, weight++});
        if (forward < micro_batches) steps.push_back({pass_kind::forward, forward++});
    }
    while (weight < micro_batches) steps.push_back({pass_kind::weight_gradient, weight++});
    return steps;
}

} // namespace detail

/// Zero-bubble schedule with the memory of 1F1B's first stage on every device: weight gradients fill what the
/// input gradients leave idle. The bubble is a third of that of 1F1B where all three passes are alike.
/// \source Qi et al., Zero Bubble Pipeline Parallelism, ICLR 2024. The bubble for passes that differ,
/// (p - 1) max(b, f + b - w), is our own; it equals theirs, (p - 1) (f + b - w), while w <= f.
struct zero_bubble_h1 {
    static constexpr std::string_view name = "zb-h1";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = false;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t devices, std::size_t micro_batches) const {
        return micro_batches >= devices;
    }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        const double b = t.input_gradient_s();
        return static_cast<double>(devices - 1) * std::max(b, t.forward_s + b - t.weight_gradient_s);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(devices, micro_batches);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices) const { return devices; }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t behind) const { return behind + 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        return {static_cast<double>(micro_batches), t.total_s(), bubble_s(t, devices)};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        return detail::zero_bubble_order(devices - device, device, micro_batches);
    }
};

/// Zero-bubble schedule with nearly twice that memory: no bubble at all where all three passes are alike and
/// each device starts the next batch as soon as it is done with its own part of this one.
/// \source Qi et al., ICLR 2024. The bubble for passes that differ, (p - 1) max(0, b - f, f + b - 2 w), is
/// our own; it equals theirs, (p - 1) (f + b - 2 w), where that is the largest.
struct zero_bubble_h2 {
    static constexpr std::string_view name = "zb-h2";
    static constexpr bool has_rest = true;
    static constexpr bool rest_grows = false;

    [[nodiscard]] constexpr std::size_t chunks() const { return 1; }
    [[nodiscard]] constexpr bool admits(std::size_t devices, std::size_t micro_batches) const {
        return micro_batches + 1 >= 2 * devices;
    }
    [[nodiscard]] constexpr double bubble_s(const stage_times& t, std::size_t devices) const {
        const double b = t.input_gradient_s();
        return static_cast<double>(devices - 1) *
               std::max({0.0, b - t.forward_s, t.forward_s + b - 2.0 * t.weight_gradient_s});
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices,
                                                  std::size_t micro_batches) const {
        return std::min(2 * devices - 1, micro_batches);
    }
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t, std::size_t devices) const {
        return 2 * devices - 1;
    }
    [[nodiscard]] constexpr std::size_t least_in_flight(std::size_t behind) const { return behind + 1; }
    [[nodiscard]] constexpr pipeline_charge charge(const stage_times& t, std::size_t devices,
                                                   std::size_t micro_batches) const {
        return {static_cast<double>(micro_batches), t.total_s(), bubble_s(t, devices)};
    }
    [[nodiscard]] constexpr std::vector<pass_step> order(std::size_t device, std::size_t devices,
                                                         std::size_t micro_batches) const {
        return detail::zero_bubble_order(2 * (devices - device) - 1, 2 * device, micro_batches);
    }
};

} // namespace dovetail::placement
