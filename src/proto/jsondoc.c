/* SPDX-License-Identifier: Apache-2.0 */
/* Builds JSON with cJSON and keeps numbers free of float noise. */
#include "proto/jsondoc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/event.h"
#include "proto/utf8.h"

void jsondoc_begin(struct jsondoc *d)
{
    d->root = cJSON_CreateObject();
    d->failed = !d->root;
}

char *jsondoc_text(struct jsondoc *d)
{
    char *text = d->failed ? NULL : cJSON_PrintUnformatted(d->root);

    cJSON_Delete(d->root);
    d->root = NULL;
    return text;
}

/* Takes `item` over. Returns it, or NULL when anything has failed. */
static cJSON *add(struct jsondoc *d, cJSON *in, const char *key, cJSON *item)
{
    cJSON_bool added = 0;

    if (in && item)
        added =
            key ? cJSON_AddItemToObject(in, key, item) : cJSON_AddItemToArray(in, item);
    if (added)
        return item;
    cJSON_Delete(item);
    d->failed = true;
    return NULL;
}

cJSON *jsondoc_object(struct jsondoc *d, cJSON *in, const char *key)
{
    return add(d, in, key, cJSON_CreateObject());
}

cJSON *jsondoc_array(struct jsondoc *d, cJSON *in, const char *key)
{
    return add(d, in, key, cJSON_CreateArray());
}

void jsondoc_null(struct jsondoc *d, cJSON *in, const char *key)
{
    add(d, in, key, cJSON_CreateNull());
}

void jsondoc_bool(struct jsondoc *d, cJSON *in, const char *key, bool value)
{
    add(d, in, key, cJSON_CreateBool(value));
}

void jsondoc_int(struct jsondoc *d, cJSON *in, const char *key, int64_t value)
{
    add(d, in, key, cJSON_CreateNumber((double)value));
}

void jsondoc_str(struct jsondoc *d, cJSON *in, const char *key, const char *text)
{
    char *repaired;

    if (!text) {
        jsondoc_null(d, in, key);
    } else if (utf8_valid(text, strlen(text))) {
        add(d, in, key, cJSON_CreateString(text));
    } else {
        repaired = utf8_repair(text);
        add(d, in, key, repaired ? cJSON_CreateString(repaired) : NULL);
        free(repaired);
    }
}

void jsondoc_word(struct jsondoc *d, cJSON *in, const char *key, const char *text)
{
    jsondoc_str(d, in, key, text && *text ? text : NULL);
}

void jsondoc_raw(struct jsondoc *d, cJSON *in, const char *key, const char *json)
{
    add(d, in, key, cJSON_CreateRaw(json));
}

/* thousandths / 1000 with `decimals` 1 or 3. The quotient of two whole numbers prints
 * as it is written by hand: 16.2, not 16.199999. */
static void fixed(struct jsondoc *d, cJSON *in, const char *key, int64_t thousandths,
                  int decimals)
{
    int64_t tenths;

    if (decimals == 1) {
        tenths = (thousandths + (thousandths < 0 ? -50 : 50)) / 100;
        add(d, in, key, cJSON_CreateNumber((double)tenths / 10));
    } else {
        add(d, in, key, cJSON_CreateNumber((double)thousandths / 1000));
    }
}

void jsondoc_milli(struct jsondoc *d, cJSON *in, const char *key, int64_t thousandths)
{
    fixed(d, in, key, thousandths, 3);
}

void jsondoc_a(struct jsondoc *d, cJSON *in, const char *key, int32_t ma)
{
    if (ma == EVENT_NO_VALUE)
        jsondoc_null(d, in, key);
    else
        fixed(d, in, key, ma, 1);
}

void jsondoc_a3(struct jsondoc *d, cJSON *in, const char *key,
                const int32_t ma[SITE_PHASES])
{
    cJSON *list = jsondoc_array(d, in, key);

    for (int p = 0; p < SITE_PHASES; p++)
        jsondoc_a(d, list, NULL, ma[p]);
}

void jsondoc_v3(struct jsondoc *d, cJSON *in, const char *key,
                const int32_t mv[SITE_PHASES])
{
    jsondoc_a3(d, in, key, mv); /* thousandths to one decimal, the same */
}

void jsondoc_w(struct jsondoc *d, cJSON *in, const char *key, int32_t w)
{
    if (w == EVENT_NO_VALUE)
        jsondoc_null(d, in, key);
    else
        jsondoc_int(d, in, key, w);
}

void jsondoc_kwh(struct jsondoc *d, cJSON *in, const char *key, int64_t wh)
{
    if (wh == EVENT_NO_ENERGY)
        jsondoc_null(d, in, key);
    else
        fixed(d, in, key, wh, 3);
}

void jsondoc_utc(struct jsondoc *d, cJSON *in, const char *key, int64_t utc_s)
{
    time_t t = (time_t)utc_s;
    char text[32];
    struct tm tm;

    if (utc_s == 0 || !gmtime_r(&t, &tm) ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        jsondoc_null(d, in, key);
    else
        jsondoc_str(d, in, key, text);
}
