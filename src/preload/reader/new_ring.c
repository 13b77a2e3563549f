/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the ring. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/reader/new_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>

#include "common/text.h"
#include "preload/python/interpreter.h"
#include "preload/state/image.h"
#include "preload/state/state.h"
#include "preload/sys/clock.h"
#include "preload/sys/fd.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"
#include "preload/v8/engine.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

static long make_memfd(void)
{
    long fd = lh_syscall2(SYS_memfd_create, (long)"loophound", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd == -EINVAL)
        fd = lh_syscall2(SYS_memfd_create, (long)"loophound", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return lh_fd_lift(fd);
}

/* What cannot be seen, a line each. */
static void fill_warnings(struct lh_ring *ring, const char *problem)
{
    struct lh_text warnings;
    const char *denied = lh_memory_is_denied() ? "there are no stacks: this process may not read "
                                                 "its own memory (process_vm_readv, /proc/self/mem)"
                                               : NULL;
    const char *const lines[] = {lh_python_problem(), lh_v8_problem(), problem, denied,
                                 lh_proc_problem()};
    lh_text_init(&warnings, ring->warnings, sizeof(ring->warnings));
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (lines[i] == NULL)
            continue;
        lh_text_string(&warnings, warnings.length > 0 ? "\n" : "");
        lh_text_string(&warnings, lines[i]);
    }
}

static void fill_header(struct lh_ring *ring, const char *problem)
{
    lh_ring_init(ring, (uint32_t)lh_syscall0(SYS_getpid), &lh_options);
    ring->started_ns = lh_clock_ns(CLOCK_REALTIME);
    lh_text_copy(ring->exe, sizeof(ring->exe), lh_image.exe);
    lh_text_copy(ring->cwd, sizeof(ring->cwd), lh_image.cwd);
    memcpy(ring->argv, lh_image.argv, sizeof(ring->argv));
    ring->argv_length = lh_image.argv_length;
    lh_python_version(ring->python, sizeof(ring->python));
    fill_warnings(ring, problem);
}

/* Never locked, nor there before it is needed, whatever mlockall(2) asks for new memory: what has
 * been unlocked grows as that. */
static struct lh_ring *map_unlocked(int fd, size_t size)
{
    size_t least = LH_RING_UNIT;
    void *ring = lh_memory_map(NULL, least, MAP_SHARED, fd);
    if (ring == NULL)
        return NULL;
    lh_syscall2(SYS_munlock, (long)ring, (long)least);
    long grown = lh_syscall4(SYS_mremap, (long)ring, (long)least, (long)size, MREMAP_MAYMOVE);
    if ((unsigned long)grown <= -4096UL)
        return (struct lh_ring *)grown;
    lh_syscall2(SYS_munmap, (long)ring, (long)least);
    return NULL;
}

/* Threads that hold the address of `old` write to the new one from then on. What they have written
 * to the old one in the meantime is seen in a second mapping of it, mremap(2) with a size of 0. */
static bool put_in_place(struct lh_ring *ring, struct lh_ring *old)
{
    static struct lh_ring_copied copied; /* the watchdog's stack is small */
    const long size = sizeof(*ring);
    long also = lh_syscall4(SYS_mremap, (long)old, 0, size, MREMAP_MAYMOVE);
    lh_ring_take_over(ring, old, &copied);
    if (lh_syscall5(SYS_mremap, (long)ring, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)old) !=
        (long)old)
        return false;
    if (also > 0) {
        lh_ring_settle(old, (struct lh_ring *)also, &copied);
        lh_syscall2(SYS_munmap, also, size);
    }
    return true;
}

/* At `old`, if there is one. */
static int map_ring(int fd, struct lh_ring *old, const char *problem)
{
    const size_t size = sizeof(struct lh_ring);
    long error = lh_syscall2(SYS_ftruncate, fd, (long)size);
    if (error != 0)
        return (int)error;
    lh_syscall3(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    struct lh_ring *ring = map_unlocked(fd, size);
    if (ring == NULL)
        return -ENOMEM;
    lh_syscall3(SYS_madvise, (long)ring, (long)size, MADV_DONTFORK);
    if (old != NULL)
        return put_in_place(ring, old) ? 0 : -ENOMEM;
    fill_header(ring, problem);
    atomic_store(&lh_process->ring, ring);
    return 0;
}

int lh_new_ring(struct lh_ring *old, const char *problem)
{
    int fd = (int)make_memfd();
    int error = fd < 0 ? fd : map_ring(fd, old, problem);
    if (error == 0)
        return fd;
    lh_fd_close(fd);
    return error;
}
