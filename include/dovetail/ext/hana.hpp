#pragma once
/// \file
/// The door to Boost.Hana.

#include <dovetail/ext/hana/axis.hpp>
#include <dovetail/ext/hana/family.hpp>
#include <dovetail/ext/hana/for_each_design.hpp>
#include <dovetail/ext/hana/phaze.hpp>
