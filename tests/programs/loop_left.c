/* SPDX-License-Identifier: Apache-2.0 */
/* A loop, and what its thread does when it has left that.
 *
 *   loop_left LOOP END
 *
 * The loop does what lines on standard input say: "block" and "compute" take BUSY_MS, "nothing" no
 * time; each is answered by a line. The end of the input ends the loop; the work that follows takes
 * as long. LOOP is
 *
 *   uv      uv_run(), to the end
 *   turns   uv_run(), a turn at a time, in a loop of the program's own; "outside" is work there
 *   timer   as uv; "timer" is work of a timer, which is called from further out than the rest
 *   own     a function that waits by itself
 *   main    main() itself, which waits by a function
 *
 * and END is where that work is done:
 *
 *   main, atexit, destructor
 *   exit    in an exit handler, where a handler of the loop calls exit(3) */
/* link: -luv */
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include "small_loop.h"

#define BUSY_MS 300

static bool ended, wants_outside, exits, in_atexit, in_destructor;
static volatile int not_the_last_call;
static uv_timer_t timer;

static void compute(void)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 100000; i++)
            not_the_last_call = i;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
             BUSY_MS);
}

static void work_inside(void)
{
    sleep_ms(BUSY_MS);
    not_the_last_call = 1;
}

static void work_outside(void)
{
    sleep_ms(BUSY_MS);
    compute();
    not_the_last_call = 2;
}

static void work_of_timer(uv_timer_t *handle)
{
    (void)handle;
    work_inside();
    not_the_last_call = 4;
}

static void do_word(const char *word)
{
    if (strcmp(word, "block") == 0)
        work_inside();
    else if (strcmp(word, "compute") == 0)
        compute();
    else if (strcmp(word, "timer") == 0)
        uv_timer_start(&timer, work_of_timer, 0, 0);
    else if (strcmp(word, "outside") == 0)
        wants_outside = true;
    check(write(STDOUT_FILENO, "done\n", 5) == 5);
}

static void handle_input(void)
{
    char line[64];
    ssize_t length = read(STDIN_FILENO, line, sizeof(line) - 1);
    check(length >= 0);
    ended = length == 0;
    line[length] = '\0';
    if (!ended)
        do_word(strtok(line, "\n"));
    else if (exits)
        exit(0);
    not_the_last_call = 3;
}

static void on_input(uv_poll_t *handle, int status, int events)
{
    (void)events;
    check(status == 0);
    handle_input();
    if (ended)
        uv_poll_stop(handle);
}

static void run_uv(uv_run_mode mode)
{
    uv_loop_t *loop = uv_default_loop();
    uv_poll_t input;
    check(uv_timer_init(loop, &timer) == 0 && uv_poll_init(loop, &input, STDIN_FILENO) == 0);
    check(uv_poll_start(&input, UV_READABLE, on_input) == 0);
    while (uv_run(loop, mode) != 0) {
        if (wants_outside)
            work_inside();
        wants_outside = false;
    }
}

static int begin_own(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(EPOLL_CLOEXEC);
    check(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0);
    return set;
}

static void wait_for(int set)
{
    struct epoll_event event;
    check(epoll_wait(set, &event, 1, -1) == 1);
}

static void run_own(void)
{
    struct epoll_event event;
    int set = begin_own();
    while (!ended) {
        check(epoll_wait(set, &event, 1, -1) == 1);
        handle_input();
    }
}

static void at_exit(void)
{
    if (in_atexit)
        work_outside();
}

__attribute__((destructor)) static void at_end(void)
{
    if (in_destructor)
        work_outside();
}

int main(int argc, char **argv)
{
    check(argc == 3 && atexit(at_exit) == 0);
    in_atexit = strcmp(argv[2], "atexit") == 0 || strcmp(argv[2], "exit") == 0;
    in_destructor = strcmp(argv[2], "destructor") == 0;
    exits = strcmp(argv[2], "exit") == 0;
    if (strcmp(argv[1], "main") == 0) {
        for (int set = begin_own(); !ended;) {
            wait_for(set);
            handle_input();
        }
    } else if (strcmp(argv[1], "own") == 0) {
        run_own();
    } else {
        run_uv(strcmp(argv[1], "turns") == 0 ? UV_RUN_ONCE : UV_RUN_DEFAULT);
    }
    if (strcmp(argv[2], "main") == 0)
        work_outside();
    return 0;
}
