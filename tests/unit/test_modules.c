/* SPDX-License-Identifier: Apache-2.0 */
/* The map of a process: its lines, and the files behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "collect/stack/modules.h"

static struct lh_modules parse(const char *text)
{
    struct lh_modules modules = {.maps_fd = -1};
    assert_int_equal(lh_modules_parse(&modules, text, strlen(text)), 0);
    return modules;
}

static const struct lh_module *module_at(const struct lh_modules *modules, uint64_t address)
{
    const struct lh_mapping *mapping = lh_modules_find(modules, address);
    return mapping != NULL ? &modules->modules[mapping->module] : NULL;
}

static const char normal_map[] =
    "00400000-00401000 r--p 00000000 fe:01 77                  /usr/bin/server\n"
    "00401000-00403000 r-xp 00001000 fe:01 77                  /usr/bin/server\n"
    "00500000-00501000 rw-p 00000000 00:00 0                   [heap]\n"
    "7f0000000000-7f0000001000 r--s 00000000 fe:01 99          /usr/lib/locale/data\n"
    "7f0000002000-7f0000003000 r-xp 00000000 00:00 0 \n"
    "7ffff7fc0000-7ffff7fc2000 r-xp 00000000 00:00 0           [vdso]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]\n";

static void test_an_address_leads_to_its_mapping(void **state)
{
    (void)state;
    struct lh_modules modules = parse(normal_map);
    const struct lh_mapping *mapping = lh_modules_find(&modules, 0x402fff);
    assert_non_null(mapping);
    assert_int_equal(mapping->start, 0x401000);
    assert_int_equal(mapping->end, 0x403000);
    assert_int_equal(mapping->file_offset, 0x1000);
    assert_true(mapping->executable);
    assert_false(lh_modules_find(&modules, 0x400000)->executable);
    assert_null(lh_modules_find(&modules, 0x3fffff));
    assert_null(lh_modules_find(&modules, 0x403000));
    assert_null(lh_modules_find(&modules, 0));
    assert_null(lh_modules_find(&modules, UINT64_MAX));
    lh_modules_close(&modules);
}

static void test_the_parts_of_one_file_are_one_module(void **state)
{
    (void)state;
    struct lh_modules modules = parse(normal_map);
    const struct lh_module *module = module_at(&modules, 0x400000);
    assert_ptr_equal(module, module_at(&modules, 0x401000));
    assert_string_equal(module->path, "/usr/bin/server");
    assert_int_equal(module->inode, 77);
    assert_int_equal(module->device, makedev(0xfe, 1));
    assert_int_equal(module->start, 0x401000);
    assert_int_equal(module->end, 0x403000);
    assert_false(module->deleted);
    lh_modules_close(&modules);
}

static void test_data_is_no_module_and_made_code_has_no_name(void **state)
{
    (void)state;
    struct lh_modules modules = parse(normal_map);
    assert_null(lh_modules_find(&modules, 0x500000));
    assert_null(lh_modules_find(&modules, 0x7f0000000000));
    assert_null(module_at(&modules, 0x7f0000002000)->path);
    assert_string_equal(module_at(&modules, 0x7ffff7fc0000)->path, "[vdso]");
    lh_modules_close(&modules);
}

/* vdso(7). */
#ifdef __aarch64__
#define TIME_OF_DAY      "__kernel_gettimeofday"
#define TIME_OF_DAY_TOLD TIME_OF_DAY
#else
#define TIME_OF_DAY      "__vdso_gettimeofday"
#define TIME_OF_DAY_TOLD "gettimeofday" /* of two names the plainer one */
#endif

static void test_kernels_own_library_has_names(void **state)
{
    (void)state;
    struct lh_modules modules = parse(normal_map);
    struct lh_elf *elf = lh_modules_elf(&modules, lh_modules_find(&modules, 0x7ffff7fc0000));
    assert_non_null(elf);
    void *vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
    assert_non_null(vdso);
    uintptr_t address = (uintptr_t)dlsym(vdso, TIME_OF_DAY);
    assert_int_not_equal(address, 0);
    struct lh_symbol found[LH_SYMBOLS_MAX];
    assert_int_equal(lh_elf_symbols(elf, address - getauxval(AT_SYSINFO_EHDR), found, NULL), 1);
    assert_string_equal(found[0].function, TIME_OF_DAY_TOLD);
    dlclose(vdso);
    lh_modules_close(&modules);
}

