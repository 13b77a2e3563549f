/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a shell script. See shell_script.h.
 *
 * No shell is imitated: a line counts where its first word, or the one behind `exec`, is a command
 * of the table of wrappers, or where it names LD_PRELOAD. */
#include "cli/doctor/shell_script.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/wrappers.h"
#include "common/options.h"
#include "common/text.h"

#define LINES_MAX  2000u /* an installer's script has its archive behind its lines */
#define LINE_BYTES 1024

bool lh_is_shell(const char *path)
{
    return lh_glob_list_match("sh,bash,dash,zsh,ksh,mksh,busybox,fish", lh_base_name(path));
}

static void note(struct lh_shell_notes *notes, struct lh_shell_line at, const char *text)
{
    if (notes->count == LH_SHELL_LINES)
        return;
    struct lh_shell_line *line = &notes->lines[notes->count++];
    *line = at;
    snprintf(line->text, sizeof(line->text), "%s", text);
}

/* The first word, without its end. */
static void first_word(const char *text, char *word, size_t size)
{
    snprintf(word, size, "%.*s", (int)strcspn(text, " \t;|&"), text);
}

/* What a command does to LD_PRELOAD. NULL: nothing. */
static const char *effect_of(const char *command)
{
    static const char takes_away[] = "takes LD_PRELOAD away";
    char word[128];
    first_word(command, word, sizeof(word));
    const struct lh_wrapper *wrapper = lh_wrapper_find(word);
    bool names_it = strstr(command, "LD_PRELOAD") != NULL;
    if (wrapper != NULL && wrapper->effect != LH_WRAPPER_PASSES)
        return wrapper->text;
    if (strcmp(word, "env") == 0 && (strstr(command, " -i") != NULL || names_it))
        return takes_away;
    return strcmp(word, "unset") == 0 && names_it ? takes_away : NULL;
}

/* LD_PRELOAD=... without what it was before. */
static bool sets_preload(const char *line)
{
    const char *set = strstr(line, "LD_PRELOAD=");
    return set != NULL && strstr(set, "$LD_PRELOAD") == NULL && strstr(set, "${LD_PRELOAD") == NULL;
}

/* The command behind `exec`, where its name is "$@", or nothing in it has to be expanded. */
static char *command_of_exec(const char *behind)
{
    char word[PATH_MAX];
    first_word(behind, word, sizeof(word));
    bool arguments = strcmp(word, "\"$@\"") == 0 || strcmp(word, "$@") == 0;
    if (!arguments &&
        (word[0] == '\0' || word[0] == '-' || strpbrk(word, "$`\\*?~<>{}()=") != NULL))
        return NULL;
    return strndup(behind, strcspn(behind, "\n;|&"));
}

/* What `exec` starts at the begin of a line is looked at as a command of its own; an indented one
 * may never come. */
static void look_at_line(struct lh_shell_notes *notes, struct lh_shell_line at, const char *text,
                         char **last_exec)
{
    static const char exec[] = "exec ";
    const char *line = text + strspn(text, " \t");
    const char *command = line;
    if (lh_starts_with(line, exec))
        command += strlen(exec) + strspn(line + strlen(exec), " \t");
    if (command != line && line == text) {
        free(*last_exec);
        *last_exec = command_of_exec(command);
        return;
    }
    at.does = sets_preload(line) ? "puts something else into LD_PRELOAD" : effect_of(command);
    if (*line != '#' && at.does != NULL)
        note(notes, at, line);
}

char *lh_shell_command(const char *flags, const char *text)
{
    static const char exec[] = "exec ";
    size_t length = strlen(flags);
    if (flags[length - 1] != 'c' || flags[1] == '-' ||
        strpbrk(text, "$`\"'\\*?~<>{}();|&\n=") != NULL)
        return NULL;
    text += strspn(text, " \t");
    if (lh_starts_with(text, exec))
        text += strlen(exec);
    return strdup(text);
}

char *lh_shell_script_read(struct lh_shell_notes *notes, const char *path)
{
    char line[LINE_BYTES];
    char *last_exec = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    for (uint32_t number = 1; number <= LINES_MAX && fgets(line, sizeof(line), file) != NULL;
         number++) {
        line[strcspn(line, "\n")] = '\0';
        look_at_line(notes, (struct lh_shell_line){.number = number, .script = path}, line,
                     &last_exec);
    }
    (void)fclose(file);
    return last_exec;
}
