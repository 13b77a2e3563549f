/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files: what libdw finds in them, and what corrupt ones must not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <dwarf.h>
#include <elf.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <zlib.h>

#include "capture.h"
#include "collect/stack/debug_file.h"
#include "collect/stack/elf_file.h"
#include "collect/stack/modules.h"
#include "collect/stack/unwind.h"
#include "collect/stack/unwind_registers.h"
#include "collect/stack/unwind_table.h"
#include "collect/sys/memory.h"
#include "measured_memory.h"
#include "rounds.h"

static uint64_t random_word(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* Bytes in a file without a name. */
static int make_file(const void *bytes, size_t size)
{
    int fd = memfd_create("copy", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, (const uint8_t *)bytes + done, size - done);
        assert_true(count > 0);
        done += (size_t)count;
    }
    return fd;
}

static uint8_t *read_self(size_t *size)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    *size = (size_t)status.st_size;
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, *size), (ssize_t)*size);
    close(fd);
    return bytes;
}

static struct lh_elf *open_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct lh_elf *elf = lh_elf_open(fd, path);
    close(fd);
    assert_non_null(elf);
    return elf;
}

__attribute__((noinline)) static int a_local_function(int number)
{
    __asm__ volatile("" ::: "memory");
    return number + 1;
}

/* This program's own functions, as the linker counts them: it is position-independent. */
static uint64_t vaddr_of(uintptr_t address)
{
    Dl_info info;
    assert_int_not_equal(dladdr((void *)address, &info), 0);
    return address - (uintptr_t)info.dli_fbase;
}

/* The function, without what was inlined into it. */
static struct lh_symbol symbol_at(struct lh_elf *elf, uint64_t vaddr)
{
    struct lh_symbol found[LH_SYMBOLS_MAX] = {0};
    return found[lh_elf_symbols(elf, vaddr, found, NULL) - 1];
}

static void test_a_local_function_has_its_name_and_line(void **state)
{
    (void)state;
    struct lh_elf *elf = open_path("/proc/self/exe");
    struct lh_symbol symbol = symbol_at(elf, vaddr_of((uintptr_t)a_local_function));
    assert_string_equal(symbol.function, "a_local_function");
    assert_non_null(strstr(symbol.file, "test_elf_file.c"));
    assert_true(symbol.line > 60 && symbol.line < 90);
    lh_elf_release(elf);
}

static void test_the_second_answer_is_the_same(void **state)
{
    (void)state;
    struct lh_elf *elf = open_path("/proc/self/exe");
    uint64_t vaddr = vaddr_of((uintptr_t)a_local_function);
    struct lh_symbol first = symbol_at(elf, vaddr);
    for (uint64_t i = 0; i < 40000; i++) /* more than are remembered */
        symbol_at(elf, i * 16);
    struct lh_symbol again = symbol_at(elf, vaddr);
    assert_ptr_equal(first.function, again.function);
    assert_ptr_equal(first.file, again.file);
    assert_int_equal(first.line, again.line);
    lh_elf_release(elf);
}

/* What a stack's frames have of it is there until they are let go. */
static void test_symbols_are_given_up_oldest_first_and_read_again(void **state)
{
    struct lh_symbol found[LH_SYMBOLS_MAX];
    struct lh_kept first = {0};
    struct lh_kept second = {0};
    uint64_t vaddr = vaddr_of((uintptr_t)a_local_function);
    Dl_info info;
    (void)state;
    assert_int_not_equal(dladdr(dlsym(RTLD_NEXT, "nanosleep"), &info), 0);
    while (lh_elf_forget_oldest()) /* what other tests have asked for */
        continue;
    struct lh_elf *elf = open_path("/proc/self/exe");
    struct lh_elf *libc = open_path(info.dli_fname);
    assert_int_equal(lh_elf_symbols(elf, vaddr, found, &first), 1);
    const char *function = found[0].function;
    (void)symbol_at(libc, 0x1000);
    assert_true(lh_elf_forget_oldest());
    assert_false(lh_elf_forget_oldest()); /* libc's, the last that was asked for */
    assert_string_equal(function, "a_local_function");
    assert_int_equal(lh_elf_symbols(elf, vaddr, found, &second), 1);
    assert_string_equal(found[0].function, "a_local_function");
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 1);
    assert_ptr_not_equal(first.symbols[0], second.symbols[0]);
    assert_true(lh_elf_forget_oldest()); /* libc's */
    assert_false(lh_elf_forget_oldest());
    lh_kept_let_go(&first);
    lh_kept_let_go(&second);
    lh_elf_release(libc);
    lh_elf_release(elf);
}

