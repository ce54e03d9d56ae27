/* SPDX-License-Identifier: Apache-2.0 */
/* Strict readers of addresses, serial lines, wirings and names. */
#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/site.h"
#include "proto/ocpp_token.h"

static bool refuse(char why[CONF_WHY], const char *expected, const char *text)
{
    char quoted[48];

    snprintf(why, CONF_WHY, "expected %s, not '%s'", expected,
             conf_quote(text, quoted));
    return false;
}

/* Letters, digits and `others`; 1 to `most` of them. */
static bool is_made_of(const char *text, const char *others, size_t most)
{
    size_t n = 0;

    for (; text[n]; n++)
        if (n == most || (!isalnum((unsigned char)text[n]) && !strchr(others, text[n])))
            return false;
    return n > 0;
}

bool conf_value_host(const char *text, char why[CONF_WHY])
{
    if (is_made_of(text, ".-_:", CONF_HOST - 1) && strchr("-.", *text) == NULL)
        return true;
    return refuse(why, "a host name or address", text);
}

/* Decimal digits up to `most`; -1 when it is anything else. */
static int small_number(const char *text, int most)
{
    size_t n = strlen(text);

    if (n == 0 || n > 6 || strspn(text, "0123456789") != n || (n > 1 && *text == '0'))
        return -1;
    int value = atoi(text);
    return value <= most ? value : -1;
}

bool conf_value_address(const char *text, struct conf_address *out, char why[CONF_WHY])
{
    static const char expected[] = "HOST:PORT like 192.0.2.20:502 or [::1]:502";
    const char *colon = strrchr(text, ':');
    const char *host = text, *end = colon;

    if (!colon)
        return refuse(why, expected, text);
    if (*text == '[') {
        host++;
        end--;
        if (end <= host || *end != ']')
            return refuse(why, expected, text);
    }
    size_t n = (size_t)(end - host);
    if (n == 0 || n >= sizeof out->host)
        return refuse(why, expected, text);
    memcpy(out->host, host, n);
    out->host[n] = '\0';
    out->port = small_number(colon + 1, 65535);
    bool is_v6 = strchr(out->host, ':') != NULL;
    if (out->port < 0 || is_v6 != (*text == '[') || !conf_value_host(out->host, why))
        return refuse(why, expected, text);
    return true;
}

/* The day at the start of the text; -1 = none. */
static int day(const char *text)
{
    static const char names[] = "sunmontuewedthufrisat";

    for (int i = 0; i < 7; i++)
        if (strncmp(text, names + 3 * i, 3) == 0)
            return i;
    return -1;
}

bool conf_value_days(const char *text, int64_t *out, char why[CONF_WHY])
{
    static const char expected[] = "days like mon-fri or sat, sun";
    const char *p = text;

    *out = 0;
    do {
        int first = day(p), last = first;

        if (first < 0)
            return refuse(why, expected, text);
        p += 3;
        if (*p == '-') {
            last = day(p + 1);
            p += last < 0 ? 0 : 4;
        }
        if (last < 0)
            return refuse(why, expected, text);
        for (int d = first;; d = (d + 1) % 7) {
            *out |= 1 << d;
            if (d == last)
                break;
        }
        if (*p && *p != ',')
            return refuse(why, expected, text);
        if (*p == ',') {
            p += 1 + strspn(p + 1, " ");
            if (!*p)
                return refuse(why, expected, text);
        }
    } while (*p);
    return true;
}

bool conf_value_serial(const char *text, struct conf_serial *out, char why[CONF_WHY])
{
    static const char expected[] =
        "DEVICE BAUD FRAME like /dev/serial/by-id/usb-adapter 9600 8N1";
    static const int bauds[] = {300,   600,   1200,  2400,   4800,  9600,
                                19200, 38400, 57600, 115200, 230400};
    char baud[8], frame[8], rest;

    if (strlen(text) >= sizeof out->device || *text != '/' ||
        sscanf(text, "%199s %7s %7s %c", out->device, baud, frame, &rest) != 3)
        return refuse(why, expected, text);
    out->baud = small_number(baud, 230400);
    out->parity = frame[1];
    out->data_bits = frame[0] - '0';
    out->stop_bits = frame[1] ? frame[2] - '0' : 0;
    bool known = false;
    for (size_t i = 0; i < sizeof bauds / sizeof *bauds; i++)
        known |= out->baud == bauds[i];
    if (!known)
        return refuse(why, "a usual speed like 9600, 19200 or 115200 baud", baud);
    if (strlen(frame) != 3 || !strchr("78", frame[0]) || !strchr("NEO", frame[1]) ||
        !strchr("12", frame[2]))
        return refuse(why, "data bits, parity and stop bits like 8N1, 8E1 or 8N2",
                      frame);
    return true;
}

