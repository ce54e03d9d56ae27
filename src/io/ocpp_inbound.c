/* SPDX-License-Identifier: Apache-2.0 */
/* What chargers ask of us: one function for each kind of it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

typedef bool handler(struct ocpp_peer *p, const cJSON *q, char *out,
                     struct ocpp_fault *fault);

static const char *now(const struct ocpp_peer *p, char text[21])
{
    return clock_format_utc(p->w->utc_s, text);
}

static bool boot(struct ocpp_peer *p, const cJSON *q, char *out,
                 struct ocpp_fault *fault)
{
    struct ocpp_boot b;
    struct ocpp_station s;
    char time[21];

    (void)fault;
    p->schema->read_boot(q, &b);
    snprintf(s.vendor, sizeof s.vendor, "%s", b.vendor);
    snprintf(s.model, sizeof s.model, "%s", b.model);
    snprintf(s.serial, sizeof s.serial, "%s", b.serial);
    snprintf(s.firmware, sizeof s.firmware, "%s", b.firmware);
    log_info("%s: has started: %s %s%s%s", p->id, b.vendor, b.model,
             *b.firmware ? ", firmware " : "", b.firmware);
    p->station = s;
    p->w->hooks.station(p->w->hooks.arg, p->charger, &s);
    ocpp_conf_boot(out, now(p, time), p->w->conf->ocpp.heartbeat_s);
    ocpp_emit(p->w, (struct event){.kind = EVENT_LINK,
                                   .who = p->charger,
                                   .link = {.up = true, .boot = true}});
    ocpp_learn_boot(p, &b);
    ocpp_tx_boot(p);
    ocpp_limit_boot(p);
    ocpp_outside_boot(p);
    ocpp_happened_boot(p);
    ocpp_setup_begin(p);
    ocpp_peer_ready(p);
    return true;
}

static bool heartbeat(struct ocpp_peer *p, const cJSON *q, char *out,
                      struct ocpp_fault *fault)
{
    char time[21];

    (void)q;
    (void)fault;
    ocpp_conf_heartbeat(out, now(p, time));
    return true;
}

/* Told when it changes, not each time a charger repeats it. */
static void note_error(struct ocpp_peer *p, char last[40], const struct ocpp_status *s)
{
    const char *error = strcasecmp(s->error, "NoError") == 0 ? "" : s->error;

    if (strcmp(last, error) == 0)
        return;
    if (*error)
        log_warnx("%s: connector %d: %s %s", p->id, s->connector, error, s->info);
    else
        log_info("%s: connector %d: no longer %s", p->id, s->connector, last);
    snprintf(last, sizeof s->error, "%s", error);
}

/* Connector 0 is the charger itself and no place to charge at (Q70). */
static bool status(struct ocpp_peer *p, const cJSON *q, char *out,
                   struct ocpp_fault *fault)
{
    struct ocpp_status s;
    struct ocpp_connector *c;

    if (!p->schema->read_status(q, &s, fault))
        return false;
    ocpp_conf_empty(out);
    clock_parse_utc(s.timestamp, &p->status_utc_s);
    c = ocpp_peer_connector(p, s.connector);
    if (c)
        ocpp_plugs_say(c, &s);
    note_error(p, c ? c->error : p->error, &s);
    if (!c)
        return true;
    c->status_seen = true;
    if (s.plug > 0 && s.status == STATUS_UNKNOWN)
        return true;
    if (!clock_parse_utc(s.timestamp, &c->status_utc_s))
        c->status_utc_s = INT64_MIN;
    if (s.vague && c->tx.active && ocpp_event_has(c->status))
        return true;
    if (s.status == STATUS_AVAILABLE)
        ocpp_needs_gone(c);
    c->status = s.status;
    ocpp_emit(p->w, (struct event){.kind = EVENT_STATUS,
                                   .who = ocpp_peer_index(p, c),
                                   .status = s.status});
    ocpp_tx_status(p, c);
    return true;
}

static bool is_refusal(const struct ocpp_tag_info *info)
{
    return strcmp(info->status, "Accepted") != 0;
}

static bool authorize(struct ocpp_peer *p, const cJSON *q, char *out,
                      struct ocpp_fault *fault)
{
    char tag[OCPP_TAG];
    struct ocpp_tag_info info;

    if (!p->schema->read_tag(q, tag, fault))
        return false;
    info = ocpp_tags_look(p, tag);
    if (is_refusal(&info))
        log_info("%s: %s%s may not charge: %s", p->id,
                 *tag ? "the tag " : "who shows no tag", tag, info.status);
    p->schema->conf_authorize(out, &info);
    return true;
}