/* Files that are used keep their names at hand, until there are too many of them. */
static void test_symbols_that_are_given_up_give_their_memory_back(void **state)
{
    enum { FILES = 16 };
    struct lh_elf *files[FILES];
    uint64_t vaddr = vaddr_of((uintptr_t)a_local_function);
    size_t size;
    uint8_t *bytes = read_self(&size);
    (void)state;
    while (lh_elf_forget_oldest())
        continue;
    malloc_trim(0);
    uint64_t before = lh_memory_own();
    for (int i = 0; i < FILES; i++) {
        int fd = make_file(bytes, size);
        files[i] = lh_elf_open(fd, "/proc/self/exe");
        close(fd);
        assert_string_equal(symbol_at(files[i], vaddr).function, "a_local_function");
    }
    malloc_trim(0);
    uint64_t all = lh_memory_own() - before;
    for (int i = 0; i < FILES - 1; i++)
        assert_true(lh_elf_forget_oldest());
    malloc_trim(0);
    uint64_t now = lh_memory_own();
    uint64_t left = now > before ? now - before : 0;
    assert_true(all > FILES * (64u << 10));
    if (!memory_is_kept())
        assert_in_range(left, 0, all / 4);
    for (int i = 0; i < FILES; i++) {
        assert_string_equal(symbol_at(files[i], vaddr).function, "a_local_function");
        lh_elf_release(files[i]);
    }
    free(bytes);
}

struct asker {
    struct lh_elf *files[2];
    _Atomic bool stop;
    _Atomic unsigned wrong;
};

/* Looks at the names after others may have given them up. */
static void *ask_again_and_again(void *argument)
{
    struct asker *asker = argument;
    struct lh_kept kept = {0};
    uint64_t vaddr = vaddr_of((uintptr_t)a_local_function);
    for (unsigned i = 0; !atomic_load(&asker->stop); i++) {
        struct lh_symbol found[LH_SYMBOLS_MAX];
        uint32_t count = lh_elf_symbols(asker->files[i % 2], vaddr, found, &kept);
        (void)sched_yield();
        const struct lh_symbol *symbol = &found[count - 1];
        if (symbol->function == NULL || strcmp(symbol->function, "a_local_function") != 0)
            atomic_fetch_add(&asker->wrong, 1);
        lh_kept_let_go(&kept);
    }
    return NULL;
}

static void test_symbols_are_given_up_while_other_threads_look_at_them(void **state)
{
    size_t size;
    uint8_t *bytes = read_self(&size);
    struct asker asker = {{open_path("/proc/self/exe"), NULL}, false, 0};
    pthread_t threads[3];
    (void)state;
    int fd = make_file(bytes, size);
    asker.files[1] = lh_elf_open(fd, "/proc/self/exe");
    close(fd);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_again_and_again, &asker), 0);
    for (int forgotten = 0; forgotten < 50; forgotten += lh_elf_forget_oldest())
        (void)sched_yield();
    atomic_store(&asker.stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&asker.wrong), 0);
    lh_elf_release(asker.files[0]);
    lh_elf_release(asker.files[1]);
    free(bytes);
}

static Elf64_Shdr *find_section(uint8_t *bytes, const char *name)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
    Elf64_Shdr *sections = (Elf64_Shdr *)(bytes + header->e_shoff);
    const char *names = (const char *)bytes + sections[header->e_shstrndx].sh_offset;
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (strcmp(names + sections[i].sh_name, name) == 0)
            return &sections[i];
    return NULL;
}

/* Where variables are, of which nobody asks here: DWARF 5's, or the older one's. */
static Elf64_Shdr *find_places(uint8_t *bytes)
{
    Elf64_Shdr *places = find_section(bytes, ".debug_loclists");
    return places != NULL ? places : find_section(bytes, ".debug_loc");
}

