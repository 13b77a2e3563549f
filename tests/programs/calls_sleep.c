/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the group sleep, made to wait: see scenario.h. */
#include "scenario.h"

static struct timespec asked;

static void ask(void)
{
    asked = (struct timespec){delay_ms / 1000, (delay_ms % 1000) * 1000000L};
}

static void ask_nothing(void)
{
    asked = (struct timespec){0, 0};
}

static long call_sleep(void)
{
    return sleep(1); /* it knows no less */
}

static long call_sleep_ready(void)
{
    return sleep(0);
}

static long call_usleep(void)
{
    return usleep(delay_ms * 1000);
}

static long call_usleep_ready(void)
{
    return usleep(0);
}

static long call_nanosleep(void)
{
    return nanosleep(&asked, NULL);
}

/* The deadline is taken here and not earlier: it has to be ahead when the call begins. */
static long call_clock_nanosleep(void)
{
    const struct timespec at = deadline(CLOCK_MONOTONIC);
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static long call_clock_nanosleep_ready(void)
{
    const struct timespec past = {0, 0};
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL);
}

static const struct scenario rows[] = {
    {"sleep", NULL, call_sleep, NULL, NULL, call_sleep_ready, 0},
    {"usleep", NULL, call_usleep, NULL, NULL, call_usleep_ready, 0},
    {"nanosleep", ask, call_nanosleep, NULL, ask_nothing, call_nanosleep, 0},
    {"clock_nanosleep", NULL, call_clock_nanosleep, NULL, NULL, call_clock_nanosleep_ready, 0},
};

SCENARIO_MAIN(rows)
