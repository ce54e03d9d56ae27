/* SPDX-License-Identifier: Apache-2.0 */
/* What drivers wish: from their tag, from the site file, over MQTT. Times of day become
 * moments of the monotonic clock here. */
#include "io/clock.h"
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

void runner_session_begins(struct runner *r, const struct ocpp_session *s)
{
    const char *id = book_at(r->book, s->connector)->tag;
    const struct conf_tag *tag = config_tag(r->conf, id);
    int minute = r->conf->connectors[s->connector].departs_min;
    struct connector_view v;
    struct event_card card;

    if (card_of(r->conf, tag, s->connector, s->refused, &card))
        runner_feed(r, &(struct event){.at_ms = clock_ms(),
                                       .kind = EVENT_CARD,
                                       .who = s->connector,
                                       .card = card});
    if (tag && tag->departs_min != CONF_NO_DEPARTURE)
        minute = tag->departs_min;
    control_connector(r->control, s->connector, &v);
    if (minute == CONF_NO_DEPARTURE || v.wish.departs_ms != INT64_MAX)
        return; /* a person's word counts more */
    runner_feed(r, &(struct event){.at_ms = clock_ms(),
                                   .kind = EVENT_WISH,
                                   .who = s->connector,
                                   .wish = {v.wish.energy_wh, next_ms(minute)}});
}

struct event runner_wish(struct runner *r, const struct mqtt_command *m)
{
    const struct mqtt_wish *w = &m->wish;
    struct event e = {.at_ms = clock_ms(), .kind = EVENT_WISH, .who = m->who};
    struct connector_view v;

    control_connector(r->control, m->who, &v);
    e.wish = v.wish; /* what is not said stays */
    if (w->energy)
        e.wish.energy_wh = w->energy_wh;
    if (w->departs)
        e.wish.departs_ms = w->minute >= 0          ? next_ms(w->minute)
                            : w->utc_s == INT64_MAX ? INT64_MAX
                                                    : at_ms(w->utc_s);
    return e;
}
