/* SPDX-License-Identifier: Apache-2.0 */
/* The running controller: ties the core to the world. All of it runs on the main
 * thread; other threads reach it through the inbox. Only src/run and src/cmd/run.c
 * include this file. */
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include "config/config.h"
#include "core/control.h"
#include "io/bus.h"
#include "io/command.h"
#include "io/history.h"
#include "io/http.h"
#include "io/inbox.h"
#include "io/journal.h"
#include "io/loop.h"
#include "io/mqtt.h"
#include "io/mqtt_site.h"
#include "io/ocpp.h"
#include "io/p1_port.h"
#include "meter/plausible.h"
#include "proto/snapshot.h"
#include "run/book.h"
#include "run/limits.h"
#include "run/records.h"
#include "run/waiting.h"

/* More of a meter's last reading than the core wants to know. */
struct reading {
    int64_t at_ms; /* INT64_MIN = never */
    struct event_meter last;
    int64_t import_wh, export_wh;
    struct counter counter; /* of a sum of chargers */
    struct misfit misfit;
    bool misfit_told;
};

struct runner {
    struct config *conf;
    struct config *
        *old; /* replaced by a reload; neighbours may still point into them */
    int n_old;
    struct control *control;
    struct order *orders;
    struct waiting waiting; /* orders may raise new events */
    bool draining;
    struct loop *loop;
    struct inbox *inbox;
    struct buses *buses;
    struct p1_ports *p1_ports;
    struct mqtt_meters *mqtt_meters;
    struct ocpp *ocpp;
    struct mqtt *mqtt;
    struct mqtt_site *mqtt_site;
    struct history *history;
    struct http *http;
    struct command *command;
    struct journal *journal;
    struct book *book;
    struct records *records;
    struct limits *limits;
    struct ocpp_station *stations; /* per charger */
    struct reading *readings;      /* per meter */
    int64_t started_utc_s, start_ms, tick_ms, recorded_ms;
    uint64_t events_lost;
    int32_t tags_number; /* of the list of tags in use, and its sum */
    uint64_t tags_sum;
    volatile bool hangup, quit;
};

/* Builds everything and starts the neighbours. NULL, with log lines, when one of those
 * without which nothing works cannot be had; then *exit_code says which kind. */
struct runner *runner_new(struct config *conf, int *exit_code);
void runner_free(struct runner *r);
void runner_loop(struct runner *r); /* until r->quit */

/* Begins a part of the journal, where one is kept and one is due or the configuration
 * is new. Not while a step is under way. */
void runner_journal(struct runner *r, bool reload);

/* An event for the core: journal, control step, orders carried out. */
void runner_feed(struct runner *r, const struct event *e);

/* Told to people: log, history, MQTT. level: "info", "warning", "error". */
void runner_tell(struct runner *r, const char *level, const char *code, const char *who,
                 const char *text);

/* orders.c */
void runner_carry_out(struct runner *r, int64_t at_ms, const struct order *o);

/* chargers.c: the central system. NULL and a log line when it cannot listen. */
struct ocpp *runner_ocpp(struct runner *r, const struct config *c);
void runner_vacant(struct runner *r); /* once a second: sessions whose end was lost */

/* wish.c: what the site file and a tag say of a session, and a wish over MQTT. */
void runner_session_begins(struct runner *r, int connector);
void runner_enough(struct runner *r); /* once a second: sessions that have had that */
struct event runner_wish(struct runner *r, const struct mqtt_command *m);

/* ask.c: listens for commands of people. NULL = it cannot: the site is controlled all
 * the same. */
struct command *runner_command(struct runner *r);

/* tags.c: the number of the list of tags. */
int32_t runner_tags_version(struct runner *r);

/* snap.c: the state of the site; free with runner_snapshot_free(). */
bool runner_snapshot(struct runner *r, struct snapshot *s);
void runner_snapshot_free(struct snapshot *s);

/* sources.c: all that reads its meters and inputs. False, with log lines: nothing is
 * started. */
bool runner_sources_start(struct runner *r, const struct config *c);
void runner_sources_stop(struct runner *r);
void runner_sources_tick(struct runner *r, int64_t now_ms); /* once a second */
/* A meter has been read: does it fit its circuit? */
void runner_sources_heard(struct runner *r, const struct event *e);

/* Where the limits of this configuration come from. NULL = no memory. */
struct limits *runner_limits(struct runner *r, const struct config *c);

/* reload.c: reads the site file again; all or nothing. */
void runner_reload(struct runner *r);
bool runner_set_control(struct runner *r, struct config *conf, int64_t leases_until_ms);

#endif
