/* SPDX-License-Identifier: Apache-2.0 */
/* A running process: is the library in it, who reads its reports, and which loops it has. Its ring
 * is only read, by process_vm_readv(2); what stands in it is the process's word. */
#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/proc.h"
#include "cli/locate.h"
#include "cli/run_seen.h"
#include "common/ring.h"
#include "common/text.h"

#define LIBRARIES    "libloophound.so*"
#define RING_MAPPING "/memfd:loophound"
#define WORDS_BYTES  400

/* The parts of a ring's header that matter here. */
struct ring_facts {
    bool found;
    bool ours; /* of this version */
    uint32_t attached;
    uint32_t reader;
    uint64_t loops;
    uint64_t blocks;
    uint64_t stalls;
};

static bool read_at(pid_t pid, uint64_t address, void *to, size_t size)
{
    struct iovec local = {to, size};
    struct iovec remote = {(void *)(uintptr_t)address, size};
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* 0: it has none. */
static uint64_t ring_address(pid_t pid)
{
    char line[PATH_MAX];
    uint64_t address = 0;
    FILE *maps = lh_proc_open(pid, "maps");
    while (maps != NULL && address == 0 && fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, RING_MAPPING) != NULL && sscanf(line, "%" SCNx64, &address) != 1)
            address = 0;
    if (maps != NULL)
        (void)fclose(maps);
    return address;
}

static struct ring_facts read_ring(pid_t pid)
{
    struct ring_facts facts = {.found = false};
    uint64_t magic = 0;
    uint64_t at = ring_address(pid);
    facts.found = at != 0;
    if (!facts.found || !read_at(pid, at, &magic, sizeof(magic)))
        return facts;
    const struct {
        size_t offset;
        void *to;
        size_t size;
    } parts[] = {
        {offsetof(struct lh_ring, attached), &facts.attached, sizeof(facts.attached)},
        {offsetof(struct lh_ring, reader), &facts.reader, sizeof(facts.reader)},
        {offsetof(struct lh_ring, totals.loops), &facts.loops, sizeof(facts.loops)},
        {offsetof(struct lh_ring, totals.blocks), &facts.blocks, sizeof(facts.blocks)},
        {offsetof(struct lh_ring, totals.stalls), &facts.stalls, sizeof(facts.stalls)},
    };
    facts.ours = magic == LH_RING_MAGIC;
    for (size_t i = 0; facts.ours && i < sizeof(parts) / sizeof(parts[0]); i++)
        facts.ours = read_at(pid, at + parts[i].offset, parts[i].to, parts[i].size);
    return facts;
}

/* What to type so that it is watched the next time. */
static void say_how_to_start(const struct lh_subject *subject, struct lh_findings *findings)
{
    char buf[WORDS_BYTES];
    struct lh_text text;
    lh_text_init(&text, buf, sizeof(buf));
    for (char **word = subject->words; word != NULL && *word != NULL; word++) {
        lh_text_char(&text, ' ');
        lh_text_string(&text, *word);
    }
    lh_find_todo(findings, "start it again: loophound run --%s",
                 text.length > 0 ? buf : " COMMAND");
}

static void say_not_in_it(const struct lh_subject *subject, struct lh_findings *findings)
{
    const char *preload = lh_subject_variable(subject, "LD_PRELOAD");
    bool asked = preload != NULL && strstr(preload, "libloophound") != NULL;
    lh_find_blind(findings, asked ? "the library is in its LD_PRELOAD and not in the process: its "
                                    "dynamic linker ignored it, or could not find it"
                                  : "the library is not in the process, and cannot be put into one "
                                    "that runs");
    say_how_to_start(subject, findings);
}

