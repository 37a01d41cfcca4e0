// The charts and what they are drawn with: shapes, axes, bars, points.
#include <dovetail/report/agreement.hpp>
#include <dovetail/report/gantt.hpp>
#include <dovetail/report/scatter.hpp>

#include <support/markup.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::report {
namespace {

using test::attribute_values;
using test::markup_mistake;
using test::occurrences;

TEST(Markup, TheCheckFindsMistakes) {
    EXPECT_EQ(markup_mistake("<p class=\"a>b\">1 &lt; 2<br/></p>"), "");
    EXPECT_NE(markup_mistake("<p>1 < 2</p>"), "");
    EXPECT_NE(markup_mistake("<p>a & b</p>"), "");
    EXPECT_NE(markup_mistake("<p><b></p></b>"), "");
    EXPECT_NE(markup_mistake("<p>"), "");
    EXPECT_NE(markup_mistake("<p a=\"<\">x</p>"), "");
}

TEST(Svg, HostileNamesAreEscaped) {
    const std::string hostile = "</title><script>alert(\"1\")</script>&";
    svg picture(10, 20, hostile);
    picture.rectangle({0, 0, 1, 1}, "a", hostile);
    picture.label({0, 0}, hostile, "b");
    picture.upright_label({0, 0}, hostile, "b");
    const std::string text = std::move(picture).take();
    EXPECT_EQ(markup_mistake(text), "");
    EXPECT_EQ(text.find("<script"), std::string::npos);
    EXPECT_EQ(occurrences(text, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;"), 4u);
}

TEST(Axis, TicksAreRoundAndCoverTheRange) {
    for (double largest = 3e-7; largest < 1e12; largest *= 1.7) {
        const axis a(largest, 100, 900, 6);
        const std::vector<double> ticks = a.ticks();
        ASSERT_GE(ticks.size(), 2u);
        EXPECT_LE(ticks.size(), 7u);
        EXPECT_EQ(ticks.front(), 0.0);
        EXPECT_GE(ticks.back(), largest * (1 - 1e-9));
        EXPECT_LT(ticks[ticks.size() - 2], largest) << "the last step is needed";
        const double step = ticks[1];
        const double mantissa = step / std::pow(10.0, std::floor(std::log10(step * (1 + 1e-9))));
        EXPECT_TRUE(std::abs(mantissa - 1) < 1e-6 || std::abs(mantissa - 2) < 1e-6 ||
                    std::abs(mantissa - 5) < 1e-6)
            << step;
        EXPECT_DOUBLE_EQ(a.pixel(0), 100);
        EXPECT_NEAR(a.pixel(ticks.back()), 900, 1e-6);
    }
}

TEST(Axis, NothingToShowIsAnAxisAllTheSame) {
    const axis a(0, 0, 100);
    EXPECT_GT(a.upper(), 0);
    EXPECT_GE(a.ticks().size(), 2u);
}

TEST(Gantt, BarsLieInTheirRowsInsideTheFrame) {
    const std::vector<std::string> rows{"a", "b & c", "d"};
    const std::vector<bar> bars{{0, 1, 0, 0.4, "x", "first", "<hint>"},
                                {1, 2, 0.4, 1.7, "y", "second", ""},
                                {2, 1, 1.7, 1.7, "z", "an instant", ""}};
    const std::string text = gantt("bars", rows, bars, "time [s]");
    EXPECT_EQ(markup_mistake(text), "");
    const auto x = attribute_values(text, "<rect", "x");
    const auto y = attribute_values(text, "<rect", "y");
    const auto width = attribute_values(text, "<rect", "width");
    const auto height = attribute_values(text, "<rect", "height");
    const double left = attribute_values(text, "<line", "x1").front();
    const double right = attribute_values(text, "<line", "x1").back();
    const double top = attribute_values(text, "<line", "y1").front();
    const double bottom = attribute_values(text, "<line", "y2").front();
    ASSERT_EQ(x.size(), bars.size());
    for (std::size_t i = 0; i < bars.size(); ++i) {
        EXPECT_GE(x[i], left);
        EXPECT_LE(x[i] + width[i], right);
        EXPECT_GT(width[i], 0) << "an instant is seen";
        EXPECT_GE(y[i], top);
        EXPECT_LE(y[i] + height[i], bottom);
    }
    EXPECT_NEAR(x[1], x[0] + width[0], 0.02) << "one ends where the other begins";
    EXPECT_NEAR(width[1] / width[0], 1.3 / 0.4, 0.01);
    EXPECT_GT(height[1], 1.9 * height[0]);
    EXPECT_EQ(text.find("an instant"), std::string::npos) << "a label that does not fit is left out";
}

TEST(Scatter, EveryPixelOfTheCloudIsDrawnOnceAndTheFrontierIsAStaircase) {
    const std::vector<sample> cloud{{1, 1}, {1, 1}, {2, 5}, {3, 4}};
    const std::vector<sample> front{{1, 1}, {2, 5}};
    const std::string text = draw(
        scatter{.title = "t", .x_name = "x", .y_name = "y", .cloud = cloud, .frontier = front, .marks = {}});
    EXPECT_EQ(markup_mistake(text), "");
    EXPECT_EQ(occurrences(text, "class=\"cloud\""), 3u);
    const std::size_t begin = text.find("points=\"") + 8;
    const std::string points = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_EQ(std::count(points.begin(), points.end(), ','), 3) << points;
}

TEST(Scatter, LabelsOfCloseMarksDoNotOverlap) {
    const std::vector<marked_sample> marks{{{99, 50}, "a", "the first of them: 50"},
                                           {{100, 50.2}, "b", "the second: 50.2"},
                                           {{98, 49.9}, "c", "the third: 49.9"}};
    const std::string text = draw(
        scatter{.title = "t", .x_name = "x", .y_name = "y", .cloud = {}, .frontier = {}, .marks = marks});
    std::vector<double> y;
    for (std::size_t i = text.find("class=\"mark\""); i != std::string::npos;
         i = text.find("class=\"mark\"", i + 1))
        y.push_back(attribute_values(text.substr(text.rfind("<text", i), 200), "<text", "y").front());
    ASSERT_EQ(y.size(), 3u);
    std::sort(y.begin(), y.end());
    EXPECT_GE(y[1] - y[0], 15);
    EXPECT_GE(y[2] - y[1], 15);
}

TEST(LogAxis, TicksAreRoundAndCoverTheRange) {
    for (double smallest = 3e-9; smallest < 1e9; smallest *= 7.3)
        for (const double span : {1.0, 1.5, 10.0, 4e3, 1e15}) {
            const log_axis a(smallest, smallest * span, 100, 900);
            EXPECT_LE(a.lower(), smallest * (1 + 1e-8));
            EXPECT_GT(a.lower(), smallest / 2.6);
            EXPECT_GE(a.upper(), smallest * span * (1 - 1e-8));
            EXPECT_LT(a.upper(), std::max(smallest * span * 2.6, a.lower() * 2.6));
            EXPECT_NEAR(a.pixel(a.lower()), 100, 1e-6);
            EXPECT_NEAR(a.pixel(a.upper()), 900, 1e-6);
            EXPECT_NEAR(a.pixel(std::sqrt(a.lower() * a.upper())), 500, 1e-6);
            const std::vector<double> ticks = a.ticks();
            EXPECT_GE(ticks.size(), 2u);
            EXPECT_LE(ticks.size(), 9u);
            for (const double tick : ticks) {
                EXPECT_GE(tick, a.lower());
                EXPECT_LE(tick, a.upper());
                const double mantissa = tick / std::pow(10.0, std::floor(std::log10(tick * (1 + 1e-9))));
                EXPECT_TRUE(std::abs(mantissa - 1) < 1e-6 || std::abs(mantissa - 2) < 1e-6 ||
                            std::abs(mantissa - 5) < 1e-6)
                    << tick;
            }
        }
    EXPECT_EQ(log_axis(0.55, 0.9, 0, 1).ticks(), (std::vector<double>{0.5, 1}));
    EXPECT_EQ(log_axis(1, 40, 0, 1).ticks(), (std::vector<double>{1, 2, 5, 10, 20, 50}));
}

TEST(Agreement, EqualValuesLieOnTheDiagonal) {
    const measured_set set{.name = "a <b>",
                           .quantity = "time [us]",
                           .lines = {2, 3, 4},
                           .measured = {10, 100, 1000},
                           .predicted = {10, 100, 2000},
                           .baselines = {{"half", {5, 50, 500}}}};
    const std::string picture = predicted_against_measured(set);
    EXPECT_EQ(markup_mistake(picture), "");
    EXPECT_EQ(occurrences(picture, "class=\"predicted\""), 3u);
    EXPECT_EQ(occurrences(picture, "class=\"baseline\""), 3u);
    // The axes go from 5 to 2,000 on both sides.
    const std::vector<double> x = attribute_values(picture, "<circle", "cx");
    const std::vector<double> y = attribute_values(picture, "<circle", "cy");
    ASSERT_EQ(x.size(), 6u);
    for (std::size_t i : {3u, 4u}) // after the baseline's
        EXPECT_NEAR((x[i] - 84) / (916 - 84), (400 - y[i]) / (400 - 16), 1e-4);
    EXPECT_LT(y[5], y[4] - (y[3] - y[4])) << "too large is above the diagonal";

    const std::string ratios = ratio_against_measured(set);
    EXPECT_EQ(markup_mistake(ratios), "");
    const std::vector<double> heights = attribute_values(ratios, "<circle", "cy");
    ASSERT_EQ(heights.size(), 6u);
    EXPECT_EQ(heights, (std::vector<double>{214, 214, 214, 148, 148, 16}));

    const std::string page = to_html(std::vector{set, measured_set{.name = "empty"}});
    EXPECT_EQ(markup_mistake(page), "");
    EXPECT_EQ(occurrences(page, "<svg"), 2u);
    EXPECT_NE(page.find("33.3"), std::string::npos) << "the mean error";
    EXPECT_NE(page.find("half 50"), std::string::npos);
}

} // namespace
} // namespace dovetail::report
