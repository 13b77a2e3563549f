/* SPDX-License-Identifier: Apache-2.0 */
/* The events that begin and end the account of a process. Runs where event_json.c does. */
#include <string.h>

#include "common/event_json.h"
#include "common/event_parts.h"
#include "common/json_member.h"
#include "common/output_name.h"
#include "common/version.h"

static void write_warnings(struct lh_json *json, const char *lines, size_t size)
{
    const char *end = lines + strnlen(lines, size);
    lh_json_key(json, "warnings");
    lh_json_open(json, '[');
    while (lines < end) {
        const char *newline = memchr(lines, '\n', (size_t)(end - lines));
        const char *stop = newline != NULL ? newline : end;
        if (stop > lines)
            lh_json_string_n(json, lines, (size_t)(stop - lines));
        lines = stop + 1;
    }
    lh_json_close(json, ']');
}

static void write_host(struct lh_json *json)
{
    struct utsname names;
    lh_member_string(json, "host", lh_host_name(&names));
}

static void write_argv(struct lh_json *json, const struct lh_ring *ring)
{
    uint32_t length =
        ring->argv_length < sizeof(ring->argv) ? ring->argv_length : (uint32_t)sizeof(ring->argv);
    lh_json_key(json, "argv");
    lh_json_open(json, '[');
    for (uint32_t at = 0; at < length;) {
        size_t one = strnlen(ring->argv + at, length - at);
        lh_json_string_n(json, ring->argv + at, one);
        at += (uint32_t)one + 1;
    }
    lh_json_close(json, ']');
}

/* Of others than CPython the collector knows the name, and the version where a path has it. */
static void write_runtime(struct lh_json *json, const struct lh_ring *ring)
{
    bool python = ring->python[0] != '\0';
    lh_json_key(json, "runtime");
    if (!python && ring->runtime[0] == '\0') {
        lh_json_null(json);
        return;
    }
    lh_json_open(json, '{');
    if (python) {
        lh_member_string(json, "name", "CPython");
        lh_member_array(json, "version", ring->python, sizeof(ring->python));
    } else {
        lh_member_array(json, "name", ring->runtime, sizeof(ring->runtime));
        lh_member_array(json, "version", ring->version, sizeof(ring->version));
    }
    lh_json_close(json, '}');
}

void lh_event_start(struct lh_json *json, const struct lh_ring *ring)
{
    uint32_t pid = ring->pid;
    lh_event_open(json, "start", ring->started_ns, pid, pid);
    lh_member_null(json, "thread");
    lh_member_array(json, "run", ring->run, sizeof(ring->run));
    write_host(json);
    lh_member_array(json, "boot", ring->boot, sizeof(ring->boot));
    lh_member_array(json, "exe", ring->exe, sizeof(ring->exe));
    write_argv(json, ring);
    lh_member_array(json, "cwd", ring->cwd, sizeof(ring->cwd));
    lh_member_array(json, "root", ring->root, sizeof(ring->root));
    lh_member_array(json, "service", ring->options.service, sizeof(ring->options.service));
    write_runtime(json, ring);
    lh_member_string(json, "version", LH_VERSION);
    lh_member_ms(json, "threshold_ms", ring->options.threshold_ns);
    lh_json_key(json, "strict");
    lh_json_bool(json, ring->options.strict != 0);
    write_warnings(json, ring->warnings, sizeof(ring->warnings));
    lh_event_close(json);
}

/* Adds up the rows of one canonical name. Returns how many names were called at all. */
static uint32_t sum_by_name(const struct lh_ring *ring, struct lh_call_sum sums[LH_CALLS_MAX])
{
    uint32_t used = 0;
    for (uint32_t call = 0; call < lh_call_count(); call++) {
        uint64_t count = atomic_load(&ring->totals.by_call[call].count);
        uint64_t total_ns = atomic_load(&ring->totals.by_call[call].total_ns);
        if (count == 0)
            continue;
        const char *name = lh_call_info(call)->canonical;
        uint32_t i = 0;
        while (i < used && strcmp(sums[i].name, name) != 0)
            i++;
        if (i == used)
            sums[used++] = (struct lh_call_sum){.name = name};
        sums[i].count += count;
        sums[i].total_ns += total_ns;
    }
    return used;
}

