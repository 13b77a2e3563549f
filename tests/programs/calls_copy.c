/* SPDX-License-Identifier: Apache-2.0 */
/* Data moved from one descriptor to another, made to wait: see scenario.h. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "scenario.h"

static char buffer[65536];
static const struct iovec vector = {buffer, 1};
static int from, to;

static void make_pipe(int ends[2], int flags)
{
    CHECK(pipe2(ends, O_CLOEXEC | flags) == 0);
}

/* The pipe `pair` is full; its write end waits. */
static void fill_pair(void)
{
    make_pipe(pair, O_NONBLOCK);
    while (write(pair[1], buffer, sizeof buffer) > 0)
        ;
    CHECK(fcntl(pair[1], F_SETFL, O_WRONLY) == 0);
    to = pair[1];
}

static int memory_file(void)
{
    int fd = memfd_create("source", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, buffer, 1) == 1 && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static int disk_file(void)
{
    char name[] = "./loophound-test-XXXXXX";
    int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0 && write(fd, buffer, 1) == 1);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void make_full_target(void)
{
    fill_pair();
    from = memory_file();
}

static void make_memory_to_nonblocking(void)
{
    make_pipe(pair, O_NONBLOCK);
    to = pair[1];
    from = memory_file();
}

static void make_disk_to_nonblocking(void)
{
    make_pipe(pair, O_NONBLOCK);
    to = pair[1];
    from = disk_file();
}

static void make_disk_files(void)
{
    from = disk_file();
    to = disk_file();
}

static void make_memory_files(void)
{
    from = memory_file();
    to = memory_file();
}

/* Two pipes, nothing in the first. */
static void make_empty_pipes(int flags)
{
    static int second[2];
    make_pipe(pair, flags);
    make_pipe(second, flags);
    from = pair[0];
    to = second[1];
}

static void make_empty_source(void)
{
    make_empty_pipes(0);
}

static void make_empty_source_nonblocking(void)
{
    make_empty_pipes(O_NONBLOCK);
}

static void make_nonblocking_target(void)
{
    make_pipe(pair, O_NONBLOCK);
    to = pair[1];
}

static void drain(void)
{
    while (read(pair[0], buffer, sizeof buffer) > 0)
        ;
}

static void write_one(void)
{
    CHECK(write(pair[1], "x", 1) == 1);
}

static long call_sendfile(void)
{
    return sendfile(to, from, NULL, 1);
}

static long call_sendfile64(void)
{
    return sendfile64(to, from, NULL, 1);
}

static long call_copy_file_range(void)
{
    return copy_file_range(from, NULL, to, NULL, 1, 0);
}

static long call_splice(void)
{
    return splice(from, NULL, to, NULL, 1, 0);
}

static long call_splice_now(void)
{
    return splice(from, NULL, to, NULL, 1, SPLICE_F_NONBLOCK);
}

static long call_tee(void)
{
    return tee(from, to, 1, 0);
}

static long call_vmsplice(void)
{
    return vmsplice(to, &vector, 1, 0);
}

static const struct scenario rows[] = {
    {"sendfile", make_full_target, call_sendfile, drain, make_memory_to_nonblocking, call_sendfile,
     0},
    {"sendfile64", make_disk_to_nonblocking, call_sendfile64, NULL, make_memory_to_nonblocking,
     call_sendfile64, SYS_sendfile},
    {"copy_file_range", make_disk_files, call_copy_file_range, NULL, make_memory_files,
     call_copy_file_range, SYS_copy_file_range},
    {"splice", make_empty_source, call_splice, write_one, make_empty_source, call_splice_now, 0},
    {"tee", make_empty_source, call_tee, write_one, make_empty_source_nonblocking, call_tee, 0},
    {"vmsplice", fill_pair, call_vmsplice, drain, make_nonblocking_target, call_vmsplice, 0},
};

SCENARIO_MAIN(rows)
