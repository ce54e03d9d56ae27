/* SPDX-License-Identifier: Apache-2.0 */
/* Which Host headers are answered. */
#include "io/http_host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ":" and a port, or nothing. */
static bool port_or_end(const char *text)
{
    if (*text == '\0')
        return true;
    if (*text++ != ':' || !isdigit((unsigned char)*text))
        return false;
    return strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5 &&
           atoi(text) <= 65535;
}

/* "[::1]" and a port. */
static bool ip6_literal(const char *header)
{
    const char *end = strchr(header, ']');
    char address[INET6_ADDRSTRLEN];
    struct in6_addr out;
    size_t n;

    if (*header != '[' || !end)
        return false;
    n = (size_t)(end - header) - 1;
    if (n >= sizeof address)
        return false;
    memcpy(address, header + 1, n);
    address[n] = '\0';
    return inet_pton(AF_INET6, address, &out) == 1 && port_or_end(end + 1);
}

/* One label or more of letters, digits, hyphens, and then .local. */
static bool mdns_name(const char *name)
{
    size_t n = strlen(name), tail = strlen(".local");

    return n > tail && name[0] != '.' && strcasecmp(name + n - tail, ".local") == 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-.") == n;
}

bool http_host_allowed(const char *header, const char *const *names)
{
    size_t n = strcspn(header, ":");
    struct in_addr out;
    char name[256];

    if (*header == '[')
        return ip6_literal(header);
    if (n == 0 || n >= sizeof name || !port_or_end(header + n))
        return false;
    memcpy(name, header, n);
    name[n] = '\0';
    if (name[n - 1] == '.') /* the root's own dot */
        name[n - 1] = '\0';
    if (inet_pton(AF_INET, name, &out) == 1 || strcasecmp(name, "localhost") == 0 ||
        mdns_name(name))
        return true;
    for (; names && *names; names++)
        if (strcasecmp(name, *names) == 0)
            return true;
    return false;
}
