// expect: result<T> holds a value or an error
#include <dovetail/core/result.hpp>

#ifdef SHOULD_FAIL
dovetail::result<dovetail::error> wrong = dovetail::error{};
#endif
int main() {}
