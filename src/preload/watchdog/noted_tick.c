/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a call waits for. See noted_tick.h: raw system calls, no libc state, no malloc.
 *
 * A child is known by its pid, or as the only one of the thread. One whose output is read, as
 * subprocess.run() does it, and Node's execSync, is known by the other end: a pipe has the same
 * number at both, and the two of socketpair(2) have numbers that follow each other. */
#include "preload/watchdog/noted_tick.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "common/text.h"
#include "preload/state/version.h"
#include "preload/state/waiting.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"
#include "preload/sys/threads.h"

#define CHILDREN_MAX 16 /* of one thread, that are looked at */
#define STDIO        3  /* a child's descriptors below this one */

struct children {
    uint32_t count;
    int32_t pids[CHILDREN_MAX];
};

/* Of any thread, without a look at a file: waitid(2) says ECHILD. */
static bool has_children(void)
{
    return lh_syscall5(SYS_waitid, P_ALL, 0, 0, WEXITED | WNOHANG | WNOWAIT | __WALL, 0) == 0;
}

/* proc_tid_children(5): "123 124 ". */
static void find_children(struct children *children, uint32_t tid)
{
    char text[CHILDREN_MAX * 8];
    children->count = 0;
    if (!has_children() || lh_proc_read(tid, "children", text, sizeof(text)) <= 0)
        return;
    int32_t pid = 0;
    for (const char *at = text; *at != '\0' && children->count < CHILDREN_MAX; at++) {
        if (*at >= '0' && *at <= '9') {
            pid = pid * 10 + *at - '0';
        } else {
            children->pids[children->count++] = pid;
            pid = 0;
        }
    }
}

static void begin_path(struct lh_text *path, char *buf, size_t size, int32_t pid, const char *rest)
{
    lh_text_init(path, buf, size);
    lh_text_string(path, "/proc/");
    if (pid > 0)
        lh_text_u64(path, (uint64_t)pid);
    else
        lh_text_string(path, "self");
    lh_text_string(path, rest);
}

/* pid 0: this process. Returns the number in "pipe:[N]" or "socket:[N]", else 0. */
static uint64_t number_of_end(int32_t pid, int fd, bool *is_pipe)
{
    static const char pipe[] = "pipe:[";
    static const char socket[] = "socket:[";
    char name[40];
    char text[40];
    struct lh_text path;
    begin_path(&path, name, sizeof(name), pid, "/fd/");
    lh_text_u64(&path, (uint64_t)fd);
    long length =
        lh_syscall4(SYS_readlinkat, AT_FDCWD, (long)name, (long)text, (long)sizeof(text) - 1);
    text[length > 0 ? length : 0] = '\0';
    *is_pipe = strncmp(text, pipe, sizeof(pipe) - 1) == 0;
    if (!*is_pipe && strncmp(text, socket, sizeof(socket) - 1) != 0)
        return 0;
    uint64_t number = 0;
    for (const char *at = strchr(text, '[') + 1; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static bool has_other_end(int32_t child, uint64_t number, bool is_pipe)
{
    for (int fd = 0; fd < STDIO; fd++) {
        bool childs_is_pipe;
        uint64_t other = number_of_end(child, fd, &childs_is_pipe);
        if (other == 0 || childs_is_pipe != is_pipe)
            continue;
        if (is_pipe ? other == number : other == number + 1 || other + 1 == number)
            return true;
    }
    return false;
}

/* Whose output, or end, is it that is waited for? 0: nobody's. */
static int32_t child_at_other_end(const struct lh_call_copy *copy)
{
    struct children children;
    struct lh_waited waited;
    find_children(&children, copy->tid);
    if (children.count == 0)
        return 0;
    if (lh_call_info(copy->call)->operand == LH_OPERAND_FD)
        waited = (struct lh_waited){1, {(int32_t)copy->operand}};
    else
        (void)lh_waiting_read(copy->operand, false, &waited);
    for (uint32_t i = 0; i < waited.count && i < LH_WAITED_FIRST; i++) {
        bool is_pipe;
        uint64_t number = number_of_end(0, waited.first[i], &is_pipe);
        for (uint32_t k = 0; number != 0 && k < children.count; k++)
            if (has_other_end(children.pids[k], number, is_pipe))
                return children.pids[k];
    }
    return 0;
}

static int32_t child_of(const struct lh_call_copy *copy)
{
    struct children children;
    int32_t pid = (int32_t)copy->operand;
    if (pid > 0)
        return pid;
    find_children(&children, copy->tid);
    return children.count == 1 ? children.pids[0] : 0;
}

/* Its arguments with spaces between them; "" for a child that has ended (proc_pid_cmdline(5)). */
static void name_child(struct lh_waited_for *who, int32_t pid)
{
    char path_text[40];
    struct lh_text path;
    who->id = pid;
    who->length = 0;
    if (pid <= 0)
        return;
    begin_path(&path, path_text, sizeof(path_text), pid, "/cmdline");
    long length = lh_proc_read_file(path_text, who->text, sizeof(who->text));
    while (length > 0 && who->text[length - 1] == '\0')
        length--;
    for (long i = 0; i < length; i++)
        if (who->text[i] == '\0')
            who->text[i] = ' ';
    who->length = (uint8_t)(length > 0 ? length : 0);
}

static void name_thread(struct lh_waited_for *who, uint64_t thread)
{
    char name[16];
    who->id = lh_thread_tid(thread);
    who->length = 0;
    if (who->id <= 0)
        return;
    lh_proc_thread_name((uint32_t)who->id, name);
    who->length = (uint8_t)strnlen(name, sizeof(name));
    memcpy(who->text, name, who->length);
}

static bool name_whom(struct lh_waited_for *who, const struct lh_call_copy *copy)
{
    switch (lh_call_info(copy->call)->operand) {
    case LH_OPERAND_PID:
        name_child(who, child_of(copy));
        return true;
    case LH_OPERAND_FD:
    case LH_OPERAND_WAITING:
        name_child(who, child_at_other_end(copy));
        return true;
    case LH_OPERAND_THREAD:
        name_thread(who, copy->operand);
        return true;
    default:
        return false;
    }
}

/* What has ended since keeps the name it had. */
static void name_again(struct lh_waited_for *who, const struct lh_call_copy *copy)
{
    struct lh_waited_for now;
    if (lh_call_info(copy->call)->operand == LH_OPERAND_THREAD)
        name_thread(&now, copy->operand);
    else
        name_child(&now, who->id);
    if (now.length > 0)
        *who = now;
}

void lh_noted_tick(struct lh_slot *slot, const struct lh_call_copy *copy, bool again)
{
    struct lh_waited_for who;
    if (atomic_load(&slot->noted_seq) == copy->seq) {
        if (!again || slot->noted.id <= 0)
            return; /* a thread that waits makes no child: it has none now either */
        who = slot->noted;
        name_again(&who, copy);
    } else if (!name_whom(&who, copy)) {
        return;
    }
    lh_version_begin(&slot->noted_version);
    slot->noted = who;
    atomic_store_explicit(&slot->noted_seq, copy->seq, memory_order_relaxed);
    lh_version_end(&slot->noted_version);
}
