/* SPDX-License-Identifier: Apache-2.0 */
/* The one bounded queue through which other threads talk to the main thread. Putting
 * never blocks; when it is full the item is dropped and counted: a dropped reading is
 * an old meter, and the core knows what to do with an old meter. */
#ifndef IO_INBOX_H
#define IO_INBOX_H

#include <stdbool.h>
#include <stdint.h>
#include "core/event.h"

enum inbox_kind {
    INBOX_EVENT,   /* for the core, at_ms stamped by the sender */
    INBOX_METER,   /* more of a meter's reading, for history and people */
    INBOX_INPUT,   /* a digital input's state */
    INBOX_COMMAND, /* an MQTT message on .../set/..., or homeassistant/status */
    INBOX_TROUBLE  /* a neighbour's trouble began or ended */
};

enum { INBOX_TOPIC = 160, INBOX_TEXT = 256 };

struct inbox_item {
    enum inbox_kind kind;
    union {
        struct event event;
        struct { /* all but the event of one reading; EVENT_NO_VALUE / EVENT_NO_ENERGY
                  */
            int meter;
            int32_t p_phase_w[SITE_PHASES];
            int32_t hz_mhz;
            int64_t import_wh, export_wh;
        } reading;
        struct {
            int input;
            bool active;
            int64_t at_ms;
        } input;
        struct {
            char topic[INBOX_TOPIC];
            char payload[INBOX_TEXT]; /* text, ends with NUL; longer ones are refused */
            bool retained;
        } command;
        struct {
            bool begins;
            char code[24]; /* "meter", "mqtt", "history", "charger" */
            char who[48];
            char text[160];
        } trouble;
    };
};

struct inbox;

/* `wake` is called after each put, from the putting thread. */
struct inbox *inbox_new(int capacity, void (*wake)(void *arg), void *arg);
void inbox_free(struct inbox *b);
bool inbox_put(struct inbox *b, const struct inbox_item *item); /* any thread */
bool inbox_take(struct inbox *b, struct inbox_item *item);      /* main thread */
uint64_t inbox_dropped(struct inbox *b);

/* Tells of a trouble from any thread. The caller keeps it to once at its begin and once
 * at its end. */
void inbox_trouble(struct inbox *b, bool begins, const char *code, const char *who,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
