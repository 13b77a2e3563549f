/* SPDX-License-Identifier: Apache-2.0 */
/* What the HTML report leaves to the table of places, and how text stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/html.h"
#include "cli/export/tables.h"

#define MORE 500u /* events than fit */

static struct lh_export_part part = {.stack = 0, .ns = 0};
static struct lh_export_frame frame;
static struct lh_export_node node;
static const char *strings[] = {""};
static struct lh_export_tables tables = {.strings = strings, .string_count = 1};

/* A model of events of one place, of which the nth lasts `ns(n)`. */
static struct lh_export_model model_of(uint32_t count, uint64_t (*ns)(uint32_t),
                                       struct lh_export_place *place)
{
    struct lh_export_model model = {.events = calloc(count, sizeof(*model.events)),
                                    .event_count = count,
                                    .parts = &part,
                                    .part_count = 1,
                                    .places = place,
                                    .place_count = 1,
                                    .frames = &frame,
                                    .frame_count = 1,
                                    .nodes = &node,
                                    .node_count = 1,
                                    .tables = &tables};
    *place = (struct lh_export_place){.count = count};
    for (uint32_t i = 0; i < count; i++) {
        model.events[i] = (struct lh_export_event){
            .duration_ns = ns(i), .weight_ns = ns(i), .count = 1, .part_count = 1};
        place->total_ns += ns(i);
    }
    return model;
}

static uint64_t rising(uint32_t i)
{
    return 1000 + i;
}

static uint64_t equal(uint32_t i)
{
    (void)i;
    return 1000;
}

static uint32_t ranked(const struct lh_html *html, enum lh_html_rank rank)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < html->model->event_count; i++)
        count += html->ranks[i] == rank;
    return count;
}

static void the_shortest_events_are_left_to_the_table(void **state)
{
    (void)state;
    struct lh_html html;
    struct lh_export_place place;
    struct lh_export_model model = model_of(LH_HTML_EVENTS_MAX + MORE, rising, &place);
    assert_int_equal(lh_html_begin(&html, &model, stdout), 0);
    assert_int_equal(ranked(&html, LH_HTML_LEFT_OUT), MORE);
    assert_int_equal(ranked(&html, LH_HTML_DETAILED), LH_HTML_DETAILS_MAX);
    assert_int_equal(html.ranks[MORE - 1], LH_HTML_LEFT_OUT);
    assert_int_equal(html.ranks[MORE], LH_HTML_SHORT);
    assert_int_equal(html.ranks[model.event_count - 1], LH_HTML_DETAILED);
    assert_int_equal(html.left_events, MORE);
    assert_int_equal(html.left_ns, MORE * 1000 + MORE * (MORE - 1) / 2);
    assert_int_equal(html.left_details, LH_HTML_EVENTS_MAX - LH_HTML_DETAILS_MAX);
    lh_html_end(&html);
    free(model.events);
}

static void of_equal_events_no_more_are_written_than_fit(void **state)
{
    (void)state;
    struct lh_html html;
    struct lh_export_place place;
    struct lh_export_model model = model_of(LH_HTML_EVENTS_MAX + MORE, equal, &place);
    assert_int_equal(lh_html_begin(&html, &model, stdout), 0);
    assert_int_equal(ranked(&html, LH_HTML_LEFT_OUT), MORE);
    assert_int_equal(ranked(&html, LH_HTML_DETAILED), LH_HTML_DETAILS_MAX);
    lh_html_end(&html);
    free(model.events);
}

static void few_events_are_all_written_with_details(void **state)
{
    (void)state;
    struct lh_html html;
    struct lh_export_place place;
    struct lh_export_model model = model_of(10, rising, &place);
    model.events[3].suppressed = true;
    place.count--;
    place.total_ns -= rising(3);
    assert_int_equal(lh_html_begin(&html, &model, stdout), 0);
    assert_int_equal(ranked(&html, LH_HTML_DETAILED), 9);
    assert_int_equal(html.ranks[3], LH_HTML_LEFT_OUT);
    assert_int_equal(html.left_events, 0);
    assert_int_equal(html.left_ns, 0);
    assert_int_equal(html.left_details, 0);
    lh_html_end(&html);
    free(model.events);
}

static void text_cannot_end_the_element_that_it_stands_in(void **state)
{
    (void)state;
    char *written = NULL;
    size_t length;
    FILE *to = open_memstream(&written, &length);
    lh_html_put_text(to, "</script><!--&\"\\ \x01\x7f a\xe2\x80\xa8"
                         "b\xe2\x80\xa9 \xe2\x80\xae \xc3\xa4%s");
    fclose(to);
    assert_string_equal(written, "\"\\u003c/script\\u003e\\u003c!--\\u0026\\\"\\\\ \\u0001\\u007f "
                                 "a\\u2028b\\u2029 \xe2\x80\xae \xc3\xa4%s\"");
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_events_are_left_to_the_table),
        cmocka_unit_test(of_equal_events_no_more_are_written_than_fit),
        cmocka_unit_test(few_events_are_all_written_with_details),
        cmocka_unit_test(text_cannot_end_the_element_that_it_stands_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
