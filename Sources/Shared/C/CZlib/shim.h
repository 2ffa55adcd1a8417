// The initializers of zlib, which are macros and therefore not available in Swift.
#pragma once
#include <zlib.h>

static const int czlib_gzip = 15 + 16; // the largest window, and gzip's header and trailer; deflateInit2 in zlib.h

static inline int czlib_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, czlib_gzip, 8, Z_DEFAULT_STRATEGY);
}

static inline int czlib_inflate_init(z_stream *stream) { return inflateInit2(stream, czlib_gzip); }
