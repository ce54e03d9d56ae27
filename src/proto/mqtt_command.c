/* SPDX-License-Identifier: Apache-2.0 */
/* Parses and checks commands that arrive over MQTT. */
#include "proto/mqtt_command.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <cjson/cJSON.h>

#include "proto/mqtt_doc.h"

/* One parse on its way. */
struct parse {
    const struct config *c;
    const char *topic, *payload;
    struct mqtt_command *m;
    char *error;
};

static bool refuse(struct parse *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes "topic: what is wrong"; returns false. */
static bool refuse(struct parse *p, const char *format, ...)
{
    int n = snprintf(p->error, MQTT_ERROR, "%s: ", p->topic);
    va_list args;

    if (n < 0 || n >= MQTT_ERROR)
        return false;
    va_start(args, format);
    vsnprintf(p->error + n, (size_t)(MQTT_ERROR - n), format, args);
    va_end(args);
    return false;
}

/* A plain decimal number such as "40" or "16.5" in thousandths: at most seven digits
 * before the point and three behind it, zeros after those. */
static bool parse_milli(const char *text, int64_t *milli)
{
    bool minus = *text == '-';
    int64_t value = 0;
    int digits = 0, scale = 1000;

    for (text += minus; *text >= '0' && *text <= '9' && digits < 8; text++, digits++)
        value = value * 10 + (*text - '0');
    if (digits == 0 || digits > 7)
        return false;
    value *= 1000;
    if (*text == '.') {
        if (!text[1])
            return false;
        for (text++; *text >= '0' && *text <= '9'; text++) {
            scale /= 10;
            value += (*text - '0') * scale;
            if (scale == 0 && *text != '0')
                return false;
        }
    }
    *milli = minus ? -value : value;
    return *text == '\0';
}

/* Thousandths as people write them: "40", "16.5". */
static void format_milli(char out[24], int64_t milli)
{
    int n = snprintf(out, 24, "%d.%03d", (int)(milli / 1000), (int)(milli % 1000));

    while (out[n - 1] == '0')
        out[--n] = '\0';
    if (out[n - 1] == '.')
        out[n - 1] = '\0';
}

static bool set_mode(struct parse *p)
{
    char known[96] = "";
    int mode = mode_by_name(p->payload);

    if (mode < 0) {
        for (int i = 0; i < MODE_COUNT; i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s",
                     i ? ", " : "", mode_name((enum mode)i));
        return refuse(p, "'%s' is no mode; allowed are %s", p->payload, known);
    }
    p->m->what = MQTT_MODE;
    p->m->mode = (enum mode)mode;
    snprintf(p->m->value, MQTT_VALUE, "\"%s\"", p->payload);
    return true;
}

static bool set_priority(struct parse *p)
{
    int64_t milli;

    if (!parse_milli(p->payload, &milli) || milli % 1000 || milli < 0 || milli > 10000)
        return refuse(p, "'%s' is no priority; allowed are whole numbers from 0 to 10",
                      p->payload);
    p->m->what = MQTT_PRIORITY;
    p->m->priority = (int32_t)(milli / 1000);
    snprintf(p->m->value, MQTT_VALUE, "%d", (int)p->m->priority);
    return true;
}

static bool set_pause(struct parse *p)
{
    static const struct {
        const char *word;
        bool on;
    } words[] = {{"on", true},     {"off", false}, {"true", true},
                 {"false", false}, {"1", true},    {"0", false}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(p->payload, words[i].word) != 0)
            continue;
        p->m->what = MQTT_PAUSE;
        p->m->pause = words[i].on;
        snprintf(p->m->value, MQTT_VALUE, "%s", words[i].on ? "true" : "false");
        return true;
    }
    return refuse(p, "'%s' is neither ON nor OFF", p->payload);
}

/* The most that an external limit of this circuit can mean: its largest phase. */
static int32_t limit_max_ma(const struct site_circuit *c)
{
    int32_t max = c->limit_ma[0];

    for (int p = 1; p < SITE_PHASES; p++)
        if (c->limit_ma[p] > max)
            max = c->limit_ma[p];
    return max;
}

static bool refuse_limit(struct parse *p, int circuit)
{
    char max[24];

    format_milli(max, limit_max_ma(&p->c->site.circuits[circuit]));
    return refuse(p,
                  "'%s' is no limit; allowed are 0 to %s A as a number or as "
                  "{\"a\": 16, \"ttl\": 300}, and none",
                  p->payload, max);
}

/* One number of the object; absent or null leaves *out as it is. */
static bool limit_number(struct parse *p, const cJSON *o, const char *key, double min,
                         double max, double *out)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!n || (cJSON_IsNull(n) && strcmp(key, "ttl") != 0))
        return true;
    if (!cJSON_IsNumber(n) || !(n->valuedouble >= min) || !(n->valuedouble <= max))
        return refuse(p, "%s is out of range; allowed are %.0f to %.0f %s", key, min,
                      max, strcmp(key, "ttl") == 0 ? "s" : "W");
    *out = n->valuedouble;
    return true;
}

