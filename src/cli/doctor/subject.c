/* SPDX-License-Identifier: Apache-2.0 */
/* The way from a command to the program that runs in the end. See subject.h.
 *
 * Every file may be anything: of each a bounded part is read, and the way has a bounded length.
 * execve(2) has the rules of scripts, env(1) those of its own. */
#include "cli/doctor/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/shell_script.h"
#include "common/options.h"
#include "common/text.h"

/* Words that we put together. */
struct words {
    char *list[LH_WORDS_MAX + 1];
    uint32_t count;
};

static void add_word(struct words *words, char *word)
{
    if (word != NULL && words->count < LH_WORDS_MAX)
        words->list[words->count++] = word;
}

static void add_words(struct words *words, char **more)
{
    while (*more != NULL)
        add_word(words, *more++);
}

/* Takes a line apart at its blanks; it is changed. */
static void add_line(struct words *words, char *line)
{
    char *rest;
    for (char *word = strtok_r(line, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest))
        add_word(words, word);
}

/* Memory of malloc(3) that lh_subject_free() frees. NULL: there is none, or no room to note it. */
static void *keep(struct lh_subject *subject, void *memory)
{
    if (memory == NULL || subject->kept_count < LH_SUBJECT_KEPT) {
        subject->kept[subject->kept_count] = memory;
        subject->kept_count += memory != NULL;
        return memory;
    }
    free(memory);
    return NULL;
}

static char **new_words(struct lh_subject *subject, const struct words *words)
{
    char **copy = keep(subject, calloc(words->count + 1, sizeof(*copy)));
    for (uint32_t i = 0; copy != NULL && i < words->count; i++)
        copy[i] = words->list[i];
    return copy;
}

/* Why execvp(3) would fail: a positive errno. */
static int error_of(const char *name)
{
    struct stat status;
    if (strchr(name, '/') == NULL)
        return ENOENT;
    if (stat(name, &status) != 0)
        return errno;
    return S_ISDIR(status.st_mode) ? EISDIR : EACCES;
}

static void take_env(struct lh_subject *subject, struct lh_step *step, char **words, char **command)
{
    for (char **word = words + 1; *word != NULL && word != command; word++) {
        bool given = strchr(*word, '=') != NULL && (*word)[0] != '-';
        bool unset = strcmp(*word, "-u") == 0 && word[1] != NULL && word + 1 != command &&
                     strcmp(word[1], "LD_PRELOAD") == 0;
        if (unset || strcmp(*word, "-") == 0 || strcmp(*word, "-i") == 0 ||
            strcmp(*word, "--ignore-environment") == 0 ||
            strcmp(*word, "--unset=LD_PRELOAD") == 0 || strcmp(*word, "-uLD_PRELOAD") == 0)
            step->unset_preload = true;
        if (given && subject->given_count < sizeof(subject->given) / sizeof(subject->given[0]))
            subject->given[subject->given_count++] = *word;
    }
}

/* env -S "python3 -u": as words of their own. */
static char **split_of_env(struct lh_subject *subject, char **words)
{
    struct words split = {.count = 0};
    char *line = NULL;
    if (words[1] != NULL && strncmp(words[1], "-S", 2) == 0)
        line = words[1][2] != '\0' ? words[1] + 2 : words[2];
    if (line == NULL)
        return words;
    char *copy = keep(subject, strdup(line));
    char **behind = words + (words[1][2] != '\0' ? 2 : 3);
    if (copy == NULL)
        return words;
    add_word(&split, words[0]);
    add_line(&split, copy);
    add_words(&split, behind);
    char **made = new_words(subject, &split);
    return made != NULL ? made : words;
}

/* "#! /path/interpreter argument" SCRIPT ARGUMENT... */
static char **words_of_script(struct lh_subject *subject, const struct lh_interpreter *interpreter,
                              char *script, char **words)
{
    struct words made = {.count = 0};
    add_word(&made, keep(subject, strdup(interpreter->path)));
    if (interpreter->argument[0] != '\0')
        add_word(&made, keep(subject, strdup(interpreter->argument)));
    add_word(&made, script);
    add_words(&made, words + 1);
    return made.list[0] != script ? new_words(subject, &made) : NULL;
}

/* The words of the script in the place of "$@"; quotes around a word are taken off. */
static void expand(struct words *made, char *word, char **words)
{
    size_t length = strlen(word);
    if (strcmp(word, "$@") == 0 || strcmp(word, "\"$@\"") == 0) {
        add_words(made, words + 1);
        return;
    }
    if (length > 1 && (word[0] == '"' || word[0] == '\'') && word[length - 1] == word[0]) {
        word[length - 1] = '\0';
        word++;
    }
    add_word(made, word);
}

/* What a shell script goes on with by `exec`. NULL: that is not known, or not there: then the line
 * is perhaps never reached. */
