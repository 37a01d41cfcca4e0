#include <dovetail/hardware/point.hpp>

#include <dovetail/hardware/phaze_family.hpp>

#include <gtest/gtest.h>

#include <string_view>

namespace dovetail::hardware {
namespace {

TEST(point, is_read_from_its_axes_in_any_order) {
    EXPECT_EQ(parse_point("num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128").value(),
              tpuv4_like);
    EXPECT_EQ(parse_point("glb_mib=128,depth=128,width=128,num_vc=2,num_tc=8").value(), tpuv4_like);
    EXPECT_EQ(parse_point("num_tc=1,num_vc=1,width=4,depth=8,width_vc=16,glb_mib=2").value(),
              (accelerator{1, 1, 4, 8, 16, 2 << 20}));
}

TEST(point, that_is_nonsense_gives_one_line) {
    struct bad {
        std::string_view text;
        errc code;
        std::string_view wrong;
    };
    for (const auto& [text, code, wrong] :
         {bad{"", errc::parse, "the axis num_tc is missing; give every axis"},
          bad{"num_tc=8", errc::parse, "the axis num_vc is missing; give every axis"},
          bad{"cores=8", errc::parse, "'cores=8' is not an axis with a value"},
          bad{"num_tc", errc::parse, "'num_tc' is not an axis with a value"},
          bad{"num_tc=", errc::out_of_range, "'num_tc='; each axis is given once"},
          bad{"num_tc=0", errc::out_of_range, "'num_tc=0'; each axis is given once, as a positive integer"},
          bad{"num_tc=-8", errc::out_of_range, "'num_tc=-8'; each axis is given once"},
          bad{"num_tc=8x", errc::out_of_range, "'num_tc=8x'; each axis is given once"},
          bad{"num_tc=1e3", errc::out_of_range, "'num_tc=1e3'; each axis is given once"},
          bad{"num_tc=8,num_tc=8", errc::parse, "the axis num_tc is given twice; give every axis once"},
          bad{"num_tc=8,num_tc=4", errc::parse, "the axis num_tc is given twice"},
          bad{"num_ct=8", errc::parse, "'num_ct=8' is not an axis with a value; did you mean 'num_tc'?"},
          bad{"glb_mb=8", errc::parse, "did you mean 'glb_mib'?"},
          bad{"glb_mib=9223372036854775807", errc::out_of_range, "'glb_mib=9223372036854775807'"},
          bad{"num_tc=99999999999999999999", errc::out_of_range, "'num_tc=99999999999999999999'"},
          bad{",", errc::parse, "an axis between commas is empty"},
          bad{"num_tc=8,,num_vc=2", errc::parse, "an axis between commas is empty; write name=value"},
          bad{"num_tc=8,num_vc=2,width=128,depth=128,glb_mib=128,", errc::parse,
              "an axis between commas is empty"},
          bad{",num_tc=8,num_vc=2,width=128,depth=128,glb_mib=128", errc::parse,
              "an axis between commas is empty"}}) {
        const auto read = parse_point(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.problem().code, code) << text;
        const auto line = read.problem().line();
        EXPECT_TRUE(std::string_view(line).starts_with("design '")) << line;
        EXPECT_NE(line.find(wrong), std::string::npos) << line;
    }
}

} // namespace
} // namespace dovetail::hardware
