#pragma once
/// \file
/// How all pages look: their style sheet, their head, and the keys of their charts.

#include <dovetail/report/svg.hpp>

#include <string>
#include <string_view>

namespace dovetail::report {

namespace detail {

inline constexpr std::string_view style_sheet = R"(
:root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --line: #e3e6ec; --paper: #ffffff;
  --a: #2f6fde; --b: #e0782f; --c: #2f9e77; --d: #b3478f; --e: #98a2b3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #98a2b3; --line: #30363f; --paper: #14171c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .2rem; }
p { color: var(--soft); margin: .2rem 0 .6rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .words th, .words td { text-align: left; } th { font-weight: 600; }
svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.grid { stroke: var(--line); } svg .tick { fill: var(--soft); font-size: 11px; } svg .name { fill: var(--soft); }
.cloud { fill: var(--e); opacity: .45; } .frontier { fill: none; stroke: var(--a); stroke-width: 2; }
.predicted { fill: var(--a); opacity: .75; } .baseline { fill: var(--b); opacity: .45; }
.exact { stroke: var(--soft); }
.best { fill: var(--a); stroke: var(--paper); } .reference { fill: var(--b); stroke: var(--paper); }
svg .mark { font-weight: 600; } svg .inside { fill: #fff; font-size: 11px; }
.forward, .tensor { fill: var(--a); } .backward, .vector { fill: var(--b); } .link { fill: var(--d); }
.other { fill: var(--c); } .slack { opacity: .6; } svg .critical { stroke: var(--ink); stroke-width: 1.6; }
.resident { fill: var(--c); } .activation { fill: var(--a); } .unused { fill: var(--line); opacity: .6; }
rect { stroke: var(--paper); stroke-width: .5; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .3em 0 1em; }
.key.forward, .key.tensor, .key.activation, .key.predicted { background: var(--a); }
.key.backward, .key.vector, .key.baseline { background: var(--b); } .key.resident { background: var(--c); }
.key.link { background: var(--d); } .key.other { background: var(--c); }
.key.critical { background: none; outline: 2px solid var(--ink); } .key.unused { background: var(--line); }
)";

} // namespace detail

/// Everything of a page up to its first heading: no script, no font, no file beside it. The page ends with
/// "</body></html>".
[[nodiscard]] inline std::string page_head(std::string_view title) {
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>" + escaped(title) +
           "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>" +
           std::string(detail::style_sheet) + "</style></head><body>\n";
}

/// A sample of a style of the style sheet with the words for it.
[[nodiscard]] inline std::string key(std::string_view style, std::string_view words) {
    return "<span class=\"key " + std::string(style) + "\"></span>" + escaped(words);
}

} // namespace dovetail::report
