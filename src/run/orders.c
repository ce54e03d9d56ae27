/* SPDX-License-Identifier: Apache-2.0 */
/* Carries the core's orders out, and tells people of them in words. */
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "run/runner.h"

/* "circuit garage is full on L2", ... */
static void words(const struct config *c, const struct why *w, char *out, size_t n)
{
    const char *circuit =
        w->circuit == SITE_NONE ? NULL : c->site.circuits[w->circuit].name;

    switch (w->reason) {
    case REASON_CIRCUIT:
        snprintf(out, n, "%s is full on L%d", circuit, w->phase + 1);
        break;
    case REASON_POWER:
        snprintf(out, n, "the power limit of %s is reached", circuit);
        break;
    case REASON_UNBALANCE:
        snprintf(out, n, "%s has as much more on L%d than elsewhere as it may", circuit,
                 w->phase + 1);
        break;
    case REASON_WAITING:
        snprintf(out, n, "its minimum does not fit now%s%s", circuit ? " on " : "",
                 circuit ? circuit : "");
        break;
    case REASON_METER_LOST:
        snprintf(out, n, "the meter of %s is silent", circuit);
        break;
    case REASON_MAX:
        snprintf(out, n, "its own maximum");
        break;
    case REASON_RAMP:
        snprintf(out, n, "step by step, more may follow");
        break;
    case REASON_SATISFIED:
        snprintf(out, n, "the car takes no more");
        break;
    case REASON_PAUSED:
        snprintf(out, n, "paused");
        break;
    case REASON_DISOBEYS:
        snprintf(out, n, "it does not do what it is told");
        break;
    case REASON_MODE:
        snprintf(out, n, "by its mode");
        break;
    case REASON_EXTERNAL:
        snprintf(out, n, "others limit its charger");
        break;
    case REASON_SOLAR:
        snprintf(out, n, "the sun gives no more");
        break;
    case REASON_PHASES:
        snprintf(out, n, "it changes its number of phases");
        break;
    default:
        snprintf(out, n, "no car that wants to charge");
    }
}

/* "", ", until 14:35", or when it is asked again. */
static const char *until_words(const struct why *w, int64_t until_utc_s, int64_t now_s,
                               char out[48])
{
    char time[24];

    out[0] = '\0';
    if (until_utc_s)
        snprintf(out, 48, "%s %s",
                 w->reason == REASON_SATISFIED ? "; to be asked again at" : ", until",
                 clock_format_local(until_utc_s, now_s, time));
    return out;
}

static void carry_limit(struct runner *r, int64_t at_ms, const struct order *o)
{
    const struct conf_connector *c = &r->conf->connectors[o->who];
    int64_t now_s = clock_utc_s(), until_ms = o->why.until_ms;
    int64_t until_s = until_ms > 0 ? now_s + (until_ms - at_ms) / 1000 : 0;
    char why[128], until[48];

    ocpp_order(r->ocpp, o);
    if (o->renewal)
        return;
    words(r->conf, &o->why, why, sizeof why);
    log_info("%s: %d.%d A (%s%s)", c->name, o->limit_ma / 1000,
             o->limit_ma % 1000 / 100, why,
             until_words(&o->why, until_s, now_s, until));
    if (r->history)
        history_setpoint(r->history, now_s, c->cid, o->limit_ma, &o->why,
                         o->why.circuit == SITE_NONE
                             ? ""
                             : r->conf->site.circuits[o->why.circuit].name,
                         until_s);
}

static bool has_circuit(const struct site *s, int meter)
{
    for (int v = 0; v < s->n_circuits; v++)
        if (s->circuits[v].meter == meter)
            return true;
    return false;
}

static void carry_notice(struct runner *r, const struct order *o)
{
    const struct site *s = &r->conf->site;
    const char *who = o->notice == NOTICE_METER_LOST || o->notice == NOTICE_METER_FROZEN
                          ? s->meters[o->who].name
                      : o->notice == NOTICE_DISOBEYS ? r->conf->connectors[o->who].name
                                                     : s->circuits[o->who].name;
    static const char *const begins[NOTICE_COUNT] = {
        [NOTICE_METER_LOST] = "no fresh reading: its circuit counts as full except for "
                              "what base_load leaves",
        [NOTICE_METER_FROZEN] = "it answers with the same values for ever: something "
                                "between repeats them, it counts as lost (max_same)",
        [NOTICE_OVER_LIMIT] = "its meter shows more than the limit",
        [NOTICE_LIMIT_EXTERNAL] = "an external limit is in force",
        [NOTICE_DISOBEYS] = "draws more than it was told, in every form: its maximum "
                            "is kept free for it, the others get less",
        [NOTICE_CHECK_FAILED] =
            "an answer of the policy was cut down by the last check: "
            "this is a bug, please report it with the journal",
    };
    static const char *const ends[NOTICE_COUNT] = {
        [NOTICE_METER_LOST] = "readings are fresh again",
        [NOTICE_METER_FROZEN] = "its values move again",
        [NOTICE_OVER_LIMIT] = "within its limit again",
        [NOTICE_LIMIT_EXTERNAL] = "the external limit has ended",
        [NOTICE_DISOBEYS] = "does again what it is told",
        [NOTICE_CHECK_FAILED] = "",
    };

    const char *text = (o->begins ? begins : ends)[o->notice];

    if (o->notice == NOTICE_METER_LOST && o->begins && !has_circuit(s, o->who))
        text = "no fresh reading"; /* of a roof, or a sum of chargers */
    runner_tell(r, o->begins ? "warning" : "info", notice_name(o->notice), who, text);
}

void runner_carry_out(struct runner *r, int64_t at_ms, const struct order *o)
{
    if (r->journal)
        journal_order(r->journal, at_ms, o);
    if (o->kind == ORDER_NOTICE)
        carry_notice(r, o);
    else if (o->kind == ORDER_LIMIT)
        carry_limit(r, at_ms, o);
    else
        ocpp_order(r->ocpp, o);
}
