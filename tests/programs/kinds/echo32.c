/* SPDX-License-Identifier: Apache-2.0 */
/* The same without any libc, as there is none for 32 bits: copies its input, its status is 7. */
enum { EXIT = 1, READ = 3, WRITE = 4 };

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

void start(void);

void start(void)
{
    char text[512];
    long length;
    while ((length = call(READ, 0, (long)text, sizeof(text))) > 0)
        call(WRITE, 1, (long)text, length);
    call(EXIT, 7, 0, 0);
}