static void write_by_call(struct lh_json *json, const struct lh_ring *ring)
{
    struct lh_call_sum sums[LH_CALLS_MAX];
    uint32_t count = sum_by_name(ring, sums);
    lh_event_sums(json, "by_call", sums, count);
}

/* {name: count}, of the classes that there were. */
static void write_noise(struct lh_json *json, const struct lh_ring *ring)
{
    lh_json_key(json, "quiet");
    lh_json_open(json, '{');
    for (uint32_t noise = LH_NOISE_NONE + 1; ring != NULL && noise < LH_NOISE_COUNT; noise++) {
        uint64_t count = atomic_load(&ring->totals.quiet[noise]);
        if (count != 0)
            lh_member_u64(json, lh_noise_name((enum lh_noise)noise), count);
    }
    lh_json_close(json, '}');
}

/* The same of scripts, and what cannot be told of them. */
static void write_flaws(struct lh_json *json, const struct lh_ring *ring)
{
    lh_json_key(json, "scripts");
    lh_json_open(json, '{');
    for (uint32_t flaw = 0; ring != NULL && flaw < LH_SCRIPT_FLAW_COUNT; flaw++) {
        uint64_t count = atomic_load(&ring->totals.flaws[flaw]);
        if (count != 0)
            lh_member_u64(json, lh_script_flaw_info((enum lh_script_flaw)flaw)->name, count);
    }
    lh_json_close(json, '}');
}

/* Each rule, with how much it has matched here: one that has matched nothing in any process of a
 * run is not needed. */
static void write_judged(struct lh_json *json, const struct lh_quiet *quiet)
{
    if (quiet == NULL) {
        lh_member_null(json, "suppressed");
        lh_member_null(json, "known");
        lh_member_null(json, "rules");
        return;
    }
    lh_member_u64(json, "suppressed", quiet->suppressed);
    if (quiet->has_baseline)
        lh_member_u64(json, "known", quiet->known);
    else
        lh_member_null(json, "known");
    lh_json_key(json, "rules");
    lh_json_open(json, '[');
    for (uint32_t i = 0; i < quiet->rule_count; i++)
        lh_event_rule(json, &quiet->rules[i], &quiet->uses[i]);
    lh_json_close(json, ']');
}

void lh_event_summary(struct lh_json *json, const struct lh_ring *ring, int64_t time_ns,
                      const struct lh_quiet *quiet)
{
    uint32_t pid = ring->pid;
    lh_event_open(json, "summary", time_ns, pid, pid);
    lh_member_null(json, "thread");
    lh_member_u64(json, "loops", atomic_load(&ring->totals.loops));
    lh_member_u64(json, "blocks", atomic_load(&ring->totals.blocks));
    lh_member_u64(json, "stalls", atomic_load(&ring->totals.stalls));
    write_judged(json, quiet);
    lh_member_u64(json, "dropped", atomic_load(&ring->totals.dropped));
    lh_member_ms(json, "blocked_ms", atomic_load(&ring->totals.blocked_ns));
    write_by_call(json, ring);
    write_noise(json, ring);
    write_flaws(json, ring);
    lh_member_null(json, "why");
    lh_event_close(json);
}

/* As a summary of a process in which nothing was. */
void lh_event_no_loops(struct lh_json *json, int64_t time_ns, uint32_t pid, const char *why)
{
    static const char *const counts[] = {"loops", "blocks", "stalls"};
    lh_event_open(json, "summary", time_ns, pid, pid);
    lh_member_null(json, "thread");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        lh_member_u64(json, counts[i], 0);
    write_judged(json, NULL);
    lh_member_u64(json, "dropped", 0);
    lh_member_ms(json, "blocked_ms", 0);
    lh_event_sums(json, "by_call", NULL, 0);
    write_noise(json, NULL);
    write_flaws(json, NULL);
    lh_member_string(json, "why", why);
    lh_event_close(json);
}
