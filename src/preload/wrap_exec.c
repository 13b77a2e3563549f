/* The forms of exec that take the new program's arguments one by one: what hooks.h does before the
 * others, done by way of those. Runs on the program's threads, also in children of vfork(2).
 *
 * As in libc they are gathered on the stack: exec(3) may be called where malloc may not. */
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include "preload/wrapping.h"

/* The number of arguments, the NULL that ends them included. */
static size_t count(const char *first, va_list list)
{
    size_t arguments = 1;
    for (const char *each = first; each != NULL; each = va_arg(list, const char *))
        arguments++;
    return arguments;
}

static void gather(char **argv, size_t arguments, const char *first, va_list list)
{
    argv[0] = (char *)first;
    for (size_t i = 1; i < arguments; i++)
        argv[i] = va_arg(list, char *);
}

#define GATHER(argv, first)                                                                        \
    va_list list;                                                                                  \
    va_start(list, first);                                                                         \
    size_t arguments = count(first, list);                                                         \
    va_end(list);                                                                                  \
    char **argv = __builtin_alloca(arguments * sizeof(*argv));                                     \
    va_start(list, first);                                                                         \
    gather(argv, arguments, first, list)

EXPORTED int wrap_execl(const char *path, const char *first, ...) __asm__("execl");
int wrap_execl(const char *path, const char *first, ...)
{
    GATHER(argv, first);
    va_end(list);
    return execv(path, argv);
}

EXPORTED int wrap_execlp(const char *file, const char *first, ...) __asm__("execlp");
int wrap_execlp(const char *file, const char *first, ...)
{
    GATHER(argv, first);
    va_end(list);
    return execvp(file, argv);
}

EXPORTED int wrap_execle(const char *path, const char *first, ...) __asm__("execle");
int wrap_execle(const char *path, const char *first, ...)
{
    GATHER(argv, first);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, argv, environment);
}
