/* SPDX-License-Identifier: Apache-2.0 */
/* Strict mode: could this call have waited? See rules.h. */
#include "preload/strict/rules.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fts.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "preload/state/state.h"
#include "preload/strict/disk.h"
#include "preload/strict/noise.h"
#include "preload/sys/clock.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"
#include "preload/sys/threads.h"

static enum lh_waits yes_if(bool condition)
{
    return condition ? LH_WAITS_YES : LH_WAITS_NO;
}

static bool fd_blocks(int fd)
{
    long flags = lh_syscall2(SYS_fcntl, fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

bool lh_opened_could_wait(int fd)
{
    return lh_fd_type(fd) == S_IFIFO ? fd_blocks(fd) : lh_fd_is_on_disk(fd);
}

enum lh_waits lh_rule_always(void)
{
    return LH_WAITS_YES;
}

enum lh_waits lh_rule_time_asked(unsigned time)
{
    return yes_if(time > 0);
}

/* A thread that loses the processor between reading the clock and the call has asked for time all
 * the same: what is ahead of its latest reading counts. */
static bool was_ahead(clockid_t clock, int64_t deadline_ns)
{
    int64_t read_ns = lh_slot_clock_ns(lh_self.slot, clock);
    return deadline_ns > lh_clock_ns(clock) || (read_ns != 0 && deadline_ns > read_ns);
}

enum lh_waits lh_rule_deadline_ahead(clockid_t clock, int flags, const struct timespec *time)
{
    struct timespec asked;
    if ((flags & TIMER_ABSTIME) == 0)
        return lh_rule_timeout_ts(time);
    if (lh_memory_read_self(&asked, (uintptr_t)time, sizeof(asked)) != 0)
        return LH_WAITS_NO;
    return yes_if(was_ahead(clock, asked.tv_sec * LH_NS_PER_S + asked.tv_nsec));
}

/* Devices without a wait: /dev/null, /dev/zero, /dev/full, /dev/random and /dev/urandom (major 1).
 */
static bool is_memory_device(int fd)
{
    struct stat status = {0};
    return lh_syscall2(SYS_fstat, fd, (long)&status) == 0 && S_ISCHR(status.st_mode) &&
           (status.st_rdev >> 8 & 0xfff) == 1;
}

enum lh_waits lh_rule_fd_or_disk(int fd)
{
    if ((fd == STDOUT_FILENO || fd == STDERR_FILENO) && lh_noise_quiets(LH_NOISE_MEMORY_PATHS))
        return LH_WAITS_NO;
    switch (lh_fd_type(fd)) {
    case 0:
        return LH_WAITS_NO;
    case S_IFREG:
    case S_IFDIR:
        return yes_if(lh_file_is_on_disk(fd));
    case S_IFCHR:
        return yes_if(fd_blocks(fd) &&
                      !(is_memory_device(fd) && lh_noise_quiets(LH_NOISE_MEMORY_PATHS)));
    default:
        return yes_if(fd_blocks(fd));
    }
}

enum lh_waits lh_rule_socket(int fd, int flags)
{
    return yes_if((flags & MSG_DONTWAIT) == 0 && lh_fd_type(fd) == S_IFSOCK && fd_blocks(fd));
}

enum lh_waits lh_rule_vector(int fd, int flags)
{
    return (flags & RWF_NOWAIT) != 0 ? LH_WAITS_NO : lh_rule_fd_or_disk(fd);
}

/* SPLICE_F_NONBLOCK is about the pipes; what is at the other end has flags of its own (splice(2)).
 */
static bool splice_waits(int fd, unsigned flags)
{
    if ((flags & SPLICE_F_NONBLOCK) != 0 && lh_fd_type(fd) == S_IFIFO)
        return false;
    return lh_rule_fd_or_disk(fd) == LH_WAITS_YES;
}

enum lh_waits lh_rule_two_fds(int from, int to, unsigned splice_flags)
{
    return yes_if(splice_waits(from, splice_flags) || splice_waits(to, splice_flags));
}

enum lh_waits lh_rule_disk_fd(int fd)
{
    return yes_if(lh_fd_is_on_disk(fd));
}

enum lh_waits lh_rule_path(int dirfd, const char *path, int flags)
{
    return yes_if(lh_path_is_on_disk(dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0));
}

/* The beginning of glibc's DIR (sysdeps/unix/sysv/linux/dirstream.h), the same since 2.0. */
struct directory {
    int fd;
    int lock;
    size_t allocated;
    size_t filled; /* bytes of entries in the buffer */
    size_t next;   /* the entry that is returned next */
};

enum lh_waits lh_rule_directory(DIR *dir)
{
    struct directory directory;
    if (lh_memory_read_self(&directory, (uintptr_t)dir, sizeof(directory)) != 0)
        return LH_WAITS_NO;
    return yes_if(directory.next >= directory.filled && lh_fd_is_on_disk(directory.fd));
}

enum lh_waits lh_rule_opened(void)
{
    return LH_WAITS_IF_OPENED;
}

enum lh_waits lh_rule_timeout_ms(int timeout)
{
    return yes_if(timeout != 0);
}

enum lh_waits lh_rule_timeout_ts(const struct timespec *timeout)
{
    struct timespec asked = {0, 0};
    if (timeout != NULL && lh_memory_read_self(&asked, (uintptr_t)timeout, sizeof(asked)) != 0)
        return LH_WAITS_NO;
    return yes_if(timeout == NULL || asked.tv_sec > 0 || asked.tv_nsec > 0);
}

enum lh_waits lh_rule_timeout_tv(const struct timeval *timeout)
{
    return yes_if(timeout == NULL || timeout->tv_sec > 0 || timeout->tv_usec > 0);
}

enum lh_waits lh_rule_semaphore(sem_t *sem)
{
    int value = 0;
    return yes_if(lh_sem_getvalue(sem, &value) == 0 && value <= 0);
}

enum lh_waits lh_rule_condition(pthread_cond_t *cond)
{
    (void)cond; /* the GIL's is left out for every mode, in block.c */
    return LH_WAITS_YES;
}

enum lh_waits lh_rule_lock_taken(void)
{
    return LH_WAITS_YES; /* the try has just failed */
}

enum lh_waits lh_rule_until(clockid_t clock, const struct timespec *deadline)
{
    return deadline == NULL ? LH_WAITS_YES : lh_rule_deadline_ahead(clock, TIMER_ABSTIME, deadline);
}

/* A number needs no look-up: inet_pton(3) and inet_aton(3) forms, as getaddrinfo(3) accepts them.
 */
enum lh_waits lh_rule_host_name(const char *node, const struct addrinfo *hints)
{
    struct in6_addr address;
    if (node == NULL || (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0))
        return LH_WAITS_NO;
    return yes_if(inet_aton(node, (struct in_addr *)&address) == 0 &&
                  inet_pton(AF_INET6, node, &address) != 1);
}

enum lh_waits lh_rule_fd_blocking(int fd)
{
    return yes_if(fd_blocks(fd));
}

/* O_NONBLOCK makes no difference to it: socket(7). */
enum lh_waits lh_rule_lingers(int fd)
{
    struct linger linger = {0, 0};
    socklen_t length = sizeof(linger);
    long error =
        lh_syscall5(SYS_getsockopt, fd, SOL_SOCKET, SO_LINGER, (long)&linger, (long)&length);
    return yes_if(error == 0 && linger.l_onoff != 0 && linger.l_linger > 0);
}

enum lh_waits lh_rule_time_only(void)
{
    return LH_WAITS_NO;
}

enum lh_waits lh_rule_flag_set(int flags, int wait)
{
    return yes_if((flags & wait) != 0);
}

/* fts(3) reads a directory as a whole when it is entered; then its entries are in memory. */
enum lh_waits lh_rule_tree(const void *tree)
{
    FTS walk;
    FTSENT entry;
    if (lh_memory_read_self(&walk, (uintptr_t)tree, sizeof(walk)) != 0 ||
        lh_memory_read_self(&entry, (uintptr_t)walk.fts_cur, sizeof(entry)) != 0 ||
        (entry.fts_info != FTS_D && entry.fts_instr == FTS_NOINSTR))
        return LH_WAITS_NO;
    return lh_rule_path(AT_FDCWD, entry.fts_accpath, 0);
}

/* wordexp(3): these make it run a shell or look at a disk; a variable may hold one of them. */
enum lh_waits lh_rule_words(const char *words)
{
    return yes_if(strpbrk(words, "$`*?[~") != NULL);
}

enum lh_waits lh_rule_timeval_at(long timeout)
{
    struct timeval asked = {0, 0};
    if (timeout != 0 && lh_memory_read_self(&asked, (uintptr_t)timeout, sizeof(asked)) != 0)
        return LH_WAITS_NO;
    return lh_rule_timeout_tv(timeout != 0 ? &asked : NULL);
}

enum lh_waits lh_rule_futex(long word, long operation, long value)
{
    uint32_t now = 0;
    if (lh_memory_read_self(&now, (uintptr_t)word, sizeof(now)) != 0)
        return LH_WAITS_NO;
    long command = operation & FUTEX_CMD_MASK;
    if (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2)
        return yes_if((now & FUTEX_TID_MASK) != 0);
    return yes_if(now == (uint32_t)value);
}

enum lh_waits lh_rule_flag_unset(int flags, int do_not_wait)
{
    return yes_if((flags & do_not_wait) == 0);
}
