/* SPDX-License-Identifier: Apache-2.0 */
/* See output_rules.h: no malloc, no stdio, no thread-local storage. */
#include "common/output_rules.h"

#include <errno.h>
#include <stddef.h>

bool lh_output_is_shared(const struct stat *directory, uid_t self)
{
    return (directory->st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
           (directory->st_uid != self && directory->st_uid != 0);
}

/* A terminal, /dev/null: whose it is says nothing. A FIFO of another user's is that user's log,
 * unless anybody could have laid it there. */
int lh_output_refusal(const struct stat *file, bool shared, uid_t self)
{
    if (S_ISCHR(file->st_mode) || (!S_ISREG(file->st_mode) && !shared))
        return 0;
    if (file->st_uid != self)
        return -EPERM;
    return shared && file->st_nlink > 1 ? -EMLINK : 0;
}

const char *lh_output_refusal_text(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {-EPERM, "it belongs to another user"},
        {-EMLINK, "it has a second name, and others may write to its directory"},
        {-ELOOP, "it is a symbolic link, and others may write to its directory"},
        {-ENXIO, "nobody reads it"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].error == error)
            return texts[i].text;
    return NULL;
}
