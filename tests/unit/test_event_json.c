/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON Lines, version 1: exactly the members that are promised. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "common/call_ids.h"
#include "common/errno_name.h"
#include "common/event_json.h"
#include "common/version.h"
#include "new_ring.h"

#define TIME_NS 1795232040123456789
#define COMMON(type)                                                                               \
    "{\"v\":1,\"type\":\"" type "\",\"time\":\"2026-11-21T03:34:00.123456Z\",\"pid\":42,"

static char buf[65536];
static struct lh_json json;
static struct lh_record record;
static struct lh_ring *ring;

static int set_up(void **state)
{
    (void)state;
    lh_json_init(&json, buf, sizeof(buf));
    record = (struct lh_record){.type = LH_EVENT_BLOCK,
                                .tid = 43,
                                .time_ns = TIME_NS,
                                .id = 17,
                                .elapsed_ns = 301234567,
                                .call = LH_CALL_clock_nanosleep,
                                .group = LH_GROUP_SLEEP,
                                .thread = "MainThread",
                                .system_call = -1,
                                .resource = {.fd = -1}};
    struct lh_options options;
    lh_options_init(&options);
    ring = new_ring();
    if (ring == NULL)
        return -1;
    lh_ring_init(ring, 42, &options);
    ring->started_ns = TIME_NS;
    strcpy(ring->exe, "/usr/bin/app");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(ring);
    return 0;
}

static void assert_line(const char *expected)
{
    assert_false(json.overflow);
    buf[json.length] = '\0';
    assert_string_equal(buf, expected);
}

static void assert_contains(const char *part)
{
    assert_false(json.overflow);
    buf[json.length] = '\0';
    if (strstr(buf, part) == NULL)
        fail_msg("%s is not in %s", part, buf);
}

static void write_record(void)
{
    json.length = 0;
    lh_event_report(
        &json, 42,
        &(struct lh_report){.record = &record, .no_stack = (enum lh_no_stack)record.no_stack});
}

static void test_start_has_its_members(void **state)
{
    (void)state;
    strcpy(ring->warnings, "one thing\nanother");
    struct utsname names;
    char expected[1024];
    static const char argv[] = "app\0-v\0"; /* and an empty one */
    memcpy(ring->argv, argv, sizeof(argv));
    ring->argv_length = sizeof(argv);
    strcpy(ring->cwd, "/srv");
    strcpy(ring->run, "00ff00ff00ff00ff");
    strcpy(ring->boot, "b007");
    strcpy(ring->options.service, "shop");
    strcpy(ring->python, "3.11.2");
    assert_int_equal(uname(&names), 0);
    lh_event_start(&json, ring);
    (void)snprintf(expected, sizeof(expected),
                   COMMON("start") "\"tid\":42,\"thread\":null,\"run\":\"00ff00ff00ff00ff\","
                                   "\"host\":\"%s\",\"boot\":\"b007\",\"exe\":\"/usr/bin/app\","
                                   "\"argv\":[\"app\",\"-v\",\"\"],\"cwd\":\"/srv\","
                                   "\"root\":null,\"service\":\"shop\","
                                   "\"runtime\":{\"name\":\"CPython\",\"version\":\"3.11.2\"},"
                                   "\"version\":\"" LH_VERSION "\",\"threshold_ms\":100.000,"
                                   "\"strict\":false,\"warnings\":[\"one thing\",\"another\"]}\n",
                   names.nodename);
    assert_line(expected);
}

static void test_start_of_another_runtime_has_its_name_and_its_version_or_none(void **state)
{
    (void)state;
    strcpy(ring->runtime, "Java");
    strcpy(ring->version, "17");
    lh_event_start(&json, ring);
    assert_contains("\"runtime\":{\"name\":\"Java\",\"version\":\"17\"},");
    ring->version[0] = '\0';
    json.length = 0;
    lh_event_start(&json, ring);
    assert_contains("\"runtime\":{\"name\":\"Java\",\"version\":null},");
}

