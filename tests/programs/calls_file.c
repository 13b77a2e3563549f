/* SPDX-License-Identifier: Apache-2.0 */
/* Files, file locks and stdio streams: see scenario.h. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "scenario.h"

/* What a program compiled with -D_FORTIFY_SOURCE or -D_FILE_OFFSET_BITS=64 calls. */
extern int __open_2(const char *path, int flags);
extern int __open64_2(const char *path, int flags);
extern int __openat_2(int dirfd, const char *path, int flags);
extern int __openat64_2(int dirfd, const char *path, int flags);
extern int fcntl64(int fd, int command, ...);
extern char *__fgets_chk(char *buf, size_t buflen, int size, FILE *stream);
extern size_t __fread_chk(void *buf, size_t buflen, size_t size, size_t count, FILE *stream);

static char fifo[] = "./loophound-test-XXXXXX";
static FILE *stream;
static char line[16];
static int fifo_flags = O_RDONLY | O_CLOEXEC;
static struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

static void remove_fifo(void)
{
    unlink(fifo);
}

/* Opening a FIFO to read waits for a writer (fifo(7)). */
static void make_fifo(void)
{
    int fd = mkstemp(fifo);
    CHECK(fd >= 0 && close(fd) == 0 && unlink(fifo) == 0 && mkfifo(fifo, 0600) == 0);
    atexit(remove_fifo);
}

static void make_fifo_nonblocking(void)
{
    make_fifo();
    fifo_flags |= O_NONBLOCK;
}

static void open_to_write(void)
{
    CHECK(open(fifo, O_WRONLY | O_CLOEXEC) >= 0);
}

static long call_open(void)
{
    return open(fifo, fifo_flags);
}

static long call_open64(void)
{
    return open64(fifo, fifo_flags);
}

static long call_open_2(void)
{
    return __open_2(fifo, fifo_flags);
}

static long call_open64_2(void)
{
    return __open64_2(fifo, fifo_flags);
}

static long call_openat(void)
{
    return openat(AT_FDCWD, fifo, fifo_flags);
}

static long call_openat64(void)
{
    return openat64(AT_FDCWD, fifo, fifo_flags);
}

static long call_openat_2(void)
{
    return __openat_2(AT_FDCWD, fifo, fifo_flags);
}

static long call_openat64_2(void)
{
    return __openat64_2(AT_FDCWD, fifo, fifo_flags);
}

/* One file, opened twice. */
static void make_files(void)
{
    char name[] = "./loophound-test-XXXXXX";
    pair[0] = mkstemp(name);
    pair[1] = open(name, O_RDWR | O_CLOEXEC);
    CHECK(pair[0] >= 0 && pair[1] >= 0 && unlink(name) == 0);
}

static void make_flocked(void)
{
    make_files();
    CHECK(flock(pair[1], LOCK_EX) == 0);
}

static void make_record_locked(void)
{
    make_files();
    CHECK(fcntl(pair[1], F_OFD_SETLK, &whole_file) == 0);
}

static void unlock_file(void)
{
    CHECK(flock(pair[1], LOCK_UN) == 0);
}

static void unlock_record(void)
{
    struct flock unlock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    CHECK(fcntl(pair[1], F_OFD_SETLK, &unlock) == 0);
}

static void make_pipe(void)
{
    CHECK(pipe(pair) == 0);
}

static long call_flock(void)
{
    return flock(pair[0], LOCK_EX);
}

static long call_flock_now(void)
{
    return flock(pair[0], LOCK_EX | LOCK_NB);
}

static long call_fcntl(void)
{
    return fcntl(pair[0], F_OFD_SETLKW, &whole_file);
}

static long call_fcntl_now(void)
{
    return fcntl(pair[0], F_OFD_SETLK, &whole_file);
}

static long call_fcntl64(void)
{
    return fcntl64(pair[0], F_SETLKW, &whole_file);
}

static long call_fcntl64_now(void)
{
    return fcntl64(pair[0], F_SETLK, &whole_file);
}

static long call_fsync(void)
{
    return fsync(pair[0]);
}

static long call_fdatasync(void)
{
    return fdatasync(pair[0]);
}

static void make_stream(void)
{
    make_pipe();
    stream = fdopen(pair[0], "r");
    CHECK(stream);
}

/* The buffer holds the second line already. */
static void make_stream_ready(void)
{
    make_stream();
    CHECK(write(pair[1], "one\ntwo\n", 8) == 8);
    CHECK(fgets(line, sizeof line, stream));
}

static void write_line(void)
{
    CHECK(write(pair[1], "one\n", 4) == 4);
}

static long call_fgets(void)
{
    return fgets(line, sizeof line, stream) ? 0 : -1;
}

static long call_fgets_chk(void)
{
    return __fgets_chk(line, sizeof line, sizeof line, stream) ? 0 : -1;
}

static long call_fread(void)
{
    return (long)fread(line, 1, 4, stream);
}

static long call_fread_chk(void)
{
    return (long)__fread_chk(line, sizeof line, 1, 4, stream);
}

#if __GLIBC_PREREQ(2, 43)
static long call_openat2(void)
{
    const struct open_how how = {.flags = (unsigned)fifo_flags};
    return openat2(AT_FDCWD, fifo, &how, sizeof how);
}
#endif

static const struct scenario rows[] = {
    {"open", make_fifo, call_open, open_to_write, make_fifo_nonblocking, call_open, 0},
    {"open64", make_fifo, call_open64, open_to_write, make_fifo_nonblocking, call_open64, 0},
    {"__open_2", make_fifo, call_open_2, open_to_write, make_fifo_nonblocking, call_open_2, 0},
    {"__open64_2", make_fifo, call_open64_2, open_to_write, make_fifo_nonblocking, call_open64_2,
     0},
    {"openat", make_fifo, call_openat, open_to_write, make_fifo_nonblocking, call_openat, 0},
    {"openat64", make_fifo, call_openat64, open_to_write, make_fifo_nonblocking, call_openat64, 0},
#if __GLIBC_PREREQ(2, 43)
    {"openat2", make_fifo, call_openat2, open_to_write, make_fifo_nonblocking, call_openat2, 0},
#endif
    {"__openat_2", make_fifo, call_openat_2, open_to_write, make_fifo_nonblocking, call_openat_2,
     0},
    {"__openat64_2", make_fifo, call_openat64_2, open_to_write, make_fifo_nonblocking,
     call_openat64_2, 0},
    {"flock", make_flocked, call_flock, unlock_file, make_files, call_flock_now, 0},
    {"fcntl", make_record_locked, call_fcntl, unlock_record, make_files, call_fcntl_now, 0},
    {"fcntl64", make_record_locked, call_fcntl64, unlock_record, make_files, call_fcntl64_now, 0},
    {"fsync", make_files, call_fsync, NULL, make_pipe, call_fsync, SYS_fsync},
    {"fdatasync", make_files, call_fdatasync, NULL, make_pipe, call_fdatasync, SYS_fdatasync},
    {"fgets", make_stream, call_fgets, write_line, make_stream_ready, call_fgets, 0},
    {"__fgets_chk", make_stream, call_fgets_chk, write_line, make_stream_ready, call_fgets_chk, 0},
    {"fread", make_stream, call_fread, write_line, make_stream_ready, call_fread, 0},
    {"__fread_chk", make_stream, call_fread_chk, write_line, make_stream_ready, call_fread_chk, 0},
};

SCENARIO_MAIN(rows)
