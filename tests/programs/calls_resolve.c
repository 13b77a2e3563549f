/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver, spoken to directly, and a name server that takes its time: see scenario.h. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

#include "scenario.h"

static struct __res_state state;
static unsigned char question[512], answer[512];
static int question_size;
static int server;

static void use_server(struct __res_state *resolver, const struct sockaddr_in *address)
{
    resolver->nscount = 1;
    resolver->nsaddr_list[0] = *address;
    resolver->retrans = 10;
    resolver->retry = 1;
    resolver->options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
}

static void make_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(bind(server, (struct sockaddr *)&address, length) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&address, &length) == 0);
    CHECK(res_init() == 0 && res_ninit(&state) == 0);
    use_server(&_res, &address);
    use_server(&state, &address);
    question_size = res_mkquery(QUERY, "localhost", C_IN, T_A, NULL, 0, NULL, question, 512);
    CHECK(question_size > 0);
}

/* "There is no such name" (RFC 1035, 4.1.1), to every question. */
static void answer_all(void)
{
    for (;;) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        unsigned char packet[512];
        ssize_t size =
            recvfrom(server, packet, sizeof packet, 0, (struct sockaddr *)&from, &length);
        CHECK(size > 12);
        packet[2] |= 0x80;
        packet[3] = 0x83;
        CHECK(sendto(server, packet, (size_t)size, 0, (struct sockaddr *)&from, length) == size);
    }
}

#define CALL(symbol, ...)                                                                          \
    static long call_##symbol(void)                                                                \
    {                                                                                              \
        return symbol(__VA_ARGS__, answer, sizeof answer);                                         \
    }

CALL(res_query, "localhost", C_IN, T_A)
CALL(res_search, "localhost", C_IN, T_A)
CALL(res_querydomain, "localhost", "", C_IN, T_A)
CALL(res_send, question, question_size)
CALL(res_nquery, &state, "localhost", C_IN, T_A)
CALL(res_nsearch, &state, "localhost", C_IN, T_A)
CALL(res_nquerydomain, &state, "localhost", "", C_IN, T_A)
CALL(res_nsend, &state, question, question_size)

#define ROW(symbol)                                                                                \
    {                                                                                              \
#symbol, make_server, call_##symbol, answer_all, NULL, NULL, 0                             \
    }

static const struct scenario rows[] = {
    ROW(res_query),  ROW(res_search),  ROW(res_querydomain),  ROW(res_send),
    ROW(res_nquery), ROW(res_nsearch), ROW(res_nquerydomain), ROW(res_nsend),
};

SCENARIO_MAIN(rows)
