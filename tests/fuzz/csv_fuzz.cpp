// No bytes may crash the reader of comma-separated text; what it accepts has rows as long as its header, and
// reads the same again when every field is quoted.
#include <dovetail/core/csv.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string quoted(const std::vector<dovetail::csv_field>& fields) {
    std::string line;
    for (const dovetail::csv_field& field : fields) {
        line += line.empty() ? "\"" : ",\"";
        for (const char c : field.text) line += c == '"' ? std::string("\"\"") : std::string(1, c);
        line += '"';
    }
    return line + "\r\n";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dovetail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto table = read_csv(text, "table.csv");
    if (!table) {
        if (table.problem().wrong.empty() || table.problem().line().find('\n') != std::string::npos)
            std::abort();
        return 0;
    }
    if (!read_csv_header(text, "table.csv")) std::abort();
    std::string again = quoted(table->header);
    for (const auto& row : table->rows) {
        if (row.size() != table->header.size()) std::abort();
        again += quoted(row);
        static_cast<void>(table->number<std::int64_t>(row.front(), "n", 0));
        static_cast<void>(table->positive(row.back(), "x"));
    }
    const auto second = read_csv(again, "table.csv");
    if (!second || second->rows.size() != table->rows.size()) std::abort();
    for (std::size_t r = 0; r < table->rows.size(); ++r)
        for (std::size_t c = 0; c < table->header.size(); ++c)
            if (second->rows[r][c].text != table->rows[r][c].text) std::abort();
    return 0;
}
