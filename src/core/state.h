/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the core: what the controller remembers. Only files of src/core include it. */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "control.h"
#include "share.h"

enum {
    NEVER = -1,             /* a time that has not been */
    TICK_REVIEW_MS = 10000, /* the shares are reckoned anew at least this often */
    RAISE_MIN_MA = 1000,    /* a smaller change waits ... */
    LAST_STEP_MA = 1500,    /* so much room below a meter is not halved any more */
    SUN_LESS_MA = 300,      /* the same for less current on the sun */
    RAISE_WAIT_MS = 60000,  /* ... this long, to spare the charger's memory */
    TINY_WAIT_MS = 600000,  /* a quarter of that waits this long, unless ... */
    MANY_TINY_MA = 2000,    /* ... all raises together come to this */
    CUT_GUARD_MA = 500,     /* cut this much deeper, so that noise does not cut again */
    SAMPLE_LAG_MS = 2000,   /* a sample may have been measured that long before */
    LATE_MS = 1000,         /* a reading that comes later is older than some samples */
    ABOVE_MS = 15000,       /* a sample tells what a car drew "just before" */
    SAMPLE_STALE_MS = 90000, /* older measured currents tell nothing */
    SLACK_MS = 75000,        /* a raise may show in the car's draw so much later */
    SEEN_WAIT_MS = 30000,    /* a raise whose effect no sample shows is taken as done */
    HOLD_MS = 15000, /* a car that was not raised is asked so long whether it rose */
    NOISE_STEP_MA = 1000,   /* a change of the base load counts as noise up to this */
    PROOF_MA = 2000,        /* so much room is worth to ask for samples ... */
    PROOF_EVERY_MS = 15000, /* ... but not more often */
    ASK_MS = 3000,          /* a sample is asked for so long after a raise, and again */
    FULL_AFTER_MS = 60000,  /* SuspendedEV for so long: the car wants no more ... */
    FULL_PROBE_MS = 900000, /* ... until it is asked again after this time */
    FULL_PROBES = 4,        /* which doubles with each vain probe, so often */
    FULL_PROBE_MA = 6000,   /* with no more than this */
    RETRY_MS = 5000,        /* after no answer */
    REJECT_RETRY_MS = 30000, /* after a refused raise */
    REFUSALS = 2,            /* RETRY_MS doubles with each refused decrease, so often */
    FLIGHT_MS = 10000,       /* so long an answer is expected any moment */
    STATUS_WAIT_MS = 15000,  /* a new connection's status is waited for */
    OBEY_TOLERANCE_MA = 500, /* measured above the set point and still obeying */
    LEARN_SAMPLES = 3,       /* alike in a row tell which phases a car uses */
    LEARN_ON_MA = 3000,      /* a phase in use */
    LEARN_OFF_MA = 500,      /* a phase not in use */
    DAY_MS = 86400000,
    WRITES_BURST = 4, /* of a day's budget so much, 1/4, may be spent at once */
    CURRENT_MOST = 8 * SITE_MAX_MA, /* the largest int32_t is 26 times that */
    SWAP_MS =
        10000, /* out of our sight one car may leave and another come in that time */
    MOVED_MA = 1000, /* two samples that differ so much: the car is changing */
    IN_FLIGHT = 4
};

struct flight {
    uint32_t seq;
    int32_t ma;
    int64_t sent_ms;
    int8_t n_phases;
    bool renewal;
};

/* Of a charger that can change between one and three phases; see phases.c. */
struct phase_state {
    int8_t set;       /* told with every set point: 1 or 3; 0 = none */
    int8_t want;      /* changing to it while it differs from `set` */
    int8_t held;      /* confirmed; 0 = not known */
    bool busy;        /* stands still until the change is confirmed */
    bool failed;      /* the charger refuses it, or does not do it */
    bool other;       /* its one phase is not its own L1 */
    int8_t refusals;  /* of the change under way */
    int32_t switches; /* in this session */
    int64_t up_ms;    /* since when there is room for three, or NEVER */
    int64_t short_ms; /* since when there is none for three, or NEVER */
};

