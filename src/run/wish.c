/* SPDX-License-Identifier: Apache-2.0 */
/* What drivers wish: from their tag, from the site file, over MQTT. Times of day become
 * moments of the monotonic clock here. */
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "run/runner.h"

/* The moment of a wall clock's time on the monotonic clock. */
static int64_t at_ms(int64_t utc_s)
{
    return clock_ms() + (utc_s - clock_utc_s()) * 1000;
}

static int64_t next_ms(int minute)
{
    return at_ms(clock_next_utc_s(minute, clock_utc_s()));
}

/* What the tag of a session says; false = nothing. Whoever may not charge gets nothing,
 * should the charger let him; of strangers, all others come first. */
static bool card_of(const struct config *c, const struct conf_tag *tag, int connector,
                    bool refused, struct event_card *card)
{
    static const struct event_card none = {MODE_COUNT, EVENT_NO_VALUE, EVENT_NO_VALUE};
    bool low = c->ocpp.unknown_tags == CONF_LOW && !c->ocpp.accept_all_tags;

    *card = tag ? tag->card : none;
    if (refused)
        card->mode = MODE_OFF;
    if (low && card->priority == EVENT_NO_VALUE && !tag)
        card->priority = 0;
    else if (low && card->priority == EVENT_NO_VALUE &&
             c->site.connectors[connector].priority == 0)
        card->priority = 1;
    return tag || refused || low;
}

/* What a session may have at most: what a person said, and what its tag says where he
 * said nothing. */
static void set_most(struct runner *r, int connector, const struct conf_most *more)
{
    struct conf_most most = book_at(r->book, connector)->most;

    if (most.wh == 0)
        most.wh = more->wh;
    if (most.s == 0)
        most.s = more->s;
    if (most.milli == 0)
        most.milli = more->milli;
    book_most(r->book, connector, &most);
}

void runner_session_begins(struct runner *r, int connector)
{
    const struct config *c = r->conf;
    const struct book_session *b = book_at(r->book, connector);
    const struct conf_tag *tag = config_tag(c, b->tag);
    int minute = c->connectors[connector].departs_min;
    bool stranger = *b->tag && !tag && !c->ocpp.accept_all_tags &&
                    c->ocpp.unknown_tags == CONF_REFUSE;
    struct connector_view v;
    struct event_card card;

    control_connector(r->control, connector, &v);
    if ((card_of(c, tag, connector, b->refused || stranger, &card) || v.session) &&
        !b->had)
        runner_feed(r, &(struct event){.at_ms = clock_ms(),
                                       .kind = EVENT_CARD,
                                       .who = connector,
                                       .card = card});
    if (tag)
        set_most(r, connector, &tag->most);
    if (tag && tag->departs_min != CONF_NO_DEPARTURE)
        minute = tag->departs_min;
    if (minute != CONF_NO_DEPARTURE)
        runner_feed(r, &(struct event){.at_ms = clock_ms(),
                                       .kind = EVENT_WISH,
                                       .who = connector,
                                       .wish = {.energy_wh = EVENT_NO_VALUE,
                                                .departs_ms = next_ms(minute),
                                                .source = WISH_FILE}});
}

static void wish_most(struct runner *r, int connector, const struct mqtt_wish *w)
{
    struct conf_most most = book_at(r->book, connector)->most;
    int32_t *is[] = {&most.wh, &most.s, &most.milli};
    bool had = book_at(r->book, connector)->had;
    struct event_card card;

    if (!w->most_said)
        return;
    for (int i = 0; i < 3; i++)
        if (w->most_said & 1u << i)
            *is[i] = w->most[i];
    book_most(r->book, connector, &most);
    if (!had)
        return;
    /* It may go on; what its tag says holds again. */
    card_of(r->conf, config_tag(r->conf, book_at(r->book, connector)->tag), connector,
            false, &card);
    runner_feed(r, &(struct event){.at_ms = clock_ms(),
                                   .kind = EVENT_CARD,
                                   .who = connector,
                                   .card = card});
}

/* What it has got is 0 A in any case. `arg` is the connector's name. */
static void stopped(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    cJSON *answer = o == OCPP_ANSWERED ? cJSON_Parse(text) : NULL;
    const char *status =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "status"));

    (void)note;
    if (!status || strcmp(status, "Accepted") != 0)
        log_warnx("%s: its session could not be stopped: %s", (const char *)arg,
                  status ? status : text);
    cJSON_Delete(answer);
    free(arg);
}

/* A session that has had what it may gets 0 A until its end, or a person says more. */
void runner_enough(struct runner *r)
{
    int64_t utc_s = clock_utc_s();
    struct event_card card = {MODE_OFF, EVENT_NO_VALUE, EVENT_NO_VALUE};
    char what[48], text[96];

    for (int i = 0; i < r->conf->site.n_connectors; i++) {
        if (!book_enough(r->book, i, utc_s, what))
            continue;
        snprintf(text, sizeof text, "session %d has had %s and is %s",
                 book_at(r->book, i)->transaction, what,
                 r->conf->end_sessions ? "stopped" : "paused");
        runner_tell(r, "info", "session_enough", r->conf->connectors[i].name, text);
        runner_feed(
            r, &(struct event){
                   .at_ms = clock_ms(), .kind = EVENT_CARD, .who = i, .card = card});
        if (r->conf->end_sessions)
            ocpp_stop(r->ocpp, i, stopped, strdup(r->conf->connectors[i].name));
    }
}

struct event runner_wish(struct runner *r, const struct mqtt_command *m)
{
    const struct mqtt_wish *w = &m->wish;
    struct event e = {.at_ms = clock_ms(), .kind = EVENT_WISH, .who = m->who};
    struct connector_view v;

    wish_most(r, m->who, w);
    control_connector(r->control, m->who, &v);
    e.wish = v.asked; /* what is not said stays */
    if (w->energy)
        e.wish.energy_wh = w->energy_wh;
    if (w->departs)
        e.wish.departs_ms = w->minute >= 0          ? next_ms(w->minute)
                            : w->utc_s == INT64_MAX ? INT64_MAX
                                                    : at_ms(w->utc_s);
    return e;
}
