// libxml2's headers, plus what Swift cannot import of them.
#ifndef HOLDFAST_CLIBXML2_SHIM_H
#define HOLDFAST_CLIBXML2_SHIM_H

#include <stddef.h>
#include <string.h>

// Debian's libxml2 is built with ICU. Its headers then include ICU's, which clash with the copy inside Foundation.
// Nothing used here needs ICU.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

// The parser's offset in all bytes it was fed: what xmlByteConsumed() gives for UTF-8, without its conversions.
static inline long holdfast_xml_offset(xmlParserCtxtPtr ctxt) {
    xmlParserInputPtr input = ctxt->input;
    return input == NULL ? -1 : (long)input->consumed + (long)(input->cur - input->base);
}

// From now on this thread's parsers report no warnings.
static inline void holdfast_xml_omit_warnings(void) {
    xmlGetWarningsDefaultValue = 0;
}

// Finds a byte in [from, from + count); returns count when there is none.
static inline long holdfast_find_byte(const unsigned char *from, long count, unsigned char byte) {
    if (count <= 0) return 0;
    const unsigned char *found = (const unsigned char *)memchr(from, byte, (size_t)count);
    return found == NULL ? count : (long)(found - from);
}

#endif
