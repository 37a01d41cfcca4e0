// Compiled with the single header first on the include path and the macro of every door.
#include <dovetail/dovetail.hpp>
