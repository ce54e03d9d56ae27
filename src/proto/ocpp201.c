/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 2.0.1: what stations ask, into structs; answers; tags. */
#include "proto/ocpp201.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void ocpp201_read_boot(const cJSON *p, struct ocpp_boot *b)
{
    const cJSON *s = ocpp_get(p, "chargingStation");

    ocpp_get_text(s, "vendorName", b->vendor, sizeof b->vendor);
    ocpp_get_text(s, "model", b->model, sizeof b->model);
    ocpp_get_text(s, "firmwareVersion", b->firmware, sizeof b->firmware);
    ocpp_get_text(s, "serialNumber", b->serial, sizeof b->serial);
}

/* One that is too long is cut, and gets a ~, so that it is taken for no other. */
static void token(const cJSON *t, char tag[OCPP_TAG])
{
    const char *text = cJSON_GetStringValue(ocpp_get(t, "idToken"));
    char type[24];

    ocpp_get_text(t, "type", type, sizeof type);
    ocpp_get_text(t, "idToken", tag, OCPP_TAG);
    if (strcasecmp(type, "NoAuthorization") == 0) {
        *tag = '\0'; /* a button was pressed: it is nobody's */
        return;
    }
    if (text && strlen(text) >= OCPP_TAG && *tag)
        tag[strlen(tag) - 1] = '~';
}

bool ocpp201_read_tag(const cJSON *p, char tag[OCPP_TAG], struct ocpp_fault *fault)
{
    const cJSON *t = ocpp_get(p, "idToken");

    token(t, tag);
    return *tag || cJSON_IsString(ocpp_get(t, "idToken")) ||
           ocpp_need_text(t, "idToken", tag, OCPP_TAG, fault);
}

static enum connector_status plug_status(const char *name)
{
    static const struct {
        const char *name;
        enum connector_status status;
    } words[] = {
        {"Available", STATUS_AVAILABLE}, {"Occupied", STATUS_PREPARING},
        {"Reserved", STATUS_RESERVED},   {"Unavailable", STATUS_UNAVAILABLE},
        {"Faulted", STATUS_FAULTED},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].name, name) == 0)
            return words[i].status;
    return STATUS_UNKNOWN;
}

/* From 1; 0 = it is not told. */
static int32_t read_plug(const cJSON *o)
{
    int64_t plug;

    return ocpp_get_int(o, "connectorId", &plug) && plug > 0 && plug <= OCPP_PLUGS
               ? (int32_t)plug
               : 0;
}

bool ocpp201_read_status(const cJSON *p, struct ocpp_status *s,
                         struct ocpp_fault *fault)
{
    char name[32];

    *s = (struct ocpp_status){.info = ""};
    if (!ocpp_need_int(p, "evseId", 0, INT32_MAX, &s->connector, fault) ||
        !ocpp_need_text(p, "connectorStatus", name, sizeof name, fault))
        return false;
    s->plug = read_plug(p);
    s->status = plug_status(name);
    s->vague = s->status == STATUS_PREPARING;
    strcpy(s->error, s->status == STATUS_FAULTED ? "Faulted" : "NoError");
    ocpp_get_text(p, "timestamp", s->timestamp, sizeof s->timestamp);
    return true;
}

/* chargingState: what the car does. */
static enum connector_status car_status(const char *name, bool ends)
{
    static const struct {
        const char *name;
        enum connector_status status;
    } words[] = {
        {"Charging", STATUS_CHARGING},
        {"SuspendedEV", STATUS_SUSPENDED_EV},
        {"SuspendedEVSE", STATUS_SUSPENDED_EVSE},
        {"EVConnected", STATUS_PREPARING},
        {"Idle", STATUS_PREPARING},
    };

    if (ends)
        return STATUS_FINISHING;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].name, name) == 0)
            return words[i].status;
    return STATUS_UNKNOWN;
}

/* It is written into texts as it is, and the standard allows no such signs in it. */
static void clean(char *name)
{
    for (; *name; name++)
        if (*name == '"' || *name == '\\')
            *name = '?';
}

bool ocpp201_read_event(const cJSON *p, struct ocpp_tx_event *e,
                        struct ocpp_fault *fault)
{
    const cJSON *info = ocpp_get(p, "transactionInfo");
    char step[16], state[24];
    int64_t evse, cable;

