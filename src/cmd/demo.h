/* SPDX-License-Identifier: Apache-2.0 */
/* Inside `chargehand demo`: demo.c (options, the course of it), demo_children.c (the
 * two processes it starts), demo_show.c (what is seen). */
#ifndef CMD_DEMO_H
#define CMD_DEMO_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct demo {
    /* options */
    int for_s; /* 0 = until it is interrupted */
    uint64_t seed;
    bool plain, json;
    char folder[256];
    /* its processes */
    pid_t plant, controller; /* 0 = not there */
    int to_plant, from_plant;
    int meter_port, ocpp_port, http_port;
    char in[32768]; /* of the plant's lines */
    size_t n_in;
    cJSON *report; /* the plant's last one, or NULL */
    char why[400]; /* what has gone wrong, or "" */
};

/* demo_children.c. On false d->why says what is wrong. */
bool demo_start_plant(struct demo *d);
bool demo_start_controller(struct demo *d, volatile bool *quit);
void demo_go(struct demo *d);
/* Takes the plant's lines; waits for them at most so long. */
bool demo_listen(struct demo *d, int wait_ms);
bool demo_alive(struct demo *d); /* both processes */
void demo_stop(struct demo *d);  /* the plant's last report is there then */

/* demo_show.c */
cJSON *demo_state(const struct demo *d); /* the controller's, or NULL */
void demo_draw(const struct demo *d, const cJSON *state);
void demo_line(const struct demo *d, const cJSON *state);
void demo_summary(const struct demo *d, bool good);
double demo_number(const struct demo *d, const char *key); /* of the report; 0 */

#endif
