/* SPDX-License-Identifier: Apache-2.0 */
/* See output_write.h. Runs in the collector, on the threads of its rings. */
#include "collect/sink/output_write.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collect/sys/clock.h"
#include "common/units.h"

/* write(2), where a closed pipe is an error number and no signal. */
static ssize_t write_quietly(int fd, const char *bytes, size_t length)
{
    static const struct timespec at_once;
    sigset_t pipe_only;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t written = write(fd, bytes, length);
    int error = errno;
    if (written < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0)
        (void)sigtimedwait(&pipe_only, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}

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
    (void)write_quietly(STDERR_FILENO, line, end + 1);
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
        return write_quietly(file->fd, bytes, length);
    if (!wait_writable(file->fd, 0)) {
        errno = EAGAIN;
        return -1;
    }
    return write_quietly(file->fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
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
