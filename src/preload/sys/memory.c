/* SPDX-License-Identifier: Apache-2.0 */
/* Reading this process's own memory without ever faulting.
 *
 * Runs on the program's threads and on the watchdog. Raw system calls only: no errno, no malloc, no
 * stdio, no locks, no thread-local storage. */
#include "preload/sys/memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "preload/sys/syscall.h"

#define PAGE          4096u
#define PAGES_AT_ONCE 16u

/* The kernel is asked by the calling thread's own id: the main thread, whose id getpid() is, may
 * have ended, and a process whose main thread has ended cannot be read by it. */
static long read_pages(struct iovec *to, struct iovec *from, size_t count)
{
    long tid = lh_syscall0(SYS_gettid);
    return lh_syscall6(SYS_process_vm_readv, tid, (long)to, 1, (long)from, (long)count, 0);
}

int lh_memory_read_self(void *to, uintptr_t address, size_t size)
{
    struct iovec local = {to, size};
    struct iovec remote = {(void *)address, size};
    if (size == 0)
        return 0;
    return read_pages(&local, &remote, 1) == (long)size ? 0 : -EFAULT;
}

/* Splits [address, address + size) at page ends, as far as `parts` reach. Returns their number;
 * *covered is the bytes in them. */
static size_t split_at_pages(struct iovec *parts, uintptr_t address, size_t size, size_t *covered)
{
    size_t count = 0;
    *covered = 0;
    while (count < PAGES_AT_ONCE && *covered < size) {
        uintptr_t at = address + *covered;
        size_t part = PAGE - (at & (PAGE - 1));
        if (part > size - *covered)
            part = size - *covered;
        parts[count++] = (struct iovec){(void *)at, part};
        *covered += part;
    }
    return count;
}

/* process_vm_readv(2) stops at the first part it cannot read whole: hence one part for each page.
 */
size_t lh_memory_copy_self(void *to, uintptr_t address, size_t size)
{
    size_t copied = 0;
    while (copied < size) {
        struct iovec parts[PAGES_AT_ONCE];
        size_t wanted;
        size_t count = split_at_pages(parts, address + copied, size - copied, &wanted);
        struct iovec local = {(char *)to + copied, wanted};
        long got = read_pages(&local, parts, count);
        if (got > 0)
            copied += (size_t)got;
        if (got != (long)wanted)
            break;
    }
    return copied;
}

void *lh_memory_map(void *at, size_t size, int flags, int fd)
{
    long address =
        lh_syscall6(SYS_mmap, (long)at, (long)size, PROT_READ | PROT_WRITE, flags, fd, 0);
    return (unsigned long)address > -4096UL ? NULL : (void *)address;
}
