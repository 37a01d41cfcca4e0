#include "output.hpp"

#include <dovetail/core/text.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <system_error>
#include <utility>

namespace cli {

using dovetail::errc;
using dovetail::error;
using dovetail::result;
namespace fs = std::filesystem;

namespace {

/// What stands in the way, and what would help.
std::pair<std::string, std::string> words_for(int reason) {
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        return {"the disk is full", "make room, or name a file on another disk"};
    case ENOENT:
    case ENOTDIR:
        return {"there is no such folder", "name a file in a folder that exists"};
    case EACCES:
    case EPERM:
        return {"there is no right to write it", "name a file that you may write"};
    case EROFS:
        return {"its disk can only be read", "name a file on another disk"};
    case EISDIR:
        return {"it is a folder", "name a file in it"};
    case ENAMETOOLONG:
        return {"its name is too long", "give it a shorter one"};
    default:
        return {std::string("it cannot be written (") + std::strerror(reason) + ")",
                "name a file that can be written"};
    }
}

bool write_all(int descriptor, std::string_view text) {
    do {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    } while (!text.empty());
    return true;
}

/// Whether `path` is the file behind an open descriptor.
bool is_behind(int descriptor, const std::string& path) {
    struct stat named {};
    struct stat open {};
    return ::stat(path.c_str(), &named) == 0 && ::fstat(descriptor, &open) == 0 && S_ISREG(named.st_mode) &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

/// The way to a file from the root, links followed; of a file that is not there yet too.
fs::path whole_way(fs::path path) {
    std::error_code unknown;
    // A link to a file that is not there yet; a circle of links is for the system to refuse.
    for (int links = 0; links < 40 && fs::is_symlink(path, unknown) && !fs::exists(path, unknown); ++links)
        path = path.parent_path() / fs::read_symlink(path, unknown);
    fs::path way = fs::weakly_canonical(fs::absolute(path, unknown), unknown);
    return unknown ? path : way;
}

// Enough for every table; a page or a family takes more, and is told when it does not fit.
constexpr off_t room_asked_for = 1 << 16;

} // namespace

output::~output() { forget(); }

void output::forget() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    if (!kept_aside_.empty()) ::unlink(kept_aside_.c_str());
    kept_aside_.clear();
}

flag_syntax output::add_to(command_syntax command, const std::string& flag, const std::string& meaning) {
    flag_ = flag;
    return command.add_option(flag, path_, meaning).type_name("FILE").no_part_of_answer();
}

error output::failed(int reason) const {
    const auto [wrong, right] = words_for(reason);
    return {errc::io, is_standard_output() ? "standard output" : path_, wrong, right};
}

result<void> output::open() {
    if (!wanted() || is_standard_output()) return {};
    if (is_behind(STDOUT_FILENO, path_))
        return error{errc::io, "option " + flag_, "standard output goes to " + path_ + " already",
                     "give each output a file of its own"};
    std::error_code unknown;
    const fs::file_status there = fs::status(path_, unknown);
    if (fs::is_directory(there)) return failed(EISDIR);
    if (!fs::exists(there) || fs::is_regular_file(there)) {
        // What a link names is replaced, and the link stays.
        return begin_replacement(whole_way(path_));
    }
    // A pipe or a device takes the text as it comes; writing nothing tells whether it would.
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0 || ::write(descriptor_, "", 0) < 0) return failed(errno);
    return {};
}

result<void> output::begin_replacement(const fs::path& target) {
    struct stat there {};
    const bool exists = ::stat(target.c_str(), &there) == 0;
    if (exists && ::access(target.c_str(), W_OK) != 0) return failed(errno);
    if (target.filename().empty()) return failed(EISDIR);
    std::string name = (target.parent_path() / ".dovetail-XXXXXX").string();
    descriptor_ = ::mkstemp(name.data());
    if (descriptor_ < 0) return failed(errno);
    target_ = target;
    kept_aside_ = name;
    const mode_t mask = ::umask(0);
    ::umask(mask);
    const mode_t rights = exists ? there.st_mode & 07777U : 0666U & ~mask;
    if (::fchmod(descriptor_, rights) != 0) return failed(errno);
    const int reason = ::posix_fallocate(descriptor_, 0, room_asked_for);
    if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) return failed(reason);
    if (::ftruncate(descriptor_, 0) != 0) return failed(errno);
    return {};
}

result<void> output::put(std::string_view text) {
    if (is_standard_output()) {
        errno = 0;
        std::cout << text << std::flush;
        if (!std::cout) return failed(errno != 0 ? errno : EIO);
        return {};
    }
    if (!write_all(descriptor_, text)) return failed(errno);
    if (::close(std::exchange(descriptor_, -1)) != 0) return failed(errno);
    if (kept_aside_.empty()) return {};
    if (::rename(kept_aside_.c_str(), target_.c_str()) != 0) return failed(errno);
    kept_aside_.clear();
    return {};
}

bool same_file(const fs::path& a, const fs::path& b) {
    std::error_code unknown;
    if (fs::exists(a, unknown) && fs::exists(b, unknown)) return fs::equivalent(a, b, unknown);
    return whole_way(a) == whole_way(b);
}

namespace {

/// A pipe or a device may be written to by several.
bool takes_turns(const fs::path& path) {
    std::error_code unknown;
    const fs::file_status there = fs::status(path, unknown);
    return fs::exists(there) && !fs::is_regular_file(there) && !fs::is_directory(there);
}

/// The input that `path` would overwrite; empty for none.
std::string overwritten(const fs::path& path, std::span<const std::string> inputs) {
    std::error_code unknown;
    for (const std::string& input : inputs) {
        if (input == "-" && is_behind(STDIN_FILENO, path.string())) return "standard input";
        if (same_file(path, input)) return input;
        if (!fs::is_directory(input, unknown) || !fs::exists(path, unknown)) continue;
        for (fs::directory_iterator file(input, unknown), end; !unknown && file != end;
             file.increment(unknown))
            if (fs::equivalent(path, file->path(), unknown)) return file->path().string();
    }
    return {};
}

} // namespace

result<void> check_distinct(std::span<output* const> outputs, std::span<const std::string> inputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const output& one = *outputs[i];
        if (!one.wanted()) continue;
        for (const output* other : outputs.first(i))
            if (other->wanted() && one.is_standard_output() == other->is_standard_output() &&
                (one.is_standard_output() ||
                 (!takes_turns(one.path()) && same_file(one.path(), other->path()))))
                return error{errc::io, "option " + one.flag(),
                             one.is_standard_output()
                                 ? "standard output carries " + other->flag() + " already"
                                 : one.path() + " is the file of " + other->flag() + " too",
                             "give each output a file of its own"};
        if (one.is_standard_output()) continue;
        const std::string input = overwritten(one.path(), inputs);
        if (!input.empty() && !takes_turns(one.path()))
            return error{errc::io, "option " + one.flag(), one.path() + " would overwrite the input " + input,
                         "name another file"};
    }
    return {};
}

} // namespace cli
