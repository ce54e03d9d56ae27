/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated charger says to its central system, as far as both generations do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "sim/station_state.h"

/* What leaves us has to be good, too. */
static void check_call(struct station *s, const char *action, const cJSON *o)
{
    const struct ocpp_message *m = ocpp_schema_find(s->u.schema, OCPP_STATION, action);
    char why[OCPP_WHY] = "it is not known";

    if (m && !ocpp_schema_strict(s->u.schema, m->request, o, why))
        return;
    log_warnx("%s: our %s is wrong: %s", s->u.identity, action, why);
    s->counts.wrong++;
}

void station_tell_call(struct station *s, unsigned flags, const char *action, cJSON *o,
                       ocpp_client_done *done, void *arg)
{
    check_call(s, action, o);
    ocpp_client_call(s->client, flags, action, o, done, arg);
}

static void set_clock(struct station *s, const cJSON *payload)
{
    int64_t utc_s = payload_time_s(payload, "currentTime");

    if (utc_s != SIM_NO_TIME)
        s->clock_ahead_s = utc_s - clock_utc_s();
}

void station_on_boot(void *station, const cJSON *payload)
{
    struct station *s = station;
    int32_t interval_s = payload_int(payload, "interval", 0);

    if (!payload) {
        s->boot_ms = s->now_ms + 5000;
        return;
    }
    set_clock(s, payload);
    if (payload_is(payload, "status", "Accepted"))
        station_accepted_boot(s, interval_s);
    else
        s->boot_ms = s->now_ms + (interval_s > 0 ? interval_s : 30) * INT64_C(1000);
}

static void on_heartbeat(void *arg, const cJSON *payload)
{
    if (payload)
        set_clock(arg, payload);
}

void station_tell_heartbeat(struct station *s)
{
    station_tell_call(s, 0, "Heartbeat", cJSON_CreateObject(), on_heartbeat, s);
}

void station_tell_all(struct station *s)
{
    for (int number = 0; number <= s->u.n_bays; number++) {
        if (number > 0)
            s->bays[number - 1].told_plug = NULL;
        s->dialect->tell_status(s, number);
    }
}

void station_on_authorize(struct station_bay *b, const cJSON *payload, bool accepted)
{
    if (b->state != BAY_ASKING)
        return;
    if (!payload) { /* nobody to ask: once more */
        b->state = BAY_THINKING;
        b->ask_ms = b->station->now_ms + 5000;
    } else if (accepted) {
        station_begin(b);
    } else {
        b->state = BAY_DONE;
    }
}

/* ---- meter values */

struct sample {
    const struct station *station;
    const char *context;
    cJSON *values;
};

static void add_value(const struct sample *m, const char *measurand, const char *phase,
                      const char *unit, const char *value)
{
    cJSON *o;

    if (!station_key_has(m->station, KEY_MEASURANDS, measurand))
        return;
    o = cJSON_CreateObject();
    if (m->station->dialect->texts)
        cJSON_AddStringToObject(o, "value", value);
    else
        cJSON_AddNumberToObject(o, "value", strtod(value, NULL));
    cJSON_AddStringToObject(o, "context", m->context);
    cJSON_AddStringToObject(o, "measurand", measurand);
    if (phase)
        cJSON_AddStringToObject(o, "phase", phase);
    cJSON_AddStringToObject(o, "location", "Outlet");
    cJSON_AddStringToObject(
        m->station->dialect->texts ? o : cJSON_AddObjectToObject(o, "unitOfMeasure"),
        "unit", unit);
    cJSON_AddItemToArray(m->values, o);
}

static void add_phase(const struct sample *m, int phase, int32_t i_ma, int32_t v_mv)
{
    static const char *const lines[] = {"L1", "L2", "L3"};
    static const char *const to_neutral[] = {"L1-N", "L2-N", "L3-N"};
    char text[32];
    int32_t tenths = (i_ma + 50) / 100;

    snprintf(text, sizeof text, "%d.%d", (int)tenths / 10, (int)tenths % 10);
    add_value(m, "Current.Import", lines[phase], "A", text);
    snprintf(text, sizeof text, "%d", (int)(v_mv + 500) / 1000);
    add_value(m, "Voltage", to_neutral[phase], "V", text);
}

cJSON *station_values(const struct station_bay *b, const char *context)
{
    struct sample m = {b->station, context, cJSON_CreateArray()};
    struct event_sample s;
    char text[32];

    sim_bay_sample(&b->bay, &s);
    for (int p = 0; p < SITE_PHASES; p++)
        if (s.i_ma[p] != EVENT_NO_VALUE)
            add_phase(&m, p, s.i_ma[p], b->bay.voltage_mv);
    snprintf(text, sizeof text, "%d", (int)s.p_w);
    add_value(&m, "Power.Active.Import", NULL, "W", text);
    snprintf(text, sizeof text, "%lld", (long long)s.energy_wh);
    add_value(&m, "Energy.Active.Import.Register", NULL, "Wh", text);
    snprintf(text, sizeof text, "%.1f", sim_bay_offered(&b->bay) / 1000.0);
    add_value(&m, "Current.Offered", NULL, "A", text);
    if (cJSON_GetArraySize(m.values) > 0)
        return m.values;
    cJSON_Delete(m.values);
    return NULL;
}
