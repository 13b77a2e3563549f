/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of all options. Runs in the library's constructor, and in the command: no malloc, no
 * stdio, no locale (so no strtod). */
#include "common/options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/un.h>

#include "common/number.h"
#include "common/text.h"
#include "common/units.h"

#define RATE_MAX 1000000u

/* Of LOOPHOUND_OUTPUT_LIMIT, in bytes a second. */
#define LIMIT_LEAST (1ULL << 10)
#define LIMIT_MAX   (1ULL << 40)

/* What a value of each type looks like, for people. */
static const char expected_duration[] = "a duration such as 100ms, 2s or 500us";
static const char expected_switch[] = "on or off";
static const char expected_signal[] =
    "none, or a signal by its name or number such as URG, USR2 or 40";
static const char expected_action[] = "log, abort, or signal: with a signal by its name or number "
                                      "such as signal:USR1, signal:TRAP or signal:40";
static const char expected_loop[] = "auto, main, none, or globs of thread names such as io-*,Main*";
static const char expected_calls[] = "groups or calls that `loophound calls` lists, with + or - in "
                                     "front, such as all,-file,+fsync";
static const char expected_noise[] = "auto, tests or none, and names with + or - in front, of: "
#define NAME_OF_ALWAYS(name)
#define NAME_OF_STRICT(name)            " " name
#define NAME_OF_TESTS(name)             " " name
#define NAME_OF_ASKED(name)             " " name
#define NOISE(id, name, when, key, doc) NAME_OF_##when(name)
#include "noise.def"
    ;
static const char expected_output[] = "stderr, fd:N, unix:PATH or a path";
static const char expected_format[] = "auto, text or json";
static const char expected_stack[] = "a number of frames from 0 to 256, or full";
static const char expected_places[] = "once or each";
static const char expected_stacks[] = "auto, inline or once";
static const char expected_bytes[] = "a size from 4K to 256K";
static const char expected_rate[] = "a number per s, min or h such as 60/min, or off";
static const char expected_limit[] = "bytes per second such as 10MiB/s or 64KiB/s, or off";
static const char expected_path[] = "auto, none or a path";
static const char expected_follow[] = "on, off, or a glob of executables such as *python3*";

static const char expected_project[] =
    "auto, or globs of files such as app/*,*/site-packages/ours/*";

static const char expected_service[] = "auto, or a name of at most 127 bytes";

static const char expected_files[] =
    "none, or files of rules, separated by colons, of 1023 bytes in all at most";

static const char expected_text[] = "none, or rules such as call:flock, of 1023 bytes at most";

static const char expected_file[] = "none, or the file of a baseline";

static const char expected_shorter[] = "a duration of at most an hour (3600s)";

/* Where the parser of each option puts its result: a field where the type is that of one field, the
 * options where it fills several. */
#define INTO_THRESHOLD(options)    (&(options)->threshold_ns)
#define INTO_STRICT(options)       (&(options)->strict)
#define INTO_STALL(options)        (&(options)->stall)
#define INTO_SIGNAL(options)       (&(options)->signal)
#define INTO_ACTION(options)       (options)
#define INTO_LOOP(options)         (options)
#define INTO_CALLS(options)        ((options)->calls)
#define INTO_NOISE(options)        (&(options)->noise)
#define INTO_PLACES(options)       (&(options)->places)
#define INTO_OUTPUT(options)       (options)
#define INTO_OUTPUT_LIMIT(options) (&(options)->output_limit)
#define INTO_FORMAT(options)       (&(options)->format)
#define INTO_STACK(options)        (options)
#define INTO_STACKS(options)       (&(options)->stacks)
#define INTO_STACK_BYTES(options)  (&(options)->stack_bytes)
#define INTO_PROJECT(options)      ((options)->project)
#define INTO_SERVICE(options)      ((options)->service)
#define INTO_SUPPRESS(options)     ((options)->suppress)
#define INTO_ALLOW(options)        ((options)->allow)
#define INTO_BASELINE(options)     ((options)->baseline)
#define INTO_RATE(options)         (options)
#define INTO_COLLECTOR(options)    (options)
#define INTO_FOLLOW(options)       (options)

