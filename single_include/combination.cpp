// Compiled with the single header first on the include path, once for every combination of door macros.
#include <dovetail/dovetail.hpp>
