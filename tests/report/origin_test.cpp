#include <dovetail/report/origin.hpp>

#include <support/markup.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace dovetail::report {
namespace {

const origin& small() {
    static const origin from{
        .command = "dovetail search --model '<m>'",
        .version = "1.2.3",
        .settings = {{.name = "model", .values = {"<m>"}},
                     {.name = "hbm-gib", .values = {"16", "32"}, .is_list = true},
                     {.name = "limit", .values = {"0.5"}},
                     {.name = "power", .values = {"true"}, .is_switch = true},
                     {.name = "point", .values = {}}},
        .inputs = {{.name = "<m>", .bytes = 7, .sha256 = "00ff"}, {.name = "-", .bytes = {}, .sha256 = {}}}};
    return from;
}

TEST(Origin, IsMembersOfTheAnswer) {
    json_writer json;
    json.begin_object();
    write_origin(json, small());
    json.end_object();
    EXPECT_EQ(std::move(json).take(), R"({
  "command": "dovetail search --model '<m>'",
  "version": "1.2.3",
  "settings": {
    "model": "<m>",
    "hbm_gib": [
      16,
      32
    ],
    "limit": 0.5,
    "power": true,
    "point": null
  },
  "inputs": [
    {
      "name": "<m>",
      "bytes": 7,
      "sha256": "00ff"
    },
    {
      "name": "-",
      "sha256": null
    }
  ]
}
)");
}

TEST(Origin, IsASectionOfAPage) {
    const std::string section = origin_section(small());
    EXPECT_EQ(test::markup_mistake("<html>" + section + "</html>"), "");
    EXPECT_EQ(section.find("<m>"), std::string::npos);
    for (const char* told : {"&lt;m&gt;", "1.2.3", "00ff", "<td>16, 32</td>", "<td>true</td>"})
        EXPECT_NE(section.find(told), std::string::npos) << told;
    EXPECT_EQ(origin_section({}), "");
}

} // namespace
} // namespace dovetail::report
