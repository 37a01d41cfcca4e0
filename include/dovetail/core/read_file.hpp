#pragma once
/// \file
/// The whole of a file, a pipe or a device as bytes: the one way in which every reader gets its input.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace dovetail {

/// The most that is read of a text and of a pipe.
inline constexpr std::uintmax_t most_text_bytes = std::uintmax_t{256} * mebibyte;

/// The most that is read of a device, which may never end.
inline constexpr std::uintmax_t most_device_bytes = std::uintmax_t{16} * mebibyte;

namespace detail {

[[nodiscard]] inline error too_large(std::string_view name, std::uintmax_t limit) {
    return {errc::unsupported, std::string(name), "it has more than " + to_text(limit) + " bytes",
            "no more is read of it"};
}

[[nodiscard]] inline error unreadable(std::string_view name, int why) {
    return {errc::io, std::string(name), "it cannot be read: " + std::system_category().message(why),
            "name a file that exists and can be read"};
}

[[nodiscard]] inline result<std::string> read_stream(std::FILE* stream, std::string_view name,
                                                     std::uintmax_t limit) {
    std::string bytes;
    std::array<char, 65536> chunk;
    errno = 0;
    while (const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), stream)) {
        if (count > limit - bytes.size()) return too_large(name, limit);
        bytes.append(chunk.data(), count);
    }
    if (std::ferror(stream) != 0) return unreadable(name, errno);
    return bytes;
}

} // namespace detail

/// The bytes of the file `path`: a file, or a pipe or device until it ends. Folders are refused.
/// \param most the largest file in bytes; of a pipe never more than `most_text_bytes`, of a device never more
/// than `most_device_bytes`
/// \returns errc::io when it cannot be read, errc::unsupported when it is too large.
[[nodiscard]] inline result<std::string> read_file(const std::filesystem::path& path,
                                                   std::uintmax_t most = most_text_bytes) {
    const std::string name = path.string();
    std::error_code failed;
    const std::filesystem::file_status found = std::filesystem::status(path, failed);
    if (found.type() == std::filesystem::file_type::not_found)
        return error{errc::io, name, "there is no such file", "name a file that exists and can be read"};
    if (std::filesystem::is_directory(found)) return error{errc::io, name, "it is a folder", "name a file"};
    std::uintmax_t limit = most;
    if (std::filesystem::is_character_file(found) || std::filesystem::is_block_file(found)) {
        limit = std::min(most, most_device_bytes);
    } else if (!std::filesystem::is_regular_file(found)) {
        limit = std::min(most, most_text_bytes);
    } else {
        const std::uintmax_t size = std::filesystem::file_size(path, failed);
        if (!failed && size > limit) return detail::too_large(name, limit);
    }
    errno = 0;
    std::FILE* const stream = std::fopen(name.c_str(), "rb");
    if (stream == nullptr) return detail::unreadable(name, errno);
    auto bytes = detail::read_stream(stream, name, limit);
    std::fclose(stream);
    return bytes;
}

/// The bytes of standard input until it ends, of which errors speak as `name`. \returns as `read_file`.
[[nodiscard]] inline result<std::string> read_standard_input(std::string_view name = "standard input") {
    return detail::read_stream(stdin, name, most_text_bytes);
}

} // namespace dovetail
