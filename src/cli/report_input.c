/* SPDX-License-Identifier: Apache-2.0 */
/* Files of reports, compressed or not. See report_input.h. */
#include "cli/report_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define READ_BYTES  (64u << 10)
#define GZIP_WINDOW (15 + 16) /* inflateInit2(): the largest window, and gzip's header */
#define LINE_BYTES  (16u << 20)

static const char damaged[] = "what is compressed is damaged, or ends too early";
static const char endless[] = "a line is longer than 16 MiB";

struct lh_input {
    FILE *stream;
    int fd;
    const struct way *way;
    const char *problem; /* NULL: errno says it */
    bool at_end;         /* nothing more comes from the descriptor */
    bool within;         /* a compressed part has begun, and not ended */
    size_t line;         /* how much of a line has come so far */
    z_stream gzip;
    ZSTD_DStream *zstd;
    size_t next; /* of the bytes that were read, the first one not used */
    size_t length;
    unsigned char bytes[READ_BYTES];
};

/* Puts what it makes of some bytes into `to`. Returns how many that are, or -1: it cannot. */
struct way {
    const char *magic;
    bool (*begin)(struct lh_input *input);
    ssize_t (*convert)(struct lh_input *input, char *to, size_t size);
};

static bool begin_plain(struct lh_input *input)
{
    (void)input;
    return true;
}

static ssize_t convert_plain(struct lh_input *input, char *to, size_t size)
{
    size_t left = input->length - input->next;
    size_t taken = left < size ? left : size;
    memcpy(to, input->bytes + input->next, taken);
    input->next += taken;
    return (ssize_t)taken;
}

static bool begin_gzip(struct lh_input *input)
{
    return inflateInit2(&input->gzip, GZIP_WINDOW) == Z_OK;
}

static ssize_t convert_gzip(struct lh_input *input, char *to, size_t size)
{
    z_stream *gzip = &input->gzip;
    gzip->next_in = input->bytes + input->next;
    gzip->avail_in = (uInt)(input->length - input->next);
    gzip->next_out = (unsigned char *)to;
    gzip->avail_out = (uInt)size;
    int result = inflate(gzip, Z_NO_FLUSH);
    input->next = input->length - gzip->avail_in;
    if (result == Z_OK || result == Z_STREAM_END) /* else there was nothing to do */
        input->within = result == Z_OK;
    if (result == Z_STREAM_END && inflateReset(gzip) != Z_OK)
        return -1;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return -1;
    return (ssize_t)(size - gzip->avail_out);
}

static bool begin_zstd(struct lh_input *input)
{
    input->zstd = ZSTD_createDStream();
    return input->zstd != NULL;
}

static ssize_t convert_zstd(struct lh_input *input, char *to, size_t size)
{
    ZSTD_inBuffer from = {input->bytes, input->length, input->next};
    ZSTD_outBuffer into = {to, size, 0};
    size_t left = ZSTD_decompressStream(input->zstd, &into, &from);
    if (from.pos > input->next || into.pos > 0) /* else there was nothing to do */
        input->within = left != 0;
    input->next = from.pos;
    return ZSTD_isError(left) != 0 ? -1 : (ssize_t)into.pos;
}

static const struct way ways[] = {
    {"\x1f\x8b", begin_gzip, convert_gzip},
    {"\x28\xb5\x2f\xfd", begin_zstd, convert_zstd},
    {"", begin_plain, convert_plain},
};

/* Adds to what has been read and not used. False: reading failed. */
static bool fill(struct lh_input *input)
{
    ssize_t got;
    memmove(input->bytes, input->bytes + input->next, input->length - input->next);
    input->length -= input->next;
    input->next = 0;
    do
        got = read(input->fd, input->bytes + input->length, sizeof(input->bytes) - input->length);
    while (got < 0 && errno == EINTR);
    input->at_end = got == 0;
    if (got > 0)
        input->length += (size_t)got;
    return got >= 0;
}

static bool choose_way(struct lh_input *input)
{
    const size_t longest = 4;
    while (input->length < longest && !input->at_end)
        if (!fill(input))
            return false;
    input->way = ways;
    while (strncmp((const char *)input->bytes, input->way->magic, strlen(input->way->magic)) != 0)
        input->way++;
    if (input->way->begin(input))
        return true;
    input->way = NULL;
    errno = ENOMEM;
    return false;
}

static ssize_t fail(struct lh_input *input, const char *problem)
{
    input->problem = problem;
    errno = EBADMSG;
    return -1;
}

/* Whoever reads lines keeps all of one; a device, or what is well compressed, may have no end. */
static ssize_t check_line(struct lh_input *input, const char *bytes, size_t made)
{
    const char *newline = memrchr(bytes, '\n', made);
    input->line = newline != NULL ? made - (size_t)(newline + 1 - bytes) : input->line + made;
    return input->line <= LINE_BYTES ? (ssize_t)made : fail(input, endless);
}

/* fopencookie(3): 0 at the end, -1 where it fails. */
static ssize_t read_some(void *cookie, char *to, size_t size)
{
    struct lh_input *input = cookie;
    if (input->way == NULL && !choose_way(input))
        return -1;
    for (;;) {
        ssize_t made = input->way->convert(input, to, size);
        if (made < 0)
            return fail(input, damaged);
        if (made > 0)
            return check_line(input, to, (size_t)made);
        if (input->next < input->length)
            continue;
        if (!input->at_end && !fill(input))
            return -1;
        if (input->at_end && input->next == input->length)
            return input->within ? fail(input, damaged) : 0;
    }
}

struct lh_input *lh_input_open(const char *name)
{
    static const cookie_io_functions_t functions = {.read = read_some};
    struct lh_input *input = calloc(1, sizeof(*input));
    if (input == NULL)
        return NULL;
    input->fd = strcmp(name, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                       : open(name, O_RDONLY | O_CLOEXEC);
    if (input->fd >= 0)
        input->stream = fopencookie(input, "r", functions);
    if (input->stream != NULL)
        return input;
    int error = errno;
    lh_input_close(input);
    errno = error;
    return NULL;
}

void lh_input_close(struct lh_input *input)
{
    if (input->stream != NULL)
        fclose(input->stream);
    if (input->fd >= 0)
        close(input->fd);
    inflateEnd(&input->gzip); /* nothing, where it was not begun */
    ZSTD_freeDStream(input->zstd);
    free(input);
}

FILE *lh_input_stream(struct lh_input *input)
{
    return input->stream;
}

const char *lh_input_problem(const struct lh_input *input)
{
    return input->problem != NULL ? input->problem : strerror(errno);
}

double lh_input_share(const struct lh_input *input)
{
    struct stat file;
    off_t at = lseek(input->fd, 0, SEEK_CUR);
    if (at < 0 || fstat(input->fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size <= 0)
        return -1;
    return at < file.st_size ? (double)at / (double)file.st_size : 1;
}
