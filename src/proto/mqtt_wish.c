/* SPDX-License-Identifier: Apache-2.0 */
/* Parses and checks wishes that arrive over MQTT. */
#include "proto/mqtt_wish.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cjson/cJSON.h>

static bool no_energy(const char *text, char why[MQTT_WISH_WHY])
{
    snprintf(why, MQTT_WISH_WHY,
             "'%.60s' is no energy; allowed are 0.1 to %d kWh and none", text,
             MQTT_WISH_MAX_WH / 1000);
    return false;
}

static bool no_time(const char *text, char why[MQTT_WISH_WHY])
{
    snprintf(
        why, MQTT_WISH_WHY,
        "'%.60s' is no time to depart; allowed are a time of day like 07:30, a time "
        "like 2026-11-03T06:30:00Z, and none",
        text);
    return false;
}

static bool set_energy(struct mqtt_wish *w, double kwh)
{
    w->energy = true;
    if (!(kwh >= 0.1) || !(kwh * 1000 <= MQTT_WISH_MAX_WH))
        return false;
    w->energy_wh = (int32_t)lround(kwh * 1000);
    return true;
}

bool mqtt_wish_energy(const char *text, struct mqtt_wish *w, char why[MQTT_WISH_WHY])
{
    size_t n = strlen(text);

    *w = (struct mqtt_wish){.energy = true, .energy_wh = EVENT_NO_VALUE};
    if (strcmp(text, "none") == 0)
        return true;
    if (n == 0 || n > 12 || strspn(text, "0123456789.") != n || *text == '.' ||
        text[n - 1] == '.' || strchr(text, '.') != strrchr(text, '.') ||
        !set_energy(w, strtod(text, NULL)))
        return no_energy(text, why);
    return true;
}

