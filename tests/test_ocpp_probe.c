/* SPDX-License-Identifier: Apache-2.0 */
/* The probe, between a core that goes on as ever and chargers with habits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"

enum { FULL_MA = 16000, LEASE_MS = 900000 };

/* A charger and its car. */
struct box {
    const char *what;
    int delay_s;         /* until the car follows */
    bool deaf;           /* it accepts limits and ignores them */
    bool ends;           /* its transaction on 0 A */
    bool sleeps;         /* its car never wakes after 0 A */
    bool forgets;        /* its limits with the connection */
    bool stubborn;       /* it refuses to restart */
    bool resumes;        /* its transaction goes on after a restart */
    bool reboot;         /* asked for */
    const char *results; /* of the tests, in order */
    /* its state */
    int32_t limit_ma, drawn_ma;
    int64_t follow_ms;
    bool slept, resets;
};

static char report[8192];
static bool reported;
static enum ocpp_outcome outcome;

static void done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    (void)arg;
    (void)note;
    reported = true;
    outcome = o;
    snprintf(report, sizeof report, "%s", text);
}

static void tell_current(struct rig *r, const struct box *b)
{
    struct ocpp_tx *tx = &r->p->c[0].tx;
    char json[512], id[40] = "";

    if (tx->active)
        snprintf(id, sizeof id, "\"transactionId\":%d,", (int)tx->wire_id);
    snprintf(json, sizeof json,
             "{\"connectorId\":1,%s\"meterValue\":[{\"sampledValue\":["
             "{\"measurand\":\"Current.Import\",\"phase\":\"L1\",\"value\":\"%d.%d\"}]}"
             "]}",
             id, (int)(b->drawn_ma / 1000), (int)(b->drawn_ma % 1000 / 100));
    rig_call(r, "MeterValues", json, "{}");
}

static void take_limit(struct rig *r, struct box *b, const char *payload)
{
    const char *at = strstr(payload, "\"limit\":");

    rig_status(r, "Accepted");
    if (!strstr(payload, "\"duration\""))
        return; /* the fallback, below */
    if (b->limit_ma == (int32_t)(strtod(at + 8, NULL) * 1000) &&
        b->follow_ms != INT64_MAX)
        return; /* a renewal */
    b->limit_ma = (int32_t)(strtod(at + 8, NULL) * 1000);
    b->follow_ms = r->w.now_ms + 1000 * (int64_t)b->delay_s;
}

static void serve(struct rig *r, struct box *b)
{
    const char *payload = "", *action;

    while (*(action = rig_next(r, &payload))) {
        if (strcmp(action, "SetChargingProfile") == 0) {
            take_limit(r, b, payload);
        } else if (strcmp(action, "Reset") == 0) {
            rig_status(r, b->stubborn ? "Rejected" : "Accepted");
            b->resets = !b->stubborn;
        } else {
            bool values = strstr(payload, "MeterValues");

            rig_status(r, "Accepted");
            if (values)
                tell_current(r, b);
        }
    }
}

static void follow(struct rig *r, struct box *b)
{
    if (r->w.now_ms < b->follow_ms)
        return;
    if (b->limit_ma == 0)
        b->slept = true;
    b->drawn_ma = b->deaf ? FULL_MA : b->limit_ma < FULL_MA ? b->limit_ma : FULL_MA;
    if (b->sleeps && b->slept)
        b->drawn_ma = 0;
}

static void stop(struct rig *r)
{
    char json[100];

    snprintf(json, sizeof json,
             "{\"transactionId\":%d,\"meterStop\":9,\"reason\":\"Other\"}",
             (int)r->p->c[0].tx.wire_id);
    rig_call(r, "StopTransaction", json, "{}");
}

static void come_back(struct rig *r, struct box *b)
{
    bool boots = b->resets;
    char now[96];

    if (boots && !b->resumes)
        stop(r);
    ocpp_peer_down(r->p);
    rig_wait(r, 4000);
    r->cut = b->resets = false;
    if (b->forgets)
        b->drawn_ma = b->limit_ma = FULL_MA;
    if (boots && !b->resumes)
        b->drawn_ma = 0;
    b->follow_ms = INT64_MAX;
    ocpp_peer_up(r->p, r);
    snprintf(now, sizeof now, "{\"currentTime\":\"");
    if (boots) {
        char *text = ocpp_frame_call("boot", "BootNotification", "{}");

        rig_says(r, text);
        free(text);
        while (r->n > 0)
            free(r->sent[--r->n]);
    } else {
        rig_wait(r, 5000);
    }
}

static void results(char out[400])
{
    cJSON *json = cJSON_Parse(report), *t;

    out[0] = '\0';
    cJSON_ArrayForEach(t, cJSON_GetObjectItem(json, "tests"))
    {
        size_t n = strlen(out);

        snprintf(out + n, 400 - n, "%s%s: %s", n ? "; " : "",
                 cJSON_GetObjectItem(t, "test")->valuestring,
                 cJSON_GetObjectItem(t, "result")->valuestring);
    }
    cJSON_Delete(json);
}

