#pragma once
/// \file
/// Where tests find files: those of the checkout, and the reference data beside it, which may be absent.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace dovetail::test {

/// A file or folder of the checkout, named from its root.
inline std::filesystem::path source_file(std::string_view relative) {
    static const auto root = std::filesystem::absolute(__FILE__).parent_path().parent_path().parent_path();
    return root / relative;
}

/// A file or folder of the reference data, named from its root: the folder in the environment variable
/// `DOVETAIL_SHARED`, else `shared` beside the checkout. Nothing when it is not there.
inline std::optional<std::filesystem::path> shared_file(std::string_view relative) {
    const char* const given = std::getenv("DOVETAIL_SHARED");
    const std::filesystem::path root =
        given != nullptr ? given : source_file("").parent_path().parent_path() / "shared";
    std::filesystem::path path = root / relative;
    if (!std::filesystem::exists(path)) return std::nullopt;
    return path;
}

/// Whether absent reference data fails a test instead of skipping it.
inline bool shared_required() {
    const char* const required = std::getenv("DOVETAIL_REQUIRE_SHARED");
    return required != nullptr && std::string_view(required) == "1";
}

} // namespace dovetail::test

/// Declares `variable`, the path of a reference file, or leaves the test: skipped, or failed where
/// `DOVETAIL_REQUIRE_SHARED` is 1.
#define DOVETAIL_SHARED_OR_SKIP(variable, relative)                                                          \
    const auto variable##_if_present = ::dovetail::test::shared_file(relative);                              \
    if (!variable##_if_present) {                                                                            \
        if (::dovetail::test::shared_required()) FAIL() << "reference data is absent: " << (relative);       \
        GTEST_SKIP() << "reference data is absent: " << (relative);                                          \
    }                                                                                                        \
    const std::filesystem::path& variable = *variable##_if_present
