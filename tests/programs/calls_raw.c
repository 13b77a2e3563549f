/* SPDX-License-Identifier: Apache-2.0 */
/* System calls made through syscall(2): see scenario.h. Where nothing else is said the kernel is
 * slow at them. The epoll family waits on another set than the loop's own, or parks on its own. */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "scenario.h"
#include "silent.h"

static uint32_t word;
static char byte;
static struct iovec piece = {&byte, 1};
static struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
static struct timespec pause_time;
static struct timeval pause_tv;
static struct sockaddr_in address = {.sin_family = AF_INET};
static int other_set, listener, file;
static pid_t child;
static char disk_path[] = "loophound-test-XXXXXX";
static const char *path = disk_path;
static const struct open_how open_how = {.flags = O_RDONLY | O_CLOEXEC};

static void time_long(void)
{
    pause_time = (struct timespec){delay_ms / 1000, (delay_ms % 1000) * 1000000L};
    pause_tv = (struct timeval){pause_time.tv_sec, pause_time.tv_nsec / 1000};
    other_set = silent_set();
}

static void time_none(void)
{
    word = 1; /* is waited on as 0 */
}

static int milliseconds(void)
{
    return (int)(pause_time.tv_sec * 1000 + pause_time.tv_nsec / 1000000);
}

static void make_pipe(void)
{
    CHECK(pipe(pair) == 0);
}

static void make_nonblocking_pipe(void)
{
    CHECK(pipe2(pair, O_NONBLOCK) == 0);
}

static void release_reader(void)
{
    CHECK(write(pair[1], "x", 1) == 1);
}

/* A pair in which there is something to read, waiting or not. */
static void make_pair(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(send(pair[1], "xxxx", 4, 0) == 4);
}

static void make_nonblocking_pair(void)
{
    make_pair();
    CHECK(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
}

static void make_listener(void)
{
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 2) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
}

static void make_client(void)
{
    make_listener();
    CHECK(connect(pair[0], (struct sockaddr *)&address, sizeof address) == 0);
}

static void make_nonblocking_client(void)
{
    make_client();
    CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
}

static void remove_file(void)
{
    unlink(disk_path);
}

static void make_file(void)
{
    file = mkstemp(disk_path);
    CHECK(file >= 0 && atexit(remove_file) == 0);
    CHECK(pwrite(file, "x", 1, 0) == 1);
}

static void make_memory_file(void)
{
    path = "/dev/null";
    CHECK((file = open(path, O_RDONLY)) >= 0);
}

static void make_child(void)
{
    CHECK((child = fork()) >= 0);
    if (child == 0)
        _exit(0);
}

static struct timespec *again(void)
{
    static struct timespec time; /* the kernel writes what is left of it */
    time = pause_time;
    return &time;
}

#define CALL_AS(name, ...)                                                                         \
    static long name(void)                                                                         \
    {                                                                                              \
        return syscall(__VA_ARGS__);                                                               \
    }

CALL_AS(call_futex, SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, again())
CALL_AS(call_nanosleep, SYS_nanosleep, &pause_time, NULL)
CALL_AS(call_clock_nanosleep, SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause_time, NULL)
#ifdef SYS_poll
CALL_AS(call_poll, SYS_poll, silent_array(), 1, milliseconds())
#endif
CALL_AS(call_ppoll, SYS_ppoll, silent_array(), 1, again(), NULL, 8)
#ifdef SYS_select
CALL_AS(call_select, SYS_select, silent_socket() + 1, silent_sets(), NULL, NULL, &pause_tv)
#endif
CALL_AS(call_pselect6, SYS_pselect6, silent_socket() + 1, silent_sets(), NULL, NULL, again(), NULL)
#ifdef SYS_epoll_wait
CALL_AS(call_epoll_wait, SYS_epoll_wait, other_set, &byte, 1, milliseconds())
#endif
CALL_AS(call_epoll_pwait, SYS_epoll_pwait, other_set, &byte, 1, milliseconds(), NULL, 8)
CALL_AS(call_epoll_pwait2, SYS_epoll_pwait2, other_set, &byte, 1, again(), NULL, 8)
#ifdef SYS_epoll_wait
CALL_AS(park_epoll_wait, SYS_epoll_wait, own_set, &byte, 1, milliseconds())
#endif
CALL_AS(park_epoll_pwait, SYS_epoll_pwait, own_set, &byte, 1, milliseconds(), NULL, 8)
CALL_AS(park_epoll_pwait2, SYS_epoll_pwait2, own_set, &byte, 1, again(), NULL, 8)
CALL_AS(call_io_uring, SYS_io_uring_enter, -1, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0)
CALL_AS(submit_io_uring, SYS_io_uring_enter, -1, 1, 0, 0, NULL, 0)
CALL_AS(call_read, SYS_read, pair[0], &byte, 1)
CALL_AS(call_readv, SYS_readv, pair[0], &piece, 1)
CALL_AS(call_write, SYS_write, pair[1], &byte, 1)
CALL_AS(call_writev, SYS_writev, pair[1], &piece, 1)
CALL_AS(call_recvfrom, SYS_recvfrom, pair[0], &byte, 1, 0, NULL, NULL)
CALL_AS(call_recvmsg, SYS_recvmsg, pair[0], &message, 0)
CALL_AS(call_sendto, SYS_sendto, pair[0], &byte, 1, 0, NULL, 0)
CALL_AS(call_sendmsg, SYS_sendmsg, pair[0], &message, 0)
CALL_AS(call_connect, SYS_connect, pair[0], &address, sizeof address)
CALL_AS(call_accept, SYS_accept, listener, NULL, NULL)
CALL_AS(call_accept4, SYS_accept4, listener, NULL, NULL, 0)
CALL_AS(call_pread, SYS_pread64, file, &byte, 1, 0)
CALL_AS(call_pwrite, SYS_pwrite64, file, &byte, 1, 0)
CALL_AS(call_fsync, SYS_fsync, file)
CALL_AS(call_fdatasync, SYS_fdatasync, file)
CALL_AS(call_flock, SYS_flock, file, LOCK_EX)
CALL_AS(try_flock, SYS_flock, file, LOCK_EX | LOCK_NB)
CALL_AS(call_openat, SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC)
CALL_AS(call_openat2, SYS_openat2, AT_FDCWD, path, &open_how, sizeof open_how)
CALL_AS(call_fanotify_mark, SYS_fanotify_mark, -1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, path)
CALL_AS(call_wait4, SYS_wait4, child, NULL, 0, NULL)
CALL_AS(try_wait4, SYS_wait4, child, NULL, WNOHANG, NULL)
CALL_AS(call_waitid, SYS_waitid, P_PID, child, NULL, WEXITED, NULL)
CALL_AS(try_waitid, SYS_waitid, P_PID, child, NULL, WEXITED | WNOHANG, NULL)

