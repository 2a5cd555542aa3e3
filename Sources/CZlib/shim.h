// zlib's header, plus what Swift cannot import of it.
#ifndef HOLDFAST_CZLIB_SHIM_H
#define HOLDFAST_CZLIB_SHIM_H

#include <zlib.h>

// These macros add the library's version and the size of the stream.

static inline int holdfast_deflateInit2(z_streamp stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

static inline int holdfast_inflateInit2(z_streamp stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
