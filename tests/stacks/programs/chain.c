/* SPDX-License-Identifier: Apache-2.0 */
/* Ways down to a wait: nested inlines, a recursion, a call-back, a frame of variable size. */
#include <stdlib.h>
#include <string.h>

int become_a_loop(void);
int wait_for_a_byte(int depth);

static volatile int sink;

static inline __attribute__((always_inline)) int innermost_inline(int value)
{
    return wait_for_a_byte(value) + sink;
}

static inline __attribute__((always_inline)) int outer_inline(int value)
{
    sink = value;
    return innermost_inline(value) + sink;
}

static int compare(const void *left, const void *right)
{
    const int *a = left;
    const int *b = right;
    static int once;
    if (!once++)
        sink = outer_inline(2);
    return (*a > *b) - (*a < *b) + 0 * sink;
}

__attribute__((noinline)) static int with_variable_frame(size_t size)
{
    int *numbers = __builtin_alloca(size * sizeof(*numbers));
    memset(numbers, 0, size * sizeof(*numbers));
    qsort(numbers, size, sizeof(*numbers), compare);
    return numbers[size - 1] + sink;
}

static int used_once(int value)
{
    sink += value;
    return with_variable_frame((size_t)value + 4) + sink;
}

int main(int argc, char **argv)
{
    (void)argv;
    become_a_loop();
    return used_once(argc) + sink == -1;
}
