#pragma once
/// \file
/// The command line as scripts see it: what it prints, and how it ends.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <istream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::test {

using nlohmann::json;

inline std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

struct answer {
    int exit = -1;
    std::string out;
    std::string err;
};

/// Every test has a folder of its own, in which the command runs.
class Cli : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ =
            std::filesystem::path(::testing::TempDir()) /
            (std::string("dovetail_cli_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] answer run(const std::string& arguments) const {
        const std::string line = "cd '" + folder_.string() + "' && '" DOVETAIL_CLI "' " + arguments +
                                 " >stdout.txt 2>stderr.txt </dev/null";
        const int status = std::system(line.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(folder_ / "stdout.txt"),
                content(folder_ / "stderr.txt")};
    }

    void write(const std::string& name, std::string_view text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }
    [[nodiscard]] std::string read(const std::string& name) const { return content(path(name)); }
    [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }

    /// The JSON that `arguments` print, which end with `exit`.
    [[nodiscard]] json answered(const std::string& arguments, int exit = 0) const {
        const answer a = run(arguments + " --quiet --json -");
        EXPECT_EQ(a.exit, exit) << arguments << ": " << a.err;
        EXPECT_EQ(a.err, "") << arguments;
        json value = json::parse(a.out, nullptr, false);
        EXPECT_FALSE(value.is_discarded()) << arguments << ": " << a.out;
        return value;
    }

    /// Expects exit status 2, nothing on standard output, and one line that has all of `parts`.
    void refused(const std::string& arguments, const std::vector<std::string>& parts) const {
        const answer a = run(arguments);
        EXPECT_EQ(a.exit, 2) << arguments;
        EXPECT_EQ(a.out, "") << arguments;
        EXPECT_EQ(std::count(a.err.begin(), a.err.end(), '\n'), 1) << arguments << ":\n" << a.err;
        EXPECT_TRUE(a.err.starts_with("dovetail: ") && a.err.ends_with('\n')) << a.err;
        for (const std::string& part : parts)
            EXPECT_NE(a.err.find(part), std::string::npos) << arguments << ": " << a.err << "lacks " << part;
    }

private:
    std::filesystem::path folder_;
};

inline std::string quoted(const std::filesystem::path& path) { return '\'' + path.string() + '\''; }

/// The fields of a line, separated by commas outside quotes.
inline std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields(1);
    bool within = false;
    for (const char c : line) {
        if (c == '"')
            within = !within;
        else if (c == ',' && !within)
            fields.emplace_back();
        else
            fields.back() += c;
    }
    return fields;
}

/// The rows of a table with a header, each by the names of its columns.
inline std::vector<std::map<std::string, std::string>> rows_of(std::istream& table) {
    std::string line;
    const auto next = [&] {
        const bool more = static_cast<bool>(std::getline(table, line));
        if (line.ends_with('\r')) line.pop_back();
        return more;
    };
    next();
    const std::vector<std::string> names = fields_of(line);
    std::vector<std::map<std::string, std::string>> rows;
    while (next()) {
        const std::vector<std::string> fields = fields_of(line);
        for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) {
            if (i == 0) rows.emplace_back();
            rows.back()[names[i]] = fields[i];
        }
    }
    return rows;
}

} // namespace dovetail::test
