/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the system's files and of the name service, whole and one after another: see
 * scenario.h. */
#include <aliases.h>
#include <fcntl.h>
#include <grp.h>
#include <gshadow.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio_ext.h>
#include <wordexp.h>

#include "scenario.h"

static const char *host = "localhost";
static const uint32_t network = 0x7f000000;
static char buffer[16384];
static struct hostent host_entry, *host_result;
static struct netent net_entry, *net_result;
static struct aliasent alias_entry, *alias_result;
static struct rpcent rpc_entry, *rpc_result;
static char name[] = "name", shell[] = "/bin/sh";
static struct passwd user_entry = {name, name, 1000, 1000, name, name, shell}, *user_result;
static struct group group_entry = {name, name, 1000, NULL}, *group_result;
static struct spwd shadow_entry = {name, name, 1, 2, 3, 4, 5, 6, 7}, *shadow_result;
static struct sgrp sgroup_entry = {name, name, NULL, NULL}, *sgroup_result;
static struct ether_addr ether;
static wordexp_t words;
static const char *text = "./*";
static FILE *stream;
static int error_number;

/* A line of the file that `current` is about, by the two letters in its name. */
static const char *const lines[][2] = {
    {"pw", "user:x:1000:1000::/:/bin/sh\n"},
    {"gr", "group:x:1000:user\n"},
    {"sp", "user:*:1:2:3:4:5:6:7\n"},
    {"sg", "group:*:user:user\n"},
};

static const char *line(void)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (strncmp(current->symbol + strlen("fget"), lines[i][0], 2) == 0)
            return lines[i][1];
    abort();
}

static void write_line(void)
{
    CHECK(write(pair[1], line(), strlen(line())) == (ssize_t)strlen(line()));
}

static void make_reader(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    stream = fdopen(pair[0], "r");
    CHECK(stream);
}

/* The buffer holds a second line already. */
static void make_reader_ready(void)
{
    static char first[64];
    make_reader();
    write_line();
    write_line();
    CHECK(fgets(first, sizeof first, stream));
}

/* A file on a disk: what reads an entry again, when it did not fit, asks for the place first, of
 * which a pipe has none. */
static void make_file(void)
{
    static char path[] = "./loophound-test-XXXXXX";
    pair[0] = pair[1] = mkstemp(path);
    CHECK(pair[0] >= 0 && unlink(path) == 0);
    write_line();
    write_line();
    CHECK(lseek(pair[0], 0, SEEK_SET) == 0);
    stream = fdopen(pair[0], "r");
    CHECK(stream);
}

static void make_file_ready(void)
{
    make_file();
    CHECK(fgetc(stream) == line()[0]);
}

/* A pipe with room for nothing. */
static void make_writer(void)
{
    CHECK(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
    while (write(pair[1], buffer, sizeof buffer) > 0)
        ;
    CHECK(fcntl(pair[1], F_SETFL, 0) == 0);
    stream = fdopen(pair[1], "w");
    CHECK(stream && setvbuf(stream, NULL, _IONBF, 0) == 0);
}

static void make_writer_with_room(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    stream = fdopen(pair[1], "w");
    CHECK(stream && fputc('\n', stream) == '\n');
}

static void drain(void)
{
    while (read(pair[0], buffer, sizeof buffer) > 0)
        ;
}

static void make_line_waiting(void)
{
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    stream = fdopen(pair[1], "w");
    CHECK(stream && setvbuf(stream, NULL, _IOLBF, BUFSIZ) == 0 && fputs("half", stream) >= 0);
}

/* No terminal to ask at: /dev/tty is looked for, and standard input is at its end. */
static void leave_terminal(void)
{
    setsid();
    CHECK(dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO) == STDIN_FILENO);
}

static void unlock(void)
{
    ulckpwdf();
}

static void unlock_at_the_end(void)
{
    atexit(unlock);
}

static void use_plain_words(void)
{
    text = "plain words";
}

static long call__flushlbf(void)
{
    _flushlbf();
    return 0;
}

#define CALL(symbol, expression)                                                                   \
    static long call_##symbol(void)                                                                \
    {                                                                                              \
        return (expression);                                                                       \
    }

CALL(gethostent, gethostent() ? 0 : -1)
CALL(gethostent_r, gethostent_r(&host_entry, buffer, sizeof buffer, &host_result, &error_number))
CALL(getnetbyname, getnetbyname(host) ? 0 : 1)
CALL(getnetbyname_r,
     getnetbyname_r(host, &net_entry, buffer, sizeof buffer, &net_result, &error_number))
CALL(getnetbyaddr, getnetbyaddr(network, AF_INET) ? 0 : 1)
CALL(getnetbyaddr_r, getnetbyaddr_r(network, AF_INET, &net_entry, buffer, sizeof buffer,
                                    &net_result, &error_number))
