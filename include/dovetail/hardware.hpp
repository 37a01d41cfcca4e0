#pragma once
/// \file
/// Families of accelerators, and clusters of them.

#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/axes.hpp>
#include <dovetail/hardware/catalogue.hpp>
#include <dovetail/hardware/cluster.hpp>
#include <dovetail/hardware/die_cost.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/limited_space.hpp>
#include <dovetail/hardware/n7_family.hpp>
#include <dovetail/hardware/network.hpp>
#include <dovetail/hardware/network_catalogue.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/hardware/point.hpp>
#include <dovetail/hardware/power.hpp>
#include <dovetail/hardware/runtime_space.hpp>
#include <dovetail/hardware/system.hpp>
#include <dovetail/hardware/system_catalogue.hpp>
#include <dovetail/hardware/technology_n7.hpp>
#include <dovetail/hardware/technology_phaze.hpp>
#include <dovetail/hardware/thermal.hpp>