static const struct lh_option_info infos[LH_OPTION_COUNT] = {
#define OPTION(id, type, ...) [LH_OPTION_##id] = {#id, "LOOPHOUND_" #id, __VA_ARGS__},
#include "options.def"
};

/* A word and the number it stands for; tables of them end in NULL. */
struct word {
    const char *text;
    int number;
};

/* Returns the number, or -EINVAL. */
static int find_word(const struct word *words, const char *text)
{
    for (; words->text != NULL; words++)
        if (strcmp(words->text, text) == 0)
            return words->number;
    return -EINVAL;
}

/* The whole text is one number of at most `most`. */
static int whole_number(const char *text, uint64_t most, uint64_t *number)
{
    const char *end = lh_number_read(text, most, number);
    return end != NULL && *end == '\0' ? 0 : -EINVAL;
}

static int parse_duration(const char *text, uint64_t *result_ns)
{
    return lh_duration_read(text, result_ns);
}

static int parse_switch(const char *text, uint8_t *result)
{
    static const struct word words[] = {{"on", 1},    {"off", 0}, {"1", 1},  {"0", 0}, {"true", 1},
                                        {"false", 0}, {"yes", 1}, {"no", 0}, {NULL, 0}};
    int number = find_word(words, text);
    if (number < 0)
        return number;
    *result = (uint8_t)number;
    return 0;
}

/* A signal of these words, with or without SIG in front, or a real-time one by its number. Returns
 * its number, or -EINVAL. */
static int find_signal(const struct word *words, const char *text)
{
    uint64_t number;
    int named = find_word(words, lh_starts_with(text, "SIG") ? text + 3 : text);
    if (named >= 0)
        return named;
    if (whole_number(text, LH_SIGNAL_MAX, &number) != 0 || number < LH_SIGNAL_MIN)
        return -EINVAL;
    return (int)number;
}

/* Those by which nothing else of the program is told: not the ones that stop, kill or report
 * faults. */
static int parse_signal(const char *text, uint8_t *result)
{
    static const struct word words[] = {
        {"none", 0},           {"URG", SIGURG}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
        {"PROF", SIGPROF},     {"IO", SIGIO},   {"PWR", SIGPWR},   {"WINCH", SIGWINCH},
        {"STKFLT", SIGSTKFLT}, {NULL, 0}};
    int number = find_signal(words, text);
    if (number < 0)
        return number;
    *result = (uint8_t)number;
    return 0;
}

static int parse_loop(const char *text, struct lh_options *options)
{
    static const struct word words[] = {
        {"auto", LH_LOOP_AUTO}, {"main", LH_LOOP_MAIN}, {"none", LH_LOOP_NONE}, {NULL, 0}};
    int mode = find_word(words, text);
    if (mode < 0) {
        if (!lh_text_copy(options->loop_globs, sizeof(options->loop_globs), text))
            return -EINVAL;
        mode = LH_LOOP_GLOBS;
    }
    options->loop_mode = (uint8_t)mode;
    return 0;
}

static int parse_calls(const char *text, uint8_t *calls)
{
    return lh_calls_parse(text, calls);
}

static int parse_noise(const char *text, lh_noise_set *noise)
{
    return lh_noise_parse(text, noise);
}

/* What follows `prefix` in `text`, or NULL. */
static const char *after(const char *text, const char *prefix)
{
    return lh_starts_with(text, prefix) ? text + strlen(prefix) : NULL;
}

/* Those that end, stop or tell a program: not the ones by which the kernel reports faults and
 * events, nor KILL, which leaves nothing to look at. */
static int parse_action(const char *text, struct lh_options *options)
{
    static const struct word words[] = {{"ABRT", SIGABRT}, {"TRAP", SIGTRAP}, {"USR1", SIGUSR1},
                                        {"USR2", SIGUSR2}, {"INT", SIGINT},   {"TERM", SIGTERM},
                                        {"QUIT", SIGQUIT}, {"STOP", SIGSTOP}, {NULL, 0}};
    static const struct word actions[] = {
        {"log", LH_ACTION_LOG}, {"abort", LH_ACTION_ABORT}, {NULL, 0}};
    int number = 0;
    int action = find_word(actions, text);
    const char *name = after(text, "signal:");
    if (name != NULL) {
        action = LH_ACTION_SIGNAL;
        number = find_signal(words, name);
    }
    if (number < 0 || action < 0)
        return -EINVAL;
    options->action = (uint8_t)action;
    options->action_signal = (uint8_t)number;
    return 0;
}