static void test_an_unterminated_argument_is_read_to_the_end_of_its_array(void **state)
{
    (void)state;
    memset(ring->argv, 'x', sizeof(ring->argv));
    ring->argv_length = UINT32_MAX;
    strcpy(ring->run, "RUN");
    lh_event_start(&json, ring);
    buf[json.length] = '\0';
    const char *argument = strstr(buf, "\"argv\":[\"") + strlen("\"argv\":[\"");
    assert_int_equal(strspn(argument, "x"), sizeof(ring->argv));
}

static void write_offence(uint64_t elapsed_ns, uint64_t threshold_ns)
{
    json.length = 0;
    record.elapsed_ns = elapsed_ns;
    lh_event_report(&json, 42,
                    &(struct lh_report){.record = &record, .threshold_ns = threshold_ns});
}

static void test_test_and_labels_are_those_of_the_record(void **state)
{
    static const char strings[] = "test_\"a\"\0route\0/price\0tenant\0007";
    (void)state;
    memcpy(record.tags.text, strings, sizeof(strings));
    record.tags.length = sizeof(strings);
    record.tags.has_test = 1;
    record.tags.label_count = 2;
    write_offence(1000, 0);
    assert_contains("\"test\":\"test_\\\"a\\\"\","
                    "\"labels\":{\"route\":\"/price\",\"tenant\":\"7\"},");
    memcpy(record.tags.text, strings + 9, sizeof(strings) - 9);
    record.tags.has_test = 0;
    write_offence(1000, 0);
    assert_contains("\"test\":null,\"labels\":{\"route\":\"/price\",\"tenant\":\"7\"},");
}

static void test_advice_has_a_rule_or_none(void **state)
{
    struct lh_advice advice = {"ASYNC251", "use await asyncio.sleep()"};
    const struct lh_report report = {.record = &record, .advice = &advice};
    (void)state;
    json.length = 0;
    lh_event_report(&json, 42, &report);
    assert_contains("\"advice\":{\"rule\":\"ASYNC251\",\"text\":\"use await asyncio.sleep()\"},");
    advice.rule = NULL;
    json.length = 0;
    lh_event_report(&json, 42, &report);
    assert_contains("\"advice\":{\"rule\":null,\"text\":\"use await asyncio.sleep()\"},");
}

static void test_five_thresholds_or_ten_seconds_are_severe(void **state)
{
    (void)state;
    write_offence(499999999, 100000000);
    assert_contains("\"severity\":\"warn\",\"duration_ms\":499.999,\"over_ms\":399.999,\"test\":"
                    "null,\"labels\":null,");
    write_offence(500000000, 100000000);
    assert_contains("\"severity\":\"error\"");
    write_offence(10000000000, 9000000000);
    assert_contains("\"severity\":\"error\"");
    write_offence(9999999999, 9000000000);
    assert_contains("\"severity\":\"warn\"");
    write_offence(1000, 100000000);
    assert_contains("\"severity\":\"warn\",\"duration_ms\":0.001,\"over_ms\":0.000,\"test\":null,"
                    "\"labels\":null,");
    write_offence(1000, 0);
    assert_contains("\"severity\":\"warn\"");
}

static void test_an_event_began_its_span_before_its_time(void **state)
{
    (void)state;
    record.span_ns = 2000000;
    write_record();
    assert_contains("\"start\":\"2026-11-21T03:34:00.121456Z\"");
}

static void test_a_fingerprint_has_sixteen_digits(void **state)
{
    (void)state;
    lh_event_report(&json, 42, &(struct lh_report){.record = &record, .fingerprint = 0xfe});
    assert_contains("\"fingerprint\":\"00000000000000fe\",");
}

static uint64_t put_seven(struct lh_stack_book *book, const struct lh_frame *frames, uint32_t count)
{
    (void)book;
    (void)frames;
    return count == 1 ? 7 : 0;
}

static void test_a_stack_that_stands_elsewhere_has_its_id(void **state)
{
    (void)state;
    struct lh_stack_book book = {.put = put_seven};
    const struct lh_frame frame = {.function = "f"};
    struct lh_report report = {.record = &record, .book = &book};
    lh_event_report(&json, 42, &report);
    assert_contains("\"stack\":[],");
    json.length = 0;
    report.frames = &frame;
    report.frame_count = 1;
    lh_event_report(&json, 42, &report);
    assert_contains("\"task\":null,\"work\":null,\"stack_id\":\"0000000000000007\",");
}