/* What a car has had since it came, in mJ: 1 Wh = 3,600,000 mJ. */
struct energy {
    int64_t had_mj;
    int64_t sure_mj;     /* of it, by the charger's register */
    int64_t register_wh; /* its last value in this session, or EVENT_NO_ENERGY */
    int64_t wished_mj[WISH_SOURCES]; /* had when the wish was told */
    int64_t power_w;                 /* by the last sample ... */
    int64_t at_ms;                   /* ... of that time, or NEVER */
};

struct turn {
    int64_t on_ms;     /* since when it is switched on, or NEVER */
    int64_t queued_ms; /* since when it waits for a whole turn, or NEVER */
    int32_t had;       /* turns at whose end it had to wait again; NEVER = it is new */
    int64_t turn_ms; /* it waits: when its turn comes at the latest; NEVER = unknown */
};

/* What a car makes of its set point; see reclaim.c. */
struct taking {
    int32_t cap_ma;   /* more is of no use to it, or NEVER */
    int64_t cap_ms;   /* since when */
    int tries;        /* how often the cap was tried out */
    int returns;      /* how often it took up more after all */
    int64_t look_ms;  /* it has left clearly something over since then, or NEVER ... */
    int32_t peak_ma;  /* ... and took at most so much */
    int64_t last_ms;  /* last sample, or NEVER */
    int64_t none_ms;  /* when it was last offered nothing, or NEVER */
    int32_t least_ma; /* with less it was seen not to charge; 0 = nothing is known */
};

struct connector_state {
    /* what it told */
    enum connector_status status;
    int64_t status_ms;
    bool session, paused, full;
    bool probed; /* was full, and is asked again now */
    int probes;  /* how often it was asked in vain */
    int64_t session_ms;
    int64_t full_ms; /* full: when it was last offered something */
    enum mode mode;
    int32_t priority;
    struct event_wish wishes[WISH_SOURCES];
    struct event_ceiling ceiling;
    bool ceiled; /* cut for what its charger lets its connectors have together */
    /* what holds without the driver's card, and the card's limit, 0 = none */
    enum mode own_mode;
    int32_t own_priority, card_ma;
    /* what it measured */
    int32_t seen_ma[SITE_PHASES]; /* site phases; 0 where nothing is known */
    int32_t sure_ma[SITE_PHASES]; /* of it surely on that phase; see take_down() */
    int32_t past_ma[SITE_PHASES]; /* sure_ma of the sample before */
    int32_t own_ma[SITE_PHASES];  /* as it came */
    int64_t seen_ms;
    int64_t energy_wh;
    int32_t power_w;
    struct energy energy; /* that it has had; see energy.c */
    uint8_t phases;       /* that it may load: wired, or learned for this session */
    uint8_t alike_mask;   /* learning: phases in use in the last samples */
    int alike;            /* ... and how many in a row */
    int64_t moved_ms;     /* the last sample that differed from the one before */
    struct taking take;
    /* what it was told */
    bool known;      /* the charger on this connection has been told */
    int32_t told_ma; /* last set point sent, or NEVER */
    int64_t told_ms;
    int32_t held_ma;       /* the set point that is known or must be feared to hold */
    bool held_sure;        /* it has been confirmed, and its lease lasts */
    bool lapsed;           /* the last order got no answer, or none in time */
    int64_t answered_ms;   /* when it was confirmed */
    int64_t prior_ms;      /* ... and the one before */
    int64_t lease_from_ms; /* when the confirmed one was sent */
    int64_t lease_until_ms;
    int64_t retry_ms; /* not before */
    int refusals;     /* of decreases, in a row */
    /* whether it does what it was told; see obey.c */
    int32_t settle_for_ms; /* time it is given to follow: site.settle, or learned */
    int64_t above_ms;      /* measured above its set point since, or NEVER */
    int64_t obeyed_ms;     /* a disobedient one keeps to it since, or NEVER */
    int insist;            /* what has been done about it */
    bool late;             /* above it after its time, now or before */
    bool disobeys;         /* all in vain: its full rating is reserved */
    bool disobeys_told;
    struct flight flight[IN_FLIGHT];
    int n_flight;
    /* what follows */
    int32_t exp_ma;    /* exposure by set points: what it may draw */
    int64_t settle_ms; /* when exp falls to settle_ma, or NEVER */
    int32_t settle_ma;
    bool was_above;     /* it drew more than that just before it was confirmed */
    int64_t raised_ms;  /* when it was last raised, or NEVER */
    int64_t rising_ms;  /* when it was first raised of those that may not show yet */
    int64_t lowered_ms; /* when it was last lowered, or NEVER */
    int64_t fell_ms;    /* when exp last fell, or NEVER */
    int64_t ask_ms;     /* when to ask for a sample, or NEVER */
    int64_t asked_ms;   /* when it was last asked, or NEVER */
    int64_t stopped_ms; /* when it was stopped for want of room, or NEVER */
    int64_t small_ms;   /* since a change too small to send is due, or NEVER */
    bool small_up;      /* it is a raise */
    int64_t writes_ms;  /* a day's budget of set points, in time that pays for them */
    struct turn turn;   /* whose turn it is when the minimums do not fit; see turn.c */
    int32_t target_ma;
    struct why why;
    /* the sun; see solar.c */
    bool sun;       /* lives on it */
    int64_t sun_ms; /* since when it should begin or end to, or NEVER */
    struct phase_state ph;
};

