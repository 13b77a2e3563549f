/* What a call works on, looked up when it is reported. Runs on the program's threads and in the
 * watchdog: raw system calls, memory read safely, no malloc, no locks. */
#include "preload/subject.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/event_json.h"
#include "preload/clock.h"
#include "preload/descriptors.h"
#include "preload/memory.h"
#include "preload/sys.h"

struct subject_reader {
    struct lh_resource *resource;
    uint64_t subject;
    uint64_t start;
    bool own;
};

int64_t lh_timeval_ns(const struct timeval *timeout)
{
    if (timeout == NULL)
        return -1;
    return timeout->tv_sec * LH_NS_PER_S + timeout->tv_usec * LH_NS_PER_US;
}

/* "/proc/thread-self/fd/N": the fd table of the calling thread, which for the watchdog is its own.
 */
static void fd_link(char *path, int fd)
{
    static const char prefix[] = "/proc/thread-self/fd/";
    char digits[12];
    size_t count = 0;
    memcpy(path, prefix, sizeof(prefix) - 1);
    path += sizeof(prefix) - 1;
    do
        digits[count++] = (char)('0' + fd % 10);
    while ((fd /= 10) > 0);
    while (count > 0)
        *path++ = digits[--count];
    *path = '\0';
}

/* What /proc says the descriptor is; not terminated. A length, or a negative errno. */
static long read_fd_link(int fd, char *text, size_t size)
{
    char link[40];
    fd_link(link, fd);
    return lh_syscall4(SYS_readlinkat, AT_FDCWD, (long)link, (long)text, (long)size);
}

bool lh_fd_is(int fd, const char *what)
{
    char text[40];
    size_t length = strlen(what);
    return read_fd_link(fd, text, sizeof(text)) == (long)length && memcmp(text, what, length) == 0;
}

