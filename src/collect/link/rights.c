/* SPDX-License-Identifier: Apache-2.0 */
/* See rights.h. Runs on the threads of the rings. */
#include "collect/link/rights.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/sys/clock.h"
#include "common/units.h"

#define NOBODY  65534
#define LOOK_NS (100 * LH_NS_PER_MS) /* after that it is looked at whatever its owner is */

/* "Uid:  REAL EFFECTIVE SAVED FILESYSTEM", and the same of its group: the last one opens files. */
static bool read_ids(FILE *status, uid_t *uid, gid_t *gid)
{
    char line[256];
    unsigned number;
    unsigned found = 0;
    while (found != 3 && fgets(line, sizeof(line), status) != NULL) {
        if (sscanf(line, "Uid: %*u %*u %*u %u", &number) == 1) {
            *uid = number;
            found |= 1;
        } else if (sscanf(line, "Gid: %*u %*u %*u %u", &number) == 1) {
            *gid = number;
            found |= 2;
        }
    }
    return found == 3;
}

void lh_rights_init(struct lh_rights *rights, pid_t pid, uid_t uid, gid_t gid)
{
    char path[64];
    *rights = (struct lh_rights){.pid = pid, .uid = uid, .gid = gid, .proc_fd = -1};
    (void)snprintf(path, sizeof(path), "/proc/%d", pid);
    if (pid > 0)
        rights->proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void lh_rights_end(struct lh_rights *rights)
{
    if (rights->proc_fd >= 0)
        close(rights->proc_fd);
    rights->proc_fd = -1;
}

/* The directory belongs to whom the process is now, also where its other files do not, and asking
 * for that takes a fiftieth of reading its status. */
static bool may_have_changed(struct lh_rights *rights, int64_t now_ns)
{
    struct stat directory;
    if (rights->proc_fd < 0 || fstat(rights->proc_fd, &directory) != 0)
        return true;
    bool same = directory.st_uid == rights->owner_uid && directory.st_gid == rights->owner_gid;
    rights->owner_uid = directory.st_uid;
    rights->owner_gid = directory.st_gid;
    return !same || rights->looked_ns == 0 || now_ns - rights->looked_ns >= LOOK_NS;
}

static void look(struct lh_rights *rights)
{
    uid_t uid = NOBODY;
    gid_t gid = NOBODY;
    int64_t now_ns = lh_monotonic_ns();
    if (rights->pid <= 0 || !may_have_changed(rights, now_ns))
        return;
    int fd = rights->proc_fd >= 0 ? openat(rights->proc_fd, "status", O_RDONLY | O_CLOEXEC) : -1;
    FILE *status = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (status == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    if (read_ids(status, &uid, &gid)) {
        rights->uid = uid;
        rights->gid = gid;
        rights->looked_ns = now_ns;
    }
    (void)fclose(status);
}

/* What was asked for last is in force, or was refused and would be again. -1, that nobody can have,
 * changes nothing and says what is in force: setfsuid(2). */
static void take_on(struct lh_rights *rights, uid_t uid, gid_t gid)
{
    if (!rights->has_taken) {
        rights->taken_uid = (uid_t)setfsuid((uid_t)-1);
        rights->taken_gid = (gid_t)setfsgid((gid_t)-1);
        rights->has_taken = true;
    }
    if (uid == rights->taken_uid && gid == rights->taken_gid)
        return;
    syscall(SYS_setgroups, 0, NULL);
    setfsgid(gid);
    setfsuid(uid);
    rights->taken_uid = uid;
    rights->taken_gid = gid;
}

void lh_rights_follow(struct lh_rights *rights, uid_t uid)
{
    look(rights);
    if (uid != rights->uid && uid != 0) /* the number may be of another user namespace */
        take_on(rights, NOBODY, NOBODY);
    else
        take_on(rights, rights->uid, rights->gid);
}