/* So many zeros, packed, to be freed. */
static uint8_t *pack_zeros(uint64_t size, size_t *packed)
{
    static uint8_t zeros[1 << 16];
    z_stream stream = {0};
    size_t room = 1024 + size / 100;
    uint8_t *to = malloc(room);
    assert_int_equal(deflateInit(&stream, 1), Z_OK);
    stream.next_out = to;
    stream.avail_out = (uInt)room;
    while (stream.total_in < size) {
        uint64_t left = size - stream.total_in;
        stream.next_in = zeros;
        stream.avail_in = (uInt)(left < sizeof(zeros) ? left : sizeof(zeros));
        assert_true(deflate(&stream, left > sizeof(zeros) ? Z_NO_FLUSH : Z_FINISH) >= Z_OK);
    }
    *packed = stream.total_out;
    deflateEnd(&stream);
    return to;
}

/* This program, with a section that is so large when it is unpacked. */
static int make_compressed(uint64_t size)
{
    size_t length;
    size_t packed;
    uint8_t *bytes = read_self(&length);
    uint8_t *zeros = pack_zeros(size, &packed);
    Elf64_Shdr *section = find_places(bytes);
    const Elf64_Chdr compression = {
        .ch_type = ELFCOMPRESS_ZLIB, .ch_size = size, .ch_addralign = 1};
    section->sh_flags |= SHF_COMPRESSED;
    section->sh_offset = length;
    section->sh_size = sizeof(compression) + packed;
    uint8_t *longer = realloc(bytes, length + sizeof(compression) + packed);
    assert_non_null(longer);
    memcpy(longer + length, &compression, sizeof(compression));
    memcpy(longer + length + sizeof(compression), zeros, packed);
    int fd = make_file(longer, length + sizeof(compression) + packed);
    free(longer);
    free(zeros);
    return fd;
}

static void test_debug_information_that_is_too_large_unpacked_is_left_alone(void **state)
{
    (void)state;
    uint64_t vaddr = vaddr_of((uintptr_t)a_local_function);
    int fds[] = {make_compressed(1 << 20), make_compressed(LH_DEBUG_BYTES_MAX + 1ULL)};
    for (int i = 0; i < 2; i++) {
        struct lh_elf *elf = lh_elf_open(fds[i], "/proc/self/exe");
        struct lh_symbol symbol = symbol_at(elf, vaddr);
        assert_int_equal(lh_debug_file_fits(fds[i]), i == 0);
        assert_string_equal(symbol.function, "a_local_function");
        assert_int_equal(symbol.file != NULL, i == 0);
        lh_elf_release(elf);
        close(fds[i]);
    }
}

static void test_older_compression_has_the_same_limit(void **state)
{
    static const uint8_t large[] = {'Z', 'L', 'I', 'B', 0, 0, 0, 1, 0, 0, 0, 0};
    static const uint8_t small[] = {'Z', 'L', 'I', 'B', 0, 0, 0, 0, 1, 0, 0, 0};
    size_t length;
    (void)state;
    uint8_t *bytes = read_self(&length);
    const Elf64_Shdr *section = find_places(bytes);
    memcpy(bytes + section->sh_offset, large, sizeof(large));
    int too_large = make_file(bytes, length);
    memcpy(bytes + section->sh_offset, small, sizeof(small));
    int fits = make_file(bytes, length);
    assert_false(lh_debug_file_fits(too_large));
    assert_true(lh_debug_file_fits(fits));
    close(fits);
    close(too_large);
    free(bytes);
}

static void test_where_nothing_stands_nothing_is_named(void **state)
{
    (void)state;
    struct lh_elf *elf = open_path("/proc/self/exe");
    const uint64_t nowhere[] = {0, 1, UINT64_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        struct lh_symbol symbol = symbol_at(elf, nowhere[i]);
        assert_null(symbol.function);
        assert_null(symbol.file);
        assert_int_equal(symbol.line, 0);
    }
    lh_elf_release(elf);
}

