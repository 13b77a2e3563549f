/* SPDX-License-Identifier: Apache-2.0 */
/* exec_again N: becomes itself N times, by each form of exec in turn, at the very instant at which
 * there is a child that it did not make. Says so if there is one from before, else "done". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small_loop.h"

#define FORMS     9
#define LOOKS_MAX 100000 /* at the list of children, less than a microsecond each */

extern char **environ;

static int has_child(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

/* The collector is started because of the loop. */
static void loop_until_a_child_is_made(void)
{
    begin_loop();
    for (int i = 0; i < LOOKS_MAX && !has_child(); i++)
        ;
}

static void become(const char *program, int form, char *times)
{
    char *name = (char *)program;
    char *argv[] = {name, times, NULL};
    switch (form) {
    case 0:
        execve(program, argv, environ);
        break;
    case 1:
        execv(program, argv);
        break;
    case 2:
        execvp(program, argv);
        break;
    case 3:
        execvpe(program, argv, environ);
        break;
    case 4:
        fexecve(open(program, O_RDONLY | O_CLOEXEC), argv, environ);
        break;
    case 5:
        execveat(AT_FDCWD, program, argv, environ, 0);
        break;
    case 6:
        execl(program, name, times, (char *)NULL);
        break;
    case 7:
        execlp(program, name, times, (char *)NULL);
        break;
    default:
        execle(program, name, times, (char *)NULL, environ);
        break;
    }
}

int main(int argc, char **argv)
{
    int times = argc > 1 ? atoi(argv[1]) : 0;
    char left[16];
    if (has_child()) {
        puts("a child from before");
        return 1;
    }
    if (times > 0) {
        loop_until_a_child_is_made();
        snprintf(left, sizeof(left), "%d", times - 1);
        become("/proc/self/exe", times % FORMS, left);
        perror("exec");
        return 1;
    }
    begin_loop();
    execl("/nonexistent", "nonexistent", (char *)NULL);
    puts("done");
    return 0;
}
