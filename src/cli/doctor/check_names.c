/* SPDX-License-Identifier: Apache-2.0 */
/* Will functions have names? Python's, those of other runtimes, and native ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/known_pythons.h"
#include "cli/doctor/known_v8s.h"
#include "cli/doctor/shell_script.h"
#include "collect/stack/runtimes.h"
#include "common/options.h"
#include "common/text.h"

static const struct runtime_flag {
    const char *name;
    const char *modules;
    const char *word;
    const char *variable;
} runtime_flags[] = {
#define RUNTIME_FLAG(name, modules, word, variable) {name, modules, word, variable},
#include "cli/doctor/runtime_flags.def"
};

/* A virtual environment has its own bin/, with a file above it: PEP 405. */
static bool is_in_venv(const char *program)
{
    char path[PATH_MAX + 32];
    int length = (int)(lh_base_name(program) - program);
    snprintf(path, sizeof(path), "%.*s../pyvenv.cfg", length, program);
    return length > 0 && access(path, R_OK) == 0;
}

static const char *last_path(const struct lh_subject *subject)
{
    return subject->step_count > 0 ? subject->steps[subject->step_count - 1].path
                                   : subject->program.program;
}

void lh_check_python(const struct lh_subject *subject, struct lh_findings *findings)
{
    char version[32];
    char range[32];
    uint32_t hex = subject->facts.python_version;
    bool has_library = lh_program_library(&subject->facts, "libpython3.*") != NULL;
    if (!subject->facts.defines_python && !has_library)
        return;
    lh_python_text(hex, version, sizeof(version));
    lh_python_range(range, sizeof(range));
    if (hex == 0) {
        lh_find(findings, LH_WARN, "a Python whose version is not told by its file; known: %s",
                range);
    } else if (lh_python_is_known(hex)) {
        lh_find(findings, LH_OK, "Python %s%s: its lines, functions, tasks and threads are told",
                version, is_in_venv(last_path(subject)) ? " of a venv" : "");
    } else {
        lh_find(findings, LH_MISS, "Python %s: no Python lines, the known versions are %s", version,
                range);
        lh_find_todo(findings, "run it by one of these, or get a newer loophound");
    }
}

static const struct runtime_flag *flag_of(const char *name)
{
    for (size_t i = 0; i < sizeof(runtime_flags) / sizeof(runtime_flags[0]); i++)
        if (strcmp(runtime_flags[i].name, name) == 0)
            return &runtime_flags[i];
    return NULL;
}

/* By which file a program is of a runtime. */
struct found {
    const struct lh_runtime *runtime; /* NULL: of none that is known, or native code alone */
    const char *file;
    bool
        own; /* it is that of a language, and does not only have one in it, as nginx may have Lua */
};

static bool find_file(const struct lh_subject *subject, const struct runtime_flag *flag,
                      struct found *found)
{
    static char real[PATH_MAX];
    const char *more = flag != NULL && flag->modules != NULL ? flag->modules : "";
    if (realpath(subject->program.program, real) == NULL)
        (void)lh_text_copy(real, sizeof(real), subject->program.program);
    found->file = real;
    found->own =
        lh_runtime_has(found->runtime, real) || lh_glob_list_match(more, lh_base_name(real));
    if (found->own)
        return true;
    found->file = lh_program_library(&subject->facts, more);
    found->own = found->file != NULL;
    if (!found->own)
        found->file = lh_program_library(&subject->facts, found->runtime->modules);
    return found->file != NULL;
}

static bool has_flag(const struct lh_subject *subject, const struct runtime_flag *flag)
{
    if (flag == NULL || flag->word == NULL)
        return false;
    const char *value =
        flag->variable != NULL ? lh_subject_variable(subject, flag->variable) : NULL;
    bool in_words = strlen(flag->word) > 1 && lh_subject_has_word(subject, flag->word);
    return in_words || (value != NULL && strstr(value, flag->word) != NULL);
}

