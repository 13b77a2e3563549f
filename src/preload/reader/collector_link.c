/* SPDX-License-Identifier: Apache-2.0 */
/* The ring and whoever reads it. Runs on the watchdog: raw system calls, no libc state, no malloc.
 */
#include "preload/reader/collector_link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/protocol.h"
#include "common/units.h"
#include "preload/reader/hang.h"
#include "preload/reader/new_ring.h"
#include "preload/reader/no_collector.h"
#include "preload/reader/raw_lines.h"
#include "preload/reader/spawn.h"
#include "preload/state/image.h"
#include "preload/state/state.h"
#include "preload/state/suspends.h"
#include "preload/sys/clock.h"
#include "preload/sys/fd.h"
#include "preload/sys/poll.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"

#define CONNECT_TRIES   100
#define CONNECT_WAIT_NS (10 * LH_NS_PER_MS)

#define FINISH_NS      (190 * LH_NS_PER_MS) /* below the 200 ms of lifecycle.c */
#define FINISH_LOOK_NS LH_NS_PER_MS

#define COLLECTORS_MAX 3 /* started anew so often when they die, then raw lines */

/* Of one process: begins anew in a child of fork, see lh_link_make_ring(). */
static struct {
    int ring_fd;
    int socket_fd;      /* -1: none, or lost with an earlier watchdog's descriptors */
    struct stat stderr; /* what that was when the collector was started */
    unsigned collectors;
    bool starts;         /* one that was started has not taken the ring yet */
    const char *problem; /* why none is started any more; NULL: nothing is known */
    bool raw;            /* no collector can be had: the watchdog reads the ring */
    bool over;           /* nobody wants to read it any more */
} attach;

bool lh_link_make_ring(const char *problem)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    if (ring == NULL)
        memset(&attach, 0, sizeof(attach));
    if (ring == NULL)
        lh_hang_begin(0);
    attach.socket_fd = -1;
    attach.ring_fd = -1;
    bool keep = ring != NULL && (attach.raw || atomic_load(&ring->attached) != 0);
    lh_raw_lines_reset(!keep);
    if (keep)
        return true;
    /* Nobody reads the old ring and its descriptor is gone; a ring without a reader holds nothing
     * but what a block would have brought a collector for. */
    attach.ring_fd = lh_new_ring(ring, problem);
    return attach.ring_fd >= 0;
}

static long send_hello(int socket_fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    long maps = lh_fd_lift(
        lh_syscall4(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0));
    struct lh_hello hello = {LH_RING_MAGIC, sizeof(struct lh_ring),
                             (uint32_t)lh_syscall0(SYS_getpid)};
    struct iovec body = {&hello, sizeof(hello)};
    struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1, .msg_control = &control};
    int fds[2] = {attach.ring_fd, (int)maps};
    size_t size = maps >= 0 ? sizeof(fds) : sizeof(fds[0]); /* there may be no /proc */
    message.msg_controllen = CMSG_SPACE(size);
    memset(&control, 0, sizeof(control));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(&control.header), fds, size);
    long sent = lh_syscall3(SYS_sendmsg, socket_fd, (long)&message, MSG_NOSIGNAL | MSG_DONTWAIT);
    lh_fd_close((int)maps);
    return sent < 0 ? sent : 0;
}

/* The directory of `run` is no more, nor is its process: it has said its last line. What is
 * still on its way then (a server of forks, a daemon) has no place on its standard error. */
static bool run_is_over(void)
{
    static const char name[] = "/" LH_RUN_DIRECTORY;
    const char *at = NULL; /* the last one: it may be below a directory of such a name */
    for (const char *next = lh_image.run_socket; (next = strstr(next, name)) != NULL; next++)
        at = next;
    bool has_file = lh_options.output_kind == LH_OUTPUT_PATH;
    if (at == NULL || has_file)
        return false;
    uint64_t pid = lh_proc_field(at + sizeof(name) - 1, 0);
    return lh_syscall3(SYS_tgkill, (long)pid, (long)pid, 0) == -ESRCH;
}

