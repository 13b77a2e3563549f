/* The descriptors of a wait, and which of them only a loop would wait for. Runs on the program's
 * threads, a few times per call site; see anchor.h. */
#include "preload/anchor.h"

#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "preload/memory.h"
#include "preload/subject.h"
#include "preload/sys.h"

#define MOST_READ     64  /* descriptors looked at; loops watch their anchors from the start */
#define MOST_PARTNERS 128 /* other ends of pipes are looked for below this number */
#define BATCH         32  /* pollfds copied at a time */

typedef unsigned long set_word;
#define WORD_BITS (8 * sizeof(set_word))
#define SET_WORDS (FD_SETSIZE / WORD_BITS)

/* Libraries whose plain calls run a loop for as long as they last, wake-up and all, and then return
 * to a program that need not be an event loop: curl_easy_perform(3). */
static const char *const synchronous_libraries[] = {"libcurl"};

/* What a wait waits for. */
struct watched {
    int reads[MOST_READ];
    uint32_t read_count;
    int first;
    bool several; /* two different descriptors or more, to be read or not */
};

static void note(struct watched *watched, int fd, bool reads)
{
    if (fd < 0)
        return;
    if (watched->first < 0)
        watched->first = fd;
    watched->several = watched->several || fd != watched->first;
    if (reads && watched->read_count < MOST_READ)
        watched->reads[watched->read_count++] = fd;
}