CALL(getnetent, getnetent() ? 0 : -1)
CALL(getnetent_r, getnetent_r(&net_entry, buffer, sizeof buffer, &net_result, &error_number))
CALL(gethostid, gethostid() != 0)
CALL(getaliasbyname, getaliasbyname("root") ? 0 : -1)
CALL(getaliasbyname_r, getaliasbyname_r("root", &alias_entry, buffer, sizeof buffer, &alias_result))
CALL(getaliasent, getaliasent() ? 0 : -1)
CALL(getaliasent_r, getaliasent_r(&alias_entry, buffer, sizeof buffer, &alias_result))
CALL(getrpcbyname, getrpcbyname("portmapper") ? 0 : 1)
CALL(getrpcbyname_r, getrpcbyname_r("portmapper", &rpc_entry, buffer, sizeof buffer, &rpc_result))
CALL(getrpcbynumber, getrpcbynumber(100000) ? 0 : 1)
CALL(getrpcbynumber_r, getrpcbynumber_r(100000, &rpc_entry, buffer, sizeof buffer, &rpc_result))
CALL(getrpcent, getrpcent() ? 0 : -1)
CALL(getrpcent_r, getrpcent_r(&rpc_entry, buffer, sizeof buffer, &rpc_result))
CALL(getsgnam, getsgnam("root") ? 0 : -1)
CALL(getsgnam_r, getsgnam_r("root", &sgroup_entry, buffer, sizeof buffer, &sgroup_result))
CALL(getsgent, getsgent() ? 0 : -1)
CALL(getsgent_r, getsgent_r(&sgroup_entry, buffer, sizeof buffer, &sgroup_result))
CALL(setnetgrent, setnetgrent("group"))
CALL(innetgr, innetgr("group", "host", "user", "domain"))
CALL(ether_hostton, ether_hostton(host, &ether) ? 1 : 0)
CALL(ether_ntohost, ether_ntohost(buffer, &ether) ? 1 : 0)
CALL(cuserid, cuserid(buffer) ? 0 : 1)
CALL(wordexp, wordexp(text, &words, 0))
CALL(fgetpwent, fgetpwent(stream) ? 0 : -1)
CALL(fgetpwent_r, fgetpwent_r(stream, &user_entry, buffer, sizeof buffer, &user_result))
CALL(putpwent, putpwent(&user_entry, stream))
CALL(fgetgrent, fgetgrent(stream) ? 0 : -1)
CALL(fgetgrent_r, fgetgrent_r(stream, &group_entry, buffer, sizeof buffer, &group_result))
CALL(putgrent, putgrent(&group_entry, stream))
CALL(fgetspent, fgetspent(stream) ? 0 : -1)
CALL(fgetspent_r, fgetspent_r(stream, &shadow_entry, buffer, sizeof buffer, &shadow_result))
CALL(putspent, putspent(&shadow_entry, stream))
CALL(fgetsgent, fgetsgent(stream) ? 0 : -1)
CALL(fgetsgent_r, fgetsgent_r(stream, &sgroup_entry, buffer, sizeof buffer, &sgroup_result))
CALL(putsgent, putsgent(&sgroup_entry, stream))
CALL(lckpwdf, lckpwdf())
CALL(getpass, getpass("") ? 0 : -1)

#define ROW(symbol)                                                                                \
    {                                                                                              \
#symbol, NULL, call_##symbol, NULL, NULL, NULL, SYS_openat                                 \
    }
#define READ_ROW(symbol)                                                                           \
    {                                                                                              \
#symbol, make_reader, call_##symbol, write_line, make_reader_ready, call_##symbol, 0       \
    }
#define FILE_ROW(symbol)                                                                           \
    {                                                                                              \
#symbol, make_file, call_##symbol, NULL, make_file_ready, call_##symbol, SYS_lseek         \
    }
#define WRITE_ROW(symbol)                                                                          \
    {                                                                                              \
#symbol, make_writer, call_##symbol, drain, make_writer_with_room, call_##symbol, 0        \
    }

static const struct scenario rows[] = {
    ROW(gethostent),
    ROW(gethostent_r),
    ROW(getnetbyname),
    ROW(getnetbyname_r),
    ROW(getnetbyaddr),
    ROW(getnetbyaddr_r),
    ROW(getnetent),
    ROW(getnetent_r),
    ROW(gethostid),
    ROW(getaliasbyname),
    ROW(getaliasbyname_r),
    ROW(getaliasent),
    ROW(getaliasent_r),
    ROW(getrpcbyname),
    ROW(getrpcbyname_r),
    ROW(getrpcbynumber),
    ROW(getrpcbynumber_r),
    ROW(getrpcent),
    ROW(getrpcent_r),
    ROW(getsgnam),
    ROW(getsgnam_r),
    ROW(getsgent),
    ROW(getsgent_r),
    ROW(setnetgrent),
    ROW(innetgr),
    ROW(ether_hostton),
    ROW(ether_ntohost),
    ROW(cuserid),
    {"wordexp", NULL, call_wordexp, NULL, use_plain_words, call_wordexp, SYS_openat},
    FILE_ROW(fgetpwent),
    READ_ROW(fgetpwent_r),
    WRITE_ROW(putpwent),
    FILE_ROW(fgetgrent),
    READ_ROW(fgetgrent_r),
    WRITE_ROW(putgrent),
    FILE_ROW(fgetspent),
    READ_ROW(fgetspent_r),
    WRITE_ROW(putspent),
    FILE_ROW(fgetsgent),
    READ_ROW(fgetsgent_r),
    WRITE_ROW(putsgent),
    {"lckpwdf", unlock_at_the_end, call_lckpwdf, NULL, NULL, NULL, SYS_openat},
    {"getpass", leave_terminal, call_getpass, NULL, NULL, NULL, SYS_openat},
    {"_flushlbf", make_line_waiting, call__flushlbf, NULL, NULL, NULL, SYS_write},
};

SCENARIO_MAIN(rows)
