/* Events as JSON Lines, version 1: the one place that knows the format.
 *
 * Used by the collector, and by the watchdog where no collector can be had (raw lines). No malloc,
 * no stdio, no locale, no thread-local storage. */
#ifndef LH_COMMON_EVENT_JSON_H
#define LH_COMMON_EVENT_JSON_H

#include "common/json.h"
#include "common/ring.h"

enum lh_lang { LH_LANG_PYTHON, LH_LANG_NATIVE, LH_LANG_JIT };
#define LH_LANG_COUNT (LH_LANG_JIT + 1)

/* "python". */
const char *lh_lang_name(enum lh_lang lang);

/* One frame of a stack as it is reported; what is unknown is NULL or 0. */
struct lh_frame {
    enum lh_lang lang;
    const char *function;
    const char *file;
    uint32_t line;
    const char *module;   /* path of the ELF file */
    uint64_t offset;      /* address inside the module, as its symbol table counts */
    bool inlined;         /* into the next frame, which has the same address */
    bool user;            /* the first frame of the user's own code */
    bool cut;             /* the last one: what called it was not in the copy of the stack */
    const char *build_id; /* hexadecimal; only where the function is not known */
};

/* Frames that were seen `count` times, each for LH_SAMPLE_NS. */
struct lh_sample {
    uint32_t count;
    uint32_t frame_count;
    const struct lh_frame *frames;
};

/* Each writes one object with its newline. On overflow nothing useful is in the buffer. */
void lh_event_start(struct lh_json *json, const struct lh_ring *ring);
void lh_event_summary(struct lh_json *json, const struct lh_ring *ring, int64_t time_ns);

/* A thread that has what a loop thread waits for. */
struct lh_holder {
    uint32_t tid;
    char thread[LH_THREAD_NAME];
    bool deadlock; /* and waits for that thread in turn */
    bool running;  /* when it was looked at: then it has Python frames at most */
    uint32_t frame_count;
    const struct lh_frame *frames;
};

/* What waited for the loop meanwhile. */
struct lh_victims {
    uint32_t ready;     /* descriptors that the next park found ready at once */
    bool more;          /* there may have been more: it was asked for no more */
    uint64_t waited_ns; /* none of them has waited longer because of this block or stall */
};

/* All there is to say about one record. What there is none of is NULL or 0. */
struct lh_report {
    const struct lh_record *record; /* anything but samples, holders and victims */
    const struct lh_frame *frames;  /* of a block, also of one in flight: innermost first */
    uint32_t frame_count;
    const struct lh_sample *samples; /* of a stall: most seen first */
    uint32_t sample_count;
    const struct lh_holder *holder;
    const struct lh_victims *victims;
};
void lh_event_report(struct lh_json *json, uint32_t pid, const struct lh_report *report);

/* "read" for 0; NULL where it is not one that waits, or not known. */
const char *lh_syscall_name(int32_t number);

/* "ECONNREFUSED" for 111; NULL for 0 and unknown numbers. */
const char *lh_errno_name(int error);

/* Writes a struct in_addr (AF_INET) or in6_addr (AF_INET6) as numbers, terminated, cut where it
 * does not fit; of another family nothing. Returns its length. */
size_t lh_address_text(int family, const void *address, char *text, size_t size);

/* "127.0.0.1:5432", "[::1]:80", "/run/x.sock" or "@abstract" of a socket resource; false: unknown.
 * `size` must be at least 128. */
bool lh_peer_text(const struct lh_resource *resource, char *text, size_t size);

#endif
