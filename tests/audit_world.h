/* SPDX-License-Identifier: Apache-2.0 */
/* A random site with chargers that obey, refuse, keep silent and vanish, meters that
 * fail, people who change their minds, under the real controller, with its journal. */
#ifndef TESTS_AUDIT_WORLD_H
#define TESTS_AUDIT_WORLD_H

#include "core/control.h"
#include "io/journal.h"

enum { AW_CIRCUITS = 8, AW_CONNECTORS = 12, AW_PENDING = 64 };

struct aw_plug {
    bool session;
    int32_t held_ma, draw_ma, want_ma;
    int64_t follow_ms, lease_until_ms;
};

struct aw_answer {
    int connector;
    uint32_t seq;
    int32_t ma, lease_ms;
    int64_t at_ms; /* 0 = free */
};

struct aw {
    uint64_t rnd;
    struct site site;
    struct site_circuit circuits[AW_CIRCUITS];
    struct site_connector connectors[AW_CONNECTORS];
    struct site_meter meters[AW_CIRCUITS];
    struct site_charger chargers[AW_CONNECTORS];
    char names[AW_CONNECTORS][16];
    struct control *control;
    struct order *orders;
    struct journal *journal;
    int64_t now_ms;
    struct aw_plug plug[AW_CONNECTORS];
    bool online[AW_CONNECTORS], meter_lost[AW_CIRCUITS];
    int32_t base_ma[AW_CIRCUITS][SITE_PHASES];
    struct aw_answer answer[AW_PENDING];
    long events, n_orders;
    bool quiet; /* no trouble and no people: only cars and loads */
    /* called for each order before it is journaled; false = it is not */
    bool (*bend)(void *arg, const struct event *e, struct order *o);
    void *bend_arg;
};

uint64_t aw_rnd(uint64_t *state);
/* The site of that seed, the controller just started. */
void aw_init(struct aw *w, uint64_t seed);
void aw_free(struct aw *w);
void aw_run(struct aw *w, int seconds);
/* Another configuration of the same site, taken over while running. */
void aw_reload(struct aw *w);
/* The controller ends and starts anew; the chargers go on. The journal is open. */
void aw_restart(struct aw *w);
void aw_feed(struct aw *w, const struct event *e);
void aw_head(struct aw *w, bool reload);

#endif
