// TOML documents by toml++, for Swift: no type of C++ and no exception comes through this header.
#ifndef HOLDFAST_CTOML_H
#define HOLDFAST_CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A document that was read, or the reason why it was not.
typedef struct holdfast_toml_document holdfast_toml_document;

// What a node is.
typedef enum __attribute__((enum_extensibility(closed))) holdfast_toml_kind {
    holdfast_toml_table,
    holdfast_toml_array,
    holdfast_toml_string,
    holdfast_toml_integer,
    holdfast_toml_float,
    holdfast_toml_boolean,
    holdfast_toml_date,
    holdfast_toml_time,
    holdfast_toml_date_time,
} holdfast_toml_kind;

// A place in the text; both count from 1, the column in code points.
typedef struct holdfast_toml_place {
    uint32_t line;
    uint32_t column;
} holdfast_toml_place;

// Bytes that belong to the document. They do not end with a NUL, but may have some.
typedef struct holdfast_toml_text {
    const uint8_t *_Nullable bytes;
    size_t count;
} holdfast_toml_text;

// A node. The nodes of a document stand in one list: each is followed by all nodes inside of it.
typedef struct holdfast_toml_node {
    holdfast_toml_kind kind;
    // How many nodes are inside of it, at all depths.
    size_t count;
    // The last part of its key, with the place of this part; empty in an array.
    holdfast_toml_text key;
    holdfast_toml_place key_place;
    // The first character of its value, and the one behind the last. A table's own place depends on how it is written.
    holdfast_toml_place begin;
    holdfast_toml_place end;
    // A string's value.
    holdfast_toml_text text;
    // An integer's value; 1 or 0 for a boolean.
    int64_t number;
} holdfast_toml_node;

// Reads a document of UTF-8; a byte order mark may come first. Returns NULL without memory. Free what it returns.
holdfast_toml_document *_Nullable holdfast_toml_read(const uint8_t *_Nullable bytes, size_t count);

// Whether the text is no TOML.
bool holdfast_toml_is_fault(const holdfast_toml_document *_Nonnull document);

// Why the text is no TOML, in toml++'s words, and where it found out.
holdfast_toml_text holdfast_toml_fault(
    const holdfast_toml_document *_Nonnull document, holdfast_toml_place *_Nonnull place);

// How many nodes the document has; the root itself is none.
size_t holdfast_toml_count(const holdfast_toml_document *_Nonnull document);

// The node of this number, which is below the count.
holdfast_toml_node holdfast_toml_at(const holdfast_toml_document *_Nonnull document, size_t number);

void holdfast_toml_free(holdfast_toml_document *_Nullable document);

#ifdef __cplusplus
}
#endif

#endif
