/* SPDX-License-Identifier: Apache-2.0 */
/* What a charger really does while a car charges at it, for an installer's report.
 *
 * The core goes on as ever: the probe only lowers what its orders tell (limit.cap_ma),
 * cuts the connection, and asks for a restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

enum {
    NEAR_MA = 1000, /* a car that draws so much more than it may has not followed */
    REST_MA = 500,
    SPACE_MA = 2000,    /* there must be that much to lower */
    CONFIRM_MS = 60000, /* until a charger has confirmed a limit, at most */
    FOLLOW_MS = 60000,  /* until its car has followed */
    RISE_MS = 120000,   /* ... a higher one, or has woken */
    AWAY_MS = 300000,   /* until it is back */
    HOLD_MS = 30000,    /* nothing is told for so long after it is back, ... */
    RESUME_MS = 60000,  /* ... or until its transaction goes on after a restart */
    ASK_MS = 5000
};

enum step { LOWER, RAISE, ZERO, WAKE, HOLD, CUT, KEPT, RESET, BOOTED, DONE };

struct ocpp_probe {
    int connector; /* index in the peer */
    bool reboot;
    enum step step;
    int64_t step_ms;      /* since when */
    int64_t confirmed_ms; /* of this step's limit; 0 = not yet */
    int64_t asked_ms, up_ms;
    int32_t full_ma; /* what the car drew before */
    bool asks_reset, deaf;
    cJSON *tests;
    ocpp_done_fn *done;
    void *arg;
};

static struct ocpp_connector *place(struct ocpp_peer *p)
{
    return &p->c[p->probe->connector];
}

static int32_t least_ma(struct ocpp_peer *p)
{
    int32_t min_ma = ocpp_peer_site(p, place(p))->min_ma;

    return min_ma > 6000 ? min_ma : 6000;
}

/* ---- the report */

static void result(struct ocpp_peer *p, const char *test, const char *what, bool good,
                   double seconds)
{
    const struct ocpp_connector *c = place(p);
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "test", test);
    cJSON_AddBoolToObject(o, "good", good);
    cJSON_AddStringToObject(o, "result", what);
    if (seconds >= 0)
        cJSON_AddNumberToObject(o, "seconds", (double)(int64_t)(seconds * 10) / 10);
    if (c->drawn_ms)
        cJSON_AddNumberToObject(o, "amps", c->drawn_ma / 100 / 10.0);
    cJSON_AddItemToArray(p->probe->tests, o);
    log_info("%s: probe: %s: %s", p->id, test, what);
}

/* The ids by which an installer finds what we keep there. */
static void add_profiles(cJSON *report, const struct ocpp_connector *c)
{
    cJSON *o = cJSON_AddObjectToObject(report, "profiles");

    cJSON_AddNumberToObject(o, "fallback", ocpp_form_id(c, OCPP_FORM_STEPS));
    cJSON_AddNumberToObject(o, "default", ocpp_form_id(c, OCPP_FORM_DEFAULT_1));
    cJSON_AddNumberToObject(o, "tx", ocpp_form_id(c, OCPP_FORM_TX_1));
}

static void end(struct ocpp_peer *p, enum ocpp_outcome o, const char *why)
{
    struct ocpp_probe *probe = p->probe;
    struct ocpp_connector *c = place(p);
    cJSON *report = ocpp_learn_describe(p);
    char *text;

    cJSON_AddNumberToObject(report, "connector", c->number);
    add_profiles(report, c);
    cJSON_AddItemToObject(report, "tests", probe->tests);
    if (o != OCPP_ANSWERED)
        cJSON_AddStringToObject(report, "broken_off", why);
    text = cJSON_PrintUnformatted(report);
    cJSON_Delete(report);
    p->probe = NULL;
    ocpp_limit_cap(p, c, -1);
    probe->done(probe->arg, text ? OCPP_ANSWERED : o, text ? text : why, "");
    free(text);
    free(probe);
}

void ocpp_probe_stop(struct ocpp_peer *p, const char *why)
{
    if (p->probe)
        end(p, OCPP_AWAY, why);
}

/* ---- steps */

static void go(struct ocpp_peer *p, enum step step, int32_t cap_ma)
{
    struct ocpp_probe *probe = p->probe;

    probe->step = step;
    probe->step_ms = p->w->now_ms;
    probe->confirmed_ms = probe->asked_ms = 0;
    if (cap_ma != place(p)->limit.cap_ma)
        ocpp_limit_cap(p, place(p), cap_ma);
    else
        probe->confirmed_ms = p->w->now_ms;
}

static double seconds_since(const struct ocpp_peer *p, int64_t ms)
{
    return (double)(p->w->now_ms - ms) / 1000;
}

/* The most that the car may draw now; what it drew of it before the probe. */
static int32_t wanted_ma(struct ocpp_peer *p)
{
    int32_t ma = place(p)->limit.told_ma;

    return (ma < p->probe->full_ma ? ma : p->probe->full_ma) - NEAR_MA;
}

