/* SPDX-License-Identifier: Apache-2.0 */
/* What a call works on, looked up when it is reported. Runs on the program's threads and in the
 * watchdog: raw system calls, memory read safely, no malloc, no locks. */
#include "preload/state/resource.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/peer_text.h"
#include "preload/state/version.h"
#include "preload/state/waiting.h"
#include "preload/sys/clock.h"
#include "preload/sys/fd.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"
#include "preload/sys/threads.h"

struct operand_reader {
    struct lh_resource *resource;
    uint64_t operand;
    uint64_t start;
    bool own;
};

int64_t lh_timeval_ns(const struct timeval *timeout)
{
    if (timeout == NULL)
        return -1;
    return timeout->tv_sec * LH_NS_PER_S + timeout->tv_usec * LH_NS_PER_US;
}

static void describe_socket(struct lh_resource *resource, int fd)
{
    socklen_t length = sizeof(resource->text);
    resource->kind = LH_RESOURCE_SOCKET;
    if (lh_syscall3(SYS_getpeername, fd, (long)resource->text, (long)&length) == 0)
        resource->length =
            (uint16_t)(length < sizeof(resource->text) ? length : sizeof(resource->text));
}

static void describe_file(struct lh_resource *resource, int fd)
{
    long length = lh_fd_read_link(fd, resource->text, sizeof(resource->text));
    resource->kind = LH_RESOURCE_FILE;
    resource->length = (uint16_t)(length > 0 ? length : 0);
}

/* `fd` in the calling thread's table, known to the program as resource->fd. */
static void describe_fd(struct lh_resource *resource, int fd)
{
    struct stat status = {0};
    if (lh_syscall2(SYS_fstat, fd, (long)&status) != 0)
        return;
    long flags = lh_syscall2(SYS_fcntl, fd, F_GETFL);
    resource->nonblocking = flags < 0 ? -1 : (flags & O_NONBLOCK) != 0;
    if (S_ISSOCK(status.st_mode))
        describe_socket(resource, fd);
    else
        describe_file(resource, fd);
}

static void read_fd_number(const struct operand_reader *reader, int fd)
{
    reader->resource->fd = fd;
    if (reader->own) {
        describe_fd(reader->resource, fd);
        return;
    }
    int borrowed = lh_fd_borrow(fd);
    if (borrowed >= 0)
        describe_fd(reader->resource, borrowed);
    lh_fd_close(borrowed);
}

static void read_fd(const struct operand_reader *reader)
{
    read_fd_number(reader, (int)reader->operand);
}

/* Where the data goes, unless that end does not wait: then where it comes from. */
static void read_two_fds(const struct operand_reader *reader)
{
    read_fd_number(reader, (int)(reader->operand >> 32));
    if (reader->resource->nonblocking == 1) {
        reader->resource->length = 0;
        read_fd_number(reader, (int)(uint32_t)reader->operand);
    }
}

/* A socket that is still connecting has no peer yet; the address was an argument. */
static void read_connect(const struct operand_reader *reader)
{
    struct lh_connecting connecting;
    struct lh_resource *resource = reader->resource;
    if (lh_memory_read_self(&connecting, reader->operand, sizeof(connecting)) != 0)
        return;
    read_fd_number(reader, connecting.fd);
    if (connecting.length <= sizeof(resource->text) &&
        lh_memory_read_self(resource->text, (uintptr_t)connecting.address, connecting.length) ==
            0) {
        resource->kind = LH_RESOURCE_SOCKET;
        resource->length = (uint16_t)connecting.length;
    }
}

static void read_stream(const struct operand_reader *reader)
{
    int fd;
    if (lh_memory_read_self(&fd, reader->operand + offsetof(struct _IO_FILE, _fileno),
                            sizeof(fd)) == 0)
        read_fd_number(reader, fd);
}

static const void *address_bytes(const struct lh_address *address, int *family)
{
    const struct sockaddr *socket_address = address->address;
    *family = address->family;
    if (*family != AF_UNSPEC)
        return address->address;
    *family = socket_address->sa_family;
    if (*family == AF_INET6)
        return &((const struct sockaddr_in6 *)socket_address)->sin6_addr;
    return &((const struct sockaddr_in *)socket_address)->sin_addr;
}

