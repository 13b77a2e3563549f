/* SPDX-License-Identifier: Apache-2.0 */
/* Streams, reading and writing: see scenario.h. */
#include <fcntl.h>
#include <sys/stat.h>

#include "scenario.h"

/* What programs call that are fortified, or were linked before glibc 2.28. */
extern char *__fgets_unlocked_chk(char *buf, size_t buflen, int size, FILE *stream);
extern size_t __fread_unlocked_chk(void *buf, size_t buflen, size_t size, size_t count,
                                   FILE *stream);
extern ssize_t __getdelim(char **line, size_t *size, int delimiter, FILE *stream);
extern int _IO_getc(FILE *stream);
extern int _IO_putc(int byte, FILE *stream);

static char buffer[65536];
static char fifo[] = "./loophound-test-XXXXXX";
static const char *path = fifo;
static FILE *stream, *program_stdin, *program_stdout;
static char line[16], *long_line;
static size_t long_size;

static void remove_fifo(void)
{
    unlink(fifo);
}

/* Opening a FIFO to read waits for a writer (fifo(7)). */
static void make_fifo(void)
{
    int fd = mkstemp(fifo);
    CHECK(fd >= 0 && close(fd) == 0 && unlink(fifo) == 0 && mkfifo(fifo, 0600) == 0);
    atexit(remove_fifo);
    stream = fopen("/dev/null", "r");
    CHECK(stream);
}

static void name_memory_file(void)
{
    path = "/proc/self/status";
    stream = fopen("/dev/null", "r");
    CHECK(stream);
}

static void open_to_write(void)
{
    CHECK(open(fifo, O_WRONLY | O_CLOEXEC) >= 0);
}

/* Standard streams are what the program says they are (stdin(3), glibc's assignable variables). */
static void use_as_standard(void)
{
    program_stdin = stdin;
    program_stdout = stdout;
}

static void make_reader(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    stream = fdopen(pair[0], "r");
    CHECK(stream);
    use_as_standard();
}

/* The buffer holds a second line already. */
static void make_reader_ready(void)
{
    make_reader();
    CHECK(write(pair[1], "one\ntwo\n", 8) == 8);
    CHECK(fgets(line, sizeof line, stream));
}

static void write_line(void)
{
    CHECK(write(pair[1], "one\n", 4) == 4);
}

