/* SPDX-License-Identifier: Apache-2.0 */
/* A ring that a hostile program wrote: its header, its positions and its records go the way that
 * they go in the collector, up to the bytes that would be written. */
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/link/ring_map.h"
#include "collect/report/advice.h"
#include "collect/report/groups.h"
#include "collect/report/holders.h"
#include "collect/report/profile.h"
#include "collect/sink/output.h"
#include "collect/sink/sink_format.h"
#include "collect/stack/stack.h"
#include "fuzz.h"
#include "json_check.h"

#define RECORDS_MAX 8
#define STACK_MAX   256u
#define STRINGS_MAX 128u
#define UNITS       24u /* of a record before it is packed, with so much of a stack */
#define TAGS_MAX    64u

/* Bits of the byte that every record begins with. */
enum { MADE_BY_LIBRARY = 1, IN_CODE = 2, UNFINISHED = 4, MISPLACED = 8 };

static struct lh_ring *ring;     /* as the program shares it */
static struct lh_stacks *stacks; /* of this process */

static struct reader {
    struct lh_ring *header;
    struct lh_profile *profile;
    struct lh_groups groups;
    struct lh_holders *holders;
    struct lh_advice_stacks advice_stacks;
    struct lh_advice advice;
    char advice_text[LH_ADVICE_BYTES];
    void *json;
    void *text;
    uint64_t position;
    struct lh_record record;
    struct lh_frame frames[LH_STACK_FRAMES_MAX];
    char line[64 * 1024];
} reader;

static void set_up(void)
{
    ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(ring != MAP_FAILED);
    stacks = lh_stacks_open(getpid(), open("/proc/self/maps", O_RDONLY | O_CLOEXEC), "");
    MUST(stacks != NULL);
}

/* Some bytes of the header or its totals, anywhere in them. */
static void patch_header(struct input *input)
{
    for (int patches = take_u8(input) % 8; patches > 0; patches--) {
        uint16_t at;
        take(input, &at, sizeof(at));
        size_t size = take_u8(input) % 32;
        if (at + size <= offsetof(struct lh_ring, cells))
            take(input, (uint8_t *)ring + at, size);
    }
}

/* Registers that lead into this program, so that there is something to unwind and to name. */
static void lead_into_code(struct lh_record *record)
{
    const uint64_t somewhere = (uint64_t)(uintptr_t)LLVMFuzzerTestOneInput;
    record->registers.pc = somewhere + record->registers.pc % 65536;
    record->stack_address |= 1u << 20;
    record->registers.sp = record->stack_address;
    record->registers.fp = record->stack_address + record->registers.fp % STACK_MAX;
}

static void put_record(struct input *input, unsigned index)
{
    uint64_t position = atomic_load(&ring->head);
    _Atomic uint64_t *cell = &ring->cells[position % LH_RING_CELLS];
    struct lh_record *record =
        (struct lh_record *)(ring->records + (size_t)(index * UNITS * LH_RING_UNIT));
    uint8_t how = take_u8(input);
    atomic_store(&ring->head, position + 1);
    atomic_store(cell, lh_ring_free_cell(position));
    record->position = position;
    record->units = UNITS;
    take(input, &record->type,
         offsetof(struct lh_record, python) - offsetof(struct lh_record, type));
    take(input, record->python, 4 * sizeof(record->python[0]));
    take(input, record->strings, STRINGS_MAX);
    take(input, record->stack, STACK_MAX);
    take(input, &record->tags, TAGS_MAX);
    take(input, record->js, 4 * sizeof(record->js[0]));
    if ((how & MADE_BY_LIBRARY) != 0) {
        record->type %= LH_EVENT_COUNT;
        record->call %= lh_call_count();
        record->group %= LH_GROUP_COUNT;
        record->thread[LH_THREAD_NAME - 1] = '\0';
    }
    if ((how & IN_CODE) != 0)
        lead_into_code(record);
    lh_ring_commit(ring, record);
    if ((how & UNFINISHED) != 0)
        atomic_store(cell, take_u64(input));
    if ((how & MISPLACED) != 0)
        atomic_fetch_xor(cell, take_u64(input) & LH_RING_PLACE);
}

