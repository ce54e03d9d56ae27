/* SPDX-License-Identifier: Apache-2.0 */
/* Readings and troubles of meters, for the main thread. */
#include "io/meter_tell.h"

#include <string.h>

#include "io/clock.h"

/* As often one that comes and goes is told at once, then one in this time. */
enum { TOLD_AT_ONCE = 5, TOLD_MS = 60000 };

void meter_tell_reading(struct inbox *b, int meter, const struct meter_reading *r,
                        int64_t at_ms, int64_t changed_ms)
{
    struct inbox_item item = {.kind = INBOX_EVENT};
    struct event_meter *e = &item.event.meter;

    item.event.at_ms = at_ms;
    item.event.kind = EVENT_METER;
    item.event.who = meter;
    memcpy(e->i_ma, r->i_ma, sizeof e->i_ma);
    memcpy(e->v_mv, r->v_mv, sizeof e->v_mv);
    e->p_w = r->p_w;
    e->changed_ms = changed_ms;
    inbox_put(b, &item);

    item = (struct inbox_item){.kind = INBOX_METER};
    item.reading.meter = meter;
    memcpy(item.reading.p_phase_w, r->p_phase_w, sizeof item.reading.p_phase_w);
    item.reading.hz_mhz = r->hz_mhz;
    item.reading.import_wh = r->import_wh;
    item.reading.export_wh = r->export_wh;
    inbox_put(b, &item);
}

void meter_tell_trouble(struct inbox *b, struct meter_trouble *t, const char *code,
                        const char *name, const char *text)
{
    int64_t now_ms = clock_ms();

    if (t->since_ms || t->paid_ms > now_ms)
        return;
    if (t->paid_ms < now_ms - (TOLD_AT_ONCE - 1) * TOLD_MS)
        t->paid_ms = now_ms - (TOLD_AT_ONCE - 1) * TOLD_MS;
    t->paid_ms += TOLD_MS;
    t->since_ms = now_ms;
    inbox_trouble(b, true, code, name, "%s", text);
}

void meter_tell_relief(struct inbox *b, struct meter_trouble *t, const char *code,
                       const char *name)
{
    if (!t->since_ms)
        return;
    inbox_trouble(b, false, code, name, "reads again after %lld s",
                  (long long)((clock_ms() - t->since_ms) / 1000));
    t->since_ms = 0;
}
