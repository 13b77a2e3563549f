/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that starts other processes, becomes another one, or closes what it has: processes WAY.
 *
 *   fork      200 times, while threads with loops of their own are reported on without end
 *   spawn     by vfork and exec, posix_spawn(3), system(3), popen(3)
 *   exec      itself, as `image`; exec-bare: with an empty environment
 *   image     says which descriptors it has, then blocks
 *   daemon    becomes one, then blocks
 *   closefrom, close_range, dup2: does it to every descriptor, then blocks
 *
 * A block takes BLOCK_MS. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small_loop.h"

#define BLOCK_MS    120
#define FORKS       200
#define THREADS     3
#define DESCRIPTORS 64
#define STATUS      7

extern char **environ;
static char *program;

static void block_in_turns(int set)
{
    turn(set);
    sleep_ms(BLOCK_MS);
    turn(set);
}

static void check_status(int status)
{
    check(WIFEXITED(status) && WEXITSTATUS(status) == STATUS);
}

/* ---- children ---- */

static _Atomic bool over;

static void *be_reported(void *unused)
{
    int set = begin_loop();
    while (!over) {
        sleep_ms(5);
        turn(set);
    }
    close(set);
    return unused;
}

/* The child has one thread, no watchdog, and may be a loop itself, for a moment. */
static void fork_a_loop(void (*end)(int))
{
    int status = 0;
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        int set = begin_loop();
        free(malloc(100000));
        turn(set);
        end(STATUS);
    }
    check(waitpid(child, &status, 0) == child);
    check_status(status);
}

static void fork_amid_reports(void)
{
    pthread_t threads[THREADS];
    int set = begin_loop();
    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, be_reported, NULL) == 0);
    for (int i = 0; i < FORKS; i++)
        fork_a_loop(i % 2 == 0 ? _exit : _Exit);
    over = true;
    for (int i = 0; i < THREADS; i++)
        check(pthread_join(threads[i], NULL) == 0);
    close(set);
    printf("%d forks\n", FORKS);
}

static void start_processes(void)
{
    static char shell[] = "sh", option[] = "-c", command[] = "sleep 0.12; exit 7";
    char *const arguments[] = {shell, option, command, NULL};
    int status = 0;
    int set = begin_loop();
    pid_t child = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
    if (child == 0) {
        execve("/bin/sh", arguments, environ);
        _exit(1);
    }
    check(waitpid(child, &status, 0) == child);
    check_status(status);
    turn(set);
    check(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0);
    check(waitpid(child, &status, 0) == child);
    check_status(status);
    turn(set);
    check_status(system(command));
    turn(set);
    char line[64] = "";
    FILE *output = popen("sleep 0.12; echo from a child; exit 7", "r");
    check(output != NULL && fgets(line, sizeof(line), output) != NULL);
    check_status(pclose(output));
    turn(set);
    printf("four children, one said: %s", line);
}

/* ---- another image ---- */

static void print_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    check(directory != NULL);
    printf("descriptors");
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory))
            printf(" %s", entry->d_name);
    closedir(directory);
    printf("\n");
}

static void be_the_image(void)
{
    print_descriptors();
    block_in_turns(begin_loop());
}

static void become(char *const *environment)
{
    static char way[] = "image";
    char *const arguments[] = {program, way, NULL};
    block_in_turns(begin_loop());
    execve(program, arguments, environment);
    abort();
}

static void become_the_same(void)
{
    become(environ);
}

static void become_bare(void)
{
    become((char *const[]){NULL});
}

/* ---- descriptors ---- */

/* Its descriptors stay, so that its output can be waited for. */
static void become_a_daemon(void)
{
    int set = begin_loop();
    block_in_turns(set);
    check(daemon(1, 1) == 0);
    block_in_turns(set);
    print_descriptors();
}

static void close_from(void)
{
    block_in_turns(begin_loop());
    closefrom(3);
    print_descriptors();
    block_in_turns(begin_loop());
}

static void close_a_range(void)
{
    block_in_turns(begin_loop());
    check(close_range(3, ~0U, 0) == 0);
    print_descriptors();
    block_in_turns(begin_loop());
}

static void duplicate_over_all(void)
{
    block_in_turns(begin_loop());
    int event = eventfd(0, 0);
    for (int fd = 3; fd < DESCRIPTORS; fd++)
        if (fd != event)
            check(dup2(event, fd) == fd);
    print_descriptors();
    block_in_turns(begin_loop());
}

static const struct way ways[] = {
    {"fork", fork_amid_reports}, {"spawn", start_processes},     {"exec", become_the_same},
    {"exec-bare", become_bare},  {"image", be_the_image},        {"daemon", become_a_daemon},
    {"closefrom", close_from},   {"close_range", close_a_range}, {"dup2", duplicate_over_all},
};

int main(int argc, char **argv)
{
    program = argv[0];
    return take_way(ways, ROWS(ways), argc > 1 ? argv[1] : NULL);
}
