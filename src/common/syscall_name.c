/* SPDX-License-Identifier: Apache-2.0 */
/* The names of system calls that a thread may wait in. No state. */
#include "common/syscall_name.h"

#include <stddef.h>

#include "common/linux_compat.h"

#define NAME(name) [SYS_##name] = #name

const char *lh_syscall_name(int32_t number)
{
    static const char *const names[] = {
        NAME(read),          NAME(write),
        NAME(close),         NAME(fstat),
        NAME(ioctl),         NAME(pread64),
        NAME(pwrite64),      NAME(readv),
        NAME(writev),        NAME(msync),
        NAME(nanosleep),     NAME(connect),
        NAME(accept),        NAME(sendto),
        NAME(recvfrom),      NAME(sendmsg),
        NAME(recvmsg),       NAME(wait4),
        NAME(semop),         NAME(msgsnd),
        NAME(msgrcv),        NAME(fcntl),
        NAME(flock),         NAME(fsync),
        NAME(fdatasync),     NAME(truncate),
        NAME(ftruncate),     NAME(getdents64),
        NAME(sync),          NAME(futex),
        NAME(semtimedop),    NAME(clock_nanosleep),
        NAME(waitid),        NAME(openat),
        NAME(newfstatat),    NAME(unlinkat),
        NAME(renameat),      NAME(pselect6),
        NAME(ppoll),         NAME(splice),
        NAME(tee),           NAME(vmsplice),
        NAME(epoll_pwait),   NAME(epoll_pwait2),
        NAME(fallocate),     NAME(accept4),
        NAME(preadv),        NAME(pwritev),
        NAME(recvmmsg),      NAME(sendmmsg),
        NAME(syncfs),        NAME(renameat2),
        NAME(getrandom),     NAME(rt_sigtimedwait),
        NAME(rt_sigsuspend), NAME(copy_file_range),
        NAME(sendfile),      NAME(statx),
        NAME(io_getevents),  NAME(io_uring_enter),
        NAME(mmap),          NAME(munmap),
        NAME(mprotect),      NAME(madvise),
        NAME(brk),           NAME(execve),
        NAME(ptrace),        NAME(sched_yield),
#ifdef SYS_open /* older processors have these too */
        NAME(open),          NAME(stat),
        NAME(lstat),         NAME(poll),
        NAME(access),        NAME(select),
        NAME(pause),         NAME(rename),
        NAME(mkdir),         NAME(rmdir),
        NAME(unlink),        NAME(epoll_wait),
#endif
    };
    size_t count = sizeof(names) / sizeof(names[0]);
    return number >= 0 && (size_t)number < count ? names[number] : NULL;
}

bool lh_is_epoll_wait(int64_t number)
{
#ifdef SYS_epoll_wait
    if (number == SYS_epoll_wait)
        return true;
#endif
    return number == SYS_epoll_pwait || number == SYS_epoll_pwait2;
}
