/* SPDX-License-Identifier: Apache-2.0 */
/* A loop in a process that counts all that it is told of children: signals, what it can wait for,
 * and what /proc shows.
 *
 *   children 0    it has no child
 *   children 1    it has one, which ends when the program does
 *
 * For each line of standard input the loop blocks once for a millisecond, and says so; "flush"
 * waits for the reports too, and "look" prints what the process has been told by now. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loophound.h"

static volatile sig_atomic_t signals; /* SIGCHLD, blocked by all threads but the loop's */
static _Atomic int waited;            /* children that a wait has told of */
static _Atomic int rounds;            /* of the thread that waits without blocking */
static _Atomic bool is_over;
static int child_end[2]; /* the child lives until this is closed */

static void check(bool right)
{
    if (!right)
        abort();
}

static void on_child(int number)
{
    signals += number == SIGCHLD;
}

static void pause_briefly(void)
{
    const struct timespec time = {0, 200000};
    nanosleep(&time, NULL);
}

/* Looks without taking. */
static void *look_for_children(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        siginfo_t info = {.si_pid = 0};
        int found = waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT);
        if (found == 0 && info.si_pid != 0)
            atomic_fetch_add(&waited, 1);
        atomic_fetch_add(&rounds, 1);
        pause_briefly();
    }
    return NULL;
}

/* Takes whatever there is, and waits for it where there is a child. */
static void *take_children(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        int status;
        if (wait4(-1, &status, 0, NULL) > 0)
            atomic_fetch_add(&waited, 1);
        else
            check(errno == ECHILD);
        pause_briefly();
    }
    return NULL;
}

/* How many the kernel shows, of all threads, ours that nobody knows of among them: proc(5). */
static int shown(void)
{
    int count = 0;
    char path[sizeof("/proc/self/task//children") + sizeof(((struct dirent *)NULL)->d_name)];
    DIR *tasks = opendir("/proc/self/task");
    check(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        int pid;
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/children", entry->d_name);
        FILE *file = fopen(path, "re");
        for (; file != NULL && fscanf(file, "%d", &pid) == 1;)
            count++;
        if (file != NULL)
            fclose(file);
    }
    closedir(tasks);
    return count;
}

static void make_child(void)
{
    char byte;
    check(pipe2(child_end, O_CLOEXEC) == 0);
    if (fork() == 0) {
        close(child_end[1]);
        _exit(read(child_end[0], &byte, 1) == 0 ? 0 : 1);
    }
}

static void print_what_is_told(void)
{
    int before = atomic_load(&rounds);
    while (atomic_load(&rounds) < before + 2) /* it has looked since the line came */
        sched_yield();
    printf("%d signals, %d waited for, %d shown\n", (int)signals, atomic_load(&waited), shown());
}

static void serve(int set)
{
    const struct timespec block = {0, 1000000};
    struct epoll_event event;
    char line[32];
    while (fgets(line, sizeof line, stdin) != NULL) {
        epoll_wait(set, &event, 1, 0);
        if (strcmp(line, "look\n") == 0) {
            print_what_is_told();
        } else {
            nanosleep(&block, NULL);
            puts("turn");
            if (strcmp(line, "flush\n") == 0)
                printf("%d\n", loophound_flush());
        }
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
    struct epoll_event event;
    pthread_t threads[2];
    sigset_t child_signal;
    const bool has_child = argc > 1 && strcmp(argv[1], "1") == 0;
    sigaction(SIGCHLD, &action, NULL);
    if (has_child)
        make_child();
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);

    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child_signal, NULL);
    pthread_create(&threads[0], NULL, look_for_children, NULL);
    pthread_create(&threads[1], NULL, take_children, NULL);
    pthread_sigmask(SIG_UNBLOCK, &child_signal, NULL);
    serve(set);

    atomic_store(&is_over, true);
    if (has_child)
        close(child_end[1]); /* the child ends, and with it the wait for it */
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    close(set);
    puts("end");
    return 0;
}
