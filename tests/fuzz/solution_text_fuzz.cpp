// No bytes may crash the reader of solutions; what it accepts has a value a variable, can be verified, and
// reads back from its own names and values.
#include <dovetail/ilp/solution_text.hpp>

#include <dovetail/core/text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/text_names.hpp>
#include <dovetail/ilp/verify.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dovetail;
    ilp::model m;
    const ilp::variable a = m.add_integer(0, 4, "a"), b = m.add_integer(0, 4, "time");
    const ilp::variable c = m.add_continuous(0, 9, "Optimal");
    m.add_constraint(3 * a + b <= 9, "a");
    m.add_constraint(c <= b, "cap");
    m.maximize(3 * a + 2 * b + c + 1);

    const auto read = ilp::read_solution(m, std::string_view(reinterpret_cast<const char*>(data), size));
    if (!read) {
        if (read.problem().wrong.empty() || read.problem().line().find('\n') != std::string::npos)
            std::abort();
        return 0;
    }
    if (!read->has_values()) return 0;
    if (read->values.size() != m.columns().size()) std::abort();
    static_cast<void>(ilp::verify(m, read->values));
    const ilp::text_names names(m);
    std::string text;
    for (std::size_t k = 0; k < read->values.size(); ++k)
        text += names.columns()[k] + " " + to_text(read->values[k]) + "\n";
    const auto again = ilp::read_solution(m, text);
    if (!again || again->values != read->values) std::abort();
    return 0;
}
