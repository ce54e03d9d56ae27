/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keys as text: for people, for the man page, as JSON. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "config/keys.h"
#include "policy.h"

static const char *decimal(int64_t thousandths, const char *unit, char *out,
                           size_t size)
{
    int64_t n = thousandths < 0 ? -thousandths : thousandths;
    int fraction = (int)(n % 1000), places = 3;

    for (; places > 0 && fraction % 10 == 0; places--)
        fraction /= 10;
    int len = snprintf(out, size, "%s%lld", thousandths < 0 ? "-" : "",
                       (long long)(n / 1000));
    if (places > 0)
        len += snprintf(out + len, size - (size_t)len, ".%0*d", places, fraction);
    snprintf(out + len, size - (size_t)len, "%s", unit);
    return out;
}

static const char *duration(int64_t ms, char *out, size_t size)
{
    const char *unit = "ms";
    int64_t n = ms;

    if (ms % 3600000 == 0 && ms)
        n = ms / 3600000, unit = "h";
    else if (ms % 60000 == 0 && ms)
        n = ms / 60000, unit = "min";
    else if (ms % 1000 == 0)
        n = ms / 1000, unit = "s";
    snprintf(out, size, "%lld%s", (long long)n, unit);
    return out;
}

const char *conf_amount(enum conf_type type, int64_t value, char *out, size_t size)
{
    switch (type) {
    case CONF_T_AMPS:
    case CONF_T_AMPS3:
    case CONF_T_STEP:
        return decimal(value, " A", out, size);
    case CONF_T_VOLTS:
        return decimal(value, " V", out, size);
    case CONF_T_TIME:
        return duration(value, out, size);
    case CONF_T_WATTS:
        snprintf(out, size, "%lld W", (long long)value);
        return out;
    case CONF_T_SIZE:
        snprintf(out, size, value % 1000000 ? "%lldkB" : "%lldMB",
                 (long long)(value / (value % 1000000 ? 1000 : 1000000)));
        return out;
    case CONF_T_FACTOR:
    case CONF_T_RATIO:
        return decimal(value / 1000, "", out, size);
    default:
        snprintf(out, size, "%lld", (long long)value);
        return out;
    }
}

static const char *type_word(const struct conf_key *k)
{
    static const char *const words[] = {
        [CONF_T_SECTION] = "keys",
        [CONF_T_LIST] = "list",
        [CONF_T_NAME] = "name",
        [CONF_T_ID] = "id",
        [CONF_T_IDENTITY] = "identity",
        [CONF_T_TEXT] = "text",
        [CONF_T_HOST] = "host",
        [CONF_T_TOPIC] = "topic",
        [CONF_T_SUBJECT] = "topic",
        [CONF_T_POINTER] = "JSON pointer",
        [CONF_T_ZONE] = "time zone",
        [CONF_T_FILE] = "file",
        [CONF_T_AMPS] = "amperes",
        [CONF_T_AMPS3] = "amperes, one number or [L1, L2, L3]",
        [CONF_T_STEP] = "amperes, 0.1 or 1",
        [CONF_T_VOLTS] = "volts",
        [CONF_T_WATTS] = "watts",
        [CONF_T_COUNT] = "number",
        [CONF_T_TIME] = "time",
        [CONF_T_SIZE] = "size",
        [CONF_T_FACTOR] = "factor",
        [CONF_T_RATIO] = "factor or fraction",
        [CONF_T_BOOL] = "true or false",
        [CONF_T_DAYS] = "days",
        [CONF_T_ADDRESS] = "host:port",
        [CONF_T_SERIAL] = "device, baud and frame",
        [CONF_T_WIRING] = "phases",
        [CONF_T_CLOCK] = "time of day",
        [CONF_T_TAGS] = "accept, file or list",
    };

    if (k->type == CONF_T_REF)
        return k->min == CONF_CIRCUITS ? "name of a circuit" : "name of a meter";
    return words[k->type];
}

const char *conf_key_type_text(const struct conf_key *k, char *out, size_t size)
{
    int n = 0;

    if (k->type == CONF_T_CHOICE) {
        for (int i = 0; k->words[i]; i++)
            n += snprintf(out + n, size - (size_t)n, "%s%s", i ? ", " : "one of ",
                          k->words[i]);
        return out;
    }
    if (k->type == CONF_T_POLICY) {
        for (int i = 0; policies[i]; i++)
            n += snprintf(out + n, size - (size_t)n, "%s%s", i ? ", " : "one of ",
                          policies[i]->name);
        return out;
    }
    n = snprintf(out, size, "%s", type_word(k));
    if (k->type >= CONF_T_AMPS && k->type <= CONF_T_SIZE && k->type != CONF_T_STEP) {
        char from[24], to[24];
        int64_t div = k->div ? k->div : 1;
        snprintf(out + n, size - (size_t)n, ", %s to %s",
                 conf_amount(k->type, k->min * div, from, sizeof from),
                 conf_amount(k->type, k->max * div, to, sizeof to));
    }
    return out;
}

static const char *default_text(const struct conf_key *k, char *out, size_t size)
{
    if (k->required)
        return "required";
    if (!k->dflt)
        return "optional";
    if (*k->dflt == '(')
        snprintf(out, size, "default: %.*s", (int)strlen(k->dflt) - 2, k->dflt + 1);
    else
        snprintf(out, size, "default: %s", k->dflt);
    return out;
}

void conf_keys_print(FILE *to)
{
    for (const struct conf_key *k = conf_keys; k < conf_keys + K_COUNT; k++) {
        char type[120], dflt[120];

        fprintf(to, "%s\n    %s; %s%s\n    %s\n", k->path,
                conf_key_type_text(k, type, sizeof type),
                default_text(k, dflt, sizeof dflt),
                k->restart ? "; needs a restart" : "", k->help);
    }
}

/* "e.g." and the like aside, mdoc wants each sentence on a line of its own. */
static void print_sentences(FILE *to, const char *text)
{
    for (const char *p; (p = strstr(text, ". ")); text = p + 2)
        fprintf(to, "%.*s\n", (int)(p + 1 - text), text);
    fprintf(to, "%s\n", text);
}

void conf_keys_print_man(FILE *to)
{
    for (const struct conf_key *k = conf_keys; k < conf_keys + K_COUNT; k++) {
        char type[120], dflt[120];

        fprintf(to, ".It Ic %s\n%s; %s%s.\n.br\n", k->path,
                conf_key_type_text(k, type, sizeof type),
                default_text(k, dflt, sizeof dflt),
                k->restart ? "; needs a restart" : "");
        print_sentences(to, k->help);
    }
}

void conf_keys_print_json(FILE *to)
{
    cJSON *list = cJSON_CreateArray();

    for (const struct conf_key *k = conf_keys; k < conf_keys + K_COUNT; k++) {
        cJSON *o = cJSON_CreateObject();
        char type[120];

        cJSON_AddStringToObject(o, "key", k->path);
        cJSON_AddStringToObject(o, "type", conf_key_type_text(k, type, sizeof type));
        if (k->dflt && *k->dflt != '(')
            cJSON_AddStringToObject(o, "default", k->dflt);
        else
            cJSON_AddNullToObject(o, "default");
        cJSON_AddBoolToObject(o, "required", k->required);
        cJSON_AddBoolToObject(o, "restart", k->restart);
        cJSON_AddStringToObject(o, "help", k->help);
        cJSON_AddItemToArray(list, o);
    }
    char *text = cJSON_Print(list);
    if (text)
        fprintf(to, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(list);
}
