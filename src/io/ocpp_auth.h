/* SPDX-License-Identifier: Apache-2.0 */
/* Who a charger is: its identity in the path of its address, and its password (OCPP-J
 * on the connection URL, security profile 1). No sockets. */
#ifndef IO_OCPP_AUTH_H
#define IO_OCPP_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "io/ocpp_server.h"

/* The last non-empty segment of a path whose percent-encoding has been undone (by
 * libwebsockets, and once is enough). False: none, too long for out, with control
 * characters in it, or no UTF-8. */
bool ocpp_auth_identity(const char *path, char *out, size_t size);

/* Whether `given` ("user:password", as the header had it in base64) is for this
 * identity and password. A password of 40 hexadecimal digits is an AuthorizationKey:
 * its 20 bytes are right, too, and so are its digits in another case. Takes the same
 * time whatever is wrong with the password. */
bool ocpp_auth_password(const char *identity, const char *password, const void *given,
                        size_t len);

/* The least security profile that this charger must use, 0 to 3. */
int ocpp_auth_least(const struct config *conf, const struct conf_charger *c);

/* Whether what it has shown is enough; else *why says what to do. Without a password or
 * certificate there is nothing to check: profile 0. */
enum ocpp_door ocpp_auth_judge(const struct conf_charger *c, const struct ocpp_knock *k,
                               int least, const char **why);

#endif