/* A sample from after the limit was confirmed: -1 = not yet. */
static int32_t drawn_ma(struct ocpp_peer *p)
{
    const struct ocpp_connector *c = place(p);

    return p->probe->confirmed_ms && c->drawn_ms > p->probe->confirmed_ms ? c->drawn_ma
                                                                          : -1;
}

static void wait_lower(struct ocpp_peer *p, const char *test, int32_t to_ma,
                       enum step next, int32_t next_cap_ma)
{
    int32_t ma = drawn_ma(p);
    double s = seconds_since(p, p->probe->confirmed_ms);

    if (ma >= 0 && ma <= to_ma) {
        if (p->probe->step == LOWER)
            p->able.delay_s = (int32_t)s + 1;
        result(p, test, "obeys", true, s);
        go(p, next, next_cap_ma);
    } else if (p->probe->confirmed_ms && s * 1000 > FOLLOW_MS) {
        p->probe->deaf = true;
        result(p, test, "accepts it and goes on drawing", false, -1);
        go(p, next, next_cap_ma);
    }
}

static void wait_rise(struct ocpp_peer *p, const char *test, enum step next,
                      int32_t next_cap_ma)
{
    int32_t ma = drawn_ma(p);
    double s = seconds_since(p, p->probe->confirmed_ms);

    if (ma >= 0 && ma >= wanted_ma(p)) {
        result(p, test, "follows", true, s);
        go(p, next, next_cap_ma);
    } else if (p->probe->confirmed_ms && s * 1000 > RISE_MS) {
        result(p, test, "the car stays lower", false, -1);
        go(p, next, next_cap_ma);
    }
}

static void after_tests(struct ocpp_peer *p)
{
    if (p->probe->reboot && p->probe->step != BOOTED) {
        p->probe->asks_reset = true;
        go(p, RESET, least_ma(p));
    } else {
        go(p, DONE, -1);
    }
}

static void judge_kept(struct ocpp_peer *p, const char *test, enum ocpp_keeps *keeps)
{
    const struct ocpp_connector *c = place(p);
    int64_t for_ms = p->w->now_ms - p->probe->up_ms;
    int64_t until_ms = p->probe->step == BOOTED ? RESUME_MS : HOLD_MS;
    bool fresh = c->drawn_ms > p->probe->up_ms;

    if (fresh && c->drawn_ma > least_ma(p) + NEAR_MA) {
        *keeps = OCPP_KEEPS_NO;
        result(p, test, "loses its limit: set its fallback to its maximum", false, -1);
    } else if (fresh && c->drawn_ma > REST_MA && for_ms > ASK_MS) {
        *keeps = OCPP_KEEPS_YES;
        result(p, test, "keeps its limit", true, -1);
    } else if (for_ms > until_ms) {
        result(p, test, "cannot be seen: no current flows", true, -1);
    } else {
        return;
    }
    if (p->probe->step == KEPT)
        after_tests(p);
    else
        go(p, DONE, -1);
}

static void cut(struct ocpp_peer *p)
{
    struct ocpp_probe *probe = p->probe;

    if (!probe->up_ms && p->link && p->w->cut && probe->step_ms == p->w->now_ms)
        p->w->cut(p->link);
    if (p->link && p->link_ms > probe->step_ms) {
        probe->up_ms = p->link_ms;
        probe->step = KEPT;
        probe->step_ms = p->w->now_ms;
    } else if (p->w->now_ms - probe->step_ms > AWAY_MS) {
        result(p, "after a disconnect", "it does not come back", false, -1);
        end(p, OCPP_AWAY, "the charger did not come back");
    }
}

/* The connection is cut when the car has followed the limit that is to be kept. */
static void hold(struct ocpp_peer *p)
{
    int32_t least = least_ma(p), ma = drawn_ma(p);

    if (!(ma > 0 && ma <= least + NEAR_MA) &&
        p->w->now_ms - p->probe->step_ms < FOLLOW_MS)
        return;
    go(p, CUT, least);
    p->probe->up_ms = 0;
    cut(p);
}

static void reset(struct ocpp_peer *p)
{
    struct ocpp_probe *probe = p->probe;

    if (p->link && p->link_ms > probe->step_ms && p->ready) {
        probe->up_ms = p->link_ms;
        probe->step = BOOTED;
        probe->step_ms = p->w->now_ms;
    } else if (p->w->now_ms - probe->step_ms > AWAY_MS) {
        result(p, "after a restart", "it did not restart", false, -1);
        go(p, DONE, -1);
    }
}

static void run(struct ocpp_peer *p)
{
    int32_t least = least_ma(p);

    switch (p->probe->step) {
    case LOWER:
        wait_lower(p, "a lower limit", least + NEAR_MA, RAISE, -1);
        break;
    case RAISE:
        wait_rise(p, "a higher limit", ZERO, 0);
        break;
    case ZERO:
        wait_lower(p, "0 A", REST_MA, WAKE, -1);
        break;
    case WAKE:
        if (p->probe->deaf) /* what it never obeyed it cannot keep */
            wait_rise(p, "back from 0 A", DONE, -1);
        else
            wait_rise(p, "back from 0 A", HOLD, least);
        break;
    case HOLD:
        hold(p);
        break;
    case CUT:
        cut(p);
        break;
    case KEPT:
        judge_kept(p, "after a disconnect", &p->able.keeps);
        break;
    case RESET:
        reset(p);
        break;
    case BOOTED:
        judge_kept(p, "after a restart", &p->able.boots);
        break;
    default:
        end(p, OCPP_ANSWERED, "");
    }
}

