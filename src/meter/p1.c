/* SPDX-License-Identifier: Apache-2.0 */
/* Telegrams of the P1 port. */
#include "meter/p1.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUM_DIGITS = 4,
    DIGITS_MAX = 12,
    TARIFFS = 3 /* all together, and two of them */
};

uint16_t p1_sum(const char *bytes, size_t n)
{
    uint16_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum ^= (uint8_t)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = (uint16_t)(sum & 1 ? sum >> 1 ^ 0xA001 : sum >> 1);
    }
    return sum;
}

/* ---- from bytes to telegrams ---- */

static enum p1_result judge(struct p1 *p)
{
    char *sum = strchr(p->text, '!') + 1, *end;
    unsigned long told = strtoul(sum, &end, 16);

    if (p->sum_digits == 0)
        return P1_NO_SUM;
    return p->sum_digits == SUM_DIGITS && *end == '\0' &&
                   told == p1_sum(p->text, (size_t)(sum - p->text))
               ? P1_TELEGRAM
               : P1_BAD_SUM;
}

static void begin(struct p1 *p)
{
    p->text[0] = '/';
    p->n = 1;
    p->sum_digits = -1;
    p->begun++;
}

/* One byte more of a telegram that has begun. */
static enum p1_result take(struct p1 *p, char c)
{
    bool ends = p->sum_digits == SUM_DIGITS ||
                (p->sum_digits >= 0 && !isxdigit((unsigned char)c));

    if (!ends && p->n == P1_MAX)
        return P1_TOO_LONG;
    if (!ends && c == '\0')
        return P1_BAD_SUM;
    if (!ends)
        p->text[p->n++] = c;
    p->text[p->n] = '\0';
    if (ends)
        return judge(p);
    if (p->sum_digits >= 0)
        p->sum_digits++;
    else if (c == '!')
        p->sum_digits = 0;
    return p->sum_digits == SUM_DIGITS ? judge(p) : P1_MORE;
}

size_t p1_feed(struct p1 *p, const char *bytes, size_t n, enum p1_result *result)
{
    size_t i = 0;

    if (p->done)
        p->n = 0;
    *result = P1_MORE;
    while (i < n && *result == P1_MORE) {
        char c = bytes[i++];

        if (c == '/')
            begin(p);
        else if (p->n > 0)
            *result = take(p, c);
    }
    p->done = *result != P1_MORE;
    return i;
}

/* ---- from a telegram to a reading ---- */

/* "(00.193*kW)": 193. A thousandth of the unit; false = not that. */
static bool number(const char *text, const char *unit, int64_t *out)
{
    int64_t v = 0;
    int digits = 0, decimals = -1;

    if (*text++ != '(')
        return false;
    for (; isdigit((unsigned char)*text) || (*text == '.' && decimals < 0); text++) {
        if (*text == '.') {
            decimals = 0;
        } else if (decimals < 3) {
            if (++digits > DIGITS_MAX)
                return false;
            v = v * 10 + (*text - '0');
            decimals += decimals >= 0;
        }
    }
    for (decimals = decimals < 0 ? 0 : decimals; decimals < 3; decimals++)
        v *= 10;
    *out = v;
    return digits > 0 && *text == '*' && strncmp(text + 1, unit, strlen(unit)) == 0 &&
           text[1 + strlen(unit)] == ')';
}

enum part {
    IMPORT_W,
    EXPORT_W,
    PHASE_IMPORT_W,
    PHASE_EXPORT_W = PHASE_IMPORT_W + SITE_PHASES,
    PHASE_MA = PHASE_EXPORT_W + SITE_PHASES,
    PHASE_MV = PHASE_MA + SITE_PHASES,
    IMPORT_WH = PHASE_MV + SITE_PHASES,
    EXPORT_WH = IMPORT_WH + TARIFFS,
    PARTS = EXPORT_WH + TARIFFS
};

