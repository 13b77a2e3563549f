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

/* What a call works on; the subject of the call is one word that leads to it. */
enum lh_subject {
    LH_SUBJECT_NONE,        /* nothing that could be named */
    LH_SUBJECT_FD,          /* a file descriptor */
    LH_SUBJECT_TWO_FDS,     /* LH_TWO_FDS(to, from): the one that it waits for */
    LH_SUBJECT_CONNECT,     /* const struct lh_connecting *: a descriptor and where it goes */
    LH_SUBJECT_STREAM,      /* FILE *: its descriptor */
    LH_SUBJECT_PATH,        /* const char *: a file name */
    LH_SUBJECT_HOST,        /* const char *: a host name */
    LH_SUBJECT_ADDRESS,     /* const struct lh_address *: a host, by number */
    LH_SUBJECT_CLOSING,     /* const struct lh_closing *: a descriptor that is gone afterwards */
    LH_SUBJECT_LOCK,        /* the address of a condition, semaphore, barrier or spin lock */
    LH_SUBJECT_MUTEX,       /* the address of a mutex */
    LH_SUBJECT_RWLOCK,      /* the address of a read-write lock */
    LH_SUBJECT_PID,         /* a child's pid */
    LH_SUBJECT_NANOSECONDS, /* requested time, by value; negative: for ever */
    LH_SUBJECT_TIMESPEC,    /* const struct timespec *: a relative time; NULL: for ever */
    LH_SUBJECT_DEADLINE,    /* const struct lh_sleeping *: a relative or an absolute time */
};

/* One number for each row that can be reported, dense from 0. */
enum lh_call {
#define CALL(symbol, canonical, ...) LH_CALL_##symbol,
#include "calls.def"
    LH_CALL_COUNT
};

struct lh_call_info {
    const char *symbol;    /* the libc name that is interposed: __read_chk, realpath@GLIBC_2.2.5 */
    const char *canonical; /* the name that is reported: read */
    enum lh_group group;
    enum lh_subject subject;
    const char *strict; /* when it counts in strict mode, in words */
};

/* `call` must be below LH_CALL_COUNT. */
const struct lh_call_info *lh_call_info(uint32_t call);

/* "sleep", "network", … as printed and as typed in LOOPHOUND_CALLS. */
const char *lh_group_name(enum lh_group group);

#endif