static void test_a_public_name_is_preferred_and_has_no_version(void **state)
{
    (void)state;
    Dl_info info;
    assert_int_not_equal(dladdr(dlsym(RTLD_NEXT, "nanosleep"), &info), 0);
    struct lh_elf *elf = open_path(info.dli_fname);
    uint64_t bias = (uint64_t)(uintptr_t)info.dli_fbase;
    struct lh_symbol symbol = symbol_at(elf, (uint64_t)(uintptr_t)info.dli_saddr - bias);
    assert_string_equal(symbol.function, "nanosleep");
    uint64_t start = (uint64_t)(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main") - bias;
    assert_string_equal(symbol_at(elf, start).function, "__libc_start_main");
    lh_elf_release(elf);
}

/* Runs a shell command in `directory`. */
static void run(const char *directory, const char *command)
{
    char line[512];
    snprintf(line, sizeof(line), "cd %s && %s", directory, command);
    assert_int_equal(system(line), 0);
}

static struct lh_symbol symbol_in(const char *directory)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/program", directory);
    struct lh_elf *elf = open_path(path);
    struct lh_symbol symbol = symbol_at(elf, vaddr_of((uintptr_t)a_local_function));
    lh_elf_release(elf);
    return symbol;
}

/* A program without symbols in a new directory, and beside it what its debug link names. */
static void make_linked(char directory[])
{
    char copy[64];
    assert_non_null(mkdtemp(directory));
    snprintf(copy, sizeof(copy), "cp /proc/%d/exe whole", getpid());
    run(directory, copy);
    run(directory, "objcopy --only-keep-debug whole program.debug");
    run(directory, "objcopy -S --remove-section=.note.gnu.build-id "
                   "--add-gnu-debuglink=program.debug whole program");
}

static void remove_directory(const char *directory)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    run("/", command);
}

static void test_a_debug_link_is_followed_if_the_file_is_the_right_one(void **state)
{
    (void)state;
    char directory[] = "/tmp/loophound-test-XXXXXX";
    make_linked(directory);
    struct lh_symbol symbol = symbol_in(directory);
    assert_non_null(symbol.function);
    assert_string_equal(symbol.function, "a_local_function");
    assert_non_null(strstr(symbol.file, "test_elf_file.c"));

    run(directory, "cp program again && mv again program && echo >> program.debug");
    symbol = symbol_in(directory);
    assert_null(symbol.function);
    assert_null(symbol.file);
    remove_directory(directory);
}

/* The checksum of a file is no secret, and easily made to fit. */
static void test_a_debug_file_that_others_may_have_put_there_is_not_read(void **state)
{
    static const char *const changes[] = {
        "mv program.debug other && ln -s other program.debug",
        "rm program.debug && ln -s /dev/zero program.debug", /* without an end */
        "rm program.debug && mkfifo program.debug", "chown 12345 program.debug", /* root's only */
    };
    size_t count = sizeof(changes) / sizeof(changes[0]) - (geteuid() == 0 ? 0 : 1);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        char directory[] = "/tmp/loophound-test-XXXXXX";
        make_linked(directory);
        run(directory, changes[i]);
        assert_null(symbol_in(directory).function);
        remove_directory(directory);
    }
}

static void test_a_debug_file_of_the_programs_owner_is_read(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    char directory[] = "/tmp/loophound-test-XXXXXX";
    make_linked(directory);
    run(directory, "chown 12345 program program.debug");
    assert_non_null(symbol_in(directory).function);
    remove_directory(directory);
}

static void test_reading_stays_inside_the_file(void **state)
{
    (void)state;
    struct lh_elf *elf = open_path("/proc/self/exe");
    uint8_t magic[SELFMAG];
    assert_true(lh_elf_read(elf, 0, magic, sizeof(magic)));
    assert_memory_equal(magic, ELFMAG, SELFMAG);
    uint64_t word;
    assert_false(lh_elf_read(elf, UINT64_MAX, &word, sizeof(word)));
    assert_false(lh_elf_read_offset(elf, UINT64_MAX - 3, &word, sizeof(word)));
    assert_false(lh_elf_read_offset(elf, (uint64_t)1 << 40, &word, sizeof(word)));
    lh_elf_release(elf);
}

/* The stack of a function that this test then describes wrongly. */
static struct lh_record record;
static struct lh_native_frame unwound[32];

__attribute__((noinline)) static void wrapper(void)
{
    CAPTURE_HERE(&record);
}

__attribute__((noinline)) static void caller(void)
{
    wrapper();
    __asm__ volatile("" ::: "memory");
}

