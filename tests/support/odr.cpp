// A second translation unit that includes everything: a function that lacks `inline` does not link.
#include <string>

// g++ 12 at -O3 warns of an overlapping copy where one character in quotes is put before a text that is made
// on the spot, "_" + to_text(i), and only where it happens to inline enough; here it is refused always.
// `joined` of core/text.hpp appends instead.
namespace std {
string operator+(const char (&)[2], string&&) = delete;
} // namespace std

#include <dovetail/dovetail.hpp>
