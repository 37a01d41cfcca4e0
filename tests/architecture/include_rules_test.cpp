#include <architecture/include_rules.hpp>

#include <support/shared.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace dovetail::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string opening = "#pragma once\n/// \\file\n/// A header.\n";

// A made-up tree, sound until a test spoils it.
class made_up_tree : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* const info = ::testing::UnitTest::GetInstance()->current_test_info();
        root_ = std::filesystem::path(::testing::TempDir()) / "dovetail_architecture" / info->name();
        std::filesystem::remove_all(root_);
        write("dovetail/version.hpp", "");
        write("dovetail/core/base.hpp", "#include <vector>\n");
        write("dovetail/graph/walk.hpp", "#include <dovetail/core/base.hpp>\n");
        write("dovetail/ext/glpk/solve.hpp", "#include <dovetail/graph/walk.hpp>\n#include <glpk.h>\n");
        write("dovetail/ext/json/read.hpp", "#include <nlohmann/json.hpp>\n");
        write("dovetail/core.hpp", "#include <dovetail/core/base.hpp>\n");
        write("dovetail/graph.hpp", "#include <dovetail/graph/walk.hpp>\n");
        write("dovetail/ext/glpk.hpp", "#include <dovetail/ext/glpk/solve.hpp>\n");
        write("dovetail/ext/json.hpp", "#include <dovetail/ext/json/read.hpp>\n");
        write("dovetail/dovetail.hpp",
              "#include <dovetail/version.hpp>\n#include <dovetail/core.hpp>\n#include <dovetail/graph.hpp>\n"
              "#include <dovetail/ext/glpk.hpp>\n#include <dovetail/ext/json.hpp>\n");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void write(const std::string& name, const std::string& body) { write_bare(name, opening + body); }
    void write_bare(const std::string& name, const std::string& text) {
        std::filesystem::create_directories((root_ / name).parent_path());
        std::ofstream(root_ / name) << text;
    }
    [[nodiscard]] std::vector<std::string> violations() const { return rule_book(root_).violations(); }

private:
    std::filesystem::path root_;
};

TEST(architecture, the_headers_obey_the_rules) {
    const rule_book rules(source_file("include"));
    EXPECT_GT(rules.header_count(), 10U);
    EXPECT_THAT(rules.violations(), IsEmpty());
}

TEST(architecture, no_room_is_below_itself_or_below_what_is_below_it) {
    for (const layer& upper : layers()) {
        EXPECT_FALSE(upper.below.contains(upper.room));
        for (const layer& lower : layers())
            EXPECT_FALSE(upper.below.contains(lower.room) && lower.below.contains(upper.room))
                << upper.room << " and " << lower.room;
    }
}

TEST_F(made_up_tree, is_sound) { EXPECT_THAT(violations(), IsEmpty()); }

TEST_F(made_up_tree, a_room_may_not_include_a_room_above) {
    write("dovetail/core/base.hpp", "#include <dovetail/graph/order.hpp>\n");
    write("dovetail/graph/order.hpp", "");
    write("dovetail/graph.hpp", "#include <dovetail/graph/order.hpp>\n#include <dovetail/graph/walk.hpp>\n");
    EXPECT_THAT(violations(), ElementsAre("dovetail/core/base.hpp:4: core may not include graph"));
}

TEST_F(made_up_tree, a_room_may_not_include_a_door) {
    write("dovetail/graph/walk.hpp", "#include <dovetail/ext/json/read.hpp>\n");
    EXPECT_THAT(violations(), ElementsAre("dovetail/graph/walk.hpp:4: graph may not include ext/json"));
}

TEST_F(made_up_tree, a_door_may_not_include_another) {
    write("dovetail/ext/glpk/solve.hpp", "#include <dovetail/ext/json/read.hpp>\n");
    EXPECT_THAT(violations(),
                ElementsAre("dovetail/ext/glpk/solve.hpp:4: ext/glpk may not include ext/json"));
}

TEST_F(made_up_tree, a_room_may_not_include_a_third_party) {
    write("dovetail/graph/walk.hpp", "#include <boost/hana.hpp>\n");
    EXPECT_THAT(violations(),
                ElementsAre("dovetail/graph/walk.hpp:4: a room may not include <boost/hana.hpp>"));
}

