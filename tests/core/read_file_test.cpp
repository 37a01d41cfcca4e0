#include <dovetail/core/read_file.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace dovetail {
namespace {

class ReadFile : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::path(::testing::TempDir()) /
                  (std::string("dovetail_read_file_") +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return folder_ / name;
    }
    [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }

private:
    std::filesystem::path folder_;
};

TEST_F(ReadFile, GivesEveryByte) {
    const std::string bytes = std::string("a\r\n\0\xFF", 5) + std::string(200'000, 'x');
    EXPECT_EQ(read_file(write("bytes", bytes)).value(), bytes);
    EXPECT_EQ(read_file(write("empty", "")).value(), "");
    EXPECT_EQ(read_file("/dev/null").value(), "");
}

TEST_F(ReadFile, RefusesWhatIsNoFile) {
    EXPECT_EQ(read_file(path("")).problem().wrong, "it is a folder");
    EXPECT_EQ(read_file(path("absent")).problem().line(),
              path("absent").string() + ": there is no such file; name a file that exists and can be read");
    EXPECT_EQ(read_file(write("file", "x") / "below").problem().code, errc::io);
}

TEST_F(ReadFile, RefusesWhatItMayNotRead) {
    const std::filesystem::path secret = write("secret", "x");
    std::filesystem::permissions(secret, std::filesystem::perms::none);
    if (std::ifstream(secret).is_open()) GTEST_SKIP() << "this user may read everything";
    EXPECT_EQ(read_file(secret).problem().code, errc::io);
    EXPECT_TRUE(read_file(secret).problem().wrong.starts_with("it cannot be read: "));
}

TEST_F(ReadFile, ReadsAPipeUntilItEnds) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    const std::string bytes(100'000, 'p'); // more than a pipe holds
    std::thread writer([&] { std::ofstream(path("pipe"), std::ios::binary) << bytes; });
    const auto read = read_file(path("pipe"));
    writer.join();
    EXPECT_EQ(read.value(), bytes);
}

TEST_F(ReadFile, EndsWhereADeviceDoesNot) {
    const auto endless = read_file("/dev/zero", 1'000'000);
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.problem().line(), "/dev/zero: it has more than 1000000 bytes; no more is read of it");
    EXPECT_EQ(read_file("/dev/zero", UINTMAX_MAX).problem().line(),
              "/dev/zero: it has more than 16777216 bytes; no more is read of it");
}

TEST_F(ReadFile, RefusesALargeFileUnread) {
    const std::filesystem::path large = write("large", "");
    std::filesystem::resize_file(large, std::uintmax_t{1} << 36); // of no blocks
    EXPECT_EQ(read_file(large).problem().code, errc::unsupported);
    EXPECT_EQ(read_file(write("three", "abc"), 3).value(), "abc");
    EXPECT_EQ(read_file(write("four", "abcd"), 3).problem().code, errc::unsupported);
}

} // namespace
} // namespace dovetail