static int parse_output(const char *text, struct lh_options *options)
{
    uint64_t fd;
    const char *number = after(text, "fd:");
    const char *socket = after(text, "unix:");
    size_t size = sizeof(options->output);
    if (strcmp(text, "stderr") == 0) {
        options->output_kind = LH_OUTPUT_STDERR;
    } else if (number != NULL) {
        if (whole_number(number, INT32_MAX, &fd) != 0)
            return -EINVAL;
        options->output_fd = (int32_t)fd;
        options->output_kind = LH_OUTPUT_FD;
    } else if (socket != NULL) {
        size = sizeof(((struct sockaddr_un *)NULL)->sun_path);
        if (!lh_text_copy(options->output, size, socket))
            return -EINVAL;
        options->output_kind = LH_OUTPUT_UNIX;
    } else {
        if (!lh_text_copy(options->output, size, text))
            return -EINVAL;
        options->output_kind = LH_OUTPUT_PATH;
    }
    return 0;
}

static int parse_format(const char *text, uint8_t *result)
{
    static const struct word words[] = {
        {"auto", LH_FORMAT_AUTO}, {"text", LH_FORMAT_TEXT}, {"json", LH_FORMAT_JSON}, {NULL, 0}};
    int format = find_word(words, text);
    if (format < 0)
        return format;
    *result = (uint8_t)format;
    return 0;
}

static int parse_stacks(const char *text, uint8_t *result)
{
    static const struct word words[] = {{"auto", LH_STACKS_AUTO},
                                        {"inline", LH_STACKS_INLINE},
                                        {"once", LH_STACKS_ONCE},
                                        {NULL, 0}};
    int form = find_word(words, text);
    if (form < 0)
        return form;
    *result = (uint8_t)form;
    return 0;
}

static int parse_places(const char *text, uint8_t *result)
{
    static const struct word words[] = {
        {"once", LH_PLACES_ONCE}, {"each", LH_PLACES_EACH}, {NULL, 0}};
    int places = find_word(words, text);
    if (places < 0)
        return places;
    *result = (uint8_t)places;
    return 0;
}

static int parse_stack(const char *text, struct lh_options *options)
{
    uint64_t frames = LH_STACK_FRAMES_MAX;
    bool full = strcmp(text, "full") == 0;
    if (!full && whole_number(text, LH_STACK_FRAMES_MAX, &frames) != 0)
        return -EINVAL;
    options->stack_frames = (uint32_t)frames;
    options->stack_full = full;
    return 0;
}

static int parse_bytes(const char *text, uint32_t *result)
{
    uint64_t bytes;
    const char *end = lh_size_read(text, LH_STACK_BYTES, &bytes);
    if (end == NULL || *end != '\0' || bytes < LH_STACK_BYTES_LEAST ||
        bytes % sizeof(uint64_t) != 0)
        return -EINVAL;
    *result = (uint32_t)bytes;
    return 0;
}

static int parse_limit(const char *text, uint64_t *result)
{
    uint64_t bytes = 0;
    if (strcmp(text, "off") != 0) {
        const char *per = lh_size_read(text, LIMIT_MAX, &bytes);
        if (per == NULL || strcmp(per, "/s") != 0 || bytes < LIMIT_LEAST)
            return -EINVAL;
    }
    *result = bytes;
    return 0;
}

static uint64_t window_ns(const char *per)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } windows[] = {{"/s", LH_NS_PER_S}, {"/min", 60 * LH_NS_PER_S}, {"/h", LH_NS_PER_HOUR}};
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
        if (strcmp(windows[i].text, per) == 0)
            return windows[i].ns;
    return 0;
}

