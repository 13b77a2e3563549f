/* The name of an output. Runs in the collector; `header` is a private, checked copy. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "collect/output.h"
#include "common/protocol.h"
#include "common/text.h"

static void add_pid(struct lh_text *text, const struct lh_ring *header)
{
    lh_text_u64(text, header->pid);
}

static void add_host(struct lh_text *text, const struct lh_ring *header)
{
    char host[256] = "";
    (void)header;
    if (gethostname(host, sizeof(host) - 1) == 0)
        lh_text_string(text, host);
}

static void add_executable(struct lh_text *text, const struct lh_ring *header)
{
    const char *slash = strrchr(header->exe, '/');
    lh_text_string(text, slash != NULL ? slash + 1 : header->exe);
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

static int expand(char *path, size_t size, const struct lh_ring *header, bool adopted)
{
    const char *name = header->options.output;
    struct lh_text text;
    lh_text_init(&text, path, size);
    if (adopted && name[0] != '/' && header->cwd[0] != '\0') {
        lh_text_string(&text, header->cwd);
        lh_text_char(&text, '/');
    }
    while (*name != '\0')
        name += expand_one(&text, header, name);
    return text.length + 1 < text.size ? 0 : -ENAMETOOLONG;
}

int lh_output_place(struct lh_output_place *place, const struct lh_ring *header, bool adopted)
{
    *place = (struct lh_output_place){.kind = (enum lh_output_kind)header->options.output_kind,
                                      .fd = -1};
    switch (place->kind) {
    case LH_OUTPUT_STDERR:
        place->fd = STDERR_FILENO;
        return 0;
    case LH_OUTPUT_FD:
        place->fd = adopted ? LH_COLLECTOR_OUTPUT_FD : header->options.output_fd;
        return 0;
    default:
        return expand(place->path, sizeof(place->path), header, adopted);
    }
}