static bool away_is_fine(enum step s)
{
    return s == CUT || s == KEPT || s == RESET || s == BOOTED;
}

void ocpp_probe_tick(struct ocpp_peer *p)
{
    struct ocpp_probe *probe = p->probe;
    struct ocpp_connector *c;

    if (!probe)
        return;
    c = place(p);
    if (!p->link && !away_is_fine(probe->step)) {
        end(p, OCPP_AWAY, "the connection was lost");
        return;
    }
    if (!c->tx.active && probe->step == ZERO)
        result(p, "0 A", "ends the transaction", false, -1);
    if (!c->tx.active && probe->step < CUT) {
        end(p, OCPP_AWAY, "the transaction has ended");
        return;
    }
    if (!probe->confirmed_ms && c->limit.force.has &&
        c->limit.force_ms >= probe->step_ms &&
        c->limit.told_ma == ocpp_limit_capped(c, c->limit.force.limit_ma))
        probe->confirmed_ms = p->w->now_ms;
    if (!probe->confirmed_ms && probe->step < CUT &&
        p->w->now_ms - probe->step_ms > CONFIRM_MS) {
        result(p, "a limit", "is not confirmed", false, -1);
        end(p, OCPP_SILENT, "a limit was not confirmed");
        return;
    }
    if (p->link && p->w->now_ms - probe->asked_ms >= ASK_MS) {
        probe->asked_ms = p->w->now_ms;
        ocpp_sample_order(p, c);
    }
    run(p);
}

static void reset_answered(struct ocpp_peer *p, struct ocpp_connector *c,
                           const struct ocpp_reply *r)
{
    char status[24] = "";

    (void)c;
    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    if (!p->probe || strcmp(status, "Accepted") == 0 || r->kind == OCPP_REPLY_LOST)
        return;
    result(p, "after a restart", "it refuses to restart", false, -1);
    go(p, DONE, -1);
}

/* It is back, and nothing is told to see what it has kept. */
static bool holds(const struct ocpp_peer *p)
{
    enum step s = p->probe->step;

    return s == KEPT || s == BOOTED ||
           ((s == CUT || s == RESET) && p->link_ms > p->probe->step_ms);
}

bool ocpp_probe_holds(struct ocpp_peer *p, const struct ocpp_connector *c)
{
    return p->probe && c == place(p) && holds(p) &&
           c->limit.next.limit_ma >= least_ma(p);
}

bool ocpp_probe_pump(struct ocpp_peer *p)
{
    struct ocpp_probe *probe = p->probe;

    if (!probe)
        return false;
    if (probe->asks_reset && probe->confirmed_ms) {
        probe->asks_reset = false;
        ocpp_peer_call(p, "Reset", p->schema->soft_reset, reset_answered, place(p));
        return true;
    }
    if (holds(p)) {
        if (!ocpp_limit_pump_urgent(p) && !ocpp_limit_pump_any(p))
            ocpp_sample_pump(p);
        return true;
    }
    return false;
}

/* ---- begin */

static const char *why_not(struct ocpp_peer *p, int connector, int *at)
{
    *at = -1;
    for (int i = 0; i < p->n; i++)
        if (p->c[i].tx.active && (connector == 0 || p->c[i].number == connector))
            *at = i;
    if (p->probe)
        return "it is being probed already";
    if (!p->link || !p->ready)
        return "the charger is not connected";
    if (p->able.no_trigger && p->config.sample_s > 15)
        return "it gives its meter values too rarely";
    if (*at < 0)
        return "no car charges there: a transaction must be under way";
    if (!p->c[*at].limit.force.has || !p->c[*at].drawn_ms)
        return "it has confirmed no limit yet, or told no current";
    if (p->c[*at].drawn_ma < ocpp_peer_site(p, &p->c[*at])->min_ma + SPACE_MA)
        return "the car must draw 2 A more than its minimum: try again when it does";
    return NULL;
}

void ocpp_probe_start(struct ocpp_peer *p, int connector, bool reboot,
                      ocpp_done_fn *done, void *arg)
{
    int at;
    const char *why = why_not(p, connector, &at);
    struct ocpp_probe *probe = why ? NULL : calloc(1, sizeof *probe);

    if (!probe) {
        done(arg, !p->link ? OCPP_AWAY : OCPP_KEPT_BACK, why ? why : "no memory", "");
        return;
    }
    *probe = (struct ocpp_probe){.connector = at,
                                 .reboot = reboot,
                                 .full_ma = p->c[at].drawn_ma,
                                 .tests = cJSON_CreateArray(),
                                 .done = done,
                                 .arg = arg};
    p->probe = probe;
    log_info("%s: connector %d is probed, it draws %d.%d A", p->id, p->c[at].number,
             (int)(probe->full_ma / 1000), (int)(probe->full_ma % 1000 / 100));
    go(p, LOWER, least_ma(p));
}
