/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver wishes, as text: how much energy, until when. Reads no clock: a time of
 * day stays one. */
#ifndef PROTO_MQTT_WISH_H
#define PROTO_MQTT_WISH_H

#include "core/event.h"

enum {
    MQTT_WISH_TEXT = 192, /* longest wish as JSON with its NUL */
    MQTT_WISH_WHY = 200,
    MQTT_WISH_MAX_WH = 1000000
};

struct mqtt_wish {
    bool energy, departs; /* whether it says anything of them */
    int32_t energy_wh;    /* EVENT_NO_VALUE = as much as it takes */
    int minute;           /* of the day, on the site's clock; -1 = see utc_s */
    int64_t utc_s;        /* INT64_MAX = not known */
    /* At most for its session: Wh, seconds, thousandths of money. A bit in `most_said`
     * for each that is said; 0 = any. */
    unsigned most_said;
    int32_t most[3];
};

/* "12.5" (kWh), "none". False: `why` says what is allowed. */
bool mqtt_wish_energy(const char *text, struct mqtt_wish *w, char why[MQTT_WISH_WHY]);
/* "07:30", "2026-11-03T06:30:00Z", "none". */
bool mqtt_wish_departs(const char *text, struct mqtt_wish *w, char why[MQTT_WISH_WHY]);
/* {"energy_kwh": 12.5, "departs": "07:30"}, also with max_kwh, max_hours, max_cost;
 * some of them, null for none; or "none". */
bool mqtt_wish_parse(const char *text, struct mqtt_wish *w, char why[MQTT_WISH_WHY]);

/* What was understood, as JSON. */
void mqtt_wish_format(const struct mqtt_wish *w, char out[MQTT_WISH_TEXT]);

#endif
