/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of exec that take the new program's arguments one by one: what hooks.h does before the
 * others, done by way of those. Runs on the program's threads, also in children of vfork(2).
 *
 * As in libc they are gathered on the stack: exec(3) may be called where malloc may not. */
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include "preload/wrap/wrapping.h"

/* The size of an array of them, the NULL that ends them included. */
static size_t size_of(const char *first, va_list list)
{
    va_list ahead;
    va_copy(ahead, list);
    size_t arguments = 1;
    for (const char *each = first; each != NULL; each = va_arg(ahead, const char *))
        arguments++;
    va_end(ahead);
    return arguments * sizeof(char *);
}

/* What the list has next is then behind the NULL. */
static void gather(char **argv, const char *first, va_list *list)
{
    argv[0] = (char *)first;
    for (size_t i = 0; argv[i] != NULL; i++)
        argv[i + 1] = va_arg(*list, char *);
}

EXPORTED int wrap_execl(const char *path, const char *first, ...) __asm__("execl");
int wrap_execl(const char *path, const char *first, ...)
{
    va_list list;
    va_start(list, first);
    char **argv = __builtin_alloca(size_of(first, list));
    gather(argv, first, &list);
    va_end(list);
    return execv(path, argv);
}

EXPORTED int wrap_execlp(const char *file, const char *first, ...) __asm__("execlp");
int wrap_execlp(const char *file, const char *first, ...)
{
    va_list list;
    va_start(list, first);
    char **argv = __builtin_alloca(size_of(first, list));
    gather(argv, first, &list);
    va_end(list);
    return execvp(file, argv);
}

EXPORTED int wrap_execle(const char *path, const char *first, ...) __asm__("execle");
int wrap_execle(const char *path, const char *first, ...)
{
    va_list list;
    va_start(list, first);
    char **argv = __builtin_alloca(size_of(first, list));
    gather(argv, first, &list);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, argv, environment);
}