struct charger_state {
    bool online;
    int64_t since_ms;
};

struct meter_state {
    struct event_meter last;
    int64_t at_ms;    /* of what it tells, or NEVER */
    int64_t moved_ms; /* a car has changed and it has not, since; NEVER. See fresh.c */
    int32_t missed_ma[SITE_PHASES]; /* by so much, on site phases */
    int32_t digit_ma;               /* divides all that it told */
    int readings;                   /* that differed, up to what tells its last digit */
    bool lost_told, frozen_told;
};

/* The upper bound of the base load of a metered circuit; see base.c. */
struct base_state {
    bool valid;
    int32_t bound_ma[SITE_PHASES];   /* confirmed at the last checkpoint */
    int32_t highest_ma[SITE_PHASES]; /* of the readings since then */
    int32_t latest_ma[SITE_PHASES];  /* by the last reading */
    int32_t read_ma[SITE_PHASES];    /* which was that */
    int32_t peak_ma[SITE_PHASES];    /* so high it was, or may have been, before that */
    int32_t risen_ma[SITE_PHASES];   /* what cars draw more by samples since */
    int32_t noise_ma[SITE_PHASES];   /* mean change from reading to reading */
    int32_t doubt_ma[SITE_PHASES];   /* what cars draw less by samples since */
    bool open;                       /* a checkpoint waits for samples */
    bool unsure;                     /* what a car drew at it is not known for sure */
    int64_t mark_ms;
    int32_t mark_ma[SITE_PHASES]; /* the meter at the checkpoint */
    int waiting;                  /* samples still to come */
};

