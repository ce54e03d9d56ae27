/* SPDX-License-Identifier: Apache-2.0 */
/* Identity and password of a connecting charger. */
#include "io/ocpp_auth.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proto/utf8.h"

enum { KEY_BYTES = 20 };

bool ocpp_auth_identity(const char *path, char *out, size_t size)
{
    const char *end = path + strlen(path), *start;

    while (end > path && end[-1] == '/')
        end--;
    for (start = end; start > path && start[-1] != '/';)
        start--;
    if (start == end || (size_t)(end - start) >= size ||
        !utf8_valid(start, (size_t)(end - start)))
        return false;
    for (const char *c = start; c < end; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    memcpy(out, start, (size_t)(end - start));
    out[end - start] = '\0';
    return true;
}

/* Without a branch that depends on the bytes of `secret`. */
static bool same(const unsigned char *secret, size_t n, const unsigned char *given,
                 size_t len)
{
    unsigned differ = n != len;

    for (size_t i = 0; i < len; i++)
        differ |= (unsigned)(secret[n ? i % n : 0] ^ given[i]);
    return !differ;
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The bytes of an AuthorizationKey; false when the password is none. */
static bool read_key(const char *password, unsigned char key[KEY_BYTES])
{
    if (strlen(password) != 2 * KEY_BYTES ||
        strspn(password, "0123456789abcdefABCDEF") != 2 * KEY_BYTES)
        return false;
    for (int i = 0; i < KEY_BYTES; i++)
        key[i] =
            (unsigned char)(digit(password[2 * i]) << 4 | digit(password[2 * i + 1]));
    return true;
}

bool ocpp_auth_password(const char *identity, const char *password, const void *given,
                        size_t len)
{
    size_t user = strlen(identity), n = strlen(password);
    const unsigned char *g = given;
    unsigned char key[KEY_BYTES];
    char lower[2 * KEY_BYTES + 1], upper[2 * KEY_BYTES + 1];
    bool good;

    /* Identities may have colons in them: what is before the password is known. */
    if (len <= user || memcmp(g, identity, user) != 0 || g[user] != ':')
        return false;
    g += user + 1;
    len -= user + 1;
    good = same((const unsigned char *)password, n, g, len);
    if (!read_key(password, key))
        return good;
    for (int i = 0; i < KEY_BYTES; i++) {
        snprintf(lower + 2 * i, 3, "%02x", key[i]);
        snprintf(upper + 2 * i, 3, "%02X", key[i]);
    }
    good |= same(key, sizeof key, g, len);
    good |= same((const unsigned char *)lower, n, g, len);
    good |= same((const unsigned char *)upper, n, g, len);
    return good;
}

int ocpp_auth_least(const struct config *conf, const struct conf_charger *c)
{
    return c->security < 0 ? conf->ocpp.security : c->security;
}

enum ocpp_door ocpp_auth_judge(const struct conf_charger *c, const struct ocpp_knock *k,
                               int least, const char **why)
{
    const char *name = c->certificate_name ? c->certificate_name : k->id;

    if (k->profile < least) {
        *why = k->profile == 1
                   ? "turned away: must come by TLS: set its address to "
                     "that of listen_tls or listen_mtls, with wss://"
                   : "turned away: must show a certificate: set its address "
                     "to that of listen_mtls, with wss://";
        return OCPP_DOOR_FORBIDDEN;
    }
    if (k->profile == 3) {
        *why = "turned away: its certificate has another name than its identity: "
               "write that into certificate_name in the site file";
        return k->name && strcmp(k->name, name) == 0 ? OCPP_DOOR_OPEN
                                                     : OCPP_DOOR_FORBIDDEN;
    }
    *why = k->password
               ? "turned away: wrong password: set the AuthorizationKey in it to "
                 "what the site file has, or the other way round"
               : "turned away: gives no password: set its AuthorizationKey "
                 "(password for basic authentication) to what the site file has";
    if (!c->password)
        return least > 0 ? OCPP_DOOR_PASSWORD : OCPP_DOOR_OPEN;
    return k->password && ocpp_auth_password(k->id, c->password, k->password, k->len)
               ? OCPP_DOOR_OPEN
               : OCPP_DOOR_PASSWORD;
}
