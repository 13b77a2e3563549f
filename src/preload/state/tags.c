/* SPDX-License-Identifier: Apache-2.0 */
/* The test that runs, labels of threads. See tags.h.
 *
 * Whoever reads may do so while another thread writes: it looks at a number before and after, and
 * reads again where that has changed. Neither waits for the other. */
#include "preload/state/tags.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/state/state.h"
#include "preload/state/thread_end.h"
#include "preload/state/version.h"
#include "preload/sys/memory.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

#define TESTS                4u    /* so many threads may set it at the same moment */
#define PAGE_BYTES           4096u /* labels are had by the page */
#define PROGRAM_LABELS_BYTES 1024u /* most of loophound_labels() */
#define TRIES                4

/* Each setting has a number, and a place by that. Not in memory that a fork wipes. */
static struct test {
    _Atomic uint64_t number; /* which setting stands here; 0: one is being written */
    char id[LH_TEST_BYTES];
} tests[TESTS];
static _Atomic uint64_t latest_test;
static _Atomic uint64_t valid_test; /* 0: no test runs */

/* Of one thread, or of none yet. Never given back: who looks for a thread's may be in it. */
struct lh_labels {
    struct lh_labels *next;   /* constant */
    _Atomic uint32_t tid;     /* whose they are; 0: nobody's */
    _Atomic uint32_t version; /* version.h */
    uint32_t count;
    struct label {
        char key[LH_LABEL_KEY_BYTES];
        char value[LH_LABEL_VALUE_BYTES];
    } labels[LH_LABELS_MAX];
};

static struct lh_labels *_Atomic all_labels;

/* Bytes of a string of which at most `most` are wanted, and no half of a character. */
static size_t length_of(const char *string, size_t most)
{
    size_t length = strnlen(string, most + 1);
    if (length <= most)
        return length;
    length = most;
    while (length > 0 && ((unsigned char)string[length] & 0xc0) == 0x80)
        length--;
    return length;
}

void lh_tag_test(const char *id)
{
    if (id == NULL) {
        atomic_store(&valid_test, 0);
        return;
    }
    uint64_t number = atomic_fetch_add(&latest_test, 1) + 1;
    struct test *test = &tests[number % TESTS];
    size_t length = length_of(id, LH_TEST_BYTES - 1);
    atomic_store(&test->number, 0);
    atomic_thread_fence(memory_order_release);
    memcpy(test->id, id, length);
    test->id[length] = '\0';
    atomic_store(&test->number, number);
    atomic_store(&valid_test, number);
}

/* False: it does not fit, which cannot be. */
static bool append(struct lh_tags *to, const char *string, size_t most)
{
    size_t length = strnlen(string, most);
    if (to->length + length + 1 > sizeof(to->text))
        return false;
    memcpy(to->text + to->length, string, length);
    to->text[to->length + length] = '\0';
    to->length = (uint16_t)(to->length + length + 1);
    return true;
}

static void fill_test(struct lh_tags *to)
{
    for (int i = 0; i < TRIES && to->has_test == 0; i++) {
        uint64_t number = atomic_load(&valid_test);
        const struct test *test = &tests[number % TESTS];
        if (number == 0)
            return;
        if (atomic_load(&test->number) == number && append(to, test->id, LH_TEST_BYTES - 1)) {
            atomic_thread_fence(memory_order_acquire);
            to->has_test = atomic_load(&test->number) == number;
        }
        if (to->has_test == 0)
            to->length = 0;
    }
}

static bool append_labels(struct lh_tags *to, const struct lh_labels *labels)
{
    uint32_t count = labels->count;
    if (count > LH_LABELS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!append(to, labels->labels[i].key, LH_LABEL_KEY_BYTES - 1) ||
            !append(to, labels->labels[i].value, LH_LABEL_VALUE_BYTES - 1))
            return false;
    to->label_count = (uint8_t)count;
    return true;
}

static void fill_labels(struct lh_tags *to, const struct lh_labels *labels)
{
    uint16_t length = to->length;
    for (int i = 0; i < TRIES; i++) {
        uint32_t version = lh_version_now(&labels->version);
        bool filled = append_labels(to, labels);
        if (lh_version_is(&labels->version, version) && filled)
            return;
        to->length = length;
        to->label_count = 0;
    }
}

static struct lh_labels *labels_of(uint32_t tid)
{
    struct lh_labels *labels = atomic_load_explicit(&all_labels, memory_order_acquire);
    while (labels != NULL && atomic_load_explicit(&labels->tid, memory_order_acquire) != tid)
        labels = labels->next;
    return labels;
}

/* In a child of fork its only thread has another number than the one that set them. */
static struct lh_labels *own_labels(uint32_t tid)
{
    if (lh_self.labels != NULL)
        atomic_store(&lh_self.labels->tid, tid);
    return lh_self.labels;
}

static const struct lh_slot *slot_of(uint32_t tid, bool own)
{
    if (own || lh_process == NULL)
        return lh_self.slot;
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used && i < LH_SLOTS; i++)
        if (atomic_load(&lh_process->slots[i].tid) == tid)
            return &lh_process->slots[i];
    return NULL;
}

/* What is there of at most `size` bytes, which may not be memory any more; returns how much. */
static size_t read_program(char *to, uintptr_t address, size_t size)
{
    size_t first = PAGE_BYTES - address % PAGE_BYTES;
    if (first >= size)
        return lh_memory_read_self(to, address, size) == 0 ? size : 0;
    if (lh_memory_read_self(to, address, first) != 0)
        return 0;
    return lh_memory_read_self(to + first, address + first, size - first) == 0 ? size : first;
}