/* EAGAIN: so many processes come at this moment that it cannot even note us (unix(7)). */
static int connect_to_run(void)
{
    int fd = -EAGAIN;
    for (int tries = 0; fd == -EAGAIN && tries < CONNECT_TRIES; tries++) {
        if (tries > 0)
            lh_poll(NULL, 0, CONNECT_WAIT_NS);
        fd = lh_fd_connect(lh_image.run_socket, SOCK_SEQPACKET);
    }
    return fd;
}

static bool join_run(void)
{
    if (lh_image.run_socket[0] == '\0')
        return false;
    int fd = connect_to_run();
    if (fd < 0) {
        attach.over = fd == -ENOENT && run_is_over();
        return false;
    }
    if (send_hello(fd) != 0) {
        lh_syscall1(SYS_close, fd);
        return false;
    }
    attach.socket_fd = fd;
    return true;
}

/* The one descriptor of the program that the collector gets: whoever reads that to its end waits
 * for the collector too, who may be stopped. */
static int borrow_output(void)
{
    switch (lh_options.output_kind) {
    case LH_OUTPUT_STDERR:
        return lh_fd_borrow(2);
    case LH_OUTPUT_FD:
        return lh_fd_borrow(lh_options.output_fd);
    default:
        return -1;
    }
}

static void note_stderr(void)
{
    int fd = lh_fd_borrow(2);
    attach.stderr = (struct stat){0};
    if (fd >= 0)
        lh_syscall2(SYS_fstat, fd, (long)&attach.stderr);
    lh_fd_close(fd);
}

static int start_collector(const char *path)
{
    int pair[2] = {-1, -1};
    long error = lh_syscall4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (long)pair);
    if (error < 0)
        return (int)error;
    int ours = lh_fd_lift(pair[0]);
    int theirs = lh_fd_lift(pair[1]);
    int output_fd = borrow_output();
    note_stderr();
    error = send_hello(ours);
    uint32_t pid = 0;
    if (error == 0)
        error = lh_spawn_collector(path, theirs, output_fd, &pid);
    lh_fd_close(theirs);
    lh_fd_close(output_fd);
    lh_hang_begin(pid);
    attach.starts = error == 0;
    attach.socket_fd = error == 0 ? ours : -1;
    if (error != 0)
        lh_fd_close(ours);
    return (int)error;
}

/* A collector is orphaned on purpose. This process would inherit it (prctl(2),
 * PR_SET_CHILD_SUBREAPER; pid_namespaces(7)), and be told of a child that it never made. */
static bool takes_in_orphans(void)
{
    int subreaper = 0;
    lh_syscall5(SYS_prctl, PR_GET_CHILD_SUBREAPER, (long)&subreaper, 0, 0, 0);
    return subreaper != 0 || lh_syscall0(SYS_getpid) == 1;
}

static bool has_collector(void)
{
    int error = -ECHILD;
    if (lh_image.collector[0] == '\0')
        return false;
    if (takes_in_orphans()) {
        lh_no_collector_say("loophound: this process is pid 1 or a child subreaper and would get "
                            "the collector as a child: none is started; writing raw JSON lines "
                            "(start it with loophound run)\n");
        return false;
    }
    if (attach.problem == NULL && attach.collectors++ < COLLECTORS_MAX)
        error = start_collector(lh_image.collector);
    if (error != 0)
        lh_no_collector_say_why(error, attach.problem);
    return error == 0;
}

/* Waits for others, which must not pass for a time in which the process was held; but what comes
 * after they are done may be one. */
static bool has_reader(void)
{
    lh_suspends_before(-1);
    bool found = (attach.problem == NULL && join_run()) || (!attach.over && has_collector());
    lh_suspends_after();
    lh_suspends_begin();
    return found;
}

static void find_reader(struct lh_ring *ring)
{
    if (attach.ring_fd < 0)
        attach.ring_fd = lh_new_ring(ring, NULL);
    if (attach.ring_fd < 0)
        return;
    if (attach.problem == NULL)
        atomic_store(&ring->reader, 0);
    if (!has_reader()) {
        attach.raw = !attach.over;
        return;
    }
    /* Before it says so itself: a watchdog that takes over from this one must not make another
     * ring while the reader maps this one. */
    atomic_store(&ring->attached, 1);
}

/* A line for the program's standard error. It is not kept open here; and by now that number may be
 * another file, which is none of ours to write to. False: there is none, nor will be. */
