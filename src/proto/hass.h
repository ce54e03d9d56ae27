/* SPDX-License-Identifier: Apache-2.0 */
/* Home Assistant's device discovery: one document for the site and one per connector.
 *
 * The rules kept here (Home Assistant 2024.12 to 2026.10, components/mqtt/schemas.py,
 * sensor.py, number.py, select.py): only the known keys at the root, or the whole
 * document is refused; every component has a platform and a unique id; expire_after
 * only on topics that are not retained; units fit the device class; the options of an
 * enum are all the words we publish. */
#ifndef PROTO_HASS_H
#define PROTO_HASS_H

#include "config/config.h"
#include "proto/snapshot.h"

/* The texts are to be freed; NULL = out of memory. */
char *hass_site(const struct config *c, const struct snapshot *s);
char *hass_connector(const struct config *c, const struct snapshot *s,
                     const struct snap_connector *k);

/* A fingerprint of what hass_connector() would say of the device: a cheap way to know
 * when to say it again. */
uint64_t hass_connector_print(const struct snapshot *s, const struct snap_connector *k);

#endif