bool conf_value_wiring(const char *text, struct conf_wiring *out, char why[CONF_WHY])
{
    static const char expected[] =
        "the site's phases on its own L1 L2 L3, like L2 L3 L1 or L1, or unknown";
    unsigned seen = 0;
    int n = 0;

    *out = (struct conf_wiring){{SITE_NO_PHASE, SITE_NO_PHASE, SITE_NO_PHASE}, false};
    if (strcmp(text, "unknown") == 0) {
        *out = (struct conf_wiring){{0, 1, 2}, true};
        return true;
    }
    for (const char *p = text; *p; n++) {
        if (n == SITE_PHASES || p[0] != 'L' || p[1] < '1' || p[1] > '3')
            return refuse(why, expected, text);
        unsigned phase = (unsigned)(p[1] - '1');
        if (seen & 1u << phase)
            return refuse(why, "each phase once", text);
        seen |= 1u << phase;
        out->phase[n] = (uint8_t)phase;
        p += 2;
        if (*p && *p++ != ' ')
            return refuse(why, expected, text);
        while (*p == ' ')
            p++;
    }
    return n > 0 || refuse(why, expected, text);
}

bool conf_value_clock(const char *text, int64_t *minutes, char why[CONF_WHY])
{
    static const char digits[] = "0123456789";

    if (strlen(text) != 5 || text[2] != ':' || strspn(text, digits) != 2 ||
        strspn(text + 3, digits) != 2 || atoi(text) > 23 || atoi(text + 3) > 59)
        return refuse(why, "a time of day like 07:30", text);
    *minutes = 60 * atoi(text) + atoi(text + 3);
    return true;
}

bool conf_value_name(const char *text, char why[CONF_WHY])
{
    if (is_made_of(text, "._-", 48))
        return true;
    return refuse(why, "a name of letters, digits and . _ -, at most 48", text);
}

bool conf_value_id(const char *text, char why[CONF_WHY])
{
    if (is_made_of(text, "_-", 48))
        return true;
    return refuse(why, "an id of letters, digits, _ and -, at most 48", text);
}

/* The letters that newer OCPP allows (identifierString), and the space that some older
 * chargers have in theirs. */
bool conf_value_identity(const char *text, char why[CONF_WHY])
{
    if (is_made_of(text, "*-_=:+|@. ", 48) && *text != ' ' &&
        text[strlen(text) - 1] != ' ')
        return true;
    return refuse(
        why, "an identity of letters, digits, spaces and * - _ = : + | @ ., at most 48",
        text);
}

bool conf_value_topic(const char *text, char why[CONF_WHY])
{
    if (is_made_of(text, "._-/", 100) && *text != '/' &&
        text[strlen(text) - 1] != '/' && !strstr(text, "//"))
        return true;
    return refuse(why, "a topic of letters, digits and . _ - like home/chargehand",
                  text);
}

bool conf_value_subject(const char *text, char why[CONF_WHY])
{
    if (!conf_value_text(text, why))
        return false;
    return !strpbrk(text, "+#") || refuse(why, "one topic, without + and #", text);
}

bool conf_value_pointer(const char *text, char why[CONF_WHY])
{
    static const char expected[] = "a JSON pointer like /em/0/power (in keys ~1 is a "
                                   "slash and ~0 a ~)";

    if (*text && !conf_value_text(text, why))
        return false;
    if (*text && *text != '/')
        return refuse(why, expected, text);
    for (const char *p = text; *p; p++)
        if (*p == '~' && p[1] != '0' && p[1] != '1')
            return refuse(why, expected, text);
    return true;
}

bool conf_value_zone(const char *text, char why[CONF_WHY])
{
    if (is_made_of(text, "_+-/", 64) && *text != '/' && !strstr(text, "//"))
        return true;
    return refuse(why, "a time zone like Europe/Berlin", text);
}

bool conf_value_text(const char *text, char why[CONF_WHY])
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return refuse(why, "one line of text", text);
    if (!*text || *text == ' ' || text[strlen(text) - 1] == ' ')
        return refuse(why, "a text without spaces around it", text);
    if (strlen(text) > 200)
        return refuse(why, "at most 200 bytes of text", text);
    return true;
}

/* As long as the longest of any OCPP version. */
bool conf_value_tag(const char *text, char why[CONF_WHY])
{
    if (!conf_value_text(text, why))
        return false;
    return strlen(text) < OCPP_TAG ||
           refuse(why, "a tag of at most 36 characters", text);
}
