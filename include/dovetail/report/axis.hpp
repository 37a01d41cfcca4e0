#pragma once
/// \file
/// Axes: round tick values, and the map from values to pixels.

#include <dovetail/core/assert.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/svg.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::report {

/// The smallest of 1, 2 or 5 times a power of ten that cuts `span` into at most `count` steps.
[[nodiscard]] inline double round_step(double span, int count) {
    DOVETAIL_ASSERT(span > 0 && count > 0, "an axis has an extent and at least one step");
    const double rough = span / count;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= rough * (1 - 1e-12)) return factor * power;
    return 10.0 * power;
}

/// A linear axis over [0, upper], where `upper` is the first tick at or above the largest value.
class axis {
public:
    /// `from` and `to` are the pixels of 0 and of the upper end; at most about `tick_count` ticks.
    axis(double largest_value, double from, double to, int tick_count = 6)
        : step_(round_step(largest_value > 0 ? largest_value : 1.0, tick_count)),
          upper_(step_ * std::max(1.0, std::ceil((largest_value / step_) * (1 - 1e-12)))), from_(from),
          to_(to) {}

    [[nodiscard]] double pixel(double value) const { return from_ + (to_ - from_) * (value / upper_); }
    [[nodiscard]] double lower() const { return 0.0; }
    [[nodiscard]] double upper() const { return upper_; }

    [[nodiscard]] std::vector<double> ticks() const {
        std::vector<double> values;
        for (int k = 0; k * step_ <= upper_ * (1 + 1e-9); ++k) values.push_back(k * step_);
        return values;
    }

private:
    double step_, upper_, from_, to_;
};

/// A logarithmic axis between two of 1, 2 and 5 times powers of ten. Ticks: all of them in between or, where
/// they are many, the powers of ten, or every second, third, ... power.
class log_axis {
public:
    /// Covers `smallest` and `largest`, both positive; `from` and `to` are the pixels of its ends.
    log_axis(double smallest, double largest, double from, double to, int tick_count = 8)
        : first_(rung_below(smallest)), last_(first_ + 1), from_(from), to_(to) {
        DOVETAIL_ASSERT(smallest > 0 && largest >= smallest, "a logarithm is of something positive");
        while (rung(last_) < largest * (1 - 1e-9)) ++last_;
        if (last_ - first_ <= tick_count) return;
        step_ = 3;
        while ((last_ - first_) / step_ > tick_count) step_ += 3;
    }

    [[nodiscard]] double pixel(double value) const {
        return from_ + (to_ - from_) * (std::log(value / lower()) / std::log(upper() / lower()));
    }
    [[nodiscard]] double lower() const { return rung(first_); }
    [[nodiscard]] double upper() const { return rung(last_); }

    [[nodiscard]] std::vector<double> ticks() const {
        std::vector<double> values;
        for (int k = first_; k <= last_; ++k)
            if (k % step_ == 0) values.push_back(rung(k));
        return values;
    }

private:
    // Of the ladder ..., 0.5, 1, 2, 5, 10, ... the rung 0 is 1.
    static double rung(int k) {
        const int decade = (k >= 0 ? k : k - 2) / 3;
        constexpr double steps[] = {1, 2, 5};
        return steps[k - 3 * decade] * std::pow(10.0, decade);
    }
    static int rung_below(double value) {
        int k = 3 * static_cast<int>(std::floor(std::log10(value)));
        while (rung(k + 1) <= value * (1 + 1e-9)) ++k;
        return k;
    }

    int first_, last_;
    int step_ = 1;
    double from_, to_;
};

/// The frame of a chart: grid lines with their tick labels, and the names of both axes.
template <class Horizontal, class Vertical>
void draw_frame(svg& picture, const Horizontal& horizontal, const Vertical& vertical,
                std::string_view horizontal_name, std::string_view vertical_name) {
    const double left = horizontal.pixel(horizontal.lower());
    const double right = horizontal.pixel(horizontal.upper());
    const double bottom = vertical.pixel(vertical.lower());
    const double top = vertical.pixel(vertical.upper());
    for (const double tick : vertical.ticks()) {
        const double y = vertical.pixel(tick);
        picture.line({left, y}, {right, y}, "grid");
        picture.label({left - 6, y + 4}, readable(tick, 6), "tick", "end");
    }
    for (const double tick : horizontal.ticks()) {
        const double x = horizontal.pixel(tick);
        picture.line({x, bottom}, {x, bottom + 4}, "grid");
        picture.label({x, bottom + 17}, readable(tick, 6), "tick", "middle");
    }
    picture.label({(left + right) / 2, bottom + 36}, horizontal_name, "name", "middle");
    picture.upright_label({left - 56, (top + bottom) / 2}, vertical_name, "name");
}

} // namespace dovetail::report
