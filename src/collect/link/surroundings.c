/* SPDX-License-Identifier: Apache-2.0 */
/* The surroundings of a process. Runs on the threads of the rings. See surroundings.h. */
#include "collect/link/surroundings.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"

static const char *const kept[] = {".git", ".hg", ".jj", NULL};
static const char *const begun[] = {
    "pyproject.toml", "setup.py",     "package.json", "deno.json",     "Cargo.toml",     "go.mod",
    "pom.xml",        "build.gradle", "Gemfile",      "composer.json", "CMakeLists.txt", NULL};

static bool has(const char *directory, const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    int length = snprintf(path, sizeof(path), "%s/%s", directory, name);
    return length > 0 && (size_t)length < sizeof(path) && stat(path, &status) == 0;
}

static bool has_any(const char *directory, const char *const *names)
{
    while (*names != NULL && !has(directory, *names))
        names++;
    return *names != NULL;
}

/* The nearest directory from `directory` up, but not /, that has one of them: into `root`. */
static bool find_up(char *root, size_t size, const char *directory, const char *const *names)
{
    char *slash;
    if (directory[0] != '/' || !lh_text_copy(root, size, directory))
        return false;
    while ((slash = strrchr(root, '/')) != root && slash != NULL) {
        if (has_any(root, names))
            return true;
        *slash = '\0';
    }
    root[0] = '\0';
    return false;
}

/* random(4) */
static void find_boot(char *boot, size_t size)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return;
    if (fgets(boot, (int)size, file) != NULL)
        boot[strcspn(boot, "\n")] = '\0';
    (void)fclose(file);
}

void lh_surroundings_find(struct lh_ring *header, const struct lh_stacks *stacks)
{
    const char *runtime = lh_stacks_runtime(stacks, header->version, sizeof(header->version));
    if (runtime != NULL)
        (void)lh_text_copy(header->runtime, sizeof(header->runtime), runtime);
    if (!find_up(header->root, sizeof(header->root), header->cwd, kept))
        (void)find_up(header->root, sizeof(header->root), header->cwd, begun);
    find_boot(header->boot, sizeof(header->boot));
}
