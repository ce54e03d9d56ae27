/* SPDX-License-Identifier: Apache-2.0 */
/* From checked values to struct config, room by room. Each step tells its errors and
 * goes on, so that all of them are told at once. */
#ifndef CONFIG_BUILD_H
#define CONFIG_BUILD_H

#include "config/walk.h"

struct conf_build {
    struct conf_load *l;
    struct config *c;
    const struct conf_item *top;
    conf_meter_check *check_meter;     /* NULL: nobody is asked */
    struct site_circuit *circuits;     /* c->site.circuits while it is being made */
    struct site_connector *connectors; /* c->site.connectors */
    const struct conf_item **circuit_items;   /* of each, or of its charger */
    const struct conf_item **connector_items; /* NULL: free place, or not in the file */
    int n_file_circuits;
    int *place;   /* index in c->site.circuits of each circuit of the file, or -1 */
    bool tree_ok; /* all circuits have their place */
};

/* In this order. */
void conf_build_circuits(struct conf_build *b); /* build_circuits.c */
void conf_build_meters(struct conf_build *b);   /* build_meters.c */
void conf_build_chargers(struct conf_build *b); /* build_chargers.c */
void conf_build_services(struct conf_build *b); /* build_services.c */
void conf_build_limits(struct conf_build *b);   /* build_limits.c */
void conf_check(struct conf_build *b);          /* check.c: across sections */
/* check_line.c: of each meter, how long it takes to read it on its serial line. */
void conf_check_lines(struct conf_build *b, const int32_t *serial_ms);

/* The position in its list of the entry that a key of `i` names; SITE_NONE when the key
 * is not given, or after telling that there is no such entry. */
int conf_ref(struct conf_build *b, const struct conf_item *i, enum conf_key_id k);
/* How a Modbus device is reached: by one of the keys tcp, rtu, rtutcp, in this order.
 */
void conf_build_line(struct conf_build *b, const struct conf_item *i,
                     const enum conf_key_id keys[3], struct conf_meter *m);
/* Room for `n` entries, at least one. */
void *conf_array(struct conf_build *b, int n, size_t size);
/* Letters, digits and - are kept, all else becomes _. */
char *conf_sanitise(struct conf_load *l, const char *text);
/* The circuit of the file at that position; the grid connection for SITE_NONE. */
int conf_circuit_place(const struct conf_build *b, int position);

/* secret.c: warns of a file with a secret that others may read. */
void conf_warn_open(struct conf_load *l, const struct conf_node *at, const char *key,
                    const char *path);
/* The password given in place or in a file; NULL when there is none. */
const char *conf_secret(struct conf_load *l, const struct conf_item *i,
                        enum conf_key_id inline_key, enum conf_key_id file_key);
/* tags.c */
void conf_build_tags(struct conf_build *b, const struct conf_item *ocpp);

/* The whole file as text, at most CONF_MAX_BYTES. NULL with errno. */
char *conf_read_file(struct conf_arena *a, const char *path, size_t *size);

#endif
