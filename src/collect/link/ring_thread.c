/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that reads one program. See reading.h. */
#include "collect/link/ring_thread.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BYTES (8 << 20)

/* Signals are for the driving thread, but those of its own reading (guard.h). The stack is not as
 * small as that of a program with a low RLIMIT_STACK, which is inherited. */
int lh_ring_thread_start(pthread_t *thread, void *(*serve)(void *), void *argument)
{
    sigset_t all;
    sigset_t before;
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return -error;
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, &attributes, serve, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

/* The list is ours, only the word is shared: whatever the program writes there, the kernel changes
 * it only where it says our number, and follows no pointer in it (get_robust_list(2); the kernel's
 * Documentation/locking/robust-futexes.rst). */
void lh_ring_thread_mark(struct lh_ring_mark *mark, _Atomic uint32_t *word)
{
    mark->entry.next = &mark->head.list;
    mark->head = (struct robust_list_head){
        .list.next = &mark->entry,
        .futex_offset = (long)((uintptr_t)word - (uintptr_t)&mark->entry),
    };
    atomic_store(word, (uint32_t)syscall(SYS_gettid));
    syscall(SYS_set_robust_list, &mark->head, sizeof(mark->head));
}
