#pragma once
/// \file
/// Errors of readers of JSON without the place in the text.

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace dovetail::test {

/// The line of an error about the one-line text "f", without ":line:column" behind the name.
inline std::string without_position(const std::string& line) {
    EXPECT_TRUE(line.starts_with("f:1:")) << line;
    const std::size_t end = line.find_first_not_of("0123456789", 4);
    return "f" + line.substr(end);
}

} // namespace dovetail::test
