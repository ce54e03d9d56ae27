/* SPDX-License-Identifier: Apache-2.0 */
/* The charging profiles that a simulated charger has been given, and the limit that
 * follows from them: section 3.13 of the older standard with its errata, block K of the
 * newer one, which has one purpose and some fields more and else the same rules.
 * Written from the charger's side and sharing nothing with the controller.
 *
 * Times are UTC seconds, currents mA per phase. */
#ifndef SIM_PROFILES_H
#define SIM_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SIM_PROFILES = 16,        /* so many are kept */
    SIM_SCHEDULES = 3,        /* of a profile */
    SIM_PROFILE_PERIODS = 24, /* of a schedule */
    SIM_PROFILE_LEVELS = 10,  /* the highest stack level */
    SIM_PROFILE_ANY = -1,     /* in a filter: not asked for */
    SIM_TRANSACTION = 37      /* bytes of its name */
};
#define SIM_NO_TIME INT64_MIN
#define SIM_NO_LIMIT INT32_MAX

enum sim_purpose {
    SIM_CHARGE_POINT_MAX,
    SIM_EXTERNAL, /* put on the charger by others than its central system */
    SIM_TX_DEFAULT,
    SIM_TX
};
enum sim_kind { SIM_ABSOLUTE, SIM_RECURRING, SIM_RELATIVE };

struct sim_period {
    int32_t from_s;
    int32_t tenths; /* of the unit */
    int phases;     /* 0 = not told */
    int phase;      /* the only one to use, 1 .. 3; 0 = not told */
};

struct sim_schedule {
    int32_t id;
    int64_t start_s;    /* SIM_NO_TIME: as if relative */
    int32_t duration_s; /* -1 = no end */
    bool watts;         /* over all phases, else A on each */
    int32_t min_tenths; /* minChargingRate, below which it is wasteful; -1 = not told */
    int n;              /* at least 1, ascending, the first from 0 */
    struct sim_period period[SIM_PROFILE_PERIODS];
};

struct sim_profile {
    int connector; /* or EVSE; 0 = the charger as a whole */
    int32_t id, level;
    enum sim_purpose purpose;
    enum sim_kind kind;
    int32_t every_s;                   /* recurring: a day or a week */
    int64_t valid_from_s, valid_to_s;  /* SIM_NO_TIME; the end is outside */
    char transaction[SIM_TRANSACTION]; /* of SIM_TX, or "" */
    int n;                             /* schedules, at least 1 */
    struct sim_schedule schedule[SIM_SCHEDULES];
};

struct sim_profiles {
    int n;
    struct sim_profile list[SIM_PROFILES];
};

/* Of whom and when the limit is asked for. */
struct sim_profile_view {
    int64_t now_s;
    int connector;   /* from 1; 0 = of the charger as a whole: purposes Max, External */
    int64_t begun_s; /* of its transaction; SIM_NO_TIME = there is none */
    int32_t voltage_mv; /* nominal, phase to neutral */
    int wires;          /* phases connected, 1 .. 3 */
    int sharing;        /* connectors that share what is for all of them, >= 1 */
    int chosen;         /* of several schedules of the transaction the car has chosen
                         * this one; where there are fewer, and elsewhere, it is 0 */
};

/* Adds it, or replaces the one with the same id, or with the same purpose and stack
 * level on the same connector. False = no room. */
bool sim_profiles_put(struct sim_profiles *s, const struct sim_profile *p);

/* One with another id at the same place, where places are taken (K01.FR.06, 39, 52 and
 * 53: defaults for all and for one count as the same place). NULL = none. */
const struct sim_profile *sim_profiles_clash(const struct sim_profiles *s,
                                             const struct sim_profile *p);

/* ClearChargingProfile: each filter may be SIM_PROFILE_ANY; with an id the others do
 * not count. Returns how many are gone. */
int sim_profiles_clear(struct sim_profiles *s, int32_t id, int connector, int purpose,
                       int32_t level);
/* The transaction on this connector has ended: its TxProfiles go. */
void sim_profiles_end(struct sim_profiles *s, int connector);

/* The period of the transaction's profile, or else of the default; NULL = none. */
const struct sim_period *sim_profiles_period(const struct sim_profiles *s,
                                             const struct sim_profile_view *v);

/* min(Max, External, TxProfile or else TxDefaultProfile); SIM_NO_LIMIT when no profile
 * says anything: then there is no constraint. W become mA by rounding down. */
int32_t sim_profiles_limit_ma(const struct sim_profiles *s,
                              const struct sim_profile_view *v);

/* Until then, at least, nothing changes by itself; INT64_MAX = never again. */
int64_t sim_profiles_until_s(const struct sim_profiles *s,
                             const struct sim_profile_view *v);

#endif
