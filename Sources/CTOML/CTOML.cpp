#include "CTOML.h"

namespace {

// What toml++ expects of itself does not hold: toml++ 3.3 does not check what stands first in a table's name.
struct broken_expectation {};

} // namespace

// An exception in place of an abort. It must not be ignored in release builds either, because toml++ would read on as if
// nothing were wrong.
#define TOML_ASSERT(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) { throw broken_expectation{}; }                                                              \
    } while (false)
#undef NDEBUG

// toml++ reports faults as values, so the only exceptions are those of the standard library.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct holdfast_toml_document {
    toml::table root;
    std::vector<holdfast_toml_node> nodes;
    std::string fault;
    holdfast_toml_place place{1, 1};
    bool is_fault = false;
};

namespace {

// A key with more parts is none. toml++ 3.3 bounds how deep values nest, but each part of a key is a table too, and the
// tables are freed by recursion.
constexpr size_t most_parts = 200;

// The first line with more dots outside of quotes than any key has; 0 when there is none.
uint32_t deep_line(std::string_view text) {
    uint32_t line = 1;
    size_t dots = 0;
    char quote = 0;
    bool is_comment = false;
    for (size_t index = 0; index < text.size(); ++index) {
        const char byte = text[index];
        if (byte == '\n') {
            ++line;
            dots = 0;
            quote = 0;
            is_comment = false;
        } else if (is_comment) {
            continue;
        } else if (quote) {
            const bool is_escape = byte == '\\' && quote == '"';
            if (is_escape && index + 1 < text.size() && text[index + 1] != '\n') { ++index; }
            if (byte == quote) { quote = 0; }
        } else if (byte == '#') {
            is_comment = true;
        } else if (byte == '"' || byte == '\'') {
            quote = byte;
        } else if (byte == '.' && ++dots >= most_parts) {
            return line;
        }
    }
    return 0;
}

// Whether toml++ stops in these bytes because what it expects of itself does not hold.
bool is_beyond_toml(std::string_view text) {
    try {
        (void)toml::parse(text);
        return false;
    } catch (const broken_expectation &) {
        return true;
    }
}

// The line of a text that is beyond toml++: the first one with which it is.
uint32_t broken_line(std::string_view text) {
    std::vector<size_t> ends;
    for (size_t index = 0; index < text.size(); ++index) {
        if (text[index] == '\n') { ends.push_back(index); }
    }
    ends.push_back(text.size());
    size_t low = 0;
    size_t high = ends.size() - 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (is_beyond_toml(text.substr(0, ends[middle]))) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return static_cast<uint32_t>(low + 1);
}

holdfast_toml_place place(const toml::source_position &position) {
    return {position.line, position.column};
}

holdfast_toml_text text(std::string_view view) {
    return {reinterpret_cast<const uint8_t *>(view.data()), view.size()};
}

void add(const toml::table &table, std::vector<holdfast_toml_node> &nodes);
void add(const toml::array &array, std::vector<holdfast_toml_node> &nodes);

// Adds a node and all nodes inside of it. toml++ bounds how deep they nest.
void add(const toml::node &node, holdfast_toml_node entry, std::vector<holdfast_toml_node> &nodes) {
    entry.begin = place(node.source().begin);
    entry.end = place(node.source().end);
    switch (node.type()) {
    case toml::node_type::table: entry.kind = holdfast_toml_table; break;
    case toml::node_type::array: entry.kind = holdfast_toml_array; break;
    case toml::node_type::string:
        entry.kind = holdfast_toml_string;
        entry.text = text(node.as_string()->get());
        break;
    case toml::node_type::integer:
        entry.kind = holdfast_toml_integer;
        entry.number = node.as_integer()->get();
        break;
    case toml::node_type::floating_point: entry.kind = holdfast_toml_float; break;
    case toml::node_type::boolean:
        entry.kind = holdfast_toml_boolean;
        entry.number = node.as_boolean()->get() ? 1 : 0;
        break;
    case toml::node_type::date: entry.kind = holdfast_toml_date; break;
    case toml::node_type::time: entry.kind = holdfast_toml_time; break;
    case toml::node_type::date_time: entry.kind = holdfast_toml_date_time; break;
    case toml::node_type::none: return;
    }
    const size_t index = nodes.size();
    nodes.push_back(entry);
    if (const auto *table = node.as_table()) { add(*table, nodes); }
    if (const auto *array = node.as_array()) { add(*array, nodes); }
    nodes[index].count = nodes.size() - index - 1;
}

void add(const toml::table &table, std::vector<holdfast_toml_node> &nodes) {
    for (const auto &[key, value] : table) {
        holdfast_toml_node entry{};
        entry.key = text(key.str());
        entry.key_place = place(key.source().begin);
        add(value, entry, nodes);
    }
}

void add(const toml::array &array, std::vector<holdfast_toml_node> &nodes) {
    for (const auto &value : array) { add(value, holdfast_toml_node{}, nodes); }
}

} // namespace

holdfast_toml_document *holdfast_toml_read(const uint8_t *bytes, size_t count) {
    const std::string_view view(reinterpret_cast<const char *>(bytes), count);
    try {
        auto document = std::make_unique<holdfast_toml_document>();
        const auto fail = [&](std::string fault, holdfast_toml_place place) {
            document->is_fault = true;
            document->fault = std::move(fault);
            document->place = place;
            return document.release();
        };
        if (const uint32_t line = deep_line(view)) {
            return fail("Error while parsing key: it has more than " + std::to_string(most_parts) + " parts", {line, 1});
        }
        try {
            auto result = toml::parse(view);
            if (!result) {
                return fail(std::string(result.error().description()), place(result.error().source().begin));
            }
            document->root = std::move(result).table();
        } catch (const broken_expectation &) {
            return fail("Error while parsing table header: expected a name", {broken_line(view), 1});
        }
        add(document->root, document->nodes);
        return document.release();
    } catch (...) {
        return nullptr;
    }
}

bool holdfast_toml_is_fault(const holdfast_toml_document *document) { return document->is_fault; }

holdfast_toml_text holdfast_toml_fault(const holdfast_toml_document *document, holdfast_toml_place *place) {
    *place = document->place;
    return text(document->fault);
}

size_t holdfast_toml_count(const holdfast_toml_document *document) { return document->nodes.size(); }

holdfast_toml_node holdfast_toml_at(const holdfast_toml_document *document, size_t number) {
    return document->nodes[number];
}

void holdfast_toml_free(holdfast_toml_document *document) { delete document; }
