/* Time. Runs on the program's threads and in the watchdog; raw system calls only, but for the
 * coarse clock, which libc reads from the vDSO without touching thread-local storage. */
#include "preload/clock.h"

#include <dlfcn.h>

#include "preload/sys.h"

#define READINGS 3

LH_HIDDEN bool lh_counter_is_tsc;
LH_HIDDEN bool lh_clock_is_faked;

/* Two readings of the same moment, as near as they can be had. */
struct moment {
    uint64_t counter;
    int64_t ns;
};

static struct moment reference; /* taken at the start */

int64_t lh_clock_ns(clockid_t clock)
{
    struct timespec now = {0, 0};
    lh_syscall2(SYS_clock_gettime, clock, (long)&now);
    return now.tv_sec * LH_NS_PER_S + now.tv_nsec;
}

uint64_t lh_counter_coarse(void)
{
    struct timespec now = {0, 0};
    if (lh_clock_is_faked)
        return (uint64_t)lh_clock_ns(CLOCK_MONOTONIC_COARSE);
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)(now.tv_sec * LH_NS_PER_S + now.tv_nsec);
}

/* The thread may lose the processor between the readings: the closest of a few count. */
static struct moment read_moment(void)
{
    struct moment closest = {0, 0};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < READINGS; i++) {
        uint64_t before = lh_counter();
        int64_t ns = lh_clock_ns(CLOCK_MONOTONIC);
        uint64_t width = lh_counter() - before;
        if (width < least) {
            least = width;
            closest = (struct moment){before + width / 2, ns};
        }
    }
    return closest;
}

static const void *library_of(const char *function)
{
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, function);
    return address != NULL && dladdr(address, &info) != 0 ? info.dli_fbase : NULL;
}

/* libfaketime and its like. Not asked for the time: a clock may step at each call. */
static bool is_faked(void)
{
    return library_of("clock_gettime") != library_of("gnu_get_libc_version");
}

void lh_clock_init(void)
{
    lh_clock_is_faked = is_faked();
    lh_counter_is_tsc = lh_cpu_counter_is_steady();
    reference = read_moment();
}

uint64_t lh_counter_to_ns(uint64_t count)
{
    if (!lh_counter_is_tsc)
        return count;
    struct moment now = read_moment();
    uint64_t counted = now.counter - reference.counter;
    uint64_t passed_ns = (uint64_t)(now.ns - reference.ns);
    if (counted == 0)
        return 0;
    return (uint64_t)((unsigned __int128)count * passed_ns / counted);
}
