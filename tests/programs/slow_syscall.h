/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that is slow at one system call: what a slow disk or resolver looks like, on demand.
 *
 * A seccomp filter on the calling thread hands that system call to a supervisor thread, which lets
 * it go on after a delay, the first time only (seccomp_unotify(2)). The caller waits in the kernel,
 * inside the real system call. No privilege is needed. */
#ifndef SLOW_SYSCALL_H
#define SLOW_SYSCALL_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static sem_t slow_listening;
static int slow_listener;
static unsigned slow_delay_ms;

static void *slow_supervisor(void *unused)
{
    (void)unused;
    sem_wait(&slow_listening);
    for (;;) {
        struct seccomp_notif request = {0};
        if (ioctl(slow_listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
            continue;
        const struct timespec delay = {slow_delay_ms / 1000, (slow_delay_ms % 1000) * 1000000L};
        nanosleep(&delay, NULL);
        slow_delay_ms = 0;
        struct seccomp_notif_resp answer = {.id = request.id,
                                            .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        ioctl(slow_listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    return NULL;
}

/* From now on this thread's first system call of that number takes `delay_ms` longer. */
static inline void slow_syscall_begin(long number, unsigned delay)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    pthread_t supervisor;

    slow_delay_ms = delay;
    sem_init(&slow_listening, 0, 1);
    sem_wait(&slow_listening); /* has been looked up before a lock of the loader's is held */
    nanosleep(&(struct timespec){0, 0}, NULL);
    ioctl(-1, SECCOMP_IOCTL_NOTIF_RECV, NULL);

    if (pthread_create(&supervisor, NULL, slow_supervisor, NULL) != 0) /* without the filter */
        exit(3);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    slow_listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                 SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (slow_listener < 0) {
        perror("seccomp");
        exit(3);
    }
    sem_post(&slow_listening);
}

#endif
