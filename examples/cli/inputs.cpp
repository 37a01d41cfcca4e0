#include "inputs.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/zoo.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>
#include <variant>

namespace cli {

using dovetail::to_text;
using dovetail::report::input_source;
namespace fs = std::filesystem;
namespace workload = dovetail::workload;

namespace {

/// A SHA-256 that is fed piece by piece.
class digest {
public:
    digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
        EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
    }
    void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
    [[nodiscard]] std::string hexadecimal() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
        unsigned length = 0;
        EVP_DigestFinal_ex(context_.get(), value.data(), &length);
        constexpr std::string_view digits = "0123456789abcdef";
        std::string text;
        for (unsigned i = 0; i < length; ++i) {
            text += digits[value[i] >> 4U];
            text += digits[value[i] & 15U];
        }
        return text;
    }

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

input_source source_of_file(const std::string& path) {
    input_source source{.name = path, .bytes = {}, .sha256 = {}};
    std::error_code unknown;
    if (!fs::is_regular_file(path, unknown)) return source;
    std::ifstream file(path, std::ios::binary);
    digest hash;
    std::uint64_t bytes = 0;
    std::vector<char> piece(1 << 20);
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
        const auto got = static_cast<std::size_t>(file.gcount());
        hash.add({piece.data(), got});
        bytes += got;
    }
    if (!file.eof()) return source;
    source.bytes = bytes;
    source.sha256 = hash.hexadecimal();
    return source;
}

/// Everything that a graph says, in lines; names of tensors aside, which change no answer.
std::string text_of(const workload::operator_graph& g) {
    std::string text = g.name + ' ' + to_text(g.batch) + ' ' + to_text(g.attention_heads) + '\n';
    const auto numbers = [&](const auto& list) {
        text += '[';
        for (const auto number : list) text += to_text(number) + ' ';
        text += ']';
    };
    for (const workload::tensor& t : g.tensors) {
        text += to_text(static_cast<int>(t.role)) + ' ' + to_text(static_cast<int>(t.type)) + ' ';
        numbers(t.dims);
        numbers(t.integers);
        numbers(t.reals);
        text += '\n';
    }
    for (const workload::operation& op : g.operations) {
        text += std::string(workload::descriptor(op.type).name) + ' ' + op.name + ' ';
        numbers(op.inputs);
        numbers(op.outputs);
        for (const auto& [name, value] : op.attributes.entries()) {
            text += ' ' + name + '=';
            if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value))
                numbers(*list);
            else if (const auto* word = std::get_if<std::string>(&value))
                text += *word;
            else if (const auto* real = std::get_if<double>(&value))
                text += to_text(*real);
            else
                text += to_text(std::get<std::int64_t>(value));
        }
        text += '\n';
    }
    numbers(g.outputs);
    return text;
}

} // namespace

std::string sha256(std::string_view bytes) {
    digest hash;
    hash.add(bytes);
    return hash.hexadecimal();
}

std::vector<input_source> sources_of(const std::string& path) {
    std::error_code unknown;
    if (path == "-") return {{.name = path, .bytes = {}, .sha256 = {}}};
    if (!fs::exists(path, unknown)) return {};
    if (!fs::is_directory(path, unknown)) return {source_of_file(path)};
    std::vector<std::string> tables;
    for (fs::directory_iterator file(path, unknown), end; !unknown && file != end; file.increment(unknown))
        if (file->path().extension() == ".csv") tables.push_back(file->path().string());
    std::sort(tables.begin(), tables.end());
    std::vector<input_source> sources;
    for (const std::string& table : tables) sources.push_back(source_of_file(table));
    return sources;
}

std::vector<input_source> sources_of_model(const std::string& model) {
    if (workload::zoo::find(model) == nullptr) return sources_of(model);
    const auto graph = workload::make_model(model, 1);
    return {{.name = model, .bytes = {}, .sha256 = graph ? sha256(text_of(*graph)) : std::string()}};
}

} // namespace cli
