/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals, devices, asynchronous I/O, random numbers, closing, the system's log: see scenario.h.
 */
#include <aio.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <syslog.h>
#include <termios.h>

#include "scenario.h"

/* What a fortified program calls. */
extern void __syslog_chk(int priority, int check, const char *format, ...);
extern void __vsyslog_chk(int priority, int check, const char *format, va_list list);

static char buffer[65536];
static int terminal, waiting;
static struct termios attributes;
static struct timespec timeout;
static char byte, copy;
static struct aiocb job;
static struct aiocb64 job64;
static const struct aiocb *const waited[] = {&job};
static const struct aiocb64 *const waited64[] = {&job64};
static struct iovec here = {&byte, 1}, there = {&copy, 1};
static int listener;
static int tcp[2];

static void make_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(terminal >= 0 && tcgetattr(terminal, &attributes) == 0);
}

static long call_tcdrain(void)
{
    return tcdrain(terminal);
}

static long call_tcsetattr(void)
{
    return tcsetattr(terminal, TCSADRAIN, &attributes);
}

static long call_tcsetattr_now(void)
{
    return tcsetattr(terminal, TCSANOW, &attributes);
}

static long call_tcsendbreak(void)
{
    return tcsendbreak(terminal, 0);
}

static long call_ioctl(void)
{
    return ioctl(terminal, FIONREAD, &waiting);
}

/* A read of a pipe in which nothing is. */
static void make_jobs(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    job = (struct aiocb){.aio_fildes = pair[0], .aio_buf = &byte, .aio_nbytes = 1};
    job64 = (struct aiocb64){.aio_fildes = pair[0], .aio_buf = &byte, .aio_nbytes = 1};
}

static void begin_jobs(void)
{
    make_jobs();
    CHECK(aio_read(&job) == 0 && aio_read64(&job64) == 0);
}

static void begin_jobs_for_a_time(void)
{
    begin_jobs();
    timeout.tv_nsec = delay_ms * 1000000L;
}

static long call_aio_suspend(void)
{
    return aio_suspend(waited, 1, &timeout);
}

static long call_aio_suspend64(void)
{
    return aio_suspend64(waited64, 1, &timeout);
}

static long call_getrandom(void)
{
    return getrandom(buffer, 8, 0);
}

static long call_getentropy(void)
{
    return getentropy(buffer, 8);
}

static long call_process_vm_readv(void)
{
    return process_vm_readv(getpid(), &here, 1, &there, 1, 0);
}

static long call_process_vm_writev(void)
{
    return process_vm_writev(getpid(), &here, 1, &there, 1, 0);
}

/* A connection whose other end does not read, and that has more to send than both ends hold. */
static void make_lingering_socket(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    const struct linger linger = {1, 10};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tcp[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    CHECK(connect(tcp[0], (struct sockaddr *)&address, length) == 0);
    tcp[1] = accept(listener, NULL, NULL);
    CHECK(fcntl(tcp[0], F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    while (send(tcp[0], buffer, sizeof buffer, 0) > 0)
        ;
    CHECK(fcntl(tcp[0], F_SETFL, O_RDWR) == 0);
    CHECK(setsockopt(tcp[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
}

static void read_all(void)
{
    while (read(tcp[1], buffer, sizeof buffer) > 0)
        ;
}

static void make_socket(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tcp) == 0);
}

static long call_close(void)
{
    return close(tcp[0]);
}

static long call_syslog(void)
{
    syslog(LOG_DEBUG | LOG_USER, "%.3f", 2.5);
    return 0;
}

static long call___syslog_chk(void)
{
    __syslog_chk(LOG_DEBUG | LOG_USER, 1, "%.3f", 2.5);
    return 0;
}

static void log_list(void (*write_log)(int, const char *, va_list), ...)
{
    va_list list;
    va_start(list, write_log);
    write_log(LOG_DEBUG | LOG_USER, "%.3f", list);
    va_end(list);
}

static void log_checked(int priority, const char *format, va_list list)
{
    __vsyslog_chk(priority, 1, format, list);
}

static long call_vsyslog(void)
{
    log_list(vsyslog, 2.5);
    return 0;
}

static long call___vsyslog_chk(void)
{
    log_list(log_checked, 2.5);
    return 0;
}

static const struct scenario rows[] = {
    {"tcdrain", make_terminal, call_tcdrain, NULL, NULL, NULL, SYS_ioctl},
    {"tcsetattr", make_terminal, call_tcsetattr, NULL, make_terminal, call_tcsetattr_now,
     SYS_ioctl},
    {"tcsendbreak", make_terminal, call_tcsendbreak, NULL, NULL, NULL, SYS_ioctl},
    {"ioctl", make_terminal, call_ioctl, NULL, make_terminal, call_ioctl, SYS_ioctl},
    {"aio_suspend", begin_jobs_for_a_time, call_aio_suspend, NULL, begin_jobs, call_aio_suspend, 0},
    {"aio_suspend64", begin_jobs_for_a_time, call_aio_suspend64, NULL, begin_jobs,
     call_aio_suspend64, 0},
    {"getrandom", NULL, call_getrandom, NULL, NULL, call_getrandom, SYS_getrandom},
    {"getentropy", NULL, call_getentropy, NULL, NULL, call_getentropy, SYS_getrandom},
    {"process_vm_readv", NULL, call_process_vm_readv, NULL, NULL, call_process_vm_readv,
     SYS_process_vm_readv},
    {"process_vm_writev", NULL, call_process_vm_writev, NULL, NULL, call_process_vm_writev,
     SYS_process_vm_writev},
    {"close", make_lingering_socket, call_close, read_all, make_socket, call_close, 0},
    {"syslog", NULL, call_syslog, NULL, NULL, NULL, SYS_socket},
    {"__syslog_chk", NULL, call___syslog_chk, NULL, NULL, NULL, SYS_socket},
    {"vsyslog", NULL, call_vsyslog, NULL, NULL, NULL, SYS_socket},
    {"__vsyslog_chk", NULL, call___vsyslog_chk, NULL, NULL, NULL, SYS_socket},
};

SCENARIO_MAIN(rows)
