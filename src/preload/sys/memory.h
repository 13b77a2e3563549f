/* SPDX-License-Identifier: Apache-2.0 */
/* Reading this process's own memory without ever faulting. */
#ifndef LH_PRELOAD_SYS_MEMORY_H
#define LH_PRELOAD_SYS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Copies `size` bytes at `address` to `to`. Returns 0, or -EFAULT when not all of it can be read.
 */
typedef int lh_memory_read(void *to, uintptr_t address, size_t size);

/* By process_vm_readv(2) on ourselves, or where that is denied by /proc/thread-self/mem. Any
 * thread, also the watchdog; errno stays. */
lh_memory_read lh_memory_read_self;

/* The same without a system call, where that is known to be readable: about 10 ns. For objects of
 * the calling thread's own, which stay while it reads them, as the frames that it is in. Nothing is
 * read directly but in a page that the kernel has once let us read, so that a pointer which is none
 * (in a signal handler, as the thread was changing it) does no harm. */
lh_memory_read lh_memory_read_near;

/* Copies as much as can be read of [address, address + size), likewise. Returns the number of
 * bytes.
 */
size_t lh_memory_copy_near(void *to, uintptr_t address, size_t size);

/* Copies pieces of memory, one behind the other, to `to`; `tid` is the calling thread's own.
 * Returns the number of bytes in front of the first that cannot be read. */
typedef size_t lh_memory_parts(uint32_t tid, void *to, const struct iovec *parts, size_t count);
lh_memory_parts lh_memory_parts_self;

/* Is there no way to read it, so that there are no stacks? Of the calling thread. */
bool lh_memory_is_denied(void);

/* Copies as much as can be read of [address, address + size). Returns the number of bytes. */
size_t lh_memory_copy_self(void *to, uintptr_t address, size_t size);

/* Readable, writable memory by mmap(2); `at` and `flags` as there, `fd` -1 for none. NULL: none can
 * be had. Any thread; errno stays. */
void *lh_memory_map(void *at, size_t size, int flags, int fd);

#endif