TEST_F(made_up_tree, a_room_may_not_include_a_slow_standard_header) {
    write("dovetail/graph/walk.hpp", "#include <regex>\n");
    EXPECT_THAT(violations(), ElementsAre("dovetail/graph/walk.hpp:4: a room may not include <regex>"));
}

TEST_F(made_up_tree, a_cycle_of_headers_is_found) {
    write("dovetail/graph/a.hpp", "#include <dovetail/graph/b.hpp>\n");
    write("dovetail/graph/b.hpp", "#include <dovetail/graph/a.hpp>\n");
    write("dovetail/graph.hpp", "#include <dovetail/graph/a.hpp>\n#include <dovetail/graph/b.hpp>\n"
                                "#include <dovetail/graph/walk.hpp>\n");
    EXPECT_THAT(violations(), ElementsAre("dovetail/graph/b.hpp:4: a cycle: dovetail/graph/a.hpp -> "
                                          "dovetail/graph/b.hpp -> dovetail/graph/a.hpp"));
}

TEST_F(made_up_tree, a_header_has_at_most_400_lines) {
    write("dovetail/graph/walk.hpp", std::string(397, '\n'));
    EXPECT_THAT(violations(), IsEmpty());
    write("dovetail/graph/walk.hpp", std::string(398, '\n'));
    EXPECT_THAT(violations(), ElementsAre("dovetail/graph/walk.hpp: has 401 lines, more than 400"));
}

TEST_F(made_up_tree, a_folder_is_a_room_or_a_door) {
    write("dovetail/utils/misc.hpp", "");
    EXPECT_THAT(violations(), Contains("dovetail/utils/misc.hpp: 'utils' is no room and no door"));
    write("dovetail/ext/cplex/solve.hpp", "");
    EXPECT_THAT(violations(), Contains("dovetail/ext/cplex/solve.hpp: 'ext/cplex' is no room and no door"));
}

TEST_F(made_up_tree, an_umbrella_includes_all_of_its_folder_in_order) {
    write("dovetail/graph/order.hpp", "");
    EXPECT_THAT(violations(),
                ElementsAre("dovetail/graph.hpp: must include <dovetail/graph/order.hpp> next"));
    write("dovetail/graph.hpp", "#include <dovetail/graph/walk.hpp>\n#include <dovetail/graph/order.hpp>\n");
    EXPECT_THAT(violations(),
                ElementsAre("dovetail/graph.hpp: must include <dovetail/graph/order.hpp> next"));
    write("dovetail/graph.hpp", "#include <dovetail/graph/order.hpp>\n#include <dovetail/graph/walk.hpp>\n"
                                "#include <dovetail/core/base.hpp>\n");
    EXPECT_THAT(violations(),
                ElementsAre("dovetail/graph.hpp: includes <dovetail/core/base.hpp> and must not"));
}

TEST_F(made_up_tree, the_umbrella_of_everything_has_every_folder) {
    write("dovetail/report/page.hpp", "");
    write("dovetail/report.hpp", "#include <dovetail/report/page.hpp>\n");
    EXPECT_THAT(violations(), ElementsAre("dovetail/dovetail.hpp: must include <dovetail/report.hpp> next"));
}

TEST_F(made_up_tree, only_umbrellas_include_umbrellas) {
    write("dovetail/graph/walk.hpp", "#include <dovetail/core.hpp>\n");
    EXPECT_THAT(
        violations(),
        ElementsAre("dovetail/graph/walk.hpp:4: only an umbrella includes the umbrella <dovetail/core.hpp>"));
}

TEST_F(made_up_tree, what_is_included_exists_and_is_in_angle_brackets) {
    write("dovetail/graph/walk.hpp", "#include <dovetail/core/gone.hpp>\n");
    EXPECT_THAT(violations(), ElementsAre("dovetail/graph/walk.hpp:4: there is no <dovetail/core/gone.hpp>"));
    write("dovetail/graph/walk.hpp", "#include \"dovetail/core/base.hpp\"\n");
    EXPECT_THAT(violations(), ElementsAre("dovetail/graph/walk.hpp:4: includes with quotes"));
}

TEST_F(made_up_tree, a_header_opens_with_its_purpose) {
    write_bare("dovetail/graph/walk.hpp", "#pragma once\n#include <vector>\n");
    EXPECT_THAT(
        violations(),
        ElementsAre("dovetail/graph/walk.hpp: opens with #pragma once, /// \\file and a line of purpose"));
}

} // namespace
} // namespace dovetail::test
