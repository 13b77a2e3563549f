/* SPDX-License-Identifier: Apache-2.0 */
/* Printing, scanning, wide characters, and other places in a stream: see scenario.h. */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <wchar.h>

#include "scenario.h"

/* What programs call that are fortified, or were compiled for an older or a newer C. */
#define SCANNERS(prefix)                                                                           \
    extern int prefix##fscanf(FILE *, const char *, ...);                                          \
    extern int prefix##vfscanf(FILE *, const char *, va_list);                                     \
    extern int prefix##scanf(const char *, ...);                                                   \
    extern int prefix##vscanf(const char *, va_list);                                              \
    extern int prefix##fwscanf(FILE *, const wchar_t *, ...);                                      \
    extern int prefix##vfwscanf(FILE *, const wchar_t *, va_list);                                 \
    extern int prefix##wscanf(const wchar_t *, ...);                                               \
    extern int prefix##vwscanf(const wchar_t *, va_list);
SCANNERS(__isoc99_)
#if __GLIBC_PREREQ(2, 38)
SCANNERS(__isoc23_)
#endif
extern int __fprintf_chk(FILE *, int, const char *, ...);
extern int __vfprintf_chk(FILE *, int, const char *, va_list);
extern int __printf_chk(int, const char *, ...);
extern int __vprintf_chk(int, const char *, va_list);
extern int __fwprintf_chk(FILE *, int, const wchar_t *, ...);
extern int __vfwprintf_chk(FILE *, int, const wchar_t *, va_list);
extern int __wprintf_chk(int, const wchar_t *, ...);
extern int __vwprintf_chk(int, const wchar_t *, va_list);
extern int __dprintf_chk(int, int, const char *, ...);
extern int __vdprintf_chk(int, int, const char *, va_list);
extern wchar_t *__fgetws_chk(wchar_t *, size_t, int, FILE *);
extern wchar_t *__fgetws_unlocked_chk(wchar_t *, size_t, int, FILE *);

extern int __uflow(FILE *);
extern int __overflow(FILE *, int);

static char buffer[65536];
static sem_t held, let_go;
static FILE *stream;
static wchar_t letters[16];
static double number;
static fpos_t start;
static fpos64_t start64;
static char template[] = "./loophound-test-XXXXXX";

static void make_reader(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    stream = fdopen(pair[0], "r");
    CHECK(stream);
}

/* The buffer holds a second line already. */
static void make_reader_ready(void)
{
    make_reader();
    CHECK(write(pair[1], "1\n2.5\n", 6) == 6);
    CHECK(fgets(buffer, sizeof buffer, stream));
}

static void make_wide_reader_ready(void)
{
    make_reader();
    CHECK(write(pair[1], "1\n2.5\n", 6) == 6);
    CHECK(fgetws(letters, 16, stream));
}

static void write_number(void)
{
    CHECK(write(pair[1], "2.5\n", 4) == 4);
}

