/* SPDX-License-Identifier: Apache-2.0 */
/* What the library does when it captures a stack, for tests of the collector: registers and the
 * bytes above the stack pointer of the calling thread. */
#ifndef LH_TESTS_UNIT_CAPTURE_H
#define LH_TESTS_UNIT_CAPTURE_H

#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/record.h"
#include "preload/sys/cpu.h"

#define CAPTURE_BYTES 32768u
#define CAPTURE_PAGE  4096u
#define CAPTURE_PAGES (CAPTURE_BYTES / CAPTURE_PAGE + 1)

/* Copies upward from `address`; stops where nothing is mapped. Returns the number of bytes. */
static inline uint32_t capture_memory(uint64_t address, uint8_t *to)
{
    struct iovec local = {to, CAPTURE_BYTES};
    struct iovec pages[CAPTURE_PAGES];
    int count = 0;
    uint64_t end = address + CAPTURE_BYTES;
    for (uint64_t at = address; at < end; count++) {
        uint64_t next = (at / CAPTURE_PAGE + 1) * CAPTURE_PAGE;
        next = next < end ? next : end;
        pages[count] = (struct iovec){(void *)(uintptr_t)at, next - at};
        at = next;
    }
    ssize_t copied = process_vm_readv(getpid(), &local, 1, pages, (unsigned long)count, 0);
    return copied > 0 ? (uint32_t)copied : 0;
}

/* Stands for the wrapper: the frame in which it is expanded is the one that is not reported. */
#define CAPTURE_HERE(record)                                                                       \
    do {                                                                                           \
        struct lh_record *capture_record = (record);                                               \
        memset(capture_record, 0, sizeof(*capture_record));                                        \
        lh_cpu_registers(&capture_record->registers);                                              \
        capture_record->stack_address = capture_record->registers.sp;                              \
        capture_record->stack_length =                                                             \
            capture_memory(capture_record->stack_address, capture_record->stack);                  \
    } while (0)

#endif
