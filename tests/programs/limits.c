/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that runs into a limit: limits WAY. It blocks for BLOCK_MS, once for each loop thread.
 *
 *   descriptors  RLIMIT_NOFILE is 0 before there is a loop
 *   edge         every descriptor is taken before there is a loop
 *   files        RLIMIT_FSIZE is 4096; a write past it raises SIGXFSZ, which is counted
 *   memory       mlockall(MCL_FUTURE), RLIMIT_MEMLOCK being 16 MiB; little-memory: 1 MiB
 *   stacks       loop threads with the least stack, one after another
 *   address      nothing more can be mapped, once there is a loop
 *   user         the user may have no more threads, as somebody else
 *   none         nothing: limits that were set before it was started */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "small_loop.h"

#define BLOCK_MS 120
#define THREADS  3
#define SOMEBODY 48213 /* a user id without processes */

static void limit(int resource, rlim_t value)
{
    const struct rlimit limit = {value, value};
    check(setrlimit((__rlimit_resource_t)resource, &limit) == 0);
}

static void block_in_turns(int set)
{
    turn(set);
    sleep_ms(BLOCK_MS);
    turn(set);
}

static void without_limits(void)
{
    block_in_turns(begin_loop());
    puts("blocked");
}

/* The set is had before the limit; what is open stays. */
static void without_descriptors(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    limit(RLIMIT_NOFILE, 0);
    check(epoll_wait(set, &event, 1, 0) == 0);
    block_in_turns(set);
    check(dup(set) < 0 && errno == EMFILE);
    check(close(set) == 0);
    puts("no descriptors");
}

static void at_the_edge(void)
{
    struct epoll_event event;
    int taken = 0;
    int set = epoll_create1(EPOLL_CLOEXEC);
    limit(RLIMIT_NOFILE, 64);
    while (fcntl(set, F_DUPFD_CLOEXEC, 0) >= 0)
        taken++;
    check(epoll_wait(set, &event, 1, 0) == 0);
    block_in_turns(set);
    check(dup(set) < 0 && errno == EMFILE);
    printf("%d taken\n", taken);
}

static volatile sig_atomic_t too_large;

static void count_too_large(int number)
{
    (void)number;
    too_large++;
}

static void with_small_files(void)
{
    const struct sigaction action = {.sa_handler = count_too_large};
    char name[] = "limited.XXXXXX";
    int fd = mkstemp(name);
    check(fd >= 0 && unlink(name) == 0 && sigaction(SIGXFSZ, &action, NULL) == 0);
    limit(RLIMIT_FSIZE, 4096);
    block_in_turns(begin_loop());
    int before = too_large;
    check(ftruncate(fd, 4097) < 0 && errno == EFBIG);
    printf("%d signals, then %d\n", before, (int)too_large - before);
}

/* Root may lock what it likes, as long as it has this capability: capabilities(7). */
static void give_up_locking(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    check(syscall(SYS_capget, &header, data) == 0);
    data[0].effective &= ~(1U << CAP_IPC_LOCK);
    check(syscall(SYS_capset, &header, data) == 0);
}

static void lock_memory(rlim_t most)
{
    give_up_locking();
    limit(RLIMIT_MEMLOCK, most);
    check(mlockall(MCL_FUTURE) == 0);
    block_in_turns(begin_loop());
    char *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    puts(memory != MAP_FAILED ? "locked" : "no room");
}

static void lock_much(void)
{
    lock_memory(16 << 20);
}

static void lock_little(void)
{
    lock_memory(1 << 20);
}

static void *run_loop(void *unused)
{
    int set = begin_loop();
    block_in_turns(set);
    close(set);
    return unused;
}

static void on_small_stacks(void)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    check(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], &attributes, run_loop, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        check(pthread_join(threads[i], NULL) == 0);
    puts("small stacks");
}

static void without_room(void)
{
    int set = begin_loop();
    limit(RLIMIT_AS, 4096);
    check(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    block_in_turns(set);
    puts("no room");
}

static void as_somebody(void)
{
    pthread_t thread;
    limit(RLIMIT_NPROC, 1);
    check(setuid(SOMEBODY) == 0);
    block_in_turns(begin_loop());
    check(pthread_create(&thread, NULL, run_loop, NULL) == EAGAIN);
    puts("alone");
}

static const struct way ways[] = {
    {"none", without_limits},    {"descriptors", without_descriptors},
    {"edge", at_the_edge},       {"files", with_small_files},
    {"memory", lock_much},       {"little-memory", lock_little},
    {"stacks", on_small_stacks}, {"address", without_room},
    {"user", as_somebody},
};

int main(int argc, char **argv)
{
    return take_way(ways, ROWS(ways), argc > 1 ? argv[1] : NULL);
}