static long ok(long returned)
{
    return returned > 0 ? 1 : returned; /* pids and descriptors differ from run to run */
}

static long wait4_ok(void)
{
    return ok(call_wait4());
}

static const struct scenario rows[] = {
    {"syscall_futex", time_long, call_futex, NULL, time_none, call_futex, 0},
    {"syscall_nanosleep", time_long, call_nanosleep, NULL, time_none, call_nanosleep, 0},
    {"syscall_clock_nanosleep", time_long, call_clock_nanosleep, NULL, time_none,
     call_clock_nanosleep, 0},
#ifdef SYS_poll
    {"syscall_poll", time_long, call_poll, NULL, time_none, call_poll, 0},
#endif
    {"syscall_ppoll", time_long, call_ppoll, NULL, time_none, call_ppoll, 0},
#ifdef SYS_select
    {"syscall_select", time_long, call_select, NULL, time_none, call_select, 0},
#endif
    {"syscall_pselect6", time_long, call_pselect6, NULL, time_none, call_pselect6, 0},
#ifdef SYS_epoll_wait
    {"syscall_epoll_wait", time_long, call_epoll_wait, NULL, time_long, park_epoll_wait, 0},
#endif
    {"syscall_epoll_pwait", time_long, call_epoll_pwait, NULL, time_long, park_epoll_pwait, 0},
    {"syscall_epoll_pwait2", time_long, call_epoll_pwait2, NULL, time_long, park_epoll_pwait2, 0},
    {"syscall_io_uring_enter", NULL, call_io_uring, NULL, NULL, submit_io_uring,
     SYS_io_uring_enter},
    {"syscall_read", make_pipe, call_read, release_reader, make_nonblocking_pipe, call_read, 0},
    {"syscall_readv", make_pipe, call_readv, release_reader, make_nonblocking_pipe, call_readv, 0},
    {"syscall_write", make_pipe, call_write, NULL, make_nonblocking_pipe, call_write, SYS_write},
    {"syscall_writev", make_pipe, call_writev, NULL, make_nonblocking_pipe, call_writev,
     SYS_writev},
    {"syscall_recvfrom", make_pair, call_recvfrom, NULL, make_nonblocking_pair, call_recvfrom,
     SYS_recvfrom},
    {"syscall_recvmsg", make_pair, call_recvmsg, NULL, make_nonblocking_pair, call_recvmsg,
     SYS_recvmsg},
    {"syscall_sendto", make_pair, call_sendto, NULL, make_nonblocking_pair, call_sendto,
     SYS_sendto},
    {"syscall_sendmsg", make_pair, call_sendmsg, NULL, make_nonblocking_pair, call_sendmsg,
     SYS_sendmsg},
    {"syscall_connect", make_listener, call_connect, NULL, NULL, NULL, SYS_connect},
    {"syscall_accept", make_client, call_accept, NULL, make_nonblocking_client, call_accept,
     SYS_accept},
    {"syscall_accept4", make_client, call_accept4, NULL, make_nonblocking_client, call_accept4,
     SYS_accept4},
    {"syscall_pread64", make_file, call_pread, NULL, make_memory_file, call_pread, SYS_pread64},
    {"syscall_pwrite64", make_file, call_pwrite, NULL, make_memory_file, call_pwrite, SYS_pwrite64},
    {"syscall_fsync", make_file, call_fsync, NULL, make_memory_file, call_fsync, SYS_fsync},
    {"syscall_fdatasync", make_file, call_fdatasync, NULL, make_memory_file, call_fdatasync,
     SYS_fdatasync},
    {"syscall_flock", make_file, call_flock, NULL, make_file, try_flock, SYS_flock},
    {"syscall_openat", make_file, call_openat, NULL, make_memory_file, call_openat, SYS_openat},
    {"syscall_openat2", make_file, call_openat2, NULL, make_memory_file, call_openat2, SYS_openat2},
    {"syscall_fanotify_mark", make_file, call_fanotify_mark, NULL, make_memory_file,
     call_fanotify_mark, SYS_fanotify_mark},
    {"syscall_wait4", make_child, wait4_ok, NULL, make_child, try_wait4, SYS_wait4},
    {"syscall_waitid", make_child, call_waitid, NULL, make_child, try_waitid, SYS_waitid},
};

SCENARIO_MAIN(rows)
