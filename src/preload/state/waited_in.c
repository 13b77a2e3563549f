/* SPDX-License-Identifier: Apache-2.0 */
/* What system calls work on. See waited_in.h. */
#include "preload/state/waited_in.h"

#include <stddef.h>

#include "preload/sys/syscall.h"

/* Their first argument: syscalls(2). */
static const struct {
    short number;
    uint8_t operand; /* enum lh_operand */
} firsts[] = {
    {SYS_read, LH_OPERAND_FD},      {SYS_write, LH_OPERAND_FD},     {SYS_pread64, LH_OPERAND_FD},
    {SYS_pwrite64, LH_OPERAND_FD},  {SYS_readv, LH_OPERAND_FD},     {SYS_writev, LH_OPERAND_FD},
    {SYS_preadv, LH_OPERAND_FD},    {SYS_pwritev, LH_OPERAND_FD},   {SYS_preadv2, LH_OPERAND_FD},
    {SYS_pwritev2, LH_OPERAND_FD},  {SYS_recvfrom, LH_OPERAND_FD},  {SYS_recvmsg, LH_OPERAND_FD},
    {SYS_sendto, LH_OPERAND_FD},    {SYS_sendmsg, LH_OPERAND_FD},   {SYS_accept, LH_OPERAND_FD},
    {SYS_accept4, LH_OPERAND_FD},   {SYS_connect, LH_OPERAND_FD},   {SYS_fsync, LH_OPERAND_FD},
    {SYS_fdatasync, LH_OPERAND_FD}, {SYS_flock, LH_OPERAND_FD},     {SYS_ftruncate, LH_OPERAND_FD},
    {SYS_sendfile, LH_OPERAND_FD},  {SYS_fallocate, LH_OPERAND_FD}, {SYS_getdents64, LH_OPERAND_FD},
    {SYS_ioctl, LH_OPERAND_FD},     {SYS_wait4, LH_OPERAND_PID},    {SYS_futex, LH_OPERAND_LOCK},
};

void lh_waited_in_fill(struct lh_resource *resource, long number, uint64_t first, bool own)
{
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
        if (firsts[i].number == number)
            lh_resource_fill(resource, (enum lh_operand)firsts[i].operand, first, 0, own);
}
