/* SPDX-License-Identifier: Apache-2.0 */
/* What blocks a loop: functions that wait, each in one call, until the test gives it something. See
 * tests/runtimes/line_server.py. */
#ifndef WAITS_H
#define WAITS_H

#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(expression)                                                                          \
    do {                                                                                           \
        if (!(expression)) {                                                                       \
            perror(#expression);                                                                   \
            exit(3);                                                                               \
        }                                                                                          \
    } while (0)

static const char *directory;
static int port;
static int sleep_ms;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int not_the_last_call; /* keeps the caller of what blocks on the stack */

static const char *path_of(const char *name)
{
    static __thread char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void blocking_sleep(void)
{
    const struct timespec time = {sleep_ms / 1000, sleep_ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
    not_the_last_call = 1;
}

static void blocking_receive(void)
{
    static const char question[] = "GET / HTTP/1.0\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char answer[4096];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(send(fd, question, sizeof(question) - 1, 0) > 0);
    CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
    close(fd);
}

static void blocking_look_up(void)
{
    struct addrinfo *found = NULL;
    CHECK(getaddrinfo("localhost", "80", NULL, &found) == 0);
    freeaddrinfo(found);
}

static void blocking_acquire(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    not_the_last_call = 2;
}

static void blocking_run(void)
{
    char *argv[] = {(char *)"cat", (char *)path_of("fifo_of_child"), NULL};
    char *environment[] = {NULL};
    pid_t child;
    int status;
    CHECK(posix_spawnp(&child, argv[0], NULL, NULL, argv, environment) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void blocking_open_fifo(void)
{
    int fd = open(path_of("fifo"), O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    close(fd);
}

static void blocking_lock_file(void)
{
    int fd = open(path_of("file"), O_RDONLY | O_CLOEXEC);
    CHECK(flock(fd, LOCK_EX) == 0);
    close(fd);
}

typedef void blocking_function(void);

static blocking_function *blocking_of(const char *kind)
{
    static const struct {
        const char *kind;
        blocking_function *function;
    } table[] = {
        {"sleep", blocking_sleep},
        {"receive", blocking_receive},
        {"look_up", blocking_look_up},
        {"acquire", blocking_acquire},
        {"run", blocking_run},
        {"open_fifo", blocking_open_fifo},
        {"lock_file", blocking_lock_file},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i].kind, kind) == 0)
            return table[i].function;
    fprintf(stderr, "nothing waits by the name of %s\n", kind);
    exit(2);
}

/* Has the mutex until the test says a word. */
static void *hold_mutex(void *held)
{
    char word[16];
    pthread_mutex_lock(&mutex);
    sem_post(held);
    CHECK(read(STDIN_FILENO, word, sizeof(word)) >= 0);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void start_holding(void)
{
    static sem_t held;
    pthread_t holder;
    CHECK(pthread_create(&holder, NULL, hold_mutex, &held) == 0);
    sem_wait(&held);
}

#endif
