/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server's door: identity, password and subprotocol of an HTTP request.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_DOOR_H
#define IO_OCPP_DOOR_H

#include "io/ocpp_server.h"

struct lws;

/* The identity in the path of the request. */
bool ocpp_door_identity(struct lws *wsi, char id[OCPP_ID]);

/* For LWS_CALLBACK_HTTP_CONFIRM_UPGRADE, and its result: 0 = come in, else it has been
 * answered: 404 to the unknown, 401 to a wrong password, 403 on the wrong port.
 * `profile` is that of the port. Whom it lets in gets a version to speak, and `plain`
 * when nothing may be compressed. */
int ocpp_door_upgrade(struct lws *wsi, const struct ocpp_server_hooks *h, int profile,
                      bool need_subprotocol, const struct ocpp_schema **speaks,
                      bool *plain);

/* Answers with a status and nothing else. */
int ocpp_door_refuse(struct lws *wsi, unsigned status);

/* The address by which a charger has connected to us, "http://10.0.0.1:8887"; "" when
 * it did not tell. */
void ocpp_door_base(struct lws *wsi, char *out, size_t size);

#endif
