#pragma once
/// \file
/// Numbers as people read them: `dovetail::readable` under the name that reports know it by.

#include <dovetail/core/readable.hpp>

namespace dovetail::report {

using dovetail::readable;

} // namespace dovetail::report
