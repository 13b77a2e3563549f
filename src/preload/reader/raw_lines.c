/* SPDX-License-Identifier: Apache-2.0 */
/* Raw lines. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/reader/raw_lines.h"

#include <string.h>

#include "common/event_json.h"
#include "common/js_frame.h"
#include "common/told.h"
#include "preload/reader/module.h"
#include "preload/reader/raw_output.h"
#include "preload/state/state.h"
#include "preload/sys/clock.h"
#include "preload/sys/futex.h"

#define LINE_BYTES (64 * 1024)
#define FRAMES_MAX (LH_PYTHON_FRAMES + LH_JS_FRAMES + 1)

/* The watchdog's own; also of a watchdog that takes over from an earlier one. */
static uint64_t position;
static bool started; /* `position` is set and the `start` line written */
static struct lh_frame frames[FRAMES_MAX];
static char line[LINE_BYTES];

void lh_raw_lines_reset(bool new_ring)
{
    lh_raw_output_begin();
    if (new_ring)
        started = false;
}

/* `always`: whatever LOOPHOUND_OUTPUT_LIMIT is. */
static void write_line(struct lh_ring *ring, const struct lh_json *json, bool always)
{
    if (json->overflow || lh_raw_output_write(ring, json->buf, json->length, always) != 0)
        atomic_fetch_add(&ring->totals.dropped, 1);
}

/* The caller of libc: our wrapper keeps a frame pointer, so its return address is the word above
 * it. */
static uint32_t add_caller(struct lh_frame *frame)
{
    static struct lh_module module;
    uint64_t above =
        lh_process->taken.registers.fp - lh_process->taken.stack_address + sizeof(uint64_t);
    uint64_t address;
    if (lh_process->taken.stack_length < sizeof(address) ||
        above > lh_process->taken.stack_length - sizeof(address))
        return 0;
    memcpy(&address, lh_process->taken.stack + above, sizeof(address));
    lh_module_find(address - 1, &module);
    *frame = (struct lh_frame){.lang = LH_LANG_NATIVE,
                               .module = module.path[0] != '\0' ? module.path : NULL,
                               .offset = module.path[0] != '\0' ? address - module.bias : 0,
                               .build_id = module.build_id[0] != '\0' ? module.build_id : NULL};
    return 1;
}

static uint32_t build_frames(void)
{
    uint32_t count = add_caller(&frames[0]);
    for (uint32_t i = 0; i < lh_process->taken.python_count; i++)
        frames[count++] = (struct lh_frame){
            .lang = LH_LANG_PYTHON,
            .function = lh_process->taken.strings + lh_process->taken.python[i].function,
            .file = lh_process->taken.strings + lh_process->taken.python[i].file,
            .line = lh_process->taken.python[i].line};
    for (uint32_t i = 0; i < lh_process->taken.js_count; i++)
        frames[count++] = lh_js_frame_of(&lh_process->taken.js[i], lh_process->taken.strings);
    return count;
}

/* What a collector took and did not live to write is lost. */
static void take_up_reading(struct lh_ring *ring)
{
    position = lh_ring_resume(ring);
    uint32_t unwritten = (uint32_t)position - atomic_load(&ring->written);
    if (unwritten <= LH_RING_CELLS)
        atomic_fetch_add(&ring->totals.dropped, unwritten);
    atomic_store(&ring->written, (uint32_t)position);
}

static void start(struct lh_ring *ring)
{
    struct lh_json json;
    if (started)
        return;
    started = true;
    take_up_reading(ring);
    lh_json_init(&json, line, sizeof(line));
    lh_event_start(&json, ring);
    write_line(ring, &json, true);
}

/* A call or iteration without an end has been told in flight, and counts as any other. */
static void count_unended(struct lh_ring *ring)
{
    for (uint32_t i = 0; i < LH_RING_TOLD; i++) {
        enum lh_told_kind kind;
        uint64_t id = lh_told_at(ring, i, &kind);
        lh_told_end(ring, id);
        if (id != 0)
            atomic_fetch_add(kind == LH_TOLD_CALL ? &ring->totals.blocks : &ring->totals.stalls, 1);
    }
}

static void write_summary(struct lh_ring *ring)
{
    struct lh_json json;
    count_unended(ring);
    lh_json_init(&json, line, sizeof(line));
    lh_event_summary(&json, ring, lh_clock_ns(CLOCK_REALTIME), NULL);
    write_line(ring, &json, true);
    atomic_store(&ring->drained, 1);
    lh_futex_wake(&ring->drained, true);
}

static void write_report(struct lh_ring *ring)
{
    struct lh_json json;
    const struct lh_report report = {.record = &lh_process->taken,
                                     .frames = frames,
                                     .frame_count = build_frames(),
                                     .threshold_ns = ring->options.threshold_ns,
                                     .no_stack = (enum lh_no_stack)lh_process->taken.no_stack,
                                     .noise = (enum lh_noise)lh_process->taken.noise};
    lh_json_init(&json, line, sizeof(line));
    if (lh_event_ends(lh_process->taken.type))
        lh_told_end(ring, lh_process->taken.id);
    lh_event_report(&json, ring->pid, &report);
    if (json.length > 0)
        write_line(ring, &json, lh_process->taken.type == LH_EVENT_LOOP);
}

void lh_raw_lines_drain(struct lh_ring *ring)
{
    start(ring);
    while (lh_ring_take(ring, &position, &lh_process->taken)) {
        if (lh_record_check(&lh_process->taken))
            write_report(ring);
        else /* the program has written to it */
            atomic_fetch_add(&ring->totals.dropped, 1);
        atomic_store(&ring->written, (uint32_t)position);
        lh_futex_wake(&ring->written, true);
    }
    if (atomic_load(&ring->closing) != 0 && atomic_load(&ring->drained) == 0)
        write_summary(ring);
}
