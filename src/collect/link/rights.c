/* SPDX-License-Identifier: Apache-2.0 */
/* See rights.h. Runs on the threads of the rings. */
#include "collect/link/rights.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

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

static void look(struct lh_rights *rights)
{
    char path[64];
    uid_t uid = NOBODY;
    gid_t gid = NOBODY;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", rights->pid);
    FILE *status = rights->pid > 0 ? fopen(path, "re") : NULL;
    if (status == NULL)
        return;
    if (read_ids(status, &uid, &gid)) {
        rights->uid = uid;
        rights->gid = gid;
    }
    (void)fclose(status);
}

/* -1 changes nothing and says what is in force: setfsuid(2). */
static void take_on(uid_t uid, gid_t gid)
{
    if (uid == (uid_t)setfsuid((uid_t)-1) && gid == (gid_t)setfsgid((gid_t)-1))
        return;
    syscall(SYS_setgroups, 0, NULL);
    setfsgid(gid);
    setfsuid(uid);
}

void lh_rights_follow(struct lh_rights *rights, uid_t uid)
{
    look(rights);
    if (uid != rights->uid && uid != 0) /* the number may be of another user namespace */
        take_on(NOBODY, NOBODY);
    else
        take_on(rights->uid, rights->gid);
}
