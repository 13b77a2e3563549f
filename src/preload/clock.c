/* Time. Runs on the program's threads and in the watchdog; raw system calls only, but for the
 * coarse clock, which libc reads from the vDSO without touching thread-local storage. */
#include "preload/clock.h"

#include "preload/sys.h"

LH_HIDDEN bool lh_counter_is_tsc;

/* Two readings of the same moment, taken at the start. */
static uint64_t reference_counter;
static int64_t reference_ns;

int64_t lh_clock_ns(clockid_t clock)
{
    struct timespec now = {0, 0};
    lh_syscall2(SYS_clock_gettime, clock, (long)&now);
    return now.tv_sec * LH_NS_PER_S + now.tv_nsec;
}

uint64_t lh_counter_coarse(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)(now.tv_sec * LH_NS_PER_S + now.tv_nsec);
}

void lh_clock_init(void)
{
    lh_counter_is_tsc = lh_cpu_counter_is_steady();
    reference_ns = lh_clock_ns(CLOCK_MONOTONIC);
    reference_counter = lh_counter();
}

uint64_t lh_counter_to_ns(uint64_t count)
{
    if (!lh_counter_is_tsc)
        return count;
    uint64_t counted = lh_counter() - reference_counter;
    uint64_t passed_ns = (uint64_t)(lh_clock_ns(CLOCK_MONOTONIC) - reference_ns);
    if (counted == 0)
        return 0;
    return (uint64_t)((unsigned __int128)count * passed_ns / counted);
}
