/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of rules. See rule_set.h. */
#include "collect/report/rule_set.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/sink/text_parts.h"

/* A text with its name in front. */
struct kept {
    struct kept *next;
    char *text; /* NULL: the rules point into a text of somebody else's */
    char name[];
};

static struct kept *keep(struct lh_rule_set *set, const char *name, char *text)
{
    struct kept *kept = malloc(sizeof(*kept) + strlen(name) + 1);
    if (kept == NULL)
        return NULL;
    kept->next = set->kept;
    kept->text = text;
    memcpy(kept->name, name, strlen(name) + 1);
    set->kept = kept;
    return kept;
}

void lh_rule_set_free(struct lh_rule_set *set)
{
    struct kept *next;
    for (struct kept *kept = set->kept; kept != NULL; kept = next) {
        next = kept->next;
        free(kept->text);
        free(kept);
    }
    free(set->rules);
    *set = (struct lh_rule_set){NULL, 0, NULL};
}

static int add_rule(struct lh_rule_set *set, const struct lh_rule *rule)
{
    struct lh_rule *rules = reallocarray(set->rules, set->count + 1, sizeof(*rules));
    if (rules == NULL)
        return -ENOMEM;
    set->rules = rules;
    rules[set->count++] = *rule;
    return 0;
}

static int add_all(struct lh_rule_set *set, struct lh_rule_reader *reader, const char *now,
                   struct lh_text *said)
{
    struct lh_rule rule;
    struct lh_rule_problem problem;
    uint32_t before = set->count;
    int result;
    while ((result = lh_rule_read(reader, &rule, &problem)) > 0)
        if (add_rule(set, &rule) != 0)
            return -ENOMEM;
    if (result == 0)
        return 0;
    lh_rule_problem_text(said, reader->file, &problem, now);
    set->count = before;
    return result;
}

/* Nothing that could keep us waiting is read. */
int lh_rule_file_read(const char *path, char **text, size_t *length)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int error = fstat(fd, &status) != 0               ? -errno
                : S_ISDIR(status.st_mode)             ? -EISDIR
                : !S_ISREG(status.st_mode)            ? -ENODEV
                : status.st_size > LH_RULE_FILE_BYTES ? -EFBIG
                                                      : 0;
    size_t size = error == 0 ? (size_t)status.st_size : 0;
    *text = error == 0 ? malloc(size + 1) : NULL;
    if (error == 0 && *text == NULL)
        error = -ENOMEM;
    while (error == 0 && *length < size) {
        ssize_t more = read(fd, *text + *length, size - *length);
        if (more == 0)
            break;
        if (more < 0)
            error = -errno;
        else
            *length += (size_t)more;
    }
    close(fd);
    if (error != 0)
        free(*text);
    return error;
}

const char *lh_rule_file_problem(int error)
{
    return error == -ENODEV  ? "not a regular file"
           : error == -EFBIG ? "larger than 1 MiB"
                             : strerror(-error);
}

int lh_rule_set_add_file(struct lh_rule_set *set, const char *name, const char *cwd,
                         const char *now, struct lh_text *problem)
{
    char path[PATH_MAX];
    struct lh_rule_reader reader;
    char *text = NULL;
    size_t length = 0;
    bool relative = name[0] != '/' && cwd[0] != '\0';
    (void)snprintf(path, sizeof(path), "%s%s%s", relative ? cwd : "", relative ? "/" : "", name);
    int error = lh_rule_file_read(path, &text, &length);
    if (error != 0) {
        lh_text_format(problem, "loophound: cannot read the rules in %s: %s; %s\n", name,
                       lh_rule_file_problem(error), now);
        return error;
    }
    struct kept *kept = keep(set, name, text);
    if (kept == NULL) {
        free(text);
        return -ENOMEM;
    }
    lh_rule_reader_init(&reader, text, length, kept->name, false);
    return add_all(set, &reader, now, problem);
}

int lh_rule_set_add_text(struct lh_rule_set *set, const char *name, const char *rules,
                         const char *now, struct lh_text *problem)
{
    struct lh_rule_reader reader;
    char *copy = strdup(rules);
    struct kept *kept = copy != NULL ? keep(set, name, copy) : NULL;
    if (kept == NULL) {
        free(copy);
        return -ENOMEM;
    }
    lh_rule_reader_init(&reader, copy, strlen(copy), kept->name, true);
    return add_all(set, &reader, now, problem);
}

int lh_rule_set_add_files(struct lh_rule_set *set, const char *paths, const char *cwd,
                          const char *now, struct lh_text *problem)
{
    char name[PATH_MAX];
    int first = 0;
    for (size_t length; *paths != '\0'; paths += length + (paths[length] == ':')) {
        length = strcspn(paths, ":");
        if (length == 0)
            continue;
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, paths);
        int error = lh_rule_set_add_file(set, name, cwd, now, problem);
        first = first != 0 ? first : error;
    }
    return first;
}

const struct lh_rule *lh_rule_set_find(const struct lh_rule_set *set,
                                       const struct lh_rule_facts *facts, uint64_t *uses)
{
    const struct lh_rule *quiet = NULL;
    bool always = false;
    for (uint32_t i = 0; i < set->count; i++) {
        if (!lh_rule_matches(&set->rules[i], facts))
            continue;
        if (uses != NULL)
            uses[i]++;
        always |= set->rules[i].always;
        quiet = quiet != NULL || set->rules[i].always ? quiet : &set->rules[i];
    }
    return always ? NULL : quiet;
}

bool lh_rule_set_wants(const struct lh_rule_set *set, const struct lh_rule_facts *facts)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->rules[i].always && lh_rule_matches(&set->rules[i], facts))
            return true;
    return false;
}
