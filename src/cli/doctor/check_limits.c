/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the process and of its cgroup. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/proc.h"
#include "common/ring.h"

#define DESCRIPTORS_LEAST 10u /* docs/limits.md; LH_FD_LIMIT_LEAST of the library */
#define DESCRIPTORS_NAMES 18u /* with a collector that the library starts */
#define PROCESSES_LEAST   4   /* a watchdog, and room for the program's own */
#define COLLECTOR_BYTES   (256ll << 20)
#define UNLIMITED         (1ll << 60) /* memory.limit_in_bytes has some such number then */
#define CGROUPS           "/sys/fs/cgroup"
#define MIB               (1 << 20)

/* RLIM_INFINITY where it is not known. */
static rlim_t limit_of(const struct lh_subject *subject, __rlimit_resource_t resource)
{
    struct rlimit limit;
    return prlimit(subject->pid, resource, NULL, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

static void check_descriptors(const struct lh_subject *subject, struct lh_findings *findings)
{
    rlim_t limit = limit_of(subject, RLIMIT_NOFILE);
    if (limit < DESCRIPTORS_LEAST)
        lh_find_blind(findings, "ulimit -n is %ju: no room for the library's descriptors",
                      (uintmax_t)limit);
    else if (limit < DESCRIPTORS_NAMES)
        lh_find(findings, LH_WARN,
                "ulimit -n is %ju: with a bare LD_PRELOAD the collector cannot read names",
                (uintmax_t)limit);
    else
        return;
    lh_find_todo(findings, "ulimit -n 64");
}

/* The ring is a file in memory. */
static void check_file_size(const struct lh_subject *subject, struct lh_findings *findings)
{
    rlim_t limit = limit_of(subject, RLIMIT_FSIZE);
    if (limit >= sizeof(struct lh_ring))
        return;
    lh_find_blind(findings, "ulimit -f is %ju KiB: no room for the library's ring of %zu KiB",
                  (uintmax_t)limit / 1024, sizeof(struct lh_ring) / 1024);
    lh_find_todo(findings, "ulimit -f unlimited");
}

/* The path of the cgroup, in the version that has this controller: cgroups(7). */
static bool find_cgroup(pid_t pid, const char *controller, char *path, size_t size)
{
    char line[PATH_MAX];
    bool found = false;
    FILE *file = lh_proc_open(pid, "cgroup");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        char *names = strchr(line, ':');
        char *place = names != NULL ? strchr(names + 1, ':') : NULL;
        if (place == NULL)
            continue;
        *place++ = '\0';
        place[strcspn(place, "\n")] = '\0';
        bool second = names[1] == '\0';
        found = second || strcmp(names + 1, controller) == 0 ||
                (strcmp(controller, "cpu") == 0 && strncmp(names + 1, "cpu,", 4) == 0);
        if (found)
            snprintf(path, size, "%s%s%s", CGROUPS "/", second ? "" : controller, place);
    }
    if (file != NULL)
        (void)fclose(file);
    return found;
}

/* Of either version, each by its own name. False: there is no such file, or no limit. */
static bool cgroup_number(pid_t pid, const char *controller, const char *first, const char *second,
                          int64_t *value)
{
    char directory[PATH_MAX + 32];
    char path[PATH_MAX + 64];
    if (!find_cgroup(pid, controller, directory, sizeof(directory)))
        return false;
    snprintf(path, sizeof(path), "%s/%s", directory, second);
    if (access(path, R_OK) != 0)
        snprintf(path, sizeof(path), "%s/%s", directory, first);
    return lh_file_number(path, value) && *value >= 0 && *value < UNLIMITED;
}

static void check_cgroup(const struct lh_subject *subject, struct lh_findings *findings)
{
    int64_t most;
    int64_t now;
    pid_t pid = subject->pid;
    if (cgroup_number(pid, "memory", "memory.limit_in_bytes", "memory.max", &most) &&
        most < 2 * COLLECTOR_BYTES) {
        lh_find(findings, LH_WARN,
                "its cgroup has %" PRId64 " MiB of memory, of which the collector may take 256",
                most / MIB);
        lh_find_todo(findings, "for the time of the watch allow 256 MiB more");
    }
    if (cgroup_number(pid, "pids", "pids.max", "pids.max", &most) &&
        cgroup_number(pid, "pids", "pids.current", "pids.current", &now) &&
        most - now < PROCESSES_LEAST) {
        lh_find(findings, LH_WARN,
                "its cgroup has %" PRId64 " of %" PRId64
                " threads: without room for one more nothing is watched",
                now, most);
        lh_find_todo(findings, "raise its pids.max (docker --pids-limit, systemd TasksMax=)");
    }
    if (cgroup_number(pid, "cpu", "cpu.cfs_quota_us", "cpu.max", &most))
        lh_find(findings, LH_OK,
                "its cgroup limits its processor time: stalls tell what that has taken");
}

void lh_check_limits(const struct lh_subject *subject, struct lh_findings *findings)
{
    uint32_t before = findings->count;
    check_descriptors(subject, findings);
    check_file_size(subject, findings);
    check_cgroup(subject, findings);
    if (findings->count == before)
        lh_find(findings, LH_OK, "its limits leave room: descriptors, memory, threads");
}