static void test_start_without_warnings_has_an_empty_list(void **state)
{
    (void)state;
    ring->options.strict = 1;
    lh_event_start(&json, ring);
    assert_contains("\"strict\":true,\"warnings\":[]}\n");
}

static void test_blank_lines_are_no_warnings(void **state)
{
    (void)state;
    strcpy(ring->warnings, "\none\n\n");
    lh_event_start(&json, ring);
    assert_contains("\"warnings\":[\"one\"]}");
}

static void test_an_unterminated_exe_is_read_to_the_end_of_its_array(void **state)
{
    (void)state;
    memset(ring->exe, 'x', sizeof(ring->exe));
    strcpy(ring->warnings, "WARNINGS");
    ring->cwd[0] = '\0';
    lh_event_start(&json, ring);
    buf[json.length] = '\0';
    const char *exe = strstr(buf, "\"exe\":\"") + strlen("\"exe\":\"");
    assert_int_equal(strspn(exe, "x"), sizeof(ring->exe));
    assert_null(strstr(exe + sizeof(ring->exe), "xx"));
}

static void test_a_loop_says_how_it_was_found(void **state)
{
    (void)state;
    record.type = LH_EVENT_LOOP;
    record.call = LH_CALL_epoll_wait;
    record.fd = 5;
    write_record();
    assert_line(
        COMMON("loop") "\"tid\":43,\"thread\":\"MainThread\",\"how\":\"epoll_wait\",\"fd\":5}\n");
    record.found = LH_FOUND_BY_API;
    record.fd = -1;
    write_record();
    assert_contains("\"how\":\"api\",\"fd\":null}");
}

static void test_a_block_has_its_members(void **state)
{
    (void)state;
    record.resource.kind = LH_RESOURCE_DURATION;
    record.resource.number = 300000000;
    write_record();
    assert_line(COMMON(
        "block") "\"tid\":43,\"thread\":\"MainThread\",\"id\":17,"
                 "\"start\":\"2026-11-21T03:34:00.123456Z\",\"fingerprint\":null,"
                 "\"severity\":\"warn\",\"duration_ms\":301.234,\"over_ms\":301.234,\"test\":null,"
                 "\"labels\":null,"
                 "\"call\":\"clock_nanosleep\",\"group\":\"sleep\","
                 "\"reason\":\"threshold\",\"ended\":true,\"errno\":null,"
                 "\"resource\":{\"kind\":\"duration\",\"ms\":300.000},"
                 "\"holder\":null,\"waits_for\":null,\"victims\":null,\"task\":null,\"work\":null,"
                 "\"stack\":[],"
                 "\"note\":null,\"advice\":null,\"noise\":null,\"known\":null,"
                 "\"suppressed\":null}\n");
}

static void test_a_task_has_a_name_and_a_coroutine(void **state)
{
    (void)state;
    static const char strings[] = "app.py\0Task-7\0Server.handle";
    memcpy(record.strings, strings, sizeof(strings));
    record.task = (struct lh_python_task){.has_name = 1, .name = 7};
    write_record();
    assert_contains(
        "\"task\":{\"name\":\"Task-7\",\"coroutine\":null,\"callback\":null,\"kind\":null}");
    record.task = (struct lh_python_task){.has_coroutine = 1, .coroutine = 14};
    write_record();
    assert_contains("\"coroutine\":\"Server.handle\",\"callback\":null,\"kind\":null}");
}

static void test_a_callback_stands_in_the_place_of_a_task(void **state)
{
    (void)state;
    lh_event_report(&json, 42, &(struct lh_report){.record = &record, .callback = "tick"});
    assert_contains(
        "\"task\":{\"name\":null,\"coroutine\":null,\"callback\":\"tick\",\"kind\":null}");
}

