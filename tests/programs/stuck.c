/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that is stuck for ever, until a byte comes on standard input: another thread then ends its
 * wait.
 *
 *   stuck mutex|recv|fifo [FIFO]
 *
 * Prints what the call returned, and errno, which was EDOM before. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "small_loop.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t ready;
static int ends[2]; /* ours, the other thread's */

static void keep_until_told(void)
{
    char byte;
    pthread_barrier_wait(&ready);
    check(read(STDIN_FILENO, &byte, 1) == 1);
}

static void *keep_mutex(void *unused)
{
    prctl(PR_SET_NAME, "keeper");
    pthread_mutex_lock(&mutex);
    keep_until_told();
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *keep_byte(void *unused)
{
    keep_until_told();
    check(write(ends[1], "x", 1) == 1);
    return unused;
}

static long wait_for_mutex(void)
{
    return pthread_mutex_lock(&mutex);
}

static long wait_in_recv(void)
{
    char byte;
    return recv(ends[0], &byte, 1, 0);
}

static long wait_in_read(void)
{
    char byte;
    return read(ends[0], &byte, 1);
}

static void be_stuck(void *(*keep)(void *), long (*wait)(void))
{
    pthread_t keeper;
    int set = begin_loop();
    check(pthread_barrier_init(&ready, NULL, 2) == 0);
    check(pthread_create(&keeper, NULL, keep, NULL) == 0);
    pthread_barrier_wait(&ready);
    errno = EDOM;
    long returned = wait();
    int error = errno;
    turn(set);
    check(pthread_join(keeper, NULL) == 0);
    printf("%ld, errno %d\n", returned, error);
}

static const char *fifo;

static void mutex_way(void)
{
    be_stuck(keep_mutex, wait_for_mutex);
}

static void recv_way(void)
{
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    be_stuck(keep_byte, wait_in_recv);
}

static void fifo_way(void)
{
    ends[0] = ends[1] = open(fifo, O_RDWR | O_CLOEXEC);
    check(ends[0] >= 0);
    be_stuck(keep_byte, wait_in_read);
}

int main(int argc, char **argv)
{
    static const struct way ways[] = {{"mutex", mutex_way}, {"recv", recv_way}, {"fifo", fifo_way}};
    fifo = argc > 2 ? argv[2] : "";
    return take_way(ways, ROWS(ways), argv[1]);
}
