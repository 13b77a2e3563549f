/* SPDX-License-Identifier: Apache-2.0 */
/* The rings of io_uring that loops park on: see uring.h. Runs on the program's threads, a few times
 * per ring; raw system calls, little stack. */
#include "preload/loop/uring.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>

#include "common/text.h"
#include "preload/sys/syscall.h"

#define LINE_BYTES 256 /* lines of the list are short; what is longer is none of them */

static const char list_begins[] = "PollList:";
static const char entry_begins[] = "  op=";

static bool begins_with(const char *line, size_t length, const char *begin)
{
    size_t wanted = strlen(begin);
    return length >= wanted && memcmp(line, begin, wanted) == 0;
}

static uint32_t number_at(const char *text, const char *end)
{
    uint32_t number = 0;
    for (; text < end && *text >= '0' && *text <= '9' && number < 1000; text++)
        number = number * 10 + (uint32_t)(*text - '0');
    return number;
}

static bool is_anchor(uint32_t operation)
{
    static const uint8_t operations[] = {IORING_OP_ACCEPT, IORING_OP_POLL_ADD, IORING_OP_READ,
                                         IORING_OP_READV, IORING_OP_READ_FIXED};
    return operation <= UINT8_MAX && memchr(operations, (int)operation, sizeof(operations)) != NULL;
}

void lh_ring_polls_line(struct lh_ring_polls *polls, const char *line, size_t length)
{
    if (begins_with(line, length, list_begins)) {
        polls->in_list = true;
        return;
    }
    polls->in_list = polls->in_list && begins_with(line, length, entry_begins);
    if (!polls->in_list)
        return;
    polls->armed++;
    if (is_anchor(number_at(line + strlen(entry_begins), line + length)))
        polls->anchor = true;
}

bool lh_ring_polls_are_loops(const struct lh_ring_polls *polls, const struct lh_ring_wait *wait)
{
    return polls->anchor && (uint64_t)polls->armed + wait->to_submit > wait->min_complete;
}

static int open_fdinfo(int fd)
{
    char path[64];
    struct lh_text text;
    lh_text_init(&text, path, sizeof(path));
    lh_text_string(&text, "/proc/thread-self/fdinfo/");
    lh_text_u64(&text, (uint64_t)fd);
    return (int)lh_syscall4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
}

/* Hands on the whole lines of the buffer and moves the rest to its beginning: its length. */
static size_t take_lines(struct lh_ring_polls *polls, char *buffer, size_t filled)
{
    char *line = buffer;
    for (;;) {
        char *end = memchr(line, '\n', filled - (size_t)(line - buffer));
        if (end == NULL)
            break;
        lh_ring_polls_line(polls, line, (size_t)(end - line));
        line = end + 1;
    }
    size_t rest = filled - (size_t)(line - buffer);
    memmove(buffer, line, rest);
    return rest < LINE_BYTES ? rest : 0;
}

bool lh_ring_is_loops(const struct lh_ring_wait *wait)
{
    struct lh_ring_polls polls = {0};
    char buffer[2 * LINE_BYTES];
    size_t filled = 0;
    long got = 0;
    int fd = wait->fd >= 0 ? open_fdinfo(wait->fd) : -1;
    if (fd < 0)
        return false;
    while ((got = lh_syscall3(SYS_read, fd, (long)(buffer + filled),
                              (long)(sizeof(buffer) - filled))) > 0)
        filled = take_lines(&polls, buffer, filled + (size_t)got);
    lh_syscall1(SYS_close, fd);
    return lh_ring_polls_are_loops(&polls, wait);
}