/* Unwinds the record as if this program had been loaded from the copy behind `fd`. */
static uint32_t unwind_with(int fd)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    Dl_info info;
    assert_int_not_equal(dladdr((void *)(uintptr_t)caller, &info), 0);
    uint64_t base = (uint64_t)(uintptr_t)info.dli_fbase;
    char map[256];
    snprintf(map, sizeof(map), "%lx-%lx r-xp 00000000 %x:%x %lu /proc/self/fd/%d\n", base,
             base + (uint64_t)status.st_size, major(status.st_dev), minor(status.st_dev),
             status.st_ino, fd);
    struct lh_modules modules = {.pid = getpid(), .maps_fd = -1};
    assert_int_equal(lh_modules_parse(&modules, map, strlen(map)), 0);
    struct lh_unwinder *unwinder = lh_unwinder_new(&modules);
    assert_non_null(unwinder);
    uint32_t count = lh_unwind(unwinder, &record, unwound, 32);
    assert_true(count <= 32);
    lh_unwinder_free(unwinder);
    lh_modules_close(&modules);
    return count;
}

static void damage(uint8_t *bytes, size_t size)
{
    for (uint64_t i = random_word() % 64; i-- > 0;)
        bytes[random_word() % size] = (uint8_t)random_word();
}

/* Every part that is read: the headers, .eh_frame_hdr, .eh_frame, symbols, DWARF. */
static void damage_part(uint8_t *copy, size_t size, const Elf64_Shdr *sections, unsigned count)
{
    const Elf64_Shdr *section = &sections[random_word() % count];
    switch (random_word() % 8) {
    case 0:
        damage(copy, sizeof(Elf64_Ehdr) + 13 * sizeof(Elf64_Phdr));
        break;
    case 1:
        damage(copy, size);
        break;
    default:
        if (section->sh_type != SHT_NOBITS && section->sh_size > 0)
            damage(copy + section->sh_offset, section->sh_size);
    }
}

static void look_up_all_over(struct lh_elf *elf)
{
    for (uint64_t vaddr = 0; vaddr < 0x20000; vaddr += 0x171) {
        struct lh_unwind_entry entry;
        lh_unwind_entry_find(elf, vaddr, &entry);
        symbol_at(elf, vaddr);
    }
}

static void test_corrupt_files_do_no_harm(void **state)
{
    (void)state;
    caller();
    size_t size;
    uint8_t *bytes = read_self(&size);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
    Elf64_Shdr sections[64];
    unsigned count = header->e_shnum < 64 ? header->e_shnum : 64;
    memcpy(sections, bytes + header->e_shoff, count * sizeof(sections[0]));
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    int opened = 0;
    int runs = rounds(1000);
    for (int run = 0; run < runs; run++) {
        memcpy(copy, bytes, size);
        damage_part(copy, size, sections, count);
        int fd = make_file(copy, run % 10 == 0 ? random_word() % size : size);
        struct lh_elf *elf = lh_elf_open(fd, "/nowhere");
        if (elf != NULL) {
            opened++;
            look_up_all_over(elf);
            unwind_with(fd);
        }
        lh_elf_release(elf);
        close(fd);
    }
    assert_true(opened > runs / 10); /* not all were refused at the first look */
    free(copy);
    free(bytes);
}

/* Read-only data of this program is where its address says: at the same offset of the file. */
static uint64_t fde_offset(const uint8_t *bytes, size_t size, uintptr_t function)
{
    int fd = make_file(bytes, size);
    struct lh_elf *elf = lh_elf_open(fd, "/nowhere");
    close(fd);
    struct lh_unwind_entry entry;
    int32_t row[2];
    assert_true(lh_unwind_entry_find(elf, vaddr_of(function), &entry));
    assert_true(lh_elf_read(elf, entry.entry_vaddr, row, sizeof(row)));
    lh_elf_release(elf);
    return entry.header_vaddr + (uint64_t)(int64_t)row[1];
}

static uint32_t unwind_with_bytes(const uint8_t *bytes, size_t size)
{
    int fd = make_file(bytes, size);
    uint32_t count = unwind_with(fd);
    close(fd);
    return count;
}

