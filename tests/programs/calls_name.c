/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups of hosts, users, groups and services: see scenario.h. */
#include <arpa/inet.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <shadow.h>

#include "scenario.h"

static const char *host = "localhost";
static const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {0x0100007f}};
static const struct in_addr loopback = {0x0100007f};
static char buffer[16384], text[NI_MAXHOST];
static struct hostent host_entry, *host_result;
static struct passwd user_entry, *user_result;
static struct group group_entry, *group_result;
static struct servent service_entry, *service_result;
static struct spwd shadow_entry, *shadow_result;
static struct protoent protocol_entry, *protocol_result;
static gid_t groups[64];
static int count = 64, host_error;
static int name_flags;

static void number_host(void)
{
    host = "127.0.0.1";
    name_flags = NI_NUMERICHOST;
}

static long call_getnameinfo(void)
{
    return getnameinfo((const struct sockaddr *)&address, sizeof address, text, sizeof text, NULL,
                       0, name_flags);
}

static long call_gethostbyname(void)
{
    return gethostbyname(host) ? 0 : -1;
}

static long call_gethostbyname_r(void)
{
    return gethostbyname_r(host, &host_entry, buffer, sizeof buffer, &host_result, &host_error);
}

static long call_gethostbyname2(void)
{
    return gethostbyname2(host, AF_INET) ? 0 : -1;
}

static long call_gethostbyname2_r(void)
{
    return gethostbyname2_r(host, AF_INET, &host_entry, buffer, sizeof buffer, &host_result,
                            &host_error);
}

static long call_gethostbyaddr(void)
{
    return gethostbyaddr(&loopback, sizeof loopback, AF_INET) ? 0 : -1;
}

static long call_gethostbyaddr_r(void)
{
    return gethostbyaddr_r(&loopback, sizeof loopback, AF_INET, &host_entry, buffer, sizeof buffer,
                           &host_result, &host_error);
}

static long call_getpwnam(void)
{
    return getpwnam("root") ? 0 : -1;
}

static long call_getpwnam_r(void)
{
    return getpwnam_r("root", &user_entry, buffer, sizeof buffer, &user_result);
}

static long call_getpwuid(void)
{
    return getpwuid(0) ? 0 : -1;
}

static long call_getpwuid_r(void)
{
    return getpwuid_r(0, &user_entry, buffer, sizeof buffer, &user_result);
}

static long call_getgrnam(void)
{
    return getgrnam("root") ? 0 : -1;
}

static long call_getgrnam_r(void)
{
    return getgrnam_r("root", &group_entry, buffer, sizeof buffer, &group_result);
}

static long call_getgrgid(void)
{
    return getgrgid(0) ? 0 : -1;
}

static long call_getgrgid_r(void)
{
    return getgrgid_r(0, &group_entry, buffer, sizeof buffer, &group_result);
}

static long call_getgrouplist(void)
{
    return getgrouplist("root", 0, groups, &count);
}

static long call_initgroups(void)
{
    return initgroups("root", 0);
}

static long call_getservbyname(void)
{
    return getservbyname("http", "tcp") ? 0 : -1;
}

static long call_getservbyname_r(void)
{
    return getservbyname_r("http", "tcp", &service_entry, buffer, sizeof buffer, &service_result);
}

static long call_getservbyport(void)
{
    return getservbyport(htons(80), "tcp") ? 0 : -1;
}

static long call_getservbyport_r(void)
{
    return getservbyport_r(htons(80), "tcp", &service_entry, buffer, sizeof buffer,
                           &service_result);
}

#define CALL(symbol, expression)                                                                   \
    static long call_##symbol(void)                                                                \
    {                                                                                              \
        return (expression);                                                                       \
    }

