/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells and allows: /proc, filters of system calls, looks into other processes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/proc.h"

#define SECCOMP_FILTERED 2 /* SECCOMP_MODE_FILTER, in /proc/PID/status */
#define SCOPE_ADMIN      2 /* of ptrace_scope: Documentation/admin-guide/LSM/Yama.rst */

/* As the library reads stacks, and what it does instead. */
static bool reads_itself(void)
{
    char from = 1;
    char to = 0;
    struct iovec local = {&to, 1};
    struct iovec remote = {&from, 1};
    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1)
        return true;
    FILE *memory = fopen("/proc/self/mem", "re");
    bool reads = memory != NULL && fseeko(memory, (off_t)(uintptr_t)&from, SEEK_SET) == 0 &&
                 fread(&to, 1, 1, memory) == 1;
    if (memory != NULL)
        (void)fclose(memory);
    return reads;
}

static bool has_proc(struct lh_findings *findings)
{
    if (access("/proc/self/maps", R_OK) == 0)
        return true;
    lh_find(findings, LH_MISS,
            "/proc is not mounted: native functions have no names, files no paths, and a call is "
            "reported only when it ends");
    lh_find_todo(findings, "mount -t proc proc /proc");
    return false;
}

static void check_filter(const struct lh_subject *subject, struct lh_findings *findings)
{
    uint64_t mode = 0;
    if (!lh_proc_status(subject->pid, "Seccomp", &mode) || mode != SECCOMP_FILTERED)
        return;
    if (lh_program_library(&subject->facts, LH_RING_FILE) != NULL) {
        lh_find(findings, LH_OK, "it is watched under its filter of system calls (seccomp)");
        return;
    }
    lh_find(findings, LH_WARN,
            "%s a filter of system calls (seccomp): what it denies is not watched with; where it "
            "kills for a call of loophound's nothing is watched, and that is said",
            subject->pid != 0 ? "it has" : "it will inherit");
    lh_find_todo(findings, "see what it comes to: loophound run -o hits.jsonl -- COMMAND");
}

static void check_reading(const struct lh_subject *subject, struct lh_findings *findings)
{
    if (subject->pid != 0 || reads_itself())
        return;
    lh_find(findings, LH_MISS,
            "a process may not read its own memory here: reports have no stacks");
    lh_find_todo(findings,
                 "allow process_vm_readv in the container's filter of system calls (seccomp)");
}

static void check_scope(struct lh_findings *findings)
{
    int64_t scope = 0;
    if (geteuid() == 0 || !lh_file_number("/proc/sys/kernel/yama/ptrace_scope", &scope) ||
        scope < SCOPE_ADMIN)
        return;
    lh_find(findings, LH_WARN,
            "ptrace_scope is %d: what its threads wait in cannot be seen where no loop is found",
            (int)scope);
    lh_find_todo(findings, "sysctl kernel.yama.ptrace_scope=1, or run it as root");
}

/* The options of the file system that is mounted on /proc last: proc(5), mountinfo. */
static bool hides_processes(void)
{
    char line[1024];
    bool hides = false;
    FILE *mounts = lh_proc_open(0, "mountinfo");
    while (mounts != NULL && fgets(line, sizeof(line), mounts) != NULL)
        if (strstr(line, " /proc ") != NULL)
            hides = strstr(line, "hidepid=") != NULL && strstr(line, "hidepid=0") == NULL &&
                    strstr(line, "hidepid=off") == NULL;
    if (mounts != NULL)
        (void)fclose(mounts);
    return hides;
}

void lh_check_kernel(const struct lh_subject *subject, struct lh_findings *findings)
{
    uint32_t before = findings->count;
    if (!has_proc(findings))
        return;
    check_filter(subject, findings);
    check_reading(subject, findings);
    check_scope(findings);
    if (geteuid() != 0 && hides_processes()) {
        lh_find(findings, LH_WARN,
                "/proc hides the processes of other users (hidepid): a program "
                "that changes its user is not looked into");
        lh_find_todo(findings, "run loophound as root, or with the gid that /proc is mounted for");
    }
    if (findings->count == before)
        lh_find(findings, LH_OK, "/proc is there, and no filter of system calls (seccomp)");
}
