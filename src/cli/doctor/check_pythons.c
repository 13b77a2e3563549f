/* SPDX-License-Identifier: Apache-2.0 */
/* The Pythons on PATH, told by their files. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/known_pythons.h"
#include "collect/sink/text_parts.h"
#include "common/text.h"

#define PYTHONS_MAX 16u

struct seen {
    uint32_t count;
    uint32_t known[PYTHONS_MAX]; /* PY_VERSION_HEX */
};

/* "python3", "python3.11", not "python3-config". */
static bool is_python_name(const char *name)
{
    const char *rest = name + strlen("python3");
    if (!lh_starts_with(name, "python3"))
        return false;
    return *rest == '\0' || (*rest == '.' && strspn(rest + 1, "0123456789") == strlen(rest + 1));
}

static void take(struct seen *seen, const char *path, struct lh_findings *findings)
{
    char version[32];
    struct lh_program program;
    lh_program_read(&program, path);
    uint32_t hex = program.python_version;
    lh_program_free(&program);
    for (uint32_t i = 0; i < seen->count; i++)
        if (seen->known[i] == hex)
            return;
    if (hex == 0 || seen->count == PYTHONS_MAX)
        return;
    seen->known[seen->count++] = hex;
    lh_python_text(hex, version, sizeof(version));
    if (lh_python_is_known(hex))
        return; /* they share a line */
    lh_find(findings, LH_MISS, "%s is Python %s: no Python lines", path, version);
}

static void look_in(const char *directory, struct seen *seen, struct lh_findings *findings)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    DIR *names = opendir(directory);
    while (names != NULL && (entry = readdir(names)) != NULL) {
        if (!is_python_name(entry->d_name))
            continue;
        int length = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (length > 0 && (size_t)length < sizeof(path))
            take(seen, path, findings);
    }
    if (names != NULL)
        closedir(names);
}

void lh_check_pythons(const struct lh_subject *subject, struct lh_findings *findings)
{
    char list[4 * PATH_MAX];
    char buf[LH_FINDING_BYTES];
    char version[32];
    char *rest;
    struct lh_text text;
    struct seen seen = {.count = 0};
    (void)subject;
    snprintf(list, sizeof(list), "%s", getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin");
    for (char *directory = strtok_r(list, ":", &rest); directory != NULL;
         directory = strtok_r(NULL, ":", &rest))
        look_in(directory, &seen, findings);
    lh_text_init(&text, buf, sizeof(buf));
    for (uint32_t i = 0; i < seen.count; i++) {
        lh_python_text(seen.known[i], version, sizeof(version));
        if (lh_python_is_known(seen.known[i]))
            lh_text_format(&text, "%s%s", text.length > 0 ? ", " : "", version);
    }
    if (text.length > 0)
        lh_find(findings, LH_OK, "Pythons on PATH whose lines are told: %s", buf);
}
