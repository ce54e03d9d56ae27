/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a meter, and the currents of the charger's own phases out of them,
 * whatever the charger chose to send. */
#ifndef PROTO_OCPP_METER_H
#define PROTO_OCPP_METER_H

#include "proto/ocpp_said.h"

/* Missing values are EVENT_NO_VALUE, EVENT_NO_ENERGY. */
struct ocpp_sample {
    char timestamp[OCPP_TIMESTAMP];
    int n;                          /* values understood */
    int32_t i_ma[SITE_PHASES];      /* Current.Import with a phase */
    int32_t i_any_ma;               /* without one */
    int32_t offered_ma;             /* Current.Offered */
    int32_t v_mv[SITE_PHASES];      /* phase to neutral */
    int32_t v_any_mv;               /* without a phase */
    int32_t p_phase_w[SITE_PHASES]; /* Power.Active.Import */
    int32_t p_w;                    /* total */
    int64_t energy_wh;              /* Energy.Active.Import.Register, total */
    int64_t energy_phase_wh[SITE_PHASES];
};

/* Reads one element of struct ocpp_meter.values. Values of the contexts Transaction.End
 * and Interruption.* are left out: they are not about now. */
void ocpp_read_sample(const cJSON *element, struct ocpp_sample *s);
/* The last register in `values`, Wh, whatever its context; EVENT_NO_ENERGY. */
int64_t ocpp_read_register(const cJSON *values);

/* Fills what `s` has not from `more`, an element of the same moment. */
void ocpp_merge_sample(struct ocpp_sample *s, const struct ocpp_sample *more);

/* The connector as far as the meaning of its values depends on it. */
struct ocpp_wiring {
    unsigned phases;    /* bit mask of its own L1 L2 L3 that are connected */
    int32_t max_ma;     /* on each */
    int32_t voltage_mv; /* phase to neutral, where it tells none */
};

/* The currents of its own phases, mA. Phases that are not connected and those that
 * cannot be told stay EVENT_NO_VALUE. */
void ocpp_currents(const struct ocpp_sample *s, const struct ocpp_wiring *w,
                   int32_t i_ma[SITE_PHASES]);
/* Power as it was told, as the sum of the phases where there is no total; W,
 * EVENT_NO_VALUE. */
int32_t ocpp_told_w(const struct ocpp_sample *s);
/* Total power, W, from currents where it is not told; EVENT_NO_VALUE. */
int32_t ocpp_power(const struct ocpp_sample *s, const struct ocpp_wiring *w);
/* The register, Wh, as the sum of the phases where there is no total. */
int64_t ocpp_energy(const struct ocpp_sample *s);

#endif