void lh_check_carrier(const struct lh_subject *subject, struct lh_findings *findings)
{
    char ours[PATH_MAX];
    char buf[LH_FINDING_BYTES];
    struct lh_text why;
    const char *library = lh_program_library(&subject->facts, LIBRARIES);
    lh_text_init(&why, buf, sizeof(buf));
    if (subject->facts.library_count == 0) {
        lh_find_blind(findings, "the process may not be looked at (/proc/%d/maps)",
                      (int)subject->pid);
        lh_find_todo(findings, "sudo loophound doctor -p %d", (int)subject->pid);
    } else if (library == NULL) {
        say_not_in_it(subject, findings);
    } else if (lh_locate_library_quietly(ours, sizeof(ours), &why) == 0 &&
               strcmp(ours, library) != 0) {
        lh_find(findings, LH_WARN, "it has another library than this command's: %s, and not %s",
                library, ours);
        lh_find_todo(findings, "use the loophound that is beside it");
    } else {
        lh_find(findings, LH_OK, "the library is in it");
    }
}

/* Its number means something only among the processes that we see: pid_namespaces(7). */
static bool is_gone(pid_t pid, uint32_t reader)
{
    char theirs[64] = "";
    char ours[64] = "";
    char link[32];
    snprintf(link, sizeof(link), "/proc/%d/ns/pid", (int)pid);
    bool known = readlink(link, theirs, sizeof(theirs) - 1) > 0 &&
                 readlink("/proc/self/ns/pid", ours, sizeof(ours) - 1) > 0;
    return known && strcmp(theirs, ours) == 0 && kill((pid_t)reader, 0) != 0 && errno == ESRCH;
}

void lh_check_collector(const struct lh_subject *subject, struct lh_findings *findings)
{
    if (lh_program_library(&subject->facts, LIBRARIES) == NULL)
        return;
    struct ring_facts ring = read_ring(subject->pid);
    uint32_t reader = ring.reader & FUTEX_TID_MASK;
    if (!ring.found)
        return;
    if (!ring.ours) {
        lh_find(findings, LH_WARN, "its ring cannot be read, or is of another version");
        lh_find_todo(findings, "look with its own loophound, as root");
    } else if (ring.attached == 0 && ring.blocks + ring.stalls > 0) {
        lh_find(findings, LH_WARN,
                "nobody reads its reports: raw JSON lines are written, without "
                "names of functions");
        lh_find_todo(findings, "loophound report reads them; LOOPHOUND_COLLECTOR=/path/loophound");
    } else if (ring.attached == 0 && reader == 0) {
        lh_find(findings, LH_OK, "it has no collector yet: one is started with the first report");
    } else if ((ring.reader & FUTEX_OWNER_DIED) != 0 ||
               (reader != 0 && is_gone(subject->pid, reader))) {
        lh_find(findings, LH_WARN, "its collector is gone: what comes now are raw JSON lines");
        lh_find_todo(findings, "loophound report reads them; or start the program again");
    } else {
        lh_find(findings, LH_OK, "its collector reads its reports (thread %" PRIu32 ")", reader);
    }
}

/* A thread that waits for events, as the kernel tells it. */
static bool find_waiting(pid_t pid, struct lh_run_seen *seen)
{
    lh_run_seen_init(seen);
    seen->due_ms = 0;
    lh_run_seen_look(seen, pid);
    return seen->call != NULL;
}

void lh_check_loops(const struct lh_subject *subject, struct lh_findings *findings)
{
    struct lh_run_seen seen;
    if (subject->facts.library_count == 0) /* it may not be looked at */
        return;
    struct ring_facts ring = read_ring(subject->pid);
    bool carries = lh_program_library(&subject->facts, LIBRARIES) != NULL;
    if (ring.ours && ring.loops > 0) {
        lh_find(findings, LH_OK,
                "loop threads found: %" PRIu64 "; blocks so far: %" PRIu64 ", stalls: %" PRIu64,
                ring.loops, ring.blocks, ring.stalls);
        return;
    }
    bool waits = find_waiting(subject->pid, &seen);
    if (waits && !carries)
        lh_find(findings, LH_OK, "its thread %s waits in %s: it has a loop that could be watched",
                seen.thread, seen.call);
    else if (waits)
        lh_find(findings, LH_MISS, "its thread %s waits in %s, past libc: no loop is known of it",
                seen.thread, seen.call);
    else
        lh_find(findings, LH_WARN,
                "no loop thread so far: none waits in epoll_wait at this moment");
    if (carries)
        lh_find_todo(findings, "name its thread: --loop main, or --loop and globs of thread names");
}
