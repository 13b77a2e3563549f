/* SPDX-License-Identifier: Apache-2.0 */
/* The options in force, as plain data, and the one parser of them.
 *
 * Used by the library inside the program and by the command: no malloc, no stdio, no locale. */
#ifndef LH_COMMON_OPTIONS_H
#define LH_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/calls.h"
#include "common/noise.h"

enum lh_option {
#define OPTION(name, type, short_flag, long_flag, argument, fallback, doc) LH_OPTION_##name,
#include "options.def"
    LH_OPTION_COUNT
};

/* One row of src/options.def, for help and documentation. */
struct lh_option_info {
    const char *name;      /* without the LOOPHOUND_ prefix */
    const char *env;       /* with it */
    char short_flag;       /* 0: none */
    const char *long_flag; /* NULL: environment only */
    const char *argument;  /* NULL: a switch */
    const char *fallback;  /* the default, in the user's notation */
    const char *doc;
};

enum lh_action { LH_ACTION_LOG, LH_ACTION_ABORT, LH_ACTION_SIGNAL };
enum lh_loop_mode { LH_LOOP_AUTO, LH_LOOP_MAIN, LH_LOOP_NONE, LH_LOOP_GLOBS };
enum lh_format { LH_FORMAT_AUTO, LH_FORMAT_TEXT, LH_FORMAT_JSON };
enum lh_stacks_form { LH_STACKS_AUTO, LH_STACKS_INLINE, LH_STACKS_ONCE };
enum lh_output_kind { LH_OUTPUT_STDERR, LH_OUTPUT_FD, LH_OUTPUT_PATH, LH_OUTPUT_UNIX };
enum lh_follow_mode { LH_FOLLOW_ON, LH_FOLLOW_OFF, LH_FOLLOW_GLOB };
enum lh_places { LH_PLACES_ONCE, LH_PLACES_EACH };
enum lh_collector_mode { LH_COLLECTOR_AUTO, LH_COLLECTOR_NONE, LH_COLLECTOR_PATH };

/* Signals given by number: the real-time ones that glibc does not keep for itself (signal(7)). */
#define LH_SIGNAL_MIN 34
#define LH_SIGNAL_MAX 64

#define LH_STACK_FRAMES_MAX 256 /* what LOOPHOUND_STACK=full stands for, and the default */

/* How much of a stack may be copied, in bytes. */
#define LH_STACK_BYTES_LEAST 4096u
#define LH_STACK_BYTES       262144u

/* Bits of lh_options.calls[]: is this call reported when it is of that group? The group may depend
 * on the descriptor: read and poll of a socket belong to the network. */
#define LH_CALL_ON_AS(group) ((uint8_t)(1u << (group)))
#define LH_CALL_ON           UINT8_MAX /* as any */

struct lh_options {
    uint64_t threshold_ns;
    uint64_t rate_window_ns; /* rate_reports full reports in each such window; 0: no limit */
    uint64_t output_limit;   /* bytes a second to an output; 0: no limit */
    uint32_t rate_reports;
    lh_noise_set noise;     /* classes of noise that are on, in strict mode */
    uint32_t stack_frames;  /* most frames; 0: none */
    uint32_t stack_bytes;   /* most that is copied of a stack */
    int32_t output_fd;      /* with LH_OUTPUT_FD */
    uint8_t strict;         /* 0 or 1 */
    uint8_t places;         /* enum lh_places */
    uint8_t stall;          /* 0 or 1 */
    uint8_t signal;         /* number of the sampling signal; 0: none */
    uint8_t action;         /* enum lh_action */
    uint8_t action_signal;  /* its number, with LH_ACTION_SIGNAL */
    uint8_t stack_full;     /* 1: nothing is folded in text */
    uint8_t loop_mode;      /* enum lh_loop_mode */
    uint8_t format;         /* enum lh_format */
    uint8_t stacks;         /* enum lh_stacks_form */
    uint8_t output_kind;    /* enum lh_output_kind */
    uint8_t follow_mode;    /* enum lh_follow_mode */
    uint8_t follow_given;   /* 0: follow_mode is the default */
    uint8_t collector_mode; /* enum lh_collector_mode */
    uint8_t calls[LH_CALLS_MAX];
    char loop_globs[256];  /* comma-separated, with LH_LOOP_GLOBS */
    char follow_glob[256]; /* with LH_FOLLOW_GLOB */
    char project[256];     /* comma-separated globs; "": by src/frames.def */
    char service[128];     /* "": it has no name */
    char output[1024];     /* path or socket path, unexpanded */
    char collector[1024];  /* with LH_COLLECTOR_PATH */
    char suppress[1024];   /* files of rules, separated by colons; "": none */
    char allow[1024];      /* rules */
    char baseline[1024];   /* a file of rules */
};

const struct lh_option_info *lh_option_info(enum lh_option option);

/* Fills in every default of the table. */
void lh_options_init(struct lh_options *options);

/* Sets one option from its text. Any thread, but `options` is its own. Returns 0, or -EINVAL and
 * leaves `options` as it was; then *expected says what a value looks like ("a duration such as
 * 100ms, 2s or 500us"). */
int lh_option_set(struct lh_options *options, enum lh_option option, const char *value,
                  const char **expected);

/* Formats the one line about a bad value, which the library says of the environment and the command
 * of its flags:
 *   loophound: LOOPHOUND_THRESHOLD=abc: expected a duration such as 100ms, 2s or 500us; using 100ms
 * `what` is the variable or flag as the user typed it; `now` is what happens instead ("using
 * 100ms", "nothing started"). The line ends in a newline and a NUL, also where it had to be cut
 * (`size` is at least 2; LH_OPTION_PROBLEM_BYTES hold any line of ours). Returns its length without
 * the NUL. */
#define LH_OPTION_PROBLEM_BYTES 512
size_t lh_option_problem(char *buf, size_t size, const char *what, const char *value,
                         const char *expected, const char *now);

/* Strict mode that tells a place once: then nothing is left out. */
static inline bool lh_options_tell_once(const struct lh_options *options)
{
    return options->strict != 0 && options->places == LH_PLACES_ONCE;
}

/* LH_FORMAT_TEXT or LH_FORMAT_JSON: resolves LH_FORMAT_AUTO by the output. */
enum lh_format lh_options_format(const struct lh_options *options);

/* The bits of lh_options.calls[] for a list such as "all,-file,+fsync". Returns 0 or -EINVAL; then
 * `calls` is as it was.
 *
 * Its items are taken in order: `-name` takes away, `+name` and `name` add. A list that begins with
 * `-` begins with all calls ("-file": all but files), any other with none ("file" and "+file":
 * files alone). A name is `all`, a group, or a call by its canonical name (with all its variants:
 * open is open64 too) or by its symbol (open64 alone). Where a group and a call share a name, as
 * sleep, it means the group. `network` also means read and write on a socket; a call's name means
 * it on any descriptor. */
int lh_calls_parse(const char *list, uint8_t calls[LH_CALLS_MAX]);

/* Does `text` match this glob (*, ?, no classes), which has no NUL? */
bool lh_glob_match(const char *glob, size_t length, const char *text);

/* Does `text` match one of the comma-separated globs (*, ?, no classes)? */
bool lh_glob_list_match(const char *globs, const char *text);

/* The same for whole components of a path, from the right: `app*.py` is /srv/shop/app/views.py.
 * False where `path` is NULL. */
bool lh_glob_path_match(const char *globs, const char *path);

#endif
