/* SPDX-License-Identifier: Apache-2.0 */
/* Strict mode's rules for stdio: what is in a stream's buffer, or fits, waits for nothing. See
 * strict.h. The members of FILE are glibc's (bits/types/struct_FILE.h), the same since 2.1. */
#include <stddef.h>

#include "preload/strict/rules.h"
#include "preload/sys/memory.h"

/* Flags of _IO_FILE (libio.h). */
enum {
    UNBUFFERED = 0x0002,
    LINE_BUFFERED = 0x0200,
};

/* A stream that has not written yet has no buffer; this is what fits into it then (BUFSIZ is twice
 * as much, st_blksize is what glibc takes). */
enum { FIRST_BUFFER = 4096 };

static int read_stream(struct _IO_FILE *file, uintptr_t stream)
{
    return lh_memory_read_self(file, stream, offsetof(struct _IO_FILE, _offset));
}

int lh_stream_fd(uintptr_t stream)
{
    struct _IO_FILE file;
    return read_stream(&file, stream) == 0 ? file._fileno : -1;
}

/* Wide characters have buffers of their own, described as the narrow ones are: struct
 * _IO_wide_data (libio.h) begins with the same pointers. Where the stream has not been used for
 * wide characters yet, they are NULL. */
static int read_wide_stream(struct _IO_FILE *file, uintptr_t stream)
{
    uintptr_t wide = 0;
    int error = read_stream(file, stream);
    if (error == 0)
        error = lh_memory_read_self(&wide, stream + offsetof(struct _IO_FILE, _wide_data),
                                    sizeof(wide));
    if (error != 0)
        return error;
    const size_t begin = offsetof(struct _IO_FILE, _IO_read_ptr);
    return lh_memory_read_self((char *)file + begin, wide,
                               offsetof(struct _IO_FILE, _IO_save_base) - begin);
}

static enum lh_waits reading_waits(const struct _IO_FILE *file, size_t wanted)
{
    size_t buffered = (size_t)(file->_IO_read_end - file->_IO_read_ptr);
    if (wanted > 0 ? buffered >= wanted : buffered > 0)
        return LH_WAITS_NO;
    return lh_rule_fd_or_disk(file->_fileno);
}

/* Whether a line is among what is written is not looked at: it may be. */
static enum lh_waits writing_waits(const struct _IO_FILE *file, size_t size)
{
    size_t room = FIRST_BUFFER;
    if (file->_IO_buf_base != NULL) {
        const char *next =
            file->_IO_write_ptr > file->_IO_buf_base ? file->_IO_write_ptr : file->_IO_buf_base;
        room = (size_t)(file->_IO_buf_end - next);
    }
    if (size <= room && (file->_flags & (UNBUFFERED | LINE_BUFFERED)) == 0)
        return LH_WAITS_NO;
    return lh_rule_fd_or_disk(file->_fileno);
}

enum lh_waits lh_rule_stream(FILE *stream, size_t wanted)
{
    struct _IO_FILE file;
    if (read_stream(&file, (uintptr_t)stream) != 0)
        return LH_WAITS_NO;
    return reading_waits(&file, wanted);
}

enum lh_waits lh_rule_stream_wide(FILE *stream, size_t wanted)
{
    struct _IO_FILE file;
    if (read_wide_stream(&file, (uintptr_t)stream) != 0)
        return LH_WAITS_NO;
    return reading_waits(&file, wanted * sizeof(wchar_t));
}

enum lh_waits lh_rule_stream_out(FILE *stream, size_t size)
{
    struct _IO_FILE file;
    if (size == 0 || read_stream(&file, (uintptr_t)stream) != 0)
        return LH_WAITS_NO;
    return writing_waits(&file, size);
}

/* How much is printed is known after it: one character is the least. */
enum lh_waits lh_rule_stream_print(FILE *stream)
{
    return lh_rule_stream_out(stream, 1);
}

enum lh_waits lh_rule_stream_print_wide(FILE *stream)
{
    struct _IO_FILE file;
    if (read_wide_stream(&file, (uintptr_t)stream) != 0)
        return LH_WAITS_NO;
    return writing_waits(&file, sizeof(wchar_t));
}

/* fflush(NULL) flushes all streams: one of them may have something to write. */
enum lh_waits lh_rule_stream_flush(FILE *stream)
{
    struct _IO_FILE file;
    if (stream == NULL)
        return LH_WAITS_YES;
    if (read_stream(&file, (uintptr_t)stream) != 0 || file._IO_write_ptr <= file._IO_write_base)
        return LH_WAITS_NO;
    return lh_rule_fd_or_disk(file._fileno);
}

enum lh_waits lh_rule_stream_opened(void)
{
    return LH_WAITS_IF_STREAM;
}