static void play(struct box b)
{
    struct rig *r = rig_new(1);
    char is[400];
    int64_t order_ms = 0;

    rig_up(r);
    rig_call(r, "StartTransaction",
             "{\"connectorId\":1,\"idTag\":\"T\",\"meterStart\":0}",
             "{\"transactionId\":101,\"idTagInfo\":{\"status\":\"Accepted\"}}");
    rig_order(r, 1, FULL_MA, LEASE_MS);
    serve(r, &b);
    b.drawn_ma = FULL_MA;
    tell_current(r, &b);
    reported = false;
    rig_order(r, 1, FULL_MA, LEASE_MS); /* under way when it begins */
    ocpp_probe_start(r->p, 0, b.reboot, done, r);
    assert_false(reported);
    for (int s = 0; s < 1500 && !reported; s++) {
        serve(r, &b);
        follow(r, &b);
        if (b.ends && b.drawn_ma == 0 && r->p->c[0].tx.active)
            stop(r);
        for (int i = 0; i < 10; i++) { /* it answers within the millisecond */
            rig_wait(r, 100);
            serve(r, &b);
        }
        if (r->cut || b.resets)
            come_back(r, &b);
        if (r->w.now_ms - order_ms > 300000) { /* the core renews, as ever */
            rig_order(r, 1, FULL_MA, LEASE_MS);
            order_ms = r->w.now_ms;
        }
        r->n_events = 0;
    }
    if (!reported)
        fail_msg("%s: no end", b.what);
    results(is);
    if (strcmp(is, b.results) != 0)
        fail_msg("%s: %s", b.what, is);
    if (r->p->link) { /* all is as before */
        rig_order(r, 1, FULL_MA, LEASE_MS);
        serve(r, &b);
        assert_int_equal(b.limit_ma, FULL_MA);
    }
    rig_free(r);
}

#define OBEYS "a lower limit: obeys; a higher limit: follows; "
#define PAUSES "0 A: obeys; back from 0 A: follows; "