static void test_a_return_address_in_no_register_is_refused(void **state)
{
    (void)state;
    caller();
    size_t size;
    uint8_t *bytes = read_self(&size);
    assert_true(unwind_with_bytes(bytes, size) >= 2);
    uint64_t fde = fde_offset(bytes, size, (uintptr_t)caller);
    uint32_t distance;
    memcpy(&distance, bytes + fde + 4, sizeof(distance));
    uint64_t augmentation = fde + 4 - distance + 9;
    /* After its text come two one-byte factors, then the column. */
    uint64_t column = augmentation + strlen((const char *)bytes + augmentation) + 1 + 2;
    assert_int_equal(bytes[column], lh_unwind_return_column);
    bytes[column] = 0x7f;

    int fd = make_file(bytes, size);
    struct lh_elf *elf = lh_elf_open(fd, "/nowhere");
    struct lh_unwind_entry entry;
    assert_false(lh_unwind_entry_find(elf, vaddr_of((uintptr_t)caller), &entry));
    lh_elf_release(elf);
    close(fd);
    free(bytes);
}

/* Replaces how a function of this program is unwound, in a copy of it. */
static void describe(uint8_t *bytes, size_t size, uintptr_t function, const uint8_t *description,
                     size_t length)
{
    /* length, CIE, start, range, length of augmentation (0): then the instructions */
    uint64_t instructions = fde_offset(bytes, size, function) + 17;
    assert_int_equal(bytes[instructions - 1], 0);
    memcpy(bytes + instructions, description, length);
}

static void test_an_endless_expression_ends(void **state)
{
    (void)state;
    caller();
    size_t size;
    uint8_t *bytes = read_self(&size);
    static const uint8_t endless[] = {DW_CFA_def_cfa_expression, 3, DW_OP_skip, 0xfd, 0xff};
    describe(bytes, size, (uintptr_t)wrapper, endless, sizeof(endless));
    alarm(60); /* what would be endless is a failure */
    uint32_t count = unwind_with_bytes(bytes, size);
    alarm(0);
    if (!lh_unwind_has_frame_records) /* else these are followed */
        assert_int_equal(count, 0);
    free(bytes);
}

#ifdef __aarch64__
#define BREG_SP DW_OP_breg31
#else
#define BREG_SP DW_OP_breg7
#endif

static void test_a_frame_that_leads_down_the_stack_is_the_last(void **state)
{
    (void)state;
    caller();
    size_t size;
    uint8_t *bytes = read_self(&size);
    static const uint8_t down[] = {DW_CFA_def_cfa_expression, 2, BREG_SP, 0x78}; /* sp - 8 */
    describe(bytes, size, (uintptr_t)caller, down, sizeof(down));
    assert_true(unwind_with_bytes(bytes, size) >= 1);
    /* Down there, nothing but return addresses into the same function. */
    uint64_t end = unwound[0].sp - record.stack_address - sizeof(uint64_t);
    for (uint64_t at = 0; at < end; at += sizeof(uint64_t))
        memcpy(record.stack + at, &unwound[0].pc, sizeof(uint64_t));
    assert_int_equal(unwind_with_bytes(bytes, size), 1);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_local_function_has_its_name_and_line),
        cmocka_unit_test(test_the_second_answer_is_the_same),
        cmocka_unit_test(test_symbols_are_given_up_oldest_first_and_read_again),
        cmocka_unit_test(test_symbols_that_are_given_up_give_their_memory_back),
        cmocka_unit_test(test_symbols_are_given_up_while_other_threads_look_at_them),
        cmocka_unit_test(test_debug_information_that_is_too_large_unpacked_is_left_alone),
        cmocka_unit_test(test_older_compression_has_the_same_limit),
        cmocka_unit_test(test_where_nothing_stands_nothing_is_named),
        cmocka_unit_test(test_a_public_name_is_preferred_and_has_no_version),
        cmocka_unit_test(test_a_debug_link_is_followed_if_the_file_is_the_right_one),
        cmocka_unit_test(test_a_debug_file_that_others_may_have_put_there_is_not_read),
        cmocka_unit_test(test_a_debug_file_of_the_programs_owner_is_read),
        cmocka_unit_test(test_reading_stays_inside_the_file),
        cmocka_unit_test(test_corrupt_files_do_no_harm),
        cmocka_unit_test(test_a_return_address_in_no_register_is_refused),
        cmocka_unit_test(test_an_endless_expression_ends),
        cmocka_unit_test(test_a_frame_that_leads_down_the_stack_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
