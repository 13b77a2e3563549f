/* Stacks built from records of this very process, and of a child, compared with what is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <sys/wait.h>

#include "capture.h"
#include "collect/stack.h"

#define MOST         64u
#define NOINLINE     __attribute__((noinline))
#define KEEP_FRAME() __asm__ volatile("" ::: "memory") /* no tail call */

static struct lh_record record;
static void *truth[MOST];
static int truth_count;
static int call_line; /* where outer() calls middle() */

NOINLINE static void wrapper(void)
{
    truth_count = backtrace(truth, MOST);
    CAPTURE_HERE(&record);
}

NOINLINE static void inner(void)
{
    wrapper();
    KEEP_FRAME();
}

static int compare(const void *left, const void *right)
{
    static int calls;
    if (calls++ == 0)
        inner();
    KEEP_FRAME();
    return *(const int *)left - *(const int *)right;
}

NOINLINE static void middle(void)
{
    volatile char room[512];
    room[0] = 1;
    inner();
    room[1] = room[0];
}

NOINLINE static void outer(void)
{
    // clang-format off
    middle(); call_line = __LINE__;
    // clang-format on
    KEEP_FRAME();
}

static struct lh_stacks *open_self(void)
{
    struct lh_stacks *stacks =
        lh_stacks_open(getpid(), open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
    assert_non_null(stacks);
    return stacks;
}

static bool ends_with(const char *text, const char *end)
{
    return text != NULL && strlen(text) >= strlen(end) &&
           strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void expect_function(const struct lh_frame *frame, const char *function)
{
    assert_int_equal(frame->lang, LH_LANG_NATIVE);
    assert_non_null(frame->function);
    assert_string_equal(frame->function, function);
}

/* truth[0] is in wrapper(), which is not reported; under AddressSanitizer its backtrace() is the
 * very first. */
static void expect_truth(const struct lh_frame *frames, uint32_t count)
{
    uint32_t skip = (uint32_t)truth_count - count;
    assert_in_range(skip, 1, 2);
    for (uint32_t i = 0; i < count; i++) {
        Dl_info info;
        assert_int_not_equal(dladdr(truth[i + skip], &info), 0);
        assert_int_equal(frames[i].offset, (uint64_t)truth[i + skip] - (uint64_t)info.dli_fbase);
        assert_true(frames[i].module[0] == '/');
    }
}

static void test_functions_are_named_innermost_first_without_the_wrapper(void **state)
{
    (void)state;
    outer();
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    assert_true(count >= 5);
    expect_function(&frames[0], "inner");
    expect_function(&frames[1], "middle");
    expect_function(&frames[2], "outer");
    expect_function(&frames[3], __func__);
    expect_truth(frames, count);
    assert_true(ends_with(frames[2].file, "test_stack.c"));
    assert_int_equal(frames[2].line, call_line);
    lh_stacks_close(stacks);
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
        found = strstr(frames[i].module, "libc.so") != NULL;
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

static void test_no_more_frames_than_asked_for(void **state)
{
    (void)state;
    outer();
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[3] = {{.function = NULL}, {.function = NULL}, {.function = "untouched"}};
    assert_int_equal(lh_stacks_build(stacks, &record, frames, 2), 2);
    expect_function(&frames[1], "middle");
    assert_string_equal(frames[2].function, "untouched");
    assert_int_equal(lh_stacks_build(stacks, &record, frames, 0), 0);
    lh_stacks_close(stacks);
}

/* A function whose first instruction traps: a byte before it is another function. */
void trap_at_once(void);
__asm__(".pushsection .text\n"
        ".type before_trap, @function\nbefore_trap: nop\n.size before_trap, .-before_trap\n"
        ".globl trap_at_once\n.type trap_at_once, @function\n"
        "trap_at_once: .cfi_startproc\nud2\nret\n.cfi_endproc\n"
        ".size trap_at_once, .-trap_at_once\n.popsection");

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    inner();
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2; /* the length of ud2 */
}

static void test_an_interrupted_instruction_is_looked_up_itself(void **state)
{
    (void)state;
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
__asm__(".pushsection .text\n"
        ".globl ends_in_call\n.type ends_in_call, @function\n"
        "ends_in_call: .cfi_startproc\nsubq $8, %rsp\n.cfi_def_cfa_offset 16\ncall *%rdi\n"
        ".size ends_in_call, .-ends_in_call\n"
        ".type after_call, @function\n"
        "after_call: addq $8, %rsp\n.cfi_def_cfa_offset 8\nret\n.cfi_endproc\n"
        ".size after_call, .-after_call\n"
        ".Lwithout_name: .cfi_startproc\nsubq $8, %rsp\n.cfi_def_cfa_offset 16\ncall *%rdi\n"
        "addq $8, %rsp\n.cfi_def_cfa_offset 8\nret\n.cfi_endproc\n"
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

static void add_python(const char *function, uint64_t boundary)
{
    if (record.strings_length == 0)
        record.strings_length = (uint32_t)sizeof("app.py");
    memcpy(record.strings, "app.py", sizeof("app.py"));
    record.python[record.python_count] = (struct lh_python_frame){
        .boundary = boundary, .line = 7, .file = 0, .function = (uint16_t)record.strings_length};
    memcpy(record.strings + record.strings_length, function, strlen(function) + 1);
    record.strings_length += (uint32_t)strlen(function) + 1;
    record.python_count++;
}

static void expect_python(const struct lh_frame *frame, const char *function)
{
    assert_int_equal(frame->lang, LH_LANG_PYTHON);
    assert_string_equal(frame->function, function);
    assert_string_equal(frame->file, "app.py");
    assert_int_equal(frame->line, 7);
    assert_null(frame->module);
}

static uint64_t loop_address;

/* Stands for the interpreter's loop: an address in its frame is the boundary. */
NOINLINE static void interpreter_loop(void)
{
    volatile uint64_t local = 0;
    loop_address = (uint64_t)(uintptr_t)&local;
    inner();
    local = 1;
}

static void test_python_frames_stand_in_for_the_interpreter_loop(void **state)
{
    (void)state;
    interpreter_loop();
    add_python("leaf", 0);
    add_python("root", loop_address);
    assert_true(lh_record_check(&record));
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    assert_true(count > 4);
    memset(record.strings, 'x', sizeof(record.strings)); /* names outlive the record */
    expect_function(&frames[0], "inner");
    expect_python(&frames[1], "leaf");
    expect_python(&frames[2], "root");
    expect_function(&frames[3], __func__);
    lh_stacks_close(stacks);
}

static void test_without_a_stack_copy_python_frames_stand_alone(void **state)
{
    (void)state;
    interpreter_loop();
    add_python("leaf", loop_address);
    record.stack_address = 0;
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    assert_int_equal(lh_stacks_build(stacks, &record, frames, MOST), 1);
    expect_python(&frames[0], "leaf");
    lh_stacks_close(stacks);
}

/* A child that has captured itself into `shared` and waits until it is ended. */
static pid_t start_child(struct lh_record *shared)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        outer();
        memcpy(shared, &record, sizeof(*shared));
        (void)!write(ready[1], "", 1);
        for (;;)
            pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void end_child(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_a_stack_of_another_process_also_after_its_death(void **state)
{
    (void)state;
    struct lh_record *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    pid_t child = start_child(shared);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/maps", child);
    struct lh_stacks *stacks = lh_stacks_open(child, open(path, O_RDONLY | O_CLOEXEC));
    assert_non_null(stacks);
    end_child(child);

    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, shared, frames, MOST);
    assert_true(count > 3);
    expect_function(&frames[1], "middle");
    expect_function(&frames[2], "outer");

    /* An address outside of the map makes it read again: there is nothing to read now. */
    struct lh_record *lost = malloc(sizeof(*lost));
    assert_non_null(lost);
    memcpy(lost, shared, sizeof(*lost));
    lost->registers.rip = 0x1000;
    assert_int_equal(lh_stacks_build(stacks, lost, frames, MOST), 0);
    assert_int_equal(lh_stacks_build(stacks, shared, frames, MOST), count);
    expect_function(&frames[2], "outer");
    free(lost);
    lh_stacks_close(stacks);
    munmap(shared, sizeof(*shared));
}

static void test_without_a_map_there_is_no_native_frame(void **state)
{
    (void)state;
    outer();
    struct lh_stacks *stacks = lh_stacks_open(getpid(), -1);
    assert_non_null(stacks);
    struct lh_frame frames[MOST];
    assert_int_equal(lh_stacks_build(stacks, &record, frames, MOST), 0);
    lh_stacks_close(stacks);
}

/* Code that came after the map was read. */
static void test_code_that_was_mapped_later_is_found(void **state)
{
    (void)state;
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    size_t size = 4096;
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(code, MAP_FAILED);
    /* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret: code without any description */
    static const uint8_t bytes[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
    memcpy(code, bytes, sizeof(bytes));
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
    record.registers.rip = frame[1];
    record.registers.rbp = frame[0];
    memcpy(record.stack + 64, frame, sizeof(frame));
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    assert_int_equal(lh_stacks_build(stacks, &record, frames, MOST), 1);
    munmap(code, 4096);
    lh_stacks_close(stacks);
}

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
        return record.stack_address + random_word() % LH_STACK_BYTES;
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
    uint64_t *registers[] = {&bad->registers.rbx, &bad->registers.rbp, &bad->registers.r12,
                             &bad->registers.rsp, &bad->registers.rip, &bad->stack_address};
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        if (random_word() % 4 == 0)
            *registers[i] = tempting_word();
    for (uint64_t i = random_word() % 64; i-- > 0;) {
        uint64_t word = tempting_word();
        memcpy(bad->stack + random_word() % (LH_STACK_BYTES / 8) * 8, &word, sizeof(word));
    }
    for (uint64_t i = random_word() % 16; i-- > 0;) { /* where the first frames are */
        uint64_t word = tempting_word();
        memcpy(bad->stack + random_word() % 256 * 8, &word, sizeof(word));
    }
    if (random_word() % 8 == 0)
        bad->stack_length = (uint32_t)(random_word() % (LH_STACK_BYTES + 1));
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
        cmocka_unit_test(test_functions_are_named_innermost_first_without_the_wrapper),
        cmocka_unit_test(test_frames_of_libc_between_ours_are_found),
        cmocka_unit_test(test_a_signal_handler_leads_to_what_it_interrupted),
        cmocka_unit_test(test_an_interrupted_instruction_is_looked_up_itself),
        cmocka_unit_test(test_a_return_address_is_looked_up_one_byte_before),
        cmocka_unit_test(test_where_no_name_is_known_there_is_the_build_id),
        cmocka_unit_test(test_no_more_frames_than_asked_for),
        cmocka_unit_test(test_python_frames_stand_in_for_the_interpreter_loop),
        cmocka_unit_test(test_without_a_stack_copy_python_frames_stand_alone),
        cmocka_unit_test(test_a_stack_of_another_process_also_after_its_death),
        cmocka_unit_test(test_without_a_map_there_is_no_native_frame),
        cmocka_unit_test(test_code_that_was_mapped_later_is_found),
        cmocka_unit_test(test_a_stack_that_leads_to_itself_ends),
        cmocka_unit_test(test_hostile_registers_and_stacks_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
