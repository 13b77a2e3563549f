/* SPDX-License-Identifier: Apache-2.0 */
/* A libuv program whose timer callback blocks its loop, or whose thread pool does it properly.
 *
 *   uv_server wrong|right
 */
/* link: -luv */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

static double true_ms;

static void query_database(void)
{
    const struct timespec time = {0, 300 * 1000000L};
    uint64_t begin = uv_hrtime();
    nanosleep(&time, NULL);
    true_ms = (double)(uv_hrtime() - begin) / 1e6;
}

static void handle_request(void)
{
    query_database();
    printf("%.3f\n", true_ms); /* not the last call, so that this frame is on the stack */
}

static void on_timer(uv_timer_t *timer)
{
    handle_request();
    uv_close((uv_handle_t *)timer, NULL);
}

static void in_pool(uv_work_t *work)
{
    (void)work;
    handle_request();
}

static void on_timer_properly(uv_timer_t *timer)
{
    uv_queue_work(timer->loop, timer->data, in_pool, NULL);
    uv_close((uv_handle_t *)timer, NULL);
}

static uv_timer_cb request;

/* The first timer may be due before the loop has parked at all; the second never is. */
static void on_first_timer(uv_timer_t *timer)
{
    uv_timer_start(timer, request, 1, 0);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uv_work_t work;

    if (argc != 2)
        return 2;
    uv_timer_init(loop, &timer);
    timer.data = &work;
    request = strcmp(argv[1], "wrong") == 0 ? on_timer : on_timer_properly;
    uv_timer_start(&timer, on_first_timer, 1, 0);
    int left = uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    return left;
}
