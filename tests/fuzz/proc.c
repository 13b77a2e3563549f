/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of /proc that the library reads inside the program. */
#include <inttypes.h>

#include "common/text.h"
#include "fuzz.h"
#include "preload/sys/proc.h"

/* What the kernel would write for these numbers is understood as they are. */
static void check_truth(struct input input)
{
    char line[256];
    struct lh_thread_wait wait;
    long number = (long)(take_u64(&input) % 500) - 1;
    uint64_t first = number < 0 ? 0 : take_u64(&input);
    uint64_t sp = take_u64(&input);
    uint64_t pc = take_u64(&input);
    char arguments[64] = "";
    if (number >= 0)
        (void)snprintf(arguments, sizeof(arguments), " 0x%" PRIx64 " 0x0 0x1 0x2 0x3 0x4", first);
    (void)snprintf(line, sizeof(line), "%ld%s 0x%" PRIx64 " 0x%" PRIx64 "\n", number, arguments, sp,
                   pc);
    MUST(lh_proc_parse_wait(line, &wait));
    MUST(wait.fourth == (number < 0 ? 0 : 2));
    MUST(wait.number == number && wait.first == first && wait.sp == sp && wait.pc == pc);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    check_truth(input);
    unsigned number = take_u8(&input);
    char *line = take_line(&input);
    (void)lh_proc_field(line, number);
    (void)lh_text_parse_hex(line);
    struct lh_thread_wait wait;
    (void)lh_proc_parse_wait(line, &wait);
    free(line);
    return 0;
}