static bool pass_on_a_line(void)
{
    static char line[1024];
    struct stat status = {0};
    long length = lh_syscall3(SYS_read, attach.socket_fd, (long)line, sizeof(line));
    int fd = length > 0 ? lh_fd_borrow(2) : -1;
    if (fd >= 0 && lh_syscall2(SYS_fstat, fd, (long)&status) == 0 &&
        status.st_dev == attach.stderr.st_dev && status.st_ino == attach.stderr.st_ino)
        lh_syscall3(SYS_write, fd, (long)line, length);
    lh_fd_close(fd);
    return length > 0;
}

/* A watchdog that took over after a fork has no descriptor of it, but the kernel marks this word.
 */
static bool reader_has_died(void)
{
    const struct lh_ring *ring = atomic_load(&lh_process->ring);
    return ring != NULL && attach.socket_fd < 0 && atomic_load(&ring->attached) != 0 &&
           (atomic_load(&ring->reader) & FUTEX_OWNER_DIED) != 0;
}

/* Its end of the socket is closed: it has ended, or it could not even start to run. */
static bool reader_is_gone(void)
{
    if (reader_has_died())
        return true;
    struct pollfd poll = {.fd = attach.socket_fd, .events = POLLIN};
    while (attach.socket_fd >= 0 && lh_poll(&poll, 1, 0) == 1) {
        if ((poll.revents & POLLIN) == 0 || !pass_on_a_line())
            return true;
    }
    return false;
}

void lh_link_end(void)
{
    (void)reader_is_gone();
}

/* A collector that was started, and has ended or hangs before it has taken the ring: the next one
 * would do the same. What is in the ring is ours then, should this one come to itself. */
static bool start_has_failed(struct lh_ring *ring, bool gone)
{
    uint32_t nobody = 0;
    if (!attach.starts)
        return false;
    bool ended = gone || lh_hang_is_gone();
    const char *problem =
        ended ? "it ends at once" : lh_hang_seen(atomic_load(&ring->closing) != 0);
    if (atomic_load(&ring->reader) == 0 && problem == NULL)
        return false;
    attach.starts = false;
    if (!atomic_compare_exchange_strong(&ring->reader, &nobody, LH_READER_IS_PROGRAM))
        return false;
    attach.problem = problem;
    return true;
}

/* A collector that was started, has taken the ring, and reads nothing of it. It keeps that one, of
 * which nothing is left for it to tell. */
static bool reading_has_failed(struct lh_ring *ring)
{
    uint64_t read = lh_ring_resume(ring);
    const char *problem = attach.starts || attach.socket_fd < 0
                              ? NULL
                              : lh_hang_reading(read, read != atomic_load(&ring->head));
    if (problem == NULL)
        return false;
    lh_fd_close(attach.ring_fd);
    attach.problem = problem;
    attach.ring_fd = lh_new_ring(ring, NULL);
    if (attach.ring_fd < 0) { /* it has the ring for ever */
        attach.problem = NULL;
        lh_hang_begin(0);
        return false;
    }
    atomic_store(&ring->reader, LH_READER_IS_PROGRAM);
    return true;
}

void lh_link_serve(void)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    bool gone = reader_is_gone();
    if (start_has_failed(ring, gone) || gone || reading_has_failed(ring)) {
        lh_fd_close(attach.socket_fd);
        attach.socket_fd = -1;
        atomic_store(&ring->attached, 0);
        atomic_store(&lh_process->collector_wanted, 1);
    }
    if (!attach.raw && !attach.over && attach.socket_fd < 0 && atomic_load(&ring->attached) == 0 &&
        atomic_load(&lh_process->collector_wanted) != 0)
        find_reader(ring);
    if (attach.raw)
        lh_raw_lines_drain(ring);
}

void lh_link_finish(void)
{
    const struct lh_ring *ring = atomic_load(&lh_process->ring);
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + FINISH_NS;
    lh_link_serve();
    while (attach.starts && atomic_load(&ring->closing) != 0 &&
           lh_clock_ns(CLOCK_MONOTONIC) < end) {
        lh_poll(NULL, 0, FINISH_LOOK_NS);
        lh_link_serve();
    }
}

void lh_link_forget_samples(void)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    if (!attach.raw && atomic_load(&ring->attached) == 0)
        lh_ring_forget_samples(ring);
}