static void test_what_a_block_waits_for_has_its_members(void **state)
{
    (void)state;
    const struct lh_frame frame = {.lang = LH_LANG_PYTHON, .function = "keep", .user = true};
    const struct lh_waits_for waits_for = {
        .kind = LH_AWAITED_LOCK,
        .for_ever = true,
        .address = 0x1230,
        .candidate_count = 1,
        .candidates = {{.tid = 44, .thread = "keeper", .within = true, .frame = &frame}}};
    json.length = 0;
    lh_event_report(&json, 42, &(struct lh_report){.record = &record, .waits_for = &waits_for});
    assert_contains(
        "\"waits_for\":{\"kind\":\"lock\",\"address\":\"0x1230\",\"own\":false,"
        "\"for_ever\":true,\"coroutine\":null,\"suspended\":null,\"candidates\":[{\"tid\":44,"
        "\"thread\":\"keeper\",\"within\":true,\"names\":false,"
        "\"deadlock\":false,\"stack\":[{\"lang\":\"python\",");
}

static void test_a_task_that_has_what_its_loop_waits_for_has_its_members(void **state)
{
    (void)state;
    const struct lh_frame frame = {.lang = LH_LANG_PYTHON, .function = "keep", .user = true};
    const struct lh_waits_for waits_for = {
        .kind = LH_AWAITED_LOCK, .is_own = true, .suspended = {"Task-2", "upload", &frame}};
    json.length = 0;
    lh_event_report(&json, 42, &(struct lh_report){.record = &record, .waits_for = &waits_for});
    assert_contains("\"coroutine\":null,\"suspended\":{\"task\":\"Task-2\",\"coroutine\":"
                    "\"upload\",\"stack\":[{\"lang\":\"python\",");
}

static void test_a_block_without_an_end_says_so(void **state)
{
    (void)state;
    json.length = 0;
    lh_event_report(&json, 42, &(struct lh_report){.record = &record, .unended = true});
    assert_contains("\"reason\":\"threshold\",\"ended\":false,\"errno\":null,");
}

/* But whether it has ended. */
static void test_an_inflight_event_has_the_members_of_a_block(void **state)
{
    (void)state;
    static const char ended[] = "\"ended\":true,";
    write_record();
    char block[1024] = "";
    memcpy(block, buf, json.length);
    char *at = strstr(block, ended);
    assert_non_null(at);
    memmove(at, at + sizeof(ended) - 1, strlen(at) - sizeof(ended) + 2);
    record.type = LH_EVENT_INFLIGHT;
    write_record();
    assert_contains("\"type\":\"inflight\"");
    assert_string_equal(strstr(buf, ",\"time\""), strstr(block, ",\"time\""));
}

static void test_a_variant_is_reported_by_its_canonical_name(void **state)
{
    (void)state;
    record.call = LH_CALL___recv_chk;
    record.group = LH_GROUP_NETWORK;
    record.reason = LH_REASON_STRICT;
    record.error = ECONNRESET;
    write_record();
    assert_contains("\"call\":\"recv\",\"group\":\"network\",\"reason\":\"strict\"");
    assert_contains("\"errno\":\"ECONNRESET\"");
}

static void test_a_thread_without_a_name_is_null(void **state)
{
    (void)state;
    record.thread[0] = '\0';
    write_record();
    assert_contains("\"thread\":null");
}

static void test_frames_tell_what_is_known_and_null_for_the_rest(void **state)
{
    (void)state;
    const struct lh_frame frames[] = {
        {.lang = LH_LANG_PYTHON, .function = "handler", .file = "app.py", .line = 12},
        {.lang = LH_LANG_NATIVE, .module = "/lib/x.so", .offset = 4096, .build_id = "abcd"},
        {.lang = LH_LANG_JIT},
    };
    lh_event_report(&json, 42,
                    &(struct lh_report){.record = &record, .frames = frames, .frame_count = 3});
    assert_contains("\"stack\":[{\"lang\":\"python\",\"function\":\"handler\",\"file\":\"app.py\","
                    "\"line\":12,\"module\":null,\"offset\":null},"
                    "{\"lang\":\"native\",\"function\":null,\"file\":null,\"line\":null,"
                    "\"module\":\"/lib/x.so\",\"offset\":4096,\"build_id\":\"abcd\"},"
                    "{\"lang\":\"jit\",\"function\":null,\"file\":null,\"line\":null,"
                    "\"module\":null,\"offset\":null}]");
}

