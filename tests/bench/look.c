/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs to look at a loop that is held: one sample of a loop that computes, on its own
 * thread, and one report of a call in flight, on the watchdog. Without the collector's part: what
 * is written is taken out of the ring at once, untimed. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/call_ids.h"
#include "costs.h"
#include "preload/iteration/sampler.h"
#include "preload/iteration/stall.h"
#include "preload/state/record.h"
#include "preload/sys/clock.h"
#include "preload/watchdog/inflight.h"

#define DEEP (64u << 10) /* twice what is copied */

static struct lh_ring *ring;
static uint64_t position;
static struct lh_record taken;

/* Takes the one record that must be there. */
static void take(enum lh_event type)
{
    if (!lh_ring_take(ring, &position, &taken) || taken.type != type)
        exit(1);
    atomic_store(&ring->written, (uint32_t)position);
}

static struct lh_slot *make_process(void)
{
    size_t bytes = sizeof(struct lh_process) + sizeof(struct lh_ring);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        exit(1);
    lh_options_init(&lh_options);
    lh_options.stack_bytes = STACK_BYTES;
    lh_options.rate_window_ns = 0;
    lh_clock_init();
    lh_process = (struct lh_process *)memory;
    ring = (struct lh_ring *)(memory + sizeof(struct lh_process));
    lh_ring_init(ring, (uint32_t)getpid(), &lh_options);
    atomic_store(&ring->attached, 1);
    atomic_store(&lh_process->ring, ring);
    atomic_store(&lh_process->pid, (uint32_t)getpid());
    return lh_slot_take((uint32_t)syscall(SYS_gettid));
}

static void measure_samples(struct lh_slot *slot)
{
    volatile char deep[DEEP]; /* so that there is a whole stack to copy */
    struct lh_call_copy copy = {.tid = atomic_load(&slot->tid)};
    memset((char *)deep, 1, sizeof(deep));
    copy.registers.sp = (uintptr_t)__builtin_frame_address(0) - sizeof(deep);
    lh_self.slot = slot;
    for (int i = 0; i < COSTS; i++) {
        lh_stall_begin(slot);
        double start = now_us();
        lh_sample_write(slot, &copy, LH_SAMPLE_NS, true);
        costs_us[i] = now_us() - start;
        take(LH_EVENT_SAMPLE);
    }
    tell_costs(FIGURE_look_sample, "");
}

/* A loop thread in read(2) on a pipe, deep in its stack. */
struct waiter {
    struct lh_slot *slot;
    int fds[2];
    pthread_barrier_t ready;
};

static void *wait_in_read(void *argument)
{
    struct waiter *waiter = argument;
    volatile char deep[DEEP];
    char byte;
    memset((char *)deep, 1, sizeof(deep));
    struct lh_slot *slot = waiter->slot;
    atomic_store(&slot->tid, (uint32_t)syscall(SYS_gettid));
    slot->call = LH_CALL_read;
    slot->operand = (uint64_t)waiter->fds[0];
    slot->registers.sp = (uintptr_t)deep;
    slot->start = lh_counter();
    atomic_store(&slot->sp, (uintptr_t)deep);
    pthread_barrier_wait(&waiter->ready);
    return read(waiter->fds[0], &byte, 1) == 1 ? argument : NULL;
}

static void measure_inflight(struct lh_slot *slot)
{
    struct waiter waiter = {.slot = slot};
    pthread_t thread;
    lh_options.threshold_ns = 1;
    if (pipe(waiter.fds) != 0)
        exit(1);
    pthread_barrier_init(&waiter.ready, NULL, 2);
    pthread_create(&thread, NULL, wait_in_read, &waiter);
    pthread_barrier_wait(&waiter.ready);
    uint64_t seq = 1;
    atomic_store(&slot->seq, seq);
    do /* until it waits */
        lh_inflight_tick(slot);
    while (!lh_ring_take(ring, &position, &taken));
    for (int i = 0; i < COSTS; i++) {
        atomic_store(&slot->seq, ++seq); /* as a new call: told again at once */
        double start = now_us();
        lh_inflight_tick(slot);
        costs_us[i] = now_us() - start;
        take(LH_EVENT_INFLIGHT);
    }
    tell_costs(FIGURE_look_inflight, "");
    if (taken.stack_length != lh_options.stack_bytes || taken.resource.fd != waiter.fds[0] ||
        write(waiter.fds[1], "x", 1) != 1)
        exit(1);
    pthread_join(thread, NULL);
}

int main(void)
{
    puts("looks at a loop that is held");
    struct lh_slot *slot = make_process();
    measure_samples(slot);
    lh_self.slot = NULL;
    measure_inflight(slot);
    return 0;
}
