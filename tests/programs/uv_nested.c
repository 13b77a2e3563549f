/* SPDX-License-Identifier: Apache-2.0 */
/* libuv loops inside and after each other.
 *
 *   uv_nested same     a callback of a loop runs the same loop
 *   uv_nested other    a callback of a loop runs another loop
 *   uv_nested in-turn  a loop, and then another while the first is still open
 *
 * Each loop waits 30 ms for its timer. */
/* link: -luv */
#include <string.h>
#include <uv.h>

#define WAIT_MS 30

static uv_loop_t other;
static uv_timer_t outer_timer, inner_timer;
static volatile int not_the_last_call;

static void on_inner_timer(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void run_inner(uv_loop_t *loop)
{
    uv_update_time(loop); /* it may not have run for long */
    uv_timer_init(loop, &inner_timer);
    uv_timer_start(&inner_timer, on_inner_timer, WAIT_MS, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    not_the_last_call = 1;
}

static void on_outer_timer(uv_timer_t *timer)
{
    if (timer->data != NULL)
        run_inner(timer->data);
    uv_stop(timer->loop);
}

static void run_outer(uv_loop_t *inner)
{
    uv_timer_init(uv_default_loop(), &outer_timer);
    outer_timer.data = inner;
    uv_timer_start(&outer_timer, on_outer_timer, WAIT_MS, 0);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    not_the_last_call = 1;
}

int main(int argc, char **argv)
{
    if (argc != 2 || uv_loop_init(&other) != 0)
        return 2;
    if (strcmp(argv[1], "same") == 0) {
        run_outer(uv_default_loop());
    } else if (strcmp(argv[1], "other") == 0) {
        run_outer(&other);
    } else {
        run_outer(NULL);
        run_inner(&other);
    }
    return 0;
}