static void test_odd_names_are_taken_as_they_are(void **state)
{
    (void)state;
    struct lh_modules modules =
        parse("1000-2000 r-xp 00000000 08:01 1    /a b  c/ d.so\n"
              "2000-3000 r-xp 00000000 08:01 2    /line\\012feed.so\n"
              "3000-4000 r-xp 00000000 08:01 3    /gone.so (deleted)\n"
              "4000-5000 r-xp 00000000 00:05 4    /memfd:jit cache (deleted)\n"
              "5000-6000 r-xp 00000000 08:01 5    /not (deleted) at the end.so\n"
              "6000-7000 r-xp 00000000 08:01 6    //anon\\01\\012");
    assert_string_equal(module_at(&modules, 0x1000)->path, "/a b  c/ d.so");
    assert_string_equal(module_at(&modules, 0x2000)->path, "/line\nfeed.so");
    assert_string_equal(module_at(&modules, 0x3000)->path, "/gone.so");
    assert_true(module_at(&modules, 0x3000)->deleted);
    assert_string_equal(module_at(&modules, 0x4000)->path, "/memfd:jit cache");
    assert_string_equal(module_at(&modules, 0x5000)->path, "/not (deleted) at the end.so");
    assert_false(module_at(&modules, 0x5000)->deleted);
    assert_string_equal(module_at(&modules, 0x6000)->path, "//anon\\01\n");
    lh_modules_close(&modules);
}

static void test_a_bad_line_is_left_out(void **state)
{
    (void)state;
    struct lh_modules modules = parse("nonsense\n"
                                      "\n"
                                      "2000-1000 r-xp 00000000 08:01 1 /backwards\n"
                                      "1000-2000 r-xp 00000000 08:01 2 /good\n"
                                      "1800-2800 r-xp 00000000 08:01 3 /overlaps\n"
                                      "3000-4000 r-xp\n");
    assert_int_equal(modules.mapping_count, 1);
    assert_string_equal(module_at(&modules, 0x1900)->path, "/good");
    lh_modules_close(&modules);
}

static void test_an_empty_map_leaves_the_last_one(void **state)
{
    (void)state;
    struct lh_modules modules = parse(normal_map);
    uint32_t generation = modules.generation;
    assert_int_equal(lh_modules_parse(&modules, "", 0), -ESRCH);
    assert_int_equal(lh_modules_refresh(&modules), -ESRCH);
    assert_int_equal(modules.generation, generation);
    assert_string_equal(module_at(&modules, 0x401000)->path, "/usr/bin/server");
    lh_modules_close(&modules);
}

static void test_random_text_does_no_harm(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789abcdef-: rwxp/[]\\012\n()";
    uint64_t random = 88172645463325252u;
    for (int run = 0; run < 3000; run++) {
        char text[sizeof(normal_map)];
        memcpy(text, normal_map, sizeof(text));
        for (int i = 0; i < 40; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            text[(random >> 33) % (sizeof(text) - 1)] =
                alphabet[(random >> 20) % (sizeof(alphabet) - 1)];
        }
        struct lh_modules modules = {.maps_fd = -1};
        int result = lh_modules_parse(&modules, text, (random >> 40) % sizeof(text));
        assert_true(result == 0 || result == -ESRCH);
        for (uint32_t i = 0; i < modules.mapping_count; i++)
            assert_true(modules.mappings[i].module < modules.module_count);
        lh_modules_close(&modules);
    }
}

static struct lh_modules open_self(void)
{
    struct lh_modules modules;
    lh_modules_open(&modules, getpid(), open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
    assert_true(modules.mapping_count > 0);
    return modules;
}

/* A file of this test's own, that is this very program, mapped as code. */
struct mapped_copy {
    char directory[64];
    char path[PATH_MAX];
    void *code;
    size_t size;
};

static void copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(in >= 0 && out >= 0);
    char buffer[65536];
    ssize_t count;
    while ((count = read(in, buffer, sizeof(buffer))) > 0)
        assert_int_equal(write(out, buffer, (size_t)count), count);
    assert_int_equal(count, 0);
    close(in);
    close(out);
}

