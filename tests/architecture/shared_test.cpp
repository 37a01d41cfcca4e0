#include <support/shared.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace dovetail::test {
namespace {

// Puts an environment variable back as it was.
class scoped_variable {
public:
    scoped_variable(const char* name, const char* value) : name_(name) {
        if (const char* const before = std::getenv(name)) before_ = before;
        ::setenv(name, value, 1);
    }
    ~scoped_variable() {
        if (before_.empty())
            ::unsetenv(name_);
        else
            ::setenv(name_, before_.c_str(), 1);
    }
    scoped_variable(const scoped_variable&) = delete;
    scoped_variable& operator=(const scoped_variable&) = delete;

private:
    const char* name_;
    std::string before_;
};

void needs_a_file_that_is_not_there() {
    DOVETAIL_SHARED_OR_SKIP(path, "no/such/file");
    ADD_FAILURE() << "went on with " << path;
}

TEST(shared, a_file_of_the_checkout_is_found) {
    EXPECT_TRUE(std::filesystem::exists(source_file("include/dovetail/version.hpp")));
}

TEST(shared, reference_data_is_looked_for_where_the_variable_says) {
    const scoped_variable where("DOVETAIL_SHARED", source_file("include").c_str());
    EXPECT_EQ(shared_file("dovetail/version.hpp"), source_file("include/dovetail/version.hpp"));
    EXPECT_EQ(shared_file("dovetail/no_such_file"), std::nullopt);
}

TEST(shared, a_test_without_its_reference_data_is_skipped) {
    const scoped_variable required("DOVETAIL_REQUIRE_SHARED", "0");
    ::testing::TestPartResultArray results;
    {
        const ::testing::ScopedFakeTestPartResultReporter reporter(
            ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
        needs_a_file_that_is_not_there();
    }
    ASSERT_EQ(results.size(), 1);
    EXPECT_TRUE(results.GetTestPartResult(0).skipped());
}

TEST(shared, a_test_without_its_reference_data_fails_where_it_is_required) {
    const scoped_variable required("DOVETAIL_REQUIRE_SHARED", "1");
    EXPECT_FATAL_FAILURE(needs_a_file_that_is_not_there(), "reference data is absent: no/such/file");
}

} // namespace
} // namespace dovetail::test