/* A pipe with room for nothing. */
static void make_writer(void)
{
    CHECK(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
    while (write(pair[1], buffer, sizeof buffer) > 0)
        ;
    CHECK(fcntl(pair[1], F_SETFL, O_WRONLY) == 0);
    stream = fdopen(pair[1], "w");
    CHECK(stream);
    use_as_standard();
}

static void make_writer_with_room(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    stream = fdopen(pair[1], "w");
    CHECK(stream);
    use_as_standard();
}

static void make_unbuffered_writer(void)
{
    make_writer();
    CHECK(setvbuf(stream, NULL, _IONBF, 0) == 0);
}

static void make_full_writer(void)
{
    make_writer();
    CHECK(fputs("one", stream) >= 0);
}

static void drain(void)
{
    while (read(pair[0], buffer, sizeof buffer) > 0)
        ;
}

static long call_fopen(void)
{
    return fopen(path, "r") ? 0 : -1;
}

static long call_freopen(void)
{
    return freopen(path, "r", stream) ? 0 : -1;
}

static long call_fopen64(void)
{
    return fopen64(path, "r") ? 0 : -1;
}

static long call_freopen64(void)
{
    return freopen64(path, "r", stream) ? 0 : -1;
}

static long call_fgets_unlocked(void)
{
    return fgets_unlocked(line, sizeof line, stream) ? 0 : -1;
}

static long call___fgets_unlocked_chk(void)
{
    return __fgets_unlocked_chk(line, sizeof line, sizeof line, stream) ? 0 : -1;
}

static long call_fread_unlocked(void)
{
    return (long)fread_unlocked(line, 1, 4, stream);
}

static long call___fread_unlocked_chk(void)
{
    return (long)__fread_unlocked_chk(line, sizeof line, 1, 4, stream);
}

static long call_fgetc(void)
{
    return fgetc(stream);
}

static long call_getc(void)
{
    return getc(stream);
}

static long call__IO_getc(void)
{
    return _IO_getc(stream);
}

static long call_fgetc_unlocked(void)
{
    return (fgetc_unlocked)(stream);
}

static long call_getc_unlocked(void)
{
    return (getc_unlocked)(stream);
}

static long call_getline(void)
{
    return getline(&long_line, &long_size, stream);
}

static long call_getdelim(void)
{
    return getdelim(&long_line, &long_size, '\n', stream);
}

static long call___getdelim(void)
{
    return __getdelim(&long_line, &long_size, '\n', stream);
}

static long call_getchar(void)
{
    stdin = stream;
    long code = (getchar)();
    stdin = program_stdin;
    return code;
}

static long call_getchar_unlocked(void)
{
    stdin = stream;
    long code = (getchar_unlocked)();
    stdin = program_stdin;
    return code;
}

static long call_fwrite(void)
{
    return (long)fwrite("x", 1, 1, stream);
}

static long call_fwrite_unlocked(void)
{
    return (long)fwrite_unlocked("x", 1, 1, stream);
}

static long call_fputs(void)
{
    return fputs("x", stream);
}

static long call_fputs_unlocked(void)
{
    return fputs_unlocked("x", stream);
}

static long call_fputc(void)
{
    return fputc('x', stream);
}

static long call_putc(void)
{
    return putc('x', stream);
}

static long call__IO_putc(void)
{
    return _IO_putc('x', stream);
}

static long call_fputc_unlocked(void)
{
    return (fputc_unlocked)('x', stream);
}

static long call_putc_unlocked(void)
{
    return (putc_unlocked)('x', stream);
}

static long call_puts(void)
{
    stdout = stream;
    long code = puts("x");
    stdout = program_stdout;
    return code;
}

static long call_putchar(void)
{
    stdout = stream;
    long code = putchar('x');
    stdout = program_stdout;
    return code;
}

static long call_putchar_unlocked(void)
{
    stdout = stream;
    long code = (putchar_unlocked)('x');
    stdout = program_stdout;
    return code;
}

static long call_fflush(void)
{
    return fflush(stream);
}

static long call_fflush_unlocked(void)
{
    return fflush_unlocked(stream);
}

static long call_fclose(void)
{
    return fclose(stream);
}

static const struct scenario rows[] = {
    {"fopen", make_fifo, call_fopen, open_to_write, name_memory_file, call_fopen, 0},
    {"freopen", make_fifo, call_freopen, open_to_write, name_memory_file, call_freopen, 0},
    {"fopen64", make_fifo, call_fopen64, open_to_write, name_memory_file, call_fopen64, 0},
    {"freopen64", make_fifo, call_freopen64, open_to_write, name_memory_file, call_freopen64, 0},
    {"fgets_unlocked", make_reader, call_fgets_unlocked, write_line, make_reader_ready,
     call_fgets_unlocked, 0},
    {"__fgets_unlocked_chk", make_reader, call___fgets_unlocked_chk, write_line, make_reader_ready,
     call___fgets_unlocked_chk, 0},
    {"fread_unlocked", make_reader, call_fread_unlocked, write_line, make_reader_ready,
     call_fread_unlocked, 0},
    {"__fread_unlocked_chk", make_reader, call___fread_unlocked_chk, write_line, make_reader_ready,
     call___fread_unlocked_chk, 0},
    {"fgetc", make_reader, call_fgetc, write_line, make_reader_ready, call_fgetc, 0},
    {"getc", make_reader, call_getc, write_line, make_reader_ready, call_getc, 0},
    {"_IO_getc", make_reader, call__IO_getc, write_line, make_reader_ready, call__IO_getc, 0},
    {"fgetc_unlocked", make_reader, call_fgetc_unlocked, write_line, make_reader_ready,
     call_fgetc_unlocked, 0},
    {"getc_unlocked", make_reader, call_getc_unlocked, write_line, make_reader_ready,
     call_getc_unlocked, 0},
    {"getline", make_reader, call_getline, write_line, make_reader_ready, call_getline, 0},
    {"getdelim", make_reader, call_getdelim, write_line, make_reader_ready, call_getdelim, 0},
    {"__getdelim", make_reader, call___getdelim, write_line, make_reader_ready, call___getdelim, 0},
    {"getchar", make_reader, call_getchar, write_line, make_reader_ready, call_getchar, 0},
    {"getchar_unlocked", make_reader, call_getchar_unlocked, write_line, make_reader_ready,
     call_getchar_unlocked, 0},
    {"fwrite", make_unbuffered_writer, call_fwrite, drain, make_writer_with_room, call_fwrite, 0},
    {"fwrite_unlocked", make_unbuffered_writer, call_fwrite_unlocked, drain, make_writer_with_room,
     call_fwrite_unlocked, 0},
    {"fputs", make_unbuffered_writer, call_fputs, drain, make_writer_with_room, call_fputs, 0},
    {"fputs_unlocked", make_unbuffered_writer, call_fputs_unlocked, drain, make_writer_with_room,
     call_fputs_unlocked, 0},
    {"fputc", make_unbuffered_writer, call_fputc, drain, make_writer_with_room, call_fputc, 0},
    {"putc", make_unbuffered_writer, call_putc, drain, make_writer_with_room, call_putc, 0},
    {"_IO_putc", make_unbuffered_writer, call__IO_putc, drain, make_writer_with_room, call__IO_putc,
     0},
    {"fputc_unlocked", make_unbuffered_writer, call_fputc_unlocked, drain, make_writer_with_room,
     call_fputc_unlocked, 0},
    {"putc_unlocked", make_unbuffered_writer, call_putc_unlocked, drain, make_writer_with_room,
     call_putc_unlocked, 0},
    {"puts", make_unbuffered_writer, call_puts, drain, make_writer_with_room, call_puts, 0},
    {"putchar", make_unbuffered_writer, call_putchar, drain, make_writer_with_room, call_putchar,
     0},
    {"putchar_unlocked", make_unbuffered_writer, call_putchar_unlocked, drain,
     make_writer_with_room, call_putchar_unlocked, 0},
    {"fflush", make_full_writer, call_fflush, drain, make_writer, call_fflush, 0},
    {"fflush_unlocked", make_full_writer, call_fflush_unlocked, drain, make_writer,
     call_fflush_unlocked, 0},
    {"fclose", make_full_writer, call_fclose, drain, make_writer, call_fclose, 0},
};

SCENARIO_MAIN(rows)
