#pragma once
/// \file
/// What a mapping search asks of an operator: its product, how its rows are cut, and the inputs of a part.

#include <dovetail/core/checked.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <numeric>

namespace dovetail::cost {

/// An even cut of an extent: `count` parts of at most `part`, the smallest for this number of parts.
struct even_cut {
    std::int64_t part = 1;
    std::int64_t count = 1;

    /// The fewest parts of at most `most` >= 1 elements of `extent` >= 1.
    [[nodiscard]] static constexpr even_cut of(std::int64_t extent, std::int64_t most) {
        if (most >= extent) return {extent, 1};
        const std::int64_t count = ceil_div(extent, most);
        return {ceil_div(extent, count), count};
    }

    /// The fewest parts of at most `most` >= `tiles.part` elements of `extent`, each of whole tiles.
    [[nodiscard]] static constexpr even_cut of_tiles(std::int64_t extent, const even_cut& tiles,
                                                     std::int64_t most) {
        const even_cut grouped = of(tiles.count, most >= extent ? tiles.count : most / tiles.part);
        return {std::min(extent, grouped.part * tiles.part), grouped.count};
    }

    friend constexpr bool operator==(const even_cut&, const even_cut&) = default;
};

/// A matrix product; also a convolution as its implicit product, whose inputs are then words of their own
/// each time that a window covers them.
class mapped_product {
public:
    /// Whether parts along the rows have inputs in common.
    static constexpr bool inputs_overlap = false;

    constexpr explicit mapped_product(const workload::contraction& product) : product_(product) {}

    [[nodiscard]] constexpr const workload::contraction& product() const noexcept { return product_; }

    /// The fewest tiles of at most `most` >= 1 rows, of one batch.
    [[nodiscard]] constexpr even_cut cut_rows(std::int64_t most) const {
        return even_cut::of(product_.rows, most);
    }
    /// The fewest blocks of at most `most` rows, of whole tiles; a tile has no more rows than `most`.
    [[nodiscard]] constexpr even_cut cut_blocks(const even_cut& tiles, std::int64_t most) const {
        return even_cut::of_tiles(product_.rows, tiles, most);
    }
    /// The most rows of a part whose inputs, `reduction` of each, take at most `words` along with the
    /// `words_per_row` of its sums; less than 1 if none does.
    [[nodiscard]] constexpr double rows_within(double words, std::int64_t reduction,
                                               double words_per_row) const {
        return words / (static_cast<double>(reduction) + words_per_row);
    }
    /// Words that the inputs of `rows` rows take, `reduction` of each.
    [[nodiscard]] constexpr double held_inputs(std::int64_t rows, std::int64_t reduction) const {
        return static_cast<double>(rows) * static_cast<double>(reduction);
    }
    /// Words of the inputs of all parts of one batch, each part by itself.
    [[nodiscard]] constexpr double fetched_inputs(std::int64_t, std::int64_t) const {
        return static_cast<double>(product_.rows) * static_cast<double>(product_.reduction);
    }

private:
    workload::contraction product_;
};

/// A two-dimensional convolution, without its padding: windows that reach over the edge count as if the input
/// were there.
struct convolution {
    std::int64_t groups = 1;
    std::int64_t images = 1;   ///< N
    std::int64_t channels = 1; ///< C of a group
    std::int64_t filters = 1;  ///< K of a group
    std::int64_t height = 1;   ///< P, of the output
    std::int64_t width = 1;    ///< Q, of the output
    std::int64_t kernel_height = 1;
    std::int64_t kernel_width = 1;
    std::int64_t stride = 1;

    /// Its implicit product.
    [[nodiscard]] constexpr workload::contraction product() const noexcept {
        return {.batch = groups,
                .rows = images * height * width,
                .reduction = channels * kernel_height * kernel_width,
                .columns = filters};
    }
};

/// A convolution mapped natively: the windows of a part overlap in the buffers, and their inputs are held and
/// fetched once for it. The rows are cut along the images, then along the height of one image, then along the
/// width of one line. The reduction runs through one channel after the other. Members as in `mapped_product`.
class mapped_convolution {
public:
    static constexpr bool inputs_overlap = true;

    constexpr explicit mapped_convolution(const convolution& conv) : conv_(conv), product_(conv.product()) {}

    [[nodiscard]] constexpr const workload::contraction& product() const noexcept { return product_; }