static bool has_label(const struct lh_tags *to, const char *key)
{
    const char *string = to->text + (to->has_test != 0 ? strlen(to->text) + 1 : 0);
    for (uint32_t i = 0; i < to->label_count; i++) {
        if (strcmp(string, key) == 0)
            return true;
        string += strlen(string) + 1;
        string += strlen(string) + 1;
    }
    return false;
}

/* From `pairs`, which are anything; a key and its value, and nothing of them where they are not
 * whole. Returns how many bytes they take, 0: there are no more. */
static size_t append_pair(struct lh_tags *to, const char *pairs, size_t size)
{
    size_t key = strnlen(pairs, size);
    if (key == 0 || key + 1 >= size)
        return 0;
    size_t value = strnlen(pairs + key + 1, size - key - 1);
    if (key + 1 + value == size)
        return 0;
    uint16_t length = to->length;
    bool fits = key < LH_LABEL_KEY_BYTES && value < LH_LABEL_VALUE_BYTES &&
                to->label_count < LH_LABELS_MAX && !has_label(to, pairs);
    if (fits && append(to, pairs, key) && append(to, pairs + key + 1, value))
        to->label_count++;
    else
        to->length = length;
    return key + 1 + value + 1;
}

static void add_program_labels(struct lh_tags *to, const struct lh_slot *slot)
{
    char pairs[PROGRAM_LABELS_BYTES];
    uintptr_t at = atomic_load_explicit(&slot->labels_at, memory_order_acquire);
    if (at == 0)
        return;
    uint16_t length = to->length;
    uint8_t count = to->label_count;
    size_t size = read_program(pairs, at, sizeof(pairs));
    for (size_t used = 0, next; (next = append_pair(to, pairs + used, size - used)) != 0;)
        used += next;
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&slot->labels_at, memory_order_relaxed) != at) {
        to->length = length; /* they were those of the moment before, or already no more */
        to->label_count = count;
    }
}

void lh_tags_fill(struct lh_record *record, uint32_t tid, bool own)
{
    struct lh_tags *to = &record->tags;
    to->has_test = 0;
    to->label_count = 0;
    to->length = 0;
    fill_test(to);
    const struct lh_labels *labels = own ? own_labels(tid) : labels_of(tid);
    if (labels != NULL)
        fill_labels(to, labels);
    const struct lh_slot *slot = slot_of(tid, own);
    if (slot != NULL)
        add_program_labels(to, slot);
}

/* Empty, before another thread can have it: whoever finds the new owner's number sees that. */
static void give_back(struct lh_labels *labels)
{
    labels->count = 0;
    atomic_store(&labels->tid, 0);
}

/* Adds as many as fit a page, of which the first has an owner. NULL: out of memory. */
static struct lh_labels *map_labels(uint32_t tid)
{
    struct lh_labels *made = lh_memory_map(NULL, PAGE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (made == NULL)
        return NULL;
    atomic_store(&made[0].tid, tid);
    for (size_t i = 0; i < PAGE_BYTES / sizeof(*made); i++) {
        struct lh_labels *first = atomic_load(&all_labels);
        do
            made[i].next = first;
        while (!atomic_compare_exchange_weak(&all_labels, &first, &made[i]));
    }
    return made;
}

static struct lh_labels *take_labels(uint32_t tid)
{
    uint32_t nobody = 0;
    struct lh_labels *labels = atomic_load(&all_labels);
    while (labels != NULL && !atomic_compare_exchange_strong(&labels->tid, &nobody, tid)) {
        labels = labels->next;
        nobody = 0;
    }
    if (labels == NULL)
        labels = map_labels(tid);
    if (labels == NULL)
        return NULL;
    lh_self.labels = labels;
    lh_thread_end_watch_labels(give_back);
    return labels;
}

static uint32_t find(const struct lh_labels *labels, const char *key)
{
    uint32_t i = 0;
    while (i < labels->count && strcmp(labels->labels[i].key, key) != 0)
        i++;
    return i;
}

/* At `at`, where one has that key, or behind the last. `value` NULL: the last takes its place. */
static void put(struct lh_labels *labels, uint32_t at, const char *key, const char *value)
{
    struct label *label = &labels->labels[at];
    lh_version_begin(&labels->version);
    if (value == NULL) {
        labels->count--;
        *label = labels->labels[labels->count];
    } else {
        memcpy(label->key, key, strlen(key) + 1);
        memcpy(label->value, value, strlen(value) + 1);
        if (at == labels->count)
            labels->count++;
    }
    lh_version_end(&labels->version);
}

static int set(const char *key, const char *value)
{
    uint32_t tid = (uint32_t)lh_syscall0(SYS_gettid);
    struct lh_labels *labels = own_labels(tid);
    if (labels == NULL && value != NULL)
        labels = take_labels(tid);
    if (labels == NULL)
        return value != NULL ? -ENOMEM : 0;
    uint32_t at = find(labels, key);
    if (value == NULL && at == labels->count)
        return 0;
    if (at == LH_LABELS_MAX)
        return -ENOSPC;
    put(labels, at, key, value);
    return 0;
}

int lh_tag_label(const char *key, const char *value)
{
    if (key == NULL || key[0] == '\0')
        return -EINVAL;
    if (strnlen(key, LH_LABEL_KEY_BYTES) == LH_LABEL_KEY_BYTES ||
        (value != NULL && strnlen(value, LH_LABEL_VALUE_BYTES) == LH_LABEL_VALUE_BYTES))
        return value != NULL ? -ENOSPC : 0;
    uint64_t signals = lh_signals_block(); /* that of our samples reads them */
    int error = set(key, value);
    lh_signals_restore(signals);
    return error;
}
