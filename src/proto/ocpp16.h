/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 1.6 (edition 2 with errata 4, and its security whitepaper, edition 2): the
 * readers and writers of its row in struct ocpp_schema, where they are explained.
 *
 * Inside src/proto only. */
#ifndef PROTO_OCPP16_H
#define PROTO_OCPP16_H

#include "proto/ocpp_meter.h"
#include "proto/ocpp_schema.h"

bool ocpp16_guard(const char *action, const cJSON *payload,
                  const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY]);
/* Is it a key of the standard or of the security whitepaper? In any case. */
bool ocpp16_config_standard(const char *key);

void ocpp16_read_boot(const cJSON *p, struct ocpp_boot *b);
bool ocpp16_read_tag(const cJSON *p, char tag[OCPP_TAG], struct ocpp_fault *fault);
bool ocpp16_read_status(const cJSON *p, struct ocpp_status *s,
                        struct ocpp_fault *fault);
bool ocpp16_read_start(const cJSON *p, struct ocpp_start *s, struct ocpp_fault *fault);
bool ocpp16_read_stop(const cJSON *p, struct ocpp_stop *s, struct ocpp_fault *fault);
bool ocpp16_read_meter(const cJSON *p, struct ocpp_meter *m, struct ocpp_fault *fault);
void ocpp16_conf_authorize(char *out, const struct ocpp_tag_info *t);
void ocpp16_conf_start(char *out, int32_t transaction, const struct ocpp_tag_info *t);

void ocpp16_write_profile(char *out, const struct ocpp_profile *p);
void ocpp16_write_clear(char *out, enum ocpp_purpose purpose, int32_t level);
void ocpp16_write_clear_id(char *out, int32_t id);
void ocpp16_write_trigger(char *out, const char *message, int32_t connector,
                          int32_t plug);
const char *ocpp16_write_stop(char *out, int32_t transaction, const char *name);
const char *ocpp16_ask_config(char *out, const struct ocpp_config *c, int places,
                              bool again, int *at);
int ocpp16_read_config(const cJSON *p, struct ocpp_config *c);
const char *ocpp16_ask_list(char *out, const struct ocpp_config *c);
bool ocpp16_read_list(const cJSON *p, struct ocpp_list_ability *l);
const char *ocpp16_write_setting(char *out, enum ocpp_setting s, const char *value);
bool ocpp16_setting_taken(const cJSON *p);
char *ocpp16_send_list(int32_t version, bool full, const struct ocpp_tag *tags, int n);
bool ocpp16_read_reservation(const cJSON *p, struct ocpp_reservation *r);
cJSON *ocpp16_file_request(enum ocpp_file what, const char *location, const char *now,
                           int32_t id, const cJSON *more, const char **action);

#endif
