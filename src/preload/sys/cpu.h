/* SPDX-License-Identifier: Apache-2.0 */
/* What depends on the processor: the time-stamp counter, a thread's registers, the clone call. Any
 * thread; no libc calls. A port is one more folder beside x86_64/, with a cpu.h, a cpu.c and a
 * syscall.h: see common/processor.h. */
#ifndef LH_PRELOAD_SYS_CPU_H
#define LH_PRELOAD_SYS_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "common/processor.h"

/* One reading of the time-stamp counter. */
static inline uint64_t lh_cpu_counter(void);

/* Does the counter run at one rate in every state of the processor? */
bool lh_cpu_counter_is_steady(void);

/* Stores what an unwinder needs to start inside the calling function, by that function's own call
 * frame information: the callee-saved registers as they are now, and a program counter here. */
static inline void lh_cpu_registers(struct lh_registers *registers);

/* The same of a thread that a signal has interrupted; `context` is its handler's ucontext_t. */
void lh_cpu_registers_interrupted(struct lh_registers *registers, const void *context);

static inline uintptr_t lh_cpu_stack_pointer(void);

/* Where libc keeps what it knows of the calling thread: glibc puts it at the end of the stacks that
 * it makes, further out than all else. */
static inline uintptr_t lh_cpu_thread_pointer(void);

/* A return address as it is found on a stack, without the signature that some processors put into
 * it (pointer authentication). */
static inline uintptr_t lh_cpu_plain_address(uintptr_t word);

/* What a function returns to that has called nothing yet, where a call leaves that in a register.
 * 0: it leaves it on the stack. */
static inline uintptr_t lh_cpu_link(const struct lh_registers *registers);

/* Do these bytes, which stand before an address, end in a call? Then the address may be one that
 * such a call returns to. Longer calls there are none. */
static inline bool lh_cpu_ends_in_call(const unsigned char *code);

/* The stack pointer at which longjmp(3) goes on, from what setjmp(3) filled in. */
static inline uintptr_t lh_cpu_jump_target(const void *filled);

/* clone(2) without libc: runs fn(arg) on the stack that ends at stack_top and exits with its
 * result. `tls` is used with CLONE_SETTLS, `tid` with CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID.
 * Returns the new task's id or a negative error number; the new task never returns from here. */
long lh_cpu_clone(unsigned long flags, void *stack_top, int *tid, void *tls, int (*fn)(void *),
                  void *arg);

/* Where a signal handler of ours returns to: rt_sigreturn(2). Debuggers and unwinders know it by
 * its bytes, which are glibc's. */
void lh_cpu_signal_return(void);

/* Where the compiler's stack protector and libc's pointer guard live, where that is relative to the
 * thread pointer (glibc's tcbhead_t): a thread of ours without libc's TLS needs copies of them.
 * Each processor says in LH_CPU_TLS_BELOW how many of the bytes of that memory are below the
 * pointer. */
void lh_cpu_fake_tls(void *thread_pointer);

/* The inline ones. */
#if defined(__x86_64__)
#include "preload/sys/x86_64/cpu.h"
#elif defined(__aarch64__)
#include "preload/sys/aarch64/cpu.h"
#endif

#endif
