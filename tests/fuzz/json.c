/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer: each byte of the input asks for one value, with what follows as its content. */
#include "common/json.h"
#include "fuzz.h"
#include "json_check.h"

static void write_number(struct lh_json *json, struct input *input)
{
    uint64_t number = take_u64(input);
    switch (take_u8(input) % 5) {
    case 0:
        lh_json_u64(json, number);
        break;
    case 1:
        lh_json_i64(json, (int64_t)number);
        break;
    case 2:
        lh_json_hex(json, number);
        break;
    case 3:
        lh_json_ms(json, number);
        break;
    default:
        lh_json_time(json, (int64_t)number);
    }
}

static void write_value(struct lh_json *json, struct input *input)
{
    char *line;
    switch (take_u8(input) % 4) {
    case 0:
        write_number(json, input);
        break;
    case 1:
        lh_json_bool(json, (take_u8(input) & 1) != 0);
        break;
    case 2:
        lh_json_null(json);
        break;
    default:
        line = take_line(input);
        lh_json_string(json, line);
        free(line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct lh_json json;
    size_t room = 1 + 16 * (size_t)take_u8(&input);
    char *buf = malloc(room);
    lh_json_init(&json, buf, room);
    lh_json_open(&json, '{');
    for (int members = take_u8(&input) % 16; members > 0; members--) {
        char *key = take_line(&input);
        lh_json_key(&json, key);
        write_value(&json, &input);
        free(key);
    }
    lh_json_key(&json, "list");
    lh_json_open(&json, '[');
    while (input.left > 0)
        write_value(&json, &input);
    lh_json_close(&json, ']');
    lh_json_close(&json, '}');
    lh_json_end_line(&json);
    MUST(json.length <= room);
    MUST(json.overflow || is_json_line(buf, json.length));
    free(buf);
    return 0;
}
