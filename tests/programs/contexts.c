/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that leaves calls and stacks in unusual ways: contexts WAY. It blocks for BLOCK_MS where a
 * comment of a way says so, and prints what it has come to. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "small_loop.h"

#define BLOCK_MS    150
#define LONG_MS     600
#define STORM       20000
#define STACK_BYTES (64 * 1024)

/* Frames further in than all calls that were left before. */
static __attribute__((noinline)) void block_further_in(int depth)
{
    volatile char room[256];
    room[0] = (char)depth;
    if (depth > 0)
        block_further_in(depth - 1);
    else
        sleep_ms(BLOCK_MS);
    room[1] = room[0];
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    check(sigaction(number, &action, NULL) == 0);
}

static void alarm_in_ms(long ms)
{
    const struct itimerval timer = {.it_value = {0, ms * 1000}};
    check(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* ---- jumps ---- */

static sigjmp_buf outside;

static void jump_out(int number)
{
    siglongjmp(outside, number);
}

/* Out of a sleep of an hour, then a block from further in than the sleep was. */
static void leave_a_call(void)
{
    int set = begin_loop();
    handle(SIGALRM, jump_out, 0);
    alarm_in_ms(5);
    if (sigsetjmp(outside, 1) == 0)
        sleep_ms(3600 * 1000);
    block_further_in(8);
    turn(set);
    puts("left a call");
}

/* The same out of the park. */
static void leave_the_park(void)
{
    struct epoll_event event;
    int set = begin_loop();
    handle(SIGALRM, jump_out, 0);
    alarm_in_ms(5);
    if (sigsetjmp(outside, 1) == 0)
        epoll_wait(set, &event, 1, -1);
    block_further_in(8);
    turn(set);
    puts("left the park");
}

/* Out of a sleep of an hour, when it is told to by SIGUSR1. */
static void leave_a_long_call(void)
{
    int set = begin_loop();
    handle(SIGUSR1, jump_out, 0);
    if (sigsetjmp(outside, 1) == 0)
        sleep_ms(3600 * 1000);
    turn(set);
    puts("left a call");
}

/* A loop whose watchdog a fork was to stop for a moment only: blocks until there is some input. */
static void block_until_told(int set)
{
    char byte;
    turn(set);
    check(read(STDIN_FILENO, &byte, 1) == 1);
    turn(set);
}

static void jump_out_of_fork(void)
{
    siglongjmp(outside, 1);
}

static void leave_fork_by_a_jump(void)
{
    int set = begin_loop();
    check(pthread_atfork(jump_out_of_fork, NULL, NULL) == 0);
    if (sigsetjmp(outside, 1) == 0)
        fork();
    block_until_told(set);
}

static void end_thread(void)
{
    pthread_exit(NULL);
}

static void *fork_in_thread(void *unused)
{
    fork();
    return unused;
}

static void leave_fork_by_the_threads_end(void)
{
    pthread_t thread;
    int set = begin_loop();
    check(pthread_atfork(end_thread, NULL, NULL) == 0);
    check(pthread_create(&thread, NULL, fork_in_thread, NULL) == 0);
    check(pthread_join(thread, NULL) == 0);
    block_until_told(set);
}

static jmp_buf inside;

static void jump_inside(int number)
{
    if (setjmp(inside) == 0)
        longjmp(inside, number);
}

/* A handler that jumps inside itself has left nothing: the sleep that it ends is a block. */
static void jump_within_a_handler(void)
{
    const struct timespec time = {0, BLOCK_MS * 1000000L};
    const struct timespec hour = {3600, 0};
    int set = begin_loop();
    handle(SIGALRM, jump_inside, SA_RESTART);
    alarm_in_ms(70);
    check(nanosleep(&hour, NULL) != 0 && errno == EINTR);
    check(nanosleep(&time, NULL) == 0);
    turn(set);
    puts("left nothing");
}

/* Calls, jumps and parks, often, from depths that change. */
static void storm(void)
{
    static jmp_buf round;
    static volatile int rounds;
    int set = begin_loop();
    char byte;
    setjmp(round);
    if (++rounds < STORM) {
        (void)!read(-1, &byte, 1);
        if (rounds % 100 == 0)
            turn(set);
        if (rounds % 2 == 0)
            siglongjmp(round, 1);
        _longjmp(round, 1);
    }
    block_further_in(8);
    turn(set);
    printf("%d rounds\n", rounds);
}

/* ---- handlers ---- */

static int pair[2];
static volatile sig_atomic_t depth, deepest, handled;

/* Comes again while it runs, makes calls of all kinds, and keeps errno. */
static void call_in_handler(int number)
{
    int saved_errno = errno;
    const struct timespec moment = {0, 100000};
    char byte = 'x';
    if (++depth > deepest)
        deepest = depth;
    check(send(pair[0], &byte, 1, 0) == 1);
    if (depth < 4)
        raise(number);
    check(recv(pair[1], &byte, 1, 0) == 1 && byte == 'x');
    nanosleep(&moment, NULL);
    handled++;
    depth--;
    errno = saved_errno;
}

/* Each comes in the middle of a read, which waits for LONG_MS in all. */
static void handle_inside_a_call(bool own_stack)
{
    static char memory[STACK_BYTES];
    const stack_t stack = {.ss_sp = memory, .ss_size = STACK_BYTES};
    const struct timeval time = {0, LONG_MS * 1000};
    int quiet[2];
    char byte;
    if (own_stack)
        check(sigaltstack(&stack, NULL) == 0);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, quiet) == 0);
    check(setsockopt(quiet[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
    handle(SIGALRM, call_in_handler, SA_NODEFER | (own_stack ? SA_ONSTACK : 0));
    int set = begin_loop();
    for (int i = 0; i < 2; i++) {
        alarm_in_ms(10);
        check(read(quiet[0], &byte, 1) < 0 && errno == EINTR); /* a time limit is never restarted */
        check(read(quiet[0], &byte, 1) < 0 && errno == EAGAIN);
        turn(set);
    }
    printf("%d handled, %d deep\n", (int)handled, (int)deepest);
}

static void handle_on_the_same_stack(void)
{
    handle_inside_a_call(false);
}

static void handle_on_an_own_stack(void)
{
    handle_inside_a_call(true);
}

static void block_in_handler(int number)
{
    sleep_ms(BLOCK_MS);
    handled += number;
}

/* The loop waits for events, but is held by the handler. */
static void handle_inside_the_park(void)
{
    struct epoll_event event;
    int set = begin_loop();
    handle(SIGALRM, block_in_handler, 0);
    alarm_in_ms(10);
    check(epoll_wait(set, &event, 1, -1) < 0 && errno == EINTR);
    turn(set);
    check(handled == SIGALRM);
    puts("handled in the park");
}

/* ---- stacks ---- */

static ucontext_t loop_context, coroutine_context;

static void block_on_a_context(void)
{
    sleep_ms(BLOCK_MS);
    swapcontext(&coroutine_context, &loop_context);
    block_further_in(2);
}

/* Two blocks in a context that the loop switches to and comes back from in between. */
static void block_on_contexts(void)
{
    int set = begin_loop();
    check(getcontext(&coroutine_context) == 0);
    coroutine_context.uc_stack.ss_sp = malloc(STACK_BYTES);
    coroutine_context.uc_stack.ss_size = STACK_BYTES;
    coroutine_context.uc_link = &loop_context;
    makecontext(&coroutine_context, block_on_a_context, 0);
    for (int i = 0; i < 2; i++) {
        check(swapcontext(&loop_context, &coroutine_context) == 0);
        turn(set);
    }
    free(coroutine_context.uc_stack.ss_sp);
    puts("two contexts");
}

/* Stores the callee-saved registers and the stack pointer, and loads another's: as Boost.Context's
 * jump_fcontext does, without a trace for unwinders. */
void switch_stack(void **save, void *to);
#ifdef __aarch64__
#define SAVED 12 /* words: x19 to x30 */
__asm__(".text\n"
        ".globl switch_stack\n"
        ".type switch_stack, %function\n"
        "switch_stack:\n"
        "  stp x29, x30, [sp, #-96]!\n"
        "  stp x19, x20, [sp, #16]\n"
        "  stp x21, x22, [sp, #32]\n"
        "  stp x23, x24, [sp, #48]\n"
        "  stp x25, x26, [sp, #64]\n"
        "  stp x27, x28, [sp, #80]\n"
        "  mov x2, sp\n"
        "  str x2, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x27, x28, [sp, #80]\n"
        "  ldp x25, x26, [sp, #64]\n"
        "  ldp x23, x24, [sp, #48]\n"
        "  ldp x21, x22, [sp, #32]\n"
        "  ldp x19, x20, [sp, #16]\n"
        "  ldp x29, x30, [sp], #96\n"
        "  ret\n"
        ".size switch_stack, . - switch_stack\n"
        ".globl enter_stack\n"
        ".type enter_stack, %function\n"
        "enter_stack:\n"
        "  mov x30, xzr\n" /* the end of the stack */
        "  br x19\n"
        ".size enter_stack, . - enter_stack\n");

void enter_stack(void);

static void *first_stack(void **top, void (*function)(void))
{
    top -= SAVED;
    top[1] = (void *)enter_stack; /* x30 */
    top[2] = (void *)function;    /* x19 */
    return top;
}
#else
__asm__(".text\n"
        ".globl switch_stack\n"
        ".type switch_stack, @function\n"
        "switch_stack:\n"
        "  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp\n"
        "  ret\n"
        ".size switch_stack, . - switch_stack\n");

/* What "ret" and the six "popq" find there. */
static void *first_stack(void **top, void (*function)(void))
{
    *--top = NULL; /* the end of the stack, aligned as at a call */
    *--top = (void *)function;
    return top - 6;
}
#endif

static void *loop_stack, *coroutine_stack;

static void coroutine(void)
{
    for (;;) {
        block_further_in(1);
        switch_stack(&coroutine_stack, loop_stack);
    }
}

/* The same on a stack of the program's own making; and unmapped, at last. */
static void block_on_own_stacks(void)
{
    int set = begin_loop();
    void **memory =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory != MAP_FAILED);
    coroutine_stack = first_stack(memory + STACK_BYTES / sizeof(void *), coroutine);
    for (int i = 0; i < 2; i++) {
        switch_stack(&loop_stack, coroutine_stack);
        turn(set);
    }
    check(munmap(memory, STACK_BYTES) == 0);
    block_further_in(1);
    turn(set);
    puts("own stacks");
}

static const struct way ways[] = {
    {"call", leave_a_call},
    {"long-call", leave_a_long_call},
    {"fork-jump", leave_fork_by_a_jump},
    {"fork-exit", leave_fork_by_the_threads_end},
    {"long-call", leave_a_long_call},
    {"fork-jump", leave_fork_by_a_jump},
    {"fork-exit", leave_fork_by_the_threads_end},
    {"park", leave_the_park},
    {"within", jump_within_a_handler},
    {"storm", storm},
    {"handler", handle_on_the_same_stack},
    {"own-stack", handle_on_an_own_stack},
    {"in-park", handle_inside_the_park},
    {"ucontext", block_on_contexts},
    {"assembly", block_on_own_stacks},
};

int main(int argc, char **argv)
{
    return take_way(ways, ROWS(ways), argc > 1 ? argv[1] : NULL);
}
