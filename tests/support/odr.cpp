// A second translation unit that includes everything: a function that lacks `inline` does not link.
#include <dovetail/dovetail.hpp>
