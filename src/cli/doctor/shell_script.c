/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a shell script. See shell_script.h.
 *
 * No shell is imitated: a line counts where its first word, or the one behind `exec`, is a command
 * of the table of wrappers, or where it names LD_PRELOAD. */
#include "cli/doctor/shell_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/subject.h"
#include "common/options.h"
#include "common/text.h"

#define LINES_MAX  2000u /* an installer's script has its archive behind its lines */
#define LINE_BYTES 1024

bool lh_is_shell(const char *path)
{
    return lh_glob_list_match("sh,bash,dash,zsh,ksh,mksh,busybox,fish", lh_base_name(path));
}

static void note(struct lh_subject *subject, uint32_t number, const char *text, const char *does)
{
    if (subject->shell_line_count == LH_SHELL_LINES)
        return;
    struct lh_shell_line *line = &subject->shell_lines[subject->shell_line_count++];
    *line = (struct lh_shell_line){.number = number, .does = does};
    snprintf(line->text, sizeof(line->text), "%s", text);
}

/* The first word, without its end. */
static void first_word(const char *text, char *word, size_t size)
{
    snprintf(word, size, "%.*s", (int)strcspn(text, " \t;|&"), text);
}

static void look_at_command(struct lh_subject *subject, uint32_t number, const char *line,
                            const char *command)
{
    char word[128];
    first_word(command, word, sizeof(word));
    const struct lh_wrapper *wrapper = lh_wrapper_find(word);
    if (wrapper != NULL && wrapper->effect != LH_WRAPPER_PASSES)
        note(subject, number, line, wrapper->text);
    else if (wrapper != NULL && strcmp(word, "env") == 0 &&
             (strstr(command, " -i") != NULL || strstr(command, "LD_PRELOAD") != NULL))
        note(subject, number, line, "takes LD_PRELOAD away");
    else if (strcmp(word, "unset") == 0 && strstr(command, "LD_PRELOAD") != NULL)
        note(subject, number, line, "takes LD_PRELOAD away");
}

/* LD_PRELOAD=... without what it was before. */
static bool sets_preload(const char *line)
{
    const char *set = strstr(line, "LD_PRELOAD=");
    return set != NULL && strstr(set, "$LD_PRELOAD") == NULL &&
           strstr(set, "${LD_PRELOAD") == NULL;
}

/* The command behind `exec`, where its name is "$@", or nothing in it has to be expanded. */
static char *command_of_exec(const char *behind)
{
    char word[PATH_MAX];
    first_word(behind, word, sizeof(word));
    bool arguments = strcmp(word, "\"$@\"") == 0 || strcmp(word, "$@") == 0;
    if (!arguments && (word[0] == '\0' || word[0] == '-' || strpbrk(word, "$`\\*?~<>{}()=") != NULL))
        return NULL;
    return strndup(behind, strcspn(behind, "\n;|&"));
}

static void look_at_line(struct lh_subject *subject, uint32_t number, const char *text,
                         char **last_exec)
{
    static const char exec[] = "exec ";
    const char *line = text + strspn(text, " \t");
    const char *command = line;
    if (*line == '#')
        return;
    if (lh_starts_with(line, exec)) {
        command = line + strlen(exec);
        command += strspn(command, " \t");
        free(*last_exec);
        *last_exec = command_of_exec(command);
    }
    if (sets_preload(line))
        note(subject, number, line, "puts something else into LD_PRELOAD");
    else
        look_at_command(subject, number, line, command);
}

char *lh_shell_script_read(struct lh_subject *subject, const char *path)
{
    char line[LINE_BYTES];
    char *last_exec = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    for (uint32_t number = 1; number <= LINES_MAX && fgets(line, sizeof(line), file) != NULL;
         number++) {
        line[strcspn(line, "\n")] = '\0';
        look_at_line(subject, number, line, &last_exec);
    }
    (void)fclose(file);
    return last_exec;
}
