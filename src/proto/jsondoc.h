/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON document under construction, in the units people read: amperes with one
 * decimal, kilowatt hours with three, null for what is not known.
 *
 * Every call remembers when memory ran out, and then the whole document is refused:
 * nothing half filled leaves. `key` is NULL inside an array. */
#ifndef PROTO_JSONDOC_H
#define PROTO_JSONDOC_H

#include <stdbool.h>
#include <stdint.h>
#include <cjson/cJSON.h>
#include "core/site.h"

struct jsondoc {
    cJSON *root; /* an object */
    bool failed;
};

void jsondoc_begin(struct jsondoc *d);
/* Ends the document. Its text on one line, free() it; NULL = out of memory. */
char *jsondoc_text(struct jsondoc *d);

cJSON *jsondoc_object(struct jsondoc *d, cJSON *in, const char *key);
cJSON *jsondoc_array(struct jsondoc *d, cJSON *in, const char *key);
void jsondoc_null(struct jsondoc *d, cJSON *in, const char *key);
void jsondoc_bool(struct jsondoc *d, cJSON *in, const char *key, bool value);
void jsondoc_int(struct jsondoc *d, cJSON *in, const char *key, int64_t value);
/* NULL becomes null; bytes that are not UTF-8 become U+FFFD. */
void jsondoc_str(struct jsondoc *d, cJSON *in, const char *key, const char *text);
/* The same, and "" becomes null. */
void jsondoc_word(struct jsondoc *d, cJSON *in, const char *key, const char *text);
/* `json` is taken over as it is: it must be JSON. */
void jsondoc_raw(struct jsondoc *d, cJSON *in, const char *key, const char *json);

/* Thousandths of whatever the key says, exactly. */
void jsondoc_milli(struct jsondoc *d, cJSON *in, const char *key, int64_t thousandths);
/* Milliamperes as amperes, rounded to 0.1 A; EVENT_NO_VALUE = null. */
void jsondoc_a(struct jsondoc *d, cJSON *in, const char *key, int32_t ma);
void jsondoc_a3(struct jsondoc *d, cJSON *in, const char *key,
                const int32_t ma[SITE_PHASES]);
/* Millivolts as volts, rounded to 0.1 V; EVENT_NO_VALUE = null. */
void jsondoc_v3(struct jsondoc *d, cJSON *in, const char *key,
                const int32_t mv[SITE_PHASES]);
void jsondoc_w(struct jsondoc *d, cJSON *in, const char *key, int32_t w);
/* Watt hours as kWh; EVENT_NO_ENERGY = null. */
void jsondoc_kwh(struct jsondoc *d, cJSON *in, const char *key, int64_t wh);
/* "2026-11-01T14:20:00Z"; 0 = null. */
void jsondoc_utc(struct jsondoc *d, cJSON *in, const char *key, int64_t utc_s);

#endif
