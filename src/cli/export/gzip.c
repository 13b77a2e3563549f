/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed output. See gzip.h. */
#include "cli/export/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define BUFFER_BYTES (64u << 10)
#define GZIP_WINDOW  (15 + 16) /* deflateInit2(): the largest window, and gzip's header */
#define MEMORY_LEVEL 8         /* its default */

struct lh_gzip {
    FILE *to;
    z_stream stream;
    int problem; /* negative errno */
    unsigned char buffer[BUFFER_BYTES];
};

struct lh_gzip *lh_gzip_new(FILE *to)
{
    struct lh_gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip == NULL)
        return NULL;
    gzip->to = to;
    if (deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) == Z_OK)
        return gzip;
    free(gzip);
    return NULL;
}

static void compress_some(struct lh_gzip *gzip, int flush)
{
    int result;
    do {
        gzip->stream.next_out = gzip->buffer;
        gzip->stream.avail_out = sizeof(gzip->buffer);
        result = deflate(&gzip->stream, flush);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            gzip->problem = -EIO;
        fwrite(gzip->buffer, 1, sizeof(gzip->buffer) - gzip->stream.avail_out, gzip->to);
    } while (gzip->problem == 0 && gzip->stream.avail_out == 0);
}

void lh_gzip_write(struct lh_gzip *gzip, const void *bytes, size_t length)
{
    gzip->stream.next_in = (unsigned char *)bytes; /* zlib writes nothing there */
    gzip->stream.avail_in = (unsigned)length;
    compress_some(gzip, Z_NO_FLUSH);
}

int lh_gzip_end(struct lh_gzip *gzip)
{
    gzip->stream.avail_in = 0;
    compress_some(gzip, Z_FINISH);
    deflateEnd(&gzip->stream);
    int problem = gzip->problem;
    free(gzip);
    return problem;
}