static void read_address(const struct operand_reader *reader)
{
    struct lh_address address;
    struct sockaddr_storage copy = {0};
    int family;
    if (lh_memory_read_self(&address, reader->operand, sizeof(address)) != 0 ||
        address.length > sizeof(copy) ||
        lh_memory_read_self(&copy, (uintptr_t)address.address, address.length) != 0)
        return;
    address.address = &copy;
    const void *bytes = address_bytes(&address, &family);
    if (family != AF_INET && family != AF_INET6)
        return;
    reader->resource->kind = LH_RESOURCE_NAME;
    reader->resource->length = (uint16_t)lh_address_text(family, bytes, reader->resource->text,
                                                         sizeof(reader->resource->text));
}

/* struct _IO_proc_file of glibc's libio/iopopen.c, the same since 2.1: a FILE, its functions, the
 * child. */
int lh_popen_pid(const void *stream)
{
    int pid = 0;
    uintptr_t at = (uintptr_t)stream + sizeof(struct _IO_FILE) + sizeof(void *);
    return lh_memory_read_self(&pid, at, sizeof(pid)) == 0 ? pid : 0;
}

uintptr_t lh_closing_note(struct lh_closing *closing, bool look)
{
    struct lh_resource resource = {.fd = closing->fd, .nonblocking = -1};
    if (look)
        describe_fd(&resource, closing->fd);
    closing->kind = resource.kind;
    closing->nonblocking = resource.nonblocking;
    closing->length = resource.length;
    if (closing->length > sizeof(closing->text))
        closing->length = sizeof(closing->text);
    memcpy(closing->text, resource.text, closing->length);
    return (uintptr_t)closing;
}

static void read_closing(const struct operand_reader *reader)
{
    struct lh_closing closing;
    struct lh_resource *resource = reader->resource;
    if (lh_memory_read_self(&closing, reader->operand, sizeof(closing)) != 0)
        return;
    resource->kind = closing.kind;
    resource->fd = closing.fd;
    resource->nonblocking = closing.nonblocking;
    resource->length = closing.length;
    memcpy(resource->text, closing.text, closing.length);
}

static void read_text(const struct operand_reader *reader, enum lh_resource_kind kind)
{
    struct lh_resource *resource = reader->resource;
    if (reader->operand == 0)
        return;
    size_t length = lh_memory_copy_self(resource->text, reader->operand, sizeof(resource->text));
    resource->kind = (uint8_t)kind;
    resource->length = (uint16_t)strnlen(resource->text, length);
}

static void read_path(const struct operand_reader *reader)
{
    read_text(reader, LH_RESOURCE_FILE);
}

static void read_host(const struct operand_reader *reader)
{
    read_text(reader, LH_RESOURCE_NAME);
}

static void set_number(const struct operand_reader *reader, enum lh_resource_kind kind,
                       int64_t number)
{
    reader->resource->kind = (uint8_t)kind;
    reader->resource->number = number;
}

static void read_lock(const struct operand_reader *reader)
{
    set_number(reader, LH_RESOURCE_LOCK, (int64_t)reader->operand);
}

static void read_condition(const struct operand_reader *reader)
{
    set_number(reader, LH_RESOURCE_CONDITION, (int64_t)reader->operand);
}

static void read_futex(const struct operand_reader *reader)
{
    set_number(reader, LH_RESOURCE_FUTEX, (int64_t)reader->operand);
}

static void read_thread(const struct operand_reader *reader)
{
    set_number(reader, LH_RESOURCE_THREAD, lh_thread_tid(reader->operand));
}

static void read_pid(const struct operand_reader *reader)
{
    set_number(reader, LH_RESOURCE_PID, (int32_t)reader->operand);
}

static void read_nanoseconds(const struct operand_reader *reader)
{
    int64_t time_ns = (int64_t)reader->operand;
    set_number(reader, LH_RESOURCE_DURATION, time_ns < 0 ? -1 : time_ns);
}

static void read_timespec(const struct operand_reader *reader)
{
    struct timespec time;
    if (reader->operand == 0)
        set_number(reader, LH_RESOURCE_DURATION, -1);
    else if (lh_memory_read_self(&time, reader->operand, sizeof(time)) == 0)
        set_number(reader, LH_RESOURCE_DURATION, time.tv_sec * LH_NS_PER_S + time.tv_nsec);
}

/* By so much two readings of the time may differ that are not made at one moment. */
#define AT_ONCE_NS LH_NS_PER_US