static void read_array(struct watched *watched, const struct lh_wait *wait)
{
    struct pollfd fds[MOST_READ];
    uint32_t count = wait->count < MOST_READ ? wait->count : MOST_READ;
    if (lh_memory_read_self(fds, (uintptr_t)wait->fds, count * sizeof(fds[0])) != 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        note(watched, fds[i].fd, (fds[i].events & POLLIN) != 0);
}

static void read_set(struct watched *watched, const fd_set *set, uint32_t count, bool reads)
{
    set_word words[SET_WORDS] = {0};
    size_t used = (count + WORD_BITS - 1) / WORD_BITS;
    if (used > SET_WORDS)
        used = SET_WORDS;
    if (set == NULL || lh_memory_read_self(words, (uintptr_t)set, used * sizeof(set_word)) != 0)
        return;
    for (uint32_t fd = 0; fd < used * WORD_BITS && fd < count; fd++)
        if ((words[fd / WORD_BITS] >> fd % WORD_BITS & 1) != 0)
            note(watched, (int)fd, reads);
}

static void read_wait(struct watched *watched, const struct lh_wait *wait)
{
    watched->read_count = 0;
    watched->first = -1;
    watched->several = false;
    if (wait->fds != NULL) {
        read_array(watched, wait);
        return;
    }
    read_set(watched, wait->reads, wait->count, true);
    read_set(watched, wait->writes, wait->count, false);
    read_set(watched, wait->excepts, wait->count, false);
}

static bool stat_of(int fd, struct stat *status)
{
    return lh_syscall2(SYS_fstat, fd, (long)status) == 0;
}

static bool is_listening(int fd)
{
    int listens = 0;
    socklen_t length = sizeof(listens);
    return lh_syscall5(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, (long)&listens,
                       (long)&length) == 0 &&
           listens != 0;
}

static bool is_made_by_us(int fd)
{
    struct ucred maker = {0};
    socklen_t length = sizeof(maker);
    return lh_syscall5(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, (long)&maker, (long)&length) ==
               0 &&
           maker.pid == lh_syscall0(SYS_getpid);
}

static bool is_writable_end(int fd)
{
    long flags = lh_syscall2(SYS_fcntl, fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* The ends of a pipe are one inode; those of a socket pair have numbers next to each other, as
 * socketpair(2) makes one right after the other. */
static bool are_two_ends(const struct stat *one, const struct stat *other, int other_fd)
{
    if (one->st_dev != other->st_dev || (one->st_mode & S_IFMT) != (other->st_mode & S_IFMT))
        return false;
    if (S_ISFIFO(one->st_mode))
        return one->st_ino == other->st_ino && is_writable_end(other_fd);
    return one->st_ino + 1 == other->st_ino || one->st_ino == other->st_ino + 1;
}

static bool has_both_ends_here(int fd, const struct stat *status)
{
    if (S_ISSOCK(status->st_mode) && !is_made_by_us(fd))
        return false;
    for (int other = 0; other < MOST_PARTNERS; other++) {
        struct stat partner = {0};
        if (other != fd && stat_of(other, &partner) && are_two_ends(status, &partner, other))
            return true;
    }
    return false;
}

static bool is_wakeup(int fd)
{
    static const char *const kinds[] = {"anon_inode:[eventfd]", "anon_inode:[timerfd]",
                                        "anon_inode:[signalfd]"};
    struct stat status = {0};
    if (!stat_of(fd, &status))
        return false;
    if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
        return has_both_ends_here(fd, &status);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (lh_fd_is(fd, kinds[i]))
            return true;
    return false;
}

static void remember(struct lh_anchor *anchor, const struct lh_wait *wait, int fd)
{
    struct stat status = {0};
    stat_of(fd, &status);
    *anchor = (struct lh_anchor){
        .site = wait->site, .array = wait->fds, .fd = fd, .inode = status.st_ino};
}

/* The file that the code at an address comes from. */
struct origin {
    uintptr_t site;
    const char *path; /* NULL: not found yet */
};

static int note_origin(struct dl_phdr_info *info, size_t size, void *data)
{
    struct origin *origin = data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD &&
            origin->site - (info->dlpi_addr + part->p_vaddr) < part->p_memsz)
            origin->path = info->dlpi_name;
    }
    return origin->path != NULL;
}

/* Not by dladdr(3), whose lock another thread may have for as long as it is in dlopen(3): see
 * python_library.h. */
static bool is_synchronous(uintptr_t site)
{
    struct origin origin = {site, NULL};
    if (dl_iterate_phdr(note_origin, &origin) == 0)
        return false;
    const char *slash = strrchr(origin.path, '/');
    const char *name = slash != NULL ? slash + 1 : origin.path;
    for (size_t i = 0; i < sizeof(synchronous_libraries) / sizeof(synchronous_libraries[0]); i++)
        if (strncmp(name, synchronous_libraries[i], strlen(synchronous_libraries[i])) == 0)
            return true;
    return false;
}

bool lh_anchor_find(struct lh_anchor *anchor, const struct lh_wait *wait,
                    const struct lh_turns *turns)
{
    struct watched watched;
    read_wait(&watched, wait);
    for (uint32_t i = 0; i < watched.read_count; i++) {
        int fd = watched.reads[i];
        if ((watched.several && is_listening(fd)) ||
            (turns->looked && turns->waited && is_wakeup(fd))) {
            if (is_synchronous(wait->site))
                return false;
            remember(anchor, wait, fd);
            return true;
        }
    }
    return false;
}

static bool set_holds(const fd_set *set, uint32_t count, int fd)
{
    set_word word = 0;
    uintptr_t at = (uintptr_t)set + (size_t)fd / WORD_BITS * sizeof(word);
    return set != NULL && (uint32_t)fd < count &&
           lh_memory_read_self(&word, at, sizeof(word)) == 0 && (word >> fd % WORD_BITS & 1) != 0;
}

/* Most often it is where it was. */
static bool array_holds(struct lh_anchor *anchor, const struct pollfd *fds, uint32_t count)
{
    struct pollfd batch[BATCH];
    if (anchor->index < count &&
        lh_memory_read_self(batch, (uintptr_t)(fds + anchor->index), sizeof(batch[0])) == 0 &&
        batch[0].fd == anchor->fd)
        return true;
    for (uint32_t start = 0; start < count; start += BATCH) {
        uint32_t here = count - start < BATCH ? count - start : BATCH;
        if (lh_memory_read_self(batch, (uintptr_t)(fds + start), here * sizeof(batch[0])) != 0)
            return false;
        for (uint32_t i = 0; i < here; i++) {
            if (batch[i].fd != anchor->fd)
                continue;
            anchor->index = start + i;
            return true;
        }
    }
    return false;
}

bool lh_anchor_holds(struct lh_anchor *anchor, const struct lh_wait *wait)
{
    if (anchor->site != wait->site)
        return false;
    if (wait->fds == NULL)
        return set_holds(wait->reads, wait->count, anchor->fd);
    if (anchor->array == wait->fds)
        return true;
    if (!array_holds(anchor, wait->fds, wait->count))
        return false;
    anchor->array = wait->fds;
    return true;
}

bool lh_anchor_lives(const struct lh_anchor *anchor)
{
    struct stat status = {0};
    return anchor->site != 0 && stat_of(anchor->fd, &status) && status.st_ino == anchor->inode;
}
