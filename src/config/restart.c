/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes of the configuration cannot be taken over while running. */
#include <string.h>

#include "config/config.h"
#include "config/keys.h"

static bool is_text(enum conf_type t)
{
    return t < CONF_T_AMPS || t == CONF_T_ADDRESS;
}

static const char *text_at(const struct config *c, size_t offset)
{
    const char *text;

    memcpy(&text, (const char *)c + offset, sizeof text);
    return text ? text : "";
}

static bool differs(const struct conf_key *k, const struct config *a,
                    const struct config *b)
{
    const char *x = (const char *)a, *y = (const char *)b;

    if (is_text(k->type) && strcmp(text_at(a, k->offset), text_at(b, k->offset)) != 0)
        return true;
    if (k->type == CONF_T_ADDRESS)
        return memcmp(x + k->port, y + k->port, sizeof(int)) != 0;
    return !is_text(k->type) && memcmp(x + k->offset, y + k->offset, k->size) != 0;
}

const char *config_restart_key(const struct config *running, const struct config *next)
{
    for (const struct conf_key *k = conf_keys; k < conf_keys + K_COUNT; k++)
        if (k->restart && k->size && differs(k, running, next))
            return k->path;
    return NULL;
}
