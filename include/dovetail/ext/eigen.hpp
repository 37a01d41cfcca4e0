#pragma once
/// \file
/// The door to Eigen.

#include <dovetail/ext/eigen/least_squares.hpp>
