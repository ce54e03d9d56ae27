/* SPDX-License-Identifier: Apache-2.0 */
/* Strict readers of single values. Nothing is guessed: each takes the whole text or
 * says in `why` what is expected instead. They know no ranges. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

enum { CONF_WHY = 200, CONF_HOST = 254 };

struct conf_address {
    char host[CONF_HOST]; /* IPv6 without its brackets */
    int port;
};

struct conf_serial {
    char device[200];
    int baud;
    char parity; /* N E O */
    int data_bits, stop_bits;
};

struct conf_wiring {
    uint8_t phase[3]; /* site phase on its own L1 L2 L3, or SITE_NO_PHASE */
    bool unknown;
};

/* A plain decimal number as a count of its 10^-decimals parts: "16.5" with 3 decimals
 * is 16500. `unit` is the word for messages: "amperes". */
bool conf_value_decimal(const char *text, int decimals, const char *unit, int64_t *out,
                        char why[CONF_WHY]);
/* A number with a unit: 500ms 1s 15min 2h 1d, in milliseconds. */
bool conf_value_time(const char *text, int64_t *ms, char why[CONF_WHY]);
/* A number with a unit: 500kB 100MB 2GB, in bytes (1 kB = 1000). */
bool conf_value_size(const char *text, int64_t *bytes, char why[CONF_WHY]);
/* "250/5" or "50", in millionths. */
bool conf_value_ratio(const char *text, int64_t *ppm, char why[CONF_WHY]);
bool conf_value_bool(const char *text, bool *out, char why[CONF_WHY]);
/* One of a NULL-ended list of words: its index. */
bool conf_value_choice(const char *text, const char *const *words, int64_t *out,
                       char why[CONF_WHY]);
/* mon-fri, sun: a bit for each day, 0 = Sunday */
bool conf_value_days(const char *text, int64_t *out, char why[CONF_WHY]);
/* HOST:PORT or [IPv6]:PORT; port 0 .. 65535. */
bool conf_value_address(const char *text, struct conf_address *out, char why[CONF_WHY]);
bool conf_value_host(const char *text, char why[CONF_WHY]);
/* "/dev/ttyUSB0 9600 8N1" */
bool conf_value_serial(const char *text, struct conf_serial *out, char why[CONF_WHY]);
/* "L2 L3 L1", "L1", "unknown" */
bool conf_value_wiring(const char *text, struct conf_wiring *out, char why[CONF_WHY]);

/* A time of day, 00:00 to 23:59, in minutes. */
bool conf_value_clock(const char *text, int64_t *minutes, char why[CONF_WHY]);

/* Texts with a narrow alphabet. */
bool conf_value_name(const char *text, char why[CONF_WHY]);     /* a-z A-Z 0-9 . _ - */
bool conf_value_id(const char *text, char why[CONF_WHY]);       /* a-z A-Z 0-9 _ - */
bool conf_value_identity(const char *text, char why[CONF_WHY]); /* of a charge point */
bool conf_value_topic(const char *text, char why[CONF_WHY]);    /* of MQTT */
bool conf_value_subject(const char *text, char why[CONF_WHY]);  /* of others on MQTT */
bool conf_value_pointer(const char *text, char why[CONF_WHY]);  /* RFC 6901 */
bool conf_value_zone(const char *text, char why[CONF_WHY]);     /* Europe/Berlin */
bool conf_value_text(const char *text, char why[CONF_WHY]);     /* one line */
bool conf_value_tag(const char *text, char why[CONF_WHY]);      /* OCPP idTag */

/* The text for a message: shortened, without control characters. */
const char *conf_quote(const char *text, char out[48]);

#endif
