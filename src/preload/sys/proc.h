/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc tells about a thread of this process. Runs on the watchdog, and
 * lh_proc_run_delay_ns() on the loop threads too: raw system calls only. */
#ifndef LH_PRELOAD_SYS_PROC_H
#define LH_PRELOAD_SYS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a file of the kernel's, as much as fits. Returns the length, always terminated with a NUL,
 * or a negative errno. Any thread. */
long lh_proc_read_file(const char *path, char *buf, size_t size);

/* Reads /proc/self/task/TID/NAME, as much as fits. Returns the length, always terminated with a
 * NUL, or a negative errno. proc(5). */
long lh_proc_read(uint32_t tid, const char *name, char *buf, size_t size);

/* Opens /proc/self/task/TID/NAME for reading, close-on-exec; or a negative errno. */
long lh_proc_open_of(uint32_t tid, const char *name);

/* How long this thread has waited for a processor, in ns; LH_UNKNOWN: the kernel does not say.
 * Documentation/scheduler/sched-stats.rst. */
uint64_t lh_proc_run_delay_ns(uint32_t tid);

/* The same from a descriptor of the thread's `schedstat`. False: the thread has ended. */
bool lh_proc_read_run_delay(int fd, uint64_t *delay_ns);

/* How often it was given a processor; LH_UNKNOWN as above. */
uint64_t lh_proc_slices(uint32_t tid);

/* Field `number`, from 0, of a line of numbers between spaces. */
uint64_t lh_proc_field(const char *line, unsigned number);

/* Reads a thread's `stat` into `line`; returns its third field, the state, and those that follow,
 * or NULL. proc_pid_stat(5). lh_proc_state(): the state, or '?'. */
const char *lh_proc_stat(uint32_t tid, char *line, size_t size);
char lh_proc_state(uint32_t tid);

/* The state of another process's main thread, or '?', how often that was given a processor, and the
 * processor time of the process in 1/100 s (USER_HZ). */
char lh_proc_process(uint32_t pid, uint64_t *slices, uint64_t *ticks);

/* Where a thread waits, as the kernel says. False: it runs, or the kernel does not say.
 * proc_pid_syscall(5). */
struct lh_thread_wait {
    long number;      /* of its system call; -1: it waits in none */
    uintptr_t first;  /* the first argument */
    uintptr_t fourth; /* the fourth one; 0 where there is none */
    uintptr_t sp;
    uintptr_t pc;
};
bool lh_proc_thread_wait(uint32_t tid, struct lh_thread_wait *wait);

/* The same from the kernel's line, which is cut up: "running", or "NUMBER ARGUMENT… SP PC" with
 * NUMBER -1 for a wait outside a system call. */
bool lh_proc_parse_wait(char *line, struct lh_thread_wait *wait);

/* Does the kernel say that this thread waits, with a stack pointer at most `reach` bytes deeper
 * than `sp`? False also when it does not say. proc_pid_syscall(5). */
bool lh_proc_thread_waits(uint32_t tid, uintptr_t sp, size_t reach);

/* What cannot be seen because /proc does not say it, a sentence; NULL: it says all. */
const char *lh_proc_problem(void);

/* The kernel's name of a thread of this process; "" if it is gone. 16 bytes, terminated. */
void lh_proc_thread_name(uint32_t tid, char *name);

#endif
