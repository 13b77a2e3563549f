/* SPDX-License-Identifier: Apache-2.0 */
/* Ways through a stack that are not plain calls, and stacks that lead nowhere. */
#include "nested_calls.h"
#include "thread_sanitizer.h"

#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

static int compare(const void *left, const void *right)
{
    static int calls;
    if (calls++ == 0)
        inner();
    KEEP_FRAME();
    return *(const int *)left - *(const int *)right;
}

static void test_frames_of_libc_between_ours_are_found(void **state)
{
    (void)state;
    int numbers[] = {3, 1, 2};
    qsort(numbers, 3, sizeof(numbers[0]), compare);
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    expect_function(&frames[0], "inner");
    expect_function(&frames[1], "compare");
    expect_truth(frames, count);
    bool found = false;
    for (uint32_t i = 2; i < count && !found; i++)
        found = strstr(frames[i].module, "/libc") != NULL; /* libc.so.6, libc-2.31.so */
    assert_true(found);
    lh_stacks_close(stacks);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    inner();
    interrupted = 1;
}

NOINLINE static void raise_here(void)
{
    raise(SIGUSR1);
    KEEP_FRAME();
}

static void test_a_signal_handler_leads_to_what_it_interrupted(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    raise_here();
    assert_int_equal(interrupted, 1);
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    expect_function(&frames[1], "on_signal");
    expect_truth(frames, count);
    bool found = false;
    for (uint32_t i = 2; i < count; i++)
        found |= frames[i].function != NULL && strcmp(frames[i].function, "raise_here") == 0;
    assert_true(found);
    lh_stacks_close(stacks);
}

#ifdef __aarch64__
#define TRAP "udf #0"
static void skip_trap(ucontext_t *context)
{
    context->uc_mcontext.pc += 4;
}
#else
#define TRAP "ud2"
static void skip_trap(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_RIP] += 2;
}
#endif

/* A function whose first instruction traps: a byte before it is another function. */
void trap_at_once(void);
__asm__(".pushsection .text\n"
        ".type before_trap, %function\nbefore_trap: nop\n.size before_trap, .-before_trap\n"
        ".globl trap_at_once\n.type trap_at_once, %function\n"
        "trap_at_once: .cfi_startproc\n" TRAP "\nret\n.cfi_endproc\n"
        ".size trap_at_once, .-trap_at_once\n.popsection");

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    inner();
    skip_trap(context);
}

static void test_an_interrupted_instruction_is_looked_up_itself(void **state)
{
    (void)state;
    skip_under_thread_sanitizer(); /* whose own handler stands in between */
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    assert_int_equal(sigaction(SIGILL, &action, NULL), 0);
    trap_at_once();
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    assert_true(count > 4);
    expect_function(&frames[1], "on_trap");
    expect_function(&frames[3], "trap_at_once");
    expect_function(&frames[4], __func__);
    lh_stacks_close(stacks);
}

/* A function that ends in a call, so that the return address is the next function's; and one that
 * has no symbol. Both call what they are given. */
void ends_in_call(void (*function)(void));
extern void (*const without_name)(void (*function)(void));
#ifdef __aarch64__
#define CALL_IT                                                                                    \
    "stp x29, x30, [sp, #-16]!\n.cfi_def_cfa_offset 16\n.cfi_offset 29, -16\n"                     \
    ".cfi_offset 30, -8\nblr x0\n"
#define RETURN "ldp x29, x30, [sp], #16\n.cfi_def_cfa_offset 0\nret\n"
#else
#define CALL_IT "subq $8, %rsp\n.cfi_def_cfa_offset 16\ncall *%rdi\n"
#define RETURN  "addq $8, %rsp\n.cfi_def_cfa_offset 8\nret\n"
#endif
__asm__(".pushsection .text\n"
        ".globl ends_in_call\n.type ends_in_call, %function\n"
        "ends_in_call: .cfi_startproc\n" CALL_IT ".size ends_in_call, .-ends_in_call\n"
        ".type after_call, %function\n"
        "after_call: " RETURN ".cfi_endproc\n"
        ".size after_call, .-after_call\n"
        ".Lwithout_name: .cfi_startproc\n" CALL_IT RETURN ".cfi_endproc\n"
        ".popsection\n"
        ".pushsection .data.rel.ro, \"aw\"\n.balign 8\n.globl without_name\n"
        "without_name: .quad .Lwithout_name\n.popsection");

