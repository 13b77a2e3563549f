/* SPDX-License-Identifier: Apache-2.0 */
/* The named columns of a row of src/calls.def, for the preprocessor.
 *
 * LH_COLUMN(READ, fallback, columns...) is what READ makes of its column, or else `fallback`. Who
 * reads a column defines READ_<column>(...) as `, value,` with both commas:
 *
 *     #define GROUND_WAITS(rule, ...) , rule_##rule,
 *     LH_COLUMN(GROUND, rule_always, AS(read), WAITS(fd_or_disk, fd))
 *
 * It works like this: READ is put before the name of each column. GROUND_AS(read) is no macro and
 * stays as it is; GROUND_WAITS(...) is one, and becomes `, rule_fd_or_disk,`. So the second of
 *
 *     GROUND_AS(read) , rule_fd_or_disk, ..., rule_always
 *
 * is the column's value if it is there, and the fallback if it is not. A value with commas of its
 * own needs parentheses. */
#ifndef LH_COMMON_CALL_COLUMNS_H
#define LH_COMMON_CALL_COLUMNS_H

#define LH_COLUMN(read, fallback, ...)                                                             \
    LH_COLUMN_SECOND(LH_COLUMN_READ(read, __VA_ARGS__, , , , , , , , , ), fallback, )

/* At most eight columns a row. Read once more, as cppcheck's preprocessor does not by itself. */
#define LH_COLUMN_READ(read, a, b, c, d, e, f, g, h, ...)                                          \
    LH_COLUMN_AGAIN(                                                                               \
        read##_##a read##_##b read##_##c read##_##d read##_##e read##_##f read##_##g read##_##h)
#define LH_COLUMN_AGAIN(...) __VA_ARGS__

#define LH_COLUMN_SECOND(...)                   LH_COLUMN_SECOND_OF(__VA_ARGS__)
#define LH_COLUMN_SECOND_OF(first, second, ...) second

#endif
