/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing any descriptor, made to wait: see scenario.h. */
#include <fcntl.h>
#include <sys/uio.h>

#include "scenario.h"

/* The fortified forms that a program compiled with -D_FORTIFY_SOURCE calls. */
extern ssize_t __read_chk(int fd, void *buf, size_t len, size_t buflen);
extern ssize_t __pread_chk(int fd, void *buf, size_t len, off_t offset, size_t buflen);
extern ssize_t __pread64_chk(int fd, void *buf, size_t len, off64_t offset, size_t buflen);

static char buffer[65536];
static const struct iovec vector = {buffer, 1};

static void make_pipe(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
}

static void make_nonblocking_pipe(void)
{
    CHECK(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
}

static void make_full_pipe(void)
{
    make_nonblocking_pipe();
    while (write(pair[1], buffer, sizeof buffer) > 0)
        ;
    CHECK(fcntl(pair[1], F_SETFL, O_WRONLY) == 0);
}

static void make_file(void)
{
    char name[] = "./loophound-test-XXXXXX";
    pair[0] = mkstemp(name);
    CHECK(pair[0] >= 0 && unlink(name) == 0 && write(pair[0], buffer, 1) == 1);
}

static void write_one(void)
{
    CHECK(write(pair[1], "x", 1) == 1);
}

static void drain(void)
{
    while (read(pair[0], buffer, sizeof buffer) > 0)
        ;
}

static long call_read(void)
{
    return read(pair[0], buffer, 1);
}

static long call_read_chk(void)
{
    return __read_chk(pair[0], buffer, 1, sizeof buffer);
}

static long call_readv(void)
{
    return readv(pair[0], &vector, 1);
}

static long call_write(void)
{
    return write(pair[1], buffer, 1);
}

static long call_writev(void)
{
    return writev(pair[1], &vector, 1);
}

static long call_pread(void)
{
    return pread(pair[0], buffer, 1, 0);
}

static long call_pread64(void)
{
    return pread64(pair[0], buffer, 1, 0);
}

static long call_pread_chk(void)
{
    return __pread_chk(pair[0], buffer, 1, 0, sizeof buffer);
}

static long call_pread64_chk(void)
{
    return __pread64_chk(pair[0], buffer, 1, 0, sizeof buffer);
}

static long call_pwrite(void)
{
    return pwrite(pair[0], buffer, 1, 0);
}

static long call_pwrite64(void)
{
    return pwrite64(pair[0], buffer, 1, 0);
}

static long call_preadv(void)
{
    return preadv(pair[0], &vector, 1, 0);
}

static long call_preadv64(void)
{
    return preadv64(pair[0], &vector, 1, 0);
}

static long call_preadv2(void)
{
    return preadv2(pair[0], &vector, 1, 0, RWF_HIPRI);
}

static long call_preadv64v2(void)
{
    return preadv64v2(pair[0], &vector, 1, 0, RWF_HIPRI);
}

static long call_pwritev(void)
{
    return pwritev(pair[0], &vector, 1, 0);
}

static long call_pwritev64(void)
{
    return pwritev64(pair[0], &vector, 1, 0);
}

static long call_pwritev2(void)
{
    return pwritev2(pair[0], &vector, 1, 0, RWF_HIPRI);
}

static long call_pwritev64v2(void)
{
    return pwritev64v2(pair[0], &vector, 1, 0, RWF_HIPRI);
}

/* A read or write at an offset is of something on a disk, or fails: ready is what fails. */
static const struct scenario rows[] = {
    {"read", make_pipe, call_read, write_one, make_nonblocking_pipe, call_read, 0},
    {"__read_chk", make_pipe, call_read_chk, write_one, make_nonblocking_pipe, call_read_chk, 0},
    {"readv", make_pipe, call_readv, write_one, make_nonblocking_pipe, call_readv, 0},
    {"write", make_full_pipe, call_write, drain, make_nonblocking_pipe, call_write, 0},
    {"writev", make_full_pipe, call_writev, drain, make_nonblocking_pipe, call_writev, 0},
    {"pread", make_file, call_pread, NULL, make_nonblocking_pipe, call_pread, SYS_pread64},
    {"pread64", make_file, call_pread64, NULL, make_nonblocking_pipe, call_pread64, SYS_pread64},
    {"__pread_chk", make_file, call_pread_chk, NULL, make_nonblocking_pipe, call_pread_chk,
     SYS_pread64},
    {"__pread64_chk", make_file, call_pread64_chk, NULL, make_nonblocking_pipe, call_pread64_chk,
     SYS_pread64},
    {"pwrite", make_file, call_pwrite, NULL, make_nonblocking_pipe, call_pwrite, SYS_pwrite64},
    {"pwrite64", make_file, call_pwrite64, NULL, make_nonblocking_pipe, call_pwrite64,
     SYS_pwrite64},
    {"preadv", make_file, call_preadv, NULL, make_nonblocking_pipe, call_preadv, SYS_preadv},
    {"preadv64", make_file, call_preadv64, NULL, make_nonblocking_pipe, call_preadv64, SYS_preadv},
    {"preadv2", make_file, call_preadv2, NULL, make_nonblocking_pipe, call_preadv2, SYS_preadv2},
    {"preadv64v2", make_file, call_preadv64v2, NULL, make_nonblocking_pipe, call_preadv64v2,
     SYS_preadv2},
    {"pwritev", make_file, call_pwritev, NULL, make_nonblocking_pipe, call_pwritev, SYS_pwritev},
    {"pwritev64", make_file, call_pwritev64, NULL, make_nonblocking_pipe, call_pwritev64,
     SYS_pwritev},
    {"pwritev2", make_file, call_pwritev2, NULL, make_nonblocking_pipe, call_pwritev2,
     SYS_pwritev2},
    {"pwritev64v2", make_file, call_pwritev64v2, NULL, make_nonblocking_pipe, call_pwritev64v2,
     SYS_pwritev2},
};

SCENARIO_MAIN(rows)