CALL(getpwent, getpwent() ? 0 : -1)
CALL(getpwent_r, getpwent_r(&user_entry, buffer, sizeof buffer, &user_result))
CALL(getgrent, getgrent() ? 0 : -1)
CALL(getgrent_r, getgrent_r(&group_entry, buffer, sizeof buffer, &group_result))
CALL(getspent, getspent() ? 0 : -1)
CALL(getspent_r, getspent_r(&shadow_entry, buffer, sizeof buffer, &shadow_result))
CALL(getservent, getservent() ? 0 : -1)
CALL(getservent_r, getservent_r(&service_entry, buffer, sizeof buffer, &service_result))
CALL(getprotoent, getprotoent() ? 0 : -1)
CALL(getprotoent_r, getprotoent_r(&protocol_entry, buffer, sizeof buffer, &protocol_result))
CALL(getspnam, getspnam("root") ? 0 : -1)
CALL(getspnam_r, getspnam_r("root", &shadow_entry, buffer, sizeof buffer, &shadow_result))
CALL(getprotobyname, getprotobyname("tcp") ? 0 : -1)
CALL(getprotobyname_r,
     getprotobyname_r("tcp", &protocol_entry, buffer, sizeof buffer, &protocol_result))
CALL(getprotobynumber, getprotobynumber(6) ? 0 : -1)
CALL(getprotobynumber_r,
     getprotobynumber_r(6, &protocol_entry, buffer, sizeof buffer, &protocol_result))

#define ROW(symbol)                                                                                \
    {                                                                                              \
#symbol, NULL, call_##symbol, NULL, NULL, NULL, SYS_openat                                 \
    }

static const struct scenario rows[] = {
    {"getnameinfo", NULL, call_getnameinfo, NULL, number_host, call_getnameinfo, SYS_openat},
    {"gethostbyname", NULL, call_gethostbyname, NULL, number_host, call_gethostbyname, SYS_openat},
    {"gethostbyname_r", NULL, call_gethostbyname_r, NULL, number_host, call_gethostbyname_r,
     SYS_openat},
    {"gethostbyname2", NULL, call_gethostbyname2, NULL, number_host, call_gethostbyname2,
     SYS_openat},
    {"gethostbyname2_r", NULL, call_gethostbyname2_r, NULL, number_host, call_gethostbyname2_r,
     SYS_openat},
    {"gethostbyaddr", NULL, call_gethostbyaddr, NULL, NULL, NULL, SYS_openat},
    {"gethostbyaddr_r", NULL, call_gethostbyaddr_r, NULL, NULL, NULL, SYS_openat},
    {"getpwnam", NULL, call_getpwnam, NULL, NULL, NULL, SYS_openat},
    {"getpwnam_r", NULL, call_getpwnam_r, NULL, NULL, NULL, SYS_openat},
    {"getpwuid", NULL, call_getpwuid, NULL, NULL, NULL, SYS_openat},
    {"getpwuid_r", NULL, call_getpwuid_r, NULL, NULL, NULL, SYS_openat},
    {"getgrnam", NULL, call_getgrnam, NULL, NULL, NULL, SYS_openat},
    {"getgrnam_r", NULL, call_getgrnam_r, NULL, NULL, NULL, SYS_openat},
    {"getgrgid", NULL, call_getgrgid, NULL, NULL, NULL, SYS_openat},
    {"getgrgid_r", NULL, call_getgrgid_r, NULL, NULL, NULL, SYS_openat},
    {"getgrouplist", NULL, call_getgrouplist, NULL, NULL, NULL, SYS_openat},
    {"initgroups", NULL, call_initgroups, NULL, NULL, NULL, SYS_openat},
    {"getservbyname", NULL, call_getservbyname, NULL, NULL, NULL, SYS_openat},
    {"getservbyname_r", NULL, call_getservbyname_r, NULL, NULL, NULL, SYS_openat},
    {"getservbyport", NULL, call_getservbyport, NULL, NULL, NULL, SYS_openat},
    {"getservbyport_r", NULL, call_getservbyport_r, NULL, NULL, NULL, SYS_openat},
    ROW(getpwent),
    ROW(getpwent_r),
    ROW(getgrent),
    ROW(getgrent_r),
    ROW(getspent),
    ROW(getspent_r),
    ROW(getservent),
    ROW(getservent_r),
    ROW(getprotoent),
    ROW(getprotoent_r),
    ROW(getspnam),
    ROW(getspnam_r),
    ROW(getprotobyname),
    ROW(getprotobyname_r),
    ROW(getprotobynumber),
    ROW(getprotobynumber_r),
};

SCENARIO_MAIN(rows)