static void test_a_return_address_is_looked_up_one_byte_before(void **state)
{
    (void)state;
    ends_in_call(inner);
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    assert_true(lh_stacks_build(stacks, &record, frames, MOST) > 2);
    expect_function(&frames[1], "ends_in_call");
    expect_function(&frames[2], __func__);
    assert_null(frames[1].build_id);
    lh_stacks_close(stacks);
}

/* The build-id as the loader has it: the note's bytes, in hexadecimal. */
static int find_build_id(struct dl_phdr_info *info, size_t size, void *text)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uint8_t *note = (const uint8_t *)(uintptr_t)(info->dlpi_addr + header->p_vaddr);
        const ElfW(Nhdr) *head = (const ElfW(Nhdr) *)note;
        if (header->p_type != PT_NOTE || head->n_type != NT_GNU_BUILD_ID)
            continue;
        for (uint32_t k = 0; k < head->n_descsz; k++)
            snprintf((char *)text + (size_t)2 * k, 3, "%02x", note[sizeof(*head) + 4 + k]);
        return 1;
    }
    return 1; /* only the program itself */
}

static void test_where_no_name_is_known_there_is_the_build_id(void **state)
{
    (void)state;
    char build_id[128] = "";
    dl_iterate_phdr(find_build_id, build_id);
    without_name(inner);
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    assert_true(count > 2);
    assert_null(frames[1].function);
    assert_int_equal(frames[1].lang, LH_LANG_NATIVE);
    assert_non_null(frames[1].build_id);
    assert_string_equal(frames[1].build_id, build_id);
    expect_truth(frames, count);
    lh_stacks_close(stacks);
}

/* Calls what it is given, and keeps a frame pointer: code without any description. */
#ifdef __aarch64__
/* stp x29, x30, [sp, #-16]!; mov x29, sp; blr x0; ldp x29, x30, [sp], #16; ret */
static const uint32_t calls_it[] = {0xa9bf7bfd, 0x910003fd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0};
#else
/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const uint8_t calls_it[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
#endif

/* Code that came after the map was read. */
static void test_code_that_was_mapped_later_is_found(void **state)
{
    (void)state;
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    size_t size = 4096;
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(code, MAP_FAILED);
    memcpy(code, calls_it, sizeof(calls_it));
    __builtin___clear_cache((char *)code, (char *)code + sizeof(calls_it));
    assert_int_equal(mprotect(code, size, PROT_READ | PROT_EXEC), 0);
    void (*call)(void (*)(void));
    memcpy(&call, &code, sizeof(call));
    call(inner);
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    assert_true(count >= 3);
    expect_function(&frames[0], "inner");
    assert_int_equal(frames[1].lang, LH_LANG_JIT);
    assert_null(frames[1].function);
    assert_null(frames[1].module);
    expect_function(&frames[2], __func__); /* by the frame pointer */
    bool found = false;                    /* and on from there, with the right stack pointer */
    for (uint32_t i = 3; i < count; i++)
        found |= frames[i].function != NULL && strcmp(frames[i].function, "main") == 0;
    assert_true(found);
    munmap(code, size);
    lh_stacks_close(stacks);
}

static void test_a_stack_that_leads_to_itself_ends(void **state)
{
    (void)state;
    outer();
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(code, MAP_FAILED);
    /* Code without a description, and a frame whose caller is itself. */
    uint64_t frame[2] = {record.stack_address + 64, (uint64_t)(uintptr_t)code + 16};
    record.registers.pc = frame[1];
    record.registers.fp = frame[0];
    memcpy(record.stack + 64, frame, sizeof(frame));
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    assert_int_equal(lh_stacks_build(stacks, &record, frames, MOST), 1);
    munmap(code, 4096);
    lh_stacks_close(stacks);
}

#ifdef __aarch64__
/* All that is known of a thread that waits in a function of libc's which stores nothing: where it
 * is, and its stack pointer, at which its caller has its frame record. */
static void test_a_wait_that_stores_nothing_is_stepped_out_of(void **state)
{
    (void)state;
    outer();
    record.registers = (struct lh_registers){
        .pc = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "getpid"), .sp = record.registers.fp};
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    assert_true(lh_stacks_build(stacks, &record, frames, MOST) > 4);
    expect_function(&frames[0], "inner");
    expect_function(&frames[1], "middle");
    expect_function(&frames[2], "outer");
    expect_function(&frames[3], __func__);

    /* A program's own function that stores nothing has such a record nowhere. */
    record.registers.pc = (uint64_t)(uintptr_t)trap_at_once;
    assert_int_equal(lh_stacks_build(stacks, &record, frames, MOST), 0);
    lh_stacks_close(stacks);
}
#endif

