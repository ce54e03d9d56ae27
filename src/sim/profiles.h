/* SPDX-License-Identifier: Apache-2.0 */
/* The charging profiles that a simulated charge point has been given, and the limit
 * that follows from them: OCPP 1.6 section 3.13 with its errata, written from the
 * charger's side and sharing nothing with the controller.
 *
 * Times are UTC seconds, currents mA per phase. */
#ifndef SIM_PROFILES_H
#define SIM_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SIM_PROFILES = 16,        /* MaxChargingProfilesInstalled */
    SIM_PROFILE_PERIODS = 24, /* ChargingScheduleMaxPeriods */
    SIM_PROFILE_LEVELS = 10,  /* ChargeProfileMaxStackLevel */
    SIM_PROFILE_ANY = -1      /* in a filter: not asked for */
};
#define SIM_NO_TIME INT64_MIN
#define SIM_NO_LIMIT INT32_MAX

enum sim_purpose { SIM_CHARGE_POINT_MAX, SIM_TX_DEFAULT, SIM_TX };
enum sim_kind { SIM_ABSOLUTE, SIM_RECURRING, SIM_RELATIVE };

struct sim_period {
    int32_t from_s;
    int32_t tenths; /* of the unit */
    int phases;     /* 0 = not told */
};

struct sim_profile {
    int connector; /* 0 = the charge point */
    int32_t id, level;
    enum sim_purpose purpose;
    enum sim_kind kind;
    int32_t every_s;                  /* recurring: a day or a week */
    int64_t valid_from_s, valid_to_s; /* SIM_NO_TIME; the end is outside */
    int64_t start_s;                  /* SIM_NO_TIME: as if relative */
    int32_t duration_s;               /* -1 = no end */
    bool watts;                       /* over all phases, else A on each */
    int n;                            /* at least 1, ascending, the first from 0 */
    struct sim_period period[SIM_PROFILE_PERIODS];
};

struct sim_profiles {
    int n;
    struct sim_profile list[SIM_PROFILES];
};

/* Of whom and when the limit is asked for. */
struct sim_profile_view {
    int64_t now_s;
    int connector;      /* from 1 */
    int64_t begun_s;    /* of its transaction; SIM_NO_TIME = there is none */
    int32_t voltage_mv; /* nominal, phase to neutral */
    int wires;          /* phases connected, 1 .. 3 */
    int sharing;        /* connectors that share the charge point's maximum, >= 1 */
};

/* Adds it, or replaces the one with the same id, or with the same purpose and stack
 * level on the same connector. False = no room. */
bool sim_profiles_put(struct sim_profiles *s, const struct sim_profile *p);

/* ClearChargingProfile: each filter may be SIM_PROFILE_ANY; with an id the others do
 * not count. Returns how many are gone. */
int sim_profiles_clear(struct sim_profiles *s, int32_t id, int connector, int purpose,
                       int32_t level);
/* The transaction on this connector has ended: its TxProfiles go. */
void sim_profiles_end(struct sim_profiles *s, int connector);

/* The one of a purpose that counts now: the highest stack level that is valid and has
 * not run out. NULL = none. */
const struct sim_profile *sim_profiles_prevailing(const struct sim_profiles *s,
                                                  const struct sim_profile_view *v,
                                                  enum sim_purpose purpose);

/* The phases told with the limit that follows, 1 .. 3; 0 = none are told. */
int sim_profiles_phases(const struct sim_profiles *s, const struct sim_profile_view *v);

/* min(ChargePointMaxProfile, TxProfile or else TxDefaultProfile); SIM_NO_LIMIT when no
 * profile says anything: then there is no constraint (section 3.13.6). */
int32_t sim_profiles_limit_ma(const struct sim_profiles *s,
                              const struct sim_profile_view *v);

#endif