/* The part of the collector between the ring and the output, as process.c puts it together. */
static void report(void)
{
    const struct lh_record *record = &reader.record;
    struct lh_report report = {.record = record, .frames = reader.frames};
    report.frame_count =
        lh_stacks_build(stacks, record, reader.frames, reader.header->options.stack_frames);
    MUST(report.frame_count <= LH_STACK_FRAMES_MAX);
    if (record->type == LH_EVENT_SAMPLE) {
        lh_profile_add(reader.profile, record, report.frames, report.frame_count);
        return;
    }
    if (record->type == LH_EVENT_HOLDER) {
        lh_holders_add(reader.holders, record, report.frames, report.frame_count);
        return;
    }
    if (record->type == LH_EVENT_AWAITED) {
        if (report.frame_count == record->python_count)
            lh_holders_add_awaited(reader.holders, record, report.frames);
        return;
    }
    if (record->type == LH_EVENT_STALL) {
        report.sample_count = lh_profile_take(reader.profile, record, &report.samples);
        report.groups = reader.groups.samples;
        report.group_count = lh_groups_find(&reader.groups, report.samples, report.sample_count);
    }
    report.holder = lh_holders_find(reader.holders, record);
    report.waits_for = lh_holders_find_awaited(reader.holders, record);
    if (lh_advice_find(&report, &reader.advice_stacks, &reader.advice, reader.advice_text))
        report.advice = &reader.advice;
    size_t length = lh_sink_json.report(reader.json, &report, reader.line, sizeof(reader.line));
    MUST(length <= sizeof(reader.line));
    MUST(length == 0 || is_json_line(reader.line, length));
    length = lh_sink_text.report(reader.text, &report, reader.line, sizeof(reader.line));
    MUST(length < sizeof(reader.line));
}

static void read_all(void)
{
    reader.position = lh_ring_resume(ring);
    for (unsigned i = 0; i < 2 * LH_RING_CELLS; i++) {
        if (!lh_ring_take(ring, &reader.position, &reader.record))
            reader.position++;
        else if (reader.record.type != LH_EVENT_LOST && lh_record_check(&reader.record))
            report();
    }
    lh_copy_totals(&reader.header->totals, &ring->totals);
    size_t length = lh_sink_json.summary(reader.json, (int64_t)reader.position,
                                         &(struct lh_quiet){0}, reader.line, sizeof(reader.line));
    MUST(length == 0 || is_json_line(reader.line, length));
    (void)lh_sink_text.summary(reader.text, (int64_t)reader.position, &(struct lh_quiet){0},
                               reader.line, sizeof(reader.line));
}

/* What is made for it goes nowhere. */
static void read_with_sinks(void)
{
    const struct lh_output_target nowhere = {.kind = LH_OUTPUT_FD, .fd = -1};
    struct lh_outputs *outputs = lh_outputs_new();
    struct lh_output *output = lh_output_get(outputs, &nowhere);
    const struct lh_sink_setup setup = {.header = reader.header, .main_tid = 1, .output = output};
    reader.json = lh_sink_json.new(&setup);
    reader.text = lh_sink_text.new(&setup);
    reader.profile = lh_profile_new();
    reader.holders = lh_holders_new();
    size_t length = lh_sink_json.start(reader.json, reader.line, sizeof(reader.line));
    MUST(length == 0 || is_json_line(reader.line, length));
    (void)lh_sink_text.start(reader.text, reader.line, sizeof(reader.line));
    read_all();
    lh_sink_json.free(reader.json);
    lh_sink_text.free(reader.text);
    lh_output_put(outputs, output);
    lh_outputs_free(outputs);
    lh_profile_free(reader.profile);
    lh_holders_free(reader.holders);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct lh_options options;
    if (ring == NULL)
        set_up();
    MUST(madvise(ring, sizeof(*ring), MADV_DONTNEED) == 0);
    lh_options_init(&options);
    lh_ring_init(ring, (uint32_t)getpid(), &options);
    patch_header(&input);
    for (unsigned i = 0; i < RECORDS_MAX && input.left > 0; i++)
        put_record(&input, i);
    if (lh_ring_map_header(&reader.header, ring) != 0)
        return 0;
    read_with_sinks();
    lh_ring_unmap_header(reader.header);
    return 0;
}