static void map_copy(struct mapped_copy *copy, const char *name)
{
    strcpy(copy->directory, "/tmp/loophound-test-XXXXXX");
    assert_non_null(mkdtemp(copy->directory));
    snprintf(copy->path, sizeof(copy->path), "%s/%s", copy->directory, name);
    copy_file("/proc/self/exe", copy->path);
    int fd = open(copy->path, O_RDONLY | O_CLOEXEC);
    copy->size = 4096;
    copy->code = mmap(NULL, copy->size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(copy->code, MAP_FAILED);
    close(fd);
}

static void unmap_copy(struct mapped_copy *copy)
{
    munmap(copy->code, copy->size);
    unlink(copy->path);
    rmdir(copy->directory);
}

static struct lh_elf *elf_of(struct lh_modules *modules, const void *code)
{
    const struct lh_mapping *mapping = lh_modules_find(modules, (uint64_t)(uintptr_t)code);
    assert_non_null(mapping);
    return lh_modules_elf(modules, mapping);
}

static void test_a_file_with_an_odd_name_is_opened(void **state)
{
    (void)state;
    struct mapped_copy copy;
    map_copy(&copy, "odd \n name; é.so");
    struct lh_modules modules = open_self();
    assert_string_equal(module_at(&modules, (uint64_t)(uintptr_t)copy.code)->path, copy.path);
    assert_non_null(elf_of(&modules, copy.code));
    lh_modules_close(&modules);
    unmap_copy(&copy);
}

static void test_another_file_of_the_same_name_is_not_taken_for_it(void **state)
{
    (void)state;
    struct mapped_copy copy;
    map_copy(&copy, "replaced.so");
    struct lh_modules before = open_self();
    const char *build_id = lh_elf_build_id(elf_of(&before, copy.code));
    assert_non_null(build_id);
    assert_int_equal(unlink(copy.path), 0);
    copy_file("/bin/sh", copy.path);

    struct lh_modules after = open_self();
    assert_true(module_at(&after, (uint64_t)(uintptr_t)copy.code)->deleted);
    struct lh_elf *elf = elf_of(&after, copy.code);
    if (elf != NULL) /* with the right to look into /proc/PID/map_files */
        assert_string_equal(lh_elf_build_id(elf), build_id);
    lh_modules_close(&after);
    lh_modules_close(&before);
    unmap_copy(&copy);
}

static void test_processes_share_files_and_a_new_map_keeps_them(void **state)
{
    (void)state;
    struct lh_modules one = open_self();
    struct lh_modules two = open_self();
    struct lh_elf *elf = elf_of(&one, (const void *)(uintptr_t)open_self);
    assert_non_null(elf);
    assert_ptr_equal(elf, elf_of(&two, (const void *)(uintptr_t)open_self));
    assert_int_equal(lh_modules_refresh(&one), 0);
    assert_ptr_equal(elf, elf_of(&one, (const void *)(uintptr_t)open_self));
    lh_modules_close(&one);
    assert_non_null(lh_elf_build_id(elf)); /* `two` still uses it */
    lh_modules_close(&two);
}

static void test_a_file_that_is_no_program_gives_nothing(void **state)
{
    (void)state;
    struct lh_modules modules = {.maps_fd = -1};
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs("\177ELF, it says", file);
    fflush(file);
    assert_null(lh_elf_open(fileno(file), "/nowhere"));
    fclose(file);
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_null(lh_elf_open(directory, "/"));
    close(directory);
    lh_modules_close(&modules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_leads_to_its_mapping),
        cmocka_unit_test(test_the_parts_of_one_file_are_one_module),
        cmocka_unit_test(test_data_is_no_module_and_made_code_has_no_name),
        cmocka_unit_test(test_kernels_own_library_has_names),
        cmocka_unit_test(test_odd_names_are_taken_as_they_are),
        cmocka_unit_test(test_a_bad_line_is_left_out),
        cmocka_unit_test(test_an_empty_map_leaves_the_last_one),
        cmocka_unit_test(test_random_text_does_no_harm),
        cmocka_unit_test(test_a_file_with_an_odd_name_is_opened),
        cmocka_unit_test(test_another_file_of_the_same_name_is_not_taken_for_it),
        cmocka_unit_test(test_processes_share_files_and_a_new_map_keeps_them),
        cmocka_unit_test(test_a_file_that_is_no_program_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