bool lh_fd_is_epoll(int fd)
{
    return lh_fd_is(fd, "anon_inode:[eventpoll]");
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
    long length = read_fd_link(fd, resource->text, sizeof(resource->text));
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

static void read_fd_number(const struct subject_reader *reader, int fd)
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

static void read_fd(const struct subject_reader *reader)
{
    read_fd_number(reader, (int)reader->subject);
}

/* Where the data goes, unless that end does not wait: then where it comes from. */
static void read_two_fds(const struct subject_reader *reader)
{
    read_fd_number(reader, (int)(reader->subject >> 32));
    if (reader->resource->nonblocking == 1) {
        reader->resource->length = 0;
        read_fd_number(reader, (int)(uint32_t)reader->subject);
    }
}

/* A socket that is still connecting has no peer yet; the address was an argument. */
static void read_connect(const struct subject_reader *reader)
{
    struct lh_connecting connecting;
    struct lh_resource *resource = reader->resource;
    if (lh_memory_read_self(&connecting, reader->subject, sizeof(connecting)) != 0)
        return;
    read_fd_number(reader, connecting.fd);
    if (connecting.length <= sizeof(resource->text) &&
        lh_memory_read_self(resource->text, (uintptr_t)connecting.address, connecting.length) ==
            0) {
        resource->kind = LH_RESOURCE_SOCKET;
        resource->length = (uint16_t)connecting.length;
    }
}

static void read_stream(const struct subject_reader *reader)
{
    int fd;
    if (lh_memory_read_self(&fd, reader->subject + offsetof(struct _IO_FILE, _fileno),
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

static void read_address(const struct subject_reader *reader)
{
    struct lh_address address;
    struct sockaddr_storage copy = {0};
    int family;
    if (lh_memory_read_self(&address, reader->subject, sizeof(address)) != 0 ||
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

static void read_closing(const struct subject_reader *reader)
{
    struct lh_closing closing;
    struct lh_resource *resource = reader->resource;
    if (lh_memory_read_self(&closing, reader->subject, sizeof(closing)) != 0)
        return;
    resource->kind = closing.kind;
    resource->fd = closing.fd;
    resource->nonblocking = closing.nonblocking;
    resource->length = closing.length;
    memcpy(resource->text, closing.text, closing.length);
}

static void read_text(const struct subject_reader *reader, enum lh_resource_kind kind)
{
    struct lh_resource *resource = reader->resource;
    if (reader->subject == 0)
        return;
    size_t length = lh_memory_copy_self(resource->text, reader->subject, sizeof(resource->text));
    resource->kind = (uint8_t)kind;
    resource->length = (uint16_t)strnlen(resource->text, length);
}

static void read_path(const struct subject_reader *reader)
{
    read_text(reader, LH_RESOURCE_FILE);
}

static void read_host(const struct subject_reader *reader)
{
    read_text(reader, LH_RESOURCE_NAME);
}

static void set_number(const struct subject_reader *reader, enum lh_resource_kind kind,
                       int64_t number)
{
    reader->resource->kind = (uint8_t)kind;
    reader->resource->number = number;
}

static void read_lock(const struct subject_reader *reader)
{
    set_number(reader, LH_RESOURCE_LOCK, (int64_t)reader->subject);
}

static void read_pid(const struct subject_reader *reader)
{
    set_number(reader, LH_RESOURCE_PID, (int32_t)reader->subject);
}

static void read_nanoseconds(const struct subject_reader *reader)
{
    int64_t time_ns = (int64_t)reader->subject;
    set_number(reader, LH_RESOURCE_DURATION, time_ns < 0 ? -1 : time_ns);
}

static void read_timespec(const struct subject_reader *reader)
{
    struct timespec time;
    if (reader->subject == 0)
        set_number(reader, LH_RESOURCE_DURATION, -1);
    else if (lh_memory_read_self(&time, reader->subject, sizeof(time)) == 0)
        set_number(reader, LH_RESOURCE_DURATION, time.tv_sec * LH_NS_PER_S + time.tv_nsec);
}

/* An absolute time asks for what was left of it when the call began. */
static void read_deadline(const struct subject_reader *reader)
{
    struct lh_sleeping sleeping;
    struct timespec time;
    if (lh_memory_read_self(&sleeping, reader->subject, sizeof(sleeping)) != 0 ||
        lh_memory_read_self(&time, (uintptr_t)sleeping.time, sizeof(time)) != 0)
        return;
    int64_t time_ns = time.tv_sec * LH_NS_PER_S + time.tv_nsec;
    if ((sleeping.flags & TIMER_ABSTIME) != 0 && lh_clock_is_faked)
        return;
    if ((sleeping.flags & TIMER_ABSTIME) != 0)
        time_ns -=
            lh_clock_ns(sleeping.clock) - (int64_t)lh_counter_to_ns(lh_counter() - reader->start);
    set_number(reader, LH_RESOURCE_DURATION, time_ns < 0 ? 0 : time_ns);
}

static void (*const readers[])(const struct subject_reader *) = {
    [LH_SUBJECT_FD] = read_fd,
    [LH_SUBJECT_TWO_FDS] = read_two_fds,
    [LH_SUBJECT_CONNECT] = read_connect,
    [LH_SUBJECT_STREAM] = read_stream,
    [LH_SUBJECT_PATH] = read_path,
    [LH_SUBJECT_HOST] = read_host,
    [LH_SUBJECT_ADDRESS] = read_address,
    [LH_SUBJECT_CLOSING] = read_closing,
    [LH_SUBJECT_LOCK] = read_lock,
    [LH_SUBJECT_MUTEX] = read_lock,
    [LH_SUBJECT_RWLOCK] = read_lock,
    [LH_SUBJECT_PID] = read_pid,
    [LH_SUBJECT_NANOSECONDS] = read_nanoseconds,
    [LH_SUBJECT_TIMESPEC] = read_timespec,
    [LH_SUBJECT_DEADLINE] = read_deadline,
};

void lh_resource_fill(struct lh_resource *resource, enum lh_subject kind, uint64_t subject,
                      uint64_t start, bool own)
{
    const struct subject_reader reader = {resource, subject, start, own};
    resource->kind = LH_RESOURCE_NONE;
    resource->nonblocking = -1;
    resource->length = 0;
    resource->fd = -1;
    resource->number = 0;
    if (kind != LH_SUBJECT_NONE)
        readers[kind](&reader);
}
