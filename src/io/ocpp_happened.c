/* SPDX-License-Identifier: Apache-2.0 */
/* What a charger tells of its parts: a residual current device that has tripped, a part
 * that has a problem. Told once when it begins and once when it is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

enum {
    MOST = 16, /* at one time */
    TEXT = 320
};

struct ocpp_happened {
    int n;
    struct ocpp_happening is[MOST];
    struct ocpp_ration news;
};

static void words(const struct ocpp_happening *h, bool begins, char out[TEXT])
{
    char where[32] = "";

    if (h->connector > 0)
        snprintf(where, sizeof where, "connector %d: ", (int)h->connector);
    snprintf(out, TEXT, "%s%s%s is %s%s%s", begins ? "" : "no longer: ", where, h->what,
             h->value, *h->info ? ": " : "", h->info);
}

static void news(struct ocpp_peer *p, const struct ocpp_happening *h, bool begins)
{
    char text[TEXT];

    words(h, begins, text);
    if (ocpp_ration_has(p, &p->happened->news))
        ocpp_news(p, begins ? "warning" : "info", "charger", text);
    else
        log_debug("%s: %s", p->id, text);
}

static int find(const struct ocpp_happened *o, const struct ocpp_happening *h)
{
    int i = o->n;

    while (--i >= 0 &&
           (o->is[i].connector != h->connector || strcmp(o->is[i].what, h->what) != 0))
        ;
    return i;
}

void ocpp_happened(struct ocpp_peer *p, const struct ocpp_happening *h)
{
    struct ocpp_happened *o = p->happened;
    int i;

    if (!h->matters && !o)
        return;
    if (!o && !(o = p->happened = calloc(1, sizeof *o)))
        return;
    i = find(o, h);
    if (i >= 0 && h->over) {
        news(p, &o->is[i], false);
        memmove(&o->is[i], &o->is[i + 1], (size_t)(--o->n - i) * sizeof *o->is);
    } else if (i < 0 && !h->over && h->matters) {
        news(p, h, true);
        if (o->n < MOST)
            o->is[o->n++] = *h;
    } else if (i >= 0) {
        o->is[i] = *h;
    }
}

/* What is still wrong will be told again. */
void ocpp_happened_boot(struct ocpp_peer *p)
{
    if (p->happened)
        p->happened->n = 0;
}

cJSON *ocpp_happened_list(const struct ocpp_peer *p)
{
    cJSON *list = cJSON_CreateArray();
    char text[TEXT];

    for (int i = 0; p->happened && i < p->happened->n; i++) {
        words(&p->happened->is[i], true, text);
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    return list;
}