static char **follow_shell_script(struct lh_subject *subject, struct lh_step *step)
{
    struct words written = {.count = 0};
    struct words made = {.count = 0};
    char path[PATH_MAX];
    char *line = keep(subject, lh_shell_script_read(&subject->shell, step->path));
    if (line == NULL)
        return NULL;
    add_line(&written, line);
    for (uint32_t i = 0; i < written.count; i++)
        expand(&made, written.list[i], step->words);
    bool given = made.count > 0 && made.list[0] == step->words[1];
    return given || (made.count > 0 && lh_command_search(made.list[0], path))
               ? new_words(subject, &made)
               : NULL;
}

/* sh -c "exec PROGRAM ...". NULL: it is something else. */
static char **follow_shell(struct lh_subject *subject, char **words)
{
    struct words made = {.count = 0};
    char *command = NULL;
    if (words[1][0] == '-' && words[2] != NULL)
        command = keep(subject, lh_shell_command(words[1], words[2]));
    if (command == NULL)
        return NULL;
    add_line(&made, command);
    return made.count > 0 ? new_words(subject, &made) : NULL;
}

static struct lh_step *add_step(struct lh_subject *subject, char **words, const char *path)
{
    struct lh_step *step = &subject->steps[subject->step_count++];
    *step = (struct lh_step){.words = words, .wrapper = lh_wrapper_find(words[0])};
    (void)lh_text_copy(step->path, sizeof(step->path), path);
    return step;
}

/* Of a script, what the kernel executes for it; of one for a shell, what that executes. NULL: the
 * file is the program itself, or the way is not known. */
static char **follow_file(struct lh_subject *subject, struct lh_step *step)
{
    struct lh_interpreter interpreter;
    int fd = open(step->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_script = fd >= 0 && lh_command_interpreter(fd, &interpreter);
    if (fd >= 0)
        close(fd);
    if (!is_script)
        return NULL;
    (void)lh_text_copy(subject->script, sizeof(subject->script), step->path);
    if (lh_is_shell(interpreter.path)) {
        char **next = follow_shell_script(subject, step);
        if (next != NULL)
            return next;
    }
    return words_of_script(subject, &interpreter, step->path, step->words);
}

/* One step on. NULL: the program is there, or the command is not. */
static char **follow(struct lh_subject *subject, char **words)
{
    char path[PATH_MAX];
    if (!lh_command_search(words[0], path)) {
        subject->missing = words[0];
        subject->missing_error = error_of(words[0]);
        return NULL;
    }
    struct lh_step *step = add_step(subject, words, path);
    subject->words = words;
    if (step->wrapper == NULL)
        return lh_is_shell(path) && words[1] != NULL ? follow_shell(subject, words)
                                                     : follow_file(subject, step);
    step->words = words = split_of_env(subject, words);
    step->next = lh_wrapper_command(step->wrapper, words);
    if (strcmp(step->wrapper->name, "env") == 0)
        take_env(subject, step, words, step->next);
    return step->wrapper->effect == LH_WRAPPER_ELSEWHERE ? NULL : step->next;
}

void lh_subject_of_command(struct lh_subject *subject, char **command)
{
    *subject = (struct lh_subject){.command = command};
    char **words = command;
    while (words != NULL && subject->step_count < LH_STEPS_MAX)
        words = follow(subject, words);
    if (subject->missing != NULL || subject->step_count == 0)
        return;
    const struct lh_step *last = &subject->steps[subject->step_count - 1];
    const char *path = last->path;
    subject->is_elsewhere = last->wrapper != NULL && (last->wrapper->operands < 0 ||
                                                      last->wrapper->effect != LH_WRAPPER_PASSES);
    if (subject->is_elsewhere)
        return;
    lh_command_find(path, &subject->program);
    lh_program_read(&subject->facts, path);
}

const char *lh_subject_variable(const struct lh_subject *subject, const char *name)
{
    size_t length = strlen(name);
    for (uint32_t i = subject->given_count; i > 0; i--)
        if (strncmp(subject->given[i - 1], name, length) == 0 &&
            subject->given[i - 1][length] == '=')
            return subject->given[i - 1] + length + 1;
    if (subject->pid == 0)
        return getenv(name);
    for (size_t at = 0; at < subject->environment_bytes;
         at += strlen(subject->environment + at) + 1) {
        const char *entry = subject->environment + at;
        if (strncmp(entry, name, length) == 0 && entry[length] == '=')
            return entry + length + 1;
    }
    return NULL;
}

bool lh_subject_has_word(const struct lh_subject *subject, const char *part)
{
    if (subject->words == NULL)
        return false;
    for (char **word = subject->words + 1; *word != NULL; word++)
        if (strstr(*word, part) != NULL)
            return true;
    return false;
}
