/* SPDX-License-Identifier: Apache-2.0 */
/* Throttling by a cgroup's limit. See throttle.h. Runs on the watchdog, lh_throttle_now_ns() also
 * on the loop threads: raw system calls, no libc state, no malloc. */
#include "preload/state/throttle.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "common/record.h"
#include "common/text.h"
#include "preload/state/state.h"
#include "preload/sys/clock.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"

#define CGROUPS       "/sys/fs/cgroup" /* where systemd and container runtimes mount them */
#define FIND_AGAIN_NS (5 * LH_NS_PER_S)

/* The two versions of cgroups: where the one with the processors is, and how it says its limit. */
struct version {
    const char *mount;
    const char *limit_file;
    char unlimited;       /* what the limit begins with where there is none */
    const char *stat_key; /* the line of cpu.stat … */
    uint64_t stat_ns;     /* … and its unit */
};

static const struct version version_1 = {"/cpu", "/cpu.cfs_quota_us", '-', "throttled_time ", 1};
static const struct version version_2 = {"", "/cpu.max", 'm', "throttled_usec ", 1000};

/* Two, so that a thread that reads one while the process is moved to another cgroup reads it whole.
 */
static struct lh_throttle found[2];
static struct lh_throttle *_Atomic current = &found[0];
static int64_t find_next_ns;
static _Atomic uint64_t latest_ns = LH_UNKNOWN;
static uint64_t before_ns = LH_UNKNOWN;

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (;; list++) {
        if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == '\0'))
            return true;
        list = strchr(list, ',');
        if (list == NULL)
            return false;
    }
}

/* Lines are NUMBER:CONTROLLERS:PATH, without controllers for version 2. A machine may have both:
 * then the processors are where they are named. */
static const struct version *find_membership(char *membership, const char **path)
{
    const struct version *version = NULL;
    for (char *line = membership; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        char *controllers = strchr(line, ':');
        char *name = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (end == NULL || name == NULL || name > end)
            break;
        *end = *name = '\0';
        bool is_first = has_word(controllers + 1, "cpu");
        if (is_first || (version == NULL && controllers[1] == '\0')) {
            version = is_first ? &version_1 : &version_2;
            *path = name + 1;
        }
        line = end + 1;
    }
    return version;
}

static long read_in(const char *directory, const char *file, char *buf, size_t size)
{
    char path[LH_THROTTLE_PATH + 32];
    struct lh_text text;
    lh_text_init(&text, path, sizeof(path));
    lh_text_string(&text, directory);
    lh_text_string(&text, file);
    return lh_proc_read_file(path, buf, size);
}

static void add_limit(struct lh_throttle *throttle, const char *directory)
{
    if (throttle->count == LH_THROTTLE_LIMITS) {
        throttle->known = false;
        return;
    }
    struct lh_text text;
    lh_text_init(&text, throttle->paths[throttle->count++], LH_THROTTLE_PATH);
    lh_text_string(&text, directory);
    lh_text_string(&text, "/cpu.stat");
}

/* A path that begins with /.. is outside of what this process sees of the cgroups. */
void lh_throttle_find(struct lh_throttle *throttle, const char *root, char *membership)
{
    char directory[LH_THROTTLE_PATH - sizeof("/cpu.stat")];
    char line[64];
    struct lh_text text;
    const char *path = NULL;
    memset(throttle, 0, sizeof(*throttle));
    const struct version *version = find_membership(membership, &path);
    if (version == NULL || strncmp(path, "/..", 3) == 0)
        return;
    lh_text_init(&text, directory, sizeof(directory));
    lh_text_string(&text, root);
    lh_text_string(&text, version->mount);
    size_t top = text.length;
    if (top + strlen(path) >= sizeof(directory))
        return;
    lh_text_string(&text, strcmp(path, "/") != 0 ? path : "");
    throttle->known = read_in(directory, "/cpu.stat", line, sizeof(line)) > 0;
    for (size_t length = text.length; throttle->known; directory[length] = '\0') {
        if (read_in(directory, version->limit_file, line, sizeof(line)) > 0 &&
            line[0] != version->unlimited)
            add_limit(throttle, directory);
        if (length == top)
            break;
        while (directory[length] != '/')
            length--;
    }
}

/* A line of cpu.stat. A limit that was taken away a moment ago may have none. */
static uint64_t throttled_ns(const char *stat, const struct version *version)
{
    const char *line = strstr(stat, version->stat_key);
    return line != NULL ? lh_proc_field(line, 1) * version->stat_ns : 0;
}

uint64_t lh_throttle_read(const struct lh_throttle *throttle)
{
    char stat[1024];
    uint64_t sum_ns = 0;
    if (!throttle->known)
        return LH_UNKNOWN;
    for (uint32_t i = 0; i < throttle->count; i++) {
        if (lh_proc_read_file(throttle->paths[i], stat, sizeof(stat)) <= 0)
            return LH_UNKNOWN;
        sum_ns += throttled_ns(stat, &version_1) + throttled_ns(stat, &version_2);
    }
    return sum_ns;
}

static bool is_same(const struct lh_throttle *one, const struct lh_throttle *other)
{
    return one->known == other->known && one->count == other->count &&
           memcmp(one->paths, other->paths, sizeof(one->paths)) == 0;
}

/* True: the process is under other limits than at the last look. */
static bool find_again(void)
{
    char membership[4096];
    struct lh_throttle *now = atomic_load(&current);
    struct lh_throttle *next = now == &found[0] ? &found[1] : &found[0];
    uint32_t self = (uint32_t)atomic_load(&lh_process->watchdog_tid);
    find_next_ns = lh_clock_ns(CLOCK_MONOTONIC) + FIND_AGAIN_NS;
    lh_proc_read(self, "cgroup", membership, sizeof(membership));
    lh_throttle_find(next, CGROUPS, membership);
    if (is_same(now, next))
        return false;
    atomic_store(&current, next);
    return true;
}

void lh_throttle_init(void)
{
    find_again();
    atomic_store(&latest_ns, lh_throttle_now_ns());
}

void lh_throttle_tick(void)
{
    bool changed = lh_clock_ns(CLOCK_MONOTONIC) >= find_next_ns && find_again();
    before_ns = changed ? LH_UNKNOWN : atomic_load(&latest_ns);
    atomic_store(&latest_ns, lh_throttle_now_ns());
}

uint64_t lh_throttle_latest_ns(void)
{
    return atomic_load(&latest_ns);
}

uint64_t lh_throttle_before_ns(void)
{
    return before_ns;
}

uint64_t lh_throttle_now_ns(void)
{
    return lh_throttle_read(atomic_load(&current));
}