static bool limit_keys(struct parse *p, int circuit, const cJSON *o)
{
    static const char *const keys[] = {"a", "w", "chargers_w", "ttl"};

    bool any = false;

    if (!cJSON_IsObject(o))
        return refuse_limit(p, circuit);
    for (const cJSON *k = o->child; k; k = k->next) {
        bool good = false;

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            good |= strcmp(k->string, keys[i]) == 0;
        any |= strcmp(k->string, "ttl") != 0;
        if (!good)
            return refuse(p,
                          "unknown key '%s'; allowed are a (A), w and chargers_w (W), "
                          "and ttl (s)",
                          k->string);
    }
    return any || refuse_limit(p, circuit);
}

/* No watts at all are the least that is a limit: 0 means none. */
static int32_t watts(double w)
{
    return w < 0 ? 0 : w < 1 ? 1 : (int32_t)w;
}

/* {"a": amperes, "w": watts, "chargers_w": watts, "ttl": seconds}: each may be left out
 * or null. */
static bool limit_object(struct parse *p, int circuit, int64_t *milli)
{
    cJSON *o = cJSON_ParseWithOpts(p->payload, NULL, 1), *a;
    double w = -1, chargers_w = -1, ttl = MQTT_TTL_S;
    bool good = limit_keys(p, circuit, o) &&
                limit_number(p, o, "w", 0, MQTT_WATTS_MAX, &w) &&
                limit_number(p, o, "chargers_w", 0, MQTT_WATTS_MAX, &chargers_w) &&
                limit_number(p, o, "ttl", 1, MQTT_TTL_MAX_S, &ttl);

    a = good ? cJSON_GetObjectItemCaseSensitive(o, "a") : NULL;
    if (a && !cJSON_IsNull(a) && (!cJSON_IsNumber(a) || !(fabs(a->valuedouble) < 1e7)))
        good = refuse_limit(p, circuit);
    if (good && cJSON_IsNumber(a))
        *milli = (int64_t)floor(a->valuedouble * 1000 + 1e-6);
    p->m->limit.power_w = watts(w);
    p->m->limit.chargers_w = watts(chargers_w);
    p->m->limit.ttl_s = (int32_t)ttl;
    cJSON_Delete(o);
    return good;
}

static void limit_value(struct mqtt_command *m)
{
    char amperes[24];
    size_t n = 1; /* behind the brace */

    if (m->limit.limit_ma != EVENT_NO_VALUE) {
        format_milli(amperes, m->limit.limit_ma);
        n += (size_t)snprintf(m->value + n, MQTT_VALUE - n, "\"a\":%s,", amperes);
    }
    if (m->limit.power_w)
        n += (size_t)snprintf(m->value + n, MQTT_VALUE - n, "\"w\":%d,",
                              (int)m->limit.power_w);
    if (m->limit.chargers_w)
        n += (size_t)snprintf(m->value + n, MQTT_VALUE - n, "\"chargers_w\":%d,",
                              (int)m->limit.chargers_w);
    snprintf(m->value + n, MQTT_VALUE - n, "\"ttl\":%d}", (int)m->limit.ttl_s);
}

static bool set_limit(struct parse *p, int circuit)
{
    struct mqtt_command *m = p->m;
    int64_t milli = INT64_MIN; /* none */

    m->what = MQTT_LIMIT;
    m->who = circuit;
    m->limit.ttl_s = MQTT_TTL_S;
    if (*p->payload == '{') {
        if (!limit_object(p, circuit, &milli))
            return false;
    } else if (strcmp(p->payload, "none") != 0 && !parse_milli(p->payload, &milli)) {
        return refuse_limit(p, circuit);
    }
    m->limit.limit_ma = EVENT_NO_VALUE;
    if (milli == INT64_MIN && !m->limit.power_w && !m->limit.chargers_w) {
        m->limit.ttl_s = 0;
        strcpy(m->value, "null");
        return true;
    }
    if (milli != INT64_MIN &&
        (milli < 0 || milli > limit_max_ma(&p->c->site.circuits[circuit])))
        return refuse_limit(p, circuit);
    if (milli != INT64_MIN)
        m->limit.limit_ma = (int32_t)milli;
    strcpy(m->value, "{");
    limit_value(m);
    return true;
}

static bool take_wish(struct parse *p,
                      bool (*parse)(const char *text, struct mqtt_wish *w, char *why))
{
    char why[MQTT_WISH_WHY];

    p->m->what = MQTT_WISH;
    if (!parse(p->payload, &p->m->wish, why))
        return refuse(p, "%s", why);
    mqtt_wish_format(&p->m->wish, p->m->value);
    return true;
}

static bool set_wish(struct parse *p)
{
    return take_wish(p, mqtt_wish_parse);
}

static bool set_energy(struct parse *p)
{
    return take_wish(p, mqtt_wish_energy);
}

static bool set_departure(struct parse *p)
{
    return take_wish(p, mqtt_wish_departs);
}

static const struct {
    const char *key;
    bool (*set)(struct parse *p);
} connector_keys[] = {{"mode", set_mode},     {"priority", set_priority},
                      {"pause", set_pause},   {"wish", set_wish},
                      {"energy", set_energy}, {"departure", set_departure}};

