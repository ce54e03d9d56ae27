/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulated garage: garage.c (the process), garage_guests.c (who comes and
 * goes), garage_report.c (what is told of it). */
#ifndef SIM_GARAGE_STATE_H
#define SIM_GARAGE_STATE_H

#include <cjson/cJSON.h>

#include "io/loop.h"
#include "sim/garage.h"
#include "sim/garage_site.h"
#include "sim/modbus_server.h"
#include "sim/plant.h"
#include "sim/station.h"

/* The car of a bay: the one that is there, is to come, or was the last. */
struct garage_guest {
    enum { GUEST_COMING, GUEST_THERE, GUEST_LEAVING, GUEST_GONE } state;
    int64_t arrives_ms, leaves_ms; /* after the start */
    int64_t wanted_wh;
    int visits;
    char tag[21];
    struct station_session session; /* as it was last seen */
};

/* What became of all sessions so far. */
struct garage_totals {
    int left, served;  /* cars that have left; of them */
    int64_t served_nj; /* delivered in sessions that have ended */
};

struct garage {
    const struct garage_setup *u;
    const struct site *site;
    struct loop *loop;
    struct modbus_server *meter;
    struct sim_plant *plant;
    struct station *stations[GARAGE_CHARGERS];
    char passwords[GARAGE_CHARGERS][64];
    struct garage_guest guests[GARAGE_BAYS];
    struct garage_totals totals;
    struct sim_rng rng;
    char in[64];
    size_t n_in;
    bool gone;                      /* nobody reads what we write */
    bool done;                      /* the last report has been given */
    int64_t start_ms;               /* when it was told to go, or -1 */
    int64_t second_ms;              /* end of the present second */
    int64_t metered_ms, import_nwh; /* of the meter: nWh */
};

int64_t garage_time_ms(const struct garage *g, int64_t now_ms); /* after the start */

/* garage_guests.c */
void garage_guests_init(struct garage *g);
void garage_guests_tick(struct garage *g, int64_t now_ms);
/* Served: began a transaction that the controller knows, drew current and only under a
 * limit of the controller, and left with all it wanted; in a run of less than a minute
 * it is enough to have charged. */
bool garage_served(const struct garage *g, const struct garage_guest *v);

/* garage_report.c */
void garage_report(struct garage *g, bool done);
void garage_say(struct garage *g, cJSON *line); /* takes it over */

#endif