    [[nodiscard]] constexpr even_cut cut_rows(std::int64_t most) const {
        const std::int64_t image = conv_.height * conv_.width;
        if (most >= image) {
            const even_cut images = even_cut::of(conv_.images, most / image);
            return {images.part * image, images.count};
        }
        if (most >= conv_.width) {
            const even_cut lines = even_cut::of(conv_.height, most / conv_.width);
            return {lines.part * conv_.width, lines.count * conv_.images};
        }
        const even_cut points = even_cut::of(conv_.width, most);
        return {points.part, points.count * conv_.height * conv_.images};
    }
    [[nodiscard]] constexpr even_cut cut_blocks(const even_cut& tiles, std::int64_t most) const {
        const std::int64_t image = conv_.height * conv_.width;
        if (tiles.part >= image) return even_cut::of_tiles(product_.rows, tiles, most);
        if (most >= image) return cut_rows(most);
        if (tiles.part >= conv_.width) {
            const even_cut in_image{tiles.part, ceil_div(image, tiles.part)};
            const even_cut blocks = even_cut::of_tiles(image, in_image, most);
            return {blocks.part, blocks.count * conv_.images};
        }
        if (most >= conv_.width) return cut_rows(most);
        const even_cut in_line{tiles.part, ceil_div(conv_.width, tiles.part)};
        const even_cut blocks = even_cut::of_tiles(conv_.width, in_line, most);
        return {blocks.part, blocks.count * conv_.height * conv_.images};
    }
    [[nodiscard]] constexpr double rows_within(double words, std::int64_t reduction,
                                               double words_per_row) const {
        // Whole images, else lines of one, else points of one line: of each, as many as fit.
        const auto most_of = [&](std::int64_t unit, std::int64_t most) {
            std::int64_t fit = 0;
            for (std::int64_t end = most + 1; end - fit > 1;) {
                const std::int64_t middle = fit + (end - fit) / 2;
                const std::int64_t rows = middle * unit;
                const double taken = held_inputs(rows, reduction) + real(rows) * words_per_row;
                (taken <= words ? fit : end) = middle;
            }
            return fit * unit;
        };
        std::int64_t rows = most_of(conv_.height * conv_.width, conv_.images);
        if (rows == 0) rows = most_of(conv_.width, conv_.height);
        if (rows == 0) rows = most_of(1, conv_.width);
        return real(rows);
    }
    [[nodiscard]] constexpr double held_inputs(std::int64_t rows, std::int64_t reduction) const {
        const part p = part_of(rows);
        const std::int64_t window = conv_.kernel_height * conv_.kernel_width;
        const std::int64_t aligned = std::gcd(reduction, window);
        const std::int64_t channels =
            std::min(conv_.channels, (window - aligned + reduction - 1) / window + 1);
        return real(p.images) * real(spanned(p.lines, 1, conv_.kernel_height)) *
               real(spanned(p.points, 1, conv_.kernel_width)) * real(channels);
    }
    [[nodiscard]] constexpr double fetched_inputs(std::int64_t rows, std::int64_t reduction) const {
        const part p = part_of(rows);
        const std::int64_t window = conv_.kernel_height * conv_.kernel_width;
        // A channel that two parts of the reduction share is fetched for both.
        const std::int64_t borders = ceil_div(product_.reduction, reduction) - 1;
        const std::int64_t channels =
            conv_.channels + borders - borders / (window / std::gcd(reduction, window));
        return real(conv_.images) *
               real(spanned(conv_.height, ceil_div(conv_.height, p.lines), conv_.kernel_height)) *
               real(spanned(conv_.width, ceil_div(conv_.width, p.points), conv_.kernel_width)) *
               real(channels);
    }

private:
    struct part {
        std::int64_t images, lines, points;
    };

    [[nodiscard]] static constexpr double real(std::int64_t count) noexcept {
        return static_cast<double>(count);
    }

    [[nodiscard]] constexpr part part_of(std::int64_t rows) const {
        if (rows >= conv_.height * conv_.width)
            return {std::min(conv_.images, ceil_div(rows, conv_.height * conv_.width)), conv_.height,
                    conv_.width};
        if (rows >= conv_.width) return {1, std::min(conv_.height, ceil_div(rows, conv_.width)), conv_.width};
        return {1, 1, rows};
    }

    // Input lines under `outputs` lines in `parts` parts, whose windows overlap within a part.
    [[nodiscard]] constexpr std::int64_t spanned(std::int64_t outputs, std::int64_t parts,
                                                 std::int64_t kernel) const {
        return std::min(conv_.stride, kernel) * (outputs - parts) + parts * kernel;
    }

    convolution conv_;
    workload::contraction product_;
};

/// What the search and the prices of mappings are written for.
template <class Operator>
concept mapped_operator = requires(const Operator& op, std::int64_t count, double words, even_cut tiles) {
    { Operator::inputs_overlap } -> std::convertible_to<bool>;
    { op.product() } -> std::convertible_to<workload::contraction>;
    { op.cut_rows(count) } -> std::same_as<even_cut>;
    { op.cut_blocks(tiles, count) } -> std::same_as<even_cut>;
    { op.rows_within(words, count, words) } -> std::same_as<double>;
    { op.held_inputs(count, count) } -> std::same_as<double>;
    { op.fetched_inputs(count, count) } -> std::same_as<double>;
};

static_assert(mapped_operator<mapped_product> && mapped_operator<mapped_convolution>);

} // namespace dovetail::cost
