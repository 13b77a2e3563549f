/* SPDX-License-Identifier: Apache-2.0 */
/* THREADS threads that come and go, in waves: crowd_of_threads. Each makes a call that could wait,
 * by the rules of strict mode, and every fourth one has a loop of its own to make it on. Prints how
 * many loops there were and how many calls on them. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "small_loop.h"

#define THREADS 2000
#define WAVE    100

static _Atomic int loops, calls;

static void *call_once(void *number)
{
    bool loop = (long)number % 4 == 0;
    int set = loop ? begin_loop() : -1;
    int pair[2];
    char byte = 'x';
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    check(write(pair[0], &byte, 1) == 1);
    check(read(pair[1], &byte, 1) == 1);
    close(pair[0]);
    close(pair[1]);
    if (!loop)
        return NULL;
    turn(set);
    loops++;
    calls++;
    if ((long)number % 8 == 0)
        close(set); /* others end with their loops */
    return (void *)(long)(set + 1);
}

int main(void)
{
    pthread_t threads[WAVE];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    check(pthread_attr_setstacksize(&attributes, 65536) == 0);
    for (long first = 0; first < THREADS; first += WAVE) {
        void *set = NULL;
        for (long i = 0; i < WAVE; i++)
            check(pthread_create(&threads[i], &attributes, call_once, (void *)(first + i)) == 0);
        for (long i = 0; i < WAVE; i++) {
            check(pthread_join(threads[i], &set) == 0);
            if ((first + i) % 8 == 4)
                close((int)(long)set - 1);
        }
    }
    printf("loops %d calls %d\n", loops, calls);
    return 0;
}
