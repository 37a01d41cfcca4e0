// Includes nothing: in a program that links dovetail::precompiled the library is there before the first line.
[[maybe_unused]] static constexpr dovetail::status solved = dovetail::status::optimal;
