/* The thread that reads one program. See reading.h. */
#include "collect/reading.h"

#include <signal.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BYTES (8 << 20)

/* Signals are for the driving thread, but those of its own reading (guard.h). The stack is not as
 * small as that of a program with a low RLIMIT_STACK, which is inherited. */
int lh_reading_start(pthread_t *thread, void *(*serve)(void *), void *argument)
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

/* The system calls, unlike libc's functions, change this thread alone (credentials(7)). */
void lh_reading_take_on_rights(const struct ucred *peer)
{
    if (peer->uid == geteuid())
        return;
    syscall(SYS_setgroups, 0, NULL);
    setfsgid(peer->gid);
    setfsuid(peer->uid);
}