struct circuit_state {
    struct event_limit external[LIMIT_SOURCES]; /* until_ms NEVER = none */
    bool external_told, over_told;
    int64_t over_ms; /* when it was last over its limit */
    struct base_state base;
    /* reckoned in this step, per phase and for the power limit; see share.h */
    int64_t limit_ma[SHARE_ROWS];    /* in force less margin; SHARE_NO_LIMIT */
    int64_t base_ma[SHARE_ROWS];     /* base load, upper bound */
    int64_t below_ma[SITE_PHASES];   /* sum of the base loads of circuits below */
    int64_t calm_ma[SHARE_ROWS];     /* the same before a rise that cars may explain */
    int64_t rise_ma[SHARE_ROWS];     /* of that rise, as high as it was seen ... */
    int64_t rise_ms[SHARE_ROWS];     /* ... and since when */
    int64_t low_ma[SHARE_ROWS];      /* the lowest reading of the meter since */
    int64_t doubt_ma[SHARE_ROWS];    /* it may be so much higher at this moment */
    int64_t guard_ma[SHARE_ROWS];    /* so much is better left free */
    int64_t exposure_ma[SHARE_ROWS]; /* sum below */
    int64_t settled_ma[SHARE_ROWS];  /* the same when all that was told has settled */
    int64_t slack_ma[SHARE_ROWS];    /* of it: raised and not yet seen */
    uint8_t short_rows;              /* bit r: that row keeps a car from more */
    /* an external limit for chargers alone, as the sum over all phases */
    int64_t chargers_limit_ma; /* SHARE_NO_LIMIT */
    int64_t chargers_room_ma;  /* of it, to be shared out; see problem.c */
};

/* What there is of the sun's surplus, in mA summed over the phases; see solar.c. */
enum { SOLAR_SLOTS = 24 };
struct solar_state {
    int64_t sum_ma[SOLAR_SLOTS]; /* of the readings in a piece of the filter's time */
    int32_t n[SOLAR_SLOTS];
    int64_t slot;      /* the present piece, counted from time 0 */
    int64_t now_ma;    /* of the last seconds */
    int64_t mean_ma;   /* over the filter's time */
    int64_t read_ms;   /* the last reading that counted, or NEVER */
    int64_t looked_ms; /* when the cars were last gone through, or NEVER */
};

/* A connector's draw as the open checkpoint of one metered circuit needs it. */
struct mark {
    int32_t ma[SITE_PHASES];
    bool pending;
};

struct control {
    const struct site *site;
    int64_t now_ms, start_ms, leases_until_ms;
    uint64_t steps, check_failures;
    uint32_t seq;
    int64_t reviewed_ms; /* when the shares were last reckoned */
    int64_t hold_ms;     /* since when a rise is looked into, or NEVER */
    bool changed;        /* something that calls for a review at once */
    bool starting;       /* a car is to be switched on and needs what others have */
    int64_t rising_ma;   /* by which targets are above what was told, summed up */
    int n_on;            /* cars that are switched on */
    bool check_told;
    struct connector_state *connectors;
    struct charger_state *chargers;
    struct meter_state *meters;
    struct circuit_state *circuits;
    struct solar_state solar;
    struct mark *marks; /* [circuit * n_connectors + connector] */
    /* scratch of the kernel */
    struct share_tree tree;
    struct share_car *cars;
    int *car_of;
    void *scratch;
    struct order *out;
    size_t n_out;
};

/* A sum of currents, however often something absurd was added to it. */
static inline int32_t current_bounded(int64_t ma)
{
    return ma > CURRENT_MOST    ? CURRENT_MOST
           : ma < -CURRENT_MOST ? -CURRENT_MOST
                                : (int32_t)ma;
}

/* base.c */
void base_reading(struct control *k, int circuit);
void base_sample(struct control *k, int connector, int64_t before_ms,
                 const int32_t before_ma[SITE_PHASES]);
int32_t base_draw(const struct control *k, int connector, int phase);
void base_settled(struct control *k, int connector,
                  const int32_t before_ma[SITE_PHASES]);
void base_restarted(struct control *k, int connector);
int32_t base_guard(const struct control *k, int circuit, int phase);
int32_t base_doubt(const struct control *k, int circuit, int phase);
void base_now(struct control *k, int circuit); /* sets base_ma of the phases */
bool base_metered(const struct control *k, int circuit); /* a fresh reading is there */