/* A refused transaction is one all the same: the charger may let it run, and ends it by
 * StopTransaction. On a connector that we do not know it gets an id, or the charger
 * would ask for ever. */
static bool start(struct ocpp_peer *p, const cJSON *q, char *out,
                  struct ocpp_fault *fault)
{
    struct ocpp_start s;
    struct ocpp_tag_info info;
    struct ocpp_connector *c;
    int32_t id;

    if (!p->schema->read_start(q, &s, fault))
        return false;
    c = ocpp_peer_connector(p, s.connector);
    info = ocpp_tags_start(p, c, &s);
    id = c ? ocpp_tx_start(p, c, &s, is_refusal(&info))
           : p->w->hooks.next_transaction(p->w->hooks.arg);
    p->schema->conf_start(out, id, &info);
    return true;
}

static bool stop(struct ocpp_peer *p, const cJSON *q, char *out,
                 struct ocpp_fault *fault)
{
    struct ocpp_stop s;
    struct ocpp_tag_info info;

    if (!p->schema->read_stop(q, &s, fault))
        return false;
    ocpp_tx_stop(p, &s);
    info = ocpp_tags_look(p, s.tag);
    if (*s.tag)
        p->schema->conf_authorize(out, &info);
    else
        ocpp_conf_empty(out);
    return true;
}

static bool meter(struct ocpp_peer *p, const cJSON *q, char *out,
                  struct ocpp_fault *fault)
{
    struct ocpp_meter m;
    struct ocpp_connector *c;

    if (!p->schema->read_meter(q, &m, fault))
        return false;
    ocpp_conf_empty(out);
    c = ocpp_peer_connector(p, m.connector);
    if (c)
        ocpp_sample(p, c, &m);
    return true;
}

static bool event(struct ocpp_peer *p, const cJSON *q, char *out,
                  struct ocpp_fault *fault)
{
    struct ocpp_tx_event e;
    struct ocpp_tag_info info;

    if (!p->schema->read_event(q, &e, fault))
        return false;
    if (ocpp_event(p, &e, &info))
        p->schema->conf_authorize(out, &info);
    else
        ocpp_conf_empty(out);
    return true;
}

static bool report(struct ocpp_peer *p, const cJSON *q, char *out,
                   struct ocpp_fault *fault)
{
    ocpp_conf_empty(out);
    return ocpp_report_part(p, q, fault);
}

static bool data(struct ocpp_peer *p, const cJSON *q, char *out,
                 struct ocpp_fault *fault)
{
    (void)p;
    (void)q;
    (void)fault;
    ocpp_conf_status(out, "UnknownVendorId");
    return true;
}

/* Firmware, diagnostics, logs. */
static bool file_status(struct ocpp_peer *p, const cJSON *q, char *out,
                        struct ocpp_fault *fault)
{
    char word[48];

    (void)fault;
    ocpp_get_text(q, "status", word, sizeof word);
    ocpp_files_status(p, word);
    ocpp_conf_empty(out);
    return true;
}

static bool security(struct ocpp_peer *p, const cJSON *q, char *out,
                     struct ocpp_fault *fault)
{
    char type[52], info[128];

    (void)fault;
    ocpp_get_text(q, "type", type, sizeof type);
    ocpp_get_text(q, "techInfo", info, sizeof info);
    ocpp_security_event(p, type, info);
    ocpp_conf_empty(out);
    return true;
}

static bool sign(struct ocpp_peer *p, const cJSON *q, char *out,
                 struct ocpp_fault *fault)
{
    const char *csr = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(q, "csr"));

    (void)fault;
    ocpp_conf_status(out, csr && ocpp_security_sign(p, csr) ? "Accepted" : "Rejected");
    return true;
}

static bool needs(struct ocpp_peer *p, const cJSON *q, char *out,
                  struct ocpp_fault *fault)
{
    struct ocpp_needs n;

    if (!p->schema->read_needs(q, &n, fault))
        return false;
    ocpp_conf_status(out, ocpp_needs(p, &n));
    return true;
}

static bool limited(struct ocpp_peer *p, const cJSON *q, char *out,
                    struct ocpp_fault *fault)
{
    struct ocpp_limited l;

    if (!p->schema->read_limited(q, &l, fault))
        return false;
    ocpp_outside_told(p, &l);
    ocpp_conf_empty(out);
    return true;
}

static bool unlimited(struct ocpp_peer *p, const cJSON *q, char *out,
                      struct ocpp_fault *fault)
{
    struct ocpp_limited l;

