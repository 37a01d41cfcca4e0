#pragma once
/// \file
/// Scalable pictures as text: the few shapes that the charts are made of.

#include <dovetail/core/text.hpp>

#include <cmath>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::report {

/// `text` with the characters that markup reserves replaced.
[[nodiscard]] inline std::string escaped(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        default:
            safe += c;
        }
    }
    return safe;
}

/// A coordinate with the precision of a hundredth of a pixel.
[[nodiscard]] inline std::string coordinate(double value) {
    return to_text(std::round(value * 100.0) / 100.0);
}

/// A point of a picture [pixels, y downwards].
struct point {
    double x = 0;
    double y = 0;
};

/// A rectangle of a picture [pixels].
struct box {
    double x = 0;
    double y = 0;
    double width = 0;
    double height = 0;
};

/// A picture under construction. Colours and fonts come from the page's style sheet by class name.
class svg {
public:
    /// `title` is read out by screen readers; the size is in pixels and scales with the page.
    svg(double width, double height, std::string_view title) {
        const std::string w = coordinate(width);
        const std::string h = coordinate(height);
        text_ =
            "<svg viewBox=\"0 0 " + w + ' ' + h + "\" role=\"img\"><title>" + escaped(title) + "</title>\n";
    }

    /// A rectangle; `hint` shows when the pointer rests on it.
    void rectangle(const box& b, std::string_view style, std::string_view hint = {}) {
        text_ += "<rect x=\"" + coordinate(b.x) + "\" y=\"" + coordinate(b.y) + "\" width=\"" +
                 coordinate(b.width) + "\" height=\"" + coordinate(b.height) + "\"";
        finish("rect", style, hint);
    }
    void circle(point centre, double radius, std::string_view style, std::string_view hint = {}) {
        text_ += "<circle cx=\"" + coordinate(centre.x) + "\" cy=\"" + coordinate(centre.y) + "\" r=\"" +
                 coordinate(radius) + "\"";
        finish("circle", style, hint);
    }
    void line(point from, point to, std::string_view style) {
        text_ += "<line x1=\"" + coordinate(from.x) + "\" y1=\"" + coordinate(from.y) + "\" x2=\"" +
                 coordinate(to.x) + "\" y2=\"" + coordinate(to.y) + "\"";
        finish("line", style, {});
    }
    /// An open run of straight lines through `points`.
    template <class Points>
    void polyline(const Points& points, std::string_view style) {
        text_ += "<polyline points=\"";
        for (const point& p : points) text_ += coordinate(p.x) + ',' + coordinate(p.y) + ' ';
        text_ += '"';
        finish("polyline", style, {});
    }
    /// `anchor` is "start", "middle" or "end".
    void label(point at, std::string_view words, std::string_view style, std::string_view anchor = "start") {
        text_ += "<text x=\"" + coordinate(at.x) + "\" y=\"" + coordinate(at.y) + "\" text-anchor=\"" +
                 std::string(anchor) + "\" class=\"" + std::string(style) + "\">" + escaped(words) +
                 "</text>\n";
    }
    /// A label that reads upwards.
    void upright_label(point at, std::string_view words, std::string_view style) {
        const std::string x = coordinate(at.x);
        const std::string y = coordinate(at.y);
        text_ += "<text x=\"" + x + "\" y=\"" + y + "\" text-anchor=\"middle\" transform=\"rotate(-90 " + x +
                 ' ' + y + ")\" class=\"" + std::string(style) + "\">" + escaped(words) + "</text>\n";
    }

    [[nodiscard]] std::string take() && { return std::move(text_) + "</svg>\n"; }

private:
    void finish(std::string_view element, std::string_view style, std::string_view hint) {
        text_ += " class=\"" + std::string(style) + '"';
        if (hint.empty())
            text_ += "/>\n";
        else
            text_ += "><title>" + escaped(hint) + "</title></" + std::string(element) + ">\n";
    }

    std::string text_;
};

} // namespace dovetail::report
