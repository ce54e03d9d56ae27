/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated garage as it is built: one table from which both the physical plant and
 * the site file for the controller are made. */
#ifndef SIM_GARAGE_SITE_H
#define SIM_GARAGE_SITE_H

#include <stdio.h>
#include "core/site.h"
#include "proto/ocpp_schema.h"

enum { GARAGE_BAYS = 10, GARAGE_CHARGERS = 9, GARAGE_SAMPLE_S = 1 };
#define GARAGE_METER "eastron-sdm630"

struct garage_bay {
    int charger; /* index */
    int number;  /* connectorId */
    const char *name, *wiring;
    int max_a;
    /* the car that usually stands there */
    int car_phases, car_a;
    int arrives_ms; /* of the first one, after the start */
    int wanted_wh;  /* of the first one in a run of a minute */
};

struct garage_charger {
    const char *id, *vendor, *model;
    const char *rotation; /* ConnectorPhaseRotation, of the oldest */
    int limit_a;          /* its own supply; 0 = none of its own */
    bool newest;          /* it speaks the best OCPP there is, else the oldest */
};

/* What it speaks. */
const struct ocpp_schema *garage_speaks(const struct garage_charger *c);

extern const struct garage_bay garage_bays[GARAGE_BAYS];
extern const struct garage_charger garage_chargers[GARAGE_CHARGERS];

/* The tree of circuits with the connectors on it; constant, circuit 0 is the grid. */
const struct site *garage_site(void);

/* Writes the site file. `folder` is where history, journal and keys are. False: errno.
 */
bool garage_site_write(FILE *to, const char *folder, int meter_port, int ocpp_port,
                       int http_port);

#endif