/* All of `form` as in "dd:dd", where d is a digit. */
static bool looks_like(const char *text, const char *form)
{
    for (; *form; form++, text++)
        if (*form == 'd' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    return *text == '\0';
}

static bool parse_utc(const char *text, int64_t *utc_s)
{
    struct tm tm = {0}, back;
    time_t t;

    if (!looks_like(text, "dddd-dd-ddTdd:dd:ddZ") ||
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    back = tm;
    t = timegm(&tm); /* which turns the 31st of June into the 1st of July */
    *utc_s = (int64_t)t;
    return back.tm_mday == tm.tm_mday && back.tm_mon == tm.tm_mon &&
           back.tm_hour == tm.tm_hour && back.tm_min == tm.tm_min &&
           back.tm_sec == tm.tm_sec;
}

static bool set_departs(struct mqtt_wish *w, const char *text)
{
    w->departs = true;
    w->minute = -1;
    w->utc_s = INT64_MAX;
    if (strcmp(text, "none") == 0)
        return true;
    if (!looks_like(text, "dd:dd"))
        return parse_utc(text, &w->utc_s);
    w->minute = 60 * atoi(text) + atoi(text + 3);
    return atoi(text) < 24 && atoi(text + 3) < 60;
}

bool mqtt_wish_departs(const char *text, struct mqtt_wish *w, char why[MQTT_WISH_WHY])
{
    *w = (struct mqtt_wish){0};
    return set_departs(w, text) || no_time(text, why);
}

static const struct {
    const char *name;
    double units; /* of struct mqtt_wish in one of the name's */
} most[] = {{"max_kwh", 1000}, {"max_hours", 3600}, {"max_cost", 1000}};
enum { N_MOST = sizeof most / sizeof *most };

static bool read_most(const cJSON *k, int i, struct mqtt_wish *w,
                      char why[MQTT_WISH_WHY])
{
    double n = cJSON_IsNumber(k) ? k->valuedouble * most[i].units : -1;

    w->most_said |= 1u << i;
    w->most[i] = 0;
    if (cJSON_IsNull(k))
        return true;
    if (n >= 10 && n <= 1e9) {
        w->most[i] = (int32_t)lround(n);
        return true;
    }
    snprintf(why, MQTT_WISH_WHY, "%s: allowed are numbers above 0, and null",
             most[i].name);
    return false;
}

static bool read_key(const cJSON *k, struct mqtt_wish *w, char why[MQTT_WISH_WHY])
{
    bool none = cJSON_IsNull(k);

    if (strcmp(k->string, "energy_kwh") == 0) {
        w->energy = true;
        return none || (cJSON_IsNumber(k) && set_energy(w, k->valuedouble)) ||
               no_energy("energy_kwh", why);
    }
    if (strcmp(k->string, "departs") == 0)
        return (none && set_departs(w, "none")) ||
               (cJSON_IsString(k) && set_departs(w, k->valuestring)) ||
               no_time(cJSON_IsString(k) ? k->valuestring : "departs", why);
    for (int i = 0; i < N_MOST; i++)
        if (strcmp(k->string, most[i].name) == 0)
            return read_most(k, i, w, why);
    snprintf(why, MQTT_WISH_WHY,
             "unknown key '%.60s'; allowed are energy_kwh, departs, max_kwh, max_hours "
             "and max_cost",
             k->string);
    return false;
}

bool mqtt_wish_parse(const char *text, struct mqtt_wish *w, char why[MQTT_WISH_WHY])
{
    cJSON *o = cJSON_ParseWithOpts(text, NULL, 1);
    bool good = cJSON_IsObject(o) && o->child;

    *w = (struct mqtt_wish){.energy_wh = EVENT_NO_VALUE};
    if (strcmp(text, "none") == 0) {
        w->energy = true;
        w->most_said = (1u << N_MOST) - 1;
        good = set_departs(w, "none");
    } else if (!good) {
        snprintf(why, MQTT_WISH_WHY,
                 "'%.60s' is no wish; allowed are {\"energy_kwh\": 12.5, \"departs\": "
                 "\"07:30\"}, one of them, and none",
                 text);
    }
    for (const cJSON *k = good && o ? o->child : NULL; good && k; k = k->next)
        good = read_key(k, w, why);
    cJSON_Delete(o);
    return good;
}

static void format_departs(const struct mqtt_wish *w, char out[24])
{
    time_t t = (time_t)w->utc_s;
    struct tm tm;

    if (w->minute >= 0)
        snprintf(out, 24, "\"%02d:%02d\"", w->minute / 60 % 24, w->minute % 60);
    else if (w->utc_s == INT64_MAX || !gmtime_r(&t, &tm) ||
             !strftime(out, 24, "\"%Y-%m-%dT%H:%M:%SZ\"", &tm))
        strcpy(out, "null");
}

void mqtt_wish_format(const struct mqtt_wish *w, char out[MQTT_WISH_TEXT])
{
    char energy[32] = "", departs[24] = "";
    int n;

    if (w->energy && w->energy_wh == EVENT_NO_VALUE)
        strcpy(energy, "\"energy_kwh\":null");
    else if (w->energy)
        snprintf(energy, sizeof energy, "\"energy_kwh\":%g", w->energy_wh / 1000.0);
    if (w->departs)
        format_departs(w, departs);
    n = snprintf(out, MQTT_WISH_TEXT, "{%s%s%s%s", energy,
                 *energy && *departs ? "," : "", *departs ? "\"departs\":" : "",
                 departs);
    for (int i = 0; i < N_MOST; i++)
        if (w->most[i])
            n += snprintf(out + n, MQTT_WISH_TEXT - (size_t)n, "%s\"%s\":%g",
                          n > 1 ? "," : "", most[i].name, w->most[i] / most[i].units);
        else if (w->most_said & 1u << i)
            n += snprintf(out + n, MQTT_WISH_TEXT - (size_t)n, "%s\"%s\":null",
                          n > 1 ? "," : "", most[i].name);
    snprintf(out + n, MQTT_WISH_TEXT - (size_t)n, "}");
}
