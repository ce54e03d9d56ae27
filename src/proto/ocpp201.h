/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 2.0.1 (edition 3): its row in struct ocpp_schema, and the readers and writers of
 * that, explained there.
 *
 * An EVSE is a connector to us, and its number the connector's; its connectors
 * are plugs of that one, of which one car uses one. */
#ifndef PROTO_OCPP201_H
#define PROTO_OCPP201_H

#include "proto/ocpp201_types.h"

#define OCPP201_VERSION "2.0.1"
extern const struct ocpp_schema ocpp201_schema;

void ocpp201_read_boot(const cJSON *p, struct ocpp_boot *b);
bool ocpp201_read_tag(const cJSON *p, char tag[OCPP_TAG], struct ocpp_fault *fault);
bool ocpp201_read_status(const cJSON *p, struct ocpp_status *s,
                         struct ocpp_fault *fault);
bool ocpp201_read_event(const cJSON *p, struct ocpp_tx_event *e,
                        struct ocpp_fault *fault);
bool ocpp201_read_meter(const cJSON *p, struct ocpp_meter *m, struct ocpp_fault *fault);
bool ocpp201_read_needs(const cJSON *p, struct ocpp_needs *n, struct ocpp_fault *fault);
bool ocpp201_read_limited(const cJSON *p, struct ocpp_limited *l,
                          struct ocpp_fault *fault);
bool ocpp201_read_reported(const cJSON *p, struct ocpp_limited *l, int64_t *request,
                           struct ocpp_fault *fault);
bool ocpp201_read_happening(const cJSON *p, int i, struct ocpp_happening *h);
const char *ocpp201_ask_limited(char *out, int32_t request);
void ocpp201_conf_authorize(char *out, const struct ocpp_tag_info *t);

void ocpp201_write_profile(char *out, const struct ocpp_profile *p);
void ocpp201_write_clear(char *out, enum ocpp_purpose purpose, int32_t level);
void ocpp201_write_clear_id(char *out, int32_t id);
void ocpp201_write_trigger(char *out, const char *message, int32_t connector,
                           int32_t plug);
const char *ocpp201_write_stop(char *out, int32_t transaction, const char *name);
const char *ocpp201_ask_config(char *out, const struct ocpp_config *c, int places,
                               bool again, int *at);
int ocpp201_read_config(const cJSON *p, struct ocpp_config *c);
const char *ocpp201_ask_list(char *out, const struct ocpp_config *c);
bool ocpp201_read_list(const cJSON *p, struct ocpp_list_ability *l);
const char *ocpp201_write_setting(char *out, enum ocpp_setting s, const char *value);
bool ocpp201_setting_taken(const cJSON *p);
const char *ocpp201_ask_report(char *out, int32_t request, bool full);
bool ocpp201_read_report(const cJSON *p, struct ocpp_report *r,
                         struct ocpp_fault *fault);
char *ocpp201_send_list(int32_t version, bool full, const struct ocpp_tag *tags, int n);
bool ocpp201_read_remote(const cJSON *p, struct ocpp_remote *r);
bool ocpp201_read_reservation(const cJSON *p, struct ocpp_reservation *r);
cJSON *ocpp201_file_request(enum ocpp_file what, const char *location, const char *now,
                            int32_t id, const cJSON *more, const char **action);
/* Why a station would refuse this SetChargingProfile; NULL = it has no reason. What it
 * has told of itself in `c`, or NULL. */
const char *ocpp201_unsound(const cJSON *request, const struct ocpp_config *c);
bool ocpp201_guard(const char *action, const cJSON *payload,
                   const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY]);

#endif
