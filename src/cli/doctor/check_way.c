/* SPDX-License-Identifier: Apache-2.0 */
/* On the way to the program: is there such a command, and what starts it in between. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "collect/sink/text_parts.h"

#define WORDS_BYTES 512

void lh_check_command(const struct lh_subject *subject, struct lh_findings *findings)
{
    int error = subject->missing_error;
    if (subject->missing == NULL)
        return;
    if (error == ENOENT && strchr(subject->missing, '/') == NULL)
        lh_find_blind(findings, "%s: command not found in PATH", subject->missing);
    else
        lh_find_blind(findings, "%s: %s", subject->missing, strerror(error));
    if (error == EISDIR)
        lh_find_todo(findings, "name a program in it");
    else if (error == EACCES)
        lh_find_todo(findings, "chmod +x %s, or name the program that reads it", subject->missing);
    else if (subject->missing != subject->command[0])
        lh_find_todo(findings, "%s names it: is it installed?",
                     subject->script[0] != '\0' ? subject->script : subject->command[0]);
}

/* A word as a shell reads it. */
static void put_word(struct lh_text *text, const char *word)
{
    bool plain = word[0] != '\0' && strpbrk(word, " \t\n'\"\\$`&|;<>()*?#~!{}[]") == NULL;
    if (text->length > 0)
        lh_text_char(text, ' ');
    if (plain || strchr(word, '\'') != NULL)
        lh_text_string(text, word);
    else
        lh_text_format(text, "'%s'", word);
}

/* The command with `loophound run` behind the wrapper. */
static void say_run_behind(const struct lh_step *step, struct lh_findings *findings)
{
    char buf[WORDS_BYTES];
    struct lh_text text;
    lh_text_init(&text, buf, sizeof(buf));
    if (step->next == NULL) {
        lh_find_todo(findings, "put it inside: %s ... loophound run -- COMMAND", step->words[0]);
        return;
    }
    for (char **word = step->words; *word != NULL; word++) {
        if (word == step->next)
            lh_text_string(&text, " loophound run --");
        put_word(&text, *word);
    }
    lh_find_todo(findings, "%s", buf);
}

/* su - USER, su -l USER: a shell as after a login. */
static bool is_login(const struct lh_step *step)
{
    if (strcmp(step->wrapper->name, "su,runuser") != 0)
        return false;
    for (char **word = step->words + 1; *word != NULL; word++)
        if (strcmp(*word, "-") == 0 || strcmp(*word, "-l") == 0 || strcmp(*word, "--login") == 0)
            return true;
    return false;
}

/* Why LD_PRELOAD does not come through. NULL: it does, or perhaps. */
static const char *obstacle_of(const struct lh_step *step)
{
    static struct lh_command command;
    enum lh_wrapper_effect effect = step->wrapper->effect;
    lh_command_find(step->path, &command);
    if (step->unset_preload)
        return "is told to take LD_PRELOAD away";
    if (is_login(step))
        return "starts a login shell, with an environment of its own";
    if (effect != LH_WRAPPER_PASSES && effect != LH_WRAPPER_PERHAPS)
        return step->wrapper->text;
    if (command.kind == LH_COMMAND_PRIVILEGED || command.kind == LH_COMMAND_CAPABILITIES)
        return "is setuid, or gains rights: the dynamic linker takes LD_PRELOAD away";
    return NULL;
}

static void check_step(const struct lh_step *step, struct lh_findings *findings)
{
    const struct lh_wrapper *wrapper = step->wrapper;
    if (wrapper == NULL)
        return;
    const char *obstacle = obstacle_of(step);
    if (obstacle != NULL) {
        lh_find_blind(findings, "%s %s", step->path, obstacle);
        if (wrapper->todo != NULL)
            lh_find_todo(findings, "%s", wrapper->todo);
        else
            say_run_behind(step, findings);
    } else if (wrapper->effect == LH_WRAPPER_PERHAPS) {
        lh_find(findings, LH_WARN, "%s %s", step->path, wrapper->text);
        lh_find_todo(findings, "show it the directory of libloophound.so at the same path");
    } else if (wrapper->text != NULL) {
        lh_find(findings, LH_OK, "%s %s; ask about that program for more", step->path,
                wrapper->text);
    }
}

void lh_check_wrappers(const struct lh_subject *subject, struct lh_findings *findings)
{
    for (uint32_t i = 0; i < subject->step_count; i++)
        check_step(&subject->steps[i], findings);
    for (uint32_t i = 0; i < subject->shell.count; i++) {
        const struct lh_shell_line *line = &subject->shell.lines[i];
        lh_find(findings, LH_WARN, "%s:%u: \"%s\": it %s", line->script, line->number, line->text,
                line->does);
        lh_find_todo(findings, "if that is on its way, put loophound run into that line");
    }
}
