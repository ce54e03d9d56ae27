/* SPDX-License-Identifier: Apache-2.0 */
/* One connector of a simulated charger as an electrical thing: a limit with an end, a
 * fallback, a car, a register. It knows no messages and no delays: what a transport
 * decodes it passes on here at the moment at which the charger acts on it.
 *
 * Every call names the present time and first lets the time since the last call pass;
 * time never runs backwards. */
#ifndef SIM_BAY_H
#define SIM_BAY_H

#include "core/event.h"
#include "sim/car.h"

struct sim_bay {
    /* what it is */
    uint8_t wires; /* bit p: its own phase p is connected */
    int32_t max_ma, min_ma, step_ma;
    int32_t voltage_mv;  /* phase to neutral; may be changed at any time */
    int32_t fallback_ma; /* its limit when no lease runs; then all phases are used */
    /* how it is */
    int64_t at_ms;
    int32_t limit_ma;       /* in force */
    int64_t lease_until_ms; /* then limit_ma = fallback_ma; INT64_MAX = never */
    bool on_fallback;       /* limit_ma is the fallback */
    bool off;               /* it restarts: its contactor is open */
    bool plugged;           /* there is a car */
    bool session;           /* it has been authorised: there is a transaction */
    bool session_over;      /* the transaction ended, the car is still there */
    int n_phases;           /* it lets through, from `first` on; SITE_PHASES = all */
    int first;        /* 0 = its own L1; of one phase any other that is connected */
    int hot_switches; /* n_phases was changed while current flowed */
    int car_phases;   /* the car could use */
    struct sim_car car;
    enum connector_status status;
    int64_t register_nj, register_wh; /* energy ever delivered: register_wh + nJ */
    int64_t session_nj;               /* in the last or present session */
    int32_t told_ma;                  /* i_ma at the last call of sim_bay_step() */
    enum connector_status told;
};

enum { SIM_CURRENT = 1, SIM_STATUS = 2 }; /* what has changed */

/* `wires` as above; fallback_ma is what it obeys until it is told something. */
void sim_bay_init(struct sim_bay *b, uint8_t wires, int32_t min_ma, int32_t max_ma,
                  int32_t step_ma, int32_t fallback_ma, int32_t voltage_mv,
                  int64_t now_ms);

/* Lets time pass. Returns what has changed since the last call of sim_bay_step():
 * SIM_CURRENT, SIM_STATUS. */
unsigned sim_bay_step(struct sim_bay *b, int64_t now_ms);

void sim_bay_plug(struct sim_bay *b, int64_t now_ms, const struct sim_car *car);
void sim_bay_start(struct sim_bay *b, int64_t now_ms);  /* the transaction begins */
void sim_bay_stop(struct sim_bay *b, int64_t now_ms);   /* ... and ends */
void sim_bay_unplug(struct sim_bay *b, int64_t now_ms); /* stops it, too */

/* A limit on each phase. lease_ms < 0: it has no end. It is floored to step_ma. */
void sim_bay_set_limit(struct sim_bay *b, int64_t now_ms, int32_t limit_ma,
                       int32_t lease_ms);
/* Its contactors: all phases (n = SITE_PHASES, first = 0), or one. */
void sim_bay_set_phases(struct sim_bay *b, int64_t now_ms, int n, int first);
/* Forgets the limit it was told: the fallback rules. */
void sim_bay_clear_limit(struct sim_bay *b, int64_t now_ms);
/* What remains when a lease ends; takes effect at once where none runs. */
void sim_bay_set_fallback(struct sim_bay *b, int64_t now_ms, int32_t fallback_ma);

/* It begins to restart, and has restarted. What it was told it keeps, as it has to
 * (so OCPP wants it), until the lease ends. */
void sim_bay_switch(struct sim_bay *b, int64_t now_ms, bool on);

/* What the car is offered at this moment: 0, or min_ma .. max_ma. */
int32_t sim_bay_offered(const struct sim_bay *b);
/* What it draws on the charger's own L1 L2 L3; 0 on phases that it does not use. */
void sim_bay_current(const struct sim_bay *b, int32_t own_ma[SITE_PHASES]);
int32_t sim_bay_power_w(const struct sim_bay *b);
int64_t sim_bay_energy_wh(const struct sim_bay *b);  /* the register */
int64_t sim_bay_session_wh(const struct sim_bay *b); /* of this session */
/* As its meter values would tell it; phases that are not connected have no value. */
void sim_bay_sample(const struct sim_bay *b, struct event_sample *s);

#endif
