/* Raw lines. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/socket.h>

#include "common/event_json.h"
#include "common/output_name.h"
#include "preload/clock.h"
#include "preload/descriptors.h"
#include "preload/module.h"
#include "preload/sys.h"

#define LINE_BYTES  (64 * 1024)
#define FD_CLOSED   (-1)
#define FRAMES_MOST (LH_PYTHON_FRAMES + 1)

/* The watchdog's own; also of a watchdog that takes over from an earlier one. */
static int output_fd = FD_CLOSED;
static uint64_t position;
static bool started; /* `position` is set and the `start` line written */
static struct lh_frame frames[FRAMES_MOST];
static char line[LINE_BYTES];

void lh_raw_reset(bool new_ring)
{
    output_fd = FD_CLOSED;
    if (new_ring)
        started = false;
}

static int open_output(const struct lh_ring *ring)
{
    static char path[PATH_MAX];
    const struct lh_options *options = &ring->options;
    if (options->output_kind == LH_OUTPUT_STDERR)
        return lh_fd_borrow(2);
    if (options->output_kind == LH_OUTPUT_FD)
        return lh_fd_borrow(options->output_fd);
    if (lh_output_name(path, sizeof(path), ring, true) != 0)
        return -ENAMETOOLONG;
    if (options->output_kind == LH_OUTPUT_UNIX)
        return lh_fd_connect(path, SOCK_STREAM);
    return lh_fd_lift(lh_syscall4(SYS_openat, AT_FDCWD, (long)path,
                                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644));
}

/* A whole line or nothing, as far as write(2) goes; what is not written is lost and counted. */
static void write_line(struct lh_ring *ring, const struct lh_json *json)
{
    if (output_fd < 0)
        output_fd = open_output(ring);
    if (json->overflow || output_fd < 0 ||
        lh_syscall3(SYS_write, output_fd, (long)json->buf, (long)json->length) < 0)
        atomic_fetch_add(&ring->totals.dropped, 1);
}

/* The caller of libc: our wrapper keeps a frame pointer, so its return address is the word above
 * it. */
static uint32_t add_caller(struct lh_frame *frame)
{
    static struct lh_module module;
    uint64_t above =
        lh_process->taken.registers.rbp - lh_process->taken.stack_address + sizeof(uint64_t);
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
    write_line(ring, &json);
}

static void write_summary(struct lh_ring *ring)
{
    struct lh_json json;
    lh_json_init(&json, line, sizeof(line));
    lh_event_summary(&json, ring, lh_clock_ns(CLOCK_REALTIME));
    write_line(ring, &json);
    atomic_store(&ring->drained, 1);
    lh_syscall3(SYS_futex, (long)&ring->drained, FUTEX_WAKE, INT_MAX);
}

void lh_raw_drain(struct lh_ring *ring)
{
    start(ring);
    while (lh_ring_take(ring, &position, &lh_process->taken)) {
        struct lh_json json;
        const struct lh_report report = {
            .record = &lh_process->taken, .frames = frames, .frame_count = build_frames()};
        lh_json_init(&json, line, sizeof(line));
        lh_event_report(&json, ring->pid, &report);
        if (json.length > 0)
            write_line(ring, &json);
        atomic_store(&ring->written, (uint32_t)position);
        lh_syscall3(SYS_futex, (long)&ring->written, FUTEX_WAKE, INT_MAX);
    }
    if (atomic_load(&ring->closing) != 0 && atomic_load(&ring->drained) == 0)
        write_summary(ring);
}
