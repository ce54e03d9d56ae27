/* SPDX-License-Identifier: Apache-2.0 */
/* MeterValues: the dialects of sampled values, those of all versions. */
#include "proto/ocpp_meter.h"
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

/* Ten to the power of 2.x's multiplier. */
static bool multiply(const cJSON *unit, int64_t *milli)
{
    int64_t n;

    if (!ocpp_get_int(unit, "multiplier", &n))
        return true;
    for (; n > 0 && *milli < INT64_MAX / 1000000 && *milli > -INT64_MAX / 1000000; n--)
        *milli *= 10;
    for (; n < 0 && *milli; n++)
        *milli /= 10;
    return n <= 0;
}

/* `any`: also what is not about now. */
static void read_value(const cJSON *v, struct ocpp_sample *s, bool any)
{
    const cJSON *of = cJSON_GetObjectItemCaseSensitive(v, "unitOfMeasure");
    char measurand[48], phase_name[16], unit[16], context[32], format[16], location[16];
    int64_t milli;
    int phase;

    if (!ocpp_get_text(v, "measurand", measurand, sizeof measurand))
        strcpy(measurand, "Energy.Active.Import.Register");
    ocpp_get_text(v, "phase", phase_name, sizeof phase_name);
    ocpp_get_text(of ? of : v, "unit", unit, sizeof unit);
    ocpp_get_text(v, "context", context, sizeof context);
    ocpp_get_text(v, "format", format, sizeof format);
    ocpp_get_text(v, "location", location, sizeof location);
    split_phase(measurand, phase_name, sizeof phase_name);
    phase = phase_of(phase_name);
    if (phase == OTHER_PHASE || (!any && !about_now(context)) ||
        strcasecmp(format, "SignedData") == 0 ||
        (*location && strcasecmp(location, "Outlet") != 0))
        return;
    if (ocpp_milli(cJSON_GetObjectItemCaseSensitive(v, "value"), &milli) &&
        scale(unit, &milli) && multiply(of, &milli) &&
        store(s, measurand, phase, milli))
        s->n++;
}

static void clear(struct ocpp_sample *s)
{
    memset(s, 0, sizeof *s);
    s->i_any_ma = s->offered_ma = s->v_any_mv = s->p_w = EVENT_NO_VALUE;
    s->energy_wh = EVENT_NO_ENERGY;
    for (int p = 0; p < SITE_PHASES; p++) {
        s->i_ma[p] = s->v_mv[p] = s->p_phase_w[p] = EVENT_NO_VALUE;
        s->energy_phase_wh[p] = EVENT_NO_ENERGY;
    }
}

void ocpp_read_sample(const cJSON *element, struct ocpp_sample *s)
{
    const cJSON *v;

    clear(s);
    ocpp_get_text(element, "timestamp", s->timestamp, sizeof s->timestamp);
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(element, "sampledValue"))
    {
        read_value(v, s, false);
    }
}

int64_t ocpp_read_register(const cJSON *values)
{
    struct ocpp_sample s;
    const cJSON *element, *v;

    clear(&s);
    cJSON_ArrayForEach(element, values)
    {
        cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(element, "sampledValue"))
        {
            read_value(v, &s, true);
        }
    }
    return ocpp_energy(&s);
}