static void chargers(void **state)
{
    static const struct box boxes[] = {
        {.what = "a good one",
         .delay_s = 3,
         .results = OBEYS PAUSES "after a disconnect: keeps its limit"},
        {.what = "a slow one",
         .delay_s = 20,
         .results = OBEYS PAUSES "after a disconnect: keeps its limit"},
        {.what = "one that forgets",
         .forgets = true,
         .results =
             OBEYS PAUSES "after a disconnect: loses its limit: set its fallback "
                          "to its maximum"},
        {.what = "one that ends on 0 A",
         .ends = true,
         .results = OBEYS "0 A: ends the transaction"},
        {.what = "a car that sleeps",
         .sleeps = true,
         .results = OBEYS "0 A: obeys; back from 0 A: the car stays lower; after a "
                          "disconnect: cannot be seen: no current flows"},
        {.what = "one that does not care",
         .deaf = true,
         .results = "a lower limit: accepts it and goes on drawing; a higher limit: "
                    "follows; 0 A: accepts it and goes on drawing; back from 0 A: "
                    "follows"},
        {.what = "a restart ends the transaction",
         .reboot = true,
         .results =
             OBEYS PAUSES "after a disconnect: keeps its limit; after a restart: "
                          "cannot be seen: no current flows"},
        {.what = "a restart it survives",
         .reboot = true,
         .resumes = true,
         .results =
             OBEYS PAUSES "after a disconnect: keeps its limit; after a restart: "
                          "keeps its limit"},
        {.what = "no restart",
         .reboot = true,
         .stubborn = true,
         .results =
             OBEYS PAUSES "after a disconnect: keeps its limit; after a restart: "
                          "it refuses to restart"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        play(boxes[i]);
}

/* While it is looked at what the charger has kept, an order that is lower leaves. */
static void decreases_leave(void **state)
{
    struct box b = {.delay_s = 1, .drawn_ma = FULL_MA};
    struct rig *r = rig_new(1);
    const char *payload = "";

    (void)state;
    rig_up(r);
    rig_call(r, "StartTransaction",
             "{\"connectorId\":1,\"idTag\":\"T\",\"meterStart\":0}",
             "{\"transactionId\":101,\"idTagInfo\":{\"status\":\"Accepted\"}}");
    rig_order(r, 1, FULL_MA, LEASE_MS);
    serve(r, &b);
    tell_current(r, &b);
    reported = false;
    ocpp_probe_start(r->p, 0, false, done, r);
    for (int s = 0; s < 100 && !r->cut; s++) {
        serve(r, &b);
        follow(r, &b);
        rig_wait(r, 1000);
    }
    assert_true(r->cut);
    ocpp_peer_down(r->p);
    rig_wait(r, 1000);
    ocpp_peer_up(r->p, r);
    rig_wait(r, 5000);
    assert_false(reported);
    while (strcmp(rig_next(r, &payload), "TriggerMessage") == 0)
        rig_status(r, "Accepted");
    rig_order(r, 1, FULL_MA, LEASE_MS);
    assert_string_equal(rig_next(r, &payload), "");
    rig_order(r, 1, 0, LEASE_MS);
    assert_string_equal(rig_next(r, &payload), "SetChargingProfile");
    assert_non_null(strstr(payload, "\"limit\":0}"));
    ocpp_probe_stop(r->p, "");
    rig_free(r);
}

static void not_now(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_probe_start(r->p, 0, false, done, r);
    assert_int_equal(outcome, OCPP_AWAY);
    rig_up(r);
    ocpp_probe_start(r->p, 0, false, done, r);
    assert_int_equal(outcome, OCPP_KEPT_BACK);
    assert_non_null(strstr(report, "no car charges there"));
    rig_free(r);
}

/* What it found is in the record. */
static void is_recorded(void **state)
{
    struct ocpp_ability a, b;
    char words[OCPP_ABILITY_TEXT], again[OCPP_ABILITY_TEXT], why[OCPP_ABILITY_WHY];

    (void)state;
    ocpp_ability_init(&a);
    a.tx = OCPP_FORM_TX_0;
    a.other = OCPP_FORM_MAX_STEPS;
    a.tx_ok = a.other_ok = a.kind_ok = a.relative = a.watts = a.no_trigger = true;
    a.zero = OCPP_ZERO_ENDS;
    a.keeps = OCPP_KEEPS_NO;
    a.boots = OCPP_KEEPS_YES;
    a.delay_s = 3600;
    a.step_ma = 1000;
    a.values = 63;
    a.ping_s = 3600;
    ocpp_ability_write(&a, words);
    assert_true(strlen(words) + 1 < OCPP_ABILITY_TEXT);
    ocpp_ability_init(&b);
    assert_true(ocpp_ability_read(&b, words, why));
    ocpp_ability_write(&b, again);
    assert_string_equal(words, again);
    assert_true(b.keeps == OCPP_KEEPS_NO && b.values == 63 && b.ping_s == 3600);

    assert_false(ocpp_ability_read(&b, "tx=2", why));
    assert_string_equal(why, "tx is 1, 0 or no");
    assert_false(ocpp_ability_read(&b, "kind=relative colour=red", why));
    assert_non_null(strstr(why, "'colour' is none of tx="));
    ocpp_ability_write(&b, again);
    assert_string_equal(words, again); /* nothing taken over */
}

/* The table of known models: what is wrong in it has its place. */
static void models(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: good */
    } rows[] = {
        {"- {vendor: A*, habits: tx=0, source: x}\n", NULL},
        {"[]\n", NULL},
        {"vendor: A\n", "1:1: this is no list"},
        {"- {vendor: A, habits: tx=0}\n", "1:3: vendor, habits and source are needed"},
        {"- {vendor: A, habits: tx=7, source: x}\n", "1:23: tx is 1, 0 or no"},
        {"- {vendor: A, colour: b, habits: tx=0, source: x}\n", "there is no such key"},
        {"- {vendor: A, vendor: B, habits: tx=0, source: x}\n",
         "1:15: this key is there twice"},
        {"- [", "1:"},
    };
    static const char two[] =
        "- {vendor: A*, habits: tx=0 unit=W, source: x, note: n}\n"
        "- {vendor: '*', firmware: '2.*', habits: unit=A, source: x}\n";
    struct ocpp_ability a;
    struct ocpp_models *m;
    char why[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        m = ocpp_models_parse(rows[i].text, strlen(rows[i].text), why, sizeof why);
        if (!m != (rows[i].why != NULL) || (!m && !strstr(why, rows[i].why)))
            fail_msg("%s: %s", rows[i].text, m ? "good" : why);
        ocpp_models_free(m);
    }
    m = ocpp_models_parse(two, strlen(two), why, sizeof why);
    ocpp_ability_init(&a);
    assert_int_equal(ocpp_models_apply(m, &a), 0); /* nobody yet */
    strcpy(a.vendor, "acme");
    assert_int_equal(ocpp_models_apply(m, &a), 1);
    assert_true(a.tx == OCPP_FORM_TX_0 && a.watts);
    assert_string_equal(ocpp_models_note(m, &a), "n");
    strcpy(a.firmware, "2.1");
    assert_int_equal(ocpp_models_apply(m, &a), 2); /* the later one counts */
    assert_true(a.tx == OCPP_FORM_TX_0 && !a.watts);
    ocpp_models_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chargers),        cmocka_unit_test(not_now),
        cmocka_unit_test(decreases_leave), cmocka_unit_test(is_recorded),
        cmocka_unit_test(models),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
