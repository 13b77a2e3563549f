/* SPDX-License-Identifier: Apache-2.0 */
/* The name of an output. Runs in the collector and on the watchdog; uname(2) sets errno only for a
 * bad pointer. */
#include "common/output_name.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"

const char *lh_host_name(struct utsname *names)
{
    return uname(names) == 0 ? names->nodename : NULL;
}

static void add_pid(struct lh_text *text, const struct lh_ring *header)
{
    lh_text_u64(text, header->pid);
}

static void add_host(struct lh_text *text, const struct lh_ring *header)
{
    struct utsname names;
    const char *host = lh_host_name(&names);
    (void)header;
    if (host != NULL)
        lh_text_string(text, host);
}

static void add_executable(struct lh_text *text, const struct lh_ring *header)
{
    lh_text_string(text, lh_base_name(header->exe));
}

static void add_percent(struct lh_text *text, const struct lh_ring *header)
{
    (void)header;
    lh_text_char(text, '%');
}

static const struct {
    char letter;
    void (*add)(struct lh_text *text, const struct lh_ring *header);
} expansions[] = {{'p', add_pid}, {'h', add_host}, {'e', add_executable}, {'%', add_percent}};

/* Returns how many characters of the name were used: 2 for a known %x, else 1. */
static size_t expand_one(struct lh_text *text, const struct lh_ring *header, const char *name)
{
    if (name[0] == '%')
        for (size_t i = 0; i < sizeof(expansions) / sizeof(expansions[0]); i++)
            if (name[1] == expansions[i].letter) {
                expansions[i].add(text, header);
                return 2;
            }
    lh_text_char(text, name[0]);
    return 1;
}

int lh_output_name(char *path, size_t size, const struct lh_ring *header, bool below_cwd)
{
    const char *name = header->options.output;
    struct lh_text text;
    lh_text_init(&text, path, size);
    if (below_cwd && name[0] != '/' && header->cwd[0] != '\0') {
        lh_text_string(&text, header->cwd);
        lh_text_char(&text, '/');
    }
    while (*name != '\0')
        name += expand_one(&text, header, name);
    return text.length + 1 < text.size ? 0 : -ENAMETOOLONG;
}

bool lh_output_has_pid(const char *name)
{
    for (; (name = strchr(name, '%')) != NULL && name[1] != '\0'; name += 2)
        if (name[1] == 'p')
            return true;
    return false;
}