static uint64_t random_word(void)
{
    static uint64_t x = 0x2545f4914f6cdd1d;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static void fill_random(void *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = (uint8_t)random_word();
}

/* A word that may well be followed: into the stack copy, into code, or nowhere. */
static uint64_t tempting_word(void)
{
    switch (random_word() % 4) {
    case 0:
        return record.stack_address + random_word() % CAPTURE_BYTES;
    case 1:
        return (uint64_t)truth[random_word() % (uint64_t)truth_count] + random_word() % 64;
    case 2:
        return UINT64_MAX - random_word() % 64;
    default:
        return random_word();
    }
}

static void corrupt(struct lh_record *bad)
{
    uint64_t words[sizeof(bad->registers) / sizeof(uint64_t)];
    memcpy(words, &bad->registers, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (random_word() % 4 == 0)
            words[i] = tempting_word();
    memcpy(&bad->registers, words, sizeof(words));
    if (random_word() % 4 == 0)
        bad->stack_address = tempting_word();
    for (uint64_t i = random_word() % 64; i-- > 0;) {
        uint64_t word = tempting_word();
        memcpy(bad->stack + random_word() % (CAPTURE_BYTES / 8) * 8, &word, sizeof(word));
    }
    for (uint64_t i = random_word() % 16; i-- > 0;) { /* where the first frames are */
        uint64_t word = tempting_word();
        memcpy(bad->stack + random_word() % 256 * 8, &word, sizeof(word));
    }
    if (random_word() % 8 == 0)
        bad->stack_length = (uint32_t)(random_word() % (CAPTURE_BYTES + 1));
    if (random_word() % 16 == 0)
        fill_random(bad->stack, 1024);
}

static void test_hostile_registers_and_stacks_do_no_harm(void **state)
{
    (void)state;
    outer();
    struct lh_stacks *stacks = open_self();
    struct lh_record *bad = malloc(sizeof(*bad));
    assert_non_null(bad);
    uint64_t total = 0;
    for (int run = 0; run < 5000; run++) {
        struct lh_frame frames[MOST];
        memcpy(bad, &record, sizeof(*bad));
        corrupt(bad);
        assert_true(lh_record_check(bad));
        uint32_t count = lh_stacks_build(stacks, bad, frames, MOST);
        assert_true(count <= MOST);
        total += count;
    }
    assert_true(total > 5000); /* it was not all refused at the first look */
    free(bad);
    lh_stacks_close(stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_of_libc_between_ours_are_found),
        cmocka_unit_test(test_a_signal_handler_leads_to_what_it_interrupted),
        cmocka_unit_test(test_an_interrupted_instruction_is_looked_up_itself),
        cmocka_unit_test(test_a_return_address_is_looked_up_one_byte_before),
        cmocka_unit_test(test_where_no_name_is_known_there_is_the_build_id),
        cmocka_unit_test(test_code_that_was_mapped_later_is_found),
        cmocka_unit_test(test_a_stack_that_leads_to_itself_ends),
#ifdef __aarch64__
        cmocka_unit_test(test_a_wait_that_stores_nothing_is_stepped_out_of),
#endif
        cmocka_unit_test(test_hostile_registers_and_stacks_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