/* An absolute time asks for what was left of it when the call began. */
static void read_deadline(const struct operand_reader *reader)
{
    struct lh_sleeping sleeping;
    struct timespec time;
    if (lh_memory_read_self(&sleeping, reader->operand, sizeof(sleeping)) != 0 ||
        lh_memory_read_self(&time, (uintptr_t)sleeping.time, sizeof(time)) != 0)
        return;
    int64_t time_ns = time.tv_sec * LH_NS_PER_S + time.tv_nsec;
    if ((sleeping.flags & TIMER_ABSTIME) != 0 && lh_clock_is_faked)
        return;
    if ((sleeping.flags & TIMER_ABSTIME) != 0) {
        uint64_t since = lh_counter() - reader->start; /* right before the clock is read */
        int64_t now_ns = lh_clock_ns(sleeping.clock);
        time_ns -= now_ns - (int64_t)lh_counter_to_ns(since);
        time_ns = time_ns < AT_ONCE_NS ? 0 : time_ns;
    }
    set_number(reader, LH_RESOURCE_DURATION, time_ns < 0 ? 0 : time_ns);
}

static void add_too(const struct operand_reader *reader, int fd)
{
    struct lh_resource *resource = reader->resource;
    struct lh_resource found = {.nonblocking = -1};
    struct lh_waited_too *too = &resource->too[resource->too_count];
    const struct operand_reader other = {&found, 0, 0, reader->own};
    read_fd_number(&other, fd);
    if (found.kind == LH_RESOURCE_NONE)
        return;
    too->fd = fd;
    too->kind = found.kind;
    too->length = (uint8_t)(found.length < sizeof(too->text) ? found.length : sizeof(too->text));
    memcpy(too->text, found.text, too->length);
    resource->too_count++;
}

/* A wait for nothing, or for what has been closed, is one for a time. */
static void read_waiting(const struct operand_reader *reader)
{
    struct lh_waited waited;
    struct lh_resource *resource = reader->resource;
    resource->number = lh_waiting_read(reader->operand, reader->own, &waited);
    if (waited.count > 0)
        read_fd_number(reader, waited.first[0]);
    if (resource->kind == LH_RESOURCE_NONE) {
        resource->kind = LH_RESOURCE_DURATION;
        resource->fd = -1;
        return;
    }
    resource->waited_count = waited.count;
    for (uint32_t i = 1; i < waited.count && i < LH_WAITED_FIRST; i++)
        add_too(reader, waited.first[i]);
}

static void (*const readers[])(const struct operand_reader *) = {
    [LH_OPERAND_FD] = read_fd,
    [LH_OPERAND_TWO_FDS] = read_two_fds,
    [LH_OPERAND_CONNECT] = read_connect,
    [LH_OPERAND_STREAM] = read_stream,
    [LH_OPERAND_PATH] = read_path,
    [LH_OPERAND_HOST] = read_host,
    [LH_OPERAND_ADDRESS] = read_address,
    [LH_OPERAND_CLOSING] = read_closing,
    [LH_OPERAND_LOCK] = read_lock,
    [LH_OPERAND_MUTEX] = read_lock,
    [LH_OPERAND_RWLOCK] = read_lock,
    [LH_OPERAND_CONDITION] = read_condition,
    [LH_OPERAND_FUTEX] = read_futex,
    [LH_OPERAND_THREAD] = read_thread,
    [LH_OPERAND_PID] = read_pid,
    [LH_OPERAND_NANOSECONDS] = read_nanoseconds,
    [LH_OPERAND_TIMESPEC] = read_timespec,
    [LH_OPERAND_DEADLINE] = read_deadline,
    [LH_OPERAND_WAITING] = read_waiting,
};

void lh_resource_add_noted(struct lh_resource *resource, const struct lh_slot *slot, uint64_t seq)
{
    uint32_t version = lh_version_now(&slot->noted_version);
    if (atomic_load_explicit(&slot->noted_seq, memory_order_relaxed) != seq)
        return;
    resource->who = slot->noted;
    if (!lh_version_is(&slot->noted_version, version)) {
        resource->who = (struct lh_waited_for){0}; /* it is being written again just now */
        return;
    }
    if (resource->kind == LH_RESOURCE_THREAD || resource->kind == LH_RESOURCE_PID)
        resource->number = resource->who.id != 0 ? resource->who.id : resource->number;
}

void lh_resource_fill(struct lh_resource *resource, enum lh_operand kind, uint64_t operand,
                      uint64_t start, bool own)
{
    const struct operand_reader reader = {resource, operand, start, own};
    resource->kind = LH_RESOURCE_NONE;
    resource->nonblocking = -1;
    resource->length = 0;
    resource->fd = -1;
    resource->number = 0;
    resource->waited_count = 0;
    resource->too_count = 0;
    resource->who.id = 0;
    resource->who.length = 0;
    if (kind != LH_OPERAND_NONE)
        readers[kind](&reader);
}
