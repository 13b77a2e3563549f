/* SPDX-License-Identifier: Apache-2.0 */
/* The call table (src/calls.def) as data: identity, names and meanings of every interposed call. */
#ifndef LH_COMMON_CALLS_H
#define LH_COMMON_CALLS_H

#include <stdint.h>

enum lh_group {
    LH_GROUP_SLEEP,
    LH_GROUP_NETWORK,
    LH_GROUP_DNS,
    LH_GROUP_FILE,
    LH_GROUP_LOCK,
    LH_GROUP_PROCESS,
    LH_GROUP_WAIT,
    LH_GROUP_OTHER,
    LH_GROUP_COUNT
};

/* What a call works on; the operand of a call is one word that leads to it. */
enum lh_operand {
    LH_OPERAND_NONE,        /* nothing that could be named */
    LH_OPERAND_FD,          /* a file descriptor */
    LH_OPERAND_TWO_FDS,     /* LH_TWO_FDS(to, from): the one that it waits for */
    LH_OPERAND_CONNECT,     /* const struct lh_connecting *: a descriptor and where it goes */
    LH_OPERAND_STREAM,      /* FILE *: its descriptor */
    LH_OPERAND_PATH,        /* const char *: a file name */
    LH_OPERAND_HOST,        /* const char *: a host name */
    LH_OPERAND_ADDRESS,     /* const struct lh_address *: a host, by number */
    LH_OPERAND_CLOSING,     /* const struct lh_closing *: a descriptor that is gone afterwards */
    LH_OPERAND_LOCK,        /* the address of a semaphore, barrier or spin lock */
    LH_OPERAND_CONDITION,   /* the address of a condition variable; Python's GIL is one */
    LH_OPERAND_MUTEX,       /* the address of a mutex */
    LH_OPERAND_RWLOCK,      /* the address of a read-write lock */
    LH_OPERAND_FUTEX,       /* the address of a word, by syscall(2): a lock, or anything else */
    LH_OPERAND_THREAD,      /* a pthread_t that is joined */
    LH_OPERAND_PID,         /* a child's pid; negative: any child */
    LH_OPERAND_NANOSECONDS, /* requested time, by value; negative: for ever */
    LH_OPERAND_TIMESPEC,    /* const struct timespec *: a relative time; NULL: for ever */
    LH_OPERAND_DEADLINE,    /* const struct lh_sleeping *: a relative or an absolute time */
    LH_OPERAND_WAITING,     /* const struct lh_waiting *: descriptors, and a time-out */
};

/* Calls are known by number, dense from 0: common/call_ids.h has the numbers for who means certain
 * calls. What only keeps account of any has room for so many, whatever rows the table gets. */
#define LH_CALLS_MAX 1024u

struct lh_call_info {
    const char *symbol;    /* the libc name that is interposed: __read_chk, realpath@GLIBC_2.2.5 */
    const char *canonical; /* the name that is reported: read */
    enum lh_group group;
    enum lh_operand operand;
    const char *strict; /* when it counts in strict mode, in words */
};

/* How many there are; at most LH_CALLS_MAX. */
uint32_t lh_call_count(void);

/* `call` must be below lh_call_count(). */
const struct lh_call_info *lh_call_info(uint32_t call);

/* "sleep", "network", … as printed and as typed in LOOPHOUND_CALLS. */
const char *lh_group_name(enum lh_group group);

#endif