    *e = (struct ocpp_tx_event){.meter_wh = OCPP_NO_METER,
                                .seq = -1,
                                .reservation = INT64_MIN,
                                .remote = INT64_MIN};
    if (!ocpp_need_text(p, "eventType", step, sizeof step, fault) ||
        !ocpp_need_text(info, "transactionId", e->name, sizeof e->name, fault))
        return false;
    clean(e->name);
    e->step = strcasecmp(step, "Started") == 0 ? OCPP_TX_BEGINS
              : strcasecmp(step, "Ended") == 0 ? OCPP_TX_ENDS
                                               : OCPP_TX_GOES_ON;
    if (ocpp_get_int(ocpp_get(p, "evse"), "id", &evse) && evse > 0 && evse < INT32_MAX)
        e->connector = (int32_t)evse;
    e->tagged = cJSON_IsObject(ocpp_get(p, "idToken"));
    e->plug = read_plug(ocpp_get(p, "evse"));
    token(ocpp_get(p, "idToken"), e->tag);
    ocpp_get_text(p, "timestamp", e->timestamp, sizeof e->timestamp);
    if (ocpp_get_int(p, "cableMaxCurrent", &cable) && cable > 0 && cable <= 1000)
        e->cable_ma = (int32_t)cable * 1000;
    ocpp_get_int(p, "seqNo", &e->seq);
    e->stored = cJSON_IsTrue(ocpp_get(p, "offline"));
    ocpp_get_int(p, "reservationId", &e->reservation);
    ocpp_get_int(info, "remoteStartId", &e->remote);
    ocpp_get_text(info, "stoppedReason", e->reason, sizeof e->reason);
    ocpp_get_text(info, "chargingState", state, sizeof state);
    e->status = car_status(state, e->step == OCPP_TX_ENDS);
    e->values = ocpp_get(p, "meterValue");
    e->meter_wh = ocpp_read_register(e->values);
    if (e->meter_wh == EVENT_NO_ENERGY)
        e->meter_wh = OCPP_NO_METER;
    return true;
}

bool ocpp201_read_meter(const cJSON *p, struct ocpp_meter *m, struct ocpp_fault *fault)
{
    *m = (struct ocpp_meter){.values = ocpp_get(p, "meterValue")};
    return ocpp_need_int(p, "evseId", 0, INT32_MAX, &m->connector, fault);
}

static cJSON *id_token(const char *id, const char *type)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "idToken", id);
    cJSON_AddStringToObject(o, "type", type);
    return o;
}

static cJSON *token_info(const struct ocpp_tag_info *t)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "status", t->status);
    if (*t->expiry)
        cJSON_AddStringToObject(o, "cacheExpiryDateTime", t->expiry);
    if (t->parent)
        cJSON_AddItemToObject(o, "groupIdToken", id_token(t->parent, "Central"));
    return o;
}

void ocpp201_conf_authorize(char *out, const struct ocpp_tag_info *t)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddItemToObject(o, "idTokenInfo", token_info(t));
    if (!o || !cJSON_PrintPreallocated(o, out, OCPP_CONF_TEXT, false))
        snprintf(out, OCPP_CONF_TEXT, "{\"idTokenInfo\":{\"status\":\"%s\"}}",
                 t->status);
    cJSON_Delete(o);
}

char *ocpp201_send_list(int32_t version, bool full, const struct ocpp_tag *tags, int n)
{
    cJSON *o = cJSON_CreateObject(), *list = cJSON_CreateArray(), *one;
    char *text;

    for (int i = 0; i < n; i++) {
        one = cJSON_CreateObject();
        cJSON_AddItemToObject(one, "idToken", id_token(tags[i].id, tags[i].type));
        if (tags[i].info.status)
            cJSON_AddItemToObject(one, "idTokenInfo", token_info(&tags[i].info));
        cJSON_AddItemToArray(list, one);
    }
    cJSON_AddNumberToObject(o, "versionNumber", version);
    cJSON_AddStringToObject(o, "updateType", full ? "Full" : "Differential");
    if (n > 0) /* an empty one must not be sent */
        cJSON_AddItemToObject(o, "localAuthorizationList", list);
    else
        cJSON_Delete(list);
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

bool ocpp201_read_reservation(const cJSON *p, struct ocpp_reservation *r)
{
    struct ocpp_fault fault;
    int64_t evse = 0;

    ocpp_get_int(p, "evseId", &evse);
    r->connector = (int32_t)evse;
    token(ocpp_get(p, "groupIdToken"), r->parent);
    token(ocpp_get(p, "idToken"), r->tag);
    return ocpp_need_int(p, "id", INT32_MIN, INT32_MAX, &r->id, &fault) && *r->tag &&
           ocpp_need_text(p, "expiryDateTime", r->expiry, sizeof r->expiry, &fault);
}

bool ocpp201_read_remote(const cJSON *p, struct ocpp_remote *r)
{
    token(ocpp_get(p, "idToken"), r->tag);
    r->known = ocpp_get_int(p, "remoteStartId", &r->id);
    return r->known;
}
