/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the simulated world, shared by world.c (the clock) and happen.c (what
 * happens). */
#ifndef SIM_WORLD_STATE_H
#define SIM_WORLD_STATE_H

#include "sim/bay.h"
#include "sim/charger.h"
#include "sim/profiles.h"
#include "sim/queue.h"
#include "sim/world.h"

enum {
    SIM_SAMPLE_MS = 10000,   /* between meter values of a session, usually */
    SIM_STATUS_MS = 500,     /* until a status has reached the controller */
    SIM_START_MIN_MS = 2000, /* from the plug to the transaction */
    SIM_START_MAX_MS = 8000,
    SIM_READ_MAX_MS = 150,  /* a meter's answer */
    SIM_LINK_MAX_MS = 5000, /* until a charger has connected */
    SIM_SETTLE_MS = 3000,   /* of the slowest car */
    SIM_NOBODY = -1
};

struct sim_leave {
    int64_t at_s;
    int session;
};

/* A connector with all that belongs to it. */
struct sim_stall {
    struct sim_bay bay;
    uint8_t
        wiring[SITE_PHASES]; /* its true one, also where the site does not know it */
    int session;             /* that is there, or NOBODY */
    uint32_t acted;          /* the call whose limit took effect last */
    bool has_acted;
    struct sim_rng rng;
    /* of a charger of the newer generation: what it keeps, and was told last */
    struct sim_profiles profiles;
    int64_t follow_ms; /* when they say something else */
    int32_t kept_ma;
    int64_t kept_until_ms;
    int kept_phases;
    int32_t others_ma; /* that it has by others, while they limit it */
    bool untold;       /* a new controller has not heard of its transaction yet */
};

/* How a meter is; see fail.h. */
struct sim_gauge {
    int64_t until_ms; /* out of order until then */
    bool frozen;
    int32_t wrong_permille, lag_ms;
    struct event_meter last;
    int64_t changed_ms;
};

/* What becomes of a call. */
enum sim_fate { SIM_FATE_GOOD, SIM_FATE_REFUSED, SIM_FATE_LOST, SIM_FATE_ANSWER_LOST };

struct sim_world {
    const struct sim_setup *u;
    const struct site *site;
    struct sim_outcome *out;
    struct sim_plant *plant;
    struct sim_queue queue;
    struct sim_stall *stalls;     /* per connector */
    struct sim_charger *chargers; /* per charger */
    struct sim_rng *meters;       /* per meter */
    struct sim_gauge *gauges;     /* per meter */
    struct sim_rng fail_rng;
    bool dead;                        /* there is no controller */
    int *meter_circuit;               /* per meter: it measures; SITE_NONE */
    int32_t (*own_ma)[SITE_PHASES];   /* per circuit: loads but for solar meters' */
    int32_t (*solar_ma)[SITE_PHASES]; /* per meter */
    int *active, n_active;            /* connectors with a car */
    struct sim_leave *leaves;         /* sessions by departure */
    int next_arrival, next_departure, next_load;
    int64_t from_s, now_ms, end_ms;
    int64_t stepped_ms; /* all bays are up to date with this moment */
    bool touched;       /* currents have changed in this moment */
    bool failed;
    struct order *orders;
};

/* A moment of the recording, and a thing of the queue. */
void sim_happen_load(struct sim_world *w, const struct sim_load *l);
void sim_happen_arrive(struct sim_world *w, int session);
void sim_happen_leave(struct sim_world *w, int session);
void sim_happen(struct sim_world *w, const struct sim_item *i);

/* All bays are brought up to the present moment. */
void sim_happen_refresh(struct sim_world *w);
/* The controller learns it, its orders are taken down. */
void sim_happen_tell(struct sim_world *w, struct event *e);
void sim_happen_put(struct sim_world *w, struct sim_item item);

void sim_happen_give_back(struct sim_world *w, const struct order *o, enum answer a);
void sim_happen_act(struct sim_world *w, const struct order *o, int32_t lease_ms);
void sim_happen_connect(struct sim_world *w, int charger, bool boot);
void sim_happen_switch(struct sim_world *w, int charger, bool on); /* it restarts */
void sim_happen_deafen(struct sim_world *w, int charger);

/* gauge.c */
void sim_gauge_read(struct sim_world *w, int meter);
void sim_gauge_tell(struct sim_world *w, const struct sim_item *item);

/* keep.c: chargers of the newer generation */
void sim_keep_begin(struct sim_world *w, int bay);
void sim_keep_follow(struct sim_world *w, int bay);
void sim_keep_limit(struct sim_world *w, int bay, int32_t limit_ma, int32_t lease_ms,
                    int n_phases);
void sim_keep_end(struct sim_world *w, int bay); /* of a transaction */
void sim_keep_forget(struct sim_world *w, int bay);
void sim_keep_under(struct sim_world *w, const struct sim_item *i);
bool sim_keep_others(struct sim_world *w, int bay, int32_t limit_ma);
void sim_keep_tell(struct sim_world *w, int bay);

/* fail.c */
void sim_fail_begin(struct sim_world *w);
void sim_fail(struct sim_world *w, const struct sim_item *i);
/* An order waits for a call that will not be answered. */
void sim_fail_waits(struct sim_world *w, int charger);
/* When what a charger tells now arrives. */
int64_t sim_fail_told(struct sim_world *w, int charger);
enum sim_fate sim_fail_call(struct sim_world *w, int charger);
/* What its faults make of a reading; false = it gives none. */
bool sim_fail_meter(struct sim_world *w, int meter, struct event_meter *r);

static inline int32_t sim_world_sample_ms(const struct sim_world *w)
{
    return w->u->sample_ms ? w->u->sample_ms : SIM_SAMPLE_MS;
}

static inline int64_t sim_world_ms(const struct sim_world *w, int64_t utc_s)
{
    return (utc_s - w->from_s) * 1000;
}

#endif
