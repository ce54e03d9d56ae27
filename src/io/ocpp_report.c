/* SPDX-License-Identifier: Apache-2.0 */
/* A charger's report of all its settings, where its version has such a thing: asked for
 * once, for all settings, or else for those that can be changed. It comes in parts,
 * which are read as they come and not kept, so it may be of any length. */
#include <strings.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

enum { PART_MS = 30000, ALL_MS = 300000, MAX_PARTS = 5000 };

static void over(struct ocpp_peer *p, bool for_good)
{
    p->report.step = OCPP_REPORT_OVER;
    p->config.asked = for_good;
}

/* What it has told is known as long as its firmware stays the same. */
void ocpp_report_begin(struct ocpp_peer *p)
{
    struct ocpp_reporting *r = &p->report;

    r->request = ocpp_request_id(p->w, OCPP_OUR_REQUESTS); /* none has it yet */
    r->step =
        p->schema->ask_report && !p->config.asked ? OCPP_REPORT_FULL : OCPP_REPORT_OVER;
}

static void wait(struct ocpp_peer *p)
{
    p->report.step = OCPP_REPORT_COMES;
    p->report.until_ms = p->w->now_ms + PART_MS;
}

/* Its parts may come before this answer. */
static void answered(struct ocpp_peer *p, struct ocpp_connector *c,
                     const struct ocpp_reply *r)
{
    char status[24] = "";

    (void)c;
    if (p->setup != OCPP_SETUP_REPORT || p->report.step >= OCPP_REPORT_COMES)
        return;
    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    if (strcasecmp(status, "Accepted") == 0) {
        wait(p);
    } else if (r->kind != OCPP_REPLY_RESULT && r->kind != OCPP_REPLY_ERROR) {
        over(p, false);
    } else if (p->report.step == OCPP_REPORT_FULL) {
        p->report.step = OCPP_REPORT_SOME;
    } else {
        log_info("%s: gives no report of its settings", p->id);
        over(p, true);
    }
}

static bool ask(struct ocpp_peer *p)
{
    struct ocpp_reporting *r = &p->report;
    char text[OCPP_CALL_TEXT];
    const char *action;

    r->request = ocpp_request_id(p->w, OCPP_OUR_REQUESTS);
    r->gap = false;
    r->part = r->n_parts = 0;
    r->from_ms = p->w->now_ms;
    action = p->schema->ask_report(text, r->request, r->step == OCPP_REPORT_FULL);
    ocpp_peer_call(p, action, text, answered, NULL);
    return true;
}

bool ocpp_report_pump(struct ocpp_peer *p)
{
    struct ocpp_reporting *r = &p->report;

    if (r->step != OCPP_REPORT_COMES)
        return ask(p);
    if (p->w->now_ms >= r->until_ms || p->w->now_ms >= r->from_ms + ALL_MS) {
        log_warnx("%s: the report of its settings %s, after %d parts", p->id,
                  r->n_parts ? "does not go on" : "does not come", r->n_parts);
        over(p, false);
    }
    return false;
}

/* One that comes again does no harm. What was in one that is lost has been asked for,
 * as far as we depend on it. */
bool ocpp_report_part(struct ocpp_peer *p, const cJSON *q, struct ocpp_fault *fault)
{
    struct ocpp_reporting *r = &p->report;
    struct ocpp_report is;

    if (!p->schema->read_report(q, &is, fault))
        return false;
    if (p->setup != OCPP_SETUP_REPORT || r->step == OCPP_REPORT_OVER ||
        is.request != r->request)
        return true; /* a person has asked for it */
    r->gap |= is.part > r->part;
    r->part = is.part < INT32_MAX ? is.part + 1 : 0;
    r->n_parts++;
    ocpp_setup_config(p, q);
    if (is.more && r->n_parts < MAX_PARTS) {
        wait(p);
        return true;
    }
    if (r->gap)
        log_warnx("%s: parts of the report of its settings are missing", p->id);
    over(p, !r->gap);
    return true;
}
