/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks after which LOOPHOUND_ACTION is taken, and what the program makes of that. A handler of
 * SIGUSR1 says which functions it has interrupted.
 *
 *   actions block     on the main thread
 *   actions thread    on another one
 *   actions error     in a call that fails
 *   actions blocked   on a thread that blocks SIGUSR1
 *   actions again     in the handler of SIGUSR1 as well
 *   actions inside    in the handler of another signal
 *   actions vfork     in a child of vfork, which is none of the loop's
 *   actions allowed   in a scope where nothing is reported
 *   actions caught, ignored, masked   with SIGABRT like that
 */
/* link: -rdynamic */
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loophound.h"

#define FRAMES 32

void blocks_here(void);
void fails_here(void);

static bool blocks_in_handler;
static volatile int handled;
static volatile pid_t handled_by;

static void wait_200_ms(void)
{
    const struct timespec time = {0, 200 * 1000000L};
    nanosleep(&time, NULL);
}

/* Not static: its name is found by dladdr(3). */
void blocks_here(void)
{
    wait_200_ms();
    handled += 0; /* the call is not the last */
}

void fails_here(void)
{
    const struct timeval time = {0, 200 * 1000};
    int pair[2];
    char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
        setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) != 0)
        exit(3);
    ssize_t returned = recv(pair[0], &byte, 1, 0);
    int error = errno;
    printf("recv %zd %s\n", returned, strerror(error));
}

static void on_usr1(int number)
{
    void *frames[FRAMES];
    (void)number;
    handled++;
    handled_by = (pid_t)syscall(SYS_gettid);
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDOUT_FILENO);
    if (blocks_in_handler)
        wait_200_ms();
    errno = 0;
}

static void on_other(int number)
{
    (void)number;
    blocks_here();
    handled += 0;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    if (sigaction(number, &action, NULL) != 0)
        exit(3);
}

static void mask(int how, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(how, &set, NULL);
}

static void *on_thread(void *unused)
{
    (void)unused;
    loophound_loop_enter();
    blocks_here();
    printf("handled by this thread: %d\n", handled_by == (pid_t)syscall(SYS_gettid));
    return NULL;
}

static void blocks_on_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, on_thread, NULL) != 0 || pthread_join(thread, NULL) != 0)
        exit(3);
}

static void blocks_while_masked(void)
{
    sigset_t pending;
    mask(SIG_BLOCK, SIGUSR1);
    blocks_here();
    sigpending(&pending);
    printf("pending %d\n", sigismember(&pending, SIGUSR1));
    mask(SIG_UNBLOCK, SIGUSR1);
}

static void blocks_in_child(void)
{
    int status = -1;
    pid_t child = vfork(); /* NOLINT: what runtimes do is what is tested */
    if (child == 0) {
        blocks_here(); /* NOLINT */
        _exit(0);
    }
    waitpid(child, &status, 0);
    printf("child %d\n", status);
}

static void blocks_as_allowed(void)
{
    loophound_allow_begin();
    blocks_here();
    loophound_allow_end();
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    setvbuf(stdout, NULL, _IONBF, 0);
    handle(SIGUSR1, on_usr1);
    if (strcmp(what, "thread") == 0) {
        blocks_on_thread();
        return 0;
    }
    loophound_loop_enter();
    if (strcmp(what, "error") == 0) {
        fails_here();
    } else if (strcmp(what, "blocked") == 0) {
        blocks_while_masked();
    } else if (strcmp(what, "again") == 0) {
        blocks_in_handler = true;
        blocks_here();
    } else if (strcmp(what, "inside") == 0) {
        handle(SIGUSR2, on_other);
        raise(SIGUSR2);
    } else if (strcmp(what, "vfork") == 0) {
        blocks_in_child();
    } else if (strcmp(what, "allowed") == 0) {
        blocks_as_allowed();
    } else {
        if (strcmp(what, "caught") == 0)
            handle(SIGABRT, on_usr1);
        if (strcmp(what, "ignored") == 0)
            handle(SIGABRT, SIG_IGN);
        if (strcmp(what, "masked") == 0)
            mask(SIG_BLOCK, SIGABRT);
        blocks_here();
    }
    printf("went on, handled %d\n", handled);
    return 0;
}