/* grant.c */
bool grant_fell_since(const struct connector_state *c, int64_t at_ms);
int32_t grant_exposure(const struct control *k, int connector, int phase);
bool grant_affords(const struct control *k, int connector); /* one more raise */
void grant_clock(struct control *k, int connector);         /* settling, leases, link */
void grant_answer(struct control *k, int connector, const struct event_answer *a);
void grant_ask(struct control *k, int connector, int32_t every_ms);
void grant_seen(struct control *k, int connector);
void grant_send(struct control *k, int connector, int32_t ma, bool renewal);
void grant_link(struct control *k, int charger, const struct event_link *l);
/* What it was told last has not been taken, or is not followed: until that has changed
 * it counts with what it may draw, and the others have to make up for it. */
bool grant_stuck(const struct control *k, int connector);
bool grant_refused_more(const struct connector_state *c);
int32_t grant_certain(const struct control *k, int connector);
void grant_doubt(struct control *k, int connector, int32_t fallback_ma);
int32_t grant_settled(const struct control *k, int connector, int phase);
int32_t grant_unseen(const struct control *k, int connector, int phase);
int32_t grant_slack(const struct control *k, int connector, int phase);

/* fresh.c */
void fresh_reading(struct control *k, int meter, const struct event_meter *e);
void fresh_sample(struct control *k, int circuit, int64_t before_ms,
                  const int32_t more_ma[SITE_PHASES]);
bool fresh_frozen(const struct control *k, int meter);
bool fresh_lively(const struct control *k, int meter);
bool fresh_meter(const struct control *k, int meter);
int32_t fresh_margin(const struct control *k, int circuit, int phase);

/* obey.c */
void obey_sample(struct control *k, int connector); /* its sample has come */
void obey_clock(struct control *k, int connector);

/* stand.c */
void stand(struct control *k);
void stand_add(struct control *k, int connector, int sign); /* its exposure, +1 or -1 */
void stand_calm(struct control *k, bool cut);
/* Whether the promise holds when all that was told has settled: with the base load as
 * it is, or as it was when all last fitted. */
bool stand_fits(const struct control *k, bool calm);
/* A rise of the base load may be a car's own doing: true = wait for its sample. */
bool stand_hold(struct control *k);
int64_t stand_voltage_mv(const struct control *k, int circuit);

/* problem.c: sets target_ma and why of all connectors */
void problem_review(struct control *k, bool cut);
/* Why a connector gets nothing at all, or REASON_WAITING when it takes part. */
enum reason problem_set_aside(const struct control *k, int connector);
void problem_car(const struct control *k, int connector, struct share_car *car);
/* The most that it, its driver's card and its car have use for. */
int32_t problem_max(const struct control *k, int connector);

/* solar.c */
void solar_reading(struct control *k);       /* of the grid connection's meter */
void solar_clock(struct control *k);         /* who lives on the sun */
int64_t solar_room(const struct control *k); /* beyond the minimums; sum, mA */

/* phases.c */
bool phases_switchable(const struct control *k, int connector);
int phases_of(const struct control *k, int connector); /* it loads, as it is set */
/* Its minimum current on so many phases. */
int32_t phases_min(const struct control *k, int connector, int n);
/* Whether it may be set to n, 1 or 3; whether it is, or is being set to it: false. */
bool phases_may(const struct control *k, int connector, int n);
void phases_set(struct control *k, int connector, int n);
void phases_clock(struct control *k, int connector);
void phases_answer(struct control *k, int connector, const struct flight *f,
                   enum answer a);
void phases_forget(struct control *k, int connector); /* it may be on three again */
void phases_reset(struct control *k, int connector);  /* nothing is known of it */
void phases_sample(struct control *k, int connector);
void phases_new_car(struct control *k, int connector);

