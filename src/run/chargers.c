/* SPDX-License-Identifier: Apache-2.0 */
/* What the central system hears from chargers, and asks of the books. */
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "run/runner.h"

static void on_sample_history(struct runner *r, const struct event *e)
{
    struct connector_view v;

    if (!r->history || e->kind != EVENT_SAMPLE)
        return;
    control_connector(r->control, e->who, &v);
    history_sample(r->history, clock_utc_s(), r->conf->connectors[e->who].cid,
                   v.measured_ma, e->sample.energy_wh);
}

static void on_event(void *arg, const struct event *e)
{
    struct runner *r = arg;

    /* before it, so that what its tag says holds from the first current on; and not
     * before the end of another session, which may wait before this event; again when
     * its tag is told later */
    if (e->kind == EVENT_SESSION && e->session.active)
        runner_session_begins(r, e->who);
    runner_feed(r, e);
    on_sample_history(r, e);
}

static void on_session(void *arg, const struct ocpp_session *s)
{
    struct runner *r = arg;
    char text[160], id[OCPP_TX_NAME];
    int64_t energy_wh;

    if (!book_session(r->book, s, &energy_wh) && (s->late || s->tagged))
        return;
    if (s->transaction > 0)
        snprintf(id, sizeof id, "%d", s->transaction);
    else
        strcpy(id, s->name);
    if (s->tagged)
        snprintf(text, sizeof text, "session %s has the tag %s%s", id,
                 *s->tag ? s->tag : "of nobody",
                 s->refused ? ", which may not charge" : "");
    else if (s->begins)
        snprintf(text, sizeof text, "session %s %s%s%s", id,
                 s->resumed ? "goes on" : "begins", *s->tag ? ", tag " : "", s->tag);
    else
        snprintf(text, sizeof text, "session %s has ended%s%s, %lld Wh", id,
                 *s->reason ? ": " : "", s->reason, (long long)energy_wh);
    runner_tell(r, "info", "session", r->conf->connectors[s->connector].name, text);
}

/* As of before a restart of ours, of which their charger knows nothing any more. */
void runner_vacant(struct runner *r)
{
    for (int i = 0; i < r->conf->site.n_connectors; i++) {
        struct connector_view v;
        char text[96];

        control_connector(r->control, i, &v);
        if (!book_vacant(r->book, i,
                         v.online && !v.session && v.status == STATUS_AVAILABLE,
                         clock_utc_s()))
            continue;
        snprintf(text, sizeof text, "session %d has ended: Lost, %lld Wh",
                 book_at(r->book, i)->transaction,
                 (long long)book_at(r->book, i)->energy_wh);
        runner_tell(r, "info", "session", r->conf->connectors[i].name, text);
    }
}

static void on_station(void *arg, int charger, const struct ocpp_station *s)
{
    struct runner *r = arg;

    r->stations[charger] = *s;
}

static void on_trouble(void *arg, bool begins, const char *who, const char *text)
{
    char over[200];

    snprintf(over, sizeof over, "no longer: %s", text);
    runner_tell(arg, begins ? "warning" : "info", "charger", who, begins ? text : over);
}

static void on_learned(void *arg, const struct ocpp_record *record)
{
    struct runner *r = arg;

    records_put(r->records, record, clock_utc_s());
}

static const struct ocpp_record *on_recall(void *arg, const char *id)
{
    return records_find(((struct runner *)arg)->records, id);
}

static int32_t on_next_transaction(void *arg)
{
    return book_next_transaction(((struct runner *)arg)->book);
}

static int32_t on_open_transaction(void *arg, int connector, const char *name)
{
    return book_open(((struct runner *)arg)->book, connector, name);
}

static void on_news(void *arg, const char *level, const char *code, const char *who,
                    const char *text)
{
    runner_tell(arg, level, code, who, text);
}

static int32_t on_tags_version(void *arg)
{
    return runner_tags_version(arg);
}

struct ocpp *runner_ocpp(struct runner *r, const struct config *c)
{
    struct ocpp_hooks hooks = {
        .arg = r,
        .event = on_event,
        .session = on_session,
        .station = on_station,
        .trouble = on_trouble,
        .learned = on_learned,
        .recall = on_recall,
        .next_transaction = on_next_transaction,
        .open_transaction = on_open_transaction,
        .news = on_news,
        .tags_version = on_tags_version,
    };

    return ocpp_new(r->loop, c, &hooks);
}
