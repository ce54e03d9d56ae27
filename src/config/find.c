/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what recordings and people name. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/keys.h"

int config_connector(const struct config *c, const char *name)
{
    for (int i = 0; i < c->site.n_connectors; i++)
        if (strcmp(c->connectors[i].cid, name) == 0)
            return i;
    for (int i = 0; i < c->site.n_chargers; i++)
        if (c->chargers[i].id && c->chargers[i].n == 1 &&
            strcmp(c->chargers[i].id, name) == 0)
            return c->chargers[i].first;
    return SITE_NONE;
}

int config_circuit(const struct config *c, const char *name)
{
    for (int i = 0; i < c->site.n_circuits; i++)
        if (strcmp(c->site.circuits[i].name, name) == 0)
            return i;
    return SITE_NONE;
}

static int by_id(const void *key, const void *tag)
{
    return strcasecmp(key, ((const struct conf_tag *)tag)->id);
}

const struct conf_tag *config_tag(const struct config *c, const char *id)
{
    if (!*id || c->ocpp.n_tags == 0)
        return NULL;
    return bsearch(id, c->ocpp.tags, (size_t)c->ocpp.n_tags, sizeof *c->ocpp.tags,
                   by_id);
}

const char *config_version(const struct conf_charger *c)
{
    return c->ocpp_version > 0 ? conf_keys[K_CHARGER_OCPP].words[c->ocpp_version]
                               : NULL;
}
