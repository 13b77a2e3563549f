/* SPDX-License-Identifier: Apache-2.0 */
/* Reading this process's own memory without ever faulting.
 *
 * Runs on the program's threads and on the watchdog. Raw system calls only: no errno, no malloc, no
 * stdio, no locks, no thread-local storage. */
#include "preload/sys/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "preload/sys/syscall.h"

#define PAGE          4096u
#define PAGES_AT_ONCE 16u

/* The kernel is asked by the calling thread's own id: the main thread, whose id getpid() is, may
 * have ended, and a process whose main thread has ended cannot be read by it. */
static long read_of_thread(long tid, struct iovec *to, const struct iovec *from, size_t count)
{
    return lh_syscall6(SYS_process_vm_readv, tid, (long)to, 1, (long)from, (long)count, 0);
}

static long read_pages(struct iovec *to, const struct iovec *from, size_t count)
{
    return read_of_thread(lh_syscall0(SYS_gettid), to, from, count);
}

/* A filter of system calls denies it, with whatever error. Asked anew each time: a filter may be of
 * one thread alone. */
static bool is_refusal(long result)
{
    return result < 0 && result != -EFAULT;
}

/* The other way: proc_pid_mem(5). Of the thread, for the reason above. A read that ends at memory
 * which is not there returns what is before that; memory that is mapped without PROT_READ is read.
 */
static long open_file(void)
{
    return lh_syscall4(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/mem", O_RDONLY | O_CLOEXEC,
                       0);
}

static long read_file(void *to, uintptr_t address, size_t size)
{
    long fd = open_file();
    if (fd < 0)
        return fd;
    long got = lh_syscall4(SYS_pread64, fd, (long)to, (long)size, (long)address);
    lh_syscall1(SYS_close, fd);
    return got == -EIO ? -EFAULT : got; /* no memory is there */
}

int lh_memory_read_self(void *to, uintptr_t address, size_t size)
{
    struct iovec local = {to, size};
    struct iovec remote = {(void *)address, size};
    if (size == 0)
        return 0;
    long got = read_pages(&local, &remote, 1);
    if (is_refusal(got))
        got = read_file(to, address, size);
    return got == (long)size ? 0 : -EFAULT;
}

#define NEAR_BITS  10u
#define NEAR_PAGES (1u << NEAR_BITS)

/* Numbers of pages that have been read, plus 1. Two places are for the same ones: the latest that
 * came stands in the first of them. */
static _Atomic uintptr_t near_pages[NEAR_PAGES];

/* Heaps are mapped at like addresses: by their last bits alone pages would take each other's place
 * again and again. */
static _Atomic uintptr_t *places_of(uintptr_t page)
{
    uint64_t spread =
        (uint64_t)page * 0x9e3779b97f4a7c15ULL; /* Knuth's, 2^64 by the golden ratio */
    return &near_pages[spread >> (64 - NEAR_BITS) & ~1ULL];
}

static bool is_near(uintptr_t page)
{
    const _Atomic uintptr_t *places = places_of(page);
    return atomic_load_explicit(&places[0], memory_order_relaxed) == page + 1 ||
           atomic_load_explicit(&places[1], memory_order_relaxed) == page + 1;
}

static void note_near(uintptr_t page)
{
    _Atomic uintptr_t *places = places_of(page);
    if (is_near(page))
        return;
    uintptr_t before = atomic_load_explicit(&places[0], memory_order_relaxed);
    atomic_store_explicit(&places[1], before, memory_order_relaxed);
    atomic_store_explicit(&places[0], page + 1, memory_order_relaxed);
}

struct unaligned {
    uint64_t word;
} __attribute__((packed, may_alias));

/* Not by memcpy(3), which may be AddressSanitizer's: that one ends the program where it is asked
 * for what lies between two variables. Nor by what the compiler would make a call of it. */
__attribute__((no_sanitize("address"))) static void copy_by_hand(void *to, uintptr_t address,
                                                                 size_t size)
{
    struct unaligned *words = to;
    const volatile struct unaligned *from = (const volatile struct unaligned *)address;
    size_t count = size / sizeof(*words);
    for (size_t i = 0; i < count; i++)
        words[i].word = from[i].word;
    for (size_t i = count * sizeof(*words); i < size; i++)
        ((char *)to)[i] = ((const volatile char *)address)[i];
}

int lh_memory_read_near(void *to, uintptr_t address, size_t size)
{
    uintptr_t first = address / PAGE;
    uintptr_t last = (address + size - 1) / PAGE;
    if (size == 0 || size > PAGE)
        return lh_memory_read_self(to, address, size);
    if (is_near(first) && is_near(last)) {
        copy_by_hand(to, address, size);
        return 0;
    }
    if (lh_memory_read_self(to, address, size) != 0)
        return -EFAULT;
    note_near(first);
    note_near(last);
    return 0;
}

size_t lh_memory_copy_near(void *to, uintptr_t address, size_t size)
{
    size_t copied = 0;
    while (copied < size) {
        size_t part = PAGE - ((address + copied) & (PAGE - 1));
        part = part < size - copied ? part : size - copied;
        if (lh_memory_read_near((char *)to + copied, address + copied, part) != 0)
            break;
        copied += part;
    }
    return copied;
}

bool lh_memory_is_denied(void)
{
    char byte = 0;
    struct iovec local = {&byte, 1};
    struct iovec remote = {&byte, 1};
    return is_refusal(read_pages(&local, &remote, 1)) && read_file(&byte, (uintptr_t)&byte, 1) != 1;
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
        if (is_refusal(got))
            got = read_file((char *)to + copied, address + copied, wanted);
        if (got > 0)
            copied += (size_t)got;
        if (got != (long)wanted)
            break;
    }
    return copied;
}

static size_t parts_from_file(char *to, const struct iovec *parts, size_t count)
{
    size_t copied = 0;
    long fd = open_file();
    for (size_t i = 0; fd >= 0 && i < count; i++) {
        long got = lh_syscall4(SYS_pread64, fd, (long)(to + copied), (long)parts[i].iov_len,
                               (long)parts[i].iov_base);
        if (got > 0)
            copied += (size_t)got;
        if (got != (long)parts[i].iov_len)
            break;
    }
    if (fd >= 0)
        lh_syscall1(SYS_close, fd);
    return copied;
}

size_t lh_memory_parts_self(uint32_t tid, void *to, const struct iovec *parts, size_t count)
{
    struct iovec local = {to, 0};
    for (size_t i = 0; i < count; i++)
        local.iov_len += parts[i].iov_len;
    long got = read_of_thread(tid, &local, parts, count);
    if (is_refusal(got))
        return parts_from_file(to, parts, count);
    return got > 0 ? (size_t)got : 0;
}

void *lh_memory_map(void *at, size_t size, int flags, int fd)
{
    long address =
        lh_syscall6(SYS_mmap, (long)at, (long)size, PROT_READ | PROT_WRITE, flags, fd, 0);
    return (unsigned long)address > -4096UL ? NULL : (void *)address;
}