/* A pipe with room for nothing, and a stream that keeps nothing back. */
static void make_writer(void)
{
    CHECK(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
    while (write(pair[1], buffer, sizeof buffer) > 0)
        ;
    CHECK(fcntl(pair[1], F_SETFL, O_WRONLY) == 0);
    stream = fdopen(pair[1], "w");
    CHECK(stream && setvbuf(stream, NULL, _IONBF, 0) == 0);
}

static void make_writer_with_room(void)
{
    CHECK(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
    stream = fdopen(pair[1], "w");
    CHECK(stream);
}

static void drain(void)
{
    while (read(pair[0], buffer, sizeof buffer) > 0)
        ;
}

/* A stream that another thread holds until it is told. */
static void *hold_stream(void *unused)
{
    (void)unused;
    flockfile(stream);
    sem_post(&held);
    sem_wait(&let_go);
    funlockfile(stream);
    return NULL;
}

static void make_locked_stream(void)
{
    pthread_t holder;
    make_reader();
    sem_init(&held, 0, 0);
    sem_init(&let_go, 0, 0);
    CHECK(pthread_create(&holder, NULL, hold_stream, NULL) == 0);
    sem_wait(&held);
}

static void unlock_stream(void)
{
    sem_post(&let_go);
}

static void remove_file(void)
{
    unlink(template);
}

static void make_file(void)
{
    stream = fdopen(mkstemp(template), "w+");
    CHECK(stream);
    atexit(remove_file);
    CHECK(fgetpos(stream, &start) == 0 && fgetpos64(stream, &start64) == 0);
}

static void make_written_file(void)
{
    make_file();
    CHECK(fputs("one", stream) >= 0);
}

/* The call and its one expression: plain, with `stream` as a standard stream (glibc lets a program
 * assign them), and with a va_list. */
#define CALL(symbol, expression)                                                                   \
    static long call_##symbol(void)                                                                \
    {                                                                                              \
        return (long)(expression);                                                                 \
    }
#define STANDARD(standard, symbol, expression)                                                     \
    static long call_##symbol(void)                                                                \
    {                                                                                              \
        FILE *program_stream = standard;                                                           \
        standard = stream;                                                                         \
        long code = (long)(expression);                                                            \
        standard = program_stream;                                                                 \
        return code;                                                                               \
    }
#define LISTED(standard, symbol, expression, ...)                                                  \
    static long list_##symbol(int unused, ...)                                                     \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, unused);                                                                    \
        FILE *program_stream = standard;                                                           \
        standard = stream;                                                                         \
        long code = expression;                                                                    \
        standard = program_stream;                                                                 \
        va_end(list);                                                                              \
        return code;                                                                               \
    }                                                                                              \
    static long call_##symbol(void)                                                                \
    {                                                                                              \
        return list_##symbol(0, __VA_ARGS__);                                                      \
    }

/* A floating-point number among the arguments: its digits show in what is returned. */
#define PRINTED     1234.5678, "x"
#define READ(count) ((count)*1000 + number)

CALL(fprintf, fprintf(stream, "%.3f %s", PRINTED))
STANDARD(stdout, printf, printf("%.3f %s", PRINTED))
LISTED(stdout, vfprintf, vfprintf(stream, "%.3f %s", list), PRINTED)
LISTED(stdout, vprintf, vprintf("%.3f %s", list), PRINTED)
CALL(__fprintf_chk, __fprintf_chk(stream, 1, "%.3f %s", PRINTED))
STANDARD(stdout, __printf_chk, __printf_chk(1, "%.3f %s", PRINTED))
LISTED(stdout, __vfprintf_chk, __vfprintf_chk(stream, 1, "%.3f %s", list), PRINTED)
LISTED(stdout, __vprintf_chk, __vprintf_chk(1, "%.3f %s", list), PRINTED)
CALL(fwprintf, fwprintf(stream, L"%.3f %s", PRINTED))
STANDARD(stdout, wprintf, wprintf(L"%.3f %s", PRINTED))
LISTED(stdout, vfwprintf, vfwprintf(stream, L"%.3f %s", list), PRINTED)
LISTED(stdout, vwprintf, vwprintf(L"%.3f %s", list), PRINTED)
CALL(__fwprintf_chk, __fwprintf_chk(stream, 1, L"%.3f %s", PRINTED))
STANDARD(stdout, __wprintf_chk, __wprintf_chk(1, L"%.3f %s", PRINTED))
LISTED(stdout, __vfwprintf_chk, __vfwprintf_chk(stream, 1, L"%.3f %s", list), PRINTED)
LISTED(stdout, __vwprintf_chk, __vwprintf_chk(1, L"%.3f %s", list), PRINTED)
CALL(dprintf, dprintf(pair[1], "%.3f %s", PRINTED))
LISTED(stdout, vdprintf, vdprintf(pair[1], "%.3f %s", list), PRINTED)
CALL(__dprintf_chk, __dprintf_chk(pair[1], 1, "%.3f %s", PRINTED))
LISTED(stdout, __vdprintf_chk, __vdprintf_chk(pair[1], 1, "%.3f %s", list), PRINTED)
CALL(fscanf, READ(fscanf(stream, "%lf", &number)))
STANDARD(stdin, scanf, READ(scanf("%lf", &number)))
LISTED(stdin, vfscanf, (long)READ(vfscanf(stream, "%lf", list)), &number)
LISTED(stdin, vscanf, (long)READ(vscanf("%lf", list)), &number)
CALL(fwscanf, READ(fwscanf(stream, L"%lf", &number)))
STANDARD(stdin, wscanf, READ(wscanf(L"%lf", &number)))
LISTED(stdin, vfwscanf, (long)READ(vfwscanf(stream, L"%lf", list)), &number)
LISTED(stdin, vwscanf, (long)READ(vwscanf(L"%lf", list)), &number)
CALL(__isoc99_fscanf, READ(__isoc99_fscanf(stream, "%lf", &number)))
STANDARD(stdin, __isoc99_scanf, READ(__isoc99_scanf("%lf", &number)))
LISTED(stdin, __isoc99_vfscanf, (long)READ(__isoc99_vfscanf(stream, "%lf", list)), &number)
LISTED(stdin, __isoc99_vscanf, (long)READ(__isoc99_vscanf("%lf", list)), &number)
CALL(__isoc99_fwscanf, READ(__isoc99_fwscanf(stream, L"%lf", &number)))
STANDARD(stdin, __isoc99_wscanf, READ(__isoc99_wscanf(L"%lf", &number)))
LISTED(stdin, __isoc99_vfwscanf, (long)READ(__isoc99_vfwscanf(stream, L"%lf", list)), &number)
LISTED(stdin, __isoc99_vwscanf, (long)READ(__isoc99_vwscanf(L"%lf", list)), &number)
#if __GLIBC_PREREQ(2, 38)
CALL(__isoc23_fscanf, READ(__isoc23_fscanf(stream, "%lf", &number)))
STANDARD(stdin, __isoc23_scanf, READ(__isoc23_scanf("%lf", &number)))
LISTED(stdin, __isoc23_vfscanf, (long)READ(__isoc23_vfscanf(stream, "%lf", list)), &number)
LISTED(stdin, __isoc23_vscanf, (long)READ(__isoc23_vscanf("%lf", list)), &number)
CALL(__isoc23_fwscanf, READ(__isoc23_fwscanf(stream, L"%lf", &number)))
STANDARD(stdin, __isoc23_wscanf, READ(__isoc23_wscanf(L"%lf", &number)))
LISTED(stdin, __isoc23_vfwscanf, (long)READ(__isoc23_vfwscanf(stream, L"%lf", list)), &number)
LISTED(stdin, __isoc23_vwscanf, (long)READ(__isoc23_vwscanf(L"%lf", list)), &number)
#endif
CALL(fgetwc, fgetwc(stream))
CALL(getwc, getwc(stream))
CALL(fgetwc_unlocked, fgetwc_unlocked(stream))
CALL(getwc_unlocked, getwc_unlocked(stream))
STANDARD(stdin, getwchar, getwchar())
STANDARD(stdin, getwchar_unlocked, getwchar_unlocked())
CALL(fgetws, fgetws(letters, 16, stream) ? (long)letters[0] : -1)
CALL(__fgetws_chk, __fgetws_chk(letters, 16, 16, stream) ? (long)letters[0] : -1)
CALL(fgetws_unlocked, fgetws_unlocked(letters, 16, stream) ? (long)letters[0] : -1)
CALL(__fgetws_unlocked_chk, __fgetws_unlocked_chk(letters, 16, 16, stream) ? (long)letters[0] : -1)
CALL(fputwc, fputwc(L'x', stream))
CALL(putwc, putwc(L'x', stream))
CALL(fputwc_unlocked, fputwc_unlocked(L'x', stream))
CALL(putwc_unlocked, putwc_unlocked(L'x', stream))
STANDARD(stdout, putwchar, putwchar(L'x'))
STANDARD(stdout, putwchar_unlocked, putwchar_unlocked(L'x'))
CALL(fputws, fputws(L"x", stream))
CALL(fputws_unlocked, fputws_unlocked(L"x", stream))
CALL(__uflow, __uflow(stream))
CALL(__overflow, __overflow(stream, 'x'))
CALL(getw, getw(stream))
CALL(putw, putw(1, stream))
CALL(fseek, fseek(stream, 0, SEEK_SET))
CALL(fseeko, fseeko(stream, 0, SEEK_SET))
CALL(fseeko64, fseeko64(stream, 0, SEEK_SET))
CALL(rewind, (rewind(stream), 0))
CALL(fsetpos, fsetpos(stream, &start))
CALL(fsetpos64, fsetpos64(stream, &start64))

static long call_flockfile(void)
{
    flockfile(stream);
    return 0;
}

#define PRINTS(symbol)                                                                             \
    {                                                                                              \
#symbol, make_writer, call_##symbol, drain, make_writer_with_room, call_##symbol, 0        \
    }
#define READS(symbol, make_ready)                                                                  \
    {                                                                                              \
#symbol, make_reader, call_##symbol, write_number, make_ready, call_##symbol, 0            \
    }
#define SEEKS(symbol)                                                                              \
    {                                                                                              \
#symbol, make_written_file, call_##symbol, NULL, make_file, call_##symbol, SYS_write       \
    }

static const struct scenario rows[] = {
    PRINTS(fprintf),
    PRINTS(printf),
    PRINTS(vfprintf),
    PRINTS(vprintf),
    PRINTS(__fprintf_chk),
    PRINTS(__printf_chk),
    PRINTS(__vfprintf_chk),
    PRINTS(__vprintf_chk),
    PRINTS(fwprintf),
    PRINTS(wprintf),
    PRINTS(vfwprintf),
    PRINTS(vwprintf),
    PRINTS(__fwprintf_chk),
    PRINTS(__wprintf_chk),
    PRINTS(__vfwprintf_chk),
    PRINTS(__vwprintf_chk),
    PRINTS(dprintf),
    PRINTS(vdprintf),
    PRINTS(__dprintf_chk),
    PRINTS(__vdprintf_chk),
    READS(fscanf, make_reader_ready),
    READS(scanf, make_reader_ready),
    READS(vfscanf, make_reader_ready),
    READS(vscanf, make_reader_ready),
    READS(fwscanf, make_wide_reader_ready),
    READS(wscanf, make_wide_reader_ready),
    READS(vfwscanf, make_wide_reader_ready),
    READS(vwscanf, make_wide_reader_ready),
    READS(__isoc99_fscanf, make_reader_ready),
    READS(__isoc99_scanf, make_reader_ready),
    READS(__isoc99_vfscanf, make_reader_ready),
    READS(__isoc99_vscanf, make_reader_ready),
    READS(__isoc99_fwscanf, make_wide_reader_ready),
    READS(__isoc99_wscanf, make_wide_reader_ready),
    READS(__isoc99_vfwscanf, make_wide_reader_ready),
    READS(__isoc99_vwscanf, make_wide_reader_ready),
#if __GLIBC_PREREQ(2, 38)
    READS(__isoc23_fscanf, make_reader_ready),
    READS(__isoc23_scanf, make_reader_ready),
    READS(__isoc23_vfscanf, make_reader_ready),
    READS(__isoc23_vscanf, make_reader_ready),
    READS(__isoc23_fwscanf, make_wide_reader_ready),
    READS(__isoc23_wscanf, make_wide_reader_ready),
    READS(__isoc23_vfwscanf, make_wide_reader_ready),
    READS(__isoc23_vwscanf, make_wide_reader_ready),
#endif
    READS(fgetwc, make_wide_reader_ready),
    READS(getwc, make_wide_reader_ready),
    READS(fgetwc_unlocked, make_wide_reader_ready),
    READS(getwc_unlocked, make_wide_reader_ready),
    READS(getwchar, make_wide_reader_ready),
    READS(getwchar_unlocked, make_wide_reader_ready),
    READS(fgetws, make_wide_reader_ready),
    READS(__fgetws_chk, make_wide_reader_ready),
    READS(fgetws_unlocked, make_wide_reader_ready),
    READS(__fgetws_unlocked_chk, make_wide_reader_ready),
    PRINTS(fputwc),
    PRINTS(putwc),
    PRINTS(fputwc_unlocked),
    PRINTS(putwc_unlocked),
    PRINTS(putwchar),
    PRINTS(putwchar_unlocked),
    PRINTS(fputws),
    PRINTS(fputws_unlocked),
    READS(__uflow, make_reader_ready),
    PRINTS(__overflow),
    {"flockfile", make_locked_stream, call_flockfile, unlock_stream, make_reader, call_flockfile,
     0},
    READS(getw, make_reader_ready),
    PRINTS(putw),
    SEEKS(fseek),
    SEEKS(fseeko),
    SEEKS(fseeko64),
    SEEKS(rewind),
    SEEKS(fsetpos),
    SEEKS(fsetpos64),
};

SCENARIO_MAIN(rows)
