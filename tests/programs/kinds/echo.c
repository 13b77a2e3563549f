/* SPDX-License-Identifier: Apache-2.0 */
/* Says what it reads, what its arguments are and whether its dynamic linker is to be careful;
 * built as every kind of program that the library cannot get into. */
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char text[4096];
    ssize_t length;
    for (int i = 1; i < argc; i++)
        printf("argument %s\n", argv[i]);
    while ((length = read(STDIN_FILENO, text, sizeof(text))) > 0)
        fwrite(text, 1, (size_t)length, stdout);
    printf("secure %lu\n", getauxval(AT_SECURE));
    fputs("to standard error\n", stderr);
    return 7;
}
