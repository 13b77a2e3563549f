/* SPDX-License-Identifier: Apache-2.0 */
/* Line tables of code objects: format, first line, offset of the instruction, then the table. */
#include <errno.h>

#include "fuzz.h"
#include "preload/python/lines.h"

#define BASE 0x10000u /* where the table is, for those who read it */

static const uint8_t *table;
static size_t readable; /* bytes of the table that can be read */

static int read_table(void *to, uintptr_t address, size_t size)
{
    uintptr_t at = address - BASE;
    if (address < BASE || at > readable || size > readable - at)
        return -EFAULT;
    memcpy(to, table + at, size);
    return 0;
}

static const struct lh_view view = {.read = read_table};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    enum lh_python_line_format format = take_u8(&input) % (LH_PYTHON_LNOTAB + 1);
    bool lies = (take_u8(&input) & 1) != 0; /* about its length */
    int32_t first_line;
    int64_t offset;
    take(&input, &first_line, sizeof(first_line));
    take(&input, &offset, sizeof(offset));
    table = input.at;
    readable = input.left;
    size_t length = lies ? SIZE_MAX / 2 : readable;
    uint32_t line = lh_python_line(format, &view, BASE, length, first_line, offset);
    MUST(line <= INT32_MAX);
    MUST(lh_python_line(format, &view, BASE, length, first_line, -1) ==
         (first_line > 0 ? (uint32_t)first_line : 0));
    return 0;
}