static bool has_map(const struct lh_subject *subject)
{
    char path[48];
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)subject->pid);
    return subject->pid != 0 && access(path, R_OK) == 0;
}

static struct found find_runtime(const struct lh_subject *subject)
{
    struct found found = {.runtime = NULL};
    for (uint32_t i = 0; i < LH_RUNTIMES; i++) {
        found.runtime = &lh_runtimes[i];
        if (find_file(subject, flag_of(lh_runtimes[i].name), &found))
            return found;
    }
    return (struct found){.runtime = NULL};
}

/* The sentence of the table says what is missing, or what to type, or both. */
static void say_nameless(const char *name, const char *sentence, struct lh_findings *findings)
{
    static const char split[] = "no names here: ";
    const char *both = strstr(sentence, split);
    const char *todo = both != NULL ? both + strlen(split) : sentence;
    bool only_missing = both == NULL && strstr(sentence, "no names here") != NULL;
    lh_find(findings, LH_MISS, "%s: %s; calls, files, peers and native functions are told", name,
            only_missing ? sentence : "functions written for it have no names");
    if (!only_missing)
        lh_find_todo(findings, "%s", todo);
}

/* V8's frames are read without a flag. Returns whether there is no more to say. */
static bool check_v8(const char *name, uint32_t version, struct lh_findings *findings)
{
    bool known = lh_v8_is_known(version);
    if (known)
        lh_find(findings, LH_OK, "%s (V8 %u.%u): JavaScript functions, files and lines are told",
                name, version / 100, version % 100);
    return known;
}

void lh_check_runtime(const struct lh_subject *subject, struct lh_findings *findings)
{
    char version[32] = "";
    char name[64];
    struct found found = find_runtime(subject);
    const struct lh_runtime *runtime = found.runtime;
    if (runtime == NULL || subject->missing != NULL)
        return;
    bool known = lh_runtime_version(runtime, found.file, version, sizeof(version));
    snprintf(name, sizeof(name), "%s%s%s", runtime->name, known ? " " : "", known ? version : "");
    if (check_v8(name, subject->facts.v8_version, findings))
        return;
    if (has_map(subject)) {
        lh_find(findings, LH_OK, "%s: names are read from /tmp/perf-%d.map", name,
                (int)subject->pid);
    } else if (has_flag(subject, flag_of(runtime->name))) {
        lh_find(findings, LH_OK, "%s writes a map of its functions: they have names", name);
    } else {
        say_nameless(name, runtime->sentence, findings);
    }
}

/* Its functions are not the user's. */
static bool is_interpreter(const struct lh_subject *subject)
{
    return subject->facts.python_version != 0 || subject->facts.defines_python ||
           lh_is_shell(subject->program.program) || find_runtime(subject).own;
}

void lh_check_symbols(const struct lh_subject *subject, struct lh_findings *findings)
{
    const struct lh_program *facts = &subject->facts;
    if (!facts->is_elf || subject->program.kind != LH_COMMAND_WATCHABLE || is_interpreter(subject))
        return;
    if (facts->has_lines || facts->has_debug_file) {
        lh_find(findings, LH_OK, "its functions have names and lines (%s)",
                facts->has_lines ? "built with -g" : "a debug file is installed");
    } else if (facts->has_symbols) {
        lh_find(findings, LH_WARN, "its functions have names and no lines: no debug information");
        lh_find_todo(findings, "build it with -g, or install its debug symbols");
    } else {
        lh_find(findings, LH_WARN, "it is stripped: only functions that it exports have names%s",
                facts->build_id[0] == '\0' ? ", and it has no build-id to find a debug file by"
                                           : "");
        lh_find_todo(findings,
                     "install its debug symbols, or later: loophound report --symbols DIR");
    }
    if (!facts->has_unwind_table) {
        lh_find(findings, LH_MISS, "it has no unwind table (.eh_frame_hdr): stacks end in it");
        lh_find_todo(findings, "build it without -fno-asynchronous-unwind-tables");
    }
}