    if (!p->schema->read_limited(q, &l, fault))
        return false;
    ocpp_outside_cleared(p, &l);
    ocpp_limited_free(&l);
    ocpp_conf_empty(out);
    return true;
}

static bool reported(struct ocpp_peer *p, const cJSON *q, char *out,
                     struct ocpp_fault *fault)
{
    struct ocpp_limited l;
    int64_t request;

    if (!p->schema->read_reported(q, &l, &request, fault))
        return false;
    ocpp_outside_reported(p, &l, request);
    ocpp_conf_empty(out);
    return true;
}

/* No more of them fit into a message with all that the standard wants of each. */
enum { HAPPENINGS = 500 };

static bool happened(struct ocpp_peer *p, const cJSON *q, char *out,
                     struct ocpp_fault *fault)
{
    struct ocpp_happening h;

    (void)fault;
    for (int i = 0; i < HAPPENINGS && p->schema->read_happening(q, i, &h); i++)
        ocpp_happened(p, &h);
    ocpp_conf_empty(out);
    return true;
}

/* It is over, or its charger has removed it. */
static bool unreserved(struct ocpp_peer *p, const cJSON *q, char *out,
                       struct ocpp_fault *fault)
{
    int64_t id;

    (void)fault;
    if (ocpp_get_int(q, "reservationId", &id))
        ocpp_tags_unreserve(p, (int32_t)id);
    ocpp_conf_empty(out);
    return true;
}

static handler *const handlers[] = {
    [OCPP_SAYS_AUTHORIZE] = authorize,
    [OCPP_SAYS_BOOT] = boot,
    [OCPP_SAYS_DATA] = data,
    [OCPP_SAYS_EVENT] = event,
    [OCPP_SAYS_FILE] = file_status,
    [OCPP_SAYS_HAPPENED] = happened,
    [OCPP_SAYS_HEARTBEAT] = heartbeat,
    [OCPP_SAYS_LIMITED] = limited,
    [OCPP_SAYS_METER] = meter,
    [OCPP_SAYS_NEEDS] = needs,
    [OCPP_SAYS_REPORT] = report,
    [OCPP_SAYS_REPORTED] = reported,
    [OCPP_SAYS_SECURITY] = security,
    [OCPP_SAYS_SIGN] = sign,
    [OCPP_SAYS_START] = start,
    [OCPP_SAYS_STATUS] = status,
    [OCPP_SAYS_STOP] = stop,
    [OCPP_SAYS_UNLIMITED] = unlimited,
    [OCPP_SAYS_UNRESERVED] = unreserved,
};

/* By the table of its version; the meaning is up to the handlers. */
static bool is_readable(const struct ocpp_peer *p, const struct ocpp_message *m,
                        const cJSON *payload, struct ocpp_fault *fault)
{
    char why[OCPP_WHY];
    const char *code = ocpp_schema_lenient(p->schema, m->request, payload, why);

    if (!code)
        return true;
    fault->code = code;
    snprintf(fault->text, sizeof fault->text, "%.79s", why);
    return false;
}

static bool wrong_version(const struct ocpp_peer *p, const struct ocpp_schema *is,
                          struct ocpp_fault *fault)
{
    fault->code = p->schema->missing;
    snprintf(fault->text, sizeof fault->text, "it is of OCPP %s, this connection of %s",
             is->version, p->schema->version);
    return false;
}

bool ocpp_inbound(struct ocpp_peer *p, const char *action, const cJSON *payload,
                  char *out, struct ocpp_fault *fault)
{
    const struct ocpp_message *m = ocpp_schema_find(p->schema, OCPP_STATION, action);
    const struct ocpp_schema *is = ocpp_schema_whose(p->schema, action, payload);
    bool good;

    if (is)
        ocpp_peer_wrong(p, is, action);
    if (!m) {
        fault->code = "NotImplemented";
        snprintf(fault->text, sizeof fault->text, "this action is not known here");
        return false;
    }
    good = is ? wrong_version(p, is, fault) : is_readable(p, m, payload, fault);
    if (good && m->says == OCPP_SAYS_NOTHING)
        strcpy(out, m->reply);
    else if (good)
        good = handlers[m->says](p, payload, out, fault);
    if (good)
        ocpp_later_part(p, action, payload);
    else
        fault->code = ocpp_schema_code(p->schema, fault->code);
    if (!good && p->bad_messages++ == 0)
        log_warnx("%s: %s: %s", p->id, action, fault->text);
    return good;
}