/* energy.c */
void energy_begin(struct energy *e);
void energy_sample(struct control *k, int connector, const struct event_sample *s);
void energy_wish(struct connector_state *c, const struct event_wish *w);
void energy_no_wish(struct connector_state *c);
int32_t energy_had_wh(const struct connector_state *c);
int32_t energy_wanted_wh(const struct connector_state *c); /* or EVENT_NO_VALUE */
/* The same by one of those who wish. */
int32_t energy_wished_wh(const struct connector_state *c, enum wish_source by);
/* Whose word holds; WISH_SOURCES = nobody says anything. */
enum wish_source energy_by(const struct connector_state *c);
enum wish_source energy_departs_by(const struct connector_state *c);
int64_t energy_departs_ms(const struct connector_state *c); /* INT64_MAX */
bool energy_satisfied(const struct connector_state *c); /* has what was wished for */

/* turn.c */
void turn_begin(struct turn *t);
void turn_clock(struct control *k); /* before a review */
bool turn_over(
    const struct control *k); /* one is due because a turn or pause is over */
bool turn_held(const struct control *k, int connector);    /* not to be switched off */
bool turn_resting(const struct control *k, int connector); /* not to be switched on */
int64_t turn_waited_ms(const struct control *k, int connector);
int32_t turn_had(const struct control *k, int connector); /* turns, with this one */
void turn_look(struct control *k, int n); /* at the n cars of the problem, shared out */

/* decide.c; a raise leaves only with `raise` */
void decide(struct control *k, bool raise);

/* reclaim.c */
void reclaim_forget(struct connector_state *c);
void reclaim_ask(struct control *k, int connector);
void reclaim_charging(struct control *k, int connector);
void reclaim_sample(struct control *k, int connector);
void reclaim_time(struct control *k, int connector);
int32_t reclaim_min(const struct control *k, int connector);
int64_t reclaim_until(const struct control *k, int connector);
bool reclaim_resting(const struct connector_state *c);
int32_t reclaim_max(const struct control *k, int connector, int32_t max_ma);
bool reclaim_review(struct control *k, int n); /* of the n cars of the problem */

/* why.c */
struct why why_aside(const struct control *k, int connector, enum reason reason);
struct why why_resting(const struct control *k, int connector);
struct why why_shared(const struct control *k, int connector,
                      const struct share_car *car);
struct why why_now(const struct control *k, int connector);

/* notice.c */
void notice_all(struct control *k);

struct order *control_out(struct control *k, enum order_kind kind, int who);
bool control_below(const struct control *k, int circuit, int ancestor);
bool control_wants(const struct control *k, int connector);
/* Whether it has been true for so long; `since_ms` remembers. */
bool control_lasts(const struct control *k, int64_t *since_ms, bool now, int32_t ms);
int control_phases(uint8_t mask); /* how many bits are set */
int32_t control_limit(const struct control *k, int circuit, int phase); /* in force */

/* ceiling.c: limits of chargers by others */
void ceiling_none(struct connector_state *c);
void ceiling_take(struct control *k, int connector, const struct event_ceiling *e);
void ceiling_clock(struct control *k); /* their ends */
/* What its charger lets it draw on each phase; INT32_MAX = nothing is known. */
int32_t ceiling_of(const struct control *k, int connector);
/* After the sharing: the n cars of the problem get no more than their chargers let all
 * their cars together. True: it is to be shared out anew. */
bool ceiling_review(struct control *k, int n);

/* limit.c: external limits */
void limit_none(struct circuit_state *s);
void limit_take(struct control *k, int circuit, const struct event_limit *e);
void limit_clock(struct control *k, int circuit); /* their ends */
bool limit_any(const struct circuit_state *s);
/* The lowest of each kind: EVENT_NO_VALUE, 0 and 0 where there is none; and the first
 * end of all. */
struct event_limit limit_lowest(const struct circuit_state *s);
/* When the lowest on the phases ends; NEVER = nobody knows. */
int64_t limit_end(const struct circuit_state *s);

#endif
