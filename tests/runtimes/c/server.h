/* SPDX-License-Identifier: Apache-2.0 */
/* A server of lines, but for its loop: see tests/runtimes/line_server.py.
 *
 *   <loop> PARK wrong|right DIRECTORY PORT SLEEP_MS */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>

#include "waits.h"

/* A wait that is not made on the loop, and the connection that is told when it is done. */
struct job {
    blocking_function *wait;
    int fd;
};

static bool waits_rightly;
static bool stopped; /* by the test */

static void answer(int fd, const char *text)
{
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static inline void *do_job(void *memory)
{
    struct job *job = memory;
    job->wait();
    answer(job->fd, "done\n");
    free(job);
    return NULL;
}

/* Where a library has no threads of its own. */
static inline void offload_to_thread(struct job *job)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, do_job, job) == 0);
    CHECK(pthread_detach(thread) == 0);
}

typedef void offload_function(struct job *job);

static void do_work(int fd, const char *kind, offload_function *offload)
{
    struct job *job = malloc(sizeof(*job));
    CHECK(job != NULL);
    *job = (struct job){blocking_of(kind), fd};
    if (waits_rightly) {
        offload(job);
        return;
    }
    do_job(job);
    not_the_last_call = 3;
}

static void handle_line(int fd, const char *line, offload_function *offload)
{
    static const char work[] = "work ";
    if (strcmp(line, "ping") == 0)
        answer(fd, "pong\n");
    else if (strcmp(line, "stop") == 0)
        stopped = true;
    else if (strncmp(line, work, sizeof(work) - 1) == 0)
        do_work(fd, line + sizeof(work) - 1, offload);
    not_the_last_call = 4;
}

/* A test sends a line only when it has the answer to the one before: none is split. */
static void handle_text(int fd, char *text, size_t length, offload_function *offload)
{
    char *rest = NULL;
    text[length] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        handle_line(fd, line, offload);
}

/* What the program does when its loop has ended: nothing, or a sleep that TIDY_UP asks for. */
static void tidy_up(void)
{
    if (getenv("TIDY_UP") != NULL)
        blocking_sleep();
    not_the_last_call = 5;
}

/* Takes what a connection has to say. False: it has ended, and is closed. */
static inline bool handle_readable(int fd)
{
    char text[256];
    ssize_t length = read(fd, text, sizeof(text) - 1);
    if (length <= 0) {
        close(fd);
        return false;
    }
    handle_text(fd, text, (size_t)length, offload_to_thread);
    return true;
}

static inline int accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

/* Reads the command line, starts the holder of the mutex. Returns a listening socket, whose port
 * the test knows. */
static int start_server(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    if (argc != 6)
        exit(2);
    waits_rightly = strcmp(argv[2], "right") == 0;
    directory = argv[3];
    port = atoi(argv[4]);
    sleep_ms = atoi(argv[5]);
    start_holding();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, length) == 0);
    CHECK(listen(listener, 64) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    printf("%d\n", ntohs(address.sin_port));
    CHECK(fflush(stdout) == 0);
    return listener;
}

#endif
