/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of OCPP that are spoken here, the best one first. */
#include "proto/ocpp_versions.h"

#include <string.h>

#include "proto/ocpp16_schema.h"
#include "proto/ocpp201.h"

const struct ocpp_schema *const ocpp_schemas[] = {&ocpp201_schema, &ocpp16_schema,
                                                  NULL};

const char *const ocpp_version_words[] = {"auto", OCPP201_VERSION, OCPP16_VERSION,
                                          NULL};

const struct ocpp_schema *ocpp_schema_named(const char *subprotocol)
{
    const struct ocpp_schema *const *s = ocpp_schemas;

    while (s[1] && strcmp((*s)->subprotocol, subprotocol) != 0)
        s++;
    return *s;
}

static bool offers(const char *list, const char *wanted)
{
    size_t len = strlen(wanted), n;

    for (; *list; list += n) {
        list += strspn(list, ", \t");
        n = strcspn(list, ", \t");
        if (n == len && strncmp(list, wanted, len) == 0)
            return true;
    }
    return false;
}

const struct ocpp_schema *ocpp_schema_choose(const char *list, const char *only)
{
    for (const struct ocpp_schema *const *s = ocpp_schemas; *s; s++)
        if (list ? (!only || strcmp((*s)->version, only) == 0) &&
                       offers(list, (*s)->subprotocol)
                 : only && strcmp((*s)->version, only) == 0)
            return *s;
    return list ? NULL : ocpp_schema_named("");
}

/* ---- a message of another version ---- */

static const struct ocpp_field *field(const struct ocpp_field *f, const char *name)
{
    while (f->name && strcmp(f->name, name) != 0)
        f++;
    return f->name ? f : NULL;
}

/* All that is needed at least so much is there. */
static bool has_all(const struct ocpp_field *f, const cJSON *payload,
                    enum ocpp_need need)
{
    for (; f->name; f++)
        if (f->need >= need && !cJSON_GetObjectItemCaseSensitive(payload, f->name))
            return false;
    return true;
}

/* There is something in it that is needed by `theirs` and unheard of by `ours`. */
static bool has_foreign(const struct ocpp_field *ours, const struct ocpp_field *theirs,
                        const cJSON *payload)
{
    for (; theirs->name; theirs++)
        if (theirs->need && (!ours || !field(ours, theirs->name)) &&
            cJSON_GetObjectItemCaseSensitive(payload, theirs->name))
            return true;
    return false;
}

/* An action that only one version has tells that it is spoken when a charger cannot do
 * without; some send others of it where they do not belong. */
static bool is_weighty(enum ocpp_says says)
{
    return says == OCPP_SAYS_START || says == OCPP_SAYS_STOP || says == OCPP_SAYS_EVENT;
}

const struct ocpp_schema *ocpp_schema_whose(const struct ocpp_schema *s,
                                            const char *action, const cJSON *payload)
{
    const struct ocpp_message *m = ocpp_schema_find(s, OCPP_STATION, action);

    if (m && has_all(m->request, payload, OCPP_MUST))
        return NULL;
    for (const struct ocpp_schema *const *t = ocpp_schemas; *t; t++) {
        const struct ocpp_message *n = ocpp_schema_find(*t, OCPP_STATION, action);

        if (n && *t != s &&
            (m ? has_all(n->request, payload, OCPP_VITAL) &&
                     has_foreign(m->request, n->request, payload)
               : is_weighty(n->says)))
            return *t;
    }
    return NULL;
}

/* As "chargingProfile" of "csChargingProfiles": it says nothing. */
static bool is_part(const struct ocpp_field *f, const char *name)
{
    for (; f->name; f++)
        if (strcasestr(f->name, name))
            return true;
    return false;
}

const struct ocpp_schema *ocpp_schema_blamed(const struct ocpp_schema *s,
                                             const char *action, const char *text)
{
    const struct ocpp_message *m = ocpp_schema_find(s, OCPP_SYSTEM, action);

    for (const struct ocpp_schema *const *t = ocpp_schemas; m && *t; t++) {
        const struct ocpp_message *n = ocpp_schema_find(*t, OCPP_SYSTEM, action);

        for (const struct ocpp_field *f = n && *t != s ? n->request : NULL;
             f && f->name; f++)
            if (f->sub && f->need && strstr(text, f->name) &&
                !is_part(m->request, f->name))
                return *t;
    }
    return NULL;
}
