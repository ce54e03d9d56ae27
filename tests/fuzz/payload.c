/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as the payload of any OCPP message of any version: the table's two checks,
 * the guard, and what is read and built besides. The first byte says which message. */
#include <string.h>

#include "fuzz.h"
#include "proto/ocpp_schedule.h"
#include "proto/ocpp_schema.h"

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

/* What chargers tell, by the readers of the version. */
static void read_told(const struct ocpp_schema *s, const cJSON *o)
{
    struct ocpp_boot boot;
    struct ocpp_status status;
    struct ocpp_start start;
    struct ocpp_stop stop;
    struct ocpp_tx_event event;
    struct ocpp_meter meter;
    struct ocpp_needs needs;
    struct ocpp_limited limited;
    struct ocpp_happening happening;
    struct ocpp_fault fault;
    char tag[OCPP_TAG];
    int64_t request;

    s->read_boot(o, &boot);
    FUZZ_MUST(!s->read_tag(o, tag, &fault) || memchr(tag, 0, sizeof tag));
    s->read_status(o, &status, &fault);
    if (s->read_start)
        s->read_start(o, &start, &fault);
    if (s->read_stop)
        s->read_stop(o, &stop, &fault);
    if (s->read_event && s->read_event(o, &event, &fault))
        FUZZ_MUST(*event.name && event.connector >= 0);
    s->read_meter(o, &meter, &fault);
    if (s->read_needs)
        s->read_needs(o, &needs, &fault);
    if (s->read_limited && s->read_limited(o, &limited, &fault)) {
        ocpp_limited_now(&limited, 1551450000, &request);
        ocpp_limited_over(&limited, 1551450000);
        ocpp_limited_free(&limited);
    }
    for (int i = 0; s->read_happening && s->read_happening(o, i, &happening); i++)
        FUZZ_MUST(happening.connector >= 0);
    if (s->read_reported && s->read_reported(o, &limited, &request, &fault))
        ocpp_limited_free(&limited);
}

/* What they answer. */
static void read_answers(const struct ocpp_schema *s, const cJSON *o)
{
    struct ocpp_reservation r;
    struct ocpp_list_ability l;
    struct ocpp_config config;
    struct ocpp_report report;
    struct ocpp_fault fault;

    ocpp_config_init(&config);
    s->read_config(o, &config);
    if (s->read_report)
        s->read_report(o, &report, &fault);
    s->read_reservation(o, &r);
    s->read_list(o, &l);
    s->setting_taken(o);
}

/* What we make of its texts. */
static void make(const struct ocpp_schema *s, const cJSON *o)
{
    struct ocpp_tag_info info = {.status = "Accepted"};
    char text[OCPP_TAG], out[OCPP_CONF_TEXT];
    const char *action;
    cJSON *made;

    ocpp_get_text(o, "idTag", text, sizeof text);
    info.parent = text;
    s->conf_authorize(out, &info);
    FUZZ_MUST(strlen(out) < sizeof out);
    made = cJSON_Parse(out);
    FUZZ_MUST(made);
    cJSON_Delete(made);
    if (s->conf_start)
        s->conf_start(out, INT32_MIN, &info);
    FUZZ_MUST(strlen(out) < sizeof out);
    for (int what = OCPP_FIRMWARE; what <= OCPP_LOG; what++) {
        cJSON_Delete(s->file_request((enum ocpp_file)what, "http://h/x",
                                     "2019-03-01T14:20:00Z", 1, o, &action));
        ocpp_file_refused((enum ocpp_file)what, o);
    }
}

/* One of all of both versions; the first ones are those of 1.6. */
static const struct ocpp_schema *choose(unsigned i, const struct ocpp_message **m,
                                        bool *asked)
{
    static const char *const names[] = {"ocpp1.6", "ocpp2.0.1"};

    for (size_t v = 0;; v = (v + 1) % 2) {
        const struct ocpp_schema *s = ocpp_schema_named(names[v]);
        unsigned ours = (unsigned)s->ours->n, all = ours + (unsigned)s->theirs->n;

        if (i >= all) {
            i -= all;
            continue;
        }
        *asked = i < ours;
        *m = *asked ? &s->ours->messages[i] : &s->theirs->messages[i - ours];
        return s;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ocpp_schema *s;
    const struct ocpp_message *m;
    bool asked;
    cJSON *o;

    if (size < 2)
        return 0;
    o = cJSON_ParseWithLength((const char *)data + 1, size - 1);
    if (!o)
        return 0;
    s = choose(data[0], &m, &asked);
    check(s, m, asked, o);
    read_told(s, o);
    read_answers(s, o);
    make(s, o);
    cJSON_Delete(o);
    return 0;
}
