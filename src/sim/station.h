/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated charger that speaks OCPP, of either generation, to its central system
 * over a real WebSocket, with bays (bay.h) behind its connectors or EVSEs. It is
 * written from the charger's side of the specification; with the controller it shares
 * the tables of what messages are made of, to check what it is told, and no other code.
 *
 * A profile that it is given decides what its car is offered; without any there is no
 * constraint, as the specification wants it. */
#ifndef SIM_STATION_H
#define SIM_STATION_H

#include "sim/bay.h"
#include "sim/ocpp_client.h"
#include "sim/profiles.h"

enum { STATION_BAYS = 2, STATION_TAG = 37 };

struct station_setup {
    const struct ocpp_schema *schema; /* the version it speaks */
    struct lws_context *lws;
    const char *host; /* borrowed, as all strings here */
    int port;
    const char *identity, *password; /* password NULL = none */
    const char *vendor, *model, *firmware;
    const char *rotation; /* of the older generation, like "1.RST" */
    bool phase_switch;    /* it obeys numberPhases 1 */
    int32_t voltage_mv;
    int32_t answer_max_ms; /* it takes up to so long to answer ... */
    int32_t act_max_ms;    /* ... and so much longer until a new limit counts */
    struct sim_rng rng;
    int n_bays;
    struct {
        uint8_t wires; /* bit p: its own phase p is connected */
        int32_t min_ma, max_ma, step_ma;
    } bay[STATION_BAYS];
};

/* The present transaction of a bay, or the last one. */
struct station_session {
    bool begun;                 /* its begin has been told */
    int32_t transaction;        /* as the central system named it, or, where it is named
                                 * here, 1; 0 = not confirmed yet, -1 = never */
    char name[SIM_TRANSACTION]; /* where it is named here */
    bool over;
    int64_t drew_ms;      /* so long current flowed ... */
    int64_t untold_ms;    /* ... of it without any profile in force */
    int64_t delivered_nj; /* so far */
    bool full;            /* the car has got all that it wanted */
};

/* What has been said on the wire. */
struct station_counts {
    int boots;          /* accepted */
    int64_t set_points; /* profiles accepted */
    int64_t calls;      /* of the central system */
    int64_t faulty;     /* of them against the schema */
    int64_t refused;    /* of them refused or rejected for other reasons */
    int64_t wrong;      /* answers and calls of its own against the schema */
    int64_t samples;    /* meter values sent */
};

struct station;

struct station *station_new(const struct station_setup *u,
                            int64_t now_ms); /* or NULL */
void station_free(struct station *s);
void station_tick(struct station *s, int64_t now_ms); /* every 100 ms or so */

/* A car is plugged in; its driver shows the tag after think_ms. The bay must be free.
 */
void station_plug(struct station *s, int bay, int64_t now_ms, const struct sim_car *car,
                  const char *tag, int32_t think_ms);
/* The car leaves; the transaction ends with that, the plug is out a second later. */
void station_unplug(struct station *s, int bay, int64_t now_ms);

/* Somebody else than the central system limits it, or a bay, from 1 on: tenths of A for
 * so long; < 0: no longer. Only of the newer generation. */
void station_constrain(struct station *s, int bay_number, int32_t tenths,
                       int32_t duration_s);

bool station_accepted(const struct station *s); /* connected, and its boot accepted */
bool station_free_bay(const struct station *s, int bay); /* nobody there, all said */
const struct sim_bay *station_bay(const struct station *s, int bay);
const struct station_session *station_session(const struct station *s, int bay);
const struct station_counts *station_counts(const struct station *s);

#endif
