/* SPDX-License-Identifier: Apache-2.0 */
/* What a tick of the watchdog costs where all that it needs is in the caches: many of them are made
 * here, one right after the other, over loops that are threads asleep. All that a tick does, but
 * for its own sleep and the look for a collector. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/ring.h"
#include "figures.h"
#include "preload/state/state.h"
#include "preload/state/suspends.h"
#include "preload/sys/clock.h"
#include "preload/watchdog/inline_find.h"
#include "preload/watchdog/loops_tick.h"
#include "preload/watchdog/stall_tick.h"

#define SAMPLES    1500
#define TICKS      4 /* in a sample: one in so many reads the loops' times */
#define LOOPS      16
#define TICK_NS    (25 * LH_NS_PER_MS)
#define SETTLE_TSC (1U << 26) /* so many steps of the counter tell its rate */

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void make_process(void)
{
    size_t bytes = sizeof(struct lh_process) + sizeof(struct lh_ring);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        exit(1);
    lh_options_init(&lh_options);
    lh_clock_init();
    lh_clock_start();
    lh_process = (struct lh_process *)memory;
    struct lh_ring *ring = (struct lh_ring *)(memory + sizeof(struct lh_process));
    lh_ring_init(ring, (uint32_t)getpid(), &lh_options);
    atomic_store(&lh_process->ring, ring);
    atomic_store(&lh_process->pid, (uint32_t)getpid());
}

static void *sleep_for_ever(void *argument)
{
    atomic_store((_Atomic uint32_t *)argument, (uint32_t)syscall(SYS_gettid));
    for (;;)
        pause();
    return NULL;
}

static void add_loop(void)
{
    _Atomic uint32_t tid = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_for_ever, &tid);
    while (atomic_load(&tid) == 0)
        sched_yield();
    lh_slot_take(tid);
}

static double tick_us(bool parked, uint32_t loops)
{
    for (uint32_t i = 0; i < loops; i++) {
        struct lh_slot *slot = &lh_process->slots[i];
        atomic_fetch_add(&slot->iteration_id, 1);
        slot->iteration_start = lh_counter();
        atomic_store(&slot->parked, parked);
    }
    double start = now_us();
    (void)lh_inline_due_ns();
    (void)lh_loops_tick(false);
    lh_suspends_before(TICK_NS);
    lh_suspends_after();
    return now_us() - start;
}

static struct figure measure_ticks(bool parked, uint32_t loops)
{
    static double us[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        us[i] = 0;
        for (int k = 0; k < TICKS; k++)
            us[i] += tick_us(parked, loops) / TICKS;
    }
    return figure_median(us, SAMPLES);
}

/* Of so many loops, a loop more. */
static struct figure each_more(struct figure all, struct figure one, uint32_t loops)
{
    uint32_t more = loops - 1;
    return (struct figure){(all.value - one.value) / more, (all.low - one.high) / more,
                           (all.high - one.low) / more, all.repeats};
}

static void let_the_counter_run(void)
{
    uint64_t end = lh_counter() + SETTLE_TSC;
    while (lh_counter() < end)
        continue;
}

int main(void)
{
    make_process();
    let_the_counter_run();
    lh_stall_tick_init(TICK_NS);
    lh_suspends_begin();
    puts("the watchdog: a tick, hot");
    add_loop();
    struct figure young = measure_ticks(false, 1);
    struct figure parked = measure_ticks(true, 1);
    for (uint32_t i = 1; i < LOOPS; i++)
        add_loop();
    figure_tell(FIGURE_tick_one_loop, "young", young);
    figure_tell(FIGURE_tick_one_loop, "parked", parked);
    figure_tell(FIGURE_tick_more_loops, "young",
                each_more(measure_ticks(false, LOOPS), young, LOOPS));
    figure_tell(FIGURE_tick_more_loops, "parked",
                each_more(measure_ticks(true, LOOPS), parked, LOOPS));
    return 0;
}