static void set_text(uint8_t kind, const char *text)
{
    record.resource.kind = kind;
    record.resource.length = (uint16_t)strlen(text);
    memset(record.resource.text, '#', sizeof(record.resource.text)); /* not terminated */
    memcpy(record.resource.text, text, strlen(text));
}

static void test_each_resource_has_its_members(void **state)
{
    (void)state;
    write_record();
    assert_contains("\"resource\":null,");
    set_text(LH_RESOURCE_FILE, "/etc/hosts");
    record.resource.fd = 9;
    write_record();
    assert_contains("\"resource\":{\"kind\":\"file\",\"fd\":9,\"path\":\"/etc/hosts\"},");
    set_text(LH_RESOURCE_NAME, "db.example");
    write_record();
    assert_contains("\"resource\":{\"kind\":\"name\",\"host\":\"db.example\"},");
    record.resource.kind = LH_RESOURCE_LOCK;
    record.resource.number = 0x7f12;
    write_record();
    assert_contains("\"resource\":{\"kind\":\"lock\",\"address\":\"0x7f12\"},");
    record.resource.kind = LH_RESOURCE_PID;
    record.resource.number = -1;
    write_record();
    assert_contains("\"resource\":{\"kind\":\"pid\",\"pid\":-1,\"command\":null},");
}

static void test_what_a_resource_does_not_know_is_null(void **state)
{
    (void)state;
    set_text(LH_RESOURCE_FILE, "");
    write_record();
    assert_contains("{\"kind\":\"file\",\"fd\":null,\"path\":null}");
    set_text(LH_RESOURCE_NAME, "");
    write_record();
    assert_contains("{\"kind\":\"name\",\"host\":null}");
    record.resource.kind = LH_RESOURCE_SOCKET;
    record.resource.nonblocking = -1;
    write_record();
    assert_contains("{\"kind\":\"socket\",\"fd\":null,\"peer\":null,\"nonblocking\":null}");
    record.resource.kind = LH_RESOURCE_DURATION;
    record.resource.number = -1;
    write_record();
    assert_contains("{\"kind\":\"duration\",\"ms\":null}");
}

static void test_a_socket_names_its_peer(void **state)
{
    (void)state;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(5432), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    record.resource.kind = LH_RESOURCE_SOCKET;
    record.resource.fd = 8;
    record.resource.length = sizeof(address);
    memcpy(record.resource.text, &address, sizeof(address));
    write_record();
    assert_contains(
        "{\"kind\":\"socket\",\"fd\":8,\"peer\":\"127.0.0.1:5432\",\"nonblocking\":false}");
    record.resource.nonblocking = 1;
    write_record();
    assert_contains("\"nonblocking\":true}");
}

