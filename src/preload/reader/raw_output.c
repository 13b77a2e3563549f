/* SPDX-License-Identifier: Apache-2.0 */
/* See raw_output.h. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/reader/raw_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>

#include "common/bucket.h"
#include "common/output_name.h"
#include "common/output_rules.h"
#include "common/text.h"
#include "preload/sys/clock.h"
#include "preload/sys/fd.h"
#include "preload/sys/poll.h"
#include "preload/sys/syscall.h"

static struct {
    int fd; /* negative: not open */
    bool is_socket;
    bool asks; /* O_NONBLOCK would not be ours to set */
    bool torn; /* the last line there is not whole */
} output = {.fd = -1};

static struct lh_bucket limit; /* a later watchdog goes on with it */

void lh_raw_output_begin(void)
{
    output.fd = -1;
    output.torn = false;
}

static uid_t own_user(void)
{
    return (uid_t)lh_syscall0(SYS_geteuid);
}

/* ---- descriptors of the program ---- */

/* The same file once more. */
static int open_again(int fd, int flags)
{
    char name[40];
    struct lh_text path;
    lh_text_init(&path, name, sizeof(name));
    lh_text_string(&path, "/proc/thread-self/fd/");
    lh_text_u64(&path, (uint64_t)fd);
    return lh_fd_lift(lh_syscall4(SYS_openat, AT_FDCWD, (long)name, flags, 0));
}

/* O_NONBLOCK belongs to the open file, which the program has, too: the same pipe or terminal once
 * more. A disk file never waits in that sense, and has a position that must stay shared. */
static int open_programs(int fd)
{
    struct stat status = {0};
    int borrowed = lh_fd_borrow(fd);
    if (borrowed < 0 || lh_syscall2(SYS_fstat, borrowed, (long)&status) != 0)
        return borrowed;
    output.is_socket = S_ISSOCK(status.st_mode);
    output.asks = false;
    if (S_ISREG(status.st_mode) || output.is_socket)
        return borrowed;
    int own = open_again(borrowed, LH_OUTPUT_FLAGS);
    output.asks = own < 0;
    if (own < 0)
        return borrowed;
    lh_fd_close(borrowed);
    return own;
}

/* ---- files ---- */

/* Cuts the name off, for as long as its directory is opened. */
static int open_directory(char *path, const char *name)
{
    const char *directory = name == path ? "." : path;
    size_t length = (size_t)(name - path);
    char kept = path[length];
    path[length] = '\0';
    long fd =
        lh_syscall4(SYS_openat, AT_FDCWD, (long)directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    path[length] = kept;
    return lh_fd_lift(fd);
}

static int open_name(int directory, const char *name, bool own_name, bool *shared)
{
    struct stat status = {0};
    long error = lh_syscall2(SYS_fstat, directory, (long)&status);
    if (error != 0)
        return (int)error;
    *shared = lh_output_is_shared(&status, own_user());
    long flags = LH_OUTPUT_FLAGS | (*shared || own_name ? O_NOFOLLOW : 0);
    long fd = lh_syscall4(SYS_openat, directory, (long)name,
                          flags | O_CREAT | (own_name ? O_EXCL : 0), LH_OUTPUT_MODE);
    if (fd != -EEXIST)
        return lh_fd_lift(fd);
    *shared = true;
    return lh_fd_lift(lh_syscall4(SYS_openat, directory, (long)name, flags, 0));
}

static int open_path(char *path, bool own_name)
{
    struct stat status = {0};
    bool shared = true;
    const char *name = lh_base_name(path);
    int directory = open_directory(path, name);
    if (directory < 0)
        return directory;
    int fd = open_name(directory, name, own_name, &shared);
    lh_fd_close(directory);
    if (fd < 0)
        return fd;
    int error = (int)lh_syscall2(SYS_fstat, fd, (long)&status);
    if (error == 0)
        error = lh_output_refusal(&status, shared, own_user());
    if (error == 0)
        return fd;
    lh_fd_close(fd);
    return error;
}

static int open_output(const struct lh_ring *ring)
{
    static char path[PATH_MAX];
    const struct lh_options *options = &ring->options;
    if (options->output_kind == LH_OUTPUT_STDERR)
        return open_programs(2);
    if (options->output_kind == LH_OUTPUT_FD)
        return open_programs(options->output_fd);
    if (lh_output_name(path, sizeof(path), ring, true) != 0)
        return -ENAMETOOLONG;
    output.asks = false;
    output.is_socket = options->output_kind == LH_OUTPUT_UNIX;
    if (output.is_socket)
        return lh_fd_connect(path, SOCK_STREAM);
    return open_path(path, lh_output_has_pid(options->output));
}

/* Does a disk file that is appended to end within a line: a disk was full, a writer was killed? One
 * that cannot be read is believed to end well. */
static bool is_torn(int fd)
{
    char last = '\n';
    struct stat status = {0};
    long flags = lh_syscall2(SYS_fcntl, fd, F_GETFL);
    if (flags < 0 || (flags & O_APPEND) == 0 || lh_syscall2(SYS_fstat, fd, (long)&status) != 0 ||
        !S_ISREG(status.st_mode) || status.st_size == 0)
        return false;
    int reader = open_again(fd, O_RDONLY | O_CLOEXEC);
    if (reader < 0)
        return false;
    lh_syscall4(SYS_pread64, reader, (long)&last, 1, (long)status.st_size - 1);
    lh_fd_close(reader);
    return last != '\n';
}

/* ---- writing ---- */

/* poll(2): a pipe with POLLOUT takes PIPE_BUF bytes. */
static long write_some(const char *bytes, size_t length)
{
    struct pollfd item = {.fd = output.fd, .events = POLLOUT};
    if (output.is_socket)
        return lh_syscall6(SYS_sendto, output.fd, (long)bytes, (long)length,
                           MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (!output.asks)
        return lh_syscall3(SYS_write, output.fd, (long)bytes, (long)length);
    if (lh_poll(&item, 1, 0) <= 0)
        return -EAGAIN;
    return lh_syscall3(SYS_write, output.fd, (long)bytes,
                       (long)(length < PIPE_BUF ? length : PIPE_BUF));
}

static int write_all(const char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        long written = write_some(bytes + done, length - done);
        if (written == -EINTR)
            continue;
        if (written < 0)
            return (int)written;
        done += (size_t)written;
        output.torn = bytes[done - 1] != '\n';
    }
    return 0;
}

static int write_line(const struct lh_ring *ring, const char *line, size_t length)
{
    if (output.fd < 0) {
        output.fd = open_output(ring);
        output.torn = output.fd >= 0 && is_torn(output.fd);
    }
    if (output.fd < 0)
        return output.fd;
    int error = output.torn ? write_all("\n", 1) : 0;
    return error != 0 ? error : write_all(line, length);
}

int lh_raw_output_write(const struct lh_ring *ring, const char *line, size_t length, bool always)
{
    uint64_t most = ring->options.output_limit;
    int64_t now_ns = lh_clock_ns(CLOCK_MONOTONIC);
    struct lh_bucket left = limit;
    if (always)
        lh_bucket_take_anyway(&left, most, length, now_ns);
    else if (!lh_bucket_take(&left, most, length, now_ns))
        return -EOVERFLOW;
    int error = write_line(ring, line, length);
    if (error == 0)
        limit = left;
    return error;
}
