#pragma once
/// \file
/// The door to ONNX.

#include <dovetail/ext/onnx/attributes.hpp>
#include <dovetail/ext/onnx/declared.hpp>
#include <dovetail/ext/onnx/import.hpp>
#include <dovetail/ext/onnx/roles.hpp>
#include <dovetail/ext/onnx/values.hpp>
