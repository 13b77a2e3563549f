/* SPDX-License-Identifier: Apache-2.0 */
/* See output_write.h. Runs in the collector, on the threads of its rings. */
#include "collect/sink/output_write.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collect/sys/clock.h"
#include "common/units.h"

void lh_output_say(const char *format, ...)
{
    char line[1024] = "loophound: ";
    size_t start = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line + start, sizeof(line) - start - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    size_t end = strlen(line);
    line[end] = '\n';
    (void)!write(STDERR_FILENO, line, end + 1);
}

static bool wait_writable(int fd, int64_t deadline_ns)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    int64_t left_ns = deadline_ns - lh_monotonic_ns();
    int left_ms = left_ns > 0 ? (int)((left_ns + LH_NS_PER_MS - 1) / LH_NS_PER_MS) : 0;
    return poll(&item, 1, left_ms) > 0;
}

static ssize_t write_some(const struct lh_output_file *file, const char *bytes, size_t length)
{
    if (file->way == LH_WAY_SOCKET)
        return send(file->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (file->way == LH_WAY_PLAIN)
        return write(file->fd, bytes, length);
    if (!wait_writable(file->fd, 0)) {
        errno = EAGAIN;
        return -1;
    }
    return write(file->fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

int lh_output_write_all(const struct lh_output_file *file, const char *bytes, size_t length,
                        int64_t deadline_ns, size_t *done)
{
    *done = 0;
    while (*done < length) {
        ssize_t written = write_some(file, bytes + *done, length - *done);
        if (written >= 0) {
            *done += (size_t)written;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return -errno;
        if (lh_monotonic_ns() >= deadline_ns || !wait_writable(file->fd, deadline_ns))
            return -EAGAIN;
    }
    return 0;
}
