/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: answers about them, reservations, the list that a charger keeps. */
#include "proto/ocpp16.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static cJSON *info(const struct ocpp_tag_info *t)
{
    cJSON *o = cJSON_CreateObject();

    if (*t->expiry)
        cJSON_AddStringToObject(o, "expiryDate", t->expiry);
    if (t->parent)
        cJSON_AddStringToObject(o, "parentIdTag", t->parent);
    cJSON_AddStringToObject(o, "status", t->status);
    return o;
}

/* `head` is what stands before idTagInfo. */
static void print(char *out, const char *head, const struct ocpp_tag_info *t)
{
    cJSON *o = info(t);
    size_t n = strlen(head);

    strcpy(out, head);
    if (!o ||
        !cJSON_PrintPreallocated(o, out + n, (int)(OCPP_CONF_TEXT - n - 2), false))
        snprintf(out + n, OCPP_CONF_TEXT - n, "{\"status\":\"%s\"}", t->status);
    strcat(out, "}");
    cJSON_Delete(o);
}

void ocpp16_conf_authorize(char *out, const struct ocpp_tag_info *t)
{
    print(out, "{\"idTagInfo\":", t);
}

void ocpp16_conf_start(char *out, int32_t transaction, const struct ocpp_tag_info *t)
{
    char head[64];

    snprintf(head, sizeof head,
             "{\"transactionId\":%d,\"idTagInfo\":", (int)transaction);
    print(out, head, t);
}

bool ocpp16_read_reservation(const cJSON *p, struct ocpp_reservation *r)
{
    struct ocpp_fault fault;

    ocpp_get_text(p, "parentIdTag", r->parent, sizeof r->parent);
    return ocpp_need_int(p, "reservationId", INT32_MIN, INT32_MAX, &r->id, &fault) &&
           ocpp_need_int(p, "connectorId", 0, INT32_MAX, &r->connector, &fault) &&
           ocpp_need_text(p, "idTag", r->tag, sizeof r->tag, &fault) &&
           ocpp_need_text(p, "expiryDate", r->expiry, sizeof r->expiry, &fault);
}

const char *ocpp16_ask_list(char *out, const struct ocpp_config *c)
{
    (void)c;
    strcpy(out, "{\"key\":[\"LocalAuthListEnabled\",\"LocalAuthListMaxLength\","
                "\"SendLocalListMaxLength\"]}");
    return "GetConfiguration";
}

bool ocpp16_read_list(const cJSON *p, struct ocpp_list_ability *l)
{
    const cJSON *item;
    char name[52], value[8];
    int64_t n;

    *l = (struct ocpp_list_ability){.enabled = -1, .max = -1, .per = -1, .bytes = -1};
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(p, "configurationKey"))
    {
        ocpp_get_text(item, "key", name, sizeof name);
        ocpp_get_text(item, "value", value, sizeof value);
        if (!ocpp_get_int(item, "value", &n) || n < 1 || n > INT32_MAX)
            n = -1;
        if (strcasecmp(name, "LocalAuthListEnabled") == 0) {
            l->enabled = strcasecmp(value, "true") == 0;
            l->fixed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "readonly"));
        } else if (strcasecmp(name, "LocalAuthListMaxLength") == 0) {
            l->max = (int32_t)n;
        } else if (strcasecmp(name, "SendLocalListMaxLength") == 0) {
            l->per = (int32_t)n;
        }
    }
    return l->enabled >= 0 || l->max > 0 || l->per > 0;
}

char *ocpp16_send_list(int32_t version, bool full, const struct ocpp_tag *tags, int n)
{
    cJSON *o = cJSON_CreateObject(), *list, *one;
    char *text;

    cJSON_AddNumberToObject(o, "listVersion", version);
    list = cJSON_AddArrayToObject(o, "localAuthorizationList");
    for (int i = 0; i < n; i++) {
        one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "idTag", tags[i].id);
        if (tags[i].info.status)
            cJSON_AddItemToObject(one, "idTagInfo", info(&tags[i].info));
        cJSON_AddItemToArray(list, one);
    }
    cJSON_AddStringToObject(o, "updateType", full ? "Full" : "Differential");
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}