static void test_a_stall_tells_where_its_time_went_and_what_was_seen(void **state)
{
    const struct lh_frame frame = {
        .lang = LH_LANG_PYTHON, .function = "score", .file = "app.py", .line = 41};
    const struct lh_sample sample = {
        .ns = 271000000, .count = 27, .frame_count = 1, .frames = &frame};
    (void)state;
    record.type = LH_EVENT_STALL;
    record.stall = (struct lh_stall){
        .oncpu_ns = 200000000,
        .blocked_ns = 100000000,
        .runqueue_ns = LH_UNKNOWN,
        .throttled_ns = LH_UNKNOWN,
        .gil_ns = 0,
        .major_faults = 2,
        .last_call = LH_CALL_recv,
        .last_call_ns = 100000000,
        .call_count = 2,
        .calls = {{LH_CALL_recv, 1, 1000000}, {LH_CALL_read, 9, 99000000}},
    };
    const struct lh_victims victims = {.ready = 5, .more = true, .waited_ns = 7000000};
    const struct lh_report report = {
        .record = &record, .samples = &sample, .sample_count = 1, .victims = &victims};
    lh_event_report(&json, 42, &report);
    assert_line(
        COMMON("stall") "\"tid\":43,\"thread\":\"MainThread\",\"id\":17,"
                        "\"start\":\"2026-11-21T03:34:00.123456Z\",\"fingerprint\":null,"
                        "\"severity\":\"warn\",\"duration_ms\":301.234,\"over_ms\":301.234,"
                        "\"test\":null,\"labels\":null,"
                        "\"ended\":true,\"oncpu_ms\":200.000,\"blocked_"
                        "ms\":100.000,"
                        "\"runqueue_ms\":null,\"throttled_ms\":null,\"gil_ms\":0.000,"
                        "\"major_faults\":2,\"task\":null,"
                        "\"calls\":[{\"call\":\"read\",\"count\":9,\"total_ms\":99.000},"
                        "{\"call\":\"recv\",\"count\":1,\"total_ms\":1.000}],"
                        "\"last_call\":{\"call\":\"recv\",\"within_ms\":100.000},"
                        "\"system_call\":null,\"resource\":null,"
                        "\"samples\":[{\"count\":27,\"ms\":271.000,\"collecting_ms\":0.000,"
                        "\"work\":[],"
                        "\"stack\":[{\"lang\":\"python\","
                        "\"function\":\"score\",\"file\":\"app.py\",\"line\":41,\"module\":null,"
                        "\"offset\":null}]}],\"groups\":[],\"no_stack\":null,\"note\":null,"
                        "\"advice\":null,"
                        "\"holder\":null,"
                        "\"victims\":{\"ready\":5,\"at_least\":true,\"waited_ms\":7.000},"
                        "\"known\":null,\"suppressed\":null}\n");
}

static void test_an_iteration_that_goes_on_is_in_flight_without_a_call(void **state)
{
    (void)state;
    record.type = LH_EVENT_STALLING;
    write_record();
    assert_contains("\"type\":\"inflight\"");
    assert_contains("\"call\":null,\"group\":null,");
    record.waits_for_gil = 1;
    write_record();
    assert_contains("\"waits_for_gil\":true,\"collects\":false,\"no_stack\":null,");
}

static void test_a_stall_without_a_stack_says_why(void **state)
{
    (void)state;
    record.type = LH_EVENT_STALL;
    record.no_stack = LH_NO_STACK_ASKED;
    write_record();
    assert_contains("\"samples\":[],\"groups\":[],"
                    "\"no_stack\":\"it runs no Python, and LOOPHOUND_SIGNAL is none\",");
}

static void count_call(uint32_t call, uint64_t count, uint64_t total_ns)
{
    ring->totals.by_call[call].count = count;
    ring->totals.by_call[call].total_ns = total_ns;
}

static void test_a_summary_adds_up_calls_by_name_largest_first(void **state)
{
    (void)state;
    ring->totals.loops = 2;
    ring->totals.blocks = 7;
    ring->totals.dropped = 1;
    ring->totals.blocked_ns = 900000000;
    count_call(LH_CALL_nanosleep, 1, 300000000);
    count_call(LH_CALL_recv, 2, 250000000);
    count_call(LH_CALL___recv_chk, 3, 150000000);
    count_call(LH_CALL_fsync, 1, 350000000);
    ring->totals.quiet[LH_NOISE_TOOLING] = 1;
    ring->totals.quiet[LH_NOISE_IMPORT] = 3;
    ring->totals.flaws[LH_SCRIPT_BROKEN_MAP] = 2;
    lh_event_summary(&json, ring, TIME_NS, NULL);
    assert_line(COMMON(
        "summary") "\"tid\":42,\"thread\":null,\"loops\":2,\"blocks\":7,"
                   "\"stalls\":0,\"suppressed\":null,\"known\":null,\"rules\":null,\"dropped\":1,"
                   "\"blocked_ms\":900.000,\"by_call\":["
                   "{\"call\":\"recv\",\"count\":5,\"total_ms\":400.000},"
                   "{\"call\":\"fsync\",\"count\":1,\"total_ms\":350.000},"
                   "{\"call\":\"nanosleep\",\"count\":1,\"total_ms\":300.000}],"
                   "\"quiet\":{\"import\":3,\"tooling\":1},\"scripts\":{\"broken_map\":2},\"why\":"
                   "null}\n");
}

