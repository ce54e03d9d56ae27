/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the site at one moment, as people and programs see it: filled by the
 * running controller, read by MQTT, HTTP and the terminal view. Strings are borrowed.
 */
#ifndef PROTO_SNAPSHOT_H
#define PROTO_SNAPSHOT_H

#include "core/control.h"

struct snap_connector {
    const char *cid, *name;                         /* "CP-01_1", "Bay 1" */
    const char *charger;                            /* OCPP identity */
    const char *vendor, *model, *serial, *firmware; /* "" where unknown */
    char transfer[96];       /* "firmware fw.bin: Downloading, 45 %", or "" */
    const char *circuit;     /* name of the one it hangs on */
    const char *why_circuit; /* name of why.circuit, or "" */
    int64_t why_until_utc_s; /* of why.until_ms; 0 = not known */
    int number;              /* OCPP connectorId */
    int32_t max_ma, min_ma;
    bool session;
    const char *tag;             /* "" */
    int64_t session_begin_utc_s; /* 0 = none */
    int64_t session_wh;
    int64_t departs_utc_s; /* as wished; 0 = not known */
    struct connector_view v;
};

struct snap_circuit {
    const char *name;
    int parent;
    const char *meter;     /* name, or "" */
    int32_t power_limit_w; /* 0 = none */
    struct circuit_view v;
};

struct snap_meter {
    const char *name;
    enum meter_role role;
    const char *source; /* "modbus", "p1", "mqtt", "chargers" */
    bool ok;
    int64_t age_ms;                                    /* -1 = never read */
    int32_t i_ma[SITE_PHASES], v_mv[SITE_PHASES], p_w; /* EVENT_NO_VALUE */
    int64_t import_wh, export_wh;                      /* EVENT_NO_ENERGY */
};

struct snapshot {
    const char *site_id, *site_name, *version, *policy;
    const char *state; /* one of snapshot_states */
    int64_t utc_s, started_utc_s;
    int64_t now_ms; /* monotonic, the one of *_at_ms */
    uint64_t steps, check_failures, dropped;
    bool mqtt_connected;
    int n_connectors, n_circuits, n_meters;
    struct snap_connector *connectors;
    struct snap_circuit *circuits; /* 0 = the grid connection */
    struct snap_meter *meters;
};

/* The words of `state`, NULL-ended: starting normal limiting overload meter_lost. */
extern const char *const snapshot_states[];

/* True when a car is plugged in, as far as the charger tells. */
bool snapshot_plugged(const struct snap_connector *c);

/* What a circuit has left on each phase: below its limit as its meter reads, or below
 * what is reckoned with (base load and grants) where no fresh reading is. */
void snapshot_headroom(const struct snap_circuit *c, int32_t out_ma[SITE_PHASES]);

/* The meter of that name, or NULL. */
const struct snap_meter *snapshot_meter(const struct snapshot *s, const char *name);

/* Seconds until the external limit of a circuit ends; EVENT_NO_VALUE = no limit, or one
 * without an end. */
int32_t snapshot_external_left_s(const struct snapshot *s,
                                 const struct circuit_view *v);

/* "L1" .. "L3", or NULL. */
const char *snapshot_phase(int phase);

/* Whose wishes hold, what the car can take, what others limit the charger to. */
struct jsondoc;
struct cJSON;
void snapshot_wish(struct jsondoc *d, struct cJSON *in, const struct connector_view *v);

/* The whole of it as one JSON text; free() it. The document of GET /api/v1/state and of
 * `chargehand status --json`. */
char *snapshot_json(const struct snapshot *s);

#endif
