/* Lines that loophound report reads: any JSON where an event is expected. */
#include "cli/report.h"
#include "fuzz.h"

static const char *const nowhere[] = {NULL};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lh_frame place;
    json_error_t error;
    json_t *event = json_loadb((const char *)bytes, size, 0, &error);
    if (event == NULL)
        return 0;
    struct lh_symbol_files *files = lh_symbol_files_new(nowhere);
    struct lh_table *table = lh_table_new();
    MUST(files != NULL && table != NULL);
    lh_complete_stacks(event, files);
    lh_event_place(event, &place);
    lh_table_add(table, event);
    lh_table_add(table, event);
    lh_table_free(table);
    lh_symbol_files_free(files);
    json_decref(event);
    return 0;
}