static const struct {
    const char *code, *unit;
    enum part part;
} codes[] = {
    {"1-0:1.7.0", "kW", IMPORT_W},
    {"1-0:2.7.0", "kW", EXPORT_W},
    {"1-0:21.7.0", "kW", PHASE_IMPORT_W},
    {"1-0:41.7.0", "kW", PHASE_IMPORT_W + 1},
    {"1-0:61.7.0", "kW", PHASE_IMPORT_W + 2},
    {"1-0:22.7.0", "kW", PHASE_EXPORT_W},
    {"1-0:42.7.0", "kW", PHASE_EXPORT_W + 1},
    {"1-0:62.7.0", "kW", PHASE_EXPORT_W + 2},
    {"1-0:31.7.0", "A", PHASE_MA},
    {"1-0:51.7.0", "A", PHASE_MA + 1},
    {"1-0:71.7.0", "A", PHASE_MA + 2},
    {"1-0:32.7.0", "V", PHASE_MV},
    {"1-0:52.7.0", "V", PHASE_MV + 1},
    {"1-0:72.7.0", "V", PHASE_MV + 2},
    {"1-0:1.8.0", "kWh", IMPORT_WH},
    {"1-0:1.8.1", "kWh", IMPORT_WH + 1},
    {"1-0:1.8.2", "kWh", IMPORT_WH + 2},
    {"1-0:2.8.0", "kWh", EXPORT_WH},
    {"1-0:2.8.1", "kWh", EXPORT_WH + 1},
    {"1-0:2.8.2", "kWh", EXPORT_WH + 2},
};

static void read_line(const char *line, int64_t parts[PARTS])
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        size_t n = strlen(codes[i].code);
        int64_t v;

        if (strncmp(line, codes[i].code, n) == 0 && line[n] == '(' &&
            number(line + n, codes[i].unit, &v))
            parts[codes[i].part] = v;
    }
}

int32_t p1_current(int32_t told_ma, int32_t p_w, int32_t v_mv)
{
    int64_t active;
    int32_t ma;

    if (p_w == EVENT_NO_VALUE)
        return told_ma;
    if (v_mv < READING_V_MIN_MV)
        return reading_directed(told_ma, p_w, v_mv);
    active = (int64_t)p_w * 1000000 / v_mv;
    if (active > INT32_MAX || active < -INT32_MAX)
        active = active > 0 ? INT32_MAX : -INT32_MAX;
    ma = (int32_t)llabs(active);
    if (told_ma != EVENT_NO_VALUE && told_ma > ma)
        ma = told_ma;
    return reading_directed(ma, p_w, v_mv) < 0 ? (int32_t)active : ma;
}

/* What is drawn less what is fed in; who tells no feed-in has none. */
static int32_t balance(int64_t import, int64_t export)
{
    int64_t w;

    if (import == EVENT_NO_ENERGY)
        return EVENT_NO_VALUE;
    w = import - (export == EVENT_NO_ENERGY ? 0 : export);
    return w > INT32_MAX ? INT32_MAX : w < -INT32_MAX ? -INT32_MAX : (int32_t)w;
}

/* The count of all tariffs, else the sum of them. */
static int64_t count(const int64_t wh[TARIFFS])
{
    if (wh[0] != EVENT_NO_ENERGY)
        return wh[0];
    if (wh[1] == EVENT_NO_ENERGY || wh[2] == EVENT_NO_ENERGY)
        return wh[1] != EVENT_NO_ENERGY ? wh[1] : wh[2];
    return wh[1] + wh[2];
}

/* A meter with one phase need not tell its power once more. */
static void one_phase(int64_t parts[PARTS])
{
    for (int i = 1; i < SITE_PHASES; i++)
        if (parts[PHASE_MA + i] != EVENT_NO_ENERGY ||
            parts[PHASE_MV + i] != EVENT_NO_ENERGY)
            return;
    if (parts[PHASE_MA] == EVENT_NO_ENERGY && parts[PHASE_MV] == EVENT_NO_ENERGY)
        return;
    if (parts[PHASE_IMPORT_W] == EVENT_NO_ENERGY) {
        parts[PHASE_IMPORT_W] = parts[IMPORT_W];
        parts[PHASE_EXPORT_W] = parts[EXPORT_W];
    }
}

bool p1_parse(const char *telegram, struct meter_reading *r)
{
    int64_t parts[PARTS];
    bool any = false;

    for (int i = 0; i < PARTS; i++)
        parts[i] = EVENT_NO_ENERGY;
    for (const char *line = telegram; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        read_line(line, parts);
    }
    one_phase(parts);
    reading_clear(r);
    for (int i = 0; i < SITE_PHASES; i++) {
        r->v_mv[i] = balance(parts[PHASE_MV + i], 0);
        r->p_phase_w[i] = balance(parts[PHASE_IMPORT_W + i], parts[PHASE_EXPORT_W + i]);
        r->i_ma[i] =
            p1_current(balance(parts[PHASE_MA + i], 0), r->p_phase_w[i], r->v_mv[i]);
        any = any || r->i_ma[i] != EVENT_NO_VALUE;
    }
    r->p_w = balance(parts[IMPORT_W], parts[EXPORT_W]);
    r->import_wh = count(&parts[IMPORT_WH]);
    r->export_wh = count(&parts[EXPORT_WH]);
    return any || r->p_w != EVENT_NO_VALUE;
}
