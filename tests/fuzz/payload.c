/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as the payload of any OCPP message: the table's two checks, the guard, and
 * what is read and built besides. The first byte says which message. */
#include <string.h>

#include "fuzz.h"
#include "proto/ocpp16.h"
#include "proto/ocpp16_schema.h"

static void check_why(const char *code, const char *why)
{
    FUZZ_MUST(!code == !*why);
    FUZZ_MUST(strlen(why) < OCPP_WHY);
    for (; *why; why++)
        FUZZ_MUST((unsigned char)*why >= ' ');
}

/* What is good strictly is good leniently; the guard may look at it. */
static void check(const struct ocpp_schema *s, const struct ocpp_message *m, bool asked,
                  const cJSON *o)
{
    const struct ocpp_ours ours = {.top_level = 1};
    char why[OCPP_WHY];
    const char *lenient, *strict = ocpp_schema_strict(s, m->request, o, why);
    unsigned effects;

    check_why(strict, why);
    check_why(ocpp_schema_strict(s, m->answer, o, why), why);
    lenient = ocpp_schema_lenient(s, m->request, o, why);
    check_why(lenient, why);
    if (!strict && asked)
        FUZZ_MUST(s->guard(m->action, o, &ours, &effects, why) == !*why);
}

static void read_on(const cJSON *o)
{
    struct ocpp_reservation r;
    struct ocpp_list_ability l;
    struct ocpp_tag_info info = {.status = "Accepted"};
    char text[21], out[OCPP_CONF_TEXT];
    const char *action;

    ocpp16_read_reservation(o, &r);
    ocpp16_read_list(o, &l);
    ocpp_get_text(o, "idTag", text, sizeof text);
    info.parent = text;
    ocpp16_conf_start(out, INT32_MIN, &info);
    FUZZ_MUST(strlen(out) < sizeof out);
    for (int what = OCPP_FIRMWARE; what <= OCPP_LOG; what++) {
        cJSON_Delete(ocpp16_file_request((enum ocpp_file)what, "http://h/x",
                                         "2019-03-01T14:20:00Z", 1, o, &action));
        ocpp_file_refused((enum ocpp_file)what, o);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ocpp_schema *s = &ocpp16_schema;
    cJSON *o;
    int i;

    if (size < 2)
        return 0;
    o = cJSON_ParseWithLength((const char *)data + 1, size - 1);
    if (!o)
        return 0;
    i = data[0] % (s->ours->n + s->theirs->n);
    if (i < s->ours->n)
        check(s, &s->ours->messages[i], true, o);
    else
        check(s, &s->theirs->messages[i - s->ours->n], false, o);
    read_on(o);
    cJSON_Delete(o);
    return 0;
}