static int parse_rate(const char *text, struct lh_options *options)
{
    uint64_t reports = 0;
    uint64_t ns = 0;
    if (strcmp(text, "off") != 0) {
        const char *per = lh_number_read(text, RATE_MAX, &reports);
        ns = per != NULL ? window_ns(per) : 0;
        if (ns == 0 || reports == 0)
            return -EINVAL;
    }
    options->rate_window_ns = ns;
    options->rate_reports = (uint32_t)reports;
    return 0;
}

static int parse_path(const char *text, struct lh_options *options)
{
    static const struct word words[] = {
        {"auto", LH_COLLECTOR_AUTO}, {"none", LH_COLLECTOR_NONE}, {NULL, 0}};
    int mode = find_word(words, text);
    if (mode < 0) {
        if (!lh_text_copy(options->collector, sizeof(options->collector), text))
            return -EINVAL;
        mode = LH_COLLECTOR_PATH;
    }
    options->collector_mode = (uint8_t)mode;
    return 0;
}

/* What `word` stands for is "". */
static int parse_text_or(const char *word, const char *text, char *result, size_t size)
{
    if (strcmp(text, word) == 0) {
        result[0] = '\0';
        return 0;
    }
    return lh_text_copy(result, size, text) ? 0 : -EINVAL;
}

static int parse_project(const char *text, char *project)
{
    return parse_text_or("auto", text, project, sizeof(((struct lh_options *)NULL)->project));
}

static int parse_service(const char *text, char *service)
{
    return parse_text_or("auto", text, service, sizeof(((struct lh_options *)NULL)->service));
}

static int parse_files(const char *text, char *files)
{
    return parse_text_or("none", text, files, sizeof(((struct lh_options *)NULL)->suppress));
}

static int parse_text(const char *text, char *rules)
{
    return parse_text_or("none", text, rules, sizeof(((struct lh_options *)NULL)->allow));
}

static int parse_file(const char *text, char *file)
{
    return parse_text_or("none", text, file, sizeof(((struct lh_options *)NULL)->baseline));
}

static int parse_follow(const char *text, struct lh_options *options)
{
    static const struct word words[] = {{"on", LH_FOLLOW_ON}, {"off", LH_FOLLOW_OFF}, {NULL, 0}};
    int mode = find_word(words, text);
    if (mode < 0) {
        if (!lh_text_copy(options->follow_glob, sizeof(options->follow_glob), text))
            return -EINVAL;
        mode = LH_FOLLOW_GLOB;
    }
    options->follow_mode = (uint8_t)mode;
    options->follow_given = 1;
    return 0;
}

const struct lh_option_info *lh_option_info(enum lh_option option)
{
    return &infos[option];
}

void lh_options_init(struct lh_options *options)
{
    const char *expected;
    memset(options, 0, sizeof(*options));
    for (int option = 0; option < LH_OPTION_COUNT; option++)
        lh_option_set(options, (enum lh_option)option, infos[option].fallback, &expected);
    options->follow_given = 0;
}

int lh_option_set(struct lh_options *options, enum lh_option option, const char *value,
                  const char **expected)
{
    int error = -EINVAL;
    switch (option) {
#define OPTION(name, type, short_flag, long_flag, argument, fallback, doc)                         \
    case LH_OPTION_##name:                                                                         \
        error = parse_##type(value, INTO_##name(options));                                         \
        *expected = expected_##type;                                                               \
        break;
#include "options.def"
    case LH_OPTION_COUNT:
        break;
    }
    if (error == -ERANGE)
        *expected = expected_shorter;
    return error != 0 ? -EINVAL : 0;
}

enum lh_format lh_options_format(const struct lh_options *options)
{
    static const char ending[] = ".jsonl";
    size_t length = strnlen(options->output, sizeof(options->output));
    bool has_path =
        options->output_kind == LH_OUTPUT_PATH || options->output_kind == LH_OUTPUT_UNIX;
    if (options->format != LH_FORMAT_AUTO)
        return (enum lh_format)options->format;
    if (!has_path || length < strlen(ending))
        return LH_FORMAT_TEXT;
    bool ends_so = memcmp(options->output + length - strlen(ending), ending, strlen(ending)) == 0;
    return ends_so ? LH_FORMAT_JSON : LH_FORMAT_TEXT;
}
