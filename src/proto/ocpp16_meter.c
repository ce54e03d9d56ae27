/* SPDX-License-Identifier: Apache-2.0 */
/* MeterValues: the dialects of sampled values. */
#include "proto/ocpp16.h"
#include "proto/ocpp_frame.h"

#include <string.h>
#include <strings.h>

enum { NO_PHASE = -1, OTHER_PHASE = -2 };

static const struct {
    const char *unit;
    int64_t times; /* milli-units of the value * times = 1000 * base units */
    int64_t by;
} units[] = {
    {"", 1, 1},      {"A", 1, 1},      {"W", 1, 1},      {"Wh", 1, 1},
    {"V", 1, 1},     {"VA", 1, 1},     {"mA", 1, 1000},  {"mW", 1, 1000},
    {"mV", 1, 1000}, {"kW", 1000, 1},  {"kWh", 1000, 1}, {"kVA", 1000, 1},
    {"kV", 1000, 1}, {"mWh", 1, 1000},
};

/* "mW" and "MW" differ, so the letters count; blanks do not. */
static bool scale(const char *unit, int64_t *milli)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].unit, unit) == 0 ||
            (unit[0] != 'm' && unit[0] != 'M' &&
             strcasecmp(units[i].unit, unit) == 0)) {
            *milli = *milli * units[i].times / units[i].by;
            return true;
        }
    return false;
}

/* L1, L1-N, A, ... ; L1-L2 and N are nobody's. */
static int phase_of(const char *name)
{
    static const char *const names[][SITE_PHASES] = {
        {"L1", "L2", "L3"},
        {"L1-N", "L2-N", "L3-N"},
        {"A", "B", "C"},
        {"1", "2", "3"},
    };

    if (!*name || strcasecmp(name, "Total") == 0)
        return NO_PHASE;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int p = 0; p < SITE_PHASES; p++)
            if (strcasecmp(names[i][p], name) == 0)
                return p;
    return OTHER_PHASE;
}

/* "Current.Import.L1" is what some want for a measurand (lbbrhzn/ocpp#19): takes the
 * phase off its end. */
static void split_phase(char *measurand, char *phase, size_t size)
{
    char *dot = strrchr(measurand, '.');

    if (*phase || !dot || phase_of(dot + 1) < 0)
        return;
    ocpp_text_copy(phase, size, dot + 1);
    *dot = '\0';
}

static void put32(int32_t *to, int64_t value)
{
    if (value > INT32_MIN && value <= INT32_MAX)
        *to = (int32_t)value;
}

static bool about_now(const char *context)
{
    return strcasecmp(context, "Transaction.End") != 0 &&
           strncasecmp(context, "Interruption", 12) != 0;
}

/* Stores a value of 1000 * base units where it belongs. False: not of interest. */
static bool store(struct ocpp_sample *s, const char *measurand, int phase,
                  int64_t milli)
{
    bool one = phase >= 0;

    if (strcasecmp(measurand, "Current.Import") == 0)
        put32(one ? &s->i_ma[phase] : &s->i_any_ma, milli);
    else if (strcasecmp(measurand, "Current.Offered") == 0)
        put32(&s->offered_ma, milli);
    else if (strcasecmp(measurand, "Voltage") == 0)
        put32(one ? &s->v_mv[phase] : &s->v_any_mv, milli);
    else if (strcasecmp(measurand, "Power.Active.Import") == 0)
        put32(one ? &s->p_phase_w[phase] : &s->p_w, milli / 1000);
    else if (strcasecmp(measurand, "Energy.Active.Import.Register") == 0)
        *(one ? &s->energy_phase_wh[phase] : &s->energy_wh) = milli / 1000;
    else
        return false;
    return true;
}

static void read_value(const cJSON *v, struct ocpp_sample *s)
{
    char measurand[48], phase_name[16], unit[16], context[32], format[16], location[16];
    int64_t milli;
    int phase;

    if (!ocpp_get_text(v, "measurand", measurand, sizeof measurand))
        strcpy(measurand, "Energy.Active.Import.Register");
    ocpp_get_text(v, "phase", phase_name, sizeof phase_name);
    ocpp_get_text(v, "unit", unit, sizeof unit);
    ocpp_get_text(v, "context", context, sizeof context);
    ocpp_get_text(v, "format", format, sizeof format);
    ocpp_get_text(v, "location", location, sizeof location);
    split_phase(measurand, phase_name, sizeof phase_name);
    phase = phase_of(phase_name);
    if (phase == OTHER_PHASE || !about_now(context) ||
        strcasecmp(format, "SignedData") == 0 ||
        (*location && strcasecmp(location, "Outlet") != 0))
        return;
    if (ocpp_milli(cJSON_GetObjectItemCaseSensitive(v, "value"), &milli) &&
        scale(unit, &milli) && store(s, measurand, phase, milli))
        s->n++;
}

bool ocpp16_read_meter(const cJSON *p, struct ocpp_meter *m, struct ocpp_fault *fault)
{
    int64_t id;

    if (!ocpp_need_int(p, "connectorId", 0, INT32_MAX, &m->connector, fault))
        return false;
    m->has_transaction =
        ocpp_get_int(p, "transactionId", &id) && id >= INT32_MIN && id <= INT32_MAX;
    m->transaction = m->has_transaction ? (int32_t)id : 0;
    m->values = cJSON_GetObjectItemCaseSensitive(p, "meterValue");
    if (!m->values || cJSON_IsNull(m->values)) {
        *fault = (struct ocpp_fault){"OccurenceConstraintViolation",
                                     "meterValue is missing"};
        return false;
    }
    if (!cJSON_IsArray(m->values)) {
        *fault =
            (struct ocpp_fault){"TypeConstraintViolation", "meterValue is no array"};
        return false;
    }
    return true;
}

void ocpp16_read_sample(const cJSON *element, struct ocpp_sample *s)
{
    const cJSON *v;

    memset(s, 0, sizeof *s);
    s->i_any_ma = s->offered_ma = s->v_any_mv = s->p_w = EVENT_NO_VALUE;
    s->energy_wh = EVENT_NO_ENERGY;
    for (int p = 0; p < SITE_PHASES; p++) {
        s->i_ma[p] = s->v_mv[p] = s->p_phase_w[p] = EVENT_NO_VALUE;
        s->energy_phase_wh[p] = EVENT_NO_ENERGY;
    }
    ocpp_get_text(element, "timestamp", s->timestamp, sizeof s->timestamp);
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(element, "sampledValue"))
    {
        read_value(v, s);
    }
}