enum { CONNECTOR_KEYS = sizeof connector_keys / sizeof *connector_keys };

/* The k-th topic that is listened to, with the connector or circuit it is for. False
 * when there are no more. One list serves to recognise a topic and to suggest one. */
static bool known(const struct config *c, int k, char out[MQTT_TOPIC], int *who,
                  int *key)
{
    int connectors = c->site.n_connectors * CONNECTOR_KEYS;
    char id[MQTT_ID];
    size_t n;

    if (k < connectors) {
        *who = k / CONNECTOR_KEYS;
        *key = k % CONNECTOR_KEYS;
        if (!mqtt_doc_topic(out, c, MQTT_CONNECTOR_SET, c->connectors[*who].cid))
            out[0] = '\0';
        n = strlen(out);
        snprintf(out + n, MQTT_TOPIC - n, "/%s", connector_keys[*key].key);
        return true;
    }
    *who = k - connectors - 1; /* first the site's own, which means circuit 0 */
    *key = -1;
    if (*who >= c->site.n_circuits)
        return false;
    if (!mqtt_doc_topic(out, c, MQTT_SITE_SET, NULL))
        out[0] = '\0';
    n = strlen(out);
    if (*who < 0) {
        *who = 0;
        snprintf(out + n, MQTT_TOPIC - n, "/external_limit");
    } else {
        mqtt_doc_id(id, c->site.circuits[*who].name);
        snprintf(out + n, MQTT_TOPIC - n, "/external_limit/%s", id);
    }
    return true;
}

/* Letters to take out of a and to put in to get b (a changed one counts as both: so
 * that "prio" is nearer to "priority" than to "mode"). Both shorter than MQTT_TOPIC. */
static int distance(const char *a, const char *b)
{
    int row[MQTT_TOPIC + 1], length = (int)strlen(b);

    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 0; a[i]; i++) {
        int corner = row[0];

        row[0] = i + 1;
        for (int j = 0; j < length; j++) {
            int change = corner + 2 * (a[i] != b[j]);

            corner = row[j + 1];
            row[j + 1] = corner < row[j] ? corner + 1 : row[j] + 1;
            if (change < row[j + 1])
                row[j + 1] = change;
        }
    }
    return row[length];
}

static bool refuse_topic(struct parse *p)
{
    char topic[MQTT_TOPIC], best[MQTT_TOPIC] = "";
    int who, key, d, best_d = INT32_MAX;

    for (int k = 0; known(p->c, k, topic, &who, &key); k++) {
        d = distance(p->topic, topic);
        if (d < best_d) {
            best_d = d;
            strcpy(best, topic);
        }
    }
    return refuse(p, "there is no such topic; did you mean %s?", best);
}

/* Without the blanks and line ends around it. False when it is too long. */
static bool trim(char out[MQTT_PAYLOAD], const char *text)
{
    static const char blanks[] = " \t\r\n";
    size_t n;

    text += strspn(text, blanks);
    n = strlen(text);
    while (n > 0 && strchr(blanks, text[n - 1]))
        n--;
    if (n >= MQTT_PAYLOAD)
        return false;
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

bool mqtt_command_parse(const struct config *c, const char *topic, const char *payload,
                        struct mqtt_command *m, char error[MQTT_ERROR])
{
    char text[MQTT_PAYLOAD], at[MQTT_TOPIC];
    struct parse p = {.c = c, .topic = topic, .payload = text, .m = m, .error = error};
    int who, key;

    memset(m, 0, sizeof *m);
    error[0] = '\0';
    if (strlen(topic) >= MQTT_TOPIC)
        return refuse(&p, "the topic is longer than %d bytes", MQTT_TOPIC - 1);
    if (!trim(text, payload))
        return refuse(&p, "the payload is longer than %d bytes", MQTT_PAYLOAD - 1);
    for (int k = 0; known(c, k, at, &who, &key); k++) {
        if (strcmp(topic, at) != 0)
            continue;
        m->who = who;
        return key < 0 ? set_limit(&p, who) : connector_keys[key].set(&p);
    }
    return refuse_topic(&p);
}

struct event mqtt_command_event(const struct mqtt_command *m, int64_t now_ms)
{
    struct event e = {.at_ms = now_ms, .who = m->who};

    switch (m->what) {
    case MQTT_MODE:
        e.kind = EVENT_MODE;
        e.mode = m->mode;
        break;
    case MQTT_PRIORITY:
        e.kind = EVENT_PRIORITY;
        e.priority = m->priority;
        break;
    case MQTT_PAUSE:
        e.kind = EVENT_PAUSE;
        e.pause = m->pause;
        break;
    case MQTT_WISH:
        e.kind = EVENT_TICK; /* never asked for */
        break;
    case MQTT_LIMIT:
        e.kind = EVENT_LIMIT;
        e.limit.source = LIMIT_REMOTE;
        e.limit.limit_ma = m->limit.limit_ma;
        e.limit.power_w = m->limit.power_w;
        e.limit.chargers_w = m->limit.chargers_w;
        e.limit.until_ms = now_ms + (int64_t)m->limit.ttl_s * 1000;
        break;
    }
    return e;
}
