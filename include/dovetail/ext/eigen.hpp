#pragma once
/// \file
/// The door to Eigen.

#include <dovetail/ext/eigen/calibrate.hpp>
#include <dovetail/ext/eigen/calibrate_chip.hpp>
#include <dovetail/ext/eigen/calibrate_links.hpp>
#include <dovetail/ext/eigen/least_squares.hpp>
