/* What /proc tells about a thread of this process. Runs on the watchdog: raw system calls only. */
#ifndef LH_PRELOAD_PROC_H
#define LH_PRELOAD_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads /proc/self/task/TID/NAME, as much as fits. Returns the length, always terminated with a
 * NUL, or a negative errno. proc(5). */
long lh_proc_read(uint32_t tid, const char *name, char *buf, size_t size);

/* Does the kernel say that this thread waits, with a stack pointer at most `reach` bytes deeper
 * than `sp`? False also when it does not say. proc_pid_syscall(5). */
bool lh_proc_thread_waits(uint32_t tid, uintptr_t sp, size_t reach);

#endif
