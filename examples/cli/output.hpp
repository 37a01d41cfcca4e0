#pragma once
/// \file
/// The files that a command writes: opened before the work, in place when they are whole.

#include "command_syntax.hpp"

#include <dovetail/core/result.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace cli {

/// A flag that names a file to write. Until `put` the file of that name, if there is one, is as it was.
class output {
public:
    output() = default;
    output(const output&) = delete;
    output& operator=(const output&) = delete;
    ~output();

    /// The flag, which is no part of an answer. "-" is standard output.
    flag_syntax add_to(command_syntax command, const std::string& flag, const std::string& meaning);

    [[nodiscard]] bool wanted() const { return !path_.empty(); }
    [[nodiscard]] bool is_standard_output() const { return path_ == "-"; }
    [[nodiscard]] const std::string& flag() const { return flag_; }
    [[nodiscard]] const std::string& path() const { return path_; }

    /// Makes sure that it can be written: a file is begun beside the one that it will replace.
    /// \returns errc::io in the system's words where there is no such folder, no right or no room.
    [[nodiscard]] dovetail::result<void> open();
    /// Writes all of it and puts it in its place. Call once, after `open`; what was not put leaves no trace.
    [[nodiscard]] dovetail::result<void> put(std::string_view text);

private:
    [[nodiscard]] dovetail::error failed(int reason) const;
    [[nodiscard]] dovetail::result<void> begin_replacement(const std::filesystem::path& target);
    void forget();

    std::string flag_, path_;
    std::filesystem::path target_, kept_aside_; ///< empty where the path is no regular file
    int descriptor_ = -1;
};

/// Whether two paths name one file, or would once it is written: links and ways through folders followed.
[[nodiscard]] bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// Whether `outputs` are files of their own: none is another output or one of `inputs`, which are files, or
/// folders whose files count. Those that are not wanted do not count.
[[nodiscard]] dovetail::result<void> check_distinct(std::span<output* const> outputs,
                                                    std::span<const std::string> inputs);

} // namespace cli