static void test_a_summary_of_nothing_is_short(void **state)
{
    (void)state;
    lh_event_summary(&json, ring, TIME_NS, NULL);
    assert_contains(
        "\"loops\":0,\"blocks\":0,\"stalls\":0,\"suppressed\":null,\"known\":null,"
        "\"rules\":null,\"dropped\":0,"
        "\"blocked_ms\":0.000,\"by_call\":[],\"quiet\":{},\"scripts\":{},\"why\":null}\n");
}

static void test_every_call_at_once_fits_a_summary(void **state)
{
    (void)state;
    for (uint32_t call = 0; call < lh_call_count(); call++)
        count_call(call, 1, (uint64_t)call + 1);
    lh_event_summary(&json, ring, TIME_NS, NULL);
    assert_contains("\"call\":\"getaddrinfo\",\"count\":1");
}

#if !__GLIBC_PREREQ(2, 32)
static const char *strerrorname_np(int error)
{
    return lh_errno_name(error); /* there is nothing to compare with */
}
#endif

static void test_error_numbers_have_the_names_libc_gives_them(void **state)
{
    (void)state;
    for (int error = 1; error < 200; error++) {
        const char *expected = strerrorname_np(error);
        const char *name = lh_errno_name(error);
        if (expected == NULL || (name == NULL && error > EHWPOISON)) /* newer than our table */
            assert_null(name);
        else
            assert_string_equal(name, error == ENOTSUP ? "EOPNOTSUPP" : expected);
    }
    assert_null(lh_errno_name(0));
    assert_null(lh_errno_name(-1));
    assert_null(lh_errno_name(INT32_MIN));
    assert_null(lh_errno_name(INT32_MAX));
}

static void test_a_small_buffer_overflows_and_says_so(void **state)
{
    (void)state;
    lh_json_init(&json, buf, 100);
    lh_event_report(&json, 42,
                    &(struct lh_report){.record = &record, .frames = NULL, .frame_count = 0});
    assert_true(json.overflow);
    assert_true(json.length <= 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_start_has_its_members),
        TEST(test_start_of_another_runtime_has_its_name_and_its_version_or_none),
        TEST(test_a_stack_that_stands_elsewhere_has_its_id),
        TEST(test_a_fingerprint_has_sixteen_digits),
        TEST(test_an_event_began_its_span_before_its_time),
        TEST(test_test_and_labels_are_those_of_the_record),
        TEST(test_advice_has_a_rule_or_none),
        TEST(test_five_thresholds_or_ten_seconds_are_severe),
        TEST(test_an_unterminated_argument_is_read_to_the_end_of_its_array),
        TEST(test_start_without_warnings_has_an_empty_list),
        TEST(test_blank_lines_are_no_warnings),
        TEST(test_an_unterminated_exe_is_read_to_the_end_of_its_array),
        TEST(test_a_loop_says_how_it_was_found),
        TEST(test_a_block_has_its_members),
        TEST(test_a_task_has_a_name_and_a_coroutine),
        TEST(test_a_callback_stands_in_the_place_of_a_task),
        TEST(test_what_a_block_waits_for_has_its_members),
        TEST(test_a_task_that_has_what_its_loop_waits_for_has_its_members),
        TEST(test_a_block_without_an_end_says_so),
        TEST(test_an_inflight_event_has_the_members_of_a_block),
        TEST(test_a_variant_is_reported_by_its_canonical_name),
        TEST(test_a_thread_without_a_name_is_null),
        TEST(test_frames_tell_what_is_known_and_null_for_the_rest),
        TEST(test_each_resource_has_its_members),
        TEST(test_what_a_resource_does_not_know_is_null),
        TEST(test_a_socket_names_its_peer),
        TEST(test_a_stall_tells_where_its_time_went_and_what_was_seen),
        TEST(test_a_stall_without_a_stack_says_why),
        TEST(test_an_iteration_that_goes_on_is_in_flight_without_a_call),
        TEST(test_a_summary_adds_up_calls_by_name_largest_first),
        TEST(test_a_summary_of_nothing_is_short),
        TEST(test_every_call_at_once_fits_a_summary),
        TEST(test_error_numbers_have_the_names_libc_gives_them),
        TEST(test_a_small_buffer_overflows_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
